"""`lineshaft demo`, `up`, `hub`, `gateway`, `simulate`: starts the parts and shows people what they do."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lineshaft.commands import output
from lineshaft.commands.plants import find_plant, own_copy
from lineshaft.config.load import load_plant
from lineshaft.config.models import Plant
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.errors import ConfigError
from lineshaft.gateway.remote_config import put_files_back
from lineshaft.server import moves
from lineshaft.server.context import PartContext
from lineshaft.server.folder import DataFolder, data_folder
from lineshaft.server.lifetime import until_stopped
from lineshaft.server.logs import configure_logging
from lineshaft.server.memory import settle
from lineshaft.server.messages import Message
from lineshaft.server.parts import PARTS, prepare_simulator, require
from lineshaft.server.places import put_in_place
from lineshaft.server.supervisor import Part, Supervisor

STAGES = {"broker": 0, "hub": 1, "simulator": 1, "gateway": 2}
"""Which parts start together, and in which order; they end the other way round."""
SILENCE = 120.0
"""Seconds without any word of a starting part, after which it counts as hanging."""
FEW_ARENAS = {"MALLOC_ARENA_MAX": "2"}
"""For glibc: a heap for each of a hundred threads would hold several times the memory that is in use."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a command line asks to run."""

    plant: str
    parts: tuple[str, ...]
    data: Path | None = None
    port: int | None = None  # of the page
    move: bool = False  # take other ports where those of the plant are taken


def supervise(wanted: Wanted) -> int:
    """Run parts as child processes until Ctrl-C or SIGTERM; returns the exit code."""
    for part in wanted.parts:
        require(part)
    folder = find_plant(wanted.plant)
    plant = load_plant(folder, DRIVERS)
    parts = tuple(part for part in wanted.parts if part != "broker" or not plant.hub.broker)
    if "simulator" in parts and plant.simulator is None:
        raise ConfigError(f"{folder} has no simulator section", hint=f"lineshaft up {wanted.plant}")
    moved = {"hub.port": wanted.port} if wanted.port is not None else {}
    plant = moves.move(plant, moved)
    data = data_folder(plant, wanted.data)
    data.prepare()
    if wanted.move:
        folder = own_copy(folder, data.root)
        plant = moves.move(load_plant(folder, DRIVERS), moved)
    show = Display(plant, data)
    with data.lock("supervisor"):
        ports = moves.own_ports(plant, with_simulator="simulator" in parts)
        if wanted.move:
            words = moves.busy(ports)
            for key, port in moves.choose_moves(ports).items():
                show.say(f"{words[key]}; using {port} instead")
                moved[key] = port
            plant = moves.move(plant, moved)
        else:
            moves.refuse_busy({key: ports[key] for key in ports if key != "hub.broker_port" or "broker" in parts})
        configure_logging()
        if "simulator" in parts:
            prepare_simulator(data)
        settle()
        with show, moves.written_down(data, moved):
            asyncio.run(_supervise(folder.absolute(), parts, data, moved, show))
    return output.ExitCode.OK


async def _supervise(folder: Path, parts: Sequence[str], data: DataFolder, moved: moves.Moves, show: Display) -> None:
    ports = [f"--move={key}={port}" for key, port in moved.items()]
    more = (str(folder), f"--data={data.root}", *ports)
    children = [Part(name, ("part", name, *more), STAGES[name], SILENCE, FEW_ARENAS) for name in parts]
    supervisor = Supervisor(children, data.logs, show.message)

    def end() -> None:
        show.say("ending ...")
        supervisor.stop()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    loop.add_signal_handler(signal.SIGHUP, supervisor.hang_up)
    await supervisor.run(show.all_ready)


def run_part(name: str, plant: str, data: Path | None, texts: Sequence[str]) -> int:
    """Run one part in this process until it is told to end; returns the exit code."""
    require(name)
    folder, moved = find_plant(plant), moves.parse_moves(texts)

    def load(path: Path) -> Plant:
        plant = load_plant(path, DRIVERS)
        return put_in_place(moves.move(plant, moved), folder, data_folder(plant, data).root)

    try:
        loaded = load(folder)
    except ConfigError:
        if name != "gateway" or data is None or not put_files_back(folder, data):
            raise
        loaded = load(folder)
    place = data_folder(loaded, data)
    place.prepare()
    configure_logging()
    settle()

    again = asyncio.Event()

    async def serve(stop: asyncio.Event, asked: asyncio.Event) -> None:
        await PARTS[name](PartContext(loaded, folder, load, place, stop, asked, again))

    with place.lock(name):
        asyncio.run(until_stopped(serve))
    if again.is_set():  # the same process, so that whoever started it need not know
        os.execv(sys.executable, [sys.executable, "-m", "lineshaft", *sys.argv[1:]])  # noqa: S606 - our own command
    return output.ExitCode.OK


class Display:
    """What people see while the parts start and run: a line for each event, a bar for long work."""

    def __init__(self, plant: Plant, data: DataFolder) -> None:
        self._plant = plant
        self._data = data
        self._console = output.err()
        self._progress: output.Bars | None = None
        self._link = ""
        self._ready = False

    def __enter__(self) -> Display:
        self._progress = output.Bars(self._console)
        self._progress.start()
        self.say(f"{self._plant.plant.name}; data and logs in {self._data.root}")
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def say(self, words: str) -> None:
        """One line."""
        self._console.print(words, markup=False)

    def message(self, part: str, message: Message) -> None:
        """Something that a part says."""
        if message.kind == "progress" and self._progress is not None:
            self._progress.advance(message.words or part, message.done)
        elif message.kind == "ready":
            self.say(f"  {part} is ready" + (f": {message.words}" if message.words else ""))
        elif message.kind == "link":
            self._link = message.words
            if self._ready:
                self._show_link()
        elif message.kind == "notice":
            self.say(message.words)

    def all_ready(self) -> None:
        """Every part is ready: say where the page is."""
        self._ready = True
        self._show_link()

    def _show_link(self) -> None:
        if self._link:
            self._console.print(f"\n  Open [bold]{self._link}[/]", highlight=False)
            if "link=" in self._link:
                self.say("  This link makes the first user; it works once, within 24 hours.")
        self.say(f"\n  {'Ctrl-C' if sys.stdin.isatty() else 'SIGTERM'} ends all parts in order.\n")

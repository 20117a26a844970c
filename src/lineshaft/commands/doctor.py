"""`lineshaft doctor`: goes through every part, says what is wrong and how to mend it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from lineshaft.commands import checks, output
from lineshaft.commands.checks import Line
from lineshaft.commands.client import Client, hub_address, token_of
from lineshaft.commands.plants import find_plant
from lineshaft.config.load import load_plant
from lineshaft.config.models import DeviceConfig, Plant
from lineshaft.drivers.base import Driver, KeepsFiles, TestsConnection
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.errors import AccessDenied, ConfigError, LineshaftError
from lineshaft.server import moves
from lineshaft.server.folder import DataFolder, data_folder
from lineshaft.server.places import put_in_place

DEVICE_SECONDS = 15.0
"""How long one device may take."""
AT_ONCE = 16

_SIGNS = {"pass": "[green]ok  [/]", "warn": "[yellow]warn[/]", "fail": "[red]FAIL[/]"}


@dataclass(slots=True)
class Visit:
    """What the visit has found so far."""

    as_json: bool
    lines: list[Line]

    def add(self, line: Line) -> None:
        """Take a line and show it."""
        self.lines.append(line)
        if not self.as_json:
            console = output.out()
            words = line.words.replace("[", r"\[")
            console.print(f"{_SIGNS[line.state]}  {line.part:<22} {words}")
            if line.mend and line.state != "pass":
                console.print(f"      {'':<22} -> {line.mend}", markup=False)


def run(plant: str, *, data: Path | None, token: str, devices: bool, as_json: bool) -> int:
    """Check everything; returns FAILURE when something is broken."""
    visit = Visit(as_json, [])
    for line in checks.machine():
        visit.add(line)
    loaded = _plant(plant, visit)
    if loaded is not None:
        folder = data_folder(loaded, data)
        loaded = put_in_place(moves.move(loaded, moves.moves_of(folder)), find_plant(plant), folder.root)
        for check in _parts(loaded, folder, token):
            for line in check():
                visit.add(line)
        if devices:
            asyncio.run(_devices(loaded, folder.root, visit))
    broken = sum(line.state == "fail" for line in visit.lines)
    if as_json:
        output.print_json({"ok": not broken, "checks": [asdict(line) for line in visit.lines]})
    else:
        warned = sum(line.state == "warn" for line in visit.lines)
        output.out().print(f"\n{len(visit.lines)} checks: {broken} broken, {warned} to look at")
    return output.ExitCode.FAILURE if broken else output.ExitCode.OK


def _plant(text: str, visit: Visit) -> Plant | None:
    try:
        folder = find_plant(text)
        plant = load_plant(folder, DRIVERS)
    except ConfigError as error:
        mend = error.hint or "lineshaft check says where"
        visit.add(Line("fail", "plant", str(error.args[0]), mend))
        return None
    signals = sum(len(device.signals) for device in plant.devices)
    visit.add(Line("pass", "plant", f"{folder}: {len(plant.devices)} devices, {signals} signals"))
    return plant


def _parts(plant: Plant, folder: DataFolder, token: str) -> tuple[Callable[[], Iterator[Line]], ...]:
    client = Client(hub_address(folder, plant.hub.host, plant.hub.port), token_of(token, folder), timeout=5.0)
    return (
        lambda: checks.data_folder(folder),
        lambda: checks.ports_free(plant, folder),
        lambda: checks.broker(plant, folder),
        lambda: checks.store(plant, folder),
        lambda: checks.buffer(plant, folder),
        lambda: _hub(client, folder),
    )


def _hub(client: Client, folder: DataFolder) -> Iterator[Line]:
    """Whether the hub answers, and what its own health page says."""
    try:
        client.get("/api/v1/alive")
    except LineshaftError as error:
        state: Literal["warn", "fail"] = "fail" if folder.links.exists() else "warn"
        yield Line(state, "hub", str(error), "start it with `lineshaft up`; its log is hub.log in the data folder")
        return
    yield Line("pass", "hub", f"answers at {client.base}")
    try:
        health = client.get("/api/v1/health")
    except AccessDenied as error:
        yield Line("warn", "hub health", "not asked: no API token", error.hint)
        return
    except LineshaftError as error:
        yield Line("fail", "hub health", str(error), error.hint)
        return
    for check in health["checks"]:
        yield Line(check["state"], f"hub: {check['part']}", check["words"], check.get("mend", ""))


async def _devices(plant: Plant, root: Path, visit: Visit) -> None:
    """Try every device step by step, several at once."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(device: DeviceConfig) -> None:
        async with free:
            for line in await test_device(device, root):
                visit.add(line)

    async with asyncio.TaskGroup() as group:
        for device in plant.devices:
            group.create_task(one(device))


async def test_device(device: DeviceConfig, root: Path) -> list[Line]:
    """What a driver finds on the way to its device: one line when all is well, else one for each failure.

    root: the data folder of the gateway that reads the device.
    """
    name = f"device {device.id}"
    if not device.enabled:
        return [Line("pass", name, "disabled in the plant")]
    driver: Driver | None = None
    try:
        driver = DRIVERS[device.driver].create(device.connection)
        if isinstance(driver, KeepsFiles):
            driver.keep_files(root)
        async with asyncio.timeout(DEVICE_SECONDS):
            if not isinstance(driver, TestsConnection):
                await driver.connect()
                return [Line("pass", name, f"{device.driver}: connected")]
            findings = await driver.test_connection()
    except TimeoutError:
        return [Line("fail", name, f"{device.driver}: no answer within {DEVICE_SECONDS:g} s", "is it switched on?")]
    except LineshaftError as error:
        return [Line("fail", name, f"{device.driver}: {error}", error.hint)]
    finally:
        if driver is not None:
            await driver.close()
    failed = [finding for finding in findings if not finding.passed]
    if failed:
        return [Line("fail", name, f"{one.check}: {one.detail}", one.mend) for one in failed]
    return [Line("pass", name, f"{device.driver}: {', '.join(one.check for one in findings)}")]

"""kill -9 of the hub under load, again and again; a full disk: what was lost, how soon it was back, what was found.

Everything is real: a hub process with historian, state and operators, a broker, and an edge node that repeats what is
not acknowledged. What operators found is compared, byte for byte, with a second hub that nobody disturbed.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from tests.chain.harness import Chain, chain, wait_for

from bench.history.load import MACHINES, PLANT, PREFIX, RATE, SECOND, SECONDS, START, Load, frame_rows

_SETTLE: Final = 240.0  # seconds that operators get to work everything in
_DISK_MB: Final = 400
RESERVE: Final = 80_000_000
"""Bytes that must stay free on the small disk."""


@dataclass(frozen=True, slots=True)
class Full:
    """What a hub did while its disk was full."""

    left: int  # bytes
    told_after: float  # seconds until its health said that nothing is stored
    words: str
    acknowledged: int  # frames, while it was full: none may be
    read: int  # HTTP status of a read meanwhile
    ended: bool  # it had ended by itself, to keep merged parts from harm
    up: bool  # it could be started on the full disk after kill -9
    restart: float  # seconds from there being space, or from the start on the full disk, to its being ready
    back: float  # seconds from there being space to the next acknowledgement


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a disturbed hub has to show for itself."""

    frames: int
    acknowledged: int
    lost: int  # acknowledged rows that are not stored, or stored twice
    restarts: tuple[float, ...]  # seconds from the start of the process to its word that it is ready
    back: tuple[float, ...]  # seconds from there to the next acknowledgement
    full: tuple[Full, ...]
    events: int
    difference: str  # of events and computed samples to those of the undisturbed hub; '': none, byte for byte


def disturbed(folder: Path, kills: int, fills: Sequence[int] = (), seconds: float = 1.5) -> Outcome:
    """`kills` times kill -9 after about `seconds` of load; then the disk runs full but for so many bytes.

    Raises PermissionError when there are `fills`, but a small disk cannot be mounted.
    """
    keys = f"  disk_reserve: {RESERVE}B\n" if fills else ""
    disk = small_disk(folder / "hub" / "data") if fills else contextlib.nullcontext()
    with disk, chain(folder / "hub", PLANT, mosquitto=True, hub_keys=keys) as made:
        made.start_broker()
        made.hub.start()
        made.sign_up()
        load = _loading(made).start()
        restarts, back = [], []
        random = np.random.default_rng(1)
        for _ in range(kills):
            wait_for(lambda: _goes_on(load), 60, "rows are taken")
            time.sleep(seconds * random.uniform(0.2, 1.8))
            made.hub.kill()
            restarts.append(_timed(made.hub.start))
            back.append(_until_acknowledged(load))
        full = tuple(_full(made, load, left) for left in fills)
        load.stop_sending()
        wait_for(lambda: load.done, 120, "everything is acknowledged")
        frames, acknowledged = load.sent, len(load.edge.acknowledged)
        load.close()
        difference, events = _beside_a_calm_one(folder, made, frames)
        lost = _lost(made, frames)
    return Outcome(frames, acknowledged, lost, tuple(restarts), tuple(back), full, events, difference)


def _full(made: Chain, load: Load, left: int) -> Full:
    """The disk runs full at once, as when somebody copies a large file: no program can have prepared for it."""
    wait_for(lambda: _goes_on(load), 60, "rows are taken")
    filler = made.data / "filler"
    _fill(filler, left)
    told = _timed(lambda: wait_for(lambda: _health(made, "ingest")["state"] == "fail", 60, "health says so"))
    words = _health(made, "ingest")["words"]
    taken = len(load.edge.acknowledged)
    time.sleep(2.0)
    acknowledged = len(load.edge.acknowledged) - taken
    read = made.api.get("/latest", params={"asset": PREFIX[:-1]}).status_code
    ended = made.hub.gone()
    began = time.monotonic()
    up = _starts(made)
    restart = time.monotonic() - began
    filler.unlink()
    began = time.monotonic()
    if not up:
        made.hub.start()
        restart = time.monotonic() - began
    _until_acknowledged(load)
    return Full(left, told, words, acknowledged, read, ended, up, restart, time.monotonic() - began)


def _starts(made: Chain) -> bool:
    """Whether the hub starts; a supervisor would try again and again."""
    made.hub.launch()
    while not made.hub.ready.wait(0.1):
        if made.hub.ended():
            made.hub.gone()
            return False
    return True


def _until_acknowledged(load: Load) -> float:
    """Seconds until the hub acknowledges something."""
    before = len(load.edge.acknowledged)
    return _timed(lambda: wait_for(lambda: len(load.edge.acknowledged) > before, 60, "an acknowledgement", 0.01))


def _loading(made: Chain, rate: int = RATE, last: int | None = None) -> Load:
    """The load after its first frame, when every operator is at work: one that begins later sees less of the past."""
    assert made.mosquitto is not None
    load = Load(made.mosquitto.port, rate, last)
    wait_for(lambda: len(made.api.get("/operators").json()["items"]) == MACHINES + 1, 60, "operators begin")
    return load


def _goes_on(load: Load) -> bool:
    return len(load.edge.acknowledged) > 20 and load.open_frames < 50


def _timed(action: Callable[[], object]) -> float:
    began = time.monotonic()
    action()
    return time.monotonic() - began


def _health(made: Chain, part: str) -> dict[str, Any]:
    answer = made.api.get("/health")
    assert answer.status_code == 200, answer.text
    checks = answer.json()["checks"]
    return next(check for check in checks if check["part"] == part)


def _beside_a_calm_one(folder: Path, made: Chain, frames: int) -> tuple[str, int]:
    """Run the same frames through a second hub; gives what operators found differently, and the number of events."""
    with chain(folder / "calm", PLANT, mosquitto=True) as calm:
        calm.start_broker()
        calm.hub.start()
        calm.sign_up()
        same = _loading(calm, 10 * RATE, frames).start()
        wait_for(lambda: same.done, 120, "the undisturbed hub has everything")
        same.close()
        _settle(calm, frames)
        return _compared(made, calm)


def _lost(made: Chain, frames: int) -> int:
    """Rows of acknowledged frames that are not there exactly once with their value."""
    ids = made.signals()
    wanted = [frame_rows(number) for number in range(1, frames + 1)]
    names = [f"{PREFIX}machine-{n // 2}/{('pressure', 'power')[n % 2]}" for n in range(MACHINES * 2)]
    lost = 0
    for place, name in enumerate(names):
        table = made.rows([ids[name]])
        times = table.column("time").cast("int64").to_numpy()
        values = table.column("value").to_numpy()
        expected = np.concatenate([one.values[one.signals == place] for one in wanted])
        moments = START + (SECONDS + np.arange(frames * SECONDS)) * SECOND
        if len(times) == len(moments) and (times == moments).all() and (values == expected).all():
            continue
        there = np.isin(moments, times)
        lost += int((~there).sum()) + max(0, len(times) - int(there.sum())) or 1
    return lost


def found(made: Chain) -> dict[str, Any]:
    """What operators have found: events of rules, and the samples of the computed metric."""
    events: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = made.api.get("/events", params={"limit": 1000, "cursor": cursor}).json()
        events += [{k: v for k, v in one.items() if k != "id"} for one in page["items"]]
        cursor = page["next"]
        if not cursor:
            break
    rules = [one for one in events if one["kind"].startswith("rule.")]
    number = made.signals().get(f"{PREFIX}power-total")
    samples = (
        []
        if number is None
        else [[str(row["time"]), row["value"], row["quality"]] for row in made.rows([number]).to_pylist()]
    )
    key = [(one["time"], one["subject"], one["kind"]) for one in rules]
    return {"events": [rules[n] for n in sorted(range(len(rules)), key=key.__getitem__)], "samples": samples}


def _settle(made: Chain, frames: int) -> None:
    """Wait until the operators are through with all rows."""
    last = START + ((frames + 1) * SECONDS - 1) * SECOND

    def through() -> bool:
        runs = made.api.get("/operators").json()["items"]
        there = all(run["position"] >= last and not run["waiting"] and not run["error"] for run in runs)
        return len(runs) == MACHINES + 1 and there

    wait_for(through, _SETTLE, "operators are through", 0.5)


def _compared(made: Chain, calm: Chain) -> tuple[str, int]:
    """'' when both have come to the same, byte for byte, and how many events that are.

    Late rows are worked in every few seconds, and samples are stored as often.
    """
    deadline = time.monotonic() + _SETTLE
    while True:
        have, wanted = found(made), found(calm)
        difference = _first_difference(have, wanted)
        if not difference and not all(wanted.values()):
            difference = "nothing was found, so nothing was proved"
        if not difference or time.monotonic() > deadline:
            return difference, len(wanted["events"])
        time.sleep(1.0)


def _first_difference(have: dict[str, Any], wanted: dict[str, Any]) -> str:
    if json.dumps(have) == json.dumps(wanted):
        return ""
    for what, expected in wanted.items():
        mine = have[what]
        if len(mine) != len(expected):
            more = [one for one in mine if one not in expected][:2]
            less = [one for one in expected if one not in mine][:2]
            return f"{len(mine)} {what} in place of {len(expected)}; more: {more}; missing: {less}"
        for one, other in zip(mine, expected, strict=True):
            if one != other:
                return f"{what}: {one} in place of {other}"
    return "order"


def _fill(path: Path, leave: int) -> None:
    """Until so many bytes are left, or none."""
    piece = bytes(1 << 16)
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while not leave or shutil.disk_usage(path.parent).free > leave:
            file.write(piece)


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int = _DISK_MB) -> Iterator[None]:
    """A file system of its own at `folder`. Raises PermissionError where this process may not mount one."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        raise PermissionError("a small file system cannot be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def may_mount(folder: Path) -> bool:
    """Whether this process may make a small file system."""
    try:
        with small_disk(folder / "probe", 1):
            return True
    except PermissionError:
        return False

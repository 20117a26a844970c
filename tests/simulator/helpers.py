"""What the simulator's tests share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tests.ports import free_row

from lineshaft.config.load import load_plant
from lineshaft.config.models import Plant
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.server.moves import move
from lineshaft.server.places import put_in_place
from lineshaft.simulator.factory import Factory, Frame

DEMO = Path(__file__).parents[2] / "plants" / "demo"
MONDAY = 1_791_158_400_000_000  # 2026-10-05T00:00Z
HOUR = 3_600_000_000
DAY = 24 * HOUR
SPANS = {
    "simulator.modbus_port": 12,
    "simulator.machine_port": 12,
    "simulator.opcua_port": 1,
    "simulator.api_port": 1,
    "hub.broker_port": 1,
}
"""Key of a port -> ports in a row that the demo plant uses from it on."""


def demo() -> Plant:
    """plants/demo as it is."""
    return load_plant(DEMO, DRIVERS)


def demo_elsewhere(data: Path) -> Plant:
    """plants/demo at free ports, with the data folder `data`."""
    first, moves = free_row(sum(SPANS.values())), {}
    for key, span in SPANS.items():
        moves[key] = first
        first += span
    return put_in_place(move(demo(), moves), DEMO, data)


def grid(start: int, end: int, seconds: float = 10) -> np.ndarray:
    """Instants after `start` up to `end`."""
    step = round(seconds * 1e6)
    return np.arange(start + step, end + 1, step, dtype=np.int64)


class Run:
    """Several frames of one factory seen as one; tracks are read at once, because the factory forgets its past."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        columns: dict[str, list[Any]] = {}
        hidden: dict[str, list[Any]] = {}
        self.changes: dict[str, list[tuple[int, Any]]] = {}
        times = []
        for frame in frames:
            times.append(frame.times)
            for path in frame.values.keys() | frame.tracks.keys():
                columns.setdefault(path, []).append(frame[path])
            for path, track in frame.tracks.items():
                when, what = track.changes(frame.before, int(frame.times[-1]))
                self.changes.setdefault(path, []).extend(zip(when.tolist(), what.tolist(), strict=True))
            for name, value in frame.hidden.items():
                hidden.setdefault(name, []).append(value)
        self.times = np.concatenate(times)
        self._columns = {path: np.concatenate(parts) for path, parts in columns.items()}
        self._hidden = {name: np.concatenate(parts) for name, parts in hidden.items()}
        self.paths = set(self._columns)

    def __getitem__(self, path: str) -> Any:
        return self._columns[path]

    def hidden(self, name: str) -> Any:
        """A quantity that no sensor sees."""
        return self._hidden[name]


def frames(factory: Factory, end: int, seconds: float = 10, chunk: int = DAY) -> Iterator[Frame]:
    """Move a factory to `end` on a grid, `chunk` microseconds per call."""
    while factory.now_us < end:
        yield factory.advance(grid(factory.now_us, min(end, factory.now_us + chunk), seconds))


def run(factory: Factory, end: int, seconds: float = 10, chunk: int = DAY) -> Run:
    """All `frames` as one."""
    return Run(frames(factory, end, seconds, chunk))

"""The ports of the hub in memory, for tests of the parts that use them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lineshaft.errors import StoreUnavailable
from lineshaft.hub.ports import BornSignal, Drop, SourceState
from lineshaft.model.equipment import Equipment
from lineshaft.model.events import Event
from lineshaft.model.samples import Int64Array, SampleBatch, UInt32Array


class MemoryCatalogue:
    """Ids are 1, 2, 3 ... in the order in which paths were first seen."""

    def __init__(self) -> None:
        self.born: dict[str, BornSignal] = {}
        self.ids: dict[str, int] = {}
        self.equipment: dict[str, Equipment] = {}
        self.sources: dict[tuple[str, str], tuple[SourceState, int, Mapping[str, Any]]] = {}

    def register(self, born: Sequence[BornSignal]) -> UInt32Array:
        for one in born:
            self.ids.setdefault(one.signal.path, len(self.ids) + 1)
            self.born[one.signal.path] = one
        return np.array([self.ids[one.signal.path] for one in born], np.uint32)

    def register_equipment(self, nodes: Sequence[Equipment]) -> None:
        self.equipment |= {node.path: node for node in nodes}

    def source(
        self, node: str, device: str, state: SourceState, time: int, details: Mapping[str, Any] | None = None
    ) -> None:
        self.sources[node, device] = (state, time, details or {})

    def state(self, node: str, device: str = "") -> str:
        return self.sources.get((node, device), ("unknown", 0, {}))[0]


class MemoryEvents:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def add(self, events: Sequence[Event]) -> None:
        self.events.extend(events)


class MemoryLedger:
    def __init__(self) -> None:
        self.rows: dict[int, int] = {}
        self.duplicates: dict[int, int] = {}
        self.totals: dict[tuple[str, str], tuple[int, dict[str, int]]] = {}
        self.drops: list[tuple[str, str, Drop]] = []

    def arrived(self, signals: UInt32Array, rows: Int64Array, duplicates: Int64Array) -> None:
        for signal, row, duplicate in zip(signals.tolist(), rows.tolist(), duplicates.tolist(), strict=True):
            self.rows[signal] = self.rows.get(signal, 0) + row
            self.duplicates[signal] = self.duplicates.get(signal, 0) + duplicate

    def expected(self, node: str, epoch: str, totals: Mapping[str, int], frame: int) -> None:
        self.totals[node, epoch] = (frame, dict(totals))

    def dropped(self, node: str, epoch: str, drops: Sequence[Drop]) -> None:
        self.drops += [(node, epoch, drop) for drop in drops]


class MemoryLive:
    """Newest value of each signal, and which are stale."""

    def __init__(self) -> None:
        self.values: dict[int, float] = {}
        self.texts: dict[int, str | None] = {}
        self.stale_signals: set[int] = set()
        self.published = 0

    def publish(self, batch: SampleBatch) -> None:
        self.published += len(batch)
        self.values |= dict(zip(batch.signals.tolist(), batch.values.tolist(), strict=True))
        if batch.texts is not None:
            self.texts |= dict(zip(batch.signals.tolist(), batch.texts.tolist(), strict=True))
        self.stale_signals -= set(batch.signals.tolist())

    def stale(self, signals: NDArray[np.uint32], time: int) -> None:
        self.stale_signals |= set(signals.tolist())


class BrittleHistorian:
    """Passes to a real historian; can be told to be out of order. `appended` sees each token."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.down = False
        self.lose_answer = False
        self.tokens: list[str] = []
        self.lock = threading.Lock()
        self.before: Callable[[], None] = lambda: None

    def append(self, batch: SampleBatch, token: str) -> None:
        self.before()
        if self.down:
            raise StoreUnavailable("the historian is switched off")
        self._inner.append(batch, token)
        self.tokens.append(token)
        if self.lose_answer:
            self.lose_answer = False
            raise StoreUnavailable("stored, but the answer got lost")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

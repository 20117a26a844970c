"""Keeps roll-ups right: minutes that rows have touched are computed anew from all their rows, then hours and days."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from lineshaft.analytics.rollup import FOREVER, Rollups, emptied, fold, of_rows, ordered
from lineshaft.errors import StoreUnavailable
from lineshaft.hub.historian.base import Level
from lineshaft.hub.historian.rollups import MINUTE, WIDTHS, Range, RollupStore, Touched, ranges_of
from lineshaft.model.samples import Int64Array, SampleBatch, UInt32Array

_log = structlog.get_logger(__name__)
_MINUTES_AT_ONCE: Final = 120_000
_BUCKETS_AT_ONCE: Final = 8_000
"""Hours or days of signals that are merged at a time."""
_BEGINNING: Final = -(2**62)
"""Before all times."""


class Traits(Protocol):
    """What roll-ups must know of signals."""

    def gaps(self, signals: UInt32Array) -> Int64Array:
        """int64[n]: longest time that a value is held, microseconds."""
        ...

    def stateful(self, signals: UInt32Array) -> NDArray[np.bool_]:
        """bool[n]: time in state is wanted of these."""
        ...


class Plain:
    """Traits where nothing is known: every signal is a measure that is held for `gap` microseconds."""

    def __init__(self, gap: int = FOREVER) -> None:
        self._gap = gap

    def gaps(self, signals: UInt32Array) -> Int64Array:
        """See Traits."""
        return np.full(len(signals), self._gap, np.int64)

    def stateful(self, signals: UInt32Array) -> NDArray[np.bool_]:
        """See Traits."""
        return np.zeros(len(signals), np.bool_)


class RawRows(Protocol):
    """Where the roller reads samples."""

    def counted(self, signals: UInt32Array, within: Sequence[Range]) -> tuple[UInt32Array, Int64Array]:
        """Signals that have rows in the ranges, ascending, and how many."""
        ...

    def sorted_rows(self, signals: UInt32Array, within: Sequence[Range]) -> SampleBatch:
        """All their rows by signal and time."""
        ...


@dataclass(frozen=True, slots=True)
class RollerSettings:
    """How often and how much at a time."""

    interval: float = 60.0  # seconds between passes while nothing waits: each computes hours and days that run anew
    rows: int = 500_000  # rows in memory at a time
    notes: int = 250_000  # touched minutes taken up in one pass


@dataclass(slots=True)
class RollerFigures:
    """What the roller did; written by its thread only."""

    passes: int = 0
    minutes: int = 0
    rows: int = 0
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Roller:
    """`step` does one pass in the caller's thread; `run` does passes until `stop`.

    Nothing is lost by a kill: notes of touched minutes go only when their roll-ups are on the disk, and what is
    computed twice is the same. `busy` says that the hub has more important things to do; a pass waits then, for at most
    ten intervals.
    """

    store: RollupStore
    raw: RawRows
    traits: Traits
    settings: RollerSettings = RollerSettings()
    busy: Callable[[], bool] = lambda: False
    figures: RollerFigures = field(default_factory=RollerFigures)
    _rolled_as: dict[int, tuple[int, bool]] = field(default_factory=dict)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        """Passes until `stop`, in a thread of its own."""
        postponed = 0
        while not self._stopped.is_set():
            if self.busy() and postponed < 10:
                postponed += 1
                self._stopped.wait(self.settings.interval)
                continue
            postponed = 0
            try:
                more = self.step()
                if self.figures.error:
                    _log.info("rollups: go on")
                self.figures.error = ""
            except StoreUnavailable as error:
                if not self.figures.error:
                    _log.error("rollups: later", error=str(error))
                self.figures.error, more = str(error), False
            if not more:
                self._stopped.wait(self.settings.interval)

    def stop(self) -> None:
        """End `run` at the next chance."""
        self._stopped.set()

    def step(self) -> bool:
        """One pass; True when more may wait. Raises StoreUnavailable."""
        with self._one_at_a_time:
            return self._pass()

    def _pass(self) -> bool:
        began = time.monotonic()
        touched = self.store.touched(self.settings.notes)
        if not touched.stamps:
            return False
        self._start_anew(np.unique(touched.signals))
        self._minutes(touched)
        self._merge("minute", "hour", touched)
        self._merge("hour", "day", touched)
        if self._stopped.is_set():
            return False
        self.store.forget(touched.stamps)
        self.figures.passes += 1
        self.figures.minutes += len(touched.minutes)
        self.figures.seconds += time.monotonic() - began
        return len(touched.minutes) >= self.settings.notes

    def _start_anew(self, signals: UInt32Array) -> None:
        """All minutes of signals whose kind or gap is another one than before are computed anew, in later passes."""
        gaps, stateful = self.traits.gaps(signals), self.traits.stateful(signals)
        wanted = list(zip(gaps.tolist(), stateful.tolist(), strict=True))
        if not self._rolled_as:
            self._rolled_as.update(self.store.rolled_as())
        known = [self._rolled_as.get(signal) for signal in signals.tolist()]
        other = np.array([one != now for one, now in zip(known, wanted, strict=True)], np.bool_)
        if not other.any():
            return
        changed = [
            signal for signal, one, now in zip(signals.tolist(), known, wanted, strict=True) if one and one != now
        ]
        if changed:
            _log.info("rollups: rolled up anew, kind or gap has changed", signals=len(changed))
            self.store.touch(changed, _BEGINNING)
        self.store.note_rolled_as(signals[other], gaps[other], stateful[other])
        self._rolled_as.update(zip(signals.tolist(), wanted, strict=True))

    def finish(self) -> None:
        """Passes until nothing waits. Raises StoreUnavailable."""
        while self.store.touched(1).stamps and not self._stopped.is_set():
            self.step()

    def _minutes(self, touched: Touched) -> None:
        """Touched minutes from all their rows, about `settings.rows` rows at a time.

        A minute whose raw rows are gone by retention keeps its roll-up as it is.
        """
        gone = self.store.raw_from()
        kept = _kept(touched.signals, touched.minutes * MINUTE, gone)
        signals, minutes = touched.signals[kept], touched.minutes[kept]
        for part in chunks(signals, minutes // 60, _MINUTES_AT_ONCE // 60):
            within = ranges_of(np.unique(minutes[part]), MINUTE)
            found, counts = self.raw.counted(np.unique(signals[part]), within)
            start = 0
            written: list[Int64Array] = []
            while start < len(found):
                total = np.cumsum(counts[start:])
                stop = start + max(1, int(np.searchsorted(total, self.settings.rows, side="right")))
                self._ranges(found[start:stop], int(total[stop - start - 1]), within, gone, written)
                if self._stopped.is_set():
                    return
                start = stop
            self._empty("minute", signals[part], minutes[part] * MINUTE, written)

    def _empty(self, level: Level, signals: UInt32Array, starts: Int64Array, written: Sequence[Int64Array]) -> None:
        """Touched buckets without rows: what stood there was taken back."""
        left = ~np.isin(_key(signals, starts), np.concatenate(written) if written else np.empty(0, np.int64))
        if left.any():
            self.store.write(level, emptied(signals[left], starts[left]))

    def _ranges(
        self,
        signals: UInt32Array,
        rows: int,
        within: Sequence[Range],
        gone: Mapping[int, int],
        written: list[Int64Array],
    ) -> None:
        """Minutes of these signals; ranges with too many rows of one signal are halved."""
        start, end = within[0][0], within[-1][1]
        if rows > 2 * self.settings.rows and end - start > MINUTE:
            middle = start + max(1, (end - start) // MINUTE // 2) * MINUTE
            left = [(a, min(b, middle)) for a, b in within if a < middle]
            right = [(max(a, middle), b) for a, b in within if b > middle]
            for half in filter(None, (left, right)):
                self._ranges(signals, rows // 2, half, gone, written)
            return
        batch = self.raw.sorted_rows(signals, within)
        found = of_rows(ordered(batch.take(_kept(batch.signals, batch.times, gone))))
        self.figures.rows += len(found)
        rollups = self._folded(found, MINUTE)
        self.store.write("minute", rollups)
        written.append(_key(rollups.signals, rollups.starts))

    def _merge(self, source: Level, target: Level, touched: Touched) -> None:
        """Buckets of `target` that hold a touched minute, from all their buckets of `source`."""
        width = WIDTHS[target]
        numbers = touched.minutes * MINUTE // width
        for part in chunks(touched.signals, numbers, _BUCKETS_AT_ONCE):
            within = ranges_of(np.unique(numbers[part]), width)
            parts = self.store.read(source, np.unique(touched.signals[part]).tolist(), within)
            rollups = self._folded(parts, width)
            self.store.write(target, rollups)
            starts = numbers[part] * width
            _, once = np.unique(_key(touched.signals[part], starts), return_index=True)
            written = [_key(rollups.signals, rollups.starts)]
            self._empty(target, touched.signals[part][once], starts[once], written)
            if self._stopped.is_set():
                return

    def _folded(self, atoms: Rollups, width: int) -> Rollups:
        return fold(atoms, width, self.traits.gaps(atoms.signals), self.traits.stateful(atoms.signals))


def _key(signals: UInt32Array, starts: Int64Array) -> Int64Array:
    """int64[n] that tells buckets of signals apart."""
    found: Int64Array = (signals.astype(np.int64) << 40) + starts // MINUTE
    return found


def _kept(signals: UInt32Array, times: Int64Array, gone: Mapping[int, int]) -> NDArray[np.bool_]:
    """bool[n]: raw rows of that time are still all there."""
    if not gone:
        return np.ones(len(signals), np.bool_)
    limits = np.full(int(signals.max(initial=0)) + 1, -FOREVER, np.int64)
    for signal, time_ in gone.items():
        if signal < len(limits):
            limits[signal] = time_
    return times >= limits[signals]


def chunks(signals: UInt32Array, numbers: Int64Array, largest: int) -> Iterator[Int64Array]:
    """Rows (signal, bucket) in parts, oldest first.

    All signals of a part over all its buckets are at most `largest`, unless it is one bucket, and at most four times
    what was asked for: little is read that was not touched.
    """
    order = np.argsort(numbers, kind="stable")
    cuts = np.flatnonzero(np.diff(numbers[order])) + 1
    waiting: list[Int64Array] = []
    union: set[int] = set()
    pairs = 0
    for bucket in np.split(order, cuts) if len(order) else []:
        own = set(signals[bucket].tolist())
        both, count = union | own, len(waiting) + 1
        if waiting and (len(both) * count > largest or len(both) * count > 4 * (pairs + len(own))):
            yield np.concatenate(waiting)
            waiting, both, pairs = [], own, 0
        waiting.append(bucket)
        union, pairs = both, pairs + len(own)
    if waiting:
        yield np.concatenate(waiting)

"""What a historian is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lineshaft.analytics.buckets import Buckets
from lineshaft.model.samples import (
    Float64Array,
    Int64Array,
    SampleBatch,
    TextArray,
    UInt8Array,
    UInt32Array,
)
from lineshaft.model.waveforms import Waveform

Level = Literal["minute", "hour", "day"]
"""Of roll-ups."""
OTHERS: Final = "…"
"""Stands for states of a stretch of time that are not named."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One signal over a range, in time order.

    'raw'      stored rows, or of a state those at which it changes
    'minmax'   each bucket gives its first extreme and its second, so that the columns draw as one line that keeps every
               extreme
    'states'   each entry stands for the time up to the next one: the state that lasted longest, and in `states`
               every one that occurred, with its microseconds (OTHERS: the rest of more than twenty). What their sum is
               short of is unknown. The last entry is the last row, and rows that come later go on from there
    """

    signal: int
    mode: Literal["raw", "minmax", "states"]
    times: Int64Array
    values: Float64Array
    qualities: UInt8Array
    texts: TextArray | None = None
    states: TextArray | None = None
    """object[n] of dict[str, int] | None, only in mode 'states'; None where the entry is a row."""


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Stored rows per signal in a range, with the first and last time (UTC microseconds)."""

    signals: UInt32Array
    rows: Int64Array
    first: Int64Array
    last: Int64Array


@dataclass(frozen=True, slots=True)
class StoredWave:
    """A stored burst without its samples. `have` of `total` samples are there: fewer are half a waveform."""

    signal: int
    time: int  # UTC microseconds of the first sample
    rate: float  # Hz
    speed: float | None  # 1/min
    total: int
    have: int
    rms: float  # in the signal's unit
    quality: int

    @property
    def whole(self) -> bool:
        """Every sample is there."""
        return self.have == self.total


class Historian(Protocol):
    """Thread-safe; every call may block, so the event loop calls it in a thread.

    Raises StoreUnavailable when the engine does not answer.
    """

    def open(self) -> None:
        """Make or upgrade the tables."""
        ...

    def append(self, batch: SampleBatch, token: str) -> None:
        """Store rows and their bursts; durable when it returns. The same token again stores nothing a second time."""
        ...

    def stored(self, batch: SampleBatch, any_quality: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """bool[n]: a row with this signal, time, value, quality and text is stored; where `any_quality`, its quality
        may be another one."""
        ...

    def mend(self, batch: SampleBatch) -> None:
        """Make sure that newest values, roll-ups and listeners know of these rows, which are stored already: their
        append was cut off."""
        ...

    def waveforms(self, signals: Sequence[int], start: int, end: int, limit: int) -> list[StoredWave]:
        """Bursts that begin in start <= time < end, at most `limit`, spread evenly over them where there are more."""
        ...

    def bursts(self, signal: int, times: Sequence[int]) -> dict[int, Waveform]:
        """The bursts of a signal that begin at these times, by time; of half a one what is there, of none nothing."""
        ...

    def read(
        self, signals: Sequence[int], start: int, end: int, *, points: int | None = None, before: bool = True
    ) -> list[Series]:
        """Rows with start <= time < end (UTC microseconds), one Series per asked signal in the asked order.

        points: wanted width in pixels; more raw rows than that are reduced by min/max. State and text signals keep
        every change up to `points`; where there are more, they come in mode 'states'. None: every raw row.
        before: also give the last row before `start`, so that a line or a state enters from the left.
        """
        ...

    def aggregate(
        self, signals: Sequence[int], edges: Int64Array, *, until: int | None = None, gap: int | None = None
    ) -> list[Buckets]:
        """Aggregates of edges[i] <= time < edges[i + 1] (UTC microseconds, ascending), one per asked signal.

        until: the newest value is held up to here, usually now. gap: longest time that a value is held, microseconds;
        None: what the signal's class says. Committed rows count at once, however late they came.
        """
        ...

    def latest(self, signals: Sequence[int] | None = None) -> SampleBatch:
        """The row with the greatest time of each signal (all signals when None)."""
        ...

    def rows(self, signals: Sequence[int], start: int, end: int) -> Iterator[pa.RecordBatch]:
        """Every raw row as Arrow (signal, time, value, text, quality), by signal and time, streamed."""
        ...

    def counts(self, signals: Sequence[int] | None = None, start: int | None = None, end: int | None = None) -> Counts:
        """How many rows are stored."""
        ...

    def delete_before(self, time: int, signals: Sequence[int] | None = None) -> None:
        """Retention: remove rows older than `time`. Roll-ups of them stay."""
        ...

    def retract(self, signals: Sequence[int], after: int) -> None:
        """Remove rows later than `after`, because they will be computed anew; roll-ups and latest values follow."""
        ...

    def forget_rollups(self, level: Level, time: int, signals: Sequence[int] | None = None) -> None:
        """Retention: remove roll-ups of buckets that start before `time`."""
        ...

    def size_bytes(self) -> int:
        """Bytes on disk of all stored rows."""
        ...

    def close(self) -> None:
        """Release the engine."""
        ...

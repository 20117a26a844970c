"""What a step is: a function over a batch with its own small state, that reads no clock and does no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from lineshaft.model.samples import (
    GOOD_CLASS,
    Float64Array,
    Int64Array,
    Quality,
    SampleBatch,
    UInt8Array,
    UInt32Array,
)


@dataclass(frozen=True, slots=True)
class Stuck:
    """Seconds without a change beyond `tolerance`, while the handle `running` is above `above` (-1: always)."""

    after: float
    tolerance: float = 0.0
    running: int = -1
    above: float = 0.0


@dataclass(frozen=True, slots=True)
class Drift:
    """Seconds of smoothing; largest difference to the handle `reference`; largest slope in unit/h; inf for none."""

    over: float
    reference: int = -1
    tolerance: float = np.inf
    trend: float = np.inf


@dataclass(frozen=True, slots=True)
class Swapped:
    """The normal band, and (factor, offset) from each unit that the value may be taken for."""

    low: float
    high: float
    conversions: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class SignalSteps:
    """Steps that only a few signals have.

    mapping     raw number or text -> number or word
    max_rate    unit per second; inf for none
    spike       distance from the median; inf for none
    clock_skew  microseconds; 0 for none
    door        True: swinging door instead of the deadband
    """

    mapping: Mapping[str, float | str] = field(default_factory=dict)
    max_rate: float = np.inf
    spike: float = np.inf
    stuck: Stuck | None = None
    drift: Drift | None = None
    swapped: Swapped | None = None
    clock_skew: int = 0
    door: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class SignalTable:
    """What the steps need to know of each signal, in columns looked up by handle.

    scale, offset  value = raw * scale + offset
    low, high      what the sensor can measure; -inf and inf where unknown
    deadband       in the signal's unit; 0: every change counts
    heartbeat      microseconds; the largest int64 for none
    report_all     True: report by exception does not apply
    texts          whether rows may carry text: 0 no, DIGITS exact digits of a 64 bit number, TEXT text
    more           handle -> what only a few signals have
    """

    DIGITS: ClassVar[int] = 1
    TEXT: ClassVar[int] = 2

    scale: Float64Array
    offset: Float64Array
    low: Float64Array
    high: Float64Array
    deadband: Float64Array
    heartbeat: Int64Array
    report_all: NDArray[np.bool_]
    texts: UInt8Array
    more: Mapping[int, SignalSteps] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.scale)


@dataclass(slots=True)
class StepCount:
    """Rows that went into a step, came out, and were changed by it. What did not come out was dropped on purpose.

    `changed_of` and `dropped_of` say the same for each handle.
    """

    name: str
    size: int = 0
    rows_in: int = 0
    rows_out: int = 0
    changed: int = 0
    changed_of: Int64Array = field(init=False)
    dropped_of: Int64Array = field(init=False)

    def __post_init__(self) -> None:
        self.changed_of = np.zeros(self.size, np.int64)
        self.dropped_of = np.zeros(self.size, np.int64)

    @property
    def dropped(self) -> int:
        """Rows that the step held back."""
        return self.rows_in - self.rows_out

    def through(self, rows: int) -> None:
        """Count rows of which none was dropped."""
        self.rows_in += rows
        self.rows_out += rows

    def change(self, signals: UInt32Array) -> None:
        """Count one changed row for each handle."""
        self.changed += len(signals)
        np.add.at(self.changed_of, signals, 1)

    def drop(self, signals: UInt32Array, rows: int = 1) -> None:
        """Count one dropped row for each handle; -1 for one that was held back and goes on after all."""
        np.add.at(self.dropped_of, signals, rows)


class Step(Protocol):
    """One step of the pipeline."""

    count: StepCount

    def update(self, batch: SampleBatch) -> SampleBatch:
        """Called with each batch in the order of observation; `batch.signals` are handles of the table.

        A signal may have any number of rows in a batch. Returns what goes on, in the same order; the given
        batch is not changed in place.
        """
        ...


@dataclass(slots=True)
class Uniqueness:
    """Finds out quickly whether every signal of a batch has only one row."""

    size: int
    _marks: Int64Array = field(init=False)

    def __post_init__(self) -> None:
        self._marks = np.zeros(self.size, np.int64)

    def __call__(self, signals: UInt32Array) -> bool:
        """True when no handle is repeated."""
        if len(signals) < 2 or bool((signals[1:] > signals[:-1]).all()):
            return True
        rows = np.arange(len(signals))
        self._marks[signals] = rows
        return bool((self._marks[signals] == rows).all())


def rounds(signals: NDArray[Any]) -> Iterator[NDArray[np.int64]]:
    """Row numbers in rounds: first every signal's first row, then every second one, and so on.

    In one round no signal comes twice, so that a round can be decided at once. The rows of a round ascend.
    """
    n = len(signals)
    if n < 2 or bool((signals[1:] > signals[:-1]).all()):
        yield np.arange(n)
        return
    order = np.argsort(signals, kind="stable")
    ordered = signals[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    rank = np.arange(n) - np.repeat(starts, np.diff(np.concatenate((starts, [n]))))
    by_round = order[np.argsort(rank, kind="stable")]
    done = 0
    for size in np.bincount(rank).tolist():
        yield np.sort(by_round[done : done + size])
        done += size


def lowered(batch: SampleBatch, where: NDArray[np.bool_], quality: Quality, count: StepCount) -> SampleBatch:
    """The batch with a lower quality where a row was good; counts them."""
    where = where & ((batch.qualities & GOOD_CLASS) == GOOD_CLASS)
    if not where.any():
        return batch
    count.change(batch.signals[where])
    qualities = np.where(where, np.uint8(quality), batch.qualities)
    return SampleBatch(batch.signals, batch.times, batch.values, qualities, batch.texts)

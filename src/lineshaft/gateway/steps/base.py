"""What a step is: a function over a batch with its own small state, that reads no clock and does no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from lineshaft.model.samples import Float64Array, Int64Array, SampleBatch, UInt8Array, UInt32Array


@dataclass(frozen=True, slots=True, eq=False)
class SignalTable:
    """What the steps need to know of each signal, in columns looked up by handle.

    scale, offset  value = raw * scale + offset
    low, high      what the sensor can measure; -inf and inf where unknown
    deadband       in the signal's unit; 0: every change counts
    heartbeat      microseconds; the largest int64 for none
    report_all     True: report by exception does not apply
    texts          whether rows may carry text: 0 no, DIGITS exact digits of a 64 bit number, TEXT text
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

    def __len__(self) -> int:
        return len(self.scale)


@dataclass(slots=True)
class StepCount:
    """Rows that went into a step, came out, and were changed by it. What did not come out was dropped on purpose."""

    name: str
    rows_in: int = 0
    rows_out: int = 0
    changed: int = 0

    @property
    def dropped(self) -> int:
        """Rows that the step held back."""
        return self.rows_in - self.rows_out


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

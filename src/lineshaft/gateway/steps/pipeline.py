"""All steps in their order, and the rows that say that a device is gone."""

from __future__ import annotations

import numpy as np

from lineshaft.gateway.steps.base import SignalTable, Step, StepCount
from lineshaft.gateway.steps.checks import Range, Scale, SourceClock, Types
from lineshaft.gateway.steps.exceptions import ReportByException
from lineshaft.model.samples import Quality, SampleBatch, UInt32Array


class Pipeline:
    """The edge pipeline of one gateway, for all its devices."""

    def __init__(self, table: SignalTable) -> None:
        self.types = Types(table)
        self._exceptions = ReportByException(table)
        self._steps: tuple[Step, ...] = (
            self.types,
            Scale(table),
            Range(table),
            SourceClock(table),
            self._exceptions,
        )

    def update(self, batch: SampleBatch) -> SampleBatch:
        """What of `batch` goes on, converted and judged."""
        for step in self._steps:
            batch = step.update(batch)
        return batch

    def lost(self, handles: UInt32Array, now: int) -> SampleBatch:
        """One row at `now` (UTC microseconds) for each handle whose device is gone.

        The last value as STALE, BAD_COMMUNICATION where there never was one; nothing for a handle that already
        has such a row.
        """
        last = self._exceptions.last(handles)
        never = last.times == 0
        quality = np.where(never, np.uint8(Quality.BAD_COMMUNICATION), np.uint8(Quality.STALE))
        gone = (last.qualities == Quality.STALE) | (last.qualities == Quality.BAD_COMMUNICATION)
        rows = SampleBatch(handles, np.full(len(handles), now, np.int64), last.values, quality, last.texts)
        return self._exceptions.update(rows.take(~gone))

    def last(self, handles: UInt32Array) -> SampleBatch:
        """The last reported row of each handle; time 0, NaN and BAD_NO_VALUE where there is none."""
        return self._exceptions.last(handles)

    def counts(self) -> tuple[StepCount, ...]:
        """Rows in, out and changed of each step."""
        return tuple(step.count for step in self._steps)

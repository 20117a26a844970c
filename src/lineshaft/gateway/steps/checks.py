"""Steps that convert or judge each row by itself: types, scale, range and the source's clock."""

from __future__ import annotations

from typing import Final

import numpy as np

from lineshaft.gateway.steps.base import SignalTable, StepCount, Uniqueness, lowered
from lineshaft.model.samples import Int64Array, Quality, SampleBatch

EARLIEST_US: Final = 946_684_800_000_000
"""2000-01-01: an older time comes from a device whose clock was never set."""


class Types:
    """Text where the plan says number is a bad value; a number where it says text becomes text.

    Exact digits beside a number are no text; they go where the signal is not announced as a 64 bit number.
    """

    def __init__(self, table: SignalTable) -> None:
        self.count = StepCount("types", len(table))
        self._texts = table.texts
        self._any_text = bool((table.texts == SignalTable.TEXT).any())
        self.mistyped: set[int] = set()
        """Handles whose device gave text for a number."""

    def update(self, batch: SampleBatch) -> SampleBatch:
        """Leaves numeric batches as they are."""
        self.count.through(len(batch))
        if batch.texts is None and not self._any_text:
            return batch
        rule = self._texts[batch.signals]
        has_text = batch.is_text()
        no_number = np.isnan(batch.values)
        foreign = has_text & (rule == 0)
        wrong = foreign & no_number
        number = ~has_text & (rule == SignalTable.TEXT) & ~no_number
        if not (foreign.any() or number.any()):
            return batch
        texts = np.full(len(batch), None, object) if batch.texts is None else batch.texts.copy()
        values, qualities = batch.values.copy(), batch.qualities.copy()
        texts[foreign] = None
        qualities[wrong] = Quality.BAD_DEVICE
        for row in np.flatnonzero(number):
            texts[row] = f"{values[row]:.15g}"
        values[wrong | number] = np.nan
        self.mistyped.update(batch.signals[wrong].tolist())
        self.count.change(batch.signals[wrong | number])
        return SampleBatch(batch.signals, batch.times, values, qualities, texts)


class Scale:
    """value = raw * scale + offset."""

    def __init__(self, table: SignalTable) -> None:
        self.count = StepCount("scale", len(table))
        self._scale, self._offset = table.scale, table.offset
        self._plain = (table.scale == 1.0) & (table.offset == 0.0)
        self._nothing = bool(self._plain.all())

    def update(self, batch: SampleBatch) -> SampleBatch:
        """Exact digits of 64 bit numbers go when the number is scaled."""
        n = len(batch)
        self.count.through(n)
        if self._nothing:
            return batch
        signals, texts = batch.signals, batch.texts
        values = batch.values * self._scale[signals] + self._offset[signals]
        if texts is not None:
            touched = ~self._plain[signals] & ~np.isnan(batch.values)
            texts = texts.copy()
            texts[touched] = None
        self.count.change(signals[~self._plain[signals]])
        return SampleBatch(signals, batch.times, values, batch.qualities, texts)


class Range:
    """A good value outside of what the sensor can measure becomes uncertain."""

    def __init__(self, table: SignalTable) -> None:
        self.count = StepCount("range", len(table))
        self._low, self._high = table.low, table.high
        self._nothing = bool(np.isinf(table.low).all() and np.isinf(table.high).all())

    def update(self, batch: SampleBatch) -> SampleBatch:
        """NaN is outside of nothing."""
        n = len(batch)
        self.count.through(n)
        if self._nothing:
            return batch
        values, signals = batch.values, batch.signals
        outside = (values < self._low[signals]) | (values > self._high[signals])
        if not outside.any():
            return batch
        return lowered(batch, outside, Quality.UNCERTAIN_RANGE, self.count)


class SourceClock:
    """A row older than the one before it, or than the year 2000, is marked; its time stays.

    A good value becomes UNCERTAIN_CLOCK; a row without a value (a block of UNAVAILABLE that another clock stamped
    at a reconnect) becomes BAD_CLOCK.
    """

    def __init__(self, table: SignalTable) -> None:
        self.count = StepCount("clock", len(table))
        self._last: Int64Array = np.full(len(table), np.iinfo(np.int64).min, np.int64)
        self._unique = Uniqueness(len(table))

    def update(self, batch: SampleBatch) -> SampleBatch:
        """Compares with the previous row of the same signal, in this batch or an earlier one."""
        n = len(batch)
        self.count.through(n)
        signals, times = batch.signals, batch.times
        if self._unique(signals):
            before = self._last[signals]
            self._last[signals] = times
        else:
            order = np.argsort(signals, kind="stable")
            by_signal, by_time = signals[order], times[order]
            first = np.concatenate(([True], by_signal[1:] != by_signal[:-1]))
            shifted = np.concatenate((by_time[:1], by_time[:-1]))
            before = np.empty(n, np.int64)
            before[order] = np.where(first, self._last[by_signal], shifted)
            last = np.concatenate((first[1:], [True]))
            self._last[by_signal[last]] = by_time[last]
        back = (times < before) | (times < EARLIEST_US)
        if not back.any():
            return batch
        empty = back & (batch.qualities == Quality.BAD_NO_VALUE)
        if empty.any():
            self.count.change(signals[empty])
            qualities = np.where(empty, np.uint8(Quality.BAD_CLOCK), batch.qualities)
            batch = SampleBatch(signals, times, batch.values, qualities, batch.texts)
        return lowered(batch, back, Quality.UNCERTAIN_CLOCK, self.count)

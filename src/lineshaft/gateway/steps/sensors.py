"""Sensor checks: what a broken, drifting or mistaken sensor shows becomes uncertain; the value always goes on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lineshaft.gateway.steps.base import SignalSteps, SignalTable, StepCount, lowered, rounds
from lineshaft.model.samples import CLASS_MASK, Float64Array, Int64Array, Quality, SampleBatch

_US: Final = 1e6
_HOUR: Final = 3600.0
_MEDIAN_OF: Final = 5
_NEAR: Final = 0.1
"""How near to the last good value a swapped one must be, as a part of the normal band."""
_LATE: Final = 10
"""So many late rows on end mean a clock that is behind, not a message that came late."""

Slots = NDArray[np.int64]
Flags = NDArray[np.bool_]


class SensorCheck(ABC):
    """One check for the signals that have it; `_judge` sees each of them at most once.

    Only rows with a finite number that are not bad are judged. State is kept per slot: 0, 1 ... for those signals.
    """

    quality = Quality.UNCERTAIN_SENSOR

    def __init__(self, name: str, table: SignalTable) -> None:
        self.count = StepCount(name, len(table))
        chosen = [handle for handle, more in sorted(table.more.items()) if self.wanted(more)]
        self.rules = [table.more[handle] for handle in chosen]
        self._slot: Slots = np.full(len(table), -1, np.int64)
        self._slot[chosen] = np.arange(len(chosen))

    @staticmethod
    @abstractmethod
    def wanted(more: SignalSteps) -> bool:
        """Whether a signal has this check."""

    @abstractmethod
    def _judge(self, slots: Slots, times: Int64Array, values: Float64Array) -> Flags:
        """bool per row: not to be trusted. Keeps what it needs for the next rows."""

    def update(self, batch: SampleBatch) -> SampleBatch:
        """Lowers the quality of good rows."""
        self.count.through(len(batch))
        if not self.rules:
            return batch
        slots = self._slot[batch.signals]
        usable = (slots >= 0) & np.isfinite(batch.values) & (batch.qualities & CLASS_MASK != 0)
        rows = np.flatnonzero(usable)
        if len(rows) == 0:
            return batch
        wrong = np.zeros(len(batch), np.bool_)
        for part in rounds(slots[rows]):
            chosen = rows[part]
            wrong[chosen] = self._judge(slots[chosen], batch.times[chosen], batch.values[chosen])
        return lowered(batch, wrong, self.quality, self.count)


class MaxRate(SensorCheck):
    """A value that is further from the one before than its source can move in that time."""

    def __init__(self, table: SignalTable) -> None:
        super().__init__("rate", table)
        self._limit = np.array([more.max_rate for more in self.rules])
        self._times = np.zeros(len(self.rules), np.int64)
        self._values = np.full(len(self.rules), np.nan)

    @staticmethod
    def wanted(more: SignalSteps) -> bool:
        """See SensorCheck."""
        return bool(np.isfinite(more.max_rate))

    def _judge(self, slots: Slots, times: Int64Array, values: Float64Array) -> Flags:
        seconds = (times - self._times[slots]) / _US
        far = np.abs(values - self._values[slots])  # NaN before the first one
        newer = seconds > 0
        wrong: Flags = newer & (far > self._limit[slots] * seconds * (1 + 1e-9))
        self._times[slots[newer]], self._values[slots[newer]] = times[newer], values[newer]
        return wrong


class Spike(SensorCheck):
    """A value far from the median of itself and the four before; a step that stays passes after two."""

    def __init__(self, table: SignalTable) -> None:
        super().__init__("spike", table)
        self._limit = np.array([more.spike for more in self.rules])
        self._last = np.full((len(self.rules), _MEDIAN_OF), np.nan)
        self._at = np.zeros(len(self.rules), np.int64)

    @staticmethod
    def wanted(more: SignalSteps) -> bool:
        """See SensorCheck."""
        return bool(np.isfinite(more.spike))

    def _judge(self, slots: Slots, times: Int64Array, values: Float64Array) -> Flags:
        self._last[slots, self._at[slots] % _MEDIAN_OF] = values
        self._at[slots] += 1
        known = self._at[slots] >= _MEDIAN_OF
        middle = np.sort(self._last[slots], axis=1)[:, _MEDIAN_OF // 2]  # NaN come last, and then `known` is False
        wrong: Flags = known & (np.abs(values - middle) > self._limit[slots])
        return wrong


class _References:
    """The last value of signals that others are compared with."""

    def __init__(self, size: int, handles: list[int]) -> None:
        self.handles = np.array(handles, np.int64)
        self.values = np.full(size, np.nan)
        self._wanted = np.zeros(size, np.bool_)
        self._wanted[[handle for handle in handles if handle >= 0]] = True
        self._any = bool(self._wanted.any())

    def update(self, batch: SampleBatch) -> None:
        if self._any:
            rows = self._wanted[batch.signals]
            good = batch.qualities[rows] & CLASS_MASK != 0
            self.values[batch.signals[rows]] = np.where(good, batch.values[rows], np.nan)


class StuckSensor(SensorCheck):
    """No change beyond the tolerance for longer than the limit, while another signal says that it should move."""

    def __init__(self, table: SignalTable) -> None:
        super().__init__("stuck", table)
        rules = [more.stuck for more in self.rules if more.stuck is not None]
        self._after = np.array([rule.after * _US for rule in rules])
        self._tolerance = np.array([rule.tolerance for rule in rules])
        self._above = np.array([rule.above for rule in rules])
        self._running = _References(len(table), [rule.running for rule in rules])
        self._value = np.full(len(rules), np.nan)
        self._since = np.zeros(len(rules), np.int64)

    @staticmethod
    def wanted(more: SignalSteps) -> bool:
        """See SensorCheck."""
        return more.stuck is not None

    def update(self, batch: SampleBatch) -> SampleBatch:
        """See SensorCheck."""
        self._running.update(batch)
        return super().update(batch)

    def _judge(self, slots: Slots, times: Int64Array, values: Float64Array) -> Flags:
        handles = self._running.handles[slots]
        should = (handles < 0) | (self._running.values[handles] > self._above[slots])
        still = np.abs(values - self._value[slots]) <= self._tolerance[slots]
        moved = slots[~still]
        self._value[moved] = values[~still]
        anew = ~(still & should)
        self._since[slots[anew]] = times[anew]
        wrong: Flags = times - self._since[slots] > self._after[slots]
        return wrong


class DriftingSensor(SensorCheck):
    """Smoothed over its time constant, the value leaves its reference or climbs faster than it can."""

    def __init__(self, table: SignalTable) -> None:
        super().__init__("drift", table)
        rules = [more.drift for more in self.rules if more.drift is not None]
        n = len(rules)
        self._over = np.array([rule.over for rule in rules])
        self._tolerance = np.array([rule.tolerance for rule in rules])
        self._trend = np.array([rule.trend / _HOUR for rule in rules])
        self._reference = _References(len(table), [rule.reference for rule in rules])
        self._since = np.full(n, -1, np.int64)
        self._time = np.zeros(n, np.int64)
        self._fast, self._slow = np.zeros(n), np.zeros(n)
        self._gap = np.full(n, np.nan)

    @staticmethod
    def wanted(more: SignalSteps) -> bool:
        """See SensorCheck."""
        return more.drift is not None

    def update(self, batch: SampleBatch) -> SampleBatch:
        """See SensorCheck."""
        self._reference.update(batch)
        return super().update(batch)

    def _judge(self, slots: Slots, times: Int64Array, values: Float64Array) -> Flags:
        first = self._since[slots] < 0
        new = slots[first]
        self._since[new] = self._time[new] = times[first]
        self._fast[new] = self._slow[new] = values[first]
        over = self._over[slots]
        seconds = np.maximum(times - self._time[slots], 0) / _US
        self._time[slots] = np.maximum(times, self._time[slots])
        fast, slow = _weight(seconds, over / 2), _weight(seconds, over)
        self._fast[slots] += fast * (values - self._fast[slots])
        self._slow[slots] += slow * (values - self._slow[slots])
        # of a straight line the two averages lag by their time constants, so their distance is its slope
        slope = np.abs(self._fast[slots] - self._slow[slots]) / (over / 2)
        far = self._distance(slots, slow, values)
        seen = times - self._since[slots] >= over * _US
        wrong: Flags = seen & ((far > self._tolerance[slots]) | (slope > self._trend[slots]))
        return wrong

    def _distance(self, slots: Slots, weight: Float64Array, values: Float64Array) -> Float64Array:
        gap = values - self._reference.values[self._reference.handles[slots]]
        before = self._gap[slots]
        begun = np.where(np.isnan(before), gap, before + weight * (gap - before))
        self._gap[slots] = np.where(np.isnan(gap), before, begun)
        distance: Float64Array = np.abs(self._gap[slots])
        return distance


def _weight(seconds: Float64Array, constant: Float64Array) -> Float64Array:
    weight: Float64Array = -np.expm1(-seconds / constant)
    return weight


class SwappedUnit(SensorCheck):
    """The value leaves its normal band, but taken in another unit it goes on where the last good one was."""

    def __init__(self, table: SignalTable) -> None:
        super().__init__("unit", table)
        rules = [more.swapped for more in self.rules if more.swapped is not None]
        most = max((len(rule.conversions) for rule in rules), default=0)
        self._low = np.array([rule.low for rule in rules])
        self._high = np.array([rule.high for rule in rules])
        self._factor = np.full((len(rules), most), np.nan)
        self._offset = np.zeros((len(rules), most))
        for slot, rule in enumerate(rules):
            for column, (factor, offset) in enumerate(rule.conversions):
                self._factor[slot, column], self._offset[slot, column] = factor, offset
        self._last = np.full(len(rules), np.nan)

    @staticmethod
    def wanted(more: SignalSteps) -> bool:
        """See SensorCheck."""
        return more.swapped is not None

    def _judge(self, slots: Slots, times: Int64Array, values: Float64Array) -> Flags:
        low, high, last = self._low[slots], self._high[slots], self._last[slots]
        normal = (values >= low) & (values <= high)
        meant = values[:, None] * self._factor[slots] + self._offset[slots]
        fits = (meant >= low[:, None]) & (meant <= high[:, None])
        near = np.abs(meant - last[:, None]) <= _NEAR * (high - low)[:, None]
        fits &= near | np.isnan(last)[:, None]
        wrong: Flags = ~normal & fits.any(axis=1)
        taken = np.take_along_axis(meant, fits.argmax(axis=1)[:, None], axis=1)[:, 0] if meant.size else values
        self._last[slots] = np.where(wrong, taken, values)
        return wrong


class SkewedClock:
    """The source's time is ahead of the gateway's, or row after row behind it, by more than the limit."""

    def __init__(self, table: SignalTable) -> None:
        self.count = StepCount("skew", len(table))
        self._limit = np.zeros(len(table), np.int64)
        for handle, more in table.more.items():
            self._limit[handle] = more.clock_skew
        self._any = bool(self._limit.any())
        self._late = np.zeros(len(table), np.int64)

    def update(self, batch: SampleBatch, arrived: int | None) -> SampleBatch:
        """`arrived`: UTC microseconds at which the gateway got the batch; None when it is not live."""
        self.count.through(len(batch))
        if not self._any or arrived is None:
            return batch
        rows = np.flatnonzero(self._limit[batch.signals])
        skewed = np.zeros(len(batch), np.bool_)
        for part in rounds(batch.signals[rows]):
            chosen = rows[part]
            signals = batch.signals[chosen]
            delay = arrived - batch.times[chosen]
            limit = self._limit[signals]
            self._late[signals] = np.where(delay > limit, self._late[signals] + 1, 0)
            skewed[chosen] = (delay < -limit) | (self._late[signals] >= _LATE)
        return lowered(batch, skewed, Quality.UNCERTAIN_CLOCK, self.count)

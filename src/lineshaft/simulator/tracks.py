"""Tracks: values that hold from one exact instant to the next, such as states, serial numbers and test results."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import numpy as np

from lineshaft.model.samples import Float64Array, Int64Array, TextArray


class Track:
    """Instants (UTC microseconds, ascending) and the value from each on. Values are numbers or texts, never mixed."""

    def __init__(self, start: int, value: float | str) -> None:
        self._times: list[int] = [start]
        self._values: list[Any] = [value]
        self._columns: tuple[Int64Array, Float64Array | TextArray] | None = None

    @property
    def is_text(self) -> bool:
        """True when the values are texts."""
        return isinstance(self._values[-1], str)

    @property
    def last(self) -> Any:
        """The value from the last entry on."""
        return self._values[-1]

    def add(self, time: int, value: float | str) -> None:
        """From `time` on the value is `value`; an equal value adds nothing. `time` is not before the last entry."""
        if time <= self._times[-1]:
            self._values[-1] = value
            if len(self._values) > 1 and self._values[-2] == value:
                del self._times[-1], self._values[-1]
        elif value != self._values[-1]:
            self._times.append(time)
            self._values.append(value)
        self._columns = None

    def insert(self, time: int, value: float | str) -> None:
        """Put a change between entries that are known already."""
        at = bisect_right(self._times, time)
        self._times.insert(at, time)
        self._values.insert(at, value)
        self._columns = None

    def replace_after(self, time: int, old: float | str, new: float | str) -> None:
        """Change every entry later than `time` that has the value `old`."""
        for index in range(bisect_right(self._times, time), len(self._times)):
            if self._values[index] == old:
                self._values[index] = new
        self._columns = None

    def value_at(self, time: int) -> Any:
        """The value at one instant."""
        return self._values[max(0, bisect_right(self._times, time) - 1)]

    def _arrays(self) -> tuple[Int64Array, Float64Array | TextArray]:
        if self._columns is None:
            values = np.empty(len(self._values), object if self.is_text else np.float64)
            values[:] = self._values
            self._columns = np.asarray(self._times, np.int64), values
        return self._columns

    def at(self, times: Int64Array) -> Any:
        """float64[n] or object[n]: the value at each instant."""
        if len(times) == 1:
            value = self.value_at(int(times[0]))
            return np.array([value], object if self.is_text else np.float64)
        starts, values = self._arrays()
        return values[np.maximum(np.searchsorted(starts, times, side="right") - 1, 0)]

    def changes(self, after: int, until: int) -> tuple[Int64Array, Any]:
        """Instants and values of the entries with after < time <= until."""
        low, high = bisect_right(self._times, after), bisect_right(self._times, until)
        starts, values = self._arrays()
        return starts[low:high], values[low:high]

    def since(self, time: int) -> int:
        """When the value that holds at `time` began."""
        return self._times[max(0, bisect_right(self._times, time) - 1)]

    def forget_before(self, time: int) -> None:
        """Drop entries that are over at `time`; the one that holds stays."""
        stale = bisect_right(self._times, time) - 1
        if stale > 0:
            del self._times[:stale]
            del self._values[:stale]
            self._columns = None

    def snapshot(self) -> list[Any]:
        """As JSON values."""
        return [list(self._times), list(self._values)]

    def restore(self, saved: list[Any]) -> None:
        """From `snapshot`."""
        self._times, self._values = list(saved[0]), list(saved[1])
        self._columns = None

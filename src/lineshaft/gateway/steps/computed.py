"""Computed signals: formulas over other signals, rates of counters, values of intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

import numpy as np

from lineshaft.config.expressions import Expression
from lineshaft.model.samples import CLASS_MASK, GOOD_CLASS, Int64Array, Quality, SampleBatch
from lineshaft.operators.aligned import Aligned

_US: Final = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """An expression over other handles."""

    handle: int
    expression: Expression
    inputs: tuple[tuple[str, int], ...]  # (name, handle)


@dataclass(frozen=True, slots=True)
class CounterRate:
    """Growth of the counter `of` in `per` seconds; `rollover` is 0 for none; `shortest` in microseconds."""

    handle: int
    of: int
    per: float
    rollover: float
    shortest: int


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One value of `of` for each interval; `interval` and `grace` in microseconds."""

    handle: int
    of: int
    function: Literal["mean", "min", "max", "last"]
    interval: int
    grace: int


Computation: TypeAlias = Formula | CounterRate | Aggregate


class _Part(Protocol):
    def update(self, batch: SampleBatch) -> SampleBatch | None: ...


class _FormulaPart:
    def __init__(self, rule: Formula) -> None:
        self._rule = rule
        self._aligned = Aligned(rule.inputs)

    def update(self, batch: SampleBatch) -> SampleBatch | None:
        """A row at each different time of the inputs, with the lowest of their qualities."""
        aligned = self._aligned.update(batch)
        if aligned is None:
            return None
        times, columns, worst = aligned
        values = self._rule.expression(columns, len(times))
        none = np.isnan(values) & (worst & CLASS_MASK != 0)
        return SampleBatch.of(
            np.full(len(times), self._rule.handle), times, values, np.where(none, Quality.BAD_NO_VALUE, worst)
        )


class _RatePart:
    def __init__(self, rule: CounterRate) -> None:
        self._rule = rule
        self._time, self._value = np.int64(0), np.nan
        self._quality = int(Quality.GOOD)

    def update(self, batch: SampleBatch) -> SampleBatch | None:
        """A row at each row of the counter that is long enough after the one before; a fall is a reset or a rollover.

        A reset gives no row: nobody knows what was counted before it.
        """
        at = np.flatnonzero(batch.signals == self._rule.of)
        usable = (batch.qualities[at] & CLASS_MASK != 0) & np.isfinite(batch.values[at])
        if not usable.all():
            gone = batch.take(at[~usable])
            bad = SampleBatch.of(np.full(len(gone), self._rule.handle), gone.times, np.nan, gone.qualities)
            at = at[usable]
        else:
            bad = SampleBatch.empty()
        if len(at) == 0:
            return bad if len(bad) else None
        chosen = self._chosen(batch.times[at])
        at = at[chosen]
        if len(at) == 0:
            return bad if len(bad) else None
        times = np.concatenate(([self._time], batch.times[at]))
        values = np.concatenate(([self._value], batch.values[at]))
        quality = np.concatenate(([self._quality], batch.qualities[at]))
        self._time, self._value, self._quality = times[-1], values[-1], int(quality[-1])
        growth = np.diff(values)
        if self._rule.rollover:
            # an honest rollover is a small step forward; half the counter's reach or more is a reset
            over = (growth < 0) & (growth + self._rule.rollover < self._rule.rollover / 2)
            growth = np.where(over, growth + self._rule.rollover, growth)
        seconds = np.diff(times) / _US
        known = growth >= 0  # False for NaN, the first row
        rates = growth[known] / seconds[known] * self._rule.per
        worst = np.minimum(quality[1:], quality[:-1])[known]
        made = SampleBatch.of(np.full(len(rates), self._rule.handle), batch.times[at][known], rates, worst)
        return _in_time(SampleBatch.concat((bad, made)))

    def _chosen(self, times: Int64Array) -> list[int]:
        """Rows that are newer than the one before by the shortest interval."""
        chosen, last = [], int(self._time) if not np.isnan(self._value) else None
        for row, time in enumerate(times.tolist()):
            if last is None or (time > last and time - last >= self._rule.shortest):
                chosen.append(row)
                last = time
        return chosen


def _in_time(batch: SampleBatch) -> SampleBatch:
    return batch.take(np.argsort(batch.times, kind="stable"))


class _AggregatePart:
    """Keeps the open intervals; what comes for a closed one is late, counted and left out."""

    def __init__(self, rule: Aggregate) -> None:
        self._rule = rule
        self._newest = np.iinfo(np.int64).min
        self._closed = np.iinfo(np.int64).min  # number of the first interval that may still be open
        self._open: dict[int, _Interval] = {}
        self.late = 0

    def update(self, batch: SampleBatch) -> SampleBatch | None:
        """A row at the start of each interval that a row of the signal has left behind by the grace."""
        at = np.flatnonzero(batch.signals == self._rule.of)
        if len(at) == 0:
            return None
        at = at[batch.qualities[at] != Quality.UNCERTAIN_CLOCK]  # their time says nothing
        times = batch.times[at]
        self._newest = max(self._newest, int(times.max(initial=self._newest)))
        usable = (batch.qualities[at] & CLASS_MASK != 0) & np.isfinite(batch.values[at])
        numbers = times // self._rule.interval
        late = usable & (numbers < self._closed)
        self.late += int(late.sum())
        rows = at[usable & ~late]
        groups = batch.times[rows] // self._rule.interval
        order = np.argsort(groups, kind="stable")
        cuts = np.flatnonzero(np.diff(groups[order])) + 1
        for part in np.split(order, cuts) if len(order) else ():
            interval = self._open.setdefault(int(groups[part[0]]), _Interval())
            interval.add(batch.take(rows[part]))
        done = (self._newest - self._rule.grace) // self._rule.interval
        self._closed = max(self._closed, done)
        ready = sorted(number for number in self._open if number < done)
        if not ready:
            return None
        closed = [self._open.pop(number) for number in ready]
        starts = np.array(ready, np.int64) * self._rule.interval
        values = [interval.value(self._rule.function) for interval in closed]
        qualities = [interval.quality for interval in closed]
        return SampleBatch.of(np.full(len(ready), self._rule.handle), starts, values, qualities)


class _Interval:
    """What is known of one interval: good rows count, uncertain ones only where there are no good ones."""

    def __init__(self) -> None:
        self.quality = int(Quality.BAD)
        self._sum, self._count = 0.0, 0
        self._min, self._max = np.inf, -np.inf
        self._last, self._last_time = np.nan, np.iinfo(np.int64).min

    def add(self, rows: SampleBatch) -> None:
        good = rows.qualities & GOOD_CLASS == GOOD_CLASS
        if good.any():
            if self.quality & GOOD_CLASS != GOOD_CLASS:
                self.__init__()  # type: ignore[misc]  # what was uncertain does not count any more
            rows = rows.take(good)
        elif self.quality & GOOD_CLASS == GOOD_CLASS:
            return
        self.quality = int(Quality.GOOD) if good.any() else int(Quality.UNCERTAIN)
        self._sum += float(rows.values.sum())
        self._count += len(rows)
        self._min, self._max = min(self._min, float(rows.values.min())), max(self._max, float(rows.values.max()))
        newest = len(rows) - 1 - int(rows.times[::-1].argmax())
        if rows.times[newest] >= self._last_time:
            self._last, self._last_time = float(rows.values[newest]), int(rows.times[newest])

    def value(self, function: str) -> float:
        if function == "mean":
            return self._sum / self._count
        return {"min": self._min, "max": self._max, "last": self._last}[function]


class Computed:
    """All computed signals of a gateway."""

    def __init__(self, computations: Sequence[Computation], size: int) -> None:
        self._parts: list[_Part] = []
        needs: list[list[int]] = []
        for rule in computations:
            match rule:
                case Formula():
                    self._parts.append(_FormulaPart(rule))
                    needs.append([handle for _, handle in rule.inputs])
                case CounterRate():
                    self._parts.append(_RatePart(rule))
                    needs.append([rule.of])
                case Aggregate():
                    self._parts.append(_AggregatePart(rule))
                    needs.append([rule.of])
        self._users = Users(needs, size)

    def update(self, batch: SampleBatch) -> SampleBatch:
        """Rows of the signals that are computed of signals in the batch."""
        users, rows = self._users(batch)
        parts = (self._parts[part].update(rows) for part in users)
        return SampleBatch.concat(part for part in parts if part is not None)

    @property
    def late(self) -> int:
        """Rows that came after their interval was closed."""
        return sum(part.late for part in self._parts if isinstance(part, _AggregatePart))


class Users:
    """Who needs which handle."""

    def __init__(self, needs: Sequence[Sequence[int]], size: int) -> None:
        self._of: dict[int, list[int]] = {}
        for user, handles in enumerate(needs):
            for handle in set(handles):
                self._of.setdefault(handle, []).append(user)
        self._needed = np.zeros(size, np.bool_)
        self._needed[list(self._of)] = True

    def __call__(self, batch: SampleBatch) -> tuple[list[int], SampleBatch]:
        """Numbers of the users that the batch concerns, ascending, and the rows that any of them needs."""
        if not self._of:
            return [], batch
        rows = batch.take(self._needed[batch.signals])
        return sorted({user for handle in np.unique(rows.signals).tolist() for user in self._of[handle]}), rows

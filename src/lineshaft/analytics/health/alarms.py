"""Stages of a health index, the date when it left normal, and limits learned from the lives of other machines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lineshaft.model.samples import Float64Array

STAGES: Final = ("normal", "watch", "alarm", "danger")


@dataclass(frozen=True, slots=True)
class Limits:
    """Where the stages begin, in the unit of the index, and how many rows in a row must be beyond."""

    watch: float
    alarm: float
    danger: float
    persistence: int = 3

    def __post_init__(self) -> None:
        if not 0 < self.watch <= self.alarm <= self.danger or self.persistence < 1:
            raise ValueError(f"limits ascend above 0 and persist for a row or more, not {self}")


@dataclass(frozen=True, slots=True)
class FleetRule:
    """An alarm learned from lives that ended: one feature and its limit.

    feature  column    limit  deviation from the machine's own healthy period, beyond which it is an alarm
    margin   distance of the highest healthy and the lowest failing value in the lives behind it (> 0: they part)
    """

    feature: int
    limit: float
    margin: float


def limits_of(smooth: Float64Array, *, persistence: int = 3) -> Limits:
    """Limits from the smoothed index of a healthy period: watch at its median + 6, alarm + 9, danger + 18 deviations.

    The deviation is the robust one of that index, at least a tenth of the median and 0.2. Raises ValueError without a
    known value.
    """
    known = smooth[np.isfinite(smooth)]
    if not len(known):
        raise ValueError("the healthy period has no known value of the index")
    median = float(np.median(known))
    spread = max(1.4826 * float(np.median(np.abs(known - median))), 0.1 * median, 0.2)
    return Limits(median + 6 * spread, median + 9 * spread, median + 18 * spread, persistence)


@dataclass(slots=True)
class StageTracker:
    """The stage of an index value by value: 0 normal, 1 watch, 2 alarm, 3 danger.

    A stage is reached after `persistence` values beyond its limit and left, one at a time, after as many below 0.8 of
    it; a value that is not known changes nothing.
    """

    limits: Limits
    stage: int = 0
    above: int = 0
    below: int = 0

    def update(self, value: float) -> int:
        """The stage after the next value."""
        if not math.isfinite(value):
            return self.stage
        bounds = (self.limits.watch, self.limits.alarm, self.limits.danger)
        wanted = sum(value > bound for bound in bounds)
        self.above = self.above + 1 if wanted > self.stage else 0
        self.below = self.below + 1 if self.stage and value < 0.8 * bounds[self.stage - 1] else 0
        if self.above >= self.limits.persistence:
            self.stage, self.above = wanted, 0
        elif self.below >= self.limits.persistence:
            self.stage, self.below = self.stage - 1, 0
        return self.stage


def stages(smooth: Float64Array, limits: Limits) -> NDArray[np.int8]:
    """int8[n]: the stage at each value of a smoothed index; see `StageTracker`."""
    tracker = StageTracker(limits)
    return np.array([tracker.update(float(value)) for value in smooth], np.int8)


def first_at(stage: NDArray[np.int8], least: int) -> int | None:
    """Row at which a stage is first reached; None when never."""
    found = np.flatnonzero(stage >= least)
    return int(found[0]) if len(found) else None


def left_normal(smooth: Float64Array, limits: Limits) -> int | None:
    """Row at which the index left normal for good: the start of the last stay above half of the watch limit that came
    to an alarm; None when no alarm was reached or it has come back since."""
    stage = stages(smooth, limits)
    if not len(stage) or stage[-1] < 1 or first_at(stage, 2) is None:
        return None
    known = np.flatnonzero(np.isfinite(smooth))
    calm = known[smooth[known] < 0.5 * limits.watch]
    return int(known[known > calm[-1]][0]) if len(calm) and (known > calm[-1]).any() else 0


def learn_fleet_rule(lives: Sequence[Float64Array], *, healthy: float = 0.5) -> FleetRule:
    """The alarm that comes earliest before the ends of these lives without a false one.

    lives: smoothed deviations float64[n, p] of machines that ran to failure, from their own healthy periods. healthy:
    the part of a life in which an alarm would be false. Of each feature the highest value in any healthy part and the
    lowest of all greatest values at the ends are compared; the limit stands two fifths of the way between them. The
    feature is taken that has both a wide margin there and a long shortest warning (its logarithm), by their product.
    Raises ValueError without a life.
    """
    if not lives:
        raise ValueError("no life to learn an alarm from")
    highest, lowest = [], []
    for life in lives:
        half = int(len(life) * healthy)
        highest.append(np.nanmax(life[:half], axis=0, initial=0.0))
        lowest.append(np.nanmax(life[half:], axis=0, initial=0.0))
    top, bottom = np.max(highest, axis=0), np.min(lowest, axis=0)
    rules = [
        FleetRule(j, float(top[j] + 0.4 * (bottom[j] - top[j])), float(bottom[j] - top[j])) for j in range(len(top))
    ]
    return max(
        rules, key=lambda rule: rule.margin * (np.log1p(_shortest_warning(lives, rule)) if rule.margin > 0 else 1)
    )


def _shortest_warning(lives: Sequence[Float64Array], rule: FleetRule) -> float:
    """Rows between the alarm and the end of the life that had the least warning; 0 where one had none."""
    alarms = [(len(life), first_beyond(life[:, rule.feature], rule.limit)) for life in lives]
    return rule.margin * math.log1p(min(0 if row is None else length - row for length, row in alarms))


def first_beyond(values: Float64Array, limit: float, persistence: int = 3) -> int | None:
    """Row of the first of `persistence` values in a row beyond the limit is confirmed; None when never."""
    run = 0
    for row, value in enumerate(values):
        run = run + 1 if value > limit else (run if np.isnan(value) else 0)
        if run >= persistence:
            return row
    return None

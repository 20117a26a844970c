"""The answer of every model of remaining life: three quantiles, or that it is too early to say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

UNDER_PLAN: Final = "under the plan that is given"
"""Said of an estimate that is in hours of a plan already."""


@dataclass(frozen=True, slots=True)
class RemainingLife:
    """Remaining life in the unit of the ages that went in (hours, seconds, cycles).

    p10, p50, p90  with 10, 50 and 90 % chance it has ended by then; NaN when it is too early to say
    point          the single number with the least relative error in the past; below p50, because being late costs more
    method         the model that spoke    words  why, or why not
    """

    p10: float
    p50: float
    p90: float
    method: str
    words: str
    point: float = math.nan

    @property
    def too_early(self) -> bool:
        """Whether no estimate is given."""
        return math.isnan(self.p50)


def too_early(method: str, words: str) -> RemainingLife:
    """The answer that there is no answer yet."""
    nan = float("nan")
    return RemainingLife(nan, nan, nan, method, words)


@dataclass(frozen=True, slots=True)
class Duty:
    """A stretch of a plan: its hours, and speed and load by those under which the estimate was made."""

    hours: float
    speed: float = 1.0
    load: float = 1.0


def wear(plan: Sequence[Duty], exponent: float = 3.0) -> float:
    """Hours of the present duty that a plan uses up: speed times load to the power of `exponent` (ISO 281)."""
    return sum(float(duty.hours * duty.speed * duty.load**exponent) for duty in plan)


def under_plan(hours: float, plan: Sequence[Duty], exponent: float = 3.0) -> float:
    """Hours of the plan until `hours` of the present duty are used up; infinite when the plan wears nothing.

    Wear goes with speed and with load to the power of 3 (ball bearings) or 10/3 (roller bearings), as the basic rating
    life of ISO 281 does. The plan is repeated until it is enough. Raises ValueError for a plan without hours.
    """
    total = sum(duty.hours for duty in plan)
    if not plan or total <= 0 or any(min(duty.hours, duty.speed, duty.load) < 0 for duty in plan):
        raise ValueError("a plan has stretches with hours, and no negative hours, speed or load")
    used = wear(plan, exponent)
    if used <= 0:
        return float("inf")
    rounds = math.floor(hours / used)
    left, passed = hours - rounds * used, rounds * total
    for duty in plan:
        rate = float(duty.speed * duty.load**exponent)
        if rate * duty.hours >= left and rate > 0:
            return passed + left / rate
        left -= rate * duty.hours
        passed += duty.hours
    return passed

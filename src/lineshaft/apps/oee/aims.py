"""Target of a shift by the products that were made when, and where it will end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lineshaft.analytics.oee.calendar import Calendar, Plan, Shift, plan_steps
from lineshaft.analytics.oee.steps import Steps
from lineshaft.apps.oee.store import Interval

_STEADY_US = 600_000_000
"""A projection before so much planned time has passed would only be noise."""


def aims(
    shift: Shift,
    calendar: Calendar | None,
    intervals: Sequence[Interval],
    pace: Callable[[str], float],
    good: float,
    now: int,
) -> dict[str, float | None]:
    """Target so far, by the products that were made when, and of the whole shift; and where the shift will end."""
    plan, _ = plan_steps(calendar, (shift,), shift.start, shift.end)
    so_far, rest = _work(plan, shift.start, now), _work(plan, now, shift.end)
    due, at = 0.0, shift.start
    product = next((one.product for one in intervals if one.product), "")
    for one in intervals:
        if not one.product or one.product == product:
            continue
        until = max(at, min(one.start, now))
        due += _parts(_work(plan, at, until), pace(product))
        at, product = until, one.product
    due += _parts(_work(plan, at, now), pace(product))
    ahead = _parts(rest, pace(product))
    steady = so_far >= _STEADY_US
    return {
        "target": None if np.isnan(due) else due,
        "target_whole": None if np.isnan(due + ahead) else due + ahead,
        "projection": good * (so_far + rest) / so_far if steady else None,
    }


def _parts(work: int, cycle: float) -> float:
    return work / 1e6 / cycle if work else 0.0


def _work(plan: Steps, start: int, end: int) -> int:
    if start >= end:
        return 0
    part = plan.cut(start, end)
    return int(part.lengths(end)[part.values == Plan.WORK].sum())

"""Remaining life by the plan of production: it wears as the planned speed and load do, and after the plan as before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lineshaft.analytics.remaining_life.estimate import Duty, wear
from lineshaft.model.plan import Run, Use

_HOUR_US: Final = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """The plan beside the past: running hours a day, and mean speed and load while it runs, by those of the past.

    `until`: end of the plan, UTC microseconds.
    """

    until: int
    hours_a_day: float
    hours_before: float
    speed: float
    load: float


def duties_of(runs: Sequence[Run], since: int) -> tuple[Duty, ...]:
    """Stretches from `since` (UTC microseconds) to the end of the last run, without a hole: between runs it stands.

    What a run asks of the machine is spread evenly over its time. Of runs at the same time the first one counts.
    """
    found: list[Duty] = []
    at = since
    for run in sorted(runs, key=lambda one: (one.start, one.end)):
        begin = max(run.start, at)
        if run.end <= begin:
            continue
        if begin > at:
            found.append(Duty((begin - at) / _HOUR_US, 0.0, 0.0))
        share = min(run.hours * _HOUR_US / (run.end - run.start), 1.0)
        found.append(Duty((run.end - begin) / _HOUR_US, run.speed * share, run.load))
        at = run.end
    return tuple(found)


def wear_of(use: Use, exponent: float = 3.0) -> float:
    """Wear of an hour of the past, standstill included, as `estimate.wear` counts it; 0 when it never ran."""
    if use.hours <= 0:
        return 0.0
    return wear([Duty(run.hours, run.speed, run.load) for run in use.runs], exponent) / use.hours


def life_by_plan(hours: float, plan: Sequence[Duty], rate: float, exponent: float = 3.0) -> float:
    """Hours by the clock until `hours` at the wear of the past are used up: through the plan once, then as before.

    rate: wear of an hour of the past, see `wear_of`; by ISO 281 as `estimate.under_plan`. More planned speed, load or
    running time never lengthens it. Raises ValueError when nothing wore in the past: there is nothing to compare with.
    """
    if not rate > 0:
        raise ValueError("the past wears nothing, so that a plan cannot be compared with it")
    left, passed = hours * rate, 0.0
    for duty in plan:
        one = wear([duty], exponent)
        if one > 0 and one >= left:
            return passed + duty.hours * left / one
        left -= one
        passed += duty.hours
    return passed + left / rate


def compared(runs: Sequence[Run], use: Use, since: int) -> Comparison | None:
    """The plan from `since` on beside what was; None when either of them runs nothing."""
    plan = duties_of(runs, since)
    span = sum(one.hours for one in plan)
    cut = [(run, _hours_left(run, since)) for run in runs if run.end > since]
    planned, before = sum(hours for _, hours in cut), sum(run.hours for run in use.runs)
    if planned <= 0 or before <= 0 or span <= 0:
        return None
    speed, load = (
        (sum(hours * getattr(run, name) for run, hours in cut) / planned)
        / (sum(run.hours * getattr(run, name) for run in use.runs) / before)
        for name in ("speed", "load")
    )
    return Comparison(
        max(run.end for run, _ in cut), min(24 * planned / span, 24.0), 24 * before / use.hours, speed, load
    )


def _hours_left(run: Run, since: int) -> float:
    span = run.end - run.start
    return min(run.hours, span / _HOUR_US) * min(run.end - since, span) / span if span > 0 else 0.0

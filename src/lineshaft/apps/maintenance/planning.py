"""What is left by the coming plan of production, in numbers and words; where nobody plans, the past's use goes on."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from lineshaft.analytics.remaining_life.estimate import UNDER_PLAN
from lineshaft.analytics.remaining_life.plans import Comparison, compared, duties_of, life_by_plan, wear_of
from lineshaft.apps.maintenance import bodies
from lineshaft.hub.api.services import Services
from lineshaft.hub.plans import PlanSource
from lineshaft.model.predictions import PredictionKind

PAST_DAYS: Final = 7
"""The use that the estimate goes on with is that of so many days before it: a week, so that its weekend is in."""
_LEAST_H: Final = 24.0
_PAST_US: Final = PAST_DAYS * 86_400_000_000
_SAME: Final = 0.005


def by_plan(parts: Services, path: str, now: bodies.LifeView | None) -> bodies.PlanLife:
    """What is left of `now` by the plan; `life` None with the reason where there is none."""
    if now is None:
        return bodies.PlanLife(words="too early to say, or the machine is normal")
    source = parts.plans.source(path)
    if source is None:
        return bodies.PlanLife(words="no plan is known for it: it is taken to run on as it did")
    if _given(parts, path):
        return bodies.PlanLife(words="the plan in the options of its operator counts")
    return _planned(source, parts, path, now)


def _planned(source: PlanSource, parts: Services, path: str, now: bodies.LifeView) -> bodies.PlanLife:
    runs = source.coming(path, now.time)
    if not runs:
        return bodies.PlanLife(words="no order is planned for it: it is taken to run on as it did")
    use = source.used(path, now.time - _PAST_US, now.time)
    found, rate = compared(runs, use, now.time), wear_of(use)
    if use.hours < _LEAST_H or found is None or rate <= 0:
        words = f"what it did in the {PAST_DAYS} days before is not known well enough to compare the plan with"
        return bodies.PlanLife(words=words)
    plan = duties_of(runs, now.time)
    p10, p50, p90 = (life_by_plan(hours, plan, rate) for hours in (now.p10, now.p50, now.p90))
    return bodies.PlanLife(
        life=bodies.LifeView(time=now.time, p10=p10, p50=p50, p90=p90),
        words=_words(found, parts.plant.timezone),
        until=found.until,
        hours_a_day=found.hours_a_day,
        hours_before=found.hours_before,
        speed=found.speed,
        load=found.load,
    )


def _words(plan: Comparison, zone: str) -> str:
    until = datetime.fromtimestamp(plan.until / 1e6, ZoneInfo(zone))
    how = [
        f"{100 * value:.0f} % of the {name} it had"
        for name, value in (("speed", plan.speed), ("load", plan.load))
        if abs(value - 1) > _SAME
    ]
    duty = f", at {' and '.join(how)}" if how else ""
    return (
        f"until {until:%Y-%m-%d %H:%M} the plan runs it {plan.hours_a_day:.1f} of 24 h{duty}; in the {PAST_DAYS} days "
        f"before it ran {plan.hours_before:.1f} of 24 h, and is taken to do so after the plan"
    )


def _given(parts: Services, path: str) -> bool:
    """Whether the newest estimate is in hours of a plan that the operator's options give."""
    kind = str(PredictionKind.REMAINING_LIFE)
    found = parts.state.predictions.find(asset=path, model="machine-health", kind=kind, limit=20)
    newest = next((one.prediction for one in found if one.prediction.subject == path), None)
    return newest is not None and UNDER_PLAN in newest.words

"""Cases out of events: one open case per asset and fault, in which all evidence and all that people do grows together.

A pure fold: the same events give the same cases, in whatever order they came; late data and restarts double none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from lineshaft.analytics.bearings.findings import TITLES
from lineshaft.apps.maintenance import story
from lineshaft.apps.maintenance.story import STAGES, Case
from lineshaft.model.events import Event

BACK_US: Final = 30 * 86_400_000_000
"""What comes back so soon after the end of a case is the same case."""


def tell(asset: str, events: Iterable[Event]) -> Sequence[Case]:
    """The cases of one asset (its parts included), oldest first."""
    cases: list[Case] = []
    for event in sorted(events, key=lambda one: (one.time, one.kind, one.message)):
        for start, step in _STEPS:
            if event.kind.startswith(start):
                step(cases, asset, event)
                break
    return cases


def _open(cases: Sequence[Case]) -> list[Case]:
    return [one for one in cases if one.open]


def _begin(cases: list[Case], asset: str, event: Event, fault: str) -> Case:
    """A case for a new sign: one that ended a short while ago is opened again."""
    for one in reversed(cases):
        fits = not fault or not one.fault or one.fault == fault
        if one.closed is not None and fits and event.time - one.closed <= BACK_US:
            _again(one, event.time, "It has come back")
            return one
    case = Case(asset, fault, event.time)
    cases.append(case)
    case.add(event.time, "opened", "First sign")
    return case


def _again(case: Case, time: int, words: str, by: str = "") -> None:
    case.closed, case.outcome, case.why, case.worked, case.worst = None, "", "", None, "normal"
    case.add(time, "reopened", words, by)


def _health(cases: list[Case], asset: str, event: Event) -> None:
    stage = event.kind.removeprefix(story.HEALTH)
    if stage not in STAGES:
        return
    if stage == "normal":
        for case in [one for one in _open(cases) if "health" in one.active]:
            case.stage = stage
            case.add(event.time, "stage", event.message, details=dict(event.details))
            _quiet(case, event.time, "health")
        return
    case = (_open(cases) or [_begin(cases, asset, event, "")])[0]
    case.active.add("health")
    case.stage = stage
    if STAGES.index(stage) > STAGES.index(case.worst):
        case.worst = stage
    case.left_normal = str(event.details.get("left_normal") or case.left_normal)
    case.add(event.time, "stage", event.message, details=dict(event.details))
    _life_of(case, event)


def _life(cases: list[Case], asset: str, event: Event) -> None:
    del asset
    for case in _open(cases)[:1]:
        case.add(event.time, "life", event.message, details=dict(event.details))
        _life_of(case, event)


def _life_of(case: Case, event: Event) -> None:
    if "p50_h" in event.details:
        case.life = {**event.details, "time": event.time}


def _finding(cases: list[Case], asset: str, event: Event) -> None:
    fault = str(event.details.get("fault") or "")
    if event.kind == story.GONE:
        for case in [one for one in _open(cases) if f"finding {event.subject} {fault}" in one.active]:
            case.add(event.time, "gone", event.message, details=dict(event.details))
            _quiet(case, event.time, f"finding {event.subject} {fault}")
        return
    if event.kind != story.FINDING or not fault:
        return
    open_ = _open(cases)
    fits = [one for one in open_ if one.fault == fault] or [one for one in open_ if not one.fault]
    case = fits[0] if fits else _begin(cases, asset, event, fault)
    if not case.fault:
        case.fault = fault
        case.add(event.time, "named", f"The fault has a name: {_title(fault)}")
    case.part = event.subject if event.subject != asset else case.part
    case.active.add(f"finding {event.subject} {fault}")
    case.finding = {**event.details, "time": event.time, "words": event.message, "subject": event.subject}
    case.add(event.time, "finding", event.message, details=case.finding)


def _anomaly(cases: list[Case], asset: str, event: Event) -> None:
    if event.kind.endswith(".raised"):
        case = (_open(cases) or [_begin(cases, asset, event, "")])[0]
        case.active.add("anomaly")
        case.add(event.time, "anomaly", event.message, details=dict(event.details))
        return
    for case in [one for one in _open(cases) if "anomaly" in one.active]:
        case.add(event.time, "anomaly", event.message, details=dict(event.details))
        _quiet(case, event.time, "anomaly")


def _title(fault: str) -> str:
    return next((words for kind, words in TITLES.items() if kind == fault), fault)


def _quiet(case: Case, time: int, source: str) -> None:
    """A source is calm again; when all are, the case is over."""
    case.active.discard(source)
    if case.active:
        return
    if case.worked is not None:
        _close(case, time, "repaired", "Closed: after the repair it is as in its healthy time")
    else:
        _close(case, time, "passed", "Closed: it went away by itself, and nobody has recorded work")


def _close(case: Case, time: int, why: str, words: str, by: str = "") -> None:
    case.closed, case.why = time, why
    case.add(time, "closed", words, by)


def _action(cases: list[Case], asset: str, event: Event) -> None:
    del asset
    action, by = event.kind.removeprefix(story.ACTION), str(event.details.get("by") or "")
    case = _meant(cases, event)
    if case is not None and action == "escalated" and case.open:
        case.add(event.time, action, event.message, details=dict(event.details))
    if case is None or action not in story.ACTIONS:
        return
    if action == "reopen":
        if not case.open:
            _again(case, event.time, event.message, by)
        return
    if action == "close":
        if case.open:
            case.outcome = str(event.details.get("found") or case.outcome)
            _close(case, event.time, "person", event.message, by)
        return
    case.add(event.time, action, event.message, by, dict(event.details))
    if action == "acknowledge":
        case.acknowledged = by
    elif action == "assign":
        case.assigned = str(event.details.get("to") or "")
    elif action == "work":
        case.worked = event.time
        case.outcome = str(event.details.get("found") or case.outcome)
        case.cost += float(event.details.get("cost") or 0.0)
        if case.open and not case.active:
            _close(case, event.time, "repaired", "Closed: repaired, and nothing speaks for the fault any more")


def _meant(cases: Sequence[Case], event: Event) -> Case | None:
    """The case that somebody meant: that which began at the time they named, else the open one, else the last."""
    began, fault = event.details.get("case"), event.details.get("fault")
    earlier = [one for one in cases if one.opened <= event.time]
    if began is not None:
        earlier = sorted(earlier, key=lambda one: (one.fault == fault, -abs(one.opened - int(began))))
        return earlier[-1] if earlier else None
    meant = _open(earlier)[:1] or earlier[-1:]
    return meant[0] if meant else None


_STEPS: Final[tuple[tuple[str, Callable[[list[Case], str, Event], None]], ...]] = (
    (story.HEALTH, _health),
    (story.LIFE, _life),
    (story.FINDING, _finding),
    (story.ACTION, _action),
    (story.ANOMALY, _anomaly),
)

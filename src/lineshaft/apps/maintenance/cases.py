"""Cases out of events: one open case per machine, from the first stage beyond normal to the return to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from lineshaft.model.events import Event

PREFIX: Final = "maintenance.health."
STAGES: Final = ("normal", "watch", "alarm", "danger")


@dataclass(frozen=True, slots=True)
class Case:
    """What became of one machine's health.

    stage     now, or the last one before it closed    worst   the highest that was reached
    opened, closed  UTC microseconds; None while it is open    events  oldest first
    """

    subject: str
    stage: str
    worst: str
    opened: int
    closed: int | None
    events: tuple[Event, ...]


def cases_of(events: Iterable[Event]) -> Sequence[Case]:
    """The cases of events in any order: open ones first, the worst first, then the newest."""
    told: dict[str, list[Event]] = {}
    for event in sorted(events, key=lambda one: one.time):
        if event.kind.removeprefix(PREFIX) in STAGES and event.kind.startswith(PREFIX):
            told.setdefault(event.subject, []).append(event)
    cases = [case for subject, own in told.items() for case in _cases(subject, own)]
    return sorted(cases, key=lambda one: (one.closed is not None, -STAGES.index(one.stage), -one.opened))


def _cases(subject: str, events: Sequence[Event]) -> Iterable[Case]:
    own: list[Event] = []
    for event in events:
        stage = event.kind.removeprefix(PREFIX)
        if not own and stage == "normal":
            continue
        own.append(event)
        if stage == "normal":
            yield _case(subject, own, event.time)
            own = []
    if own:
        yield _case(subject, own, None)


def _case(subject: str, events: Sequence[Event], closed: int | None) -> Case:
    stages = [event.kind.removeprefix(PREFIX) for event in events]
    worst = max(stages, key=STAGES.index)
    stage = stages[-1] if closed is None else stages[-2]
    return Case(subject, stage, worst, events[0].time, closed, tuple(events))

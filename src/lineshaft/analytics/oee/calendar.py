"""Shift calendars: patterns, breaks, holidays, exceptions, overtime and crews, in local time and its DST nights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from lineshaft.analytics.oee.steps import Steps

_DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEK_ZERO = date(1970, 1, 5)  # a Monday


class Plan(IntEnum):
    """What the calendar says about an instant."""

    OUTSIDE = 0  # no shift
    WORK = 1
    BREAK = 2  # a planned stop within a shift


@dataclass(frozen=True, slots=True)
class Pause:
    """A planned stop of a shift, local time in minutes of the day; one before the shift's start is the next day."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Pattern:
    """A shift as the calendar writes it. Minutes of the day, local; an end not after the start is the next day."""

    id: str
    start: int
    end: int
    days: tuple[str, ...] = _DAY_NAMES[:5]
    breaks: tuple[Pause, ...] = ()
    crews: tuple[str, ...] = ()  # they take turns by the week


@dataclass(frozen=True, slots=True)
class Special:
    """A date that is not as usual: these shifts in place of those of the pattern; none: nobody works."""

    day: date
    shifts: tuple[Pattern, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a part of the plant works. `overtime` comes on top of the pattern, `planned_stops` are UTC µs spans."""

    id: str
    zone: str
    shifts: tuple[Pattern, ...]
    holidays: frozenset[date] = frozenset()
    specials: tuple[Special, ...] = ()
    overtime: tuple[Special, ...] = ()
    planned_stops: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Shift:
    """One shift as it was worked. UTC microseconds; `day` is the local date on which it began."""

    id: str
    day: date
    start: int
    end: int
    crew: str = ""
    breaks: tuple[tuple[int, int], ...] = ()
    overtime: bool = False


def instant(day: date, minute: int, zone: ZoneInfo) -> int:
    """UTC microseconds of a local time of day; minutes from 1440 on are the next day.

    A time that a clock change skips is where the clock jumps to; one that comes twice is its first.
    """
    day += timedelta(days=minute // 1440)
    local = datetime(day.year, day.month, day.day, minute % 1440 // 60, minute % 60, tzinfo=zone)
    return round(local.astimezone(UTC).timestamp()) * 1_000_000


@lru_cache(maxsize=4096)
def shifts_between(calendar: Calendar, start: int, end: int) -> tuple[Shift, ...]:
    """Shifts that touch [start, end), whole, by start. One that reaches into the next is cut there."""
    zone = ZoneInfo(calendar.zone)
    first = datetime.fromtimestamp(start / 1e6, zone).date() - timedelta(days=2)
    last = datetime.fromtimestamp(end / 1e6, zone).date() + timedelta(days=1)
    found: list[Shift] = []
    day = first
    while day <= last:
        found += _of_day(calendar, day, zone)
        day += timedelta(days=1)
    found.sort(key=lambda shift: shift.start)
    return tuple(shift for shift in _apart(found) if shift.end > start and shift.start < end)


def _apart(shifts: Sequence[Shift]) -> Iterator[Shift]:
    """Shifts that do not overlap: a clock that goes back, or overtime, ends where the next shift begins."""
    for place, shift in enumerate(shifts):
        end = min(shift.end, shifts[place + 1].start) if place + 1 < len(shifts) else shift.end
        if end <= shift.start:
            continue
        breaks = tuple((a, min(b, end)) for a, b in shift.breaks if a < end)
        yield (
            shift
            if end == shift.end
            else Shift(shift.id, shift.day, shift.start, end, shift.crew, breaks, shift.overtime)
        )


def _of_day(calendar: Calendar, day: date, zone: ZoneInfo) -> Iterator[Shift]:
    special = next((one for one in calendar.specials if one.day == day), None)
    if special is not None:
        patterns = special.shifts
    elif day in calendar.holidays:
        patterns = ()
    else:
        name = _DAY_NAMES[day.weekday()]
        patterns = tuple(pattern for pattern in calendar.shifts if name in pattern.days)
    for pattern in patterns:
        yield _made(pattern, day, zone, overtime=False)
    for extra in calendar.overtime:
        if extra.day == day:
            yield from (_made(pattern, day, zone, overtime=True) for pattern in extra.shifts)


def _made(pattern: Pattern, day: date, zone: ZoneInfo, *, overtime: bool) -> Shift:
    end = pattern.end + (1440 if pattern.end <= pattern.start else 0)
    breaks = []
    for pause in pattern.breaks:
        begin = pause.start + (1440 if pause.start < pattern.start else 0)
        until = pause.end + (1440 if pause.end + (begin - pause.start) <= begin else 0) + (begin - pause.start)
        breaks.append((instant(day, begin, zone), instant(day, until, zone)))
    week = (day - _WEEK_ZERO).days // 7
    crew = pattern.crews[week % len(pattern.crews)] if pattern.crews else ""
    return Shift(
        pattern.id, day, instant(day, pattern.start, zone), instant(day, end, zone), crew, tuple(sorted(breaks)),
        overtime,
    )  # fmt: skip


@lru_cache(maxsize=4096)
def plan_steps(calendar: Calendar | None, shifts: tuple[Shift, ...], start: int, end: int) -> tuple[Steps, Steps]:
    """(plan, shift): what the calendar says at each instant of [start, end), and the index in `shifts` or NOTHING.

    Without a calendar every instant is work.
    """
    if calendar is None:
        return Steps.of([start], [Plan.WORK]), Steps.of([], [])
    index = Steps.spans([(shift.start, shift.end, place) for place, shift in enumerate(shifts)])
    edges: list[tuple[int, int, int]] = []
    for shift in shifts:
        at = shift.start
        for begin, until in (*shift.breaks, (shift.end, shift.end)):
            edges += [(at, min(begin, shift.end), Plan.WORK), (max(at, begin), min(until, shift.end), Plan.BREAK)]
            at = max(at, until)
    plan = Steps.spans(edges)
    times = [start, *plan.times.tolist()] if not len(plan) or plan.times[0] > start else plan.times.tolist()
    values = plan.values.tolist()
    values = [Plan.OUTSIDE] * (len(times) - len(values)) + [max(value, Plan.OUTSIDE) for value in values]
    whole = Steps.of(times, values).cut(start, end)
    for begin, until in calendar.planned_stops:
        whole = _stopped(whole, begin, until, end)
    return whole, index


def _stopped(plan: Steps, begin: int, until: int, end: int) -> Steps:
    """The plan with the work of [begin, until) turned into a planned stop."""
    times, values = [], []
    marks = sorted({*plan.times.tolist(), *(mark for mark in (begin, until) if plan.times[0] < mark < end)})
    for time, value in zip(marks, _at(plan, marks), strict=True):
        times.append(time)
        values.append(int(Plan.BREAK) if value == Plan.WORK and begin <= time < until else value)
    return Steps.of(times, values)


def _at(steps: Steps, times: list[int]) -> list[int]:
    found: list[int] = steps.at(np.asarray(times, np.int64)).tolist()
    return found

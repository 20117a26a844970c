"""Edges of local hours, days, weeks, months and shifts as UTC microseconds, daylight saving included."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

Unit = Literal["15min", "1h", "1d", "1w", "month"]
UNITS: Final[tuple[Unit, ...]] = ("15min", "1h", "1d", "1w", "month")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_STEP: Final = {"15min": 900_000_000, "1h": 3_600_000_000}
_DAY_NAMES: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift of a calendar: minutes after local midnight; `end` not after `start` means the next day."""

    id: str
    start: int
    end: int
    days: tuple[str, ...] = _DAY_NAMES  # 'mon' ... 'sun', on which it starts
    holidays: tuple[str, ...] = ()  # dates on which it does not start, YYYY-MM-DD


@dataclass(frozen=True, slots=True)
class Span:
    """start <= time < end, UTC microseconds; `name`: the shift, '' for units of the calendar."""

    start: int
    end: int
    name: str = ""


def local_date(time: int, zone: ZoneInfo) -> date:
    """The local date of an instant (UTC microseconds)."""
    return (_EPOCH + timedelta(microseconds=time)).astimezone(zone).date()


def instant(day: date, minutes: int, zone: ZoneInfo) -> int:
    """UTC microseconds of a local wall time, minutes after midnight.

    A time that the clocks jump over is the instant that would have been it without the jump; of a time that comes twice
    the first counts.
    """
    local = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=minutes)  # wall time arithmetic
    return (local.astimezone(UTC) - _EPOCH) // _MICROSECOND


def spans(unit: Unit, start: int, end: int, zone: ZoneInfo) -> Iterator[Span]:
    """Whole local units that touch [start, end), in order; days have 23 to 25 hours where the clocks change."""
    day = _first(unit, local_date(start, zone))
    while (left := instant(day, 0, zone)) < end:
        following = _next(unit, day)
        right = instant(following, 0, zone)
        step = _STEP.get(unit, right - left)
        for at in range(left, right, step):
            stop = min(at + step, right)
            if stop > start and at < end:
                yield Span(at, stop)
        day = following


def shift_spans(shifts: Sequence[Shift], start: int, end: int, zone: ZoneInfo) -> Iterator[Span]:
    """Shifts that touch [start, end), by their starts."""
    day, last = local_date(start, zone) - timedelta(days=1), local_date(end, zone)
    while day <= last:
        found = []
        for shift in shifts:
            if _DAY_NAMES[day.weekday()] not in shift.days or day.isoformat() in shift.holidays:
                continue
            finish = shift.end if shift.end > shift.start else shift.end + 24 * 60
            found.append(Span(instant(day, shift.start, zone), instant(day, finish, zone), shift.id))
        yield from sorted((one for one in found if one.end > start and one.start < end), key=lambda one: one.start)
        day += timedelta(days=1)


def _first(unit: Unit, day: date) -> date:
    if unit == "1w":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if unit == "month" else day


def _next(unit: Unit, day: date) -> date:
    if unit == "1w":
        return day + timedelta(days=7)
    if unit == "month":
        return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return day + timedelta(days=1)

"""Local hours, days, weeks and months as UTC microseconds, daylight saving included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from lineshaft.analytics.oee.calendar import instant

Unit = Literal["15min", "1h", "1d", "1w", "month"]
UNITS: Final[tuple[Unit, ...]] = ("15min", "1h", "1d", "1w", "month")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STEP: Final = {"15min": 900_000_000, "1h": 3_600_000_000}


@dataclass(frozen=True, slots=True)
class Span:
    """start <= time < end, UTC microseconds; `name`: the shift, '' for units of the calendar."""

    start: int
    end: int
    name: str = ""


def local_date(time: int, zone: ZoneInfo) -> date:
    """The local date of an instant (UTC microseconds)."""
    return (_EPOCH + timedelta(microseconds=time)).astimezone(zone).date()


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

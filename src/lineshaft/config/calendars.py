"""Shift calendars in the plant folder, and the pure calendars that they become."""

from __future__ import annotations

import zoneinfo
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Literal

from pydantic import field_validator

from lineshaft.analytics.oee.calendar import Calendar, Pattern, Pause, Special
from lineshaft.config.section import Section, key
from lineshaft.config.values import TIME_PATTERN, Id


def known_zone(value: str) -> str:
    """The name itself. Raises ValueError when it is no IANA time zone."""
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is not an IANA time zone, like Europe/Berlin or UTC") from None
    return value


def known_date(text: str) -> str:
    """The text itself. Raises ValueError when it is no date."""
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"'{text}' is not a date like 2026-12-25") from None
    return text


class BreakConfig(Section):
    """A planned stop within a shift, every day."""

    start: str = key(..., "Local time, HH:MM.", pattern=TIME_PATTERN)
    end: str = key(..., "Local time, HH:MM.", pattern=TIME_PATTERN)


class ShiftConfig(Section):
    """One shift of a calendar."""

    id: Id = key(..., "Name of the shift.")
    start: str = key(..., "Local time, HH:MM.", pattern=TIME_PATTERN)
    end: str = key(..., "Local time, HH:MM; before start means the next day.", pattern=TIME_PATTERN)
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = key(
        ("mon", "tue", "wed", "thu", "fri"), "Days on which it starts."
    )
    breaks: tuple[BreakConfig, ...] = key((), "Planned stops; they are no busy time.")
    crews: tuple[str, ...] = key((), "Crews that take turns by the week.")


class SpecialDayConfig(Section):
    """A date with shifts of its own."""

    date: str = key(..., "The date, YYYY-MM-DD.")
    shifts: tuple[ShiftConfig, ...] = key((), "Shifts of this date; their `days` do not matter.")
    reason: str = key("", "Why, for people.")

    @field_validator("date")
    @classmethod
    def _is_date(cls, value: str) -> str:
        return known_date(value)


class PlannedStopConfig(Section):
    """A stop that was planned beforehand, such as maintenance: it is no busy time."""

    start: str = key(..., "Local date and time, like 2026-12-24T06:00.")
    end: str = key(..., "Local date and time.")
    reason: str = key("", "Why, for people.")

    @field_validator("start", "end")
    @classmethod
    def _is_moment(cls, value: str) -> str:
        try:
            datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"'{value}' is not a date and time like 2026-12-24T06:00") from None
        return value


class CalendarConfig(Section):
    """When a part of the plant works."""

    id: Id = key(..., "Name of the calendar.")
    equipment: tuple[str, ...] = key(("",), "Paths below the site that it applies to; '' is the whole site.")
    timezone: str = key("", "IANA time zone of this part; the plant's when empty.")
    shifts: tuple[ShiftConfig, ...] = key(..., "Its shifts.")
    holidays: tuple[str, ...] = key((), "Dates without work, YYYY-MM-DD.")
    exceptions: tuple[SpecialDayConfig, ...] = key((), "Dates with other shifts in place of the usual ones.")
    overtime: tuple[SpecialDayConfig, ...] = key((), "Shifts that come on top of the usual ones.")
    planned_stops: tuple[PlannedStopConfig, ...] = key((), "Stops that were planned beforehand.")

    @field_validator("holidays")
    @classmethod
    def _dates(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(known_date(text) for text in value)

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        return known_zone(value) if value else value


def calendar_for(calendars: Sequence[CalendarConfig], path: str) -> CalendarConfig | None:
    """The calendar whose equipment path is the longest prefix of `path` (below the site); None when there is none."""
    found: tuple[int, CalendarConfig] | None = None
    for calendar in calendars:
        for prefix in calendar.equipment:
            inside = not prefix or path == prefix or path.startswith(prefix + "/")
            if inside and (found is None or len(prefix) > found[0]):
                found = len(prefix), calendar
    return found[1] if found else None


def to_calendar(config: CalendarConfig, zone: str) -> Calendar:
    """The pure calendar; `zone` holds where the calendar names none."""
    zone = config.timezone or zone
    return Calendar(
        config.id,
        zone,
        tuple(map(_pattern, config.shifts)),
        frozenset(map(date.fromisoformat, config.holidays)),
        tuple(map(_special, config.exceptions)),
        tuple(map(_special, config.overtime)),
        tuple((_moment(stop.start, zone), _moment(stop.end, zone)) for stop in config.planned_stops),
    )


def _special(config: SpecialDayConfig) -> Special:
    return Special(date.fromisoformat(config.date), tuple(map(_pattern, config.shifts)), config.reason)


def _pattern(config: ShiftConfig) -> Pattern:
    breaks = tuple(Pause(minutes(one.start), minutes(one.end)) for one in config.breaks)
    return Pattern(config.id, minutes(config.start), minutes(config.end), config.days, breaks, config.crews)


def minutes(text: str) -> int:
    """'06:30' -> 390."""
    return int(text[:2]) * 60 + int(text[3:])


def _moment(text: str, zone: str) -> int:
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zoneinfo.ZoneInfo(zone))
    return round(moment.astimezone(UTC).timestamp() * 1e6)

"""Days of a part of the plant as they will be, or were, worked, and what makes them unlike others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from lineshaft.analytics.oee.calendar import Calendar, instant, shifts_between
from lineshaft.apps.oee.calendars import Calendars
from lineshaft.apps.oee.exceptions import Entry
from lineshaft.apps.oee.setup import Facts, MachineSetup


def calendar_page(calendars: Calendars, now: Facts, path: str, first: date, count: int) -> list[dict[str, Any]]:
    """One item for each calendar that holds at or below a path, with the machines that share it."""
    groups: dict[Calendar | None, list[MachineSetup]] = {}
    for machine in now.below(path):
        groups.setdefault(machine.calendar, []).append(machine)
    return [
        {
            "id": calendar.id if calendar else "",
            "timezone": machines[0].zone,
            "machines": [one.name for one in machines],
            "days": [] if calendar is None else list(_days(calendars, calendar, machines[0], first, count)),
        }
        for calendar, machines in groups.items()
    ]


def _days(
    calendars: Calendars, calendar: Calendar, machine: MachineSetup, first: date, count: int
) -> Iterator[dict[str, Any]]:
    zone = ZoneInfo(calendar.zone)
    base = calendars.base.machines[machine.path].calendar
    mine = [one for one in calendars.entries if one.holds_for(machine.path)]
    days = [first + timedelta(days=number) for number in range(count)]
    low, high = instant(days[0], 0, zone), instant(days[-1] + timedelta(days=1), 0, zone)
    shifts = shifts_between(calendar, low, high)
    for day in days:
        yield {
            "date": day.isoformat(),
            "shifts": [
                {"id": one.id, "start": one.start, "end": one.end, "crew": one.crew, "overtime": one.overtime,
                 "breaks": one.breaks}
                for one in shifts
                if one.day == day
            ],
            "files": list(_of_files(base, day, mine)) if base is not None else [],
            "entries": [one.id for one in mine if one.covers(day)],
        }  # fmt: skip


def _of_files(base: Calendar, day: date, entries: list[Entry]) -> Iterator[dict[str, Any]]:
    """What the plant folder says about a date; `holds` is false where an entry of a person lies above it."""
    holds = not any(one.covers(day) and one.kind in ("closed", "shifts") for one in entries)
    special = next((one for one in base.specials if one.day == day), None)
    if special is not None:
        yield {"kind": "shifts" if special.shifts else "closed", "reason": special.reason, "holds": holds}
    elif day in base.holidays:
        yield {"kind": "closed", "reason": "", "holds": holds}
    for one in base.overtime:
        if one.day == day:
            yield {"kind": "overtime", "reason": one.reason, "holds": holds}
    zone = ZoneInfo(base.zone)
    low, high = instant(day, 0, zone), instant(day + timedelta(days=1), 0, zone)
    for start, end in base.planned_stops:
        if start < high and end > low:
            yield {"kind": "stop", "reason": "", "holds": True, "start": start, "end": end}

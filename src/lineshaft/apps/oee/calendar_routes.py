"""Days that are not as usual, below /api/v1/oee/calendar: shown to all, changed by engineers with a reason."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field, model_validator

from lineshaft.apps.oee.asked import Path, known
from lineshaft.apps.oee.calendar_view import calendar_page
from lineshaft.apps.oee.exceptions import Entry, EntryShift, crews_of
from lineshaft.apps.oee.parts import Oee, Parts
from lineshaft.config.values import TIME_PATTERN
from lineshaft.errors import DataError
from lineshaft.hub.api.models import Body
from lineshaft.hub.api.services import Caller, needs
from lineshaft.hub.security.roles import Role

router = APIRouter(prefix="/oee/calendar", tags=["oee"])


class DayBreak(Body):
    """A planned stop of a shift, local times."""

    start: str = Field(pattern=TIME_PATTERN)
    end: str = Field(pattern=TIME_PATTERN)


class DayShift(Body):
    """A shift of the day, local times; an end not after the start is the next day."""

    id: str = Field(min_length=1, max_length=64, pattern=r"^\S(.*\S)?$")
    start: str = Field(pattern=TIME_PATTERN)
    end: str = Field(pattern=TIME_PATTERN)
    crew: str = Field("", max_length=64)
    breaks: list[DayBreak] = Field([], max_length=12)


class CalendarEntry(Body):
    """Days of a part of the plant that are not as the plant folder has them."""

    path: str = Field(max_length=512, description="site, area, line or machine")
    kind: Literal["closed", "shifts", "overtime", "stop"] = Field(
        description="closed: nobody works; shifts: these in place of the usual; overtime: on top; stop: planned stop"
    )
    first: str = Field(max_length=16, description="local date; of a stop date and time, like 2026-12-21T06:00")
    last: str = Field(max_length=16, description="local date, included; of a stop date and time, not included")
    shifts: list[DayShift] = Field([], max_length=12)
    reason: str = Field(min_length=1, max_length=200, pattern=r"\S", description="why, for people")
    seen: int = Field(0, ge=0, description="`at` of the entry that is changed, so that nobody's change is lost")

    @model_validator(mode="after")
    def _moments(self) -> CalendarEntry:
        for name in ("first", "last"):
            text = getattr(self, name)
            try:
                if self.kind == "stop":
                    right = datetime.fromisoformat(text).strftime("%Y-%m-%dT%H:%M") == text
                else:
                    right = date.fromisoformat(text).isoformat() == text
            except ValueError:
                right = False
            if not right or not "1990" <= text < "2200":
                shape = "2026-12-21T06:00" if self.kind == "stop" else "2026-12-21"
                raise ValueError(f"`{name}` is {text!r}, not a local time like {shape}")
        return self

    def entry(self, by: str, at: int, number: int = 0) -> Entry:
        """As the app keeps it."""
        shifts = tuple(
            EntryShift(one.id, one.start, one.end, one.crew, tuple((rest.start, rest.end) for rest in one.breaks))
            for one in self.shifts
        )
        return Entry(self.path, self.kind, self.first, self.last, shifts, self.reason.strip(), number, by, at)


@router.get("")
def calendar(
    oee: Parts,
    first: Annotated[str, Query(description="local date, YYYY-MM-DD")],
    path: Path = "",
    days: Annotated[int, Query(ge=1, le=100)] = 35,
) -> dict[str, Any]:
    """Shifts of each day for each calendar at and below a path, with what people and files say about them."""
    known(oee, path)
    try:
        begin = date.fromisoformat(first)
    except ValueError:
        raise DataError(f"first is {first!r}, not a date like 2026-12-21") from None
    if not 1990 <= begin.year < 2200:
        raise DataError("first is not between 1990 and 2199")
    desk = oee.calendars
    last = date.fromordinal(begin.toordinal() + days - 1).isoformat()
    shown = {one.path for one in oee.setup.below(path)}
    entries = [
        asdict(one)
        for one in desk.entries
        if one.first[:10] <= last and one.last[:10] >= first and any(one.holds_for(machine) for machine in shown)
    ]
    return {
        "items": calendar_page(desk, oee.setup.facts, path, begin, days),
        "entries": entries,
        "crews": sorted(crews_of(desk.base)),
        "places": _places(oee),
    }


def _places(oee: Oee) -> list[dict[str, str]]:
    """Where an entry can hold: the site, what has machines below it, and machines; from the largest on."""
    paths = {"/".join(parts[:size]) for one in oee.setup.machines for parts in [one.split("/")]
             for size in range(2, len(parts) + 1)}  # fmt: skip
    return [{"path": path, "name": oee.setup.names.get(path, path.rpartition("/")[2])} for path in sorted(paths)]


@router.post("", status_code=201, dependencies=[needs(Role.ENGINEER)])
def add_entry(body: CalendarEntry, oee: Parts, caller: Caller) -> dict[str, Any]:
    """Add days that are not as usual; every KPI that holds them is the new one when this answers."""
    return asdict(oee.calendars.put(body.entry(caller.name, oee.clock.now_us())))


@router.put("/{number}", dependencies=[needs(Role.ENGINEER)])
def change_entry(number: int, body: CalendarEntry, oee: Parts, caller: Caller) -> dict[str, Any]:
    """Change an entry; the audit holds what it was before."""
    return asdict(oee.calendars.put(body.entry(caller.name, oee.clock.now_us(), number), body.seen))


@router.delete("/{number}", dependencies=[needs(Role.ENGINEER)])
def remove_entry(
    number: int, oee: Parts, caller: Caller,
    why: Annotated[str, Query(min_length=1, max_length=200)], seen: Annotated[int, Query(ge=0)],
) -> dict[str, Any]:  # fmt: skip
    """Take an entry back: its days are again what the plant folder says."""
    return asdict(oee.calendars.remove(number, seen, caller.name, oee.clock.now_us(), why))

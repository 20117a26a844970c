"""Days that are not as usual, entered by people above the plant folder: they count at once, also in the past."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from lineshaft.analytics.oee.calendar import shifts_between
from lineshaft.apps.base import AppContext
from lineshaft.apps.oee.app import make
from lineshaft.apps.oee.exceptions import Entry, EntryShift, mistakes, with_entries
from lineshaft.apps.oee.setup import Facts, facts_of
from lineshaft.config.load import load_plant
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.hub.security.roles import Role

from .plant import DAY, HOUR, MINUTE, MONDAY, PRESS, ROOT, SAW, SIX, YAML, Line, running
from .test_recorder import an_hour
from .test_routes import headers, served

CLOSED: dict[str, Any] = {
    "path": ROOT, "kind": "closed", "first": "2026-03-02", "last": "2026-03-02", "reason": "plant holiday"
}  # fmt: skip
MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"path": f"{ROOT}/nowhere"}, "no machine of OEE is at or below"),
    ({"first": "2026-03-04"}, "is before the first"),
    ({"first": "4 March"}, "not a local time like 2026-12-21"),
    ({"last": "2026-09-02"}, "more than 62 days"),
    ({"kind": "overtime"}, "there is no shift"),
    ({"reason": " "}, "reason"),
    ({"kind": "stop", "first": "2026-03-02T06:00", "last": "2026-03-02T06:00"}, "does not end after it begins"),
    ({"kind": "stop", "first": "2026-03-29T02:30", "last": "2026-03-29T05:00"}, "02:30 does not exist on 2026-03-29"),
    ({"kind": "overtime", "shifts": [{"id": "x", "start": "12:00", "end": "15:00"}]},
     "x (12:00-15:00) overlaps the shift early (06:00-14:00)"),
    ({"kind": "shifts", "shifts": [{"id": "x", "start": "22:00", "end": "06:30"}]}, "overlaps the shift early"),
    ({"kind": "shifts", "shifts": [{"id": "x", "start": "06:00", "end": "12:00"},
                                   {"id": "y", "start": "11:00", "end": "15:00"}]},
     "x (06:00-12:00) and y (11:00-15:00) overlap"),
    ({"kind": "shifts", "shifts": [{"id": "x", "start": "06:00", "end": "12:00", "crew": "blue"}]},
     "there is no crew blue"),
    ({"kind": "shifts", "shifts": [{"id": "x", "start": "06:00", "end": "12:00",
                                    "breaks": [{"start": "13:00", "end": "13:30"}]}]},
     "the break 13:00-13:30 is not within"),
]  # fmt: skip
WORKS = Entry(ROOT, "closed", "2026-03-02", "2026-03-02", (), "holiday")


@pytest.fixture(name="line")
def _line(tmp_path: Path) -> Iterator[Line]:
    with running(tmp_path) as line:
        yield line


def everything(line: Line) -> list[dict[str, Any]]:
    """What pages show of the week, by everything that a calendar decides."""
    return [line.oee.reports.kpis("", MONDAY, MONDAY + 7 * DAY, by) for by in ("machine", "shift", "day", "slot")]


def week(line: Line) -> float:
    """All seconds of the press from Monday to Sunday, local days: no calendar makes more or fewer."""
    return line.time("calendar", MONDAY - HOUR, MONDAY - HOUR + 7 * DAY)


async def summed_up(line: Line, now: int) -> None:
    """Let it be `now`, with everything summed up until then."""
    await line.clock.advance((now - line.clock.now_us()) / 1e6)
    await asyncio.to_thread(line.oee.recorder.catch_up)


async def test_a_holiday_of_last_week_is_entered_and_taken_back(line: Line) -> None:
    """Entered by an engineer, it moves the stop out of the busy time at once; taken back, all is as before."""
    await an_hour(line)
    await summed_up(line, SIX + 7 * DAY)
    before, stopped = everything(line), line.time("breakdown")
    async with served(line) as (url, app), httpx.AsyncClient(base_url=f"{url}/api/v1/oee", timeout=30) as client:
        assert (await client.post("/calendar", json=CLOSED)).status_code == 401
        client.headers.update(headers(app, line, Role.OPERATOR))
        assert (await client.post("/calendar", json=CLOSED)).status_code == 403
        client.headers.update(headers(app, line, Role.ENGINEER))
        made = await client.post("/calendar", json=CLOSED)
        assert made.status_code == 201, made.text
        assert (stopped, line.time("breakdown")) == (600, 0)
        assert week(line) == 7 * 24 * 3600
        assert not [one for one in line.oee.reports.kpis(PRESS, MONDAY, MONDAY + DAY, "shift")["parts"] if one["key"]]
        page = (await client.get("/calendar", params={"first": "2026-03-02", "days": 2})).json()
        monday, tuesday = page["items"][0]["days"]
        assert (monday["shifts"], monday["entries"]) == ([], [made.json()["id"]])
        assert [one["id"] for one in tuesday["shifts"]] == ["early", "late"]
        assert [(one["reason"], one["by"]) for one in page["entries"]] == [("plant holiday", "the-engineer")]
        where = f"/calendar/{made.json()['id']}"
        late = await client.put(where, json={**CLOSED, "last": "2026-03-03", "seen": 1})
        assert late.status_code == 409  # somebody else's version
        gone = await client.delete(where, params={"seen": made.json()["at"], "why": "it was next week"})
        assert gone.status_code == 200
        audit = (await client.get("/audit", params={"path": ROOT})).json()["items"]
    assert everything(line) == before
    assert [(one["action"], one["by"]) for one in audit] == [("calendar", "the-engineer")] * 2
    assert audit[0]["details"]["before"]["reason"] == "plant holiday"
    assert audit[0]["details"]["after"] is None


async def test_an_extra_shift_in_the_past_is_a_shift_of_its_own(line: Line) -> None:
    """Saturday's extra shift with its stop is busy time, by shift; changed to a shorter one it is the shorter."""
    saturday = SIX + 5 * DAY
    await an_hour(line)
    line.put(f"{PRESS}/state", [(saturday, 6.0), (saturday + HOUR, 2.0), (saturday + 2 * HOUR, 6.0)])
    await summed_up(line, saturday + 2 * DAY)
    whole = week(line)
    late = EntryShift("extra", "06:00", "12:00")
    made = line.oee.calendars.put(
        Entry(f"{ROOT}/line", "overtime", "2026-03-07", "2026-03-07", (late,), "rush", 0, "a", 5)
    )

    def extra() -> dict[str, Any]:
        parts = line.oee.reports.kpis(PRESS, MONDAY, MONDAY + 7 * DAY, "shift")["parts"]
        return next(one["times"] for one in parts if one["key"] == "extra")

    assert (extra()["calendar"], extra()["breakdown"]) == (6 * 3600, 3600)
    short = replace(made, shifts=(EntryShift("extra", "06:00", "07:30"),), at=6)
    line.oee.calendars.put(short, seen=5)
    assert (extra()["calendar"], extra()["breakdown"]) == (5400, 1800)
    assert week(line) == whole
    seen = everything(line)
    again = make(AppContext(line.plant, line.services, line.historian.listen))  # the hub starts anew
    assert again.calendars.entries == (replace(short, id=made.id),)
    again.recorder.catch_up()
    assert everything(line) == seen


async def test_what_is_wrong_is_said(line: Line) -> None:
    """Each mistake is refused with words for people, and nothing is kept."""
    async with served(line) as (url, app), httpx.AsyncClient(base_url=f"{url}/api/v1/oee", timeout=30) as client:
        client.headers.update(headers(app, line, Role.ENGINEER))
        for change, words in MISTAKES:
            answer = await client.post("/calendar", json={**CLOSED, **change})
            assert (answer.status_code, words in answer.text) == (422, True), (change, answer.text)
        assert (await client.get("/calendar", params={"first": "2026-03-01"})).json()["entries"] == []


def facts(tmp_path: Path, more: str = "") -> Facts:
    (tmp_path / "plant.yaml").write_text(YAML.replace("  - id: day\n", f"  - id: day\n{more}"))
    return facts_of(load_plant(tmp_path, DRIVERS))


def worked(found: Facts, path: str, day: int = 0) -> list[str]:
    calendar = found.machines[path].calendar
    assert calendar is not None
    shifts = shifts_between(calendar, MONDAY, MONDAY + 5 * DAY)
    return [one.id for one in shifts if one.day == date(2026, 3, 2 + day)]


def test_the_smaller_part_of_the_plant_counts(tmp_path: Path) -> None:
    """Of a site's holiday and a machine's shifts the machine's hold for it; files stay the base below both."""
    base = facts(
        tmp_path, '    overtime: [{date: "2026-03-02", shifts: [{id: night, start: "22:00", end: "02:00"}]}]\n'
    )
    saw = Entry(SAW, "shifts", "2026-03-02", "2026-03-02", (EntryShift("short", "08:00", "10:00"),), "test")
    extra = Entry(ROOT, "overtime", "2026-03-02", "2026-03-03", (EntryShift("more", "23:00", "01:00"),), "rush")
    assert worked(base, PRESS) == ["early", "late", "night"]
    found = with_entries(base, [WORKS, saw, extra])
    assert (worked(found, PRESS), worked(found, SAW)) == (["more"], ["short"])
    assert worked(found, SAW, day=1) == ["early", "late", "more"]
    assert with_entries(base, []).machines == base.machines


def test_a_second_entry_for_a_day_is_refused(tmp_path: Path) -> None:
    """Two holidays of one part on one date are a mistake that names who made the first."""
    first = replace(WORKS, by="anna", id=1)
    wrong = list(mistakes(replace(WORKS, first="2026-03-01"), facts(tmp_path), [first], frozenset()))
    assert wrong == ["2026-03-02 has an entry already: holiday, by anna; change or remove that one"]
    assert not list(mistakes(replace(WORKS, path=PRESS), facts(tmp_path), [first], frozenset()))


def test_a_planned_stop_is_no_busy_time(tmp_path: Path) -> None:
    """Local times become the span of the machine's own zone, on top of those of the files."""
    stop = Entry(PRESS, "stop", "2026-03-02T06:00", "2026-03-02T07:30", (), "maintenance")
    calendar = with_entries(facts(tmp_path), [stop]).machines[PRESS].calendar
    assert calendar is not None
    assert calendar.planned_stops == ((SIX, SIX + 90 * MINUTE),)

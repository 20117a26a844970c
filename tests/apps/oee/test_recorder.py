"""What is committed becomes intervals, totals and losses; late rows and people change exactly what they touch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lineshaft.apps.oee.slots import Note

from .plant import DAY, HOUR, IDLE, MINUTE, MONDAY, PRESS, RUN, SAW, SIX, STOP, Line, running


@pytest.fixture(name="line")
def _line(tmp_path: Path) -> Iterator[Line]:
    with running(tmp_path) as line:
        yield line


async def an_hour(line: Line) -> None:
    """06:00 runs, 06:20 stops by a jam for 10 minutes, runs again; a part each 30 s, two of them bad."""
    line.put(f"{PRESS}/state", [(SIX, RUN), (SIX + 20 * MINUTE, STOP), (SIX + 30 * MINUTE, RUN)])
    line.put(f"{PRESS}/reason", [(SIX, ""), (SIX + 20 * MINUTE, "jam"), (SIX + 30 * MINUTE, "")])
    line.put(f"{PRESS}/product", [(SIX, "P1")])
    parts = [SIX + n * MINUTE // 2 - (n > 0) for n in range(121) if not 40 < n <= 60]
    line.put(f"{PRESS}/good", [(time, float(n)) for n, time in enumerate(parts)])
    line.put(f"{PRESS}/scrap", [(SIX, 0.0), (SIX + 45 * MINUTE, 2.0)])
    line.put(f"{SAW}/state", [(SIX, RUN), (SIX + 21 * MINUTE, IDLE), (SIX + 31 * MINUTE, RUN)])
    line.put(f"{SAW}/good", [(SIX, 0.0), (SIX + 50 * MINUTE, 40.0)])
    await line.at(SIX + HOUR)


async def test_a_shift_as_it_goes(line: Line) -> None:
    """After an hour: 50 minutes of production, 10 of breakdown, parts, and their KPIs from sums."""
    await an_hour(line)
    found = line.oee.reports.kpis(PRESS, MONDAY, MONDAY + DAY, "")["whole"]
    assert (found["times"]["production"], found["times"]["breakdown"]) == (3000, 600)
    assert (found["counts"]["good"], found["counts"]["scrap"], found["counts"]["failures"]) == (100, 2, 1)
    assert found["kpis"]["availability"] == pytest.approx(50 / 60)
    assert found["kpis"]["effectiveness"] == pytest.approx(102 * 30 / 3000)
    assert found["kpis"]["quality"] == pytest.approx(100 / 102)
    assert found["coverage"] == 1.0
    whole = line.oee.reports.kpis("", MONDAY, MONDAY + DAY, "machine")
    parts = [part["times"]["calendar"] for part in whole["parts"]]
    assert whole["whole"]["times"]["calendar"] == sum(parts)


async def test_the_saw_was_starved_by_the_press(line: Line) -> None:
    """Its waiting while the press stood is starved time, with the press as the cause."""
    await an_hour(line)
    assert line.time("starved", path=SAW) == 9 * 60
    (cell,) = [one for one in line.oee.reports.timeline(line.oee.setup.machines[SAW], SIX, SIX + HOUR)
               if one["element"] == "starved"]  # fmt: skip
    assert cell["cause"] == PRESS


async def test_live_and_anew_are_the_same(line: Line) -> None:
    """What was written minute by minute is what summing all up again gives, interval by interval."""
    await an_hour(line)
    for minute in range(61, 200, 7):
        state = STOP if minute % 3 == 0 else RUN
        line.put(f"{PRESS}/state", [(SIX + minute * MINUTE, state)])
        line.put(f"{PRESS}/good", [(SIX + minute * MINUTE, 100.0 + minute)])
        await line.at(SIX + minute * MINUTE + 1)
    store, machines = line.oee.store, (PRESS, SAW)
    live = [store.intervals(one, MONDAY, MONDAY + DAY) for one in machines]
    totals = line.oee.reports.totals("", MONDAY, MONDAY + DAY, "slot")
    line.oee.recorder.catch_up()
    assert [store.intervals(one, MONDAY, MONDAY + DAY) for one in machines] == live
    assert line.oee.reports.totals("", MONDAY, MONDAY + DAY, "slot") == totals


async def test_late_rows_change_what_they_touch(line: Line) -> None:
    """A stop that a gateway tells a day later is in Monday's figures then, and Tuesday's stay."""
    await an_hour(line)
    await line.at(SIX + DAY)
    line.put(f"{PRESS}/state", [(SIX + DAY, RUN)])
    await line.at(SIX + DAY + HOUR)
    tuesday = line.oee.reports.totals("", MONDAY + DAY, MONDAY + 2 * DAY, "slot")
    production = line.time("production")
    line.put(f"{PRESS}/state", [(SIX + 35 * MINUTE, STOP), (SIX + 50 * MINUTE, RUN)])
    await line.late()
    assert line.time("breakdown") == 600 + 900
    assert line.time("production") == production - 900
    again = line.oee.reports.totals("", MONDAY + DAY, MONDAY + 2 * DAY, "slot")
    assert set(again) == set(tuesday)
    assert again[(str(SIX + DAY),)].breakdown == tuesday[(str(SIX + DAY),)].breakdown
    assert line.time("calendar") == DAY / 1e6


async def test_a_reason_of_last_week_changes_everything(line: Line) -> None:
    """Given a week later, it moves the time from breakdown to set-up in KPIs, losses and timeline, and is audited."""
    await an_hour(line)
    await line.at(SIX + 7 * DAY)
    before = line.kpi("nee")
    note = (PRESS, Note(SIX + 20 * MINUTE, SIX + 30 * MINUTE, "tool"), "key-12345-0")
    assert line.oee.store.add_notes([note], "anna", line.clock.now_us(), "reason", {"after": "tool"})
    line.oee.recorder.reasons_changed(line.oee.setup.machines[PRESS], note[1].start, note[1].end)
    assert (line.time("setup"), line.time("breakdown")) == (600, 0)
    assert line.kpi("nee") > before
    rows = line.oee.reports.losses(PRESS, MONDAY, MONDAY + DAY)["pareto"]
    assert [(row["reason"], row["time"] / 1e6, row["money"]) for row in rows if row["reason"]] == [
        ("tool", 600, pytest.approx(100 / 6))
    ]
    assert line.kpi("quality") == pytest.approx(100 / 102)  # parts are what they were
    assert [(one["by"], one["action"]) for one in line.oee.store.audited(PRESS, 10)] == [("anna", "reason")]
    assert not line.oee.store.add_notes([note], "anna", 1, "reason", {})  # the same entry again is none


async def test_a_split_and_a_correction(line: Line) -> None:
    """One stop can have two reasons; what is said later counts; an empty reason takes it back."""
    await an_hour(line)
    press = line.oee.setup.machines[PRESS]
    start = SIX + 20 * MINUTE

    def give(number: int, *spans: tuple[int, int, str]) -> None:
        notes = [(PRESS, Note(start + a * MINUTE, start + b * MINUTE, why), f"key-{number}-{n}")
                 for n, (a, b, why) in enumerate(spans)]  # fmt: skip
        line.oee.store.add_notes(notes, "anna", number, "reason", {})
        line.oee.recorder.reasons_changed(press, start, start + 10 * MINUTE)

    give(1, (0, 4, "tool"), (4, 10, "material"))
    assert (line.time("setup"), line.time("delay"), line.time("breakdown")) == (240, 360, 0)
    give(2, (0, 10, "hydraulics"))
    assert (line.time("setup"), line.time("breakdown")) == (0, 600)
    give(3, (0, 10, ""))
    cells = line.oee.reports.timeline(press, start, start + 10 * MINUTE)
    assert [(cell["reason"], cell["given"]) for cell in cells] == [("jam", False)]


async def test_silence_is_unknown(line: Line) -> None:
    """When the gateway is gone the machine is unknown from its last word on, and nothing of that is a loss."""
    await an_hour(line)
    line.services.stream.stale(np.array(list(line.ids.values()), np.uint32), SIX + HOUR)
    await line.at(SIX + 2 * HOUR)
    found = line.oee.reports.kpis(PRESS, MONDAY, MONDAY + DAY, "")["whole"]
    assert found["times"]["unknown"] == pytest.approx(3600, abs=1)
    assert found["times"]["production"] == pytest.approx(3000, abs=1)
    assert found["coverage"] == pytest.approx(0.5, abs=0.01)


async def test_hours_have_a_target(line: Line) -> None:
    """The first hour could have had 120 parts of 30 s, and had 100 good ones; the break's hour has half of it."""
    await an_hour(line)
    rows = line.oee.reports.hours(line.oee.setup.machines[PRESS], SIX, SIX + 8 * HOUR)
    assert (rows[0]["target"], rows[0]["good"], rows[0]["scrap"]) == (120, 100, 2)
    assert rows[4]["target"] == 60

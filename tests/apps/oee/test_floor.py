"""The shop floor's own pages over real tables: proposals, split stops, cycles, change-overs, comparison, handover."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from lineshaft.apps.oee.behind import piece_view, pieces
from lineshaft.apps.oee.board import board
from lineshaft.apps.oee.slots import Note
from lineshaft.hub.security.roles import Role
from lineshaft.model.events import Event, Severity

from .plant import HOUR, MINUTE, PRESS, RUN, SIX, STOP, Line, running
from .test_recorder import an_hour
from .test_routes import headers, served


@pytest.fixture(name="line")
def _line(tmp_path: Path) -> Iterator[Line]:
    with running(tmp_path) as line:
        yield line


def give(line: Line, start: int, end: int, reason: str, key: str) -> None:
    """As an operator would."""
    line.oee.store.add_notes([(PRESS, Note(start, end, reason), key)], "otto", line.clock.now_us(), "reason", {})
    line.oee.recorder.reasons_changed(line.oee.setup.machines[PRESS], start, end)


async def test_an_alarm_and_what_was_said_after_it_propose_a_reason(line: Line) -> None:
    """Four stops after a pressure alarm were hydraulics: so the fifth is proposed to be, with count and alarm."""
    stops = [SIX + n * 10 * MINUTE for n in range(1, 6)]
    rows = [(SIX, RUN)] + [row for time in stops for row in ((time, STOP), (time + MINUTE, RUN))]
    line.put(f"{PRESS}/state", rows)
    alarms = [
        Event(time - 3_000_000, "alarm.raised", f"{PRESS}/pump", f"pressure {n} bar is low", Severity.HIGH)
        for n, time in enumerate(stops)
    ]
    line.services.state.events.add([*alarms, Event(stops[-1], "oee.stop", PRESS, "a stop", Severity.LOW)])
    await line.at(SIX + HOUR)
    for n, time in enumerate(stops[:4]):
        give(line, time, time + MINUTE, "hydraulics", f"k{n}")
    found = line.oee.proposals.of_stop(line.oee.setup.machines[PRESS], stops[-1])
    first = found["items"][0]
    assert (first["reason"], first["count"], first["of"], first["signs"]) == ("hydraulics", 4, 4, ("alarm", "state"))
    assert (found["alarm"]["message"], found["alarm"]["before"]) == ("pressure 4 bar is low", 3.0)


async def test_an_alarm_just_before_a_stop_proposes_its_reason(line: Line) -> None:
    """Through the API: what the alarm itself names, with its words; after people said otherwise, what they said."""
    stops = [SIX + n * 10 * MINUTE for n in range(1, 5)]
    line.put(f"{PRESS}/state", [(SIX, RUN)] + [row for time in stops for row in ((time, STOP), (time + MINUTE, RUN))])
    line.services.state.events.add([
        Event(time - 2_000_000, "alarm.active", PRESS, f"E17 Jam at infeed, {n} parts", Severity.HIGH)
        for n, time in enumerate(stops)
    ])  # fmt: skip
    await line.at(SIX + HOUR)
    found = await get(line, "proposals", path=PRESS, start=str(stops[3]))
    assert found["alarm"] == {"message": "E17 Jam at infeed, 3 parts", "before": 2.0, "severity": "high"}
    assert found["items"] == [{"reason": "jam", "name": "Jam", "count": 0, "of": 0, "signs": ["alarm"]}]
    for n, time in enumerate(stops[:3]):
        give(line, time, time + MINUTE, "hydraulics", f"key-{n}")
    found = await get(line, "proposals", path=PRESS, start=str(stops[3]))
    assert (found["items"][0]["reason"], found["items"][0]["of"], "alarm" in found["items"][0]["signs"]) == (
        "hydraulics", 3, True
    )  # fmt: skip
    quiet = await get(line, "proposals", path=PRESS, start=str(SIX))
    assert quiet["alarm"] is None


async def test_a_stop_is_split_and_joined_again(line: Line) -> None:
    """Two reasons for two parts make two stops; one reason over both makes them one again."""
    line.put(f"{PRESS}/state", [(SIX, RUN), (SIX + 20 * MINUTE, STOP), (SIX + 40 * MINUTE, RUN)])
    await line.at(SIX + HOUR)
    middle, end = SIX + 30 * MINUTE, SIX + 40 * MINUTE
    give(line, SIX + 20 * MINUTE, middle, "jam", "a")
    give(line, middle, end, "material", "b")
    split = line.oee.reports.stops(PRESS, SIX, SIX + HOUR, 0, 9)
    assert [(one["start"], one["reason"]) for one in split] == [(middle, "material"), (SIX + 20 * MINUTE, "jam")]
    give(line, SIX + 20 * MINUTE, end, "hydraulics", "c")
    (joined,) = line.oee.reports.stops(PRESS, SIX, SIX + HOUR, 0, 9)
    assert (joined["start"], joined["end"], joined["reason"]) == (SIX + 20 * MINUTE, end, "hydraulics")


async def test_a_reason_given_while_it_stands_holds_until_it_runs(line: Line) -> None:
    """The operator says why before the stop is over: the reason covers the rest of it, and not the next stop."""
    line.put(f"{PRESS}/state", [(SIX, RUN), (SIX + 20 * MINUTE, STOP)])
    await line.at(SIX + 25 * MINUTE)
    note = Note(SIX + 20 * MINUTE, SIX + 25 * MINUTE, "hydraulics")
    line.oee.store.add_notes([(PRESS, note, "a")], "otto", line.clock.now_us(), "reason", {}, last_open=True)
    await line.at(SIX + 38 * MINUTE)
    (stop,) = line.oee.reports.stops(PRESS, SIX, SIX + HOUR, 0, 9)
    assert (stop["end"], stop["reason"]) == (SIX + 38 * MINUTE, "hydraulics")
    line.put(f"{PRESS}/state", [(SIX + 40 * MINUTE, RUN), (SIX + 50 * MINUTE, STOP), (SIX + 55 * MINUTE, RUN)])
    await line.at(SIX + HOUR)
    second, first = line.oee.reports.stops(PRESS, SIX, SIX + HOUR, 0, 9)
    assert (first["end"], first["reason"], second["given"]) == (SIX + 40 * MINUTE, "hydraulics", False)
    assert line.oee.store.open_notes([PRESS]) == []


async def test_a_change_over_with_its_phases(line: Line) -> None:
    """From the last good P1 to the first good P2: setting up, a part of it marked as external, and the run-up."""
    line.put(f"{PRESS}/product", [(SIX, "P1"), (SIX + 40 * MINUTE, "P2")])
    line.put(f"{PRESS}/state", [(SIX, RUN), (SIX + 20 * MINUTE, STOP), (SIX + 40 * MINUTE, RUN)])
    line.put(f"{PRESS}/reason", [(SIX, ""), (SIX + 20 * MINUTE, "tooling"), (SIX + 40 * MINUTE, "")])
    counts = [(SIX + n * MINUTE, float(n)) for n in range(20)]
    counts += [(SIX + (42 + n) * MINUTE, 20.0 + n) for n in range(10)]
    line.put(f"{PRESS}/good", counts)
    await line.at(SIX + HOUR)
    give(line, SIX + 20 * MINUTE, SIX + 40 * MINUTE, "tool", "a")
    give(line, SIX + 20 * MINUTE, SIX + 28 * MINUTE, "fetch", "b")
    (row,) = (page := await get(line, "changeovers"))["items"]
    assert (row["before"], row["after"], row["seconds"]) == ("P1", "P2", 23 * 60)
    assert row["phases"] == {"internal": 720, "external": 480, "run_up": 180, "waiting": 0, "trouble": 0}
    assert (page["marked"], page["pairs"][0]["count"], page["pairs"][0]["money"]) == (True, 1, 23 / 60 * 100)


async def test_cycle_by_cycle(line: Line) -> None:
    """Parts each 30 s, one of them 90 s though the machine says that it ran: a stop within a cycle, with its money."""
    times = [SIX + n * MINUTE // 2 for n in range(100)]
    times[60:] = [time + MINUTE for time in times[60:]]
    line.put(f"{PRESS}/product", [(SIX, "P1")])
    line.put(f"{PRESS}/state", [(SIX, RUN)])
    line.put(f"{PRESS}/good", [(time, float(n)) for n, time in enumerate(times)])
    await line.at(SIX + HOUR)
    (found,) = (await get(line, "cycle-times", path=PRESS))["items"]
    assert (found["ideal"], found["suggested"], found["parts"]) == (30, 30, 98)
    assert (found["stops"]["count"], found["stops"]["seconds"]) == (1, 60)
    assert found["stops"]["money"] == pytest.approx(100 / 60)
    assert (found["cycles"][0]["start"], found["cycles"][0]["pace"]) == (times[59], "stop")


async def test_a_comparison_is_made_of_sums(line: Line) -> None:
    """Machines beside each other: the factors add up to the difference, and the whole is no mean of ratios."""
    await an_hour(line)
    page = await get(line, "compare", by="machine")
    parts = {one["key"]: one for one in page["parts"]}
    oee = page["whole"]["kpis"]["oee"]
    assert sum(parts[PRESS]["apart"].values()) == pytest.approx(parts[PRESS]["kpis"]["oee"] - oee)
    busy = sum(one["times"]["busy_plan"] for one in parts.values())
    assert page["whole"]["times"]["busy_plan"] == busy
    assert page["whole"]["change"] is None


async def test_every_figure_opens_what_it_is_made_of(line: Line) -> None:
    """The pieces behind each row, by whatever is compared, add up to its times and counts, cut exactly or not."""
    await an_hour(line)
    reports, start = line.oee.reports, SIX - HOUR
    for end in (start + 24 * HOUR, start + 72 * HOUR):
        for by in ("machine", "line", "area", "product", "order", "day", "shift", "crew", "slot"):
            parts = reports.kpis("", start, end, by)["parts"]
            assert parts
            for part in parts:
                found, complete = pieces(reports, "", start, end, by, part["key"])
                assert complete
                rows = [piece_view(reports, one) for one in found]
                for name, value in (part["times"] | part["counts"]).items():
                    total = sum((one["times"] | one["counts"])[name] for one in rows)
                    assert total == pytest.approx(value), (by, part["key"], name)
    page = await get(line, "behind", by="shift", key="early")
    assert [(one["name"], one["shift"], one["start"]) for one in page["items"]] == [
        ("Saw", "early", SIX), ("Press", "early", SIX)
    ]  # fmt: skip


async def test_a_shift_hands_over(line: Line) -> None:
    """The next shift finds figures, open stops and alarms, reads the note and takes over; each entry counts once."""
    await an_hour(line)
    line.services.state.events.add([Event(SIX + MINUTE, "alarm.raised", f"{PRESS}/pump", "low", Severity.HIGH)])
    async with served(line) as (url, app), httpx.AsyncClient(base_url=f"{url}/api/v1/oee", timeout=30) as client:
        viewer, operator = headers(app, line, Role.VIEWER), headers(app, line, Role.OPERATOR)
        path = "acme/works/line"
        page = (await client.get("/handover", params={"path": path}, headers=viewer)).json()
        assert (page["shift"]["id"], page["shift"]["start"], page["shift"]["over"]) == ("early", SIX, False)
        assert [(one["machine"], one["reason_name"]) for one in page["open"]] == [(PRESS, "Jam")]
        assert [one["message"] for one in page["alarms"]] == ["low"]
        body = {"path": path, "shift_start": SIX, "text": "clamp 2 sticks", "key": "abcdefgh"}
        assert (await client.post("/handovers", json=body, headers=viewer)).status_code == 403
        for new in (True, False):
            assert (await client.post("/handovers", json=body, headers=operator)).json() == {"new": new}
        taken = body | {"kind": "taken", "text": "", "key": "ijklmnop"}
        await client.post("/handovers", json=taken, headers=operator)
        page = (await client.get("/handover", params={"path": path, "start": SIX}, headers=viewer)).json()
        assert [(one["kind"], one["by"]) for one in page["said"]] == [
            ("note", "the-operator"),
            ("taken", "the-operator"),
        ]
        actions = [one["action"] for one in (await client.get("/audit", headers=viewer)).json()["items"]]
        assert actions == ["handover", "handover"]
        assert (page["before"]["id"], page["before"]["taken"]) == ("late", False)
        wrong = body | {"shift_start": 5, "key": "qrstuvwx"}
        assert (await client.post("/handovers", json=wrong, headers=operator)).status_code == 422
        assert (await client.get("/handover", params={"path": PRESS}, headers=viewer)).status_code == 404


async def get(line: Line, page: str, path: str = "", **query: str) -> dict[str, Any]:
    """What a page answers for the first day."""
    async with served(line) as (url, app), httpx.AsyncClient(base_url=f"{url}/api/v1/oee", timeout=30) as client:
        answer = await client.get(
            f"/{page}", params={"start": SIX, "end": SIX + HOUR, "path": path, **query},
            headers=headers(app, line, Role.VIEWER),
        )  # fmt: skip
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_target_follows_the_products(line: Line) -> None:
    """Half an hour of a product of 30 s and half an hour of one of 60 s are 60 and 30 parts that were due."""
    line.put(f"{PRESS}/state", [(SIX, RUN)])
    line.put(f"{PRESS}/product", [(SIX, "P1"), (SIX + 30 * MINUTE, "P9")])
    await line.at(SIX + HOUR)
    (press,) = board(line.oee.reports, PRESS, line.clock.now_us())
    assert press["shift"]["target"] == pytest.approx(90)


async def test_between_shifts_the_board_shows_the_last_shift(line: Line) -> None:
    """Parts after a shift's end are no OEE of a thousand percent: the figures stay those of the shift that was."""
    line.put(f"{PRESS}/state", [(SIX, RUN)])
    await line.at(SIX + HOUR)
    (during,) = board(line.oee.reports, PRESS, line.clock.now_us())
    end = during["shift"]["end"]
    night = next(
        at for at in range(end, end + 24 * HOUR, HOUR) if board(line.oee.reports, PRESS, at)[0]["shift"] is None
    )
    (after,) = board(line.oee.reports, PRESS, night)
    assert during["figures_of"]["start"] == during["shift"]["start"]
    assert after["figures_of"]["shift"]
    assert after["figures_of"]["end"] >= end

"""The shop floor's own pages over real tables: proposals from alarms and history, stops that are split and joined."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lineshaft.apps.oee.slots import Note
from lineshaft.model.events import Event, Severity

from .plant import HOUR, MINUTE, PRESS, RUN, SIX, STOP, Line, running


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

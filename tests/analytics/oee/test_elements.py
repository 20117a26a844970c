"""Whatever happens, every microsecond belongs to exactly one time element."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineshaft.analytics.oee import losses
from lineshaft.analytics.oee.calendar import Calendar, Pattern, Pause, Plan, Special, plan_steps, shifts_between
from lineshaft.analytics.oee.elements import Context, Element, Rules, timeline
from lineshaft.analytics.oee.neighbours import attribute
from lineshaft.analytics.oee.states import State
from lineshaft.analytics.oee.steps import NOTHING, Steps
from lineshaft.analytics.oee.summary import summarise
from lineshaft.analytics.oee.totals import Totals, total

HOUR = 3_600_000_000
MINUTE = HOUR // 60
SECOND = MINUTE // 60


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


BERLIN = Calendar(
    "two",
    "Europe/Berlin",
    (
        Pattern("early", 360, 840, breaks=(Pause(600, 620),)),
        Pattern("late", 840, 1320),
        Pattern("night", 1320, 360, days=("mon", "tue", "wed", "thu", "fri", "sat", "sun"), breaks=(Pause(90, 150),)),
    ),
    frozenset({date(2026, 3, 27)}),
    (Special(date(2026, 3, 25), (Pattern("short", 480, 720),), "training"),),
    (Special(date(2026, 3, 28), (Pattern("overtime", 360, 720),)),),
    ((at("2026-03-26T08:30"), at("2026-03-26T09:00")),),
)
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")
# Three days around a change of the clocks in each of these zones.
NIGHTS = (
    "2026-03-28T00:00", "2026-10-24T12:00", "2026-03-07T20:00", "2026-10-31T20:00", "2026-04-03T10:00",
)  # fmt: skip


@st.composite
def stories(draw: st.DrawFn) -> tuple[int, int, Steps, Steps, Calendar]:
    start = at(draw(st.sampled_from(NIGHTS)))
    end = start + draw(st.integers(1, 3 * 24 * HOUR))
    times = sorted(draw(st.sets(st.integers(start - HOUR, end + HOUR), max_size=25)))
    states = draw(st.lists(st.sampled_from(list(State)), min_size=len(times), max_size=len(times)))
    reasons = sorted(draw(st.sets(st.integers(start, end), max_size=6)))
    values = draw(st.lists(st.integers(-1, 2), min_size=len(reasons), max_size=len(reasons)))
    zone = draw(st.sampled_from(ZONES))
    calendar = Calendar(
        "c", zone, BERLIN.shifts, BERLIN.holidays, BERLIN.specials, BERLIN.overtime, BERLIN.planned_stops
    )
    return start, end, Steps.of(times, states), Steps.of(reasons, values), calendar


def context_of(calendar: Calendar, reasons: Steps, start: int, end: int) -> Context:
    shifts = shifts_between(calendar, start, end)
    plan, index = plan_steps(calendar, shifts, start, end)
    table = np.array([Element.SETUP, NOTHING, Element.DELAY], np.int64)
    return Context(plan, index, reasons, table)


def whole(states: Steps, context: Context, start: int, end: int, rules: Rules | None = None) -> Totals:
    line = timeline(states, context, start, end, rules)
    return Totals.of_elements({element: line.time_of(element) for element in Element})


@given(stories(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_elements_add_up(story: tuple[int, int, Steps, Steps, Calendar], unplanned: bool) -> None:
    """For any states, reasons, calendar, zone and clock change the elements add up to the calendar time."""
    start, end, states, reasons, calendar = story
    found = whole(states, context_of(calendar, reasons, start, end), start, end, Rules(unplanned_work=unplanned))
    assert found.calendar == end - start
    assert found.operation == found.planned_down + found.processing + found.delays + found.no_order
    fall = losses.waterfall(found)
    assert sum(loss.time for loss in fall.losses) + fall.productive == pytest.approx(fall.planned)


@given(stories(), st.data())
@settings(max_examples=80, deadline=None)
def test_parts_add_up_to_the_whole(story: tuple[int, int, Steps, Steps, Calendar], data: st.DataObject) -> None:
    """Cut anywhere (a shift's end, a page's range), the parts together are exactly the whole, element by element."""
    start, end, states, reasons, calendar = story
    context = context_of(calendar, reasons, start, end)
    cut = data.draw(st.integers(start, end))
    line = timeline(states, context, start, end)
    parts = [summarise(line, low, high) for low, high in ((start, cut), (cut, end))]
    assert total(parts) == summarise(line, start, end)


@given(stories(), st.data())
@settings(max_examples=60, deadline=None)
def test_late_data_and_recomputation(story: tuple[int, int, Steps, Steps, Calendar], data: st.DataObject) -> None:
    """In whatever order states arrive, computing anew gives what they would have given in order, and adds up."""
    start, end, states, reasons, calendar = story
    context = context_of(calendar, reasons, start, end)
    rows = list(zip(states.times.tolist(), states.values.tolist(), strict=True))
    shuffled = sorted(data.draw(st.permutations(rows)))
    again = Steps.of([time for time, _ in shuffled], [value for _, value in shuffled])
    assert whole(again, context, start, end) == whole(states, context, start, end)
    some = [row for row in rows if data.draw(st.booleans())]
    partly = Steps.of([time for time, _ in some], [value for _, value in some])
    assert whole(partly, context, start, end).calendar == end - start


@given(st.lists(stories(), min_size=3, max_size=3))
@settings(max_examples=40, deadline=None)
def test_the_machines_add_up_to_the_line(found: list[tuple[int, int, Steps, Steps, Calendar]]) -> None:
    """With neighbours told apart, the machines' elements add up to three times the calendar time."""
    start, end = found[0][0], found[0][1]
    told = attribute([one[2] for one in found], start, end)
    parts = [whole(states, context_of(found[0][4], Steps.of([], []), start, end), start, end) for states, _ in told]
    assert total(parts).calendar == 3 * (end - start)


def test_nights_with_a_clock_change_are_as_long_as_they_are() -> None:
    """The night shift has 7 hours in March and 9 in October, and its break is where the clock on the wall has it."""
    spring = shifts_between(BERLIN, at("2026-03-28T22:00"), at("2026-03-29T03:00"))[0]
    autumn = shifts_between(BERLIN, at("2026-10-24T21:00"), at("2026-10-25T04:00"))[0]
    assert (spring.end - spring.start, autumn.end - autumn.start) == (7 * HOUR, 9 * HOUR)
    assert autumn.breaks == ((at("2026-10-24T23:30"), at("2026-10-25T00:30")),)
    assert (spring.id, spring.day) == ("night", date(2026, 3, 28))


def test_calendar_days_that_are_not_as_usual() -> None:
    """A holiday has no shift of its own, a special day has its own shifts, and overtime comes on top."""
    found = shifts_between(BERLIN, at("2026-03-25T00:00"), at("2026-03-29T00:00"))
    by_day = {day: [one.id for one in found if one.day == date(2026, 3, day)] for day in range(24, 29)}
    assert by_day == {
        24: ["night"], 25: ["short"], 26: ["early", "late", "night"], 27: [], 28: ["overtime", "night"],
    }  # fmt: skip
    assert [one.overtime for one in found if one.id == "overtime"] == [True]


def test_crews_take_turns() -> None:
    """Two crews change places every week."""
    pattern = Pattern("early", 360, 840, crews=("red", "blue"))
    found = shifts_between(Calendar("c", "UTC", (pattern,)), at("2026-03-02T00:00"), at("2026-03-16T00:00"))
    weeks = {shift.crew: [one.day.isocalendar().week for one in found if one.crew == shift.crew] for shift in found}
    assert sorted(map(sorted, weeks.values())) == [[10] * 5, [11] * 5]


def test_a_planned_stop_is_planned_time() -> None:
    """Maintenance that the calendar announced is taken out of the planned busy time, not counted as a loss."""
    start, end = at("2026-03-26T08:00"), at("2026-03-26T10:00")
    context = context_of(BERLIN, Steps.of([], []), start, end)
    found = whole(Steps.of([start], [State.STOPPED]), context, start, end)
    assert (found.planned_down, found.breakdown) == (50 * MINUTE, 70 * MINUTE)  # 20 minutes of break, 30 planned


def test_kinds_of_stops() -> None:
    """Short stops are minor, long ones breakdowns, silence is unknown, and running in a break is production."""
    t = at("2026-03-26T06:00")
    states = Steps.of(
        [t, t + 10 * MINUTE, t + 12 * MINUTE, t + HOUR, t + HOUR + 6 * MINUTE, t + 2 * HOUR],
        [State.RUNNING, State.STOPPED, State.RUNNING, State.FAULT, State.RUNNING, State.UNKNOWN],
    )
    found = whole(states, context_of(BERLIN, Steps.of([], []), t, t + 4 * HOUR), t, t + 4 * HOUR)
    assert (found.minor_stop, found.breakdown) == (2 * MINUTE, 6 * MINUTE)
    assert found.planned_down == 50 * MINUTE
    assert found.unknown == 2 * HOUR + 0 * MINUTE - 50 * MINUTE
    running = Steps.of([t], [State.RUNNING])
    assert whole(running, context_of(BERLIN, Steps.of([], []), t, t + 4 * HOUR), t, t + 4 * HOUR).planned_down == 0


def test_a_reason_says_what_a_stop_was() -> None:
    """A reason moves a stop to its own element, and never touches running time."""
    t = at("2026-03-26T06:00")
    states = Steps.of([t, t + 30 * MINUTE, t + 60 * MINUTE], [State.RUNNING, State.STOPPED, State.RUNNING])
    reasons = Steps.spans([(t + 20 * MINUTE, t + 40 * MINUTE, 0), (t + 40 * MINUTE, t + 70 * MINUTE, 2)])
    found = whole(states, context_of(BERLIN, reasons, t, t + 90 * MINUTE), t, t + 90 * MINUTE)
    assert (found.setup, found.delay, found.breakdown) == (10 * MINUTE, 20 * MINUTE, 0)


def test_starved_and_blocked_are_told_from_down() -> None:
    """With the middle machine down, the one before is blocked by it and the one after starved by it."""
    t = 1_000 * HOUR
    up = Steps.of([t, t + 10 * MINUTE, t + 30 * MINUTE], [State.RUNNING, State.WAITING, State.RUNNING])
    middle = Steps.of([t, t + 5 * MINUTE, t + 25 * MINUTE], [State.RUNNING, State.FAULT, State.RUNNING])
    down = Steps.of([t, t + 8 * MINUTE, t + 26 * MINUTE], [State.RUNNING, State.WAITING, State.RUNNING])
    told = attribute([up, middle, down], t, t + HOUR)
    assert told[0][0].at(np.array([t + 15 * MINUTE]))[0] == State.BLOCKED
    assert told[2][0].at(np.array([t + 15 * MINUTE]))[0] == State.STARVED
    assert [cause.at(np.array([t + 15 * MINUTE]))[0] for _, cause in told] == [1, NOTHING, 1]
    assert told[0][0].at(np.array([t + 27 * MINUTE]))[0] == State.WAITING
    assert told[1][0].at(np.array([t + 15 * MINUTE]))[0] == State.FAULT


def test_without_a_calendar_everything_is_planned() -> None:
    """A machine that no calendar names is planned day and night."""
    plan, shifts = plan_steps(None, (), 0, HOUR)
    assert (plan.values.tolist(), len(shifts)) == ([Plan.WORK], 0)
    assert Rules().minor_stop == 300 * SECOND

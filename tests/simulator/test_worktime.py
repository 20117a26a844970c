"""Shifts become intervals of work."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from tests.simulator.helpers import HOUR, MONDAY

from lineshaft.config.models import CalendarConfig, Plant, ShiftConfig
from lineshaft.simulator.factory import Factory
from lineshaft.simulator.worktime import WorkTime, calendar_for

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> int:
    """Local time in the plant to UTC microseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()) * 1_000_000


def calendar(*shifts: tuple[str, str], holidays: tuple[str, ...] = ()) -> CalendarConfig:
    made = tuple(ShiftConfig(id=f"s{i}", start=start, end=end) for i, (start, end) in enumerate(shifts))
    return CalendarConfig(id="c", shifts=made, holidays=holidays)


def work(made: CalendarConfig | None) -> WorkTime:
    return WorkTime(made, "Europe/Berlin", MONDAY)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-10-05T05:59", False),
        ("2026-10-05T06:00", True),
        ("2026-10-05T10:10", False),  # the break in the middle
        ("2026-10-05T10:25", True),
        ("2026-10-05T14:00", False),
        ("2026-10-06T07:00", False),  # a holiday
        ("2026-10-10T07:00", False),  # Saturday
        ("2026-10-26T06:00", True),  # the day after the clocks went back
    ],
)
def test_early_shift(moment: str, is_open: bool) -> None:
    """Local hours, break, weekend, holiday and the end of summer time are kept."""
    assert work(calendar(("06:00", "14:00"), holidays=("2026-10-06",))).is_open(at(moment)) is is_open


def test_night_shift_ends_on_the_next_day() -> None:
    """A shift whose end is before its start goes over midnight; Friday's ends on Saturday."""
    night = work(calendar(("22:00", "06:00")))
    assert night.is_open(at("2026-10-10T05:00"))
    assert not night.is_open(at("2026-10-10T23:00"))
    assert night.next_open(at("2026-10-10T12:00")) == at("2026-10-12T22:00")


def test_columns_agree_with_single_instants() -> None:
    """The vector form says the same as the single question."""
    part = work(calendar(("06:00", "14:00"), ("14:00", "22:00")))
    times = MONDAY + np.arange(0, 7 * 24 * HOUR, HOUR // 7, dtype=np.int64)
    assert part.open_at(times).tolist() == [part.is_open(int(time)) for time in times]


def test_without_a_calendar_work_never_ends() -> None:
    """No calendar means day and night."""
    assert work(None).is_open(MONDAY)
    assert work(None).next_edge(MONDAY) > MONDAY + 10**15


def test_longest_path_wins(plant: Plant) -> None:
    """A line's own calendar goes before the site's."""
    named = {path: calendar_for(plant, path) for path in ("machining/line-1", "machining/line-2", "assembly/line-3")}
    assert [found.id if found else "" for found in named.values()] == ["line-1", "line-2", "two-shifts"]


def test_a_calendar_that_never_opens_stops_the_lines(plant: Plant) -> None:
    """A plant that always has holidays stands still, and still answers."""
    never = CalendarConfig(id="never", shifts=())
    factory = Factory(plant.model_copy(update={"calendars": (never,)}), MONDAY)
    frame = factory.advance_to(MONDAY + 24 * HOUR)
    assert frame["machining/line-1/cnc-101/state"][-1] == 0
    assert frame["utilities/metering/main-meter/power"][-1] > 5

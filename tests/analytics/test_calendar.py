"""Local days, weeks and months, where the clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from lineshaft.analytics.calendar import spans
from lineshaft.analytics.oee.calendar import instant

HOUR = 3_600_000_000
BERLIN, KOLKATA, ADELAIDE = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata"), ZoneInfo("Australia/Adelaide")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (BERLIN, date(2025, 3, 30), 23),
        (BERLIN, date(2025, 10, 26), 25),
        (BERLIN, date(2025, 7, 1), 24),
        (ADELAIDE, date(2025, 4, 6), 25),
        (ADELAIDE, date(2025, 10, 5), 23),
        (KOLKATA, date(2025, 3, 30), 24),
    ],
)
def test_days_have_their_hours(zone: ZoneInfo, day: date, hours: int) -> None:
    """A day on which the clocks change has 23 or 25 hours, and its hours fill it without a hole."""
    start = instant(day, 0, zone)
    (one,) = spans("1d", start, start + 1, zone)
    assert (one.end - one.start) / HOUR == hours
    parts = list(spans("1h", one.start, one.end, zone))
    assert len(parts) == hours
    assert (parts[0].start, parts[-1].end) == (one.start, one.end)
    assert all(left.end == right.start for left, right in pairwise(parts))


def test_half_hour_zones_begin_at_half_hours() -> None:
    """Midnight in India is 18:30 UTC."""
    (one,) = spans("1d", at("2025-06-01 00:00"), at("2025-06-01 00:01"), KOLKATA)
    assert (one.start, one.end) == (at("2025-05-31 18:30"), at("2025-06-01 18:30"))


def test_months_end_where_they_end() -> None:
    """February of a leap year, and the month in which the clocks change, in local time."""
    found = list(spans("month", at("2024-02-10 00:00"), at("2024-04-02 00:00"), BERLIN))
    assert [one.start for one in found] == [at("2024-01-31 23:00"), at("2024-02-29 23:00"), at("2024-03-31 22:00")]


def test_weeks_begin_on_monday() -> None:
    """A Sunday belongs to the week before."""
    (one,) = spans("1w", at("2025-06-01 10:00"), at("2025-06-01 10:01"), BERLIN)
    assert one.start == at("2025-05-25 22:00")

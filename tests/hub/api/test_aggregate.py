"""Aggregates by local units through the API."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from hub.api.conftest import SIGNALS, Hub, Services, running
from lineshaft.analytics.oee.calendar import Calendar, Pattern
from lineshaft.hub.api.app import create_app
from lineshaft.hub.api.services import PlantInfo

SECOND = 1_000_000
HOUR = 3600 * SECOND


def local(text: str, zone: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * SECOND


@pytest.mark.parametrize(
    ("zone", "month", "hours"),
    [
        ("Europe/Berlin", "2025-03", {"2025-03-29": 24, "2025-03-30": 23, "2025-03-31": 24}),
        ("Europe/Berlin", "2025-10", {"2025-10-25": 24, "2025-10-26": 25, "2025-10-27": 24}),
        ("Australia/Adelaide", "2025-10", {"2025-10-04": 24, "2025-10-05": 23, "2025-10-06": 24}),
        ("Asia/Kolkata", "2025-03", {"2025-03-29": 24, "2025-03-30": 24, "2025-03-31": 24}),
    ],
)
async def test_local_days_are_right_where_the_clocks_change(
    hub: Hub, zone: str, month: str, hours: dict[str, int]
) -> None:
    """One sample an hour: sum and count of a local day are those of its 23, 24 or 25 hours, the month has all."""
    flow = int(hub.ids[0])
    start = local(f"{month}-01", zone)
    times = start + np.arange(31 * 24 + 2) * HOUR
    hub.put(np.full(len(times), flow), times, np.ones(len(times)))
    ends = local("2025-11-01" if month == "2025-10" else "2025-04-01", zone)
    ask = {"signals": flow, "start": start, "end": ends, "tz": zone, "functions": "sum,time_mean,integral"}
    async with hub.client() as client:
        days = (await client.get("/api/v1/aggregate", params=ask | {"bucket": "1d"})).json()
        months = (await client.get("/api/v1/aggregate", params=ask | {"bucket": "month"})).json()
    assert len(days["start"]) == 31
    for day, count in hours.items():
        at = days["start"].index(local(day, zone))
        one = days["series"][0]
        assert one["samples"][at] == one["values"]["sum"][at] == count
        assert one["values"]["integral"][at] == pytest.approx(count)
        assert one["values"]["time_mean"][at] == 1.0
        assert one["gap_seconds"][at] == 0
    total = (ends - start) // HOUR
    assert months["series"][0]["samples"] == [total]
    assert sum(days["series"][0]["values"]["sum"]) == total


async def test_shifts_over_midnight_and_their_gaps(services: Services) -> None:
    """A night shift in which the clocks go back has nine hours; what lies between shifts belongs to none."""
    night = Calendar("works", "Europe/Berlin", (Pattern("night", 22 * 60, 6 * 60, ("sat", "mon")),))
    plant = PlantInfo("x", "Europe/Berlin", calendar=lambda path: night)
    services = replace(services, plant=plant)
    app = create_app(services)
    async with running(app) as url:
        ids = services.state.register(SIGNALS)
        hub = Hub(url, app, services, services.clock, services.historian, ids)  # type: ignore[arg-type]
        start = local("2025-10-25T00:00", "Europe/Berlin")
        times = start + np.arange(96) * HOUR
        hub.put(np.full(96, ids[0]), times, np.arange(96.0))
        ask = {"signals": int(ids[0]), "start": start, "end": start + 96 * HOUR, "bucket": "shift"}
        async with hub.client() as client:
            found = (await client.get("/api/v1/aggregate", params=ask | {"functions": "first,increase"})).json()
    assert found["name"] == ["night", "night"]
    assert [(b - a) // HOUR for a, b in zip(found["start"], found["end"], strict=True)] == [9, 8]
    assert found["series"][0]["samples"] == [9, 8]
    assert found["series"][0]["values"] == {"first": [22.0, 71.0], "increase": [9.0, 8.0]}


async def test_time_in_state_and_gaps(hub: Hub) -> None:
    """Seconds in each state by day, also on days without a row; the future of today is a gap."""
    mode = int(hub.ids[2])
    now = hub.clock.now_us()
    midnight = now // (24 * HOUR) * 24 * HOUR
    hub.put([mode, mode], [midnight - 36 * HOUR, midnight + HOUR], [np.nan, np.nan], ["RUN", "OFF"])
    ask = {"signals": mode, "start": midnight - 48 * HOUR, "end": now, "tz": "UTC", "functions": "time_in_state"}
    async with hub.client() as client:
        found = (await client.get("/api/v1/aggregate", params=ask)).json()
    (series,) = found["series"]
    today = (now - midnight) / SECOND
    assert series["values"]["time_in_state"] == [
        {"RUN": 12 * 3600},
        {"RUN": 24 * 3600},
        {"OFF": today - 3600, "RUN": 3600},
    ]
    assert series["gap_seconds"] == [12 * 3600, 0, 24 * 3600 - today]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"tz": "Mars/Olympus"}, "not an IANA time zone"),
        ({"functions": "mean,median"}, "'median' is not known"),
        ({"functions": ""}, "no function"),
        ({"bucket": "shift"}, "no shift calendar"),
        ({"bucket": "15min", "end": 10**17}, "more than 5000 buckets"),
        ({"end": -1}, "start is not before end"),
    ],
)
async def test_what_cannot_be_asked(hub: Hub, more: dict[str, object], words: str) -> None:
    """A question that cannot be answered says why."""
    async with hub.client() as client:
        ask = {"signals": int(hub.ids[0]), "start": 0, "end": HOUR, **more}
        response = await client.get("/api/v1/aggregate", params=ask)
        assert response.status_code == 422
        assert words in response.json()["detail"]

"""OEE: recorded machine-days, a simulated week with known truth, and a year of 200 machines at the API."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from fastapi import FastAPI
from sqlalchemy import insert

from bench.oee_results import orders, shift_reports, stream
from bench.proposals import proposals
from bench.report import Report, quick
from lineshaft.analytics.oee import kpis
from lineshaft.analytics.oee.elements import Element
from lineshaft.analytics.oee.lines import bottleneck
from lineshaft.analytics.oee.states import State
from lineshaft.analytics.oee.totals import Totals
from lineshaft.apps.base import AppContext
from lineshaft.apps.oee import tables
from lineshaft.apps.oee.app import OEE, make
from lineshaft.apps.oee.parts import Oee
from lineshaft.apps.oee.slots import LossRow, slots_between
from lineshaft.apps.oee.store import Interval, SlotRows, hour_rows, loss_rows, slice_rows
from lineshaft.clock import VirtualClock
from lineshaft.commands.oee import Question, examine
from lineshaft.config.models import Plant
from lineshaft.hub.api.app import create_app
from lineshaft.hub.api.services import PlantInfo, Services
from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.hub.ports import BornSignal
from lineshaft.hub.security.identity import Principal
from lineshaft.hub.security.roles import Role
from lineshaft.hub.state.state import State as HubState
from lineshaft.hub.stream import LiveStream
from lineshaft.model.equipment import Datatype, Signal, SignalKind
from lineshaft.model.samples import SampleBatch

HOUR = 3_600_000_000
DAY = 24 * HOUR
BEGIN = 1_767_225_600_000_000  # 2026-01-01
REASONS = ("jam", "tool", "material", "hydraulics", "people", "setup", "sensor", "other")
CHEAP_HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$0TDfZ1rzRVw"


def recorded(report: Report) -> None:
    """Run time from states against the machine's own counter on every recorded day that has one."""
    folder = (
        Path(os.environ.get("LINESHAFT_DATA") or Path(__file__).parents[2] / "shared" / "data") / "nist_sms" / "raw"
    )
    answers = [examine(path, Question()) for path in sorted(folder.glob("*.txt.gz"))]
    judged = [one for one in answers if one.deviation is not None]
    if not judged:
        report.add("NIST days: largest difference from auto_time", None, "%", target=1.0, better="lower")
        return
    worst = max(judged, key=lambda one: abs(one.deviation or 0))
    naive = max(abs(one.naive_deviation or 0) for one in judged)
    report.add("NIST days with a counter", len(judged), "days")
    report.add("NIST days: largest difference from auto_time", abs(worst.deviation or 0), "%", target=1.0,
               better="lower", note=f"{worst.log}; without mending {naive:.2f} %")  # fmt: skip


def week(report: Report) -> None:
    """The simulated week of tests/apps/oee, with the same truth."""
    from tests.apps.oee import week as weeks

    story = weeks.make()
    worst = dict.fromkeys(("availability", "effectiveness", "quality"), 0.0)
    totals = weeks.figures(story)
    for path, machine in story.setup.machines.items():
        got = kpis.values(totals[path])
        exact = weeks.truth(story.stations[path], path, dict(machine.cycles))
        for name, value in zip(worst, exact, strict=True):
            worst[name] = max(worst[name], abs((got[name] or 0.0) - value) * 100)
    for name, value in worst.items():
        report.add(f"simulated week: {name}, largest error", value, "points", target=0.1, better="lower")
    stops = weeks.stops_found(story)
    report.add("simulated week: stops over 5 s found", 100 * (1 - stops.missed / stops.stops), "%", target=100,
               note=f"{stops.stops} stops, {stops.invented} invented")  # fmt: skip
    report.add("simulated week: start or end of a stop off by at most", stops.furthest / 1e6, "s", target=1.0,
               better="lower", note="one sample is 1 s")  # fmt: skip
    real, counted = weeks.minor_stops(story, totals)
    report.add("simulated week: minor stops, error of the count", 100 * abs(counted - real) / real, "%", target=1.0,
               better="lower", note=f"{counted} counted, {real} real")  # fmt: skip
    named = sum(
        (slow := bottleneck([totals[one.path] for one in line.machines])) is not None
        and line.machines[slow.machine].path.endswith(("cnc-102", "cnc-202", "screw-302"))
        for line in story.setup.lines
    )
    report.add("simulated week: true bottlenecks named", named, "of 3", target=3)
    stream(report, story)


def plant_of(machines: int) -> Plant:
    """A plant of lines with ten machines each, two shifts a day."""
    lines = range(machines // 10)
    return Plant.model_validate({
        "plant": {"enterprise": "acme", "site": "big", "name": "Big", "timezone": "Europe/Berlin"},
        "equipment": [
            {"id": f"line-{line}", "level": "line", "children": [{"id": f"m{n}"} for n in range(10)]} for line in lines
        ],
        "calendars": [{"id": "two", "shifts": [
            {"id": name, "start": start, "end": end, "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
             "crews": ["red", "blue"]}
            for name, start, end in (("early", "06:00", "14:00"), ("late", "14:00", "22:00"))
        ]}],
        "oee": {
            "machines": [
                {"asset": f"line-{line}/m{n}", "state": "state", "standard": "packml", "good": "good", "cycle": 30.0,
                 "hourly_cost": 80}
                for line in lines for n in range(10)
            ],
            "lines": [{"path": f"line-{line}", "flow": [f"m{n}" for n in range(10)]} for line in lines],
            "products": [{"id": "P1"}, {"id": "P2"}],
            "reasons": [{"id": one, "name": one.title(), "loss": "setup" if one in ("setup", "tool") else "breakdown"}
                        for one in REASONS],
        },
    })  # fmt: skip


@contextmanager
def hub(machines: int, now: int) -> Iterator[tuple[Oee, Services, dict[str, int]]]:
    """The app over real tables and the real historian, without a gateway."""
    plant = plant_of(machines)
    with tempfile.TemporaryDirectory() as folder:
        clock = VirtualClock(now)
        historian = ClickHouseHistorian(f"chdb:///{folder}/historian")
        historian.open()
        with HubState(f"sqlite:///{folder}/state.db") as state:
            signals = [
                Signal(f"acme/big/line-{line}/m{n}", name, kind, Datatype.DOUBLE)
                for line in range(machines // 10)
                for n in range(10)
                for name, kind in (("state", SignalKind.STATE), ("good", SignalKind.COUNTER))
            ]
            ids = state.register([BornSignal(one, "big/gateway-1", "plc") for one in signals]).tolist()
            services = Services(historian, state, LiveStream(clock), PlantInfo("Big", "Europe/Berlin"), clock)
            oee = make(AppContext(plant, services, historian.listen))
            historian.listen(oee.recorder.committed)
            yield oee, services, {one.path: number for one, number in zip(signals, ids, strict=True)}
        historian.close()


def fill(oee: Oee, services: Services, days: int) -> int:
    """Totals, losses and hours of every slot of every machine, and intervals of the last week; gives rows."""
    rng, rows = np.random.default_rng(1), 0
    machines = list(oee.setup.machines.values())
    slots = slots_between(machines[0], BEGIN, BEGIN + days * DAY)
    for machine in machines:
        written = []
        for slot in slots:
            ran = (slot.end - slot.start) * 7 // 10 if slot.shift else 0
            whole = slot.end - slot.start
            slices = []
            for product, share in (("P1", 2), ("P2", 1)) if slot.shift else (("", 3),):
                part, length = ran * share // 3, whole * share // 3
                made = float(part // 31_000_000)
                slices.append((product, "", Totals(
                    non_scheduled=0 if slot.shift else length, production=part,
                    breakdown=(length - part) // 2 if slot.shift else 0,
                    setup=length - part - (length - part) // 2 if slot.shift else 0, produced=made,
                    good=made - 1 if made else 0, scrap=1.0 if made else 0.0, failures=2, stops=6, minor_stops=9,
                )))  # fmt: skip
            losses = tuple(
                LossRow(REASONS[int(k)], Element.BREAKDOWN, int(rng.integers(1, 9)) * 60_000_000, 2, False)
                for k in rng.permutation(len(REASONS))[:5]
            ) if slot.shift else ()  # fmt: skip
            hours = tuple((slot.start + n * HOUR, "P1", 90.0, 1.0) for n in range((slot.end - slot.start) // HOUR))
            intervals = _intervals(slot.start, slot.end, rng) if slot.start > BEGIN + (days - 7) * DAY else None
            written.append(SlotRows(machine.path, slot, tuple(slices), losses, hours if slot.shift else (), intervals,
                                    slot.start))  # fmt: skip
        parts = (
            (tables.slices, [row for one in written for row in slice_rows(one)]),
            (tables.losses, [row for one in written for row in loss_rows(one)]),
            (tables.hours, [row for one in written for row in hour_rows(one)]),
            (
                tables.intervals,
                [{"machine": one.machine, **asdict(row)} for one in written for row in one.intervals or ()],
            ),
        )
        with services.state.database.write() as connection:
            for table, made in parts:
                connection.execute(insert(table), made)
                rows += len(made)
    oee.store.load()
    return rows


def _intervals(start: int, end: int, rng: np.random.Generator) -> tuple[Interval, ...]:
    times = np.unique(np.concatenate([[start], rng.integers(start, end, 60)])).tolist()
    states = [int(State.RUNNING if n % 2 == 0 else State.STOPPED) for n in range(len(times))]
    return tuple(
        Interval(a, b, state, "", "jam" if state == State.STOPPED else "", "P1", "")
        for a, b, state in zip(times, [*times[1:], end], states, strict=True)
    )


def pages(report: Report, oee: Oee, services: Services, days: int, machines: int) -> None:
    """Every KPI page at the API."""
    app = create_app(services, OEE.routers)
    app.state.apps["oee"] = oee
    services.state.accounts.add_user("anna", Role.ADMIN, CHEAP_HASH, 0)
    token = app.state.identity.make_token(
        Principal("anna", Role.ADMIN, "session", "", None), "bench", Role.ADMIN, None
    )[1]
    end = BEGIN + days * DAY
    year, day = {"start": BEGIN, "end": end}, {"start": end - DAY, "end": end}
    line = "acme/big/line-3"
    asked: list[tuple[str, str, dict[str, Any]]] = [
        *((f"KPIs of the year by {by}", "kpis", {**year, "by": by})
          for by in ("", "machine", "line", "product", "shift", "crew", "day")),
        ("losses of the year", "losses", year),
        ("losses of a line, 30 days", "losses", {"path": line, "start": end - 30 * DAY, "end": end}),
        ("KPIs of a line, the last day exactly", "kpis", {**day, "path": line, "by": "machine"}),
        ("timeline of a line, a day", "timeline", {**day, "path": line}),
        ("hours of a machine, a day", "hours", {**day, "path": f"{line}/m4"}),
        ("stops of a line, a day", "stops", {**day, "path": line}),
        ("board of a line", "now", {"path": line}),
        ("board of all machines", "now", {}),
        ("wall screen of a line", "screen", {"path": line}),
        ("wall screen of all machines", "screen", {}),
        ("comparison of the year by machine", "compare", {**year, "by": "machine"}),
        ("comparison of the year by crew", "compare", {**year, "by": "crew"}),
        ("handover of a line", "handover", {"path": line}),
    ]  # fmt: skip
    with _Client(app, token) as client:
        for name, page, query in asked:
            took = _best(lambda p=page, q=query: client.get(f"/api/v1/oee/{p}", params=q), 3)
            report.add(f"{machines} machines, {days} days: {name}", took * 1000, "ms", target=500, better="lower")
        span = {"start": end - 7 * DAY + 9 * HOUR, "end": end - 7 * DAY + 10 * HOUR, "reason": "tool"}
        began = time.perf_counter()
        answer = client.post(
            "/api/v1/oee/reasons", json={"machine": f"{line}/m4", "reasons": [span], "key": "bench-key-1"}
        )
        changed = client.get("/api/v1/oee/kpis", params={**year, "by": "machine"})
        took = time.perf_counter() - began
        assert answer.status_code == 201, answer.text
        assert changed.status_code == 200
        entries = client.get("/api/v1/oee/audit").json()["items"]
        report.add("a reason of last week: every KPI is the new one after", took, "s", target=2.0, better="lower",
                   note=f"audited for {entries[0]['by']}")  # fmt: skip

        def ask(page: str, query: dict[str, Any]) -> httpx.Response:
            return client.get(f"/api/v1/oee/{page}", params=query)

        shift_reports(report, ask, end, machines)
        orders(report, ask, client.send, end, machines // 10, machines)


class _Client:
    """Asks the app in this process, as a web server would."""

    def __init__(self, app: FastAPI, token: str) -> None:
        transport, headers = httpx.ASGITransport(app), {"authorization": f"Bearer {token}"}
        self._http = httpx.AsyncClient(transport=transport, base_url="http://hub", headers=headers, timeout=600)
        self._loop = asyncio.new_event_loop()

    def __enter__(self) -> _Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.close()

    def get(self, path: str, params: dict[str, Any] | None = None) -> httpx.Response:
        return self._loop.run_until_complete(self._http.get(path, params=params))

    def send(self, page: str, query: dict[str, Any], content: bytes) -> httpx.Response:
        return self._loop.run_until_complete(self._http.post(f"/api/v1/oee/{page}", params=query, content=content))

    def post(self, path: str, json: dict[str, Any]) -> httpx.Response:
        return self._loop.run_until_complete(self._http.post(path, json=json))


def _best(ask: Callable[[], httpx.Response], times: int) -> float:
    """The middle of some askings, in seconds."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        answer = ask()
        took.append(time.perf_counter() - began)
        assert answer.status_code == 200, answer.text
    return sorted(took)[len(took) // 2]


def live(report: Report, oee: Oee, services: Services, ids: dict[str, int], now: int) -> None:
    """From a committed row of every machine to its place in the KPIs."""
    historian = services.historian
    numbers = list(ids.values())
    first = SampleBatch.of(numbers, now - 3 * HOUR, [6.0] * len(numbers))
    historian.append(first, "live-0")
    oee.recorder.step()
    took = []
    for n in range(1, 4):
        values = [6.0 if path.endswith("state") else float(n) for path in ids]
        states = [2.0 if path.endswith("state") and n == 2 else value for path, value in zip(ids, values, strict=True)]
        historian.append(SampleBatch.of(numbers, now - HOUR + n * 60_000_000, states), f"live-{n}")
        began = time.perf_counter()
        oee.recorder.step()
        took.append(time.perf_counter() - began)
    name = f"live KPIs of {len(oee.setup.machines)} machines that all change at once: behind by"
    note = "0.5 s until the recorder looks, the rest is its work"
    report.add(name, max(took) + 0.5, "s", target=2.0, better="lower", note=note)


def main() -> int:
    report = Report("oee")
    recorded(report)
    week(report)
    proposals(report, 4)
    machines, days = (200, 60) if quick() else (200, 365)
    now = BEGIN + days * DAY - 2 * HOUR
    with hub(machines, now) as (oee, services, ids):
        began = time.perf_counter()
        rows = fill(oee, services, days)
        report.add(
            f"rows of {machines} machines and {days} days", rows, "rows", note=f"{time.perf_counter() - began:.0f} s"
        )
        pages(report, oee, services, days, machines)
        live(report, oee, services, ids, now)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

"""OEE: the operator of machine states against the KPIs over a simulated week, orders, and shift reports."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np

from bench.report import Report
from lineshaft.analytics.oee.stops import cells_of, fold
from lineshaft.apps.oee.order_files import csv_of, iso
from lineshaft.apps.oee.report_pdf import report_pdf
from lineshaft.apps.oee.stories import tell_line
from lineshaft.config.load import load_plant
from lineshaft.config.oee import MachineStatesConfig, OeeConfig, states_operator
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.gateway.plan import make_plan
from lineshaft.hub.operators.order import in_order
from lineshaft.model.equipment import Equipment, Level
from lineshaft.model.samples import SampleBatch
from lineshaft.operators.base import Asset
from lineshaft.operators.builtin import spec_of

HOUR = 3_600_000_000
DAY = 24 * HOUR
Ask = Callable[[str, dict[str, Any]], httpx.Response]
Send = Callable[[str, dict[str, Any], bytes], httpx.Response]


def stream(report: Report, story: Any) -> None:
    """The week as rows of an hour each: the operator's stops are those of the KPIs."""
    from tests.apps.oee import week as weeks

    plant = load_plant(weeks.PLANT, DRIVERS)
    config = states_operator(OeeConfig(**dict(plant.oee)), {}, "EUR")
    assert config is not None
    options = MachineStatesConfig.model_validate({**config.options, "least": "0s"}, context={"written": True})
    planned = make_plan(plant).signals
    rows, differ, stops, took = 0, 0, 0, 0.0
    for line in story.setup.lines:
        signals = tuple(one.signal for one in planned if one.signal.path.startswith(line.path + "/"))
        operator = spec_of(config.operator).create(options, Asset(Equipment(line.path, line.name, Level.LINE), signals))
        assert operator is not None
        batch = _rows([one.path for one in operator.inputs], story.columns)
        edges = np.searchsorted(batch.times, np.arange(story.start, story.end + HOUR, HOUR))
        began, events = time.perf_counter(), []
        for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            events += operator.update(batch.take(slice(low, high))).events
        took, rows = took + time.perf_counter() - began, rows + len(batch)
        told = tell_line(line, story.columns, story.setup.reasons, story.start, story.end)
        for machine in line.machines:
            one = told[machine.path]
            cells = cells_of(one.states, one.causes, one.reasons, story.start, story.end)
            exact = {(stop.start, stop.end) for stop in fold(cells).stops}
            found = {
                (event.details["start"], event.details["end"]) for event in events if event.subject == machine.path
            }
            stops, differ = stops + len(exact), differ + len(exact ^ found)
    report.add("simulated week: stops of the operator that are not those of the KPIs", differ, "stops", target=0,
               better="lower", note=f"{stops} stops, rows in pieces of an hour")  # fmt: skip
    report.add("operator of machine states: rows a second", rows / took, "rows/s", note=f"{rows} rows")


def _rows(paths: list[str], columns: Any) -> SampleBatch:
    """The inputs' columns as one batch in order."""
    parts = [
        SampleBatch.of(np.full(len(columns[path].times), place), columns[path].times, columns[path].values,
                       columns[path].qualities, columns[path].texts)
        for place, path in enumerate(paths)
    ]  # fmt: skip
    return in_order(SampleBatch.concat(parts))


def orders(report: Report, ask: Ask, send: Send, end: int, lines: int, machines: int) -> None:
    """A plan of 5000 orders: import, page, and KPIs by order."""
    rows = [
        (f"A-{n}", f"line-{n % lines}", f"P{n % 2 + 1}", 100, iso(end - 60 * DAY + n // lines * 6 * HOUR),
         iso(end - 60 * DAY + (n // lines + 1) * 6 * HOUR))
        for n in range(5000)
    ]  # fmt: skip
    data = csv_of(("id", "path", "product", "quantity", "start", "end"), rows).encode()
    for name, dry in (("preview of", True), ("import of", False)):
        began = time.perf_counter()
        answer = send("orders/import", {"dry_run": dry}, data)
        assert answer.status_code == 200, answer.text
        report.add(f"orders: {name} a CSV file with 5000", time.perf_counter() - began, "s")
    week = {"start": end - 7 * DAY, "end": end + 7 * DAY}
    line = week | {"path": "acme/big/line-3"}
    _page(report, f"{machines} machines: orders of two weeks", lambda: ask("orders", week))
    _page(report, f"{machines} machines: performance of a line's orders", lambda: ask("performance", line))


def shift_reports(report: Report, ask: Ask, end: int, machines: int) -> None:
    """Reports of one shift, of a line and of everything."""
    shifts = ask("reports", {"path": "acme/big/line-3", "start": end - 3 * DAY, "end": end}).json()["items"]
    start = next(one["start"] for one in shifts if one["id"] == "early" and not one["running"])
    for name, path in (("a line", "acme/big/line-3"), (f"all {machines} machines", "")):
        query = {"path": path, "start": start}
        _page(report, f"shift report of {name}", lambda query=query: ask("reports/shift", query))
    data = ask("reports/shift", {"path": "acme/big/line-3", "start": start}).json()["report"]
    began = time.perf_counter()
    pdf = report_pdf(data)
    report.add("shift report of a line: the PDF", (time.perf_counter() - began) * 1000, "ms", note=f"{len(pdf)} bytes")


def _page(report: Report, name: str, asked: Callable[[], httpx.Response]) -> None:
    took = []
    for _ in range(3):
        began = time.perf_counter()
        answer = asked()
        took.append(time.perf_counter() - began)
        assert answer.status_code == 200, answer.text
    report.add(name, sorted(took)[1] * 1000, "ms", target=500, better="lower")

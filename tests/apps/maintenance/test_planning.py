"""Remaining life by the orders of OEE: both apps on one hub over a real web server, orders in, life out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import uvicorn
from tests.apps.oee.plant import DAY, HOUR, PRESS, RUN, SIX, STOP, YAML, Line, running
from tests.apps.oee.test_calendar import summed_up
from tests.apps.oee.test_routes import headers

from lineshaft.apps.maintenance.app import MAINTENANCE, make
from lineshaft.apps.oee.app import OEE
from lineshaft.hub.api.app import create_app, server_config
from lineshaft.hub.ports import BornSignal
from lineshaft.hub.security.roles import Role
from lineshaft.model.equipment import Signal
from lineshaft.model.predictions import Prediction, PredictionKind
from lineshaft.model.samples import SampleBatch

SPINDLE = f"{PRESS}/spindle"
NOW = SIX + 2 * DAY
HEAVY = YAML.replace(
    "products: [{id: P1, name: Part, cycles: {line/press: 30s}}]",
    "products: [{id: P1, cycles: {line/press: 30s}}, {id: P2, cycles: {line/press: 30s}, load: 2}]",
)
LIFE = {"life_p10": 60.0, "life_p50": 100.0, "life_p90": 200.0}


@pytest.fixture(name="line")
def _line(tmp_path: Path) -> Iterator[Line]:
    with running(tmp_path, HEAVY) as line:
        yield line


@asynccontextmanager
async def served(line: Line) -> AsyncIterator[httpx.AsyncClient]:
    """Both apps; the caller is an engineer."""
    app = create_app(line.services, (*OEE.routers, *MAINTENANCE.routers))
    app.state.apps |= {"oee": line.oee, "maintenance": make(line.services)}
    server = uvicorn.Server(server_config(app, "127.0.0.1", 0))
    task = asyncio.create_task(server.serve())
    while not server.started:
        assert not task.done(), task.result()
        await asyncio.sleep(0.01)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/api/v1"
    try:
        async with httpx.AsyncClient(base_url=url, headers=headers(app, line, Role.ENGINEER), timeout=30) as http:
            yield http
    finally:
        server.should_exit = True
        await task


async def two_days(line: Line) -> None:
    """The press runs 12 of 24 h, a part of P1 each 30 s; then its spindle has 60 to 200 hours left."""
    for day in range(2):
        begin = SIX + day * DAY
        line.put(f"{PRESS}/state", [(begin, RUN), (begin + DAY // 2, STOP)])
        parts = begin + np.arange(0, DAY // 2, 30_000_000)
        count = 1440.0 * day
        line.put(f"{PRESS}/good", [(time, count + n) for n, time in enumerate(parts.tolist())])
    line.put(f"{PRESS}/product", [(SIX, "P1")])
    await summed_up(line, NOW)
    told = {"health_index": 4.0, "health_stage": 2.0, **LIFE}
    signals = [BornSignal(Signal(SPINDLE, name), "operators", "health") for name in told]
    ids = line.services.state.register(signals).tolist()
    line.historian.append(SampleBatch.of(ids, [NOW - 1] * len(ids), list(told.values())), "health")


async def plan(http: httpx.AsyncClient, *orders: dict[str, Any], remove: tuple[str, ...] = ()) -> dict[str, Any]:
    """Send orders, and ask what is left by the plan."""
    for one in remove:
        assert (await http.delete(f"/oee/orders/{one}")).is_success
    if orders:
        sent = await http.put("/oee/orders", json={"items": [{"path": "line/press", **one} for one in orders]})
        assert sent.status_code == 200, sent.text
    answer = await http.get("/maintenance/plan", params={"path": SPINDLE})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_spindle_lives_as_its_machine_is_planned(line: Line) -> None:
    """Twice the hours by the orders: half the time left; a product of twice the load: an eighth of that; an order of
    few parts runs only so long; no order, or a plan in the operator's options: as it ran before, and why."""
    await two_days(line)
    order = {"id": "A", "product": "P1", "quantity": 100_000, "start": NOW, "end": NOW + 20 * DAY}
    async with served(line) as http:
        none = await plan(http)
        assert (none["life"], "no order" in none["words"]) == (None, True)
        assert (await http.get("/maintenance/health")).json()["items"][0]["planned"] is None

        busy = await plan(http, order)
        assert "the plan runs it 24.0 of 24 h" in busy["words"]
        assert "12.0 of 24 h" in busy["words"]
        assert [busy["life"][name] for name in ("p10", "p50", "p90")] == pytest.approx([30, 50, 100], rel=0.01)
        (shown,) = (await http.get("/maintenance/health")).json()["items"]
        assert (shown["life"]["p50"], shown["planned"]) == (100, busy["life"])

        heavy = await plan(http, {**order, "product": "P2"})
        assert "200 % of the load" in heavy["words"]
        assert heavy["life"]["p50"] == pytest.approx(50 / 8, rel=0.01)

        idle = await plan(http, {**order, "quantity": 120})  # an hour of work in twenty days
        assert idle["hours_a_day"] == pytest.approx(0.05, rel=0.02)
        assert idle["life"]["p50"] == pytest.approx(20 * 24 + (50 - 1) * 2, rel=0.01)

        slow = await plan(http, {**order, "quantity": 10, "cycle": 60, "start": NOW + DAY, "end": NOW + 2 * DAY})
        assert slow["speed"] == pytest.approx(0.5, rel=0.01)

        nobody = await http.get("/maintenance/plan", params={"path": "acme/works/yard"})
        assert nobody.json()["life"] is None
        given = Prediction(
            NOW - HOUR, SPINDLE, PredictionKind.REMAINING_LIFE, "machine-health", "1", 100.0, 60.0, 200.0,
            words="linear growth; under the plan that is given",
        )  # fmt: skip
        line.services.state.predictions.add("health", "spindle", [given], NOW)
        twice = await plan(http)
        assert (twice["life"], "options" in twice["words"]) == (None, True)

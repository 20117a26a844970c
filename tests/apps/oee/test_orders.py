"""Orders over a real web server: the plan, its imports, starting and finishing, and the KPIs that need them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest

from lineshaft.apps.oee.order_view import machine_cycle
from lineshaft.apps.oee.orders import Order
from lineshaft.apps.oee.told_orders import take_orders
from lineshaft.client import Client
from lineshaft.hub.security.roles import Role

from .plant import DAY, HOUR, MINUTE, MONDAY, PRESS, ROOT, SAW, SIX, Line, running
from .test_order_files import SCHEDULE
from .test_recorder import an_hour
from .test_routes import RANGE, headers, served

ORDER = {"id": "4711/10", "path": "line/saw", "product": "S1", "quantity": 40, "start": SIX, "end": SIX + HOUR}
CSV = "id,path,product,quantity,start,end,cycle,crew\nA-1,press,P1,100,2026-03-02T06:00,2026-03-02T07:00,20,red\n"


@pytest.fixture(name="line")
def _line(tmp_path: Path) -> Iterator[Line]:
    with running(tmp_path) as line:
        yield line


def script(url: str, token: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Orders and KPIs as a notebook asks for them."""
    with Client(url, token) as client:
        return client.orders(SAW), client.kpis(PRESS, MONDAY, MONDAY + DAY)


async def test_the_life_of_an_order(line: Line) -> None:
    """Planned, started by an operator, finished: its time, product and ideal cycle are in the KPIs at once."""
    await an_hour(line)
    async with served(line) as (url, app), httpx.AsyncClient(base_url=f"{url}/api/v1/oee", timeout=30) as client:
        operator, engineer = headers(app, line, Role.OPERATOR), headers(app, line, Role.ENGINEER)
        client.headers.update(engineer)
        assert (
            await client.put("/orders", json={"items": [ORDER | {"cycle": 45}]}, headers=operator)
        ).status_code == 403
        first = await client.put("/orders", json={"items": [ORDER | {"cycle": 45}]})
        again = await client.put("/orders", json={"items": [ORDER | {"cycle": 45}]})
        assert (first.json()["added"], again.json()["added"], again.json()["same"]) == (["4711/10"], [], ["4711/10"])
        assert (await client.get("/orders")).json()["items"][0]["path"] == SAW

        started = await client.post("/orders/4711/10/start", json={"at": SIX + 10 * MINUTE}, headers=operator)
        assert started.json()["state"] == "running", started.text
        assert (await client.post("/orders/4711/10/start", json={}, headers=operator)).status_code == 200
        (row,) = (await client.get("/orders", params={"path": SAW})).json()["items"]
        assert (row["state"], row["began"], row["good"], row["late"]) == ("running", SIX + 10 * MINUTE, 40, False)
        table, figures = await asyncio.to_thread(script, url, engineer["authorization"].removeprefix("Bearer "))
        assert (table.index.tolist(), table.loc["4711/10", "good"]) == (["4711/10"], 40)
        assert table.loc["4711/10", ["began", "ended"]].isna().tolist() == [False, True]
        assert table.loc["4711/10", "began"] == pd.Timestamp(SIX + 10 * MINUTE, unit="us", tz="UTC")
        params = {"path": PRESS, "start": MONDAY, "end": MONDAY + DAY}
        assert figures == (await client.get("/kpis", params=params)).json()
        assert (await client.delete("/orders/4711/10")).status_code == 422  # it has begun

        await client.put("/orders", json={"items": [ORDER | {"id": "next", "product": "S2"}]})
        clash = await client.post("/orders/next/start", json={}, headers=operator)
        assert (clash.status_code, "4711/10" in clash.json()["detail"]) == (409, True)
        ended = await client.post("/orders/4711/10/finish", json={"at": SIX + 50 * MINUTE + 1}, headers=operator)
        assert ended.json()["state"] == "finished"

        parts = (await client.get("/kpis", params={**RANGE, "path": SAW, "by": "order"})).json()["parts"]
        mine = next(one for one in parts if one["key"] == "4711/10")
        assert mine["counts"]["good"] == 40
        assert mine["times"]["ordered"] == pytest.approx(2400)
        assert mine["kpis"]["throughput-rate"] == pytest.approx(40 / 2400 * 3600)
        assert mine["kpis"]["allocation-ratio"] == pytest.approx(39 / 40)  # a minute of waiting that nothing explains
        assert mine["kpis"]["effectiveness"] == pytest.approx(40 * 45 / mine["times"]["production"])
        whole = (await client.get("/kpis", params={**RANGE, "path": SAW})).json()["whole"]
        assert whole["kpis"]["throughput-rate"] is None  # some of the work belonged to no order
        products = (await client.get("/kpis", params={**RANGE, "path": SAW, "by": "product"})).json()["parts"]
        assert {one["key"] for one in products} == {"", "S1"}
        month = {"start": MONDAY - DAY, "end": MONDAY + 30 * DAY, "path": SAW, "by": "order"}
        long = (await client.get("/kpis", params=month)).json()["parts"]
        assert next(one for one in long if one["key"] == "4711/10")["kpis"] == pytest.approx(mine["kpis"])

        actions = [(one["action"], one["by"]) for one in (await client.get("/audit")).json()["items"]]
        assert actions == [
            ("order-finished", "the-operator"), ("order-added", "the-engineer"), ("order-started", "the-operator"),
            ("order-added", "the-engineer"),
        ]  # fmt: skip
    totals = line.oee.reports.totals("", MONDAY, MONDAY + 30 * DAY, "slot")
    line.oee.recorder.catch_up()
    assert line.oee.reports.totals("", MONDAY, MONDAY + 30 * DAY, "slot") == totals


async def test_imports(line: Line) -> None:
    """A preview changes nothing; a file with one mistake imports nothing; the same file twice changes nothing."""
    async with served(line) as (url, app), httpx.AsyncClient(base_url=f"{url}/api/v1/oee", timeout=30) as client:
        client.headers.update(headers(app, line, Role.ENGINEER))
        dry = (await client.post("/orders/import", params={"dry_run": True}, content=CSV)).json()
        assert (dry["added"], dry["errors"], dry["orders"][0]["row"]) == (["A-1"], [], 2)
        assert (await client.get("/orders")).json()["items"] == []

        wrong = CSV + "A-2,nowhere,P1,0,2026-03-02T06:00,2026-03-02T05:00,,\n"
        preview = (await client.post("/orders/import", params={"dry_run": True}, content=wrong)).json()
        assert [(one["row"], one["field"]) for one in preview["errors"]] == [(3, "path"), (3, "quantity"), (3, "end")]
        refused = await client.post("/orders/import", content=wrong)
        assert (refused.status_code, "row 3: path" in refused.json()["detail"]) == (422, True)
        assert (await client.get("/orders")).json()["items"] == []

        assert (await client.post("/orders/import", content=CSV)).json()["added"] == ["A-1"]
        assert (await client.post("/orders/import", content=CSV)).json()["same"] == ["A-1"]
        changed = (await client.post("/orders/import", content=CSV.replace("100", "150"))).json()
        assert changed["changed"] == ["A-1"]
        b2mml = await client.post("/orders/import", content=SCHEDULE)
        assert b2mml.json()["added"] == ["4711"]
        assert b2mml.json()["warnings"] == []
        (first, second) = (await client.get("/orders", params={"path": f"{ROOT}/line"})).json()["items"]
        assert (first["id"], second["id"], second["clash"]) == ("4711", "A-1", "4711")
        assert (second["quantity"], second["cycle"], second["path"]) == (150, 20, PRESS)
        assert (await client.delete("/orders/A-1")).json()["removed"] == ["A-1"]
        assert (await client.delete("/orders/A-1")).status_code == 404
        bomb = '<!DOCTYPE x [<!ENTITY a "ha">]><ProductionSchedule>&a;</ProductionSchedule>'
        assert "document type" in (await client.post("/orders/import", content=bomb)).json()["detail"]


async def test_a_cycle_is_suggested_without_a_product(line: Line) -> None:
    """A machine that does not say what it makes has its suggestion too, and the confirmed one counts."""
    await an_hour(line)
    line.put(f"{SAW}/good", [(SIX + HOUR + n * MINUTE // 2, 41.0 + n) for n in range(60)])
    await line.at(SIX + 2 * HOUR)
    async with served(line) as (url, app), httpx.AsyncClient(base_url=f"{url}/api/v1/oee", timeout=30) as client:
        client.headers.update(headers(app, line, Role.ENGINEER))
        (row,) = (await client.get("/cycles", params={**RANGE, "path": SAW})).json()["items"]
        assert (row["product"], row["plant"], row["suggested"]) == ("", 60, pytest.approx(30))
        body = {"machine": SAW, "product": "", "seconds": 30}
        assert (await client.put("/cycles", json=body)).status_code == 200
        found = (await client.get("/kpis", params={**RANGE, "path": SAW})).json()["whole"]
        assert found["kpis"]["effectiveness"] == pytest.approx(100 * 30 / found["times"]["production"])


async def test_orders_that_another_program_knows_of(line: Line) -> None:
    """They come with their actual times into the KPIs; told again nothing changes, and what a person said stays."""
    planned = Order("M-1", SAW, "S1", 40, SIX, SIX + HOUR)
    begun, ended = SIX + 10 * MINUTE, SIX + 50 * MINUTE + 1
    take_orders(line.oee, "import", [planned, Order("M-9", f"{ROOT}/elsewhere", "S1", 40, SIX, SIX + HOUR, None)])
    take_orders(line.oee, "import", [replace(planned, began=begun, ended=ended)])
    await an_hour(line)
    (found,) = line.oee.store.orders.find()
    assert (found.began, found.ended) == (begun, ended)
    totals = line.oee.store.totals([SAW], MONDAY, MONDAY + DAY, "order", machine_cycle)
    assert totals[("M-1",)].good == 40
    line.oee.store.orders.moment(found, begun + MINUTE, ended, "kim", SIX + HOUR, "order-started")
    take_orders(line.oee, "import", [replace(planned, began=begun, ended=ended, quantity=999)])
    assert line.oee.store.orders.find() == [replace(found, began=begun + MINUTE)]

"""Operators and backtests through the API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from hub.api.conftest import ASSET, SIGNALS, Hub, Services, running
from hub.api.test_python_client import ask
from lineshaft.config.operators import OperatorConfig
from lineshaft.hub.api.app import create_app
from lineshaft.hub.operators.backtest import Backtests
from lineshaft.hub.operators.engine import Operators
from lineshaft.hub.operators.plan import planned
from lineshaft.hub.operators.trials import OperatorDesk
from lineshaft.hub.operators.worker import OperatorFailed
from lineshaft.hub.security.roles import Role

SITE = "acme/north"
T0 = 1_760_000_000_000_000
SECOND = 1_000_000
RULE = {
    "id": "too-much",
    "operator": "rule",
    "options": {"id": "too-much", "inputs": {"flow": "flow"}, "when": "flow > 50", "message": "Too much flow"},
}


@pytest.fixture(name="with_operators")
async def _with_operators(services: Services, tmp_path: Path) -> AsyncIterator[Hub]:
    ids = services.state.register(SIGNALS)
    plan = (planned(OperatorConfig.model_validate(RULE), SITE),)
    live = Operators(plan, services.historian, services.state, services.clock, delay=0.0)
    live.open()
    desk = OperatorDesk(plan, SITE, services.state.catalogue, Backtests(services.historian), live)
    services = replace(services, operators=desk)
    app = create_app(services)
    async with running(app) as url:
        yield Hub(url, app, services, services.clock, services.historian, ids)  # type: ignore[arg-type]
    desk.backtests.stop()
    live.stop()


async def finished(client: httpx.AsyncClient, job: dict[str, Any]) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while job["state"] in ("waiting", "running"):
            await asyncio.sleep(0.05)  # a page asks like this
            job = (await client.get(f"/api/v1/backtests/{job['id']}")).json()
    return job


async def test_a_backtest_finds_what_the_rule_would_have_found(with_operators: Hub) -> None:
    """A range is tried with the plant's rule and with a changed one; the answer has progress, events and who asked."""
    hub = with_operators
    flow = int(hub.ids[0])
    times = T0 + np.arange(600) * SECOND
    hub.put(np.full(600, flow), times, 40 + 20 * np.sin(np.arange(600) / 50))
    span = {"start": T0, "end": T0 + 600 * SECOND}
    async with hub.client(Role.ENGINEER) as client:
        begun = await client.post("/api/v1/backtests", json={"operator": "too-much", **span})
        assert begun.status_code == 202, begun.text
        job = await finished(client, begun.json())
        assert (job["state"], job["progress"], job["by"]) == ("done", 1.0, "the-engineer")
        kinds = [event["kind"] for event in job["events"]]
        assert kinds == ["rule.too-much.raised", "rule.too-much.ended"] * 2
        assert {event["subject"] for event in job["events"]} == {ASSET}
        options = {**RULE["options"], "when": "flow > 70"}  # type: ignore[dict-item]
        changed = {"config": {**RULE, "options": options}, **span}
        quiet = await finished(client, (await client.post("/api/v1/backtests", json=changed)).json())
        assert (quiet["state"], quiet["events"]) == ("done", [])
        table = await ask(hub, lambda one: one.backtest("too-much", *span.values(), asset=ASSET), Role.ENGINEER)
        assert table["kind"].tolist() == kinds
        assert [one.value // 1000 for one in table["time"]] == [event["time"] for event in job["events"]]
        shown = await ask(hub, lambda one: one.operators())
        assert shown[["operator", "asset", "failures"]].to_numpy().tolist() == [["too-much", ASSET, 0]]
        listed = (await client.get("/api/v1/backtests")).json()["items"]
        assert [one["count"] for one in listed] == [4, 0, 4]
        assert (await client.get("/api/v1/events?limit=1000")).json()["items"] == []


async def test_operators_are_shown_with_their_figures(with_operators: Hub) -> None:
    """What runs where, that it still reads its past, what the plant says, and which kinds there are."""
    desk = with_operators.services.operators
    assert desk is not None
    assert desk.live is not None
    async with with_operators.client(Role.VIEWER) as client:
        before = (await client.get("/api/v1/operators")).json()
        desk.live.main.step()
        found = (await client.get("/api/v1/operators")).json()
    assert [one["state"] for one in before["items"]] == ["reading history"]
    assert [(one["operator"], one["asset"], one["state"]) for one in found["items"]] == [("too-much", ASSET, "running")]
    assert [one["id"] for one in found["plan"]] == ["too-much"]
    assert "rule" in {one["name"] for one in found["kinds"]}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"operator": "none"}, "there is no operator 'none'"),
        ({}, "either operator or config"),
        ({"operator": "too-much", "asset": "acme/north"}, "does not fit the asset acme/north"),
        ({"operator": "too-much", "end": 0}, "start is not before end"),
        ({"config": {**RULE, "operator": "os:system"}}, "the plant does not use os:system"),
        ({"config": {**RULE, "operator": "magic"}}, "unknown operator 'magic'"),
        ({"config": {**RULE, "options": {"id": "x"}}}, "options.inputs"),
    ],
)
async def test_what_cannot_be_tried(with_operators: Hub, body: dict[str, object], words: str) -> None:
    """A backtest that cannot be made is refused in words."""
    async with with_operators.client() as client:
        response = await client.post("/api/v1/backtests", json={"start": 0, "end": SECOND, **body})
        assert response.status_code == 422
        assert words in response.json()["detail"]


async def test_a_viewer_may_look_but_not_begin(with_operators: Hub) -> None:
    """Backtests cost; an engineer begins them."""
    async with with_operators.client(Role.VIEWER) as client:
        body = {"operator": "too-much", "start": 0, "end": SECOND}
        assert (await client.post("/api/v1/backtests", json=body)).status_code == 403
        assert (await client.get("/api/v1/backtests")).json() == {"items": [], "next": None}


async def test_one_that_fails_is_tried_when_asked(with_operators: Hub) -> None:
    """Who may act tries it now; a viewer may not, and one that works is not there to be tried. Its events are found by
    their kind."""
    hub, live = with_operators, with_operators.services.operators.live  # type: ignore[union-attr]
    assert live is not None
    (run,) = live.main.runs.values()
    body = {"operator": "too-much", "asset": ASSET}
    async with hub.client(Role.OPERATOR) as client:
        works = await client.post("/api/v1/operators/try", json=body)
        assert (works.status_code, "no operator 'too-much' fails" in works.json()["detail"]) == (404, True)
        live.main._fail(run, OperatorFailed("it raised", hint="look at it"))
        (failing,) = (await client.get("/api/v1/operators")).json()["items"]
        assert (failing["state"], failing["hint"], failing["failures"]) == ("failing", "look at it", 1)
        assert failing["next_try"] > failing["last_failure"] == failing["failing_since"]
        table = await ask(hub, lambda one: one.operators())
        assert table.loc[0, "failing_since"].value // 1000 == failing["failing_since"]
        assert (await client.post("/api/v1/operators/try", json=body)).status_code == 202
        live.apart.step()
        live.apart.step()
        (mended,) = (await client.get("/api/v1/operators")).json()["items"]
        assert (mended["state"], mended["failing_since"], mended["next_try"]) == ("running", 0, 0)
        told = (await client.get("/api/v1/events?kind=operator.")).json()["items"]
        assert {one["kind"] for one in told} == {"operator.failing", "operator.recovered"}
        assert (await client.get("/api/v1/events?kind=rule.")).json()["items"] == []
        asked = await ask(hub, lambda one: one.events(kind="operator.recovered"))
        assert asked["kind"].tolist() == ["operator.recovered"]
    async with hub.client(Role.VIEWER) as client:
        assert (await client.post("/api/v1/operators/try", json=body)).status_code == 403


async def test_a_signal_says_which_operators_read_it(with_operators: Hub) -> None:
    """The signal's page names the operator and the asset; a signal that no operator reads is used by none."""
    hub = with_operators
    async with hub.client() as client:
        used = []
        for number in hub.ids.tolist():
            items = (await client.get(f"/api/v1/signals/{number}/uses")).json()["items"]
            used.append([(one["kind"], one["name"], one["where"], one["role"]) for one in items])
        assert ("operator", RULE["id"], ASSET, "input") in [one for items in used for one in items]
        assert [] in used

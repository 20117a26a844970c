"""The API of OEE over a real web server: roles, bad input, and another open page that is told of a change."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from websockets.asyncio.client import connect

from lineshaft.apps.oee.app import OEE
from lineshaft.apps.oee.slots import Note
from lineshaft.hub.api.app import create_app, server_config
from lineshaft.hub.security.identity import Principal
from lineshaft.hub.security.roles import Role

from .plant import DAY, HOUR, MINUTE, MONDAY, PRESS, SIX, Line, running
from .test_recorder import an_hour

CHEAP_HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$0TDfZ1rzRVw"
RANGE = {"start": MONDAY, "end": MONDAY + DAY}


@pytest.fixture(name="line")
def _line(tmp_path: Path) -> Iterator[Line]:
    with running(tmp_path) as line:
        yield line


@asynccontextmanager
async def served(line: Line) -> AsyncIterator[tuple[str, FastAPI]]:
    app = create_app(line.services, OEE.routers)
    app.state.apps["oee"] = line.oee
    server = uvicorn.Server(server_config(app, "127.0.0.1", 0))
    task = asyncio.create_task(server.serve())
    while not server.started:
        assert not task.done(), task.result()
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", app
    finally:
        server.should_exit = True
        await task


def headers(app: FastAPI, line: Line, role: Role) -> dict[str, str]:
    line.services.state.accounts.add_user(f"the-{role}", role, CHEAP_HASH, 0)
    owner = Principal(f"the-{role}", role, "session", "", None)
    return {"authorization": f"Bearer {app.state.identity.make_token(owner, 'test', role, None)[1]}"}


def reason(why: str, key: str = "key-12345") -> dict[str, object]:
    span = {"start": SIX + 20 * MINUTE, "end": SIX + 30 * MINUTE, "reason": why}
    return {"machine": PRESS, "reasons": [span], "key": key}


async def test_lists_come_in_pages(line: Line) -> None:
    """Stops, what was said and the audit, walked one by one, are the whole lists."""
    await an_hour(line)
    async with served(line) as (url, app), httpx.AsyncClient(base_url=f"{url}/api/v1/oee", timeout=30) as client:
        client.headers.update(headers(app, line, Role.OPERATOR))
        for number in range(3):
            said = reason("jam" if number % 2 else "", f"key-number-{number}")
            assert (await client.post("/reasons", json=said)).status_code == 201
        for page, least in (("stops", 1), ("notes", 3), ("audit", 3)):
            params = {**RANGE, "path": PRESS}
            whole = (await client.get(f"/{page}", params=params)).json()["items"]
            assert len(whole) >= least
            rows, cursor = [], ""
            for _ in range(len(whole) + 1):
                answer = (await client.get(f"/{page}", params={**params, "limit": 1, "cursor": cursor})).json()
                rows += answer["items"]
                if answer["next"] is None:
                    break
                cursor = answer["next"]
            assert rows == whole, page


async def test_every_page_answers(line: Line) -> None:
    """Each GET gives JSON without NaN, for the plant, a line and a machine."""
    await an_hour(line)
    async with served(line) as (url, app), httpx.AsyncClient(base_url=f"{url}/api/v1/oee", timeout=30) as client:
        client.headers.update(headers(app, line, Role.VIEWER))
        for path in ("", "acme/works/line", PRESS):
            for page in ("setup", "now", "kpis", "losses", "timeline", "stops", "audit", "orders"):
                for by in ("", "machine", "line", "area", "product", "order", "day", "shift", "crew", "slot"):
                    if by and page != "kpis":
                        continue
                    answer = await client.get(f"/{page}", params={**RANGE, "path": path, "by": by})
                    assert answer.status_code == 200, (page, path, by, answer.text)
        for page in ("hours", "cycles", "reliability", "notes"):
            assert (await client.get(f"/{page}", params={**RANGE, "path": PRESS})).status_code == 200
        now = (await client.get("/now", params={"path": PRESS})).json()["items"][0]
        assert (now["state"], now["shift"]["id"], now["shift"]["target"], now["shift"]["good"]) == (
            "running", "early", 120, 100,
        )  # fmt: skip
        gain = await client.get("/what-if", params={**RANGE, "path": PRESS, "loss": "breakdown"})
        assert gain.json()["money"] == pytest.approx(100 / 6)


async def test_bad_questions_are_answered_in_words(line: Line) -> None:
    """Unknown machines, ranges the wrong way round, unknown reasons and losses are refused and say why."""
    async with served(line) as (url, app), httpx.AsyncClient(base_url=f"{url}/api/v1/oee", timeout=30) as client:
        client.headers.update(headers(app, line, Role.OPERATOR))
        wrong = {"start": 5, "end": 5}
        for page, query, status in (
            ("kpis", wrong, 422), ("kpis", {**RANGE, "path": "acme/nowhere"}, 404),
            ("hours", {**RANGE, "path": "x"}, 404),
            ("timeline", {"start": 0, "end": 50 * DAY}, 422), ("what-if", {**RANGE, "loss": "lunch"}, 422),
            ("kpis", {**RANGE, "by": "mood"}, 422),
        ):  # fmt: skip
            answer = await client.get(f"/{page}", params=query)
            assert answer.status_code == status, (page, query, answer.text)
            assert answer.json()["detail"]
        for body, status in (
            (reason("lunch"), 422), (reason("jam") | {"machine": "x"}, 404), (reason("jam") | {"key": "x"}, 422),
            (reason("jam") | {"reasons": []}, 422),
        ):  # fmt: skip
            assert (await client.post("/reasons", json=body)).status_code == status, body
        assert (await client.put("/orders", json={"items": []})).status_code in (403, 422)


async def test_roles(line: Line) -> None:
    """A viewer looks, an operator gives reasons, an engineer plans and confirms cycles; a stranger sees nothing."""
    await an_hour(line)
    order = {"id": "4711", "path": PRESS, "product": "P1", "quantity": 500, "start": SIX, "end": SIX + HOUR}
    cycle = {"machine": PRESS, "product": "P1", "seconds": 25.0}
    async with served(line) as (url, app), httpx.AsyncClient(base_url=f"{url}/api/v1/oee", timeout=30) as client:
        viewer, operator, engineer = (headers(app, line, one) for one in (Role.VIEWER, Role.OPERATOR, Role.ENGINEER))
        assert (await client.get("/setup")).status_code == 401
        assert (await client.post("/reasons", json=reason("tool"), headers=viewer)).status_code == 403
        assert (await client.post("/reasons", json=reason("tool"), headers=operator)).json() == {"new": True}
        assert (await client.post("/reasons", json=reason("tool"), headers=operator)).json() == {"new": False}
        assert (await client.put("/orders", json={"items": [order]}, headers=operator)).status_code == 403
        assert (await client.put("/orders", json={"items": [order]}, headers=engineer)).json()["added"] == ["4711"]
        assert (await client.put("/cycles", json=cycle, headers=engineer)).json()["before"] == 30
        found = (await client.get("/kpis", params={**RANGE, "path": PRESS}, headers=viewer)).json()["whole"]
        assert found["kpis"]["effectiveness"] == pytest.approx(102 * 25 / 3000)
        assert found["times"]["setup"] == 600
        entries = (await client.get("/audit", headers=viewer)).json()["items"]
        assert [(one["action"], one["by"]) for one in entries] == [
            ("cycle", "the-engineer"), ("order-added", "the-engineer"), ("reason", "the-operator"),
        ]  # fmt: skip


async def test_another_page_is_told(line: Line) -> None:
    """When a reason is given an open page hears which machine has changed, and finds the new Pareto at once."""
    await an_hour(line)
    async with served(line) as (url, app), httpx.AsyncClient(base_url=f"{url}/api/v1/oee", timeout=30) as client:
        token = headers(app, line, Role.OPERATOR)
        async with connect(url.replace("http", "ws") + "/api/v1/live", additional_headers=token) as live:
            await live.send('{"subscribe":[],"interval_ms":20}')
            await client.post("/reasons", json=reason("material"), headers=token)
            async with asyncio.timeout(30):
                while True:
                    message = await live.recv()
                    if isinstance(message, str) and json.loads(message)["type"] == "changed":
                        break
        assert json.loads(message) == {"type": "changed", "topic": "oee", "items": [PRESS]}
        rows = (await client.get("/losses", params={**RANGE, "path": PRESS}, headers=token)).json()["pareto"]
        assert rows[0]["name"] == "Material"


async def test_a_wall_screen_shows_the_line(line: Line) -> None:
    """Target by the slowest machine, actual of the last, where the shift will end, stops that nobody explained."""
    await an_hour(line)
    async with served(line) as (url, app), httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=30) as client:
        owner = Principal("boss", Role.ENGINEER, "session", "", None)
        key = app.state.identity.add_screen(owner, "Line")[1]
        await client.post("/session/screen", json={"key": key})
        (found,) = (await client.get("/oee/screen", params={"path": "acme/works/line"})).json()["items"]
        shift = found["shift"]
        assert (shift["good"], shift["target"], shift["target_whole"]) == (40, 60, 450)
        assert shift["projection"] == 300
        assert [one["state"] for one in found["machines"]] == ["running", "running"]
        assert [(one["machine"], one["end"] - one["start"]) for one in found["open"]] == [(PRESS, 10 * MINUTE)]
        assert found["kpis"]["availability"] == pytest.approx(100 / 120)
        assert (await client.get("/oee/kpis", params=RANGE)).status_code == 403
        line.oee.store.add_notes(
            [(PRESS, Note(SIX + 20 * MINUTE, SIX + 30 * MINUTE, "jam"), "a")], "x", 0, "reason", {}
        )
        (found,) = (await client.get("/oee/screen")).json()["items"]
        assert found["open"] == []

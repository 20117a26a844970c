"""Sources, ledger, health and faults through the API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import numpy as np
import pytest

from hub.api.conftest import ASSET, CHEAP_HASH, Hub, running
from lineshaft.hub.api.app import create_app
from lineshaft.hub.api.services import Check, Services
from lineshaft.hub.ports import Drop
from lineshaft.hub.security.identity import Identity, Principal
from lineshaft.hub.security.roles import Role

NODE = "north/gateway-1"
EPOCH = "0f" * 16


async def test_sources_tell_state_buffer_and_errors(hub: Hub) -> None:
    """A gateway shows its buffer and all its signals, a device its error and how to mend it."""
    now = hub.clock.now_us()
    buffer = {"rows": 1200, "bytes": 9, "oldest": now - 5_000_000}
    hub.state.source(NODE, "", "online", now, {"version": "1", "buffer": buffer})
    told = {"error": "no answer", "hint": "check the cable", "protocol": "Modbus TCP"}
    hub.state.source(NODE, "plc-1", "offline", now, told)
    for number in range(20):
        hub.put(hub.ids[:2], now + number, float(number))
    await hub.clock.advance(10)
    async with hub.client(Role.VIEWER) as client:
        gateway, device = (await client.get("/api/v1/sources")).json()["items"]
        assert (gateway["name"], gateway["device"], gateway["signals"]) == ("gateway-1", "", 3)
        assert gateway["buffer_rows"] == 1200
        assert gateway["oldest_age"] == pytest.approx(15.0)
        assert gateway["rate"] == pytest.approx(4.0)
        assert device["state"] == "offline"
        assert device["last"] == now + 19
        assert {key: device[key] for key in told} == told
        checks = {check["part"]: check for check in (await client.get("/api/v1/health")).json()["checks"]}
        assert checks["device plc-1"]["words"] == "no answer"


async def test_the_ledger_says_what_is_pending_and_what_is_unexplained(hub: Hub) -> None:
    """What is missing is pending while the gateway has samples in its buffer, and unexplained when it has none."""
    path = f"{ASSET}/flow"
    one = np.array([10])
    hub.state.ledger.expected(NODE, EPOCH, {path: 20}, 4)
    hub.state.ledger.arrived(hub.ids[:1], one, one * 0)
    hub.state.ledger.dropped(NODE, EPOCH, [Drop(path, 3, 1, 2, "buffer size")])
    async with hub.client(Role.VIEWER) as client:
        for rows, pending in ((50, 7), (0, 0)):
            hub.state.source(NODE, "", "online", 1, {"buffer": {"rows": rows}})
            ledger = (await client.get("/api/v1/ledger", params={"signal": path})).json()
            (row,) = ledger["items"]
            assert (row["pending"], row["unexplained"]) == (pending, 7 - pending)
            assert row["expected"] == row["arrived"] + row["dropped"] + row["pending"] + row["unexplained"]
            assert row["drops"] == [{"rows": 3, "first": 1, "last": 2, "reason": "buffer size"}]
            assert ledger["total"]["expected"] == 20
        by_id = (await client.get("/api/v1/ledger", params={"signal": str(hub.ids[0])})).json()
        assert len(by_id["items"]) == 1


async def test_a_historian_of_another_hub_is_noticed(hub: Hub) -> None:
    """Samples of ids that the catalogue does not know are a failure that says what happened."""
    async with hub.client(Role.VIEWER) as client:
        for signal, state in ((1, "pass"), (77, "fail")):
            hub.put([signal], [1], [1.0])
            checks = {check["part"]: check for check in (await client.get("/api/v1/health")).json()["checks"]}
            assert checks["catalogue"]["state"] == state
        assert "1 signals that the state database does not know" in checks["catalogue"]["words"]


async def test_health_joins_the_checks_of_other_parts(services: Services) -> None:
    """Checks and figures that the process adds are shown; the worst one is the state of the whole."""
    checks = (lambda: [Check("broker", "fail", "does not answer", "start it")],)
    app = create_app(replace(services, checks=checks, figures=lambda: {"rows": 5}))
    services.state.accounts.add_user("a", "viewer", CHEAP_HASH, 0)
    owner = Principal("a", Role.VIEWER, "session", "", None)
    identity: Identity = app.state.identity
    headers = {"authorization": "Bearer " + identity.make_token(owner, "t", Role.VIEWER, None)[1]}
    async with running(app) as url, httpx.AsyncClient(base_url=url, headers=headers) as client:
        health = (await client.get("/api/v1/health")).json()
        assert health["state"] == "fail"
        assert health["figures"] == {"rows": 5}
        assert {"part": "broker", "state": "fail", "words": "does not answer", "mend": "start it"} in health["checks"]


@asynccontextmanager
async def simulator() -> AsyncIterator[tuple[str, list[str]]]:
    """A fault API that records requests and answers 400 to the fault 'bad'."""
    seen: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lower = head.lower()
        length = int(lower.partition("content-length: ")[2].partition("\r\n")[0] or 0)
        body = (await reader.readexactly(length)).decode()
        seen.append(f"{head.partition(' HTTP')[0]} {body}".strip())
        bad = "bad" in body or "bearer secret" not in lower
        text = json.dumps({"title": "there is no fault bad", "detail": "known: x"} if bad else {"number": 1})
        status = "400 Bad Request" if bad else "200 OK"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", seen


async def test_faults_are_passed_on_to_the_simulator(services: Services) -> None:
    """Faults are listed, injected and taken back at the simulator; its refusals come back in its words."""
    async with simulator() as (address, seen):
        app = create_app(replace(services, fault_url=address, fault_token="secret"))
        services.state.accounts.add_user("a", "operator", CHEAP_HASH, 0)
        owner = Principal("a", Role.OPERATOR, "session", "", None)
        headers = {"authorization": "Bearer " + app.state.identity.make_token(owner, "t", Role.OPERATOR, None)[1]}
        async with running(app) as url, httpx.AsyncClient(base_url=url, headers=headers) as client:
            assert (await client.get("/api/v1/faults")).json() == {"number": 1}
            assert (await client.post("/api/v1/faults", json={"id": "x"})).status_code == 201
            assert (await client.delete("/api/v1/faults/3")).status_code == 200
            refused = await client.post("/api/v1/faults", json={"id": "bad"})
            assert refused.status_code == 422
            assert (refused.json()["detail"], refused.json()["hint"]) == ("there is no fault bad", "known: x")
        assert seen[:3] == ["GET /faults", 'POST /faults {"id": "x"}', "DELETE /faults/3"]


async def test_without_a_simulator_there_are_no_faults(hub: Hub) -> None:
    """A real plant says that it has no simulator."""
    async with hub.client() as client:
        assert (await client.get("/api/v1/faults")).status_code == 404

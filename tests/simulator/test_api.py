"""The fault API over real HTTP."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.simulator.helpers import MONDAY

from lineshaft.config.models import Plant
from lineshaft.errors import ConnectionFailed
from lineshaft.simulator.api import TOKEN_FILE, FaultApi, make_token
from lineshaft.simulator.factory import Factory

PUMP = "utilities/cooling-water/pump-1"


@pytest.fixture
async def api(plant: Plant, tmp_path: Path) -> AsyncIterator[FaultApi]:
    async with FaultApi(Factory(plant, MONDAY), make_token(tmp_path), 0) as running:
        yield running


@pytest.fixture
async def client(api: FaultApi, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    token = (tmp_path / TOKEN_FILE).read_text()
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{api.port}", headers={"Authorization": f"Bearer {token}"}
    ) as made:
        yield made


async def test_fault_in_and_out(client: httpx.AsyncClient) -> None:
    """A fault is injected, listed, taken back, and gone."""
    made = await client.post("/faults", json={"id": "cavitation", "asset": PUMP, "severity": 0.7})
    assert made.status_code == 201
    fault = made.json()
    assert (fault["id"], fault["asset"], fault["severity"]) == ("cavitation", PUMP, 0.7)
    assert (await client.get("/faults")).json()["active"] == [fault]
    gone = await client.delete(f"/faults/{fault['number']}")
    assert gone.json()["end"] == MONDAY
    assert (await client.get("/faults")).json()["active"] == []


async def test_catalogue_says_what_can_be_hit(client: httpx.AsyncClient) -> None:
    """Each fault comes with words, targets and its parameter."""
    catalogue = {kind["id"]: kind for kind in (await client.get("/faults")).json()["catalogue"]}
    assert PUMP in catalogue["cavitation"]["targets"]
    assert catalogue["offline"]["target"] == "device"
    assert all(kind["description"] and kind["targets"] for kind in catalogue.values())


async def test_token_is_needed(api: FaultApi, tmp_path: Path) -> None:
    """Without the token of the data folder nothing is told or done; the file is its owner's alone."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{api.port}") as stranger:
        assert (await stranger.get("/faults")).status_code == 401
        assert (await stranger.get("/faults", headers={"Authorization": "Bearer nope"})).status_code == 401
    assert stat.S_IMODE((tmp_path / TOKEN_FILE).stat().st_mode) == 0o600
    assert make_token(tmp_path) == (tmp_path / TOKEN_FILE).read_text()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/faults", b"{", 400),
        ("POST", "/faults", b"[]", 400),
        ("POST", "/faults", b'{"id": "cavitation", "asset": "x"}', 400),
        ("POST", "/faults", b'{"id": "cavitation", "asset": "x", "severity": "a lot"}', 400),
        ("DELETE", "/faults/7", b"", 400),
        ("DELETE", "/faults/seven", b"", 404),
        ("GET", "/else", b"", 404),
        ("PUT", "/faults", b"", 405),
    ],
)
async def test_bad_requests(client: httpx.AsyncClient, method: str, path: str, body: bytes, status: int) -> None:
    """A wrong request is answered in words."""
    answer = await client.request(method, path, content=body)
    assert answer.status_code == status
    assert answer.json()["title"]


async def test_garbage_does_not_stop_it(api: FaultApi, client: httpx.AsyncClient) -> None:
    """Bytes that are no HTTP, and a client that hangs up, leave the API working."""
    for garbage in (b"\x00\x01\r\n\r\n", b"POST /faults HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"GE"):
        _, writer = await asyncio.open_connection("127.0.0.1", api.port)
        writer.write(garbage)
        await writer.drain()
        writer.close()
    assert (await client.get("/faults")).status_code == 200


async def test_taken_port_is_said(api: FaultApi, plant: Plant) -> None:
    """A port that is taken is named."""
    with pytest.raises(ConnectionFailed, match=str(api.port)):
        await FaultApi(Factory(plant, MONDAY), "token", api.port).__aenter__()

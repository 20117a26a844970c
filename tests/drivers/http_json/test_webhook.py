"""What the webhook takes, and what it refuses."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.ports import free_port

from lineshaft.drivers.base import Point
from lineshaft.drivers.http.listener import Refusal, _head
from lineshaft.drivers.http.options import WebhookAddress, WebhookConnection
from lineshaft.drivers.http.webhook import WebhookDriver
from lineshaft.errors import AccessDenied, ConnectionFailed
from lineshaft.model.samples import SampleBatch

from .api import certificate

POINTS = (Point(5, WebhookAddress(value="/v")),)


@asynccontextmanager
async def listening(folder: Path, **options: object) -> AsyncIterator[tuple[WebhookDriver, str, list[SampleBatch]]]:
    (folder / "token").write_text("right\n")
    port = free_port()
    more = {"port": port, "path": "/in", "token_file": str(folder / "token"), **options}
    driver = WebhookDriver(WebhookConnection.model_validate(more))
    batches: list[SampleBatch] = []
    await driver.connect()
    try:
        await driver.subscribe(POINTS, batches.append)
        yield driver, f"http{'s' if 'cert_file' in options else ''}://127.0.0.1:{port}/in", batches
    finally:
        await driver.close()


def client(shown: str = "right", **more: object) -> httpx.AsyncClient:
    return httpx.AsyncClient(headers={"Authorization": f"Bearer {shown}"}, trust_env=False, **more)  # type: ignore[arg-type]


async def test_documents_are_taken(tmp_path: Path) -> None:
    """A document gives its rows before it is answered; a list of documents gives all of theirs."""
    async with listening(tmp_path) as (driver, url, batches), client() as http:
        for body in (b'{"v": 1}', b'[{"v": 2}, {"v": 3}]', b'{"other": 1}'):
            assert (await http.post(url, content=body)).status_code == 204
        assert [value for batch in batches for value in batch.values] == [1, 2, 3]
        assert driver.statistics.documents == 3
        assert [one.address for one in await driver.browse()] == ["/other"]


async def test_what_is_refused(tmp_path: Path) -> None:
    """Without the token, to another path, by another method, too long or malformed: nothing is taken."""
    async with listening(tmp_path, max_body="100B") as (driver, url, batches):
        async with client("wrong") as http:
            assert (await http.post(url, content=b'{"v": 1}')).status_code == 401
        async with httpx.AsyncClient(trust_env=False) as http:
            assert (await http.post(url, content=b'{"v": 1}')).status_code == 401
        async with client() as http:
            assert (await http.post(url + "side", content=b'{"v": 1}')).status_code == 404
            assert (await http.get(url)).status_code == 405
            assert (await http.post(url, content=b'{"v": "' + b"x" * 100 + b'"}')).status_code == 413
            assert (await http.post(url, content=b'{"v": ')).status_code == 400

            async def chunks() -> AsyncIterator[bytes]:
                yield b'{"v": 1}'

            assert (await http.post(url, content=chunks())).status_code == 411
            assert (await http.post(url, content=b'{"v": 9}')).status_code == 204
        assert [value for batch in batches for value in batch.values] == [9]
        assert driver.statistics.malformed == 1


async def test_slow_senders_are_cut(tmp_path: Path) -> None:
    """A sender that does not finish is cut after the timeout, and too many at a time are told so."""
    async with listening(tmp_path, timeout="200ms", max_senders=2) as (_, url, _batches):
        port = httpx.URL(url).port
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        slow[0][1].write(b"POST /in HTTP/1.1\r\n")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(30):
            assert b"503" in await reader.readline()
            assert await slow[0][0].read() == b""
        for one in (writer, *(sender[1] for sender in slow)):
            one.close()
        async with client() as http:
            assert (await http.post(url, content=b'{"v": 1}')).status_code == 204


async def test_https(tmp_path: Path) -> None:
    """With a certificate it listens with TLS only."""
    cert_file, key_file = certificate(tmp_path)
    files = {"cert_file": str(cert_file), "key_file": str(key_file)}
    async with (
        listening(tmp_path, **files) as (_, url, _b),
        client(verify=ssl.create_default_context(cafile=cert_file)) as http,
    ):
        assert (await http.post(url, content=b'{"v": 1}')).status_code == 204


async def test_ports_and_tokens_that_cannot_be_used(tmp_path: Path) -> None:
    """A taken port and an empty or missing token file are said, also by the connection test."""
    async with listening(tmp_path) as (driver, _, _b):
        assert (await driver.test_connection())[0].passed
        second = WebhookDriver(driver.options)
        with pytest.raises(ConnectionFailed, match="cannot listen"):
            await second.connect()
        assert not (await second.test_connection())[0].passed
        (tmp_path / "token").write_text("\n")
        with pytest.raises(AccessDenied, match="empty"):
            await second.connect()


async def test_nothing_is_taken_before_somebody_wants_it(tmp_path: Path) -> None:
    """Until the signals are known a sender is told to come again, rather than its values being lost."""
    (tmp_path / "token").write_text("right\n")
    port = free_port()
    driver = WebhookDriver(WebhookConnection(port=port, path="/in", token_file=str(tmp_path / "token")))
    await driver.connect()
    try:
        async with client() as http:
            assert (await http.post(f"http://127.0.0.1:{port}/in", content=b'{"v": 1}')).status_code == 503
    finally:
        await driver.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.booleans())
async def test_any_head_is_read_or_refused(head: bytes, request: bool) -> None:
    """No bytes from the network crash the reading of a request's head."""
    reader = asyncio.StreamReader()
    reader.feed_data((b"POST /in HTTP/1.1\r\n" if request else b"") + head + b"\r\n\r\n")
    reader.feed_eof()
    try:
        _, _, headers = await _head(reader)
    except Refusal:
        return
    assert all(name == name.strip().lower() for name in headers)

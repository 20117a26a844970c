"""What the HTTP driver does with unchanged documents, secrets, refusals and broken answers."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import ValidationError

from lineshaft.drivers.base import Point
from lineshaft.drivers.http.options import HttpAddress, HttpConnection
from lineshaft.drivers.http.poll import HttpDriver
from lineshaft.errors import AccessDenied, ConnectionFailed, DataError, PeerTimeout
from lineshaft.model.samples import Quality

from .api import Api, certificate


def points(*addresses: str) -> tuple[Point, ...]:
    return tuple(Point(row, HttpAddress.model_validate(address)) for row, address in enumerate(addresses))


@asynccontextmanager
async def connected(api: Api, scheme: str = "http", **options: object) -> AsyncIterator[HttpDriver]:
    await api.start()
    url = f"{scheme}://127.0.0.1:{api.port}/api"
    driver = HttpDriver(HttpConnection.model_validate({"url": url, "timeout": "500ms", **options}))
    try:
        await driver.connect()
        yield driver
    finally:
        await driver.close()
        await api.stop()


async def test_unchanged_documents_are_not_sent_again() -> None:
    """With an ETag an unchanged document costs a 304; a changed one is read."""
    api = Api()
    api.documents = {"/api/a": b'{"v": 1}'}
    async with connected(api) as driver:
        wanted = points("a /v")
        for _ in range(3):
            assert (await driver.read(wanted)).values.tolist() == [1]
        assert (api.answers[200], api.answers[304]) == (1, 2)
        api.documents["/api/a"] = b'{"v": 2}'
        assert (await driver.read(wanted)).values.tolist() == [2]


async def test_secrets_come_from_a_file(tmp_path: Path) -> None:
    """A token or password is read from its file; a wrong one is AccessDenied."""
    secret = tmp_path / "secret"
    basic = base64.b64encode(b"me:right").decode()
    for options, expected in (
        ({"auth": "bearer"}, "Bearer right"),
        ({"auth": "basic", "user": "me"}, f"Basic {basic}"),
    ):
        secret.write_text("right\n")
        async with connected(Api(expected), secret_file=str(secret), **options) as driver:
            secret.write_text("wrong\n")
            with pytest.raises(AccessDenied):
                await driver.connect()
            findings = await driver.test_connection()
            assert not findings[0].passed
            assert "secret_file" in findings[0].mend


async def test_one_missing_document_marks_only_its_points() -> None:
    """404 is bad for its own points; a server error fails the read; a broken document is counted, not a lost device."""
    api = Api()
    api.documents = {"/api/a": b'{"v": 1}', "/api/b": b'{"v": 2}'}
    async with connected(api) as driver:
        batch = await driver.read(points("a /v", "none /v", "b /v", "b /w"))
        assert batch.qualities.tolist() == [192, Quality.BAD_ADDRESS, 192, Quality.BAD_ADDRESS]
        api.statuses["/api/b"] = 503
        with pytest.raises(ConnectionFailed, match="503"):
            await driver.read(points("a /v", "b /v"))
        api.statuses["/api/b"] = 200
        for broken in (b"{", b"", b"<html>"):
            api.documents["/api/b"] = broken
            with pytest.raises(DataError):
                await driver.read(points("a /v", "b /v"))


async def test_too_long_answers_and_silence() -> None:
    """An answer beyond the bound is refused, and a silent server costs the timeout and no more."""
    api = Api()
    api.documents = {"/api/a": b"[" + b"1," * 5000 + b"1]"}
    async with connected(api, max_answer="1KB") as driver:
        with pytest.raises(DataError, match="1000 bytes"):
            await driver.read(points("a /0"))
        api.silent = True
        async with asyncio.timeout(30):
            with pytest.raises(PeerTimeout):
                await driver.read(points("a /0"))


async def test_redirects_are_not_followed() -> None:
    """A redirect could carry the token elsewhere; it is told, not followed."""
    api = Api()
    api.statuses = {"/api/a": 302}
    async with connected(api) as driver:
        with pytest.raises(ConnectionFailed, match="302"):
            await driver.read(points("a /v"))


async def test_certificates_are_checked(tmp_path: Path) -> None:
    """A server that no authority vouches for is refused; with its own authority it is let in."""
    cert_file, key_file = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert_file, key_file)
    api = Api(context=context)
    api.documents = {"/api": b'{"v": 1}'}
    async with connected(api, "https", ca_file=str(cert_file)) as driver:
        assert (await driver.read(points("/v"))).values.tolist() == [1]
        assert [one.passed for one in await driver.test_connection()] == [True, True]
    with pytest.raises(AccessDenied, match="not trusted"):
        async with connected(api, "https"):
            pass


async def test_browse() -> None:
    """The values of a document, each with the address that reads it."""
    api = Api()
    api.documents = {"/api/a": b'{"x": {"y": 1}, "list": ["b"]}'}
    async with connected(api) as driver:
        assert [one.address for one in await driver.browse("a")] == ["a /x/y", "a /list/0"]
        assert await driver.browse("nothing") == ()


@pytest.mark.parametrize(
    "wrong",
    [{"url": "ftp://x"}, {"url": "http://u:p@x"}, {"auth": "bearer"}, {"secret_file": "x"}, {"user": "me"},
     {"headers": {"authorization": "Bearer x"}}, {"url": "http://x/?q=1"}],
)  # fmt: skip
def test_wrong_options(wrong: dict[str, object]) -> None:
    """What cannot work, or would put a secret into the plant folder, is refused when the plant is loaded."""
    with pytest.raises(ValidationError):
        HttpConnection.model_validate({"url": "http://x", **wrong})

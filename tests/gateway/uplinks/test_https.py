"""Batches over HTTPS, against a TLS server in process."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.gateway.helpers import until
from tests.gateway.uplinks.line import FastClock, Line, batch_samples
from tests.gateway.uplinks.pki import Authority
from tests.gateway.uplinks.web import Endpoint, endpoint

from lineshaft.gateway.uplinks.https import MAX_REFUSED, retry_after
from lineshaft.gateway.uplinks.mqtt import BrokerAccess, tls_context

FORCE = "acme/north/hall/press/force"


@pytest.fixture
def server(authority: Authority) -> Iterator[Endpoint]:
    with endpoint(authority.server()) as made:
        yield made


def uplink(server: Endpoint, authority: Authority, **more: object) -> dict[str, object]:
    return {"type": "https", "url": server.url, "tls": {"ca_file": str(authority.ca)}, **more}


async def test_batches_arrive_once_and_in_order(server: Endpoint, authority: Authority, folder: Path) -> None:
    """Each batch is a compressed JSON document with epoch, frames and a key of its own."""
    line = Line(folder, [uplink(server, authority, max_body="4KB", headers={"X-Plant": "north"})])
    async with line.running():
        for _ in range(30):
            line.write(20)
        await until(lambda: line.forwarders["https"].done)
    assert server.samples() == dict.fromkeys(line.written, 1)
    assert list(server.samples()) == line.written
    keys = [request.headers["idempotency-key"] for request in server.requests]
    assert len(set(keys)) == len(keys)
    first = server.requests[0]
    assert keys[0].startswith(line.buffer.epoch.hex() + "-1-")
    assert first.headers["content-type"] == "application/json"
    assert first.headers["content-encoding"] == "gzip"
    assert first.headers["x-plant"] == "north"
    assert max(len(request.body) for request in server.requests) <= 4_000


async def test_lines_can_be_sent_instead(server: Endpoint, authority: Authority, folder: Path) -> None:
    """NDJSON has a sample per line, and each line names its epoch, frame and row."""
    line = Line(folder, [uplink(server, authority, format="ndjson", compress=False)])
    async with line.running():
        line.write(100)
        await until(lambda: line.forwarders["https"].done)
    (request,) = server.requests
    assert request.headers["content-type"] == "application/x-ndjson"
    assert request.body.endswith(b"}\n")
    assert "content-encoding" not in request.headers
    assert [(d["frame"], d["row"], d["value"]) for d in request.documents] == [
        (1, row, float(row)) for row in range(100)
    ]
    assert {document["epoch"] for document in request.documents} == {line.buffer.epoch.hex()}


async def test_a_busy_endpoint_gets_its_pause(server: Endpoint, authority: Authority, folder: Path) -> None:
    """429 and 503 with Retry-After: nothing is sent before that, then the same request with the same key."""
    clock = FastClock(20)
    server.answers = [(429, {"Retry-After": "30"}, '{"title": "too fast"}'), (503, {}, "")]
    line = Line(folder, [uplink(server, authority)], clock=clock)
    async with line.running():
        line.write(10)
        begun = clock.monotonic()
        await until(lambda: server.requests)
        await until(lambda: "429: too fast" in line.status().error)
        assert line.status().state == "offline"
        await until(lambda: len(server.requests) > 1)
        assert clock.monotonic() - begun > 23  # 30 s, spread by 20 %
        await until(lambda: line.forwarders["https"].done)
        await until(lambda: line.status().state == "online")
    assert server.statuses() == [429, 503, 200]
    assert len({request.headers["idempotency-key"] for request in server.requests}) == 1
    assert server.samples() == dict.fromkeys(line.written, 1)


async def test_a_bad_batch_is_dropped_with_a_note(server: Endpoint, authority: Authority, folder: Path) -> None:
    """Only the frame that the endpoint refuses goes, and the note has the endpoint's reason; all others arrive."""
    server.refuses = '"value":45.0'
    line = Line(folder, [uplink(server, authority)])
    for _ in range(10):
        line.write(10)
    async with line.running():
        await until(lambda: line.forwarders["https"].done)
    assert set(server.samples()) == set(line.written) - set(line.written[40:50])
    assert (FORCE, 10, "refused with 422: value out of range") in line.drops()
    (told,) = [d for request in server.accepted() for d in request.documents if "events" in d][:1]
    assert told["events"][0]["type"] in ("dropped", "event")


async def test_an_endpoint_that_refuses_everything_drops_little(
    server: Endpoint, authority: Authority, folder: Path
) -> None:
    """When batch after batch is refused, the rest is kept, and the status says so."""
    server.refuses = "signal"
    line = Line(folder, [uplink(server, authority)], clock=FastClock(20))
    for _ in range(60):
        line.write(10)
    async with line.running():
        await until(lambda: "refuses every batch" in line.status().error)
        assert line.status().pending_rows >= 600 - 10 * (MAX_REFUSED + 2)
        server.refuses = ""
        await until(lambda: line.forwarders["https"].done)
    dropped = sum(rows for _, rows, reason in line.drops() if reason.startswith("refused"))
    assert len(server.samples()) + dropped == 600
    assert dropped <= 10 * (MAX_REFUSED + 2)


async def test_a_changed_token_is_used(server: Endpoint, authority: Authority, folder: Path) -> None:
    """A refused token is told and nothing is lost; the file is read again, without a restart."""
    server.token = "new words"
    (folder / "token").write_text("old words\n")
    line = Line(folder, [uplink(server, authority, token_file="token")], clock=FastClock(20))
    async with line.running():
        line.write(10)
        await until(lambda: "401: unknown token" in line.status().error)
        (folder / "token").write_text("new words\n")
        await until(lambda: line.forwarders["https"].done)
    assert set(server.samples()) == set(line.written)


async def test_a_wrong_address_drops_nothing(server: Endpoint, authority: Authority, folder: Path) -> None:
    """404 is a mistake of the plant folder, not of the batch: the samples stay."""
    server.answers = [(404, {}, "")] * 3
    line = Line(folder, [uplink(server, authority)], clock=FastClock(20))
    async with line.running():
        line.write(10)
        await until(lambda: "answers 404" in line.status().error)
        await until(lambda: line.forwarders["https"].done)
    assert server.samples() == dict.fromkeys(line.written, 1)
    assert line.drops() == []


async def test_a_lost_answer_repeats_the_same_request(server: Endpoint, authority: Authority, folder: Path) -> None:
    """When the connection breaks before the answer, the request comes again with the same key and body."""
    line = Line(folder, [uplink(server, authority)], clock=FastClock(10))
    async with line.running():
        await until(lambda: line.status().state == "online")
        server.down = True
        line.write(10)
        await until(lambda: "cannot reach" in line.status().error)
        line.write(10)
        server.down = False
        await until(lambda: line.forwarders["https"].done)
    assert server.samples() == dict.fromkeys(line.written, 1)
    assert server.requests[0].headers["idempotency-key"].endswith("-1-1-0")


async def test_a_server_that_is_not_trusted_gets_nothing(server: Endpoint, tmp_path: Path, folder: Path) -> None:
    """A certificate of another authority: no request, a clear error, the samples wait."""
    other = Authority(tmp_path / "other", "Other CA")
    line = Line(folder, [uplink(server, other)])
    async with line.running():
        line.write(10)
        await until(lambda: "is not trusted" in line.status().error)
        assert line.status().pending_rows == 10
    assert server.requests == []


async def test_a_client_certificate_can_be_required(authority: Authority, folder: Path) -> None:
    """With a certificate in tls the gateway signs in; without one the server refuses."""
    with endpoint(authority.server(clients=True)) as server:
        # TLS 1.3 refuses after the client's handshake is over: its alert comes in place of an answer.
        anonymous = Line(folder / "a", [uplink(server, authority)])
        (folder / "a").mkdir(exist_ok=True)
        async with anonymous.running():
            anonymous.write(1)
            await until(lambda: "certificate required" in anonymous.status().error)
            assert anonymous.status().state == "offline"
            assert anonymous.status().pending_rows == 1
        keys = {"type": "https", "url": server.url, "tls": authority.tls("press-gw")}
        line = Line(folder / "b", [keys])
        async with line.running():
            line.write(10)
            await until(lambda: line.forwarders["https"].done)
        assert set(batch_samples(d for r in server.accepted() for d in r.documents)) == set(line.written)


def test_retry_after_may_be_seconds_or_a_date() -> None:
    """Both forms of RFC 9110 are understood; nonsense asks for nothing; an endless pause is bounded."""
    now = 1_767_322_800_000_000  # Fri, 02 Jan 2026 03:00:00 GMT
    assert retry_after("12", now) == 12.0
    assert retry_after("Fri, 02 Jan 2026 03:00:20 GMT", now) == 20.0
    assert retry_after("Fri, 02 Jan 2026 02:00:00 GMT", now) == 0.0
    assert retry_after("99999999999999999999", now) == 300.0
    for words in ("", "soon", "-5", "1.5", "\u0661\u0662"):
        assert retry_after(words, now) == 0.0


def test_old_tls_is_not_spoken() -> None:
    """Every uplink wants TLS 1.2 or newer, and a certificate with the right name."""
    context = tls_context(BrokerAccess("localhost", 443, tls=True))
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED

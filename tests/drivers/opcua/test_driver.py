"""Subscriptions, losses, bad nodes and renumbered namespaces, on a real server in this process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary
from pydantic import ValidationError

from lineshaft.drivers import base
from lineshaft.drivers.opcua import SPEC, OpcuaAddress, OpcuaConnection
from lineshaft.drivers.opcua.decode import Columns
from lineshaft.drivers.opcua.driver import OpcuaDriver
from lineshaft.drivers.opcua.subscription import Subscription, SubscriptionStatistics
from lineshaft.drivers.opcua.watch import Watch
from lineshaft.errors import AccessDenied, ConnectionFailed, PeerTimeout, RetryableError
from lineshaft.model.samples import Quality, SampleBatch

from .servers import FieldServer, Line, connected, options_of, points
from .test_decode import publish_response

VALUES = {"a": ua.Variant(1.0), "b": ua.Variant("idle"), "c": ua.Variant([1.0, 2.0], ua.VariantType.Double)}


class Inbox:
    """A sink that can be awaited."""

    def __init__(self) -> None:
        self.batches: list[SampleBatch] = []
        self._news = asyncio.Event()

    def __call__(self, batch: SampleBatch) -> None:
        self.batches.append(batch)
        self._news.set()

    def rows(self) -> list[tuple[int, float, int, str | None]]:
        batch = SampleBatch.concat(self.batches)
        texts: Sequence[Any] = [None] * len(batch) if batch.texts is None else batch.texts.tolist()
        return list(zip(batch.signals.tolist(), batch.values.tolist(), batch.qualities.tolist(), texts, strict=True))

    async def until(self, ready: Callable[[list[tuple[int, float, int, str | None]]], bool]) -> None:
        async with asyncio.timeout(30):
            while not ready(self.rows()):
                self._news.clear()
                await self._news.wait()


async def test_first_values_and_every_change_arrive_in_order() -> None:
    """Each write is one row, with the time of its source."""
    async with FieldServer(VALUES) as server, connected(server.url, queue_size=1000) as driver:
        inbox = Inbox()
        await driver.subscribe(points("a", "b"), inbox)
        await inbox.until(lambda rows: {row[0] for row in rows} == {10, 11})
        before = time.time_ns() // 1000
        for number in range(200):
            await server.write("a", float(number))
        await inbox.until(lambda rows: rows[-1][1] == 199.0)
        changes = [row[1] for row in inbox.rows() if row[0] == 10][1:]
        assert changes == [float(number) for number in range(200)]
        times = SampleBatch.concat(inbox.batches).times[2:]
        assert (times >= before - 1000).all()
        assert (times[1:] >= times[:-1]).all()
        assert driver.statistics.missed == driver.statistics.malformed == 0


async def test_one_bad_node_marks_only_its_own_signal() -> None:
    """An unknown node, an unknown namespace and an array are bad; the other signals live."""
    async with FieldServer(VALUES) as server, connected(server.url) as driver:
        inbox = Inbox()
        await driver.subscribe(points("a", "nothing", "nsu=urn:absent;s=a", "ns=77;s=a", "g=no-guid", "c", "b"), inbox)
        await inbox.until(lambda rows: len({row[0] for row in rows}) == 7)
        qualities = {row[0]: row[2] for row in inbox.rows()}
        bad = dict.fromkeys((11, 12, 13, 14), Quality.BAD_ADDRESS)
        assert qualities == {10: Quality.GOOD, **bad, 15: Quality.BAD_NO_VALUE, 16: Quality.GOOD}
        await server.write("b", "run")
        await inbox.until(lambda rows: rows[-1][3] == "run")


async def test_a_status_of_the_source_becomes_the_quality() -> None:
    """A failed sensor has no value, an inaccurate one keeps it."""
    async with FieldServer(VALUES) as server, connected(server.url) as driver:
        inbox = Inbox()
        await driver.subscribe(points("a"), inbox)
        for code, quality in ((0x808C0000, Quality.BAD_DEVICE), (0x40930000, Quality.UNCERTAIN_SENSOR)):
            await server.nodes["a"].write_value(ua.DataValue(ua.Variant(5.0), ua.StatusCode(code)))
            await inbox.until(lambda rows, wanted=quality: rows != [] and rows[-1][2] == wanted)  # type: ignore[misc]
        assert inbox.rows()[-1][1] == 5.0


async def test_a_stopped_server_is_noticed_and_values_come_back() -> None:
    """wait_closed raises within seconds; close, connect and subscribe mend it, though the namespaces moved."""
    server = FieldServer(VALUES)
    await server.start()
    try:
        async with connected(server.url) as driver:
            inbox = Inbox()
            await driver.subscribe(points("a"), inbox)
            await inbox.until(lambda rows: len(rows) == 1)
            await server.stop()
            with pytest.raises(ConnectionFailed):
                async with asyncio.timeout(30):
                    await driver.wait_closed()
            with pytest.raises(RetryableError):
                await driver.read(points("a"))
            server.padding = 3
            await server.start()
            await driver.close()
            await driver.connect()
            again = Inbox()
            await driver.subscribe(points("a"), again)
            await again.until(lambda rows: [row[1:3] for row in rows] == [(1.0, Quality.GOOD)])
    finally:
        await server.stop()


async def test_a_silent_line_is_a_lost_connection() -> None:
    """A pulled cable closes nothing, yet it is noticed after two and a half keep-alives."""
    async with (
        FieldServer(VALUES) as server,
        Line(server.port) as line,
        connected(f"opc.tcp://127.0.0.1:{line.port}/test") as driver,
    ):
        await driver.subscribe(points("a"), Inbox())
        line.pull()
        with pytest.raises(RetryableError):
            async with asyncio.timeout(30):
                await driver.wait_closed()
        async with asyncio.timeout(30):
            await driver.close()


async def test_polling_reads_in_batches_that_the_server_takes() -> None:
    """A batch size below the number of nodes gives the same rows in the same order."""
    values = {f"n{number}": ua.Variant(float(number)) for number in range(25)}
    async with FieldServer(values) as server, connected(server.url, batch_size=4) as driver:
        names = list(values)
        wanted = points(*names[:9], "nothing", "nsu=urn:absent;s=x", *names[9:])
        for _ in range(2):
            batch = await driver.read(wanted)
            assert batch.signals.tolist() == list(range(10, 37))
            good = batch.qualities == Quality.GOOD
            assert batch.values[good].tolist() == [float(number) for number in range(25)]
            assert batch.signals[~good].tolist() == [19, 20]
            assert set(batch.qualities[~good]) == {Quality.BAD_ADDRESS}


def test_polling_mode_has_no_subscribe() -> None:
    """The engine sees from the abilities whether it has to poll."""
    push, poll = (SPEC.create(options_of("opc.tcp://127.0.0.1:1", mode=mode)) for mode in ("subscribe", "poll"))
    assert isinstance(push, base.Subscribes)
    assert not isinstance(poll, base.Subscribes)
    assert isinstance(poll, base.Browses)
    assert isinstance(poll, base.TestsConnection)


async def test_browse_walks_down_from_the_objects() -> None:
    """Addresses that browse gives can be read, and name the namespace by its URI."""
    async with FieldServer(VALUES) as server, connected(server.url) as driver:
        found = {entry.name: entry for entry in await driver.browse()}
        assert found["Server"].has_children
        assert found["a"].address == "nsu=urn:lineshaft:test;s=a"
        batch = await driver.read(points(*(entry.address for entry in found.values() if entry.datatype)))
        assert Quality.GOOD in batch.qualities
        assert any(entry.name == "ServerStatus" for entry in await driver.browse(found["Server"].address))


async def test_the_connection_test_names_the_step_that_fails() -> None:
    """Closed port, another program on the port, a security that is not offered."""
    async with FieldServer(VALUES) as server:
        driver = SPEC.create(options_of(server.url))
        assert isinstance(driver, base.TestsConnection)
        assert all(finding.passed for finding in await driver.test_connection())
        denied = SPEC.create(
            options_of(server.url, security="Basic256Sha256", cert_file="/absent/c.pem", key_file="/absent/k.pem")
        )
        assert isinstance(denied, base.TestsConnection)
        findings = await denied.test_connection()
        assert [finding.passed for finding in findings] == [True, False]
        assert "Basic256Sha256 sign-and-encrypt is not offered; offered: none" in findings[-1].detail
        with pytest.raises(AccessDenied, match="certificate"):
            await denied.connect()
        url = server.url
    driver = SPEC.create(options_of(url))
    assert isinstance(driver, base.TestsConnection)
    assert [finding.passed for finding in await driver.test_connection()] == [False]


async def test_a_server_that_says_nothing_is_given_up() -> None:
    """A port that accepts and stays silent ends in PeerTimeout, not in a hang."""
    async with FieldServer(VALUES) as server, Line(server.port) as line:
        line.pull()
        driver = SPEC.create(options_of(f"opc.tcp://127.0.0.1:{line.port}/test", request_timeout="300ms"))
        with pytest.raises(PeerTimeout):
            async with asyncio.timeout(30):
                await driver.connect()
        await driver.close()


async def test_a_missing_password_file_is_said(tmp_path: Path) -> None:
    """Before anything is sent to the server."""
    driver = SPEC.create(options_of("opc.tcp://127.0.0.1:1", user="u", password_file=str(tmp_path / "absent")))
    with pytest.raises(AccessDenied, match="password file"):
        await driver.connect()


class _Lossy:
    """A session whose server lost messages 2 and 3 on the way and still has 2."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    async def call(self, request: Any, wait_s: float | None = None) -> bytes:
        sequence = request.Parameters.RetransmitSequenceNumber
        self.asked.append(sequence)
        if sequence == 3:
            raise ua.uaerrors.BadMessageNotAvailable
        item = ua.MonitoredItemNotification(0, ua.DataValue(ua.Variant(2.0)))
        change = ua.DataChangeNotification(MonitoredItems=[item])
        message = ua.NotificationMessage(SequenceNumber=sequence, NotificationData=[change])
        return bytes(struct_to_binary(ua.RepublishResponse(NotificationMessage=message)))


async def test_lost_messages_are_asked_for_again() -> None:
    """A gap in the sequence numbers is filled from the server's memory, and what it no longer has is counted."""
    session, got, statistics = _Lossy(), [], SubscriptionStatistics()
    driver = OpcuaDriver(options_of("opc.tcp://127.0.0.1:1"))
    driver._watch = Watch(points("a"), driver._clock)
    driver._watch.begin(lambda batch: got.extend(batch.values.tolist()))
    subscription = Subscription(session, driver, statistics)  # type: ignore[arg-type]
    subscription.id, subscription._next = 77, 2
    await subscription._message(_numbered(4, 4.0))
    assert session.asked == [2, 3]
    assert got == [2.0, 4.0]
    assert (statistics.republished, statistics.missed) == (1, 1)
    assert [a.SequenceNumber for a in subscription._acknowledge] == [2, 4]


def _numbered(sequence: int, value: float) -> bytes:
    data = bytearray(publish_response([ua.DataValue(ua.Variant(value))]))
    at = data.index((41).to_bytes(4, "little"), data.index((41).to_bytes(4, "little")) + 4)
    data[at : at + 4] = sequence.to_bytes(4, "little")
    return bytes(data)


def test_columns_without_rows_make_an_empty_batch() -> None:
    """A message may carry nothing for us."""
    assert len(Columns().batch(np.zeros(0, np.uint32), 0)) == 0


@pytest.mark.parametrize(
    "node", ["", "s=", "x=1", "ns=a;s=1", "nsu=;s=1", "i=abc", "i=99999999999", "Tank.Level", "ns=2", "s"]
)
def test_a_malformed_address_is_refused(node: str) -> None:
    """With words that show how an address looks."""
    with pytest.raises(ValidationError):
        OpcuaAddress.model_validate(node)


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://x"}, {"url": "opc.tcp://"}, {"url": "opc.tcp://u:p@host"}, {"security": "Basic128"},
        {"cert_file": "x"}, {"user": "me"}, {"password_file": "x"}, {"publishing_interval": 5}, {"typo": 1},
        {"user_cert_file": "x"}, {"user": "me", "password_file": "x", "user_cert_file": "x", "user_key_file": "x"},
    ],
)  # fmt: skip
def test_wrong_options_are_refused(wrong: dict[str, Any]) -> None:
    """Before anything is connected."""
    with pytest.raises(ValidationError):
        OpcuaConnection.model_validate({"url": "opc.tcp://host:4840", "security": "none", **wrong})

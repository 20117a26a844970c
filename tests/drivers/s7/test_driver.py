"""What the S7 driver does with refusals, silence and controllers that change."""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from lineshaft.clock import VirtualClock
from lineshaft.drivers.s7.blocks import REPLY_HEAD, REQUEST_HEAD, Span, longest_item, merge, pack
from lineshaft.drivers.s7.driver import S7Driver
from lineshaft.drivers.s7.options import S7Connection
from lineshaft.errors import AccessDenied, ConnectionFailed, PeerTimeout
from lineshaft.model.samples import Quality
from lineshaft.testing import expect_values

from .plc import EXPECTED, address, points, server

CONFIRM = bytes.fromhex("0300000b06d0000100 0200".replace(" ", ""))


@asynccontextmanager
async def scripted(*answers: bytes) -> AsyncIterator[int]:
    """A controller that gives one answer for each message that it gets, then is silent."""
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for answer in answers:
                head = await reader.readexactly(4)
                message = await reader.readexactly(int.from_bytes(head[2:], "big") - 4)
                writer.write(answer.replace(b"\xaa\xaa", message[7:9]))  # the number of the request
            await ended.wait()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        ended.set()
        listener.close()
        await listener.wait_closed()


def s7_answer(parameters: bytes, data: bytes = b"", error: int = 0) -> bytes:
    body = struct.pack(">BBHHHHH", 0x32, 3, 0, 0xAAAA, len(parameters), len(data), error) + parameters + data
    return struct.pack(">BBH", 3, 0, len(body) + 7) + b"\x02\xf0\x80" + body


SETUP = s7_answer(struct.pack(">BBHHH", 0xF0, 0, 1, 1, 240))


def driver_at(port: int, **more: object) -> S7Driver:
    options = {"host": "127.0.0.1", "port": port, "timeout": "300ms", **more}
    return S7Driver(S7Connection.model_validate(options))


async def test_one_bad_db_marks_only_its_own_points() -> None:
    """Points of a missing data block and beyond the end of one are bad; their neighbours are good."""
    plc = server()
    await plc.start()
    driver = driver_at(plc.port)
    try:
        await driver.connect()
        wanted = points("DB99.DBD0:real", "DB10.DBW158", "DB10.DBD158", "DB10.DBW160", "DB98.DBX0.0")
        for _ in range(2):
            batch = await driver.read(wanted)
            bad = Quality.BAD_ADDRESS
            assert batch.qualities.tolist() == [bad, Quality.GOOD, bad, bad, bad]
            assert math.isnan(batch.values[2])
    finally:
        await driver.close()
        await plc.stop()


async def test_what_was_missing_is_tried_again() -> None:
    """A data block that is loaded later is read after retry_missing, without a new connection."""
    plc = server()
    await plc.start()
    clock = VirtualClock()
    driver = S7Driver(S7Connection(host="127.0.0.1", port=plc.port), clock)
    try:
        await driver.connect()
        wanted = points("DB11.DBW0:int")
        assert (await driver.read(wanted)).qualities[0] == Quality.BAD_ADDRESS
        plc.make("DB", 11, 4)
        plc.put(address("DB11.DBW0:int"), -7)
        assert (await driver.read(wanted)).qualities[0] == Quality.BAD_ADDRESS
        await clock.advance(61)
        assert (await driver.read(wanted)).values[0] == -7
    finally:
        await driver.close()
        await plc.stop()


def test_values_are_read_in_few_requests() -> None:
    """All values of the test controller fit into one message of 480 bytes."""
    blocks = merge((Span(a.area, a.db, a.byte, a.size) for a in (point.address for point in points())), 16, 480)
    assert len(pack([item for block in blocks for item in block.items], 480)) == 1


def test_requests_and_replies_fit_the_pdu() -> None:
    """No request and no reply is longer than the PDU, no item is lost, and a value longer than it comes in parts."""
    spans = [Span("DB", 1 + n % 7, 50 * n, 1 + n % 40) for n in range(200)] + [Span("DB", 9, 0, 3000)]
    for pdu in (240, 480, 960):
        blocks = merge(spans, 16, pdu)
        items = [item for block in blocks for item in block.items]
        requests = pack(items, pdu)
        assert [item for request in requests for item in request] == items
        for request in requests:
            assert REQUEST_HEAD + 12 * len(request) <= pdu
            assert REPLY_HEAD + sum(4 + item.count + item.count % 2 for item in request) <= pdu
        assert max(item.count for item in items) == longest_item(pdu)
        assert {span for block in blocks for span in block.spans} == set(spans)


async def test_silent_controller_is_a_timeout() -> None:
    """A controller that takes the connection and then says nothing costs the timeout and no more."""
    async with scripted() as port:
        driver = driver_at(port)
        async with asyncio.timeout(30):
            with pytest.raises(PeerTimeout):
                await driver.connect()
        await driver.close()


async def test_controller_that_falls_silent_is_a_timeout() -> None:
    """The same between two reads."""
    async with scripted(CONFIRM, SETUP) as port:
        driver = driver_at(port)
        await driver.connect()
        async with asyncio.timeout(30):
            with pytest.raises(PeerTimeout):
                await driver.read(points("MW0"))
        await driver.close()


async def test_forbidden_put_get_is_explained() -> None:
    """A CPU that does not allow PUT/GET gives AccessDenied and says what to set."""
    async with scripted(CONFIRM, SETUP, s7_answer(b"", error=0x8104)) as port:
        driver = driver_at(port)
        await driver.connect()
        with pytest.raises(AccessDenied) as caught:
            await driver.read(points("DB1.DBW0"))
        assert "PUT/GET" in caught.value.hint
        await driver.close()


@pytest.mark.parametrize(
    "answer", [b"\x00" * 40, b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x03\x00\x00\x08\x02\xf0\x80\x32"]
)
async def test_something_else_at_the_port(answer: bytes) -> None:
    """Another program at the port is a failed connection, and nothing worse."""
    async with scripted(answer) as port:
        driver = driver_at(port)
        with pytest.raises((ConnectionFailed, PeerTimeout)):
            await driver.connect()
        await driver.close()


async def test_wrong_answers_are_a_lost_connection() -> None:
    """A reply with other items than were asked for is never taken for values."""
    short = s7_answer(b"\x04\x01", b"\xff\x04\x00\x08\x07")
    for answer in (short, s7_answer(b"\x04\x02", short[-5:]), s7_answer(b"\x05\x01", b"\xff"), s7_answer(b"")):
        async with scripted(CONFIRM, SETUP, answer) as port:
            driver = driver_at(port)
            await driver.connect()
            with pytest.raises(ConnectionFailed):
                await driver.read(points("MW0"))
            await driver.close()


async def test_connection_test_says_which_step_failed() -> None:
    """Nobody at the port, a refused session and a refused read are told apart, each with what to do."""
    plc = server()
    await plc.start()
    await plc.stop()
    findings = await driver_at(plc.port).test_connection()
    assert [f.passed for f in findings] == [False]
    async with scripted() as port:
        findings = await driver_at(port).test_connection()
        assert [f.passed for f in findings] == [True, False]
        assert "slot" in findings[-1].mend
    async with scripted(CONFIRM, SETUP, s7_answer(b"", error=0x8104)) as port:
        # the port check takes a connection of its own, which this controller gives its answers to as well
        findings = await driver_at(port).test_connection()
        assert [f.passed for f in findings] == [True, True, False]
        assert "PUT/GET" in findings[-1].mend


async def test_restart_of_the_controller() -> None:
    """After a restart of the controller a new connection reads the same values."""
    plc = server()
    await plc.start()
    driver = driver_at(plc.port)
    wanted = points()
    try:
        for _ in range(2):
            await driver.connect()
            expect_values(await driver.read(wanted), EXPECTED)
            await driver.close()
            await plc.stop()
            with pytest.raises(ConnectionFailed):
                await driver.connect()
            await plc.start()
    finally:
        await driver.close()
        await plc.stop()

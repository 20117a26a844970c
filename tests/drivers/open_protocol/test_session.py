"""Controllers that do not answer, answer nonsense or fall silent are told apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from lineshaft.drivers.open_protocol.wire import Message, encode
from lineshaft.errors import ConnectionFailed, PeerTimeout
from lineshaft.simulator.servers.open_protocol import TorqueController
from lineshaft.simulator.servers.tightening import Limits, Tightening

from .tool import START_US, listening, make, points, screws


@asynccontextmanager
async def scripted(answers: dict[bytes, bytes]) -> AsyncIterator[int]:
    """A controller that says what the script has for each MID."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.read(4096):
            for part in head.split(b"\0"):
                answer = answers.get(part[4:8])
                if answer is not None:
                    writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


STARTED = encode(Message(2, 1, b"010001020103Airbag1                  "))
ACCEPTED = encode(Message(5, 1, b"0060"))
NO_OLD = encode(Message(4, 1, b"006499"))


@pytest.mark.parametrize(
    ("answers", "error", "words"),
    [
        ({}, PeerTimeout, "no answer to MID 0001"),
        ({b"0001": b"HTTP/1.1 400 Bad Request\r\n"}, ConnectionFailed, "length of a message"),
        ({b"0001": encode(Message(4, 1, b"000196"))}, ConnectionFailed, "another client"),
        ({b"0001": encode(Message(2, 1, b"99"))}, ConnectionFailed, "no field 01"),
    ],
)
async def test_a_start_that_fails(answers: dict[bytes, bytes], error: type[Exception], words: str) -> None:
    """No answer, another protocol, a second client and nonsense are told apart, in words."""
    async with scripted(answers) as port:
        made = make(port, timeout="100ms")
        with pytest.raises(error, match=words):
            await made.connect()
        findings = await made.test_connection()
        await made.close()
    assert [finding.passed for finding in findings] == [False]
    assert findings[0].mend


async def test_a_silent_controller_is_noticed() -> None:
    """A controller that no longer answers signs of life is lost."""
    script, hasty = {b"0001": STARTED, b"0060": ACCEPTED, b"0064": NO_OLD}, {"keep_alive": "50ms", "timeout": "100ms"}
    async with scripted(script) as port, listening(port, points("torque"), **hasty) as listener:
        with pytest.raises(PeerTimeout):
            async with asyncio.timeout(30):
                await listener.driver.wait_closed()


async def test_a_malformed_result_does_not_stop_the_others() -> None:
    """A result that cannot be read is counted and acknowledged, so that the controller goes on; the next is right."""
    bad = encode(Message(61, 1, b"01nonsense"))
    unknown = encode(Message(501, 1, b"01"))
    async with TorqueController() as controller, listening(controller.port, points("torque")) as listener:
        controller.inject(bad + unknown)
        controller.add(screws(range(1, 2)))
        await listener.until(lambda: listener.column(0) == [0.01])
        assert listener.driver.statistics.malformed == 1
        assert listener.driver.statistics.unknown == {501: 1}
        await controller.until_acknowledged(1)
        assert sum(one.mid == 62 for one in controller.received) == 2


async def test_a_broken_stream_ends_the_connection() -> None:
    """Bytes that make no sense cannot be followed: the connection is given up, so that a new one is made."""
    async with TorqueController() as controller, listening(controller.port, points("torque")) as listener:
        controller.inject(b"\xff\xfe garbage that is longer than a header")
        with pytest.raises(ConnectionFailed, match="message"):
            async with asyncio.timeout(30):
                await listener.driver.wait_closed()


async def test_the_connection_test() -> None:
    """Each step is told, with the parameter sets that the controller has."""
    async with TorqueController(clients=2) as controller:
        assert [finding.detail for finding in await make(controller.port).test_connection()][2] == (
            "the controller has no result yet"
        )
        controller.add([Tightening(START_US, 8.5, 400.0, Limits(number=number)) for number in (7, 3)])
        findings = await make(controller.port).test_connection()
        port = controller.port
    assert all(finding.passed for finding in findings)
    assert findings[2].detail == "number 0000000002 at 2026-01-01:00:00:00"
    assert findings[3].detail == "3, 7"
    assert [finding.passed for finding in await make(port).test_connection()] == [False]

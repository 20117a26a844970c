"""What the EtherNet/IP driver does with many tags, refusals, silence and broken frames."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from lineshaft.clock import VirtualClock
from lineshaft.drivers.ethernet_ip.driver import EthernetIpDriver
from lineshaft.drivers.ethernet_ip.options import EthernetIpConnection
from lineshaft.errors import ConnectionFailed, PeerTimeout, RetryableError
from lineshaft.model.equipment import Datatype
from lineshaft.model.samples import Quality
from lineshaft.simulator.servers.ethernet_ip import EthernetIpServer
from lineshaft.testing import expect_values

from .plc import EXPECTED, points, server


def driver_at(port: int, **more: object) -> EthernetIpDriver:
    options = {"host": "127.0.0.1", "port": port, "timeout": "300ms", **more}
    return EthernetIpDriver(EthernetIpConnection.model_validate(options))


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[EthernetIpServer, EthernetIpDriver]]:
    plc = server()
    await plc.start()
    driver = driver_at(plc.port, timeout="3s")
    try:
        await driver.connect()
        yield plc, driver
    finally:
        await driver.close()
        await plc.stop()


async def test_many_tags_come_in_few_messages() -> None:
    """A thousand REAL tags need at most ten messages once their size is known."""
    async with connected() as (plc, driver):
        for n in range(1000):
            plc.put(f"Tag{n}", "REAL", float(n))
        wanted = points(*(f"Tag{n}" for n in range(1000)))
        await driver.read(wanted)
        before = plc.messages
        batch = await driver.read(wanted)
        assert batch.values.tolist() == [float(n) for n in range(1000)]
        assert plc.messages - before <= 10


async def test_missing_tags_are_asked_for_once_a_minute() -> None:
    """A missing tag costs nothing until retry_missing has passed, and is read when it is there by then."""
    plc = server()
    await plc.start()
    clock = VirtualClock()
    driver = EthernetIpDriver(EthernetIpConnection(host="127.0.0.1", port=plc.port), clock)
    try:
        await driver.connect()
        wanted = points("Later", "Count", "Temperatures[50]", "Program:Main.Axes[0].Nothing", "Speed.3", "Count.40")
        bad = Quality.BAD_ADDRESS
        for _ in range(2):
            assert (await driver.read(wanted)).qualities.tolist() == [bad, Quality.GOOD, bad, bad, bad, bad]
        before = plc.requests
        await driver.read(wanted)
        assert plc.requests - before == 3  # one message with Count and Speed in it; Count.40 is Count
        plc.put("Later", "DINT", 7)
        await clock.advance(61)
        assert (await driver.read(wanted)).values[0] == 7
    finally:
        await driver.close()
        await plc.stop()


async def test_structures_and_long_texts() -> None:
    """A structure alone has no value; a string type of the user's own is text where the signal says String."""
    async with connected() as (plc, driver):
        plc.put("Axis", "Axis_t", plc.tags["Program:Main.Axes"].value[0])
        (structure,) = points("Axis")
        (text,) = points("Recipe")
        batch = await driver.read((structure, text))
        assert batch.qualities.tolist() == [Quality.BAD_NO_VALUE, Quality.GOOD]
        as_text = type(text)(7, text.address, Datatype.STRING)
        assert (await driver.read((as_text,))).texts[0] == "Schraube ü"


async def test_browse() -> None:
    """Programs, tags, structures, their members and elements are found, and what is found can be read."""
    async with connected() as (_, driver):
        root = {one.name: one for one in await driver.browse()}
        assert root["Main"].has_children
        assert root["Recipe"].datatype is Datatype.STRING
        assert root["Flags"].description == "DWORD[3]"
        flags = await driver.browse("Flags")
        assert len(flags) == 96
        assert flags[37].address == "Flags[37]"
        main = {one.name: one for one in await driver.browse("Program:Main")}
        assert main["Step"].datatype is Datatype.INT32
        axes = await driver.browse("Program:Main.Axes")
        assert [one.address for one in axes] == ["Program:Main.Axes[0]", "Program:Main.Axes[1]"]
        members = {one.name: one for one in await driver.browse(axes[1].address)}
        assert {name: one.datatype for name, one in members.items()} == {
            "Homed": Datatype.BOOLEAN,
            "Enabled": Datatype.BOOLEAN,
            "Position": Datatype.FLOAT,
            "Name": Datatype.STRING,
            "Torques": None,
        }
        torques = await driver.browse(members["Torques"].address)
        assert (await driver.read(points(torques[2].address, members["Position"].address))).values.tolist() == [
            3.5,
            -12.25,
        ]
        expect_values(await driver.read(points()), EXPECTED)


def frame(command: int, body: bytes, *, length: int | None = None, status: int = 0) -> bytes:
    return struct.pack("<HHII", command, len(body) if length is None else length, 1, status) + bytes(12) + body


REGISTERED = frame(0x65, b"\x01\x00\x00\x00")


@asynccontextmanager
async def scripted(*answers: bytes, hang_up: bool = False) -> AsyncIterator[int]:
    """A device that gives one answer for each message that it gets, then is silent or hangs up."""
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for answer in answers:
                head = await reader.readexactly(24)
                await reader.readexactly(int.from_bytes(head[2:4], "little"))
                writer.write(answer)
            if not hang_up:
                await ended.wait()
        except (asyncio.IncompleteReadError, ConnectionError):
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


async def test_silent_device_is_a_timeout() -> None:
    """A device that takes the connection and then says nothing costs the timeout and no more."""
    for answers in ((), (REGISTERED,)):
        async with scripted(*answers) as port, asyncio.timeout(30):
            driver = driver_at(port)
            with pytest.raises(PeerTimeout):
                await driver.connect()
            await driver.close()


@pytest.mark.parametrize(
    "answer",
    [
        frame(0x65, b"\x01\x00", length=400),
        b"\x65\x00",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        frame(0x65, b"", status=1),
    ],
)
async def test_broken_frames_end_the_connection(answer: bytes) -> None:
    """A device that hangs up within a frame, or is none, is a failed connection at once."""
    async with scripted(answer, hang_up=True) as port, asyncio.timeout(30):
        driver = driver_at(port)
        with pytest.raises(RetryableError):
            await driver.connect()
        await driver.close()


async def test_connection_test_says_which_step_failed() -> None:
    """Nobody at the port, a device without a way to the controller and a good one are told apart."""
    async with connected() as (plc, driver):
        assert [one.passed for one in await driver.test_connection()] == [True, True, True]
        port = plc.port
    assert [one.passed for one in await driver_at(port).test_connection()] == [False]
    async with scripted(REGISTERED, REGISTERED, REGISTERED) as port:
        findings = await driver_at(port).test_connection()
        assert [one.passed for one in findings] == [True, False]
        assert "slot" in findings[-1].mend


async def test_nobody_at_the_port() -> None:
    """A refused connection names host and port."""
    plc = server()
    await plc.start()
    await plc.stop()
    with pytest.raises(ConnectionFailed, match=f"127.0.0.1:{plc.port}"):
        await driver_at(plc.port).connect()

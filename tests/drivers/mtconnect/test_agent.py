"""What the driver says of agents that cannot be used, and the shape of the simulated agent's documents."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from lineshaft.drivers import base
from lineshaft.drivers.mtconnect import SPEC
from lineshaft.drivers.mtconnect.driver import MtconnectDriver
from lineshaft.errors import AccessDenied, AddressInvalid, ConfigError, ConnectionFailed, LineshaftError
from lineshaft.simulator.servers.mtconnect import MtconnectAgent
from lineshaft.simulator.servers.mtconnect_model import AgentObservation, element_name

from .machine import DEVICE, ITEMS, Cnc, now_us, points

NUMBER = re.compile(r"^[+-]?\d+(\.\d+)?([Ee][+-]?\d+)?$")
DATE_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


def driver(url: str, **options: Any) -> MtconnectDriver:
    return MtconnectDriver(SPEC.connection.model_validate({"url": url, "timeout": "1s", **options}))


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    """A server that says the same to everybody."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def http(status: str, body: bytes = b"", headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s" % (status.encode(), headers, len(body), body)


def test_abilities() -> None:
    """It subscribes, resumes, browses and tests its connection."""
    made = driver("http://127.0.0.1:1")
    for ability in (base.Subscribes, base.Resumable, base.Browses, base.TestsConnection):
        assert isinstance(made, ability)
    assert SPEC.push


@pytest.mark.parametrize("url", ["cnc:5000", "ftp://cnc", "http://", "http://u:p@cnc:5000", "http://cnc/?x=1"])
def test_wrong_urls(url: str) -> None:
    """What is no plain http address is refused before anything is asked."""
    with pytest.raises((ValueError, ConfigError)):
        SPEC.connection.model_validate({"url": url})


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (http("401 Unauthorized"), AccessDenied, "401"),
        (http("500 Oops", b"<html/>"), ConnectionFailed, "500"),
        (http("200 OK", b"<html>Router</html>"), ConnectionFailed, "another kind"),
        (http("200 OK", b"x" * 5000), ConnectionFailed, "document of more than"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", ConnectionFailed, None),
        (b"", ConnectionFailed, None),
        (http("301 Moved", headers=b"Location: /probe\r\n"), ConnectionFailed, "redirect"),
    ],
)
async def test_other_servers(answer: bytes, error: type[LineshaftError], words: str | None) -> None:
    """Whatever answers at the address, connect says in words what is wrong, and so does the connection test."""
    async with answering(answer) as url:
        made = driver(url, max_document=2048)
        with pytest.raises(error, match=words):
            await made.connect()
        findings = await made.test_connection()
    assert [finding.passed for finding in findings] == [False]
    assert findings[0].detail
    assert findings[0].mend


async def test_device_of_several() -> None:
    """A device is picked by name or uuid; an unknown one is an invalid address."""
    async with Cnc() as agent:
        for name in ("cnc", "uuid-0042"):
            made = driver(agent.url, device=name)
            await made.connect()
            assert (await made.read(points("Xpos"))).values.tolist() == [-12.625]
            await made.close()
        with pytest.raises(AddressInvalid, match="robot"):
            await driver(agent.url, device="robot").connect()


async def test_connection_test_passes_step_by_step() -> None:
    """A good agent passes every step; without its machine the values fail, and when it is off already the first."""
    async with Cnc() as agent:
        made = driver(agent.url)
        findings = await made.test_connection()
        assert [finding.check for finding in findings] == [
            "agent answers", "values can be read", "history can be read", "agent streams",
        ]  # fmt: skip
        assert all(finding.passed for finding in findings)
        assert findings[0].detail == f"MTConnect 2.0: cnc; {len(ITEMS)} data items"
        url = agent.url
    assert [finding.passed for finding in await driver(url).test_connection()] == [False]
    async with MtconnectAgent("127.0.0.1", 0, DEVICE, streams=False) as empty:
        findings = await driver(empty.url).test_connection()
        assert [finding.passed for finding in findings] == [True, False, True, False]
        assert "adapter" in findings[1].mend
        assert "poll" in findings[3].mend


async def test_browse_over_the_wire() -> None:
    """The tree of components and data items can be walked."""
    async with Cnc() as agent:
        made = driver(agent.url)
        await made.connect()
        found, waiting = [], [""]
        while waiting:
            for one in await made.browse(waiting.pop()):
                (waiting if one.has_children else found).append(one.address)
        await made.close()
    assert sorted(found) == sorted(item.id for item in ITEMS)


async def test_a_new_model_after_a_restart_is_noticed_when_polled() -> None:
    """A read after a restart of the agent asks for the device model again."""
    cnc = Cnc()
    await cnc.start()
    made = driver(cnc.agent.url)
    await made.connect()
    await cnc.stop()
    await cnc.start()
    assert (await made.read(points("Xpos"))).values.tolist() == [-12.625]
    await made.close()
    await cnc.stop()


class TestSimulatedAgent:
    """Rules of the MTConnect schemas that its documents keep: structure, required attributes, value patterns."""

    @staticmethod
    async def ask(agent: MtconnectAgent, what: str) -> ElementTree.Element:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"{agent.url}/{what}")
        return ElementTree.fromstring(answer.content)  # noqa: S314 - our own document

    async def test_probe(self) -> None:
        """Header, devices, components and data items have what the schema requires, in its order; ids are unique."""
        async with Cnc() as agent:
            root = await self.ask(agent, "probe")
        space = "{urn:mtconnect.org:MTConnectDevices:2.0}"
        assert root.tag == f"{space}MTConnectDevices"
        assert [child.tag for child in root] == [f"{space}Header", f"{space}Devices"]
        for name in ("version", "creationTime", "instanceId", "sender", "bufferSize", "assetBufferSize", "assetCount"):
            assert name in root[0].attrib
        device = root[1][0]
        assert {"id", "name", "uuid"} <= set(device.attrib)
        ids = [element.get("id") for element in device.iter() if "id" in element.attrib]
        assert len(ids) == len(set(ids))
        order = ["Description", "DataItems", "Components"]
        for element in device.iter():
            tag = element.tag.removeprefix(space)
            if tag == "DataItem":
                assert {"id", "type", "category"} <= set(element.attrib)
                assert element.get("category") != "SAMPLE" or "units" in element.attrib
            elif tag not in (*order, "Devices"):
                children = [child.tag.removeprefix(space) for child in element]
                assert children == sorted(children, key=order.index)
                assert children

    @pytest.mark.parametrize("what", ["current", "sample", "sample?count=3", "current?at=3"])
    async def test_streams(self, what: str) -> None:
        """Observations are in their groups, named after their types, with what the schema requires."""
        async with Cnc() as agent:
            root = await self.ask(agent, what)
        space = "{urn:mtconnect.org:MTConnectStreams:2.0}"
        assert root.tag == f"{space}MTConnectStreams"
        header = root[0].attrib
        first, last, next_ = (int(header[f"{word}Sequence"]) for word in ("first", "last", "next"))
        assert 1 <= first <= last < 2**64
        assert next_ <= last + 1
        items = {item.id: item for item in ITEMS}
        for stream in root.iter(f"{space}ComponentStream"):
            assert {"component", "componentId"} <= set(stream.attrib)
            groups = [group.tag.removeprefix(space) for group in stream]
            assert groups == sorted(groups, key=["Samples", "Events", "Condition"].index)
            for group in stream:
                for seen in group:
                    item = items[seen.attrib["dataItemId"]]
                    assert DATE_TIME.match(seen.attrib["timestamp"])
                    assert first <= int(seen.attrib["sequence"]) <= last
                    tag = seen.tag.removeprefix(space)
                    if group.tag == f"{space}Condition":
                        assert tag in ("Normal", "Warning", "Fault", "Unavailable")
                        assert seen.attrib["type"] == item.type
                    else:
                        assert tag == element_name(item.type, item.representation)
                    if item.category == "SAMPLE" and seen.text != "UNAVAILABLE":
                        assert all(NUMBER.match(part) for part in (seen.text or "").split())
                    if item.representation in ("TIME_SERIES", "DATA_SET"):
                        assert {"sampleCount", "count"} & set(seen.attrib)

    async def test_refusals(self) -> None:
        """What cannot be answered is an error document with a code."""
        async with Cnc() as agent:
            for what, code in (
                ("sample?from=9999", "OUT_OF_RANGE"),
                ("sample?from=x", "INVALID_REQUEST"),
                ("sample?count=0", "OUT_OF_RANGE"),
                ("current?at=9999", "OUT_OF_RANGE"),
                ("lathe/current", "NO_DEVICE"),
                ("other", "INVALID_URI"),
            ):
                root = await self.ask(agent, what)
                error = next(root.iter("{urn:mtconnect.org:MTConnectError:2.0}Error"))
                assert error.attrib["errorCode"] == code

    async def test_what_holds_at_a_number(self) -> None:
        """current?at gives the values of that moment, those from before the buffer too, and active conditions."""
        async with Cnc(buffer_size=20) as agent:
            for turn in range(30):
                agent.observe([AgentObservation("pcount", now_us(), str(turn))])
            root = await self.ask(agent, f"current?at={agent.first}")
            texts = {seen.get("dataItemId"): seen.text for seen in root.iter() if seen.get("dataItemId")}
        assert texts["pcount"] == "10"
        assert texts["execution"] == "ACTIVE"
        assert texts["system"] == "Öl <low> | 5"

    @pytest.mark.parametrize(
        ("type_", "name"),
        [("PATH_FEEDRATE", "PathFeedrate"), ("PH", "PH"), ("VOLTAGE_AC", "VoltageAC"), ("x:LAMP_TEST", "x:LampTest")],
    )
    def test_names(self, type_: str, name: str) -> None:
        """Elements are named after the type as the standard says, with its exceptions."""
        assert element_name(type_) == name

    async def test_provider(self) -> None:
        """The provider is asked for what came since, when the simulation moves on."""
        asked: list[int] = []

        def provider(now: int) -> list[AgentObservation]:
            asked.append(now)
            return [AgentObservation("Xpos", now, 7.5)]

        async with MtconnectAgent("127.0.0.1", 0, DEVICE, provider=provider) as agent:
            agent.advance(1_700_000_000_000_000)
            made = driver(agent.url)
            await made.connect()
            batch = await made.read(points("Xpos"))
            await made.close()
        assert asked == [1_700_000_000_000_000]
        assert (batch.values[0], batch.times[0]) == (7.5, 1_700_000_000_000_000)

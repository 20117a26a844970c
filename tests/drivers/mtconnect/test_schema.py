"""The documents of the simulated agent keep the order, the counts and the attributes of the published schemas."""

from __future__ import annotations

import asyncio
import os
import re
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
from tests.drivers.mtconnect.machine import DEVICE, everything, now_us
from tests.drivers.mtconnect.schema import Kind, problems
from tests.drivers.mtconnect.test_model import SIMULATED

from lineshaft.drivers.mtconnect.documents import Probe, Streams
from lineshaft.drivers.mtconnect.xml import parse
from lineshaft.simulator.servers.mtconnect import MtconnectAgent
from lineshaft.simulator.servers.mtconnect_model import AgentDevice, AgentObservation

SHARED = Path(os.environ.get("LINESHAFT_DATA", Path(__file__).parents[4] / "shared" / "data"))
REAL = SHARED / "nist_sms" / "Devices.xml"


def told(device: AgentDevice) -> list[AgentObservation]:
    """What its machine has observed; a key of a data set is a name token, which '#500' is not."""
    at = now_us()
    if device is DEVICE:
        return [replace(one, value={"v500": "1.5"}) if one.item == "vars" else one for one in everything(at)]
    return [AgentObservation(item.id, at, "1") for item in device.items]


async def get(url: str) -> bytes:
    def ask() -> bytes:
        try:
            with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - our own agent
                content: bytes = answer.read()
        except urllib.error.HTTPError as refusal:
            content = refusal.read()
        return content

    return await asyncio.to_thread(ask)


@pytest.mark.parametrize("version", ["1.3", "2.0"])
@pytest.mark.parametrize("device", [DEVICE, SIMULATED], ids=["test machine", "machine of the demo"])
async def test_every_document_of_the_agent_is_valid(device: AgentDevice, version: str) -> None:
    """Probe, current, sample and refusals, of an old version and of the newer one, whose headers have more to say."""
    async with MtconnectAgent("127.0.0.1", 0, device, version=version) as agent:
        agent.observe(told(device))
        unknown: tuple[tuple[Kind, str], ...] = (("Error", "nowhere"), ("Error", "sample?from=999999"))
        good: tuple[tuple[Kind, str], ...] = (("Devices", "probe"), ("Streams", "sample?count=500&from=20"))
        for kind, path in (*good, ("Streams", "current"), *unknown):
            assert problems(kind, await get(f"{agent.url}/{path}"), version) == [], path


CURRENT = b"""<?xml version="1.0"?>
<MTConnectStreams xmlns="urn:mtconnect.org:MTConnectStreams:1.3"><Header creationTime="2026-03-01T06:00:00Z"
 sender="shop" instanceId="77" version="1.3.0.9" bufferSize="131072" nextSequence="905" firstSequence="1"
 lastSequence="904"/><Streams><DeviceStream name="lathe" uuid="l-07">
 <ComponentStream component="Rotary" name="S" componentId="c10"><Samples>
  <SpindleSpeed dataItemId="d13" name="Sovr" sequence="16" subType="OVERRIDE" timestamp="2026-03-01T05:59:58Z"
  >95</SpindleSpeed></Samples></ComponentStream>
 <ComponentStream component="Linear" name="X" componentId="c7"><Samples>
  <Position dataItemId="d14" name="Xact" sequence="897" subType="ACTUAL" timestamp="2026-03-01T05:59:59.25Z"
  >0.375</Position></Samples></ComponentStream>
 <ComponentStream component="Controller" name="Controller" componentId="c11"><Events>
  <Block dataItemId="d20" name="block" sequence="889" timestamp="2026-03-01T05:59:50Z">x-0.5 y1.25</Block>
  <Execution dataItemId="d24" name="execution" sequence="895" timestamp="2026-03-01T05:59:51Z">READY</Execution>
  </Events><Condition>
  <Normal dataItemId="d30" sequence="7" timestamp="2026-03-01T05:00:00Z" type="SYSTEM"/></Condition>
 </ComponentStream></DeviceStream></Streams></MTConnectStreams>"""
"""Built like what the reference agent (cppagent) answers to current, with values of our own."""

PROBE = b"""<?xml version="1.0"?>
<MTConnectDevices xmlns="urn:mtconnect.org:MTConnectDevices:1.3"><Header creationTime="2026-03-01T06:00:00Z"
 assetBufferSize="1024" sender="shop" assetCount="0" version="1.3" instanceId="1" bufferSize="131072"/><Devices>
 <Device name="lathe" uuid="l-07" id="m"><Description manufacturer="Shop" model="L7">a lathe</Description><DataItems>
 <DataItem type="AVAILABILITY" category="EVENT" id="a"/></DataItems><Components><Axes name="axes" id="x"><Components>
 <Linear name="X" id="x1"><DataItems><DataItem type="POSITION" category="SAMPLE" id="x2" name="Xact" subType="ACTUAL"
 units="MILLIMETER" nativeUnits="MILLIMETER"><Source>Xabs</Source></DataItem></DataItems></Linear></Components></Axes>
 </Components></Device></Devices></MTConnectDevices>"""
"""Built like the device file of a foreign agent."""


def test_documents_built_like_those_of_the_reference_agent() -> None:
    """The schema takes them, and the driver reads out of them what is in there."""
    assert problems("Streams", CURRENT, "1.3") == []
    assert problems("Devices", PROBE, "1.3") == []
    streams, probe = parse(CURRENT), parse(PROBE)
    assert isinstance(streams, Streams)
    assert isinstance(probe, Probe)
    assert streams.observations.items == ["d13", "d14", "d20", "d24", "d30"]
    assert streams.observations.texts[:2] == ["95", "0.375"]
    assert (streams.header.next, streams.header.instance) == (905, "77")
    assert [(item.id, item.units) for item in probe.items] == [("a", ""), ("x2", "MILLIMETER")]


@pytest.mark.skipif(not REAL.exists(), reason="no recordings of the NIST laboratory")
def test_the_device_file_of_real_machines() -> None:
    """Eight machines of a laboratory, described by another author: valid by our schema, and read by the driver."""
    document = REAL.read_bytes()
    probe = parse(document)
    assert problems("Devices", document, "1.3") == []
    assert isinstance(probe, Probe)
    assert len(probe.items) == len(re.findall(rb"<DataItem ", document))


def swapped(document: bytes, first: bytes, second: bytes) -> bytes:
    """With two neighbours changed round, each given as the pattern of a whole element."""
    found = re.search(rb"(" + first + rb")(\s*)(" + second + rb")", document, re.DOTALL)
    assert found
    return document[: found.start()] + found[3] + found[2] + found[1] + document[found.end() :]


def without(document: bytes, attribute: bytes, of: bytes) -> bytes:
    """Without an attribute of the first such element."""
    changed, count = re.subn(rb"(<" + of + rb"\b[^>]*?)\s" + attribute + rb"='?\"[^\"]*\"", rb"\1", document, count=1)
    assert count == 1
    return changed


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("Streams", swapped(CURRENT, rb"<Events>.*?</Events>", rb"<Condition>.*?</Condition>")),
        ("Streams", swapped(CURRENT, rb"<Header[^>]*/>", rb"<Streams>.*</Streams>")),
        ("Streams", CURRENT.replace(b">0.375<", b">near<")),
        ("Streams", CURRENT.replace(b"<Samples>", b"<Events>", 1).replace(b"</Samples>", b"</Events>", 1)),
        ("Streams", CURRENT.replace(b'componentId="c7"', b'componentId="c10"')),
        ("Streams", CURRENT.replace(b":1.3", b":1.4")),
        ("Devices", swapped(PROBE, rb"<DataItems>.*?</DataItems>", rb"<Components>.*</Components>")),
        ("Devices", PROBE.replace(b"Linear", b"Rod")),
        ("Devices", PROBE.replace(b'"SAMPLE"', b'"VALUE"')),
        ("Devices", re.sub(rb"<DataItem .*?/>", b"", PROBE, count=1)),
        *(("Streams", without(CURRENT, name, b"Position")) for name in (b"sequence", b"timestamp", b"dataItemId")),
        *(("Streams", without(CURRENT, name, b"Header")) for name in (b"nextSequence", b"instanceId", b"version")),
        ("Streams", without(CURRENT, b"type", b"Normal")),
        ("Streams", without(CURRENT, b"uuid", b"DeviceStream")),
        *(("Devices", without(PROBE, name, b"DataItem")) for name in (b"id", b"type", b"category")),
        ("Devices", without(PROBE, b"uuid", b"Device")),
        ("Devices", without(PROBE, b"assetCount", b"Header")),
    ],
)  # fmt: skip
def test_what_the_standard_forbids_is_refused(kind: Kind, wrong: bytes) -> None:
    """Changed order, a missing attribute, an unknown component, text for a number: each alone makes it invalid."""
    assert problems(kind, wrong, "1.3")


async def test_since_1_7_the_header_says_when_the_model_changed() -> None:
    """Without that time a document of 2.0 is refused, and one of 1.3 is not."""
    async with MtconnectAgent("127.0.0.1", 0, DEVICE) as agent:
        agent.observe(told(DEVICE))
        document = without(await get(f"{agent.url}/current"), b"deviceModelChangeTime", b"Header")
    (problem,) = problems("Streams", document)
    assert "deviceModelChangeTime" in problem

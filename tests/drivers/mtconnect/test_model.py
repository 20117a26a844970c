"""The documents of the simulated agent are those of the standard, by a model that another author made of it."""

from __future__ import annotations

import asyncio
import re
import urllib.request
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
from tests.drivers.mtconnect.machine import DEVICE, everything, now_us
from tests.drivers.mtconnect.model import Model, load
from tests.drivers.mtconnect.schema import ORGANIZERS

from lineshaft.simulator.servers.cnc import ITEMS
from lineshaft.simulator.servers.mtconnect import MtconnectAgent
from lineshaft.simulator.servers.mtconnect_model import AgentDevice, AgentItem, AgentObservation, element_name

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
NAME = re.compile(r"[A-Za-z_][\w.-]*")
GROUPS = {"Samples": "SAMPLE", "Events": "EVENT", "Condition": "CONDITION"}
LEVELS = {"Normal", "Warning", "Fault", "Unavailable"}
SIMULATED = AgentDevice(
    "cnc-101",
    "lineshaft-cnc-101",
    tuple(
        AgentItem(name.replace("/", "-"), item.category, item.type, item.component, name, item.sub_type, item.units)
        for name, item in ITEMS.items()
    ),
    "Lineshaft",
    "Simulated",
)
"""The machine of the demo plant."""


@pytest.fixture(scope="module")
def model() -> Model:
    return load()


@pytest.fixture(params=[DEVICE, SIMULATED], ids=["test machine", "machine of the demo"])
async def documents(request: pytest.FixtureRequest) -> tuple[ElementTree.Element, ElementTree.Element]:
    """Probe and current, as they come over the line."""
    device: AgentDevice = request.param
    async with MtconnectAgent("127.0.0.1", 0, device) as agent:
        if device is DEVICE:
            agent.observe(everything(now_us()))
        else:
            agent.observe(AgentObservation(item.id, now_us(), "1") for item in device.items if item.type != "EXECUTION")
        return await _get(f"{agent.url}/probe"), await _get(f"{agent.url}/current")


async def _get(url: str) -> ElementTree.Element:
    def get() -> bytes:
        with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - our own agent
            content: bytes = answer.read()
            return content

    return ElementTree.fromstring(await asyncio.to_thread(get))  # noqa: S314 - our own document


def _plain(tag: str) -> str:
    return tag.rpartition("}")[2]


def _found(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [element for element in root.iter() if _plain(element.tag) == name]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _unit(text: str) -> str:
    """As the model spells it: MILLIMETER/SECOND^2 is MILLIMETER_PER_SECOND_SQUARED."""
    return text.replace("/", "_PER_").replace("^2", "_SQUARED").replace("^3", "_CUBED")


Documents = tuple[ElementTree.Element, ElementTree.Element]


def test_headers_have_the_attributes_of_the_standard(documents: Documents, model: Model) -> None:
    """No attribute that the standard does not know; numbers, times and the version are such."""
    for kind, root in zip(("Devices", "Streams"), documents, strict=True):
        assert root.tag == f"{{urn:mtconnect.org:MTConnect{kind}:2.0}}MTConnect{kind}"
        (header,) = _found(root, "Header")
        names = {_snake(name) for name in header.attrib}
        assert names <= model.headers[kind]
        assert {"version", "sender", "instance_id", "creation_time", "buffer_size"} <= names
        assert TIME.fullmatch(header.attrib["creationTime"])
        assert header.attrib["version"] == "2.0.0.0"
        assert all(
            int(value) >= 0 for name, value in header.attrib.items() if name.endswith(("Sequence", "Id", "Size"))
        )


def _components(root: ElementTree.Element) -> Iterator[ElementTree.Element]:
    for parent in _found(root, "Components"):
        yield from parent


def test_the_probe_is_made_of_what_the_standard_has(documents: Documents, model: Model) -> None:
    """Components, types by category, units, representations; ids are names and occur once."""
    probe, _ = documents
    assert {_plain(component.tag) for component in _components(probe)} <= model.components | ORGANIZERS
    for interfaces in _found(probe, "Interfaces"):
        assert all(_plain(inside.tag).endswith("Interface") for inside in _components(interfaces))
    items = _found(probe, "DataItem")
    assert items
    for item in items:
        about = item.attrib
        assert about["category"] in model.enums["CategoryEnum"]
        kinds = model.observations[about["category"]]
        if about["category"] == "CONDITION":
            kinds = kinds | model.observations["SAMPLE"] | model.observations["EVENT"]
        assert element_name(about["type"]) in kinds, about
        if "units" in about:
            assert _unit(about["units"]) in model.enums["UnitEnum"], about
        if "representation" in about:
            assert about["representation"] in model.enums["RepresentationEnum"]
        assert (about["category"] == "SAMPLE") <= ("units" in about), about
    ids = [element.attrib["id"] for element in probe.iter() if "id" in element.attrib]
    assert len(ids) == len(set(ids))
    assert all(NAME.fullmatch(one) for one in ids)


def test_observations_are_those_of_their_data_items(documents: Documents, model: Model) -> None:
    """Each is in the group of its category, called after its type, with what the standard asks for; controlled words
    are of its vocabulary."""
    probe, current = documents
    items = {item.attrib["id"]: item.attrib for item in _found(probe, "DataItem")}
    components = {component.attrib["id"] for component in _components(probe)} | {
        device.attrib["id"] for device in _found(probe, "Device")
    }
    sequences: set[int] = set()
    seen: set[str] = set()
    for stream in _found(current, "ComponentStream"):
        assert stream.attrib["componentId"] in components
        for group in stream:
            for observation in group:
                about, item = observation.attrib, items[observation.attrib["dataItemId"]]
                seen.add(item["id"])
                assert item["category"] == GROUPS[_plain(group.tag)]
                assert TIME.fullmatch(about["timestamp"])
                assert int(about["sequence"]) > 0
                sequences.add(int(about["sequence"]))
                assert about.get("subType", "") == item.get("subType", "")
                if item["category"] == "CONDITION":
                    assert _plain(observation.tag) in LEVELS
                    assert about["type"] == item["type"]
                    continue
                assert _plain(observation.tag) == element_name(item["type"], item.get("representation", "VALUE"))
                words = model.enums.get(f"{element_name(item['type'])}Enum")
                if words and (text := observation.text or "") != "UNAVAILABLE" and item.get("type") != "DOOR_STATE":
                    assert text in words, item
                if item["category"] == "SAMPLE" and observation.text != "UNAVAILABLE":
                    [float(number) for number in (observation.text or "").split()]
    assert seen == set(items), "current has every data item"
    (header,) = _found(current, "Header")
    assert max(sequences) <= int(header.attrib["lastSequence"]) == int(header.attrib["nextSequence"]) - 1

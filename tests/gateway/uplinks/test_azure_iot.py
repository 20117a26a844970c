"""Azure IoT Hub: its documented contract, recomputed by a gate before Mosquitto."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tests.gateway.helpers import until
from tests.gateway.uplinks.azure_hub import MESSAGE, Hub
from tests.gateway.uplinks.gate import Gate, Rate, gate
from tests.gateway.uplinks.line import FastClock, Line, Watcher
from tests.gateway.uplinks.pki import Authority
from tests.hub.mqtt import Mosquitto

from lineshaft import __version__
from lineshaft.clock import SystemClock
from lineshaft.config.models import AzureIotUplink
from lineshaft.errors import ConfigError, DataError
from lineshaft.gateway.uplinks.azure_sas import shared_access_signature
from lineshaft.gateway.uplinks.azure_twin import read_wishes
from lineshaft.wire.topics import TwinTopic, azure_events, azure_username, parse_twin


def uplink(port: int, authority: Authority, **more: object) -> dict[str, Any]:
    keys = {"type": "azure-iot", "hub": "localhost", "port": port, "key_file": "key", "tls": authority.tls(), **more}
    return {name: value for name, value in keys.items() if value is not None}


def test_the_token_is_the_published_one() -> None:
    """A key, a device and a time give exactly the known token."""
    token = shared_access_signature(
        "contoso.azure-devices.net/devices/MyDevice01", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", 1893456000
    )
    assert token == (
        "SharedAccessSignature sr=contoso.azure-devices.net%2Fdevices%2FMyDevice01"
        "&sig=XpKA7BGcdWvp7wEi4awDizodd4ycaLFVylF2HAJ%2FqAE%3D&se=1893456000"
    )
    with pytest.raises(ConfigError, match="not Base64"):
        shared_access_signature("a", "HostName=contoso", 1)


def test_topics_are_as_the_hub_wants_them() -> None:
    """User name with api-version; properties in the topic with everything unusual encoded."""
    assert azure_username("c.azure-devices.net", "d", "2021-04-12") == "c.azure-devices.net/d/?api-version=2021-04-12"
    bag = {"$.ct": "application/json;charset=utf-8", "pl ant": "nörd/#+&=%"}
    assert azure_events("d", bag) == (
        "devices/d/messages/events/$.ct=application%2Fjson%3Bcharset%3Dutf-8&pl%20ant=n%C3%B6rd%2F%23%2B%26%3D%25"
    )
    assert parse_twin("$iothub/twin/res/204/?$rid=7&$version=3") == TwinTopic(204, 7, 3)
    assert parse_twin("$iothub/twin/PATCH/properties/desired/?$version=9") == TwinTopic(0, 0, 9)
    for topic in ("$iothub/twin/res/x/?$rid=1", "$iothub/twin/res/200/", "$iothub/methods/POST/a/?$rid=1", "a", ""):
        with pytest.raises(DataError):
            parse_twin(topic)


def test_one_identity_must_be_given() -> None:
    """Key or certificate: none of them and both are refused."""
    for keys in ({}, {"key_file": "k", "tls": {"cert_file": "c", "key_file": "d"}}):
        with pytest.raises(ValidationError, match="either key_file or a certificate"):
            AzureIotUplink.model_validate({"type": "azure-iot", "hub": "h", **keys})


async def test_a_backlog_arrives_whole(broker: Mosquitto, watcher: Watcher, authority: Authority, folder: Path) -> None:
    """Messages below 256 KB with id, content type and own properties; every sample once."""
    hub = Hub(SystemClock().now_us)
    (folder / "key").write_text(hub.key + "\n")
    async with gate(hub, authority.server(), broker.port) as door:
        line = Line(folder, [uplink(door.port, authority, properties={"plant": "north/1"})])
        async with line.running():
            for _ in range(6):
                line.write(2_000)
            await until(lambda: line.forwarders["azure"].done)
            await until(lambda: len(watcher.samples()) == len(line.written))
    assert watcher.samples() == dict.fromkeys(line.written, 1)
    assert (door.refusals, hub.problems) == ([], [])
    assert 100_000 < door.largest <= MESSAGE
    first = hub.properties[0]
    assert (first["$.ct"], first["$.ce"], first["plant"], first["kind"]) == (
        "application/json",
        "utf-8",
        "north/1",
        "samples",
    )
    assert len({properties["$.mid"] for properties in hub.properties}) == len(hub.properties)
    assert max(len(properties["$.mid"]) for properties in hub.properties) <= 128


async def test_the_token_is_renewed_in_time(
    broker: Mosquitto, watcher: Watcher, authority: Authority, folder: Path
) -> None:
    """Before a token expires the session goes on with a new one: the hub never ends one, and nothing is lost."""
    clock = FastClock(40)
    hub = Hub(clock.now_us, speed=40)
    (folder / "key").write_text(hub.key)
    async with gate(hub, authority.server(), broker.port) as door:
        line = Line(folder, [uplink(door.port, authority, token_lifetime="60s")], clock=clock)
        errors = set()
        async with line.running():

            def renewed() -> bool:
                errors.add(line.status().error)
                if line.forwarders["azure"].done:
                    line.write(5)
                return len(hub.expiries) >= 4

            await until(renewed, 30)
            await until(lambda: line.forwarders["azure"].done)
    assert errors == {""}
    assert door.refusals == []
    await until(lambda: set(watcher.samples()) == set(line.written))
    assert sum(watcher.samples().values()) - len(line.written) <= 10


async def test_a_wrong_key_is_refused_and_a_right_one_used(
    broker: Mosquitto, watcher: Watcher, authority: Authority, folder: Path
) -> None:
    """The status names the refusal; the key file is read again, so that a new key needs no restart."""
    clock = FastClock(20)
    hub = Hub(clock.now_us, speed=20)
    (folder / "key").write_text(base64.b64encode(b"another key").decode())
    async with gate(hub, authority.server(), broker.port) as door:
        line = Line(folder, [uplink(door.port, authority)], clock=clock)
        async with line.running():
            line.write(10)
            await until(lambda: "Not authorized" in line.status().error)
            assert set(hub.problems) == {"wrong signature"}
            assert line.status().pending_rows == 10
            (folder / "key").write_text(hub.key)
            await until(lambda: line.forwarders["azure"].done)
            assert line.status().error == ""
    await until(lambda: set(watcher.samples()) == set(line.written))


async def test_a_clock_that_is_wrong_is_refused(broker: Mosquitto, authority: Authority, folder: Path) -> None:
    """A gateway whose clock is a day behind makes expired tokens: refused, told, kept."""
    hub = Hub(lambda: SystemClock().now_us() + 86_400_000_000)
    (folder / "key").write_text(hub.key)
    async with gate(hub, authority.server(), broker.port) as door:
        line = Line(folder, [uplink(door.port, authority)])
        async with line.running():
            line.write(10)
            await until(lambda: "Not authorized" in line.status().error)
    assert hub.problems == ["expired token"]
    assert line.status().pending_rows == 10


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"api_version": "2010-01-01"}, "api-version 2010-01-01"),
        ({"device": "press-2"}, "user name localhost/press-2/?api-version=2021-04-12"),
    ],
    ids=["version", "device"],
)
async def test_a_wrong_user_name_is_refused(
    broker: Mosquitto, authority: Authority, folder: Path, keys: dict[str, str], problem: str
) -> None:
    """An unknown version or device gets no session, and the status says that it was refused."""
    hub = Hub(SystemClock().now_us)
    (folder / "key").write_text(hub.key)
    async with gate(hub, authority.server(), broker.port) as door:
        line = Line(folder, [uplink(door.port, authority, **keys)])
        async with line.running():
            line.write(1)
            await until(lambda: "Not authorized" in line.status().error)
    assert hub.problems == [problem]


async def test_a_certificate_can_take_the_place_of_a_key(
    broker: Mosquitto, watcher: Watcher, authority: Authority, folder: Path
) -> None:
    """X.509: the same user name, no password."""
    hub = Hub(SystemClock().now_us, certificates=True)
    async with gate(hub, authority.server(clients=True), broker.port) as door:
        line = Line(folder, [uplink(door.port, authority, key_file=None, tls=authority.tls("gw"))])
        async with line.running():
            line.write(10)
            await until(lambda: line.forwarders["azure"].done)
    await until(lambda: set(watcher.samples()) == set(line.written))


async def test_a_throttling_hub_is_survived(
    broker: Mosquitto, watcher: Watcher, authority: Authority, folder: Path
) -> None:
    """A hub that cuts a gateway for being too fast gets fewer messages a second, and all samples."""
    hub = Hub(SystemClock().now_us, rate=Rate(15))
    (folder / "key").write_text(hub.key)
    async with gate(hub, authority.server(), broker.port) as door:
        keys = {"max_rate": 50.0, "max_message": "3KB"}
        line = Line(folder, [uplink(door.port, authority, **keys)])
        async with line.running():
            for _ in range(6):
                line.write(100)
            await until(lambda: line.forwarders["azure"].done, 60)
    assert "too fast" in door.refusals
    await until(lambda: set(watcher.samples()) == set(line.written))


async def _reported(hub: Hub, **expected: object) -> None:
    await until(lambda: all(hub.state().get(name) == value for name, value in expected.items()))


async def test_the_twin_tells_and_is_followed(broker: Mosquitto, authority: Authority, folder: Path) -> None:
    """Version and state are reported; a desired rate is used and answered; a wrong or unknown wish is answered too."""
    clock = FastClock(20)
    hub = Hub(
        clock.now_us, speed=20, desired={"$version": 4, "lineshaft": {"max_rate": 7, "colour": "red"}, "other": 1}
    )
    (folder / "key").write_text(hub.key)
    async with gate(hub, authority.server(), broker.port) as door:
        line = Line(folder, [uplink(door.port, authority, max_rate=50.0)], clock=clock)
        rate = line.forwarders["azure"].uplink.rate  # type: ignore[attr-defined]
        async with line.running():
            await _reported(hub, version=__version__, state="online")
            await until(lambda: "colour" in hub.state())
            assert hub.state()["max_rate"] == {"value": 7, "ac": 200, "av": 4, "ad": "in use"}
            assert hub.state()["colour"]["ac"] == 404
            assert rate.messages == 7.0
            line.tell()
            await _reported(hub, dropped=0, disk_full=False, behind=False)
            _push(door, 5, {"max_rate": 20})
            await until(lambda: rate.messages == 20.0)
            _push(door, 6, {"max_rate": "fast"})
            await until(lambda: hub.state()["max_rate"]["ac"] == 400)
            assert rate.messages == 50.0
            _push(door, 5, {"max_rate": 3})  # older than what is known
            _push(door, 7, {"max_rate": None})
            await until(lambda: "max_rate" not in hub.state())
            assert rate.messages == 50.0
            line.write(10)
            await until(lambda: line.forwarders["azure"].done)


def _push(door: Gate, version: int, wishes: dict[str, object]) -> None:
    topic = f"$iothub/twin/PATCH/properties/desired/?$version={version}"
    door.push(topic, json.dumps({"lineshaft": wishes, "$version": version}).encode())


async def test_a_malformed_twin_disturbs_nothing(broker: Mosquitto, authority: Authority, folder: Path) -> None:
    """What is not a twin is logged and dropped; samples go on."""
    hub = Hub(SystemClock().now_us, desired={"$version": 1, "lineshaft": 3})
    (folder / "key").write_text(hub.key)
    async with gate(hub, authority.server(), broker.port) as door:
        line = Line(folder, [uplink(door.port, authority)])
        async with line.running():
            await until(lambda: hub.reported)
            for payload in (b"", b"[]", b"\xff", b'{"$version": "x"}', b"[" * 5_000):
                door.push("$iothub/twin/PATCH/properties/desired/?$version=9", payload)
                door.push("$iothub/twin/res/200/?$rid=1", payload)
            line.write(10)
            await until(lambda: line.forwarders["azure"].done)
    assert door.refusals == []


def test_wishes_are_checked() -> None:
    """Only a sensible number of messages a second is followed."""
    for value in (True, 0, -1, float("nan"), float("inf"), "7", [7]):
        assert read_wishes({"lineshaft": {"max_rate": value}}, 1).max_rate is None
    assert read_wishes({"lineshaft": {"max_rate": 2.5}}, 1).max_rate == 2.5
    with pytest.raises(DataError):
        read_wishes([], 1)

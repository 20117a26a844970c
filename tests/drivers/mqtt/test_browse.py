"""Looking around at a broker: Mosquitto, and the embedded one with the rights of an account."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.hub.mqtt import Mosquitto, Peer
from typer.testing import CliRunner

from lineshaft.cli import app
from lineshaft.config.load import load_plant
from lineshaft.drivers.base import Point
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.drivers.mqtt.client import Message
from lineshaft.drivers.mqtt.driver import MqttDriver
from lineshaft.drivers.mqtt.heard import MOST_BYTES, Heard
from lineshaft.drivers.mqtt.options import MqttAddress, MqttConnection
from lineshaft.errors import AccessDenied
from lineshaft.gateway.connect.visit import look_around
from lineshaft.hub.broker import PASSWORDS, Account, BrokerSettings, EmbeddedBroker, ensure_credentials
from lineshaft.model.equipment import Datatype, SignalKind
from lineshaft.model.samples import Quality

STATE = {
    "ts": "2026-03-01T06:00:00Z",
    "temperature": {"value": 61.5, "unit": "°C"},
    "running": True,
    "counters": {"parts_total": 1200},
}
ACCOUNTS = (
    Account("shop", ("hall/#", "spBv1.0/#"), ()),
    Account("search", (), ("hall/#",)),
    Account("nobody", ("x/#",), ()),
)


@dataclass
class Place:
    """A broker that runs, and how to sign in."""

    port: int
    folder: Path
    passwords: dict[str, str]

    def connection(self, user: str = "search", **more: object) -> dict[str, object]:
        signing = {"user": user, "password_file": str(self.folder / f"{user}.password")} if self.passwords else {}
        return {"url": f"mqtt://127.0.0.1:{self.port}", "listen": "1s", **signing, **more}

    def peer(self, user: str = "shop") -> Peer:
        return Peer(self.port, user if self.passwords else "", self.passwords.get(user, ""))


@pytest.fixture(params=["mosquitto", "embedded"])
def place(request: pytest.FixtureRequest, tmp_path: Path, require: Callable[..., str]) -> Iterator[Place]:
    if request.param == "mosquitto":
        require("mosquitto", "mosquitto")
        plain = Mosquitto(tmp_path)
        plain.start()
        yield Place(plain.port, tmp_path, {})
        plain.stop()
        return
    files = ensure_credentials(tmp_path, [account.user for account in ACCOUNTS])
    broker = EmbeddedBroker(BrokerSettings(ACCOUNTS), tmp_path / PASSWORDS)
    broker.start()
    yield Place(broker.port, tmp_path, {name: path.read_text().strip() for name, path in files.items()})
    broker.stop()


@contextmanager
def shop(place: Place) -> Iterator[None]:
    """Retained messages, and a meter that publishes five times a second and retains nothing."""
    over = threading.Event()
    with place.peer() as peer:
        peer.publish("hall/press/state", json.dumps(STATE).encode(), qos=1, retain=True)
        peer.publish("hall/press/mode", b"AUTO 2", qos=1, retain=True)
        peer.publish("hall/oven/oil_temp", b"81.25", qos=1, retain=True)
        peer.publish("hall/camera/picture", b"\x89PNG\r\n\x1a\n\xff\x00", qos=1, retain=True)
        peer.publish("spBv1.0/north/NBIRTH/gw", b"\x08\x01", qos=1, retain=True)

        def meter() -> None:
            while not over.wait(0.2):
                peer.client.publish("hall/meter/power", b'{"v": 3.5, "uom": "kW"}', 0)

        thread = threading.Thread(target=meter)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(10)


async def test_everything_with_a_value_is_found_with_its_meaning(place: Place) -> None:
    """Retained and live topics, members with unit and time, bare numbers and words; no pictures."""
    driver = MqttDriver(MqttConnection.model_validate(place.connection()))
    with shop(place):
        await driver.connect()
        try:
            found, complete = await look_around(driver, "")
            by_address = {one.address: one for one in found}
            assert complete
            assert set(by_address) == {
                "hall/press/state /temperature/value @/ts",
                "hall/press/state /running @/ts",
                "hall/press/state /counters/parts_total @/ts",
                "hall/press/mode",
                "hall/oven/oil_temp",
                "hall/meter/power /v",
            }
            heat = by_address["hall/press/state /temperature/value @/ts"]
            assert (heat.path, heat.guess.unit, heat.guess.kind) == ("hall/press/state", "degC", SignalKind.MEASURE)
            assert by_address["hall/press/state /counters/parts_total @/ts"].guess.kind is SignalKind.COUNTER
            assert by_address["hall/press/mode"].datatype is Datatype.STRING
            assert (by_address["hall/oven/oil_temp"].label, by_address["hall/meter/power /v"].label) == (
                "oil_temp",
                "power",
            )
            assert by_address["hall/meter/power /v"].guess.unit == "kW"
            points = tuple(
                Point(n, MqttAddress.model_validate(one.address), one.datatype or Datatype.DOUBLE)
                for n, one in enumerate(found)
            )
            batch = await driver.read(points)
        finally:
            await driver.close()
    shown = dict(zip([found[n].address for n in batch.signals.tolist()], batch.values.tolist(), strict=True))
    assert shown["hall/press/state /temperature/value @/ts"] == 61.5
    assert (shown["hall/oven/oil_temp"], shown["hall/meter/power /v"]) == (81.25, 3.5)
    assert Quality.BAD_ADDRESS not in batch.qualities
    times = dict(zip(batch.signals.tolist(), batch.times.tolist(), strict=True))
    at = [one.address for one in found].index("hall/press/state /running @/ts")
    assert times[at] == 1_772_344_800_000_000


def test_a_search_does_not_take_all_memory() -> None:
    """A broker with huge and countless messages: what is too large is passed over, and all together stays bounded."""
    heard = Heard()
    heard.take([Message("huge", b"1" * 300_000, False, 1, 0)])
    assert not heard.topics
    body = b'{"v": 1, "words": "' + b"x" * 250_000 + b'"}'
    heard.take([Message(f"t/{n}", body, False, 1, 0) for n in range(400)])
    assert heard.size == len(body) * len(heard.topics) <= MOST_BYTES + len(body)
    heard.take([Message("t/0", b"7", False, 1, 0)])
    assert (heard.topics["t/0"].payload, heard.size) == (b"7", len(body) * (len(heard.topics) - 1) + 1)


async def test_a_search_can_be_narrowed(place: Place) -> None:
    """`search` listens to one branch alone; the connection test subscribes to the same."""
    driver = MqttDriver(MqttConnection.model_validate(place.connection(search="hall/press/+")))
    with shop(place):
        assert all(one.passed for one in await driver.test_connection())
        await driver.connect()
        assert [one.address for one in await driver.browse()] == ["hall/press/mode", "hall/press/state"]
        await driver.close()
    if place.passwords:
        denied = MqttDriver(MqttConnection.model_validate(place.connection("nobody")))
        findings = await denied.test_connection()
        assert (findings[-1].passed, "search: topic/#" in findings[-1].mend) == (False, True)


def test_the_command_finds_and_writes(place: Place, tmp_path: Path) -> None:
    """`lineshaft connect` at a broker gives a plant file whose signals are right, with unit, kind and time."""
    folder = tmp_path / "plant"
    folder.mkdir()
    (folder / "plant.yaml").write_text(
        "plant: {enterprise: acme, site: north, name: North, timezone: UTC}\n"
        "equipment:\n  - {id: hall, level: area, children: [{id: press, level: asset}]}\n"
    )
    options = "&".join(f"{name}={value}" for name, value in place.connection().items() if name != "url")
    with shop(place):
        address = f"mqtt://127.0.0.1:{place.port}?{options}"
        words = ["connect", address, "--plant", str(folder), "--match", "press", "--asset", "hall/press"]
        done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    plant = load_plant(folder, DRIVERS)
    (device,) = plant.devices
    signals = {signal.name: signal for signal in device.signals}
    assert device.driver == "mqtt"
    assert any(signal.unit == "degC" and signal.address.time == "/ts" for signal in signals.values())
    assert signals["parts-total"].kind is SignalKind.COUNTER
    assert signals["mode"].kind is SignalKind.STATE


async def test_a_broker_without_version_5_is_taken_as_it_is(place: Place) -> None:
    """The embedded broker speaks 3.1.1: by default the driver falls back to it; with version: 5 it is told of."""
    for version, works in (("auto", True), ("3.1.1", True), ("5", not place.passwords)):
        driver = MqttDriver(MqttConnection.model_validate(place.connection(version=version)))
        findings = await driver.test_connection()
        assert all(one.passed for one in findings) is works
        assert works or "version: 3.1.1" in findings[0].mend


@pytest.mark.parametrize("place", ["embedded"], indirect=True)
async def test_a_wrong_password_is_told_as_such(place: Place) -> None:
    """No second try in another version hides what is wrong."""
    (place.folder / "search.password").write_text("wrong\n")
    driver = MqttDriver(MqttConnection.model_validate(place.connection(version="3.1.1")))
    with pytest.raises(AccessDenied):
        await driver.connect()
    findings = await MqttDriver(MqttConnection.model_validate(place.connection())).test_connection()
    assert not findings[0].passed

"""What the MQTT driver makes of topics, retained, malformed and queued messages, at a Mosquitto."""

from __future__ import annotations

import asyncio
import math
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import ValidationError
from tests.hub.mqtt import Mosquitto, Peer

from lineshaft.drivers.base import Point
from lineshaft.drivers.mqtt.driver import MqttDriver
from lineshaft.drivers.mqtt.options import MqttAddress, MqttConnection
from lineshaft.errors import AccessDenied, ConnectionFailed
from lineshaft.model.equipment import Datatype
from lineshaft.model.samples import Quality, SampleBatch


def points(*addresses: str, datatype: Datatype = Datatype.DOUBLE) -> tuple[Point, ...]:
    return tuple(Point(row, MqttAddress.model_validate(address), datatype) for row, address in enumerate(addresses))


class Sink:
    """Collects rows and waits for them."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, float | str, int]] = []
        self._more = asyncio.Event()

    def __call__(self, batch: SampleBatch) -> None:
        for row in range(len(batch)):
            text = None if batch.texts is None else batch.texts[row]
            shown = float(batch.values[row]) if text is None else text
            self.rows.append((int(batch.signals[row]), int(batch.times[row]), shown, int(batch.qualities[row])))
        self._more.set()

    async def wait(self, count: int) -> list[tuple[int, int, float | str, int]]:
        async with asyncio.timeout(30):
            while len(self.rows) < count:
                self._more.clear()
                await self._more.wait()
        return self.rows


@asynccontextmanager
async def listening(
    broker: Mosquitto, wanted: tuple[Point, ...], **options: object
) -> AsyncIterator[tuple[MqttDriver, Sink]]:
    driver = MqttDriver(MqttConnection.model_validate({"url": f"mqtt://127.0.0.1:{broker.port}", **options}))
    sink = Sink()
    await driver.connect()
    try:
        await driver.subscribe(wanted, sink)
        yield driver, sink
    finally:
        await driver.close()


@pytest.fixture
def running(broker: Mosquitto) -> Mosquitto:
    broker.start()
    return broker


async def test_each_message_in_order(running: Mosquitto) -> None:
    """A thousand messages at QoS 1 give a thousand rows in their order, with their own times."""
    with Peer(running.port) as peer:
        async with listening(running, points("a/+/b /v"), time="/t", time_unit="s") as (_, sink):
            for n in range(1000):
                peer.client.publish(f"a/{n % 3}/b", f'{{"v": {n}, "t": {1_700_000_000 + n}}}', 1)
            rows = await sink.wait(1000)
    assert [row[2] for row in rows] == list(range(1000))
    assert [row[1] for row in rows] == [(1_700_000_000 + n) * 10**6 for n in range(1000)]


async def test_retained_messages_are_marked(running: Mosquitto) -> None:
    """A retained value that says no time is uncertain; one with a time is good; new ones are good."""
    with Peer(running.port) as peer:
        peer.publish("old", b'{"v": 1}', qos=1, retain=True)
        peer.publish("timed", b'{"v": 2, "t": 1700000000000}', qos=1, retain=True)
        async with listening(running, points("old /v", "timed /v"), time="/t") as (_, sink):
            rows = {row[0]: row for row in await sink.wait(2)}
            assert rows[0][3] == Quality.UNCERTAIN_CLOCK
            assert rows[1][1:] == (1_700_000_000_000_000, 2, Quality.GOOD)
            peer.publish("old", b'{"v": 3}')
            assert (await sink.wait(3))[2][2:] == (3, Quality.GOOD)
        async with listening(running, points("old /v"), retained="ignore") as (driver, sink):
            peer.publish("old", b'{"v": 4}')
            assert [row[2] for row in await sink.wait(1)] == [4]
            assert driver.statistics.messages == 2


async def test_malformed_messages_are_counted(running: Mosquitto) -> None:
    """What cannot be read is counted by topic and gives no row; messages after it do."""
    with Peer(running.port) as peer:
        async with listening(running, points("m /v"), time="/t", max_payload=100) as (driver, sink):
            for payload in (b"{", b"\xff\xfe", b'{"v": NaN}', b'{"v": 1, "t": "yesterday"}', b'{"v": "' + b"x" * 100):
                peer.publish("m", payload)
            peer.publish("m", b'{"other": 1}')
            peer.publish("m", b'{"v": 5}')
            assert [row[2] for row in await sink.wait(1)] == [5]
            assert driver.statistics.malformed == {"m": 5}


async def test_bare_payloads_and_identifiers(running: Mosquitto) -> None:
    """A topic may hold a bare number or word; leading zeros stay, and a String stays as it is written."""
    with Peer(running.port) as peer:
        async with listening(running, (*points("n", "id", "word"), *points("n", datatype=Datatype.STRING))) as (
            _,
            sink,
        ):
            peer.publish("n", b"21.50")
            peer.publish("id", b"0042")
            peer.publish("word", b"RUNNING")
            rows = await sink.wait(4)
    assert sorted((row[0], str(row[2])) for row in rows) == [(0, "21.5"), (0, "21.5"), (1, "0042"), (2, "RUNNING")]


async def test_bare_payloads_of_bytes(running: Mosquitto) -> None:
    """A topic may hold bytes as hexadecimal text alone, also where they look like a number, and no JSON is harmed."""
    with Peer(running.port) as peer:
        async with listening(running, points("port #byte0:uint16", "port #bit0:uint4", "port /v")) as (_, sink):
            for payload in (b"1234", b"12E4", b'"00 0f"', b'{"v": 7}'):
                peer.publish("port", payload)
            rows = await sink.wait(9)
    good = sorted((row[0], row[2]) for row in rows if not math.isnan(row[2]))
    assert good == [(0, 0x000F), (0, 0x1234), (0, 0x12E4), (1, 4), (1, 4), (1, 15), (2, 7)]


async def test_messages_wait_while_the_gateway_is_away(running: Mosquitto) -> None:
    """With a session the broker keeps messages at QoS 1, and they come after the restart, each once."""
    options = {"client_id": "gateway-1", "session": "1h"}
    with Peer(running.port) as peer:
        for version in ("5", "3.1.1"):
            async with listening(running, points("s /v"), version=version, **options) as (_, sink):
                peer.publish("s", b'{"v": 1}', qos=1)
                await sink.wait(1)
            peer.publish("s", b'{"v": 2}', qos=1)
            peer.publish("s", b'{"v": 3}', qos=1)
            async with listening(running, points("s /v"), version=version, **options) as (_, sink):
                peer.publish("s", b'{"v": 4}', qos=1)
                assert [row[2] for row in await sink.wait(3)] == [2, 3, 4]


async def test_restart_of_the_broker(running: Mosquitto) -> None:
    """When the broker goes, wait_closed says so; after it is back a new connection gets messages again."""
    async with listening(running, points("r /v")) as (driver, sink):
        running.stop()
        async with asyncio.timeout(30):
            with pytest.raises(ConnectionFailed):
                await driver.wait_closed()
        with pytest.raises(ConnectionFailed):
            await driver.connect()
        running.start()
        await driver.connect()
        await driver.subscribe(points("r /v"), sink)
        with Peer(running.port) as peer:
            peer.publish("r", b'{"v": 9}')
            assert (await sink.wait(1))[0][2] == 9


async def test_browse(running: Mosquitto) -> None:
    """Topics, and the values in a topic's message with the address that reads them."""
    with Peer(running.port) as peer:
        peer.publish("plant/pump", b'{"values": {"temp": 1.5, "on": true, "id": "A7"}}', retain=True, qos=1)
        async with listening(running, ()) as (driver, _):
            assert [one.address for one in await driver.browse()] == ["plant/pump"]
            found = {one.address: one.datatype for one in await driver.browse("plant/pump")}
    assert found == {
        "plant/pump /values/temp": Datatype.DOUBLE,
        "plant/pump /values/on": Datatype.BOOLEAN,
        "plant/pump /values/id": Datatype.STRING,
    }


async def test_password_and_rights(tmp_path: Path, require: Callable[..., str]) -> None:
    """A wrong password is AccessDenied, and a right one from its file is let in."""
    users = tmp_path / "users"
    program = require("mosquitto_passwd", "mosquitto")
    await asyncio.to_thread(subprocess.run, [program, "-b", "-c", users, "meter", "right"], check=True)
    users.chmod(0o600)
    broker = Mosquitto(tmp_path, users, "user meter\ntopic readwrite #\n")
    broker.start()
    try:
        for word, passed in (("right", True), ("wrong", False)):
            (tmp_path / "secret").write_text(f"{word}\n")
            options = {"user": "meter", "password_file": str(tmp_path / "secret")}
            url = f"mqtt://127.0.0.1:{broker.port}"
            driver = MqttDriver(MqttConnection.model_validate({"url": url, **options}))
            findings = await driver.test_connection()
            assert all(one.passed for one in findings) is passed
            if not passed:
                with pytest.raises(AccessDenied):
                    await driver.connect()
    finally:
        broker.stop()


@pytest.mark.parametrize(
    "wrong",
    [{"url": "http://x"}, {"url": "mqtt://u:p@x"}, {"session": "1h"}, {"ca_file": "ca.pem"}, {"password_file": "p"}],
)
def test_wrong_options(wrong: dict[str, object]) -> None:
    """What cannot work is refused when the plant is loaded."""
    with pytest.raises(ValidationError):
        MqttConnection.model_validate({"url": "mqtt://127.0.0.1", **wrong})


@pytest.mark.parametrize("wrong", ["", "a/b+/c", "a/#/b", "a /*/b/*"])
def test_wrong_addresses(wrong: str) -> None:
    """So is a topic or a pointer that is none."""
    with pytest.raises(ValidationError):
        MqttAddress.model_validate(wrong)

"""Whatever is wrong says so in one place, and everything else goes on as before."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.chain.field import ASSET, GOOD, HEAD, Latest, ModbusField, OpcuaField, modbus, opcua
from tests.chain.harness import Chain, chain, wait_for
from tests.gateway.helpers import Host, plant, running, until
from tests.hub.mqtt import Mosquitto, Peer
from tests.ports import free_port

from lineshaft.clock import SystemClock
from lineshaft.model.samples import Quality
from lineshaft.testing import FieldDevice

MEGABYTE = 1 << 20
NODE = "gateway-1"


class Works:
    """A chain with a Modbus device and an OPC UA server that are well, and one device that is not there."""

    def __init__(self, made: Chain, plc: ModbusField, robot: OpcuaField, text: str) -> None:
        self.made = made
        self.plc = plc
        self.robot = robot
        self.text = text
        self.latest = Latest(made)

    def goes_on(self) -> None:
        """Good new values of the healthy devices."""
        self.latest.flows("plc-speed", "level")

    def events(self, kind: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.made.api.get("/events", params={"limit": 1000}).json()["items"]
        return [event for event in items if event["kind"] == kind]

    def rejected(self, reason: str) -> int:
        """How many messages ingest has refused for a reason, by its counters."""
        figures = self.made.api.get("/health").json()["figures"]["ingest"]
        return int(figures["rejected"].get(reason, 0))

    def broker_port(self) -> int:
        if self.made.mosquitto is not None:
            return self.made.mosquitto.port
        line = next(line for line in (self.made.plant / "hub.yaml").read_text().splitlines() if "broker_port" in line)
        return int(line.split(":")[1])

    def password(self) -> str:
        file = self.made.data / f"{NODE}.password"
        return file.read_text().strip() if file.exists() else ""

    def peer(self, client_id: str) -> Peer:
        """A client that may say what the gateway may say."""
        user = "" if self.made.mosquitto is not None else NODE
        return Peer(self.broker_port(), user, self.password(), client_id)


@contextlib.contextmanager
def works(folder: Path, *, mosquitto: bool = False) -> Iterator[Works]:
    with modbus() as plc, opcua() as robot:
        text = HEAD + "devices:" + plc.config() + plc.config(name="far", port=free_port()) + robot.config()
        with chain(folder / "chain", text, mosquitto=mosquitto) as made:
            made.start()
            found = Works(made, plc, robot, text)
            found.latest.wait(GOOD, "plc-speed", "level")
            yield found


@pytest.mark.slow
def test_each_mistake_is_told_and_disturbs_nothing_else(tmp_path: Path) -> None:
    """A device that is not there, wrong passwords, rubbish, a huge message, a wrong clock and plant, in one life."""
    with works(tmp_path) as place:
        for mistake in (
            unreachable_device,
            wrong_password_of_a_stranger,
            malformed_payloads,
            message_of_100_megabytes,
            device_clock_jumps_back,
            wrong_plant,
            wrong_password_of_the_gateway,
            wrong_password_of_the_hub,
        ):
            mistake(place)
            place.goes_on()


def unreachable_device(place: Works) -> None:
    """The source says what is wrong and how to mend it; one event."""

    def far() -> dict[str, Any]:
        items = place.made.api.get("/sources").json()["items"]
        return next((item for item in items if item["device"] == "far"), {"state": "unknown"})

    wait_for(lambda: far()["state"] == "offline" and far()["error"], 60, "the device that is not there")
    assert "127.0.0.1" in far()["error"]
    assert far()["hint"]
    assert [event["severity"] for event in place.events("device.offline")] == ["medium"]


def wrong_password_of_a_stranger(place: Works) -> None:
    """The broker refuses, and says whom in its log."""
    with Peer(place.broker_port(), NODE, "not the password") as peer:
        assert peer.code not in (0, None)
    wait_for(lambda: "wrong user or password" in place.made.broker.tail(), 60, "the broker's word")


def malformed_payloads(place: Works) -> None:
    """Rubbish on every topic of the node is counted and told once."""
    before = place.rejected("malformed")
    rubbish = (b"\xff" * 50, b"\x12\xff\xff\xff\xff\x0f", b"\x12\x05\x0a\x03\xff\xfe\xfd", b'{"online": true}')
    with place.peer("rubbish") as peer:
        for kind in ("NBIRTH", "NDATA", "DBIRTH", "DDATA", "DDEATH"):
            topic = f"spBv1.0/here/{kind}/{NODE}" + ("/plc" if kind.startswith("D") else "")
            for payload in rubbish:
                peer.publish(topic, payload, qos=1)
    wait_for(lambda: place.rejected("malformed") >= before + 10, 60, "rejected messages")
    told = place.events("ingest.malformed")
    assert len(told) == 1
    assert told[0]["subject"] == f"here/{NODE}"
    assert "refused" in told[0]["message"]


def message_of_100_megabytes(place: Works) -> None:
    """The broker ends the connection of who sends it, before the message is in its memory, and says so."""
    peer = place.peer("huge").connect()
    topic = f"spBv1.0/here/DDATA/{NODE}/plc".encode()
    length = 100 * MEGABYTE
    head = b"\x30" + _length(length + len(topic) + 2) + struct.pack(">H", len(topic)) + topic
    line = peer.client.socket()
    assert isinstance(line, socket.socket)
    line.setblocking(True)
    with contextlib.suppress(OSError):
        line.sendall(head)
        for _ in range(100):
            line.sendall(b"\x00" * MEGABYTE)
    assert peer.lost.wait(60)
    peer.close()
    wait_for(lambda: "message too large" in place.made.broker.tail(), 60, "the broker's word")


def _length(number: int) -> bytes:
    """MQTT's variable length."""
    out = bytearray()
    while True:
        number, low = divmod(number, 128)
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


def device_clock_jumps_back(place: Works) -> None:
    """The device's own times are kept, the first after the jump is marked, and its newest value is shown."""
    place.robot.set_back(3600.0)
    now = time.time() * 1e6
    wait_for(lambda: place.latest.all()["level"].time < now - 3.5e9, 60, "a value of an hour ago")
    number = place.made.signals()[f"{ASSET}/level"]

    def marked() -> list[int]:
        table = place.made.rows([number]).to_pydict()
        rows = zip(table["time"], table["value"], table["quality"], strict=True)
        return [quality for _, _, quality in sorted(rows, key=lambda row: row[1]) if quality != GOOD]

    wait_for(lambda: marked() == [Quality.UNCERTAIN_CLOCK], 60, "the mark of the jump")
    place.robot.set_back(0.0)
    wait_for(lambda: place.latest.all()["level"].time > now, 60, "the right time again")


def wrong_plant(place: Works) -> None:
    """Broken YAML and an unknown unit are refused with file and line; the running plant stays; a good one is taken."""
    file = place.made.plant / "plant.yaml"
    steady = "{name: plc-steady,"
    assert steady in place.text
    wrongs: tuple[tuple[str, Callable[[str], bool]], ...] = (
        (place.text + "\n  - [oops: {\n", lambda log: "YAML" in log),
        (place.text.replace(steady, steady + " unit: furlong/jiffy,"), lambda log: "furlong/jiffy" in log),
    )
    for text, said in wrongs:
        seen = len(place.made.gateway.log.read_text())
        file.write_text(text)
        log = place.made.gateway.log
        wait_for(lambda log=log, seen=seen: "is refused" in log.read_text()[seen:], 60, "the refusal")
        words = log.read_text()[seen:]
        assert said(words), words
        assert re.search(r"plant\.yaml:\d+", words)
        place.goes_on()
    file.write_text(place.text.replace(steady, steady.replace("steady", "firm")))
    place.latest.wait(GOOD, "plc-firm")


def wrong_password_of_the_gateway(place: Works) -> None:
    """It says so and how to mend it, keeps what it reads, and delivers it when the password is right again."""
    file = place.made.data / f"{NODE}.password"
    right = file.read_text()
    place.made.gateway.stop()
    file.write_text("not the password\n")
    place.made.gateway.start()
    words = "Check user, password file"
    wait_for(lambda: words in place.made.gateway.tail(), 60, "the gateway's word")
    wait_for(lambda: not place.latest.is_(GOOD, "plc-speed"), 60, "values that are not fresh")
    assert place.made.api.get("/health").status_code == 200
    place.made.gateway.stop()
    file.write_text(right)
    place.made.gateway.start()
    place.latest.wait(GOOD, "plc-speed", "level")


def wrong_password_of_the_hub(place: Works) -> None:
    """The health of the part broker fails in words, the API goes on to answer, and nothing that was read is lost."""
    file = place.made.data / "host-lineshaft.password"
    right = file.read_text()
    place.made.hub.stop()
    file.write_text("not the password\n")
    place.made.hub.start()

    def broker() -> dict[str, Any]:
        health = place.made.api.get("/health").json()
        return {**next(check for check in health["checks"] if check["part"] == "broker"), "all": health["state"]}

    wait_for(lambda: "Not authorized" in place.made.hub.log.read_text(), 60, "the hub's word")
    assert (broker()["state"], broker()["all"]) == ("fail", "fail")
    assert broker()["mend"]
    place.made.hub.stop()
    file.write_text(right)
    place.made.hub.start()
    wait_for(lambda: broker()["state"] == "pass", 60, "the hub at its broker")
    wait_for(lambda: all(row["unexplained"] == 0 for row in place.made.ledger().values()), 60, "a ledger that adds up")


@pytest.mark.slow
def test_a_huge_message_through_another_broker(tmp_path: Path) -> None:
    """Where the broker lets 100 MB through, the hub refuses it, counts it and tells an event."""
    with works(tmp_path, mosquitto=True) as place:
        with place.peer("huge") as peer:
            peer.client.publish(f"spBv1.0/here/DDATA/{NODE}/plc", b"\x00" * (100 * MEGABYTE), 1).wait_for_publish(60)
        wait_for(lambda: place.rejected("size") == 1, 60, "the refusal")
        assert str(100 * MEGABYTE) in place.events("ingest.size")[0]["message"]
        place.goes_on()


class WrongClock(SystemClock):
    """The computer's clock, until somebody sets it back."""

    def __init__(self) -> None:
        self.back_us = 0

    def now_us(self) -> int:
        return super().now_us() - self.back_us


async def test_the_gateways_own_clock_jumps_back(tmp_path: Path) -> None:
    """Reading goes on at the same pace; the first sample after the jump is marked, nothing is lost or sent twice."""
    broker = Mosquitto(tmp_path)
    broker.start()
    host = Host(broker.port)
    host.state(True)
    clock, device = WrongClock(), FieldDevice(force=0.0)
    folder = tmp_path / "gateway"
    folder.mkdir()
    async with running(plant({"press": ["force"]}), {"press": device}, broker.port, folder, clock=clock):
        for step in range(40):
            device.values["force"] = float(step)
            if step == 20:
                clock.back_us = 3_600_000_000
            await until(lambda step=step: host.samples("force") and host.samples("force")[-1][2] == step, 5)
    rows = host.samples("force")
    assert [value for _, _, value, _, _ in rows] == [float(step) for step in range(40)]
    assert [quality for *_, quality, _ in rows].count(Quality.UNCERTAIN_CLOCK) == 1
    assert rows[20][3] == Quality.UNCERTAIN_CLOCK
    assert rows[20][1] < rows[19][1] - 3_500_000_000
    assert host.duplicates == 0
    host.close()
    broker.stop()

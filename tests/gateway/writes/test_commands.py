"""Commands that write, as they come over a real broker."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from tests.gateway.helpers import Host, plant, running, until
from tests.hub.mqtt import Mosquitto

from lineshaft.testing import FieldDevice
from lineshaft.wire import names
from lineshaft.wire.notes import WriteNote
from lineshaft.wire.sparkplug import Metric, Payload, SparkplugType, decode, encode
from lineshaft.wire.writes import WriteCommand, encode_command

PATH = "acme/north/hall/press/force"
SIGNALS: list[Any] = [{"name": "force", "scale": 0.5, "write": {"low": 0, "high": 50, "every": "10ms"}}]


def order(value: float, name: str, **changes: Any) -> Metric:
    given = {"id": name, "signal": PATH, "value": value, "deadline": int(time.time() * 1e6) + 30_000_000}
    command = WriteCommand(**{**given, "user": "ada", "reason": "trial", **changes})
    return Metric(names.WRITE, SparkplugType.STRING, encode_command(command))


def answers(host: Host) -> dict[str, WriteNote]:
    return {note.id: note for note in host.notes if isinstance(note, WriteNote)}


def plain(host: Host, metric: Metric) -> None:
    """A command as any other Sparkplug host sends it."""
    payload = encode(Payload(int(time.time() * 1000), None, (metric,)))
    host.client.publish("spBv1.0/north/DCMD/gw/press", payload).wait_for_publish(30)


async def test_a_command_of_the_hub_is_carried_out_and_answered(broker: Mosquitto, host: Host, folder: Path) -> None:
    """The birth says what may be set; the metric of the hub is carried out once, the answer comes as a kept note."""
    device = FieldDevice(force=20.0)
    site = plant({"press": SIGNALS}, gateway={"allow_writes": True})
    async with running(site, {"press": device}, broker.port, folder):
        await until(lambda: host.samples("force"))
        birth = decode(host.log.of("DBIRTH")[0].data).metric("hall/press/force")
        assert birth is not None
        assert json.loads(str(birth.properties[names.WRITABLE])) == {"low": 0, "high": 50, "every": 0.01}
        host.command(order(15.0, "one"))
        host.command(order(15.0, "one"))
        host.command(Metric(names.WRITE, SparkplugType.STRING, '{"id": 5}'))  # malformed: passed over
        host.command(order(99.0, "two"))
        await until(lambda: answers(host).keys() >= {"one", "two"})
        plain(host, Metric("hall/press/force", SparkplugType.DOUBLE, 30.0))
        await until(lambda: any(note.via == "sparkplug" for note in answers(host).values()))
    assert device.written == [("force", 30.0)]
    outcomes = {(note.via, note.outcome) for note in answers(host).values()}
    assert outcomes == {("hub", "done"), ("hub", "refused"), ("sparkplug", "refused")}


async def test_plain_commands_where_they_are_allowed(broker: Mosquitto, host: Host, folder: Path) -> None:
    """With its own switch a DCMD by name sets a value within the same bounds."""
    device = FieldDevice(force=20.0)
    site = plant({"press": SIGNALS}, gateway={"allow_writes": True, "foreign_commands": True})
    async with running(site, {"press": device}, broker.port, folder):
        await until(lambda: host.samples("force"))
        plain(host, Metric("hall/press/force", SparkplugType.DOUBLE, 77.0))
        plain(host, Metric("hall/press/force", SparkplugType.DOUBLE, 30.0))
        await until(lambda: len(answers(host)) == 2)
    assert device.written == [("force", 60.0)]


async def test_nothing_is_writable_by_itself(broker: Mosquitto, host: Host, folder: Path) -> None:
    """Without gateway.allow_writes neither the birth offers it nor is a command carried out."""
    device = FieldDevice(force=20.0)
    async with running(plant({"press": SIGNALS}), {"press": device}, broker.port, folder):
        await until(lambda: host.samples("force"))
        birth = decode(host.log.of("DBIRTH")[0].data).metric("hall/press/force")
        assert birth is not None
        assert names.WRITABLE not in birth.properties
        host.command(order(15.0, "one"))
        await until(lambda: answers(host))
    assert answers(host)["one"].outcome == "refused"
    assert not device.written

"""Lesson c: elsewhere a configuration that is pushed throws the buffer away."""

from __future__ import annotations

from pathlib import Path

from tests.gateway.helpers import Host, plant, running, until
from tests.hub.mqtt import Mosquitto

from lineshaft.testing import FieldDevice


async def test_a_config_push_during_an_outage_keeps_the_buffer(broker: Mosquitto, host: Host, folder: Path) -> None:
    """A signal, and a device, that the new configuration does not have any more are delivered all the same."""
    press, saw = FieldDevice(force=1.0, stroke=2.0), FieldDevice(speed=3.0)
    broker.stop()
    before = plant({"press": ["force", "stroke"], "saw": ["speed"]}, poll="20ms", pipeline={"report": "all"})
    async with running(before, {"press": press, "saw": saw}, broker.port, folder) as gateway:
        await until(lambda: gateway.status().buffer.rows >= 60)
    after = plant({"press": ["stroke", "depth"]}, poll="20ms", pipeline={"report": "all"})
    press.values["depth"] = 4.0
    async with running(after, {"press": press}, broker.port, folder) as gateway:
        kept = gateway.status().buffer.rows
        assert kept >= 60
        broker.start()
        await until(host.client.is_connected)
        host.state(True)
        await until(lambda: host.samples("depth") and gateway.status().buffer.rows < 10)
    for name, device in (("force", press), ("speed", saw)):
        rows = [row for row in host.samples(name) if row[2] is not None]
        times = [time for _, time, *_ in rows]
        assert len(rows) >= 20
        assert times == sorted(times)
        assert {value for _, _, value, _, _ in rows} == {device.values[name]}
    assert len(host.samples("stroke")) > len(host.samples("force"))

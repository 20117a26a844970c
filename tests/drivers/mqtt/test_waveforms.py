"""Bursts in JSON messages, at a Mosquitto."""

from __future__ import annotations

import asyncio
import json

from tests.hub.mqtt import Mosquitto, Peer

from lineshaft.drivers.base import Point, WavePoint
from lineshaft.drivers.mqtt.driver import MqttDriver
from lineshaft.drivers.mqtt.options import MqttAddress, MqttConnection
from lineshaft.model.samples import Quality, SampleBatch


def at(text: str) -> MqttAddress:
    return MqttAddress.model_validate(text)


async def test_a_burst_comes_with_rate_speed_and_its_own_time(broker: Mosquitto) -> None:
    """Numbers and bursts of one topic both arrive; what is no burst makes its waveform bad and spares the numbers."""
    broker.start()
    driver = MqttDriver(MqttConnection(url=f"mqtt://127.0.0.1:{broker.port}", time="/at", time_unit="s"))
    wave = WavePoint(
        7, at("vib/1 /data"), rate_address=at("vib/1 /hz"), speed_address=at("vib/1 /rpm"), samples=4, scale=0.5
    )
    driver.expect_waveforms((wave,))
    got: list[SampleBatch] = []
    more = asyncio.Event()

    def sink(batch: SampleBatch) -> None:
        got.append(batch)
        more.set()

    await driver.connect()
    try:
        await driver.subscribe((Point(0, at("vib/1 /temperature")),), sink)
        with Peer(broker.port) as peer:
            for data in ([1, -2, 3, -4], [1, 2], [1, None, 3, 4], "text"):
                message = {"data": data, "hz": 25_600, "rpm": 1480, "temperature": 41.5, "at": 1_700_000_000}
                peer.client.publish("vib/1", json.dumps(message), 1)
            async with asyncio.timeout(30):
                while sum(map(len, got)) < 8:
                    more.clear()
                    await more.wait()
    finally:
        await driver.close()
    rows = SampleBatch.concat(got)
    assert rows.values[rows.signals == 0].tolist() == [41.5] * 4
    bursts = rows.take(rows.signals == 7)
    assert bursts.qualities.tolist() == [Quality.GOOD, *[Quality.BAD_DEVICE] * 3]
    assert bursts.waves is not None
    burst = bursts.waves[0]
    assert (burst.values().tolist(), burst.rate, burst.speed) == ([0.5, -1.0, 1.5, -2.0], 25_600.0, 1480.0)
    assert bursts.times[0] == 1_700_000_000_000_000
    assert "text" in driver.statistics.last_error or "list of numbers" in driver.statistics.last_error
    assert driver.statistics.malformed["vib/1"] == 3

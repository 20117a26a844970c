"""The driver contract over MQTT, with retained messages at a Mosquitto."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from tests.hub.mqtt import Mosquitto, Peer

from lineshaft.drivers.mqtt import SPEC
from lineshaft.testing import DriverSetup, NetworkDriverContract

EXPECTED: tuple[tuple[str, float | str], ...] = (
    ("hall/pump-1/state /values/temperature", 21.5),
    ("hall/pump-1/state /values/running", 1),
    ("hall/pump-1/state /values/parts", "9007199254740993"),
    ("hall/pump-1/state /serial", "0042"),
    ("hall/pump-1/state /list/[id=7]/v", -3),
    ("hall/+/state /list/1/v", 4),
)


def publish(port: int) -> None:
    document = {
        "ts": time.time_ns() // 1_000_000,
        "values": {"temperature": 21.5, "running": True, "parts": 2**53 + 1},
        "serial": "0042",
        "list": [{"id": 7, "v": -3}, {"id": 8, "v": 4}],
    }
    with Peer(port) as peer:
        peer.publish("hall/pump-1/state", json.dumps(document).encode(), qos=1, retain=True)


class TestMqtt(NetworkDriverContract):
    @pytest.fixture
    def setup(self, broker: Mosquitto) -> DriverSetup:
        async def start() -> None:
            await asyncio.to_thread(broker.start)
            await asyncio.to_thread(publish, broker.port)

        async def stop() -> None:
            await asyncio.to_thread(broker.stop)

        return DriverSetup(
            spec=SPEC,
            start=start,
            stop=stop,
            connection=lambda: {"url": f"mqtt://127.0.0.1:{broker.port}", "time": "/ts", "timeout": "3s"},
            expected=EXPECTED,
            bad_address="hall/pump-1/state /values/nothing",
        )

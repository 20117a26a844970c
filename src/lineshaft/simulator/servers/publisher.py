"""Sensors that publish JSON to the plant's own broker, signed in as `simulator`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from lineshaft.mqtt_loop import MqttLoop
from lineshaft.simulator.channels import Channel
from lineshaft.simulator.devices import endpoint, option
from lineshaft.simulator.servers.base import OneMachine, Shown
from lineshaft.simulator.servers.documents import document, grouped

USER: Final = "simulator"
"""The sensors' user; its password is in `simulator.password` beside the gateway's, where the broker has users."""
_MOST_WAITING: Final = 1000
_PAUSES: Final = (1.0, 5.0)  # seconds between tries to connect, the first and the longest


class Publisher:
    """Publishes with QoS 1; it connects in a thread of its own, again and again, and keeps what waits."""

    def __init__(self, host: str, port: int, password_file: Path | None, client_id: str) -> None:
        self._host, self._port = host, port
        self._password_file = password_file
        self._client_id = client_id
        self._client: paho.Client | None = None
        self._network: MqttLoop | None = None

    @property
    def running(self) -> bool:
        """True between start and stop."""
        return self._client is not None

    async def start(self) -> None:
        """Begin to connect; a broker that is not there yet is waited for."""
        if self._client is not None:
            return
        client = paho.Client(CallbackAPIVersion.VERSION2, self._client_id)
        if self._password_file is not None and self._password_file.exists():
            client.username_pw_set(USER, self._password_file.read_text(encoding="utf-8").strip())
        client.max_queued_messages_set(_MOST_WAITING)
        client.connect_async(self._host, self._port, keepalive=30)
        self._client, self._network = client, MqttLoop(client)
        self._network.start(_PAUSES)

    async def stop(self) -> None:
        """Sign off."""
        network, self._client, self._network = self._network, None, None
        if network is not None:
            await asyncio.to_thread(network.stop)

    def put(self, topic: str, payload: bytes) -> None:
        """One more message."""
        if self._client is not None:
            self._client.publish(topic, payload, qos=1)


def sensor_machine(channels: Sequence[Channel]) -> OneMachine:
    """One sensor, or several that one device of the plant listens to; each publishes every `poll` seconds."""
    device = channels[0].device
    secret = option(device, "password_file")
    password_file = Path(str(secret)).with_name(f"{USER}.password") if secret else None
    publisher = Publisher(*endpoint(device), password_file, f"{USER}-{device.id}")
    topics = grouped(channels, "topic")
    pause_us = round(device.poll * 1e6)
    told = 0

    def write(shown: Shown) -> None:
        nonlocal told
        now = int(shown.frame.times[-1])
        if now // pause_us > told:
            told = now // pause_us
            for topic, group in topics.items():
                publisher.put(topic, document(group, shown))

    return OneMachine(channels, publisher, write)

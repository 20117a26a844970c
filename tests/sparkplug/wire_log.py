"""What a passive subscriber sees: every message on the broker, parsed, in order."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import paho.mqtt.client as mqtt

from lineshaft.mqtt_loop import MqttLoop
from lineshaft.wire import topics
from lineshaft.wire.sparkplug import parse


@dataclass(frozen=True, slots=True)
class Seen:
    """One message: topic in parts, protobuf payload (or STATE JSON), QoS and retain flag as delivered, when."""

    topic: str
    data: bytes
    qos: int
    retain: bool
    at: float

    @property
    def parts(self) -> topics.Topic:
        return topics.parse(self.topic)

    @property
    def kind(self) -> str:
        return self.topic.split("/")[1 if self.topic.startswith("spBv1.0/STATE") else 2]

    @property
    def payload(self) -> Any:
        return parse(self.data)

    @property
    def state(self) -> dict[str, Any]:
        value = json.loads(self.data.decode())
        assert isinstance(value, dict)
        return value


@dataclass(slots=True)
class WireLog:
    """Records from a broker; `of` filters by message type."""

    seen: list[Seen] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def add(self, message: Seen) -> None:
        with self._changed:
            self.seen.append(message)
            self._changed.notify_all()

    def of(self, *kinds: str) -> list[Seen]:
        return [message for message in list(self.seen) if message.kind in kinds]

    def sessions(self) -> Iterator[list[Seen]]:
        """The edge's messages from one NBIRTH up to the next."""
        current: list[Seen] = []
        for message in self.of("NBIRTH", "DBIRTH", "NDATA", "DDATA", "DDEATH"):
            if message.kind == "NBIRTH" and current:
                yield current
                current = []
            current.append(message)
        if current:
            yield current

    def wait(self, condition: Callable[[WireLog], bool], seconds: float = 20.0) -> None:
        """Wait for messages; AssertionError with what came when they do not."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not condition(self):
                left = deadline - time.monotonic()
                assert left > 0, f"waited {seconds} s; seen: {[message.topic for message in self.seen][-20:]}"
                self._changed.wait(left)


def observe(log: WireLog, host: str, port: int, user: str = "", password: str = "") -> MqttLoop:
    """A passive subscriber that fills the log; the caller stops it."""
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="observer")
    if user:
        client.username_pw_set(user, password)
    subscribed = threading.Event()

    def on_message(_client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        log.add(Seen(message.topic, message.payload, message.qos, message.retain, time.time()))

    client.on_message = on_message
    client.on_connect = lambda c, *_: c.subscribe("spBv1.0/#", qos=1)
    client.on_subscribe = lambda *_: subscribed.set()
    network = MqttLoop(client)
    client.connect(host, port)
    network.start()
    assert subscribed.wait(30)
    return network

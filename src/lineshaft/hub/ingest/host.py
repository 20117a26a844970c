"""The Sparkplug host application on MQTT: its connection, its STATE, and the commands that it sends."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from lineshaft.clock import Clock
from lineshaft.errors import ConfigError
from lineshaft.hub.ingest.blocks import FrameRef
from lineshaft.hub.ingest.counters import Counters
from lineshaft.hub.ingest.inbox import Arrival, Inbox, Signal
from lineshaft.mqtt_loop import MqttLoop
from lineshaft.wire import names, topics
from lineshaft.wire.frames import encode_ack
from lineshaft.wire.sparkplug import Metric, Payload, SparkplugType, encode
from lineshaft.wire.topics import Message, Topic
from lineshaft.wire.writes import WriteCommand, encode_command

KEEP_ALIVE: Final = 15  # seconds
_FIRST_WAIT: Final = 0.2  # seconds before the first new try
_LONGEST_WAIT: Final = 5.0
_GOOD_BYE: Final = 2.0  # seconds to say that we go
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BrokerLogin:
    """Where the broker is and who we are there."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False

    @staticmethod
    def parse(url: str, user: str = "", password: str = "") -> BrokerLogin:
        """From mqtt://host:port or mqtts://host:port. Raises ConfigError."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ConfigError(f"broker {url!r}: {error}", hint="mqtt://host:1883") from error
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ConfigError(f"broker {url!r} is not an address", hint="mqtt://host:1883 or mqtts://host:8883")
        tls = parts.scheme == "mqtts"
        return BrokerLogin(parts.hostname, port or (8883 if tls else 1883), user, password, tls)


class HostClient:
    """Connects, stays connected, and puts what arrives into the inbox. All callbacks run in its own thread."""

    def __init__(self, login: BrokerLogin, host_id: str, inbox: Inbox, clock: Clock, counters: Counters) -> None:
        self._login = login
        self._host_id = host_id
        self._state_topic = topics.state(host_id)
        self._inbox = inbox
        self._clock = clock
        self._counters = counters
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ingest-mqtt", daemon=True)
        self._client: paho.Client | None = None
        self._network: MqttLoop | None = None
        self._born_ms = 0
        self._up = False
        self._complained = ""

    def start(self) -> None:
        """Begin to connect; a broker that is not there is tried again and again."""
        self._thread.start()

    def stop(self) -> None:
        """Say that the host goes, and disconnect."""
        self._stopping.set()
        client = self._client
        if client is not None and self._up:
            info = client.publish(self._state_topic, self._state(online=False), qos=1, retain=True)
            try:
                info.wait_for_publish(_GOOD_BYE)
            except (RuntimeError, ValueError):
                _log.debug("ingest: connection lost while leaving")
        if self._network is not None:
            self._network.stop()
        if self._thread.is_alive():
            self._thread.join(_GOOD_BYE + KEEP_ALIVE)

    def acknowledge(self, ref: FrameRef) -> None:
        """Tell a gateway that these frames are committed. What gets lost is asked for again by the gateway."""
        if ref.frames:
            group, _, node = ref.node.partition("/")
            self._command(group, node, Metric(names.ACK, SparkplugType.BYTES, encode_ack(ref.epoch, ref.frames)))

    def ask_rebirth(self, group: str, node: str) -> None:
        """Ask an edge node for its birth certificates."""
        self._command(group, node, Metric(names.REBIRTH, SparkplugType.BOOLEAN, True))

    def command(self, node: str, metric: Metric) -> bool:
        """Send a command to `node` (group/edge node); False when there is no connection."""
        group, _, name = node.partition("/")
        return self._command(group, name, metric)

    def write(self, node: str, command: WriteCommand) -> bool:
        """Ask a node to write a value; False when there is no broker. It is never sent twice."""
        return self.command(node, Metric(names.WRITE, SparkplugType.STRING, encode_command(command)))

    def _command(self, group: str, node: str, metric: Metric) -> bool:
        client = self._client
        if client is None or not self._up:
            return False
        payload = encode(Payload(self._clock.now_us() // 1000, None, (metric,)))
        info = client.publish(str(Topic(group, Message.NCMD, node)), payload, qos=0)
        return info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def _state(self, *, online: bool) -> bytes:
        stamp = self._born_ms if online else self._clock.now_us() // 1000
        return json.dumps({"online": online, "timestamp": stamp}).encode()

    def _run(self) -> None:
        wait = _FIRST_WAIT
        while not self._stopping.is_set():
            began = time.monotonic()
            words = self._session()
            self._counters.connected(False)
            if self._up:
                self._up = False
                self._inbox.put(Signal.LOST)
            if time.monotonic() - began > _LONGEST_WAIT:
                wait = _FIRST_WAIT
            if words != self._complained and not self._stopping.is_set():
                self._complained = words
                _log.warning("ingest: no broker", broker=f"{self._login.host}:{self._login.port}", reason=words)
            self._stopping.wait(wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    def _session(self) -> str:
        """One connection from beginning to end; gives the reason of the end."""
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            f"lineshaft-{self._host_id}",
            clean_session=True,
            protocol=paho.MQTTv311,
            reconnect_on_failure=False,
        )
        self._born_ms = self._clock.now_us() // 1000
        will = json.dumps({"online": False, "timestamp": self._born_ms}).encode()
        client.will_set(self._state_topic, will, qos=1, retain=True)
        if self._login.user:
            client.username_pw_set(self._login.user, self._login.password)
        if self._login.tls:
            client.tls_set_context(ssl.create_default_context())
        ended: list[str] = []
        self._hook(client, ended.append)
        self._client, self._network = client, MqttLoop(client)
        try:
            client.connect(self._login.host, self._login.port, KEEP_ALIVE)
        except OSError as error:
            return str(error)
        if self._stopping.is_set():  # since before there was a loop to stop
            self._network.stop()
        code = self._network.run()
        return ended[-1] if ended else paho.error_string(code)

    def _hook(self, client: paho.Client, ended: Callable[[str], None]) -> None:
        def on_connect(_c: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
            if reason.is_failure:
                ended(str(reason))
                client.disconnect()
            else:
                client.subscribe(topics.all_sparkplug(), qos=1)

        def on_subscribe(_c: paho.Client, _data: Any, _mid: int, reasons: list[Any], _properties: Any) -> None:
            if any(reason.is_failure for reason in reasons):
                ended("the broker refuses the subscription of spBv1.0/#")
                client.disconnect()
                return
            client.publish(self._state_topic, self._state(online=True), qos=1, retain=True)
            self._up = True
            self._complained = ""
            self._counters.connected(True)
            self._inbox.put(Signal.CONNECTED)
            _log.info("ingest: connected", broker=f"{self._login.host}:{self._login.port}")

        client.on_connect = on_connect
        client.on_subscribe = on_subscribe
        client.on_message = self._on_message

    def _on_message(self, client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        topic = message.topic
        if topic.startswith(f"{topics.NAMESPACE}/STATE/"):
            if topic == self._state_topic:
                self._on_own_state(client, bytes(message.payload))
            return
        arrival = Arrival(topic, bytes(message.payload), time.monotonic())
        self._inbox.put(arrival, always="/NDATA/" not in topic and "/DDATA/" not in topic)

    def _on_own_state(self, client: paho.Client, payload: bytes) -> None:
        """Somebody says that we are offline (a late will of ours): contradict, with the same timestamp."""
        try:
            online = json.loads(payload)["online"]
        except (ValueError, KeyError, TypeError):
            online = None
        if online is not True and self._up and not self._stopping.is_set():
            client.publish(self._state_topic, self._state(online=True), qos=1, retain=True)

"""Edge nodes that send values as a Lineshaft gateway does, encoded beforehand, and wait for every acknowledgement.

Run as a worker: it prepares, says how many values it has, and sends at the word `warm` a first part and at `go` the
rest; the answer is the time from the first byte to the last acknowledgement.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import paho.mqtt.client as paho
from numpy.typing import NDArray
from paho.mqtt.enums import CallbackAPIVersion

from bench.dataset import machine_values, times
from bench.process import options, peak_mib, say, words
from lineshaft.gateway.uplinks.forward import WINDOW_ROWS
from lineshaft.model.samples import Quality, SampleBatch
from lineshaft.mqtt_loop import MqttLoop
from lineshaft.wire import names, topics
from lineshaft.wire.columns import encode_rows
from lineshaft.wire.frames import BatchHeader, decode_ack
from lineshaft.wire.sparkplug import Metric, Payload, SparkplugType, decode, encode
from lineshaft.wire.topics import Message, Topic

ENTERPRISE: Final = "bench"
GROUP: Final = "works"
NODES: Final = 4
SIGNALS: Final = 1_000
PER_NODE: Final = SIGNALS // NODES
SECONDS_PER_MESSAGE: Final = 16
ROWS_PER_MESSAGE: Final = PER_NODE * SECONDS_PER_MESSAGE
_DEVICE: Final = "line"
_PATIENCE: Final = 60.0  # seconds without an acknowledgement after which something is wrong
_EPOCH: Final = bytes(range(16))


def node_name(number: int) -> str:
    """Id of an edge node."""
    return f"gateway-{number}"


@dataclass(slots=True, eq=False)
class Node:
    """One edge node: its connection, its encoded messages, and which frames are not acknowledged."""

    number: int
    client: paho.Client
    network: MqttLoop
    messages: Sequence[bytes]
    frames: Sequence[range]
    open_frames: set[int] = field(default_factory=set)
    next: int = 0

    @property
    def topic(self) -> str:
        """Where its data go."""
        return str(Topic(GROUP, Message.DDATA, node_name(self.number), _DEVICE))

    def may_send(self, end: int) -> bool:
        """True while there are messages before `end` and the window is not full, as in a real gateway."""
        return self.next < end and (len(self.open_frames) + SECONDS_PER_MESSAGE) * PER_NODE <= WINDOW_ROWS


class Publisher:
    """All nodes; one thread sends, those of the MQTT library take acknowledgements."""

    def __init__(self, port: int, values: NDArray[np.float64], passwords: Sequence[str]) -> None:
        self._changed = threading.Condition()
        self._subscribed = threading.Semaphore(0)
        self.nodes = [self._node(number, port, values, passwords) for number in range(NODES)]
        for _ in self.nodes:
            self._subscribed.acquire()

    def _node(self, number: int, port: int, values: NDArray[np.float64], passwords: Sequence[str]) -> Node:
        client = paho.Client(CallbackAPIVersion.VERSION2, node_name(number), protocol=paho.MQTTv311)
        client.max_queued_messages_set(0)
        if passwords:
            client.username_pw_set(node_name(number), passwords[number])
        own = values[:, number * PER_NODE : (number + 1) * PER_NODE]
        node = Node(number, client, MqttLoop(client), *_encoded(own))
        client.on_message = lambda _c, _d, message: self._acknowledged(node, bytes(message.payload))
        client.on_subscribe = lambda *_: self._subscribed.release()
        client.on_connect = lambda *_: client.subscribe(topics.command_topics(GROUP, node_name(number))[0])
        client.connect("127.0.0.1", port)
        node.network.start()
        return node

    def birth(self) -> None:
        """Announce nodes and signals."""
        for node in self.nodes:
            for topic, payload in _births(node.number):
                node.client.publish(topic, payload, 0)

    def send(self, part: float) -> dict[str, float]:
        """Send up to this part of all messages; returns when all that was sent is acknowledged."""
        ends = [round(len(node.messages) * part) for node in self.nodes]
        rows = sum(end - node.next for node, end in zip(self.nodes, ends, strict=True)) * ROWS_PER_MESSAGE
        began = time.perf_counter()
        while True:
            sent = False
            for node, end in zip(self.nodes, ends, strict=True):
                with self._changed:
                    ready = node.may_send(end)
                    if ready:
                        node.open_frames.update(node.frames[node.next])
                if ready:
                    node.client.publish(node.topic, node.messages[node.next], 0)
                    node.next += 1
                    sent = True
            if sent:
                continue
            with self._changed:
                if not any(node.open_frames for node in self.nodes):
                    return {"rows": rows, "seconds": time.perf_counter() - began}
                free = any(node.may_send(end) for node, end in zip(self.nodes, ends, strict=True))
                if not free and not self._changed.wait(_PATIENCE):
                    raise RuntimeError(f"no acknowledgement for {_PATIENCE:g} s")

    def _acknowledged(self, node: Node, payload: bytes) -> None:
        for metric in decode(payload).metrics:
            if metric.name == names.ACK and metric.value is not None:
                _, frames = decode_ack(metric.value)
                with self._changed:
                    node.open_frames.difference_update(frames.tolist())
                    self._changed.notify()

    def close(self) -> None:
        """Disconnect."""
        for node in self.nodes:
            node.network.stop()


def _births(number: int) -> Iterator[tuple[str, bytes]]:
    node = node_name(number)
    node_metrics = (
        Metric(names.BDSEQ, SparkplugType.INT64, 0),
        Metric(names.REBIRTH, SparkplugType.BOOLEAN, False),
        Metric(names.VERSION, SparkplugType.STRING, "bench"),
        Metric(names.BATCH, SparkplugType.BYTES, null=True, alias=1),
    )
    yield str(Topic(GROUP, Message.NBIRTH, node)), encode(Payload(0, 0, node_metrics))
    metrics = [Metric(names.BATCH, SparkplugType.BYTES, null=True, alias=2)]
    for index in range(PER_NODE):
        path = f"{ENTERPRISE}/{GROUP}/{node}/machine-{index // 10}/s{index % 10}"
        metrics.append(
            Metric(f"{node}/{index}", SparkplugType.DOUBLE, null=True, alias=names.FIRST_ALIAS + index,
                   properties={names.PATH: path, names.DECIMALS: 2})
        )  # fmt: skip
    yield str(Topic(GROUP, Message.DBIRTH, node, _DEVICE)), encode(Payload(0, 1, tuple(metrics)))


def _encoded(values: NDArray[np.float64]) -> tuple[list[bytes], list[range]]:
    """DDATA payloads of float64[seconds, signals], and the ids of the frames (one a second) in each."""
    stamps = times(len(values))
    aliases = np.tile(np.arange(names.FIRST_ALIAS, names.FIRST_ALIAS + PER_NODE, dtype=np.uint64), SECONDS_PER_MESSAGE)
    types = np.full(ROWS_PER_MESSAGE, SparkplugType.DOUBLE, np.uint8)
    messages: list[bytes] = []
    frames: list[range] = []
    for start in range(0, len(values), SECONDS_PER_MESSAGE):
        end = start + SECONDS_PER_MESSAGE
        ids = range(start + 1, end + 1)
        batch = SampleBatch(
            aliases.astype(np.uint32),
            np.repeat(stamps[start:end], PER_NODE),
            values[start:end].ravel(),
            np.full(ROWS_PER_MESSAGE, Quality.GOOD, np.uint8),
        )
        messages.append(
            encode_rows(
                batch,
                aliases,
                types,
                timestamp=int(stamps[start] // 1000),
                seq=(len(messages) + 2) % 256,  # after the two births
                header=BatchHeader.of(_EPOCH, ids, [PER_NODE] * SECONDS_PER_MESSAGE),
                header_alias=2,
            )
        )
        frames.append(ids)
    return messages, frames


def _main(what: dict[str, Any]) -> None:
    values = machine_values(SIGNALS, what["seconds"])
    publisher = Publisher(what["port"], values, what["passwords"])
    size = sum(len(message) for node in publisher.nodes for message in node.messages)
    say(bytes_per_value=size / values.size)
    for line in words():
        match line.strip():
            case "birth":
                publisher.birth()
                say()
            case "warm":
                say(**publisher.send(what["warm"]))
            case "go":
                say(**publisher.send(1.0), peak_mib=peak_mib())
    publisher.close()


if __name__ == "__main__":
    _main(options())

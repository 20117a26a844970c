"""An edge node that keeps its frames until they are acknowledged, and one that knows nothing of that."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lineshaft.model.equipment import Datatype
from lineshaft.model.samples import SampleBatch
from lineshaft.wire import names, topics
from lineshaft.wire.columns import encode_rows
from lineshaft.wire.frames import BatchHeader, decode_ack
from lineshaft.wire.notes import Note, encode_notes
from lineshaft.wire.sparkplug import Metric, Payload, SparkplugType, decode, encode, type_of
from lineshaft.wire.topics import Message, Topic

from ..mqtt import Peer

GROUP = "north"
SITE = "acme/north"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Tag:
    name: str
    datatype: Datatype = Datatype.DOUBLE
    properties: dict[str, str | int | float | bool] = field(default_factory=dict)
    value: object = None


class Edge:
    """One edge node with devices; `epoch` and frame ids as a Lineshaft gateway has them."""

    def __init__(
        self,
        port: int,
        node: str,
        devices: dict[str, Sequence[Tag]],
        *,
        lineshaft: bool = True,
        aliases: bool = True,
        user: str = "",
        password: str = "",
    ) -> None:
        self.node = node
        self.devices = devices
        self.lineshaft = lineshaft
        self.aliases = aliases
        self.epoch = bytes(range(16))
        self.seq = 0
        self.bdseq = 0
        self.unacknowledged: dict[int, tuple[str, SampleBatch]] = {}
        self.acknowledged: set[int] = set()
        self.rebirths = 0
        self.asked: list[float] = []
        """Monotonic seconds of each wish for a rebirth."""
        self.reborn = threading.Event()
        self.auto_birth = True
        self._login = (port, user, password)
        self._lock = threading.RLock()
        self.numbers: dict[tuple[str, str], int] = {}
        alias = names.FIRST_ALIAS
        for device, tags in devices.items():
            for tag in tags:
                self.numbers[device, tag.name] = alias
                alias += 1
        self.peer = self._peer()

    def _peer(self) -> Peer:
        port, user, password = self._login
        peer = Peer(port, user, password)
        peer.client.max_queued_messages_set(0)
        death = Payload(now_ms(), None, (Metric(names.BDSEQ, SparkplugType.INT64, self.bdseq),))
        peer.client.will_set(self.topic(Message.NDEATH), encode(death), 1)
        peer.client.on_message = lambda _c, _u, m: self._on_message(m.topic, m.payload)
        return peer

    def topic(self, message: Message, device: str = "") -> str:
        return str(Topic(GROUP, message, self.node, device))

    def connect(self) -> Edge:
        self.peer.connect()
        self.peer.subscribe(topics.command_topics(GROUP, self.node)[0])
        return self

    def start(self) -> Edge:
        self.connect()
        self.birth()
        return self

    def close(self) -> None:
        self.peer.close()

    def _on_message(self, topic: str, payload: bytes) -> None:
        for metric in decode(payload).metrics:
            if metric.name == names.REBIRTH:
                self.asked.append(time.monotonic())
                self.rebirths += 1
                if self.auto_birth:
                    self.birth()
                self.reborn.set()
            elif metric.name == names.ACK:
                epoch, frames = decode_ack(metric.value)
                assert epoch == self.epoch
                with self._lock:
                    for frame in frames.tolist():
                        self.acknowledged.add(frame)
                        self.unacknowledged.pop(frame, None)

    def send(self, topic: str, payload: bytes) -> None:
        self.peer.client.publish(topic, payload, 0)

    def next_seq(self) -> int:
        seq, self.seq = self.seq, (self.seq + 1) % 256
        return seq

    def birth(self) -> None:
        with self._lock:
            self.seq = 0
            metrics = [
                Metric(names.BDSEQ, SparkplugType.INT64, self.bdseq),
                Metric(names.REBIRTH, SparkplugType.BOOLEAN, False),
            ]
            if self.lineshaft:
                metrics.append(Metric(names.VERSION, SparkplugType.STRING, "0.1"))
                metrics.append(Metric(names.BATCH, SparkplugType.BYTES, null=True, alias=1))
                metrics.append(Metric(names.NOTE, SparkplugType.STRING, null=True))
            metrics += self._metrics("")
            self.send(self.topic(Message.NBIRTH), encode(Payload(now_ms(), self.next_seq(), tuple(metrics))))
            for device in self.devices:
                if device:
                    self.device_birth(device)

    def _metrics(self, device: str) -> list[Metric]:
        return [
            Metric(
                tag.name,
                type_of(tag.datatype),
                tag.value,
                alias=self.numbers[device, tag.name] if self.aliases else None,
                timestamp=now_ms(),
                null=tag.value is None,
                properties={names.PATH: f"{SITE}/{tag.name}", **tag.properties} if self.lineshaft else tag.properties,
            )
            for tag in self.devices.get(device, ())
        ]

    def device_birth(self, device: str) -> None:
        with self._lock:
            payload = Payload(now_ms(), self.next_seq(), tuple(self._metrics(device)))
            self.send(self.topic(Message.DBIRTH, device), encode(payload))

    def device_death(self, device: str) -> None:
        with self._lock:
            self.send(self.topic(Message.DDEATH, device), encode(Payload(now_ms(), self.next_seq(), ())))

    def data(
        self,
        device: str,
        batch: SampleBatch,
        frames: Sequence[tuple[int, int]] = (),
        *,
        historical: bool = False,
        seq: int | None = None,
    ) -> None:
        """Send rows whose `signals` index the device's tags; `frames` are (id, rows)."""
        tags = self.devices[device]
        aliases = np.array([self.numbers[device, tag.name] for tag in tags], np.uint64)[batch.signals]
        types = np.array([type_of(tag.datatype) for tag in tags], np.uint8)[batch.signals]
        header = BatchHeader.of(self.epoch, *zip(*frames, strict=True)) if frames else None
        with self._lock:
            payload = encode_rows(
                batch,
                aliases,
                types,
                timestamp=now_ms(),
                seq=self.next_seq() if seq is None else seq,
                historical=historical,
                header=header,
                header_alias=1,
            )
            self.send(self.topic(Message.DDATA if device else Message.NDATA, device), payload)

    def frame(self, device: str, number: int, batch: SampleBatch, *, historical: bool = False) -> None:
        """Send one frame and keep it until it is acknowledged."""
        with self._lock:
            self.unacknowledged[number] = (device, batch)
            self.data(device, batch, [(number, len(batch))], historical=historical)

    def resend(self) -> None:
        with self._lock:
            for number, (device, batch) in sorted(self.unacknowledged.items()):
                self.data(device, batch, [(number, len(batch))], historical=True)

    def note(self, notes: Sequence[Note], frame: int | None = None) -> None:
        metrics = []
        with self._lock:
            if frame is not None:
                rows = encode_rows(
                    SampleBatch.empty(),
                    np.empty(0, np.uint64),
                    np.empty(0, np.uint8),
                    timestamp=now_ms(),
                    seq=0,
                    header=BatchHeader.of(self.epoch, [frame], [0]),
                )
                metrics += list(decode(rows).metrics)
            metrics.append(Metric(names.NOTE, SparkplugType.STRING, encode_notes(notes)))
            self.send(self.topic(Message.NDATA), encode(Payload(now_ms(), self.next_seq(), tuple(metrics))))

    def wait_acknowledged(self, timeout: float = 30.0) -> None:
        until(lambda: not self.unacknowledged, timeout)


def until(condition: object, timeout: float = 30.0) -> None:
    """Wait for something that other threads bring about."""
    assert callable(condition)
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.005)

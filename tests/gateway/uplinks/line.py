"""The way from the disk buffer to real sinks, without devices: rows are written, sinks are watched."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import paho.mqtt.client as paho
from tests.gateway.helpers import plan_of

from lineshaft.clock import Clock, SystemClock
from lineshaft.config.models import GatewayConfig
from lineshaft.gateway.buffer import Buffer
from lineshaft.gateway.plan import Plan, buffer_key
from lineshaft.gateway.requests import Requests
from lineshaft.gateway.store import BufferOptions
from lineshaft.gateway.uplinks.access import Files
from lineshaft.gateway.uplinks.base import NodeContext
from lineshaft.gateway.uplinks.builtin import UPLINKS
from lineshaft.gateway.uplinks.forward import Forwarder
from lineshaft.model.samples import Quality, SampleBatch, UInt32Array
from lineshaft.mqtt_loop import MqttLoop
from lineshaft.wire.notes import DropNote, StatusNote, UplinkStatus, decode_notes

START = 1_767_322_800_000_000  # 2026-01-02T03:00:00Z
SIGNALS = [
    {"name": "force", "unit": "kN"},
    {"name": "count", "kind": "counter", "datatype": "UInt32"},
    {"name": "running", "datatype": "Boolean", "kind": "state", "states": {"0": "idle", "1": "running"}},
    {"name": "text", "datatype": "String", "kind": "state"},
]
Sample = tuple[str, int, Any]
"""(path, microseconds, value)"""


class FastClock(SystemClock):
    """The computer's clock, `speed` times as fast: long pauses become short ones."""

    def __init__(self, speed: float) -> None:
        self._speed, self._began, self._wall = speed, time.monotonic(), time.time_ns() // 1000

    def now_us(self) -> int:
        return self._wall + round((time.monotonic() - self._began) * self._speed * 1e6)

    def monotonic(self) -> float:
        return (time.monotonic() - self._began) * self._speed

    async def sleep_until(self, deadline: float) -> None:
        await asyncio.sleep(max(0.0, (deadline - self.monotonic()) / self._speed))


class NoDevices:
    """Implements GatewayView."""

    def last(self, handles: UInt32Array) -> SampleBatch:
        return SampleBatch.empty()

    def device_state(self, device: str) -> Literal["starting", "online", "offline"]:
        return "online"


class Line:
    """One disk buffer and its uplinks. `written` has every sample that went in."""

    def __init__(
        self,
        folder: Path,
        uplinks: Sequence[dict[str, Any]],
        *,
        clock: Clock | None = None,
        plan: Plan | None = None,
        options: BufferOptions | None = None,
    ) -> None:
        self.clock = clock or SystemClock()
        self.plan = plan or plan_of({"press": SIGNALS})
        self.written: list[Sample] = []
        self._at = 0
        config = GatewayConfig.model_validate({"id": "gw", "uplinks": list(uplinks)})
        names = [uplink.id for uplink in config.uplinks]
        self.buffer = Buffer(folder / "buffer", self.clock, names, options or BufferOptions())
        self.buffer.open()
        ids = self.buffer.register([buffer_key(item) for item in self.plan.signals])
        handles = np.full(len(self.buffer.keys), -1, np.int64)
        handles[ids] = np.arange(len(ids))
        last = lambda: self.buffer.last  # noqa: E731
        requests = Requests({}, self.clock)
        node = NodeContext(
            self.plan,
            NoDevices(),
            self.clock,
            self.buffer.epoch,
            handles,
            last,
            requests,
            lambda command, via: None,
        )
        self.forwarders: dict[str, Forwarder] = {}
        for uplink in config.uplinks:
            made = UPLINKS[type(uplink)](uplink, node, Files(uplink.id, folder))
            made.deliveries = self.forwarders[uplink.id] = Forwarder(made, self.buffer, self.clock, uplink.drain_rate)
        self.buffer.on_append = lambda: [forwarder.wake() for forwarder in self.forwarders.values()] and None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Line]:
        tasks = [asyncio.create_task(forwarder.run()) for forwarder in self.forwarders.values()]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            self.buffer.close()
        assert all(isinstance(one, asyncio.CancelledError) for one in ended), ended

    def write(self, rows: int, *, device: str = "press", signal: int = 0) -> None:
        """One frame with rows of one numeric signal, a millisecond apart."""
        numbers = np.arange(self._at, self._at + rows)
        self._at += rows
        self.buffer.append(device, SampleBatch.of(np.full(rows, signal), START + numbers * 1000, numbers))
        path = self.plan.signals[signal].signal.path
        self.written += [(path, START + number * 1000, float(number)) for number in numbers.tolist()]

    def write_text(self, texts: Iterable[str]) -> None:
        """One frame of texts."""
        values = list(texts)
        times = START + np.arange(self._at, self._at + len(values)) * 1000
        self._at += len(values)
        nothing = np.full(len(values), np.nan)
        self.buffer.append("press", SampleBatch.of(np.full(len(values), 3), times, nothing, Quality.GOOD, values))
        path = self.plan.signals[3].signal.path
        self.written += [(path, at, text) for at, text in zip(times.tolist(), values, strict=True)]

    def status(self, uplink: str = "") -> UplinkStatus:
        return next(iter(self.forwarders.values()) if not uplink else iter([self.forwarders[uplink]])).status()

    def tell(self) -> None:
        """A status to all uplinks, as the gateway sends it."""
        note = StatusNote(
            self.clock.now_us(), (), self.buffer.status(), tuple(f.status() for f in self.forwarders.values())
        )
        for forwarder in self.forwarders.values():
            forwarder.uplink.tell(note)

    def drops(self) -> list[tuple[str, int, str]]:
        """(path, rows, reason) of every drop note in the buffer."""
        frames = [self.buffer.read(number) for number in range(1, self.buffer.last + 1)]
        notes = [note for frame in frames if frame is not None and frame.note for note in decode_notes(frame.note)]
        return [(d.signal, d.rows, d.reason) for note in notes if isinstance(note, DropNote) for d in note.drops]


class Watcher:
    """An MQTT client that keeps everything it sees."""

    def __init__(self, port: int, *filters: str) -> None:
        self.messages: list[tuple[str, bytes, bool]] = []
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._network = MqttLoop(self.client)
        ready = threading.Event()
        wanted = [(one, 1) for one in filters or ("#",)]
        self.client.on_connect = lambda client, *_: client.subscribe(wanted)
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.on_message = lambda _c, _u, m: self.messages.append((m.topic, m.payload, m.retain))
        self.client.connect("127.0.0.1", port)
        self._network.start((1.0, 5.0))
        assert ready.wait(30)

    def close(self) -> None:
        self._network.stop()

    def documents(self, ending: str = "") -> list[dict[str, Any]]:
        return [json.loads(payload) for topic, payload, _ in list(self.messages) if topic.endswith(ending)]

    def samples(self) -> Counter[Sample]:
        """Every sample of a batch, and how often it came."""
        return batch_samples(self.documents())


def batch_samples(documents: Iterable[dict[str, Any]]) -> Counter[Sample]:
    found: Counter[Sample] = Counter()
    for document in documents:
        for sample in document.get("samples", ()):
            found[sample["signal"], sample_time(sample), sample["value"]] += 1
    return found


def sample_time(sample: dict[str, Any]) -> int:
    if "timestamp_ms" in sample:
        return int(sample["timestamp_ms"]) * 1000
    return int(np.datetime64(sample["timestamp"].removesuffix("Z"), "us").astype(np.int64))

"""A small plant with scripted devices, and a Sparkplug host to watch its gateway."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import paho.mqtt.client as mqtt
from tests.sparkplug.wire_log import Seen, WireLog

from lineshaft.clock import Clock, SystemClock
from lineshaft.config.models import Plant
from lineshaft.gateway.options import GatewayOptions
from lineshaft.gateway.plan import Plan, make_plan
from lineshaft.gateway.runtime import Gateway
from lineshaft.gateway.uplinks.mqtt import BrokerAccess
from lineshaft.mqtt_loop import MqttLoop
from lineshaft.testing import FieldDevice, ScriptedAddress, ScriptedDriver, ScriptedOptions
from lineshaft.wire import names
from lineshaft.wire.columns import Rows, decode_rows
from lineshaft.wire.frames import encode_ack
from lineshaft.wire.notes import Note, decode_notes
from lineshaft.wire.sparkplug import Metric, Payload, SparkplugType, decode, encode


def plant(devices: Mapping[str, Iterable[Any]], *, driver: str = "scripted", **sections: Any) -> Plant:
    """A checked plant: device id -> signals, each a name or the keys of a signal."""
    configs = []
    for device, signals in devices.items():
        entries = [{"name": item} if isinstance(item, str) else dict(item) for item in signals]
        for entry in entries:
            entry["address"] = ScriptedAddress(name=entry.pop("address", entry["name"]))
        configs.append(
            {
                "id": device,
                "driver": driver,
                "connection": {},
                "asset": f"hall/{device}",
                "poll": sections.get("poll", "50ms"),
                "timeout": "500ms",
                "silence": sections.get("silence"),
                "signals": entries,
            }
        )
    data = {
        "plant": {"enterprise": "acme", "site": "north", "name": "North", "timezone": "UTC"},
        "equipment": [{"id": "hall", "level": "area", "children": [{"id": device} for device in devices]}],
        "devices": configs,
        "gateway": {"id": "gw", **sections.get("gateway", {})},
        "pipeline": sections.get("pipeline", {}),
        "derived": sections.get("derived", []),
        "edge_rules": sections.get("edge_rules", []),
        "vibration_sensors": sections.get("vibration_sensors", []),
    }
    checked = Plant.model_validate(data)
    ready = tuple(
        device.model_copy(update={"connection": ScriptedOptions(device=device.id)}) for device in checked.devices
    )
    return checked.model_copy(update={"devices": ready})


def plan_of(*args: Any, **kwargs: Any) -> Plan:
    return make_plan(plant(*args, **kwargs))


class Host:
    """A Sparkplug host that keeps what it saw, and acknowledges what it is told to."""

    def __init__(self, port: int, *, acknowledge: bool = True, user: str = "", password: str = "") -> None:
        self.log = WireLog()
        self.acknowledge = acknowledge
        self.types: dict[int, int] = {}
        self.paths: dict[int, str] = {}
        self.batch_alias: dict[str, int] = {}
        self.frames: dict[int, list[tuple[str, int, float | None, int, str | None]]] = {}
        self.notes: list[Note] = []
        self.duplicates = 0
        self.historical = 0
        self._since = int(time.time() * 1000)
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self._network = MqttLoop(self.client)
        if user:
            self.client.username_pw_set(user, password)
        ready = threading.Event()
        self.client.on_connect = lambda client, *_: client.subscribe("spBv1.0/#", qos=1)
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.on_message = self._message
        self.client.connect("127.0.0.1", port)
        self._network.start((1.0, 5.0))
        assert ready.wait(30)

    def state(self, online: bool, timestamp: int | None = None) -> None:
        payload = json.dumps({"online": online, "timestamp": self._since if timestamp is None else timestamp})
        self.client.publish("spBv1.0/STATE/lineshaft", payload, qos=1, retain=True).wait_for_publish(30)

    def command(self, *metrics: Metric) -> None:
        payload = encode(Payload(int(time.time() * 1000), None, metrics))
        self.client.publish("spBv1.0/north/NCMD/gw", payload).wait_for_publish(30)

    def rebirth(self) -> None:
        self.command(Metric(names.REBIRTH, SparkplugType.BOOLEAN, True))

    def close(self) -> None:
        self._network.stop()

    def _message(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        seen = Seen(message.topic, message.payload, message.qos, message.retain, time.time())
        if seen.kind in ("NBIRTH", "DBIRTH"):
            self._birth(seen)
        elif seen.kind in ("NDATA", "DDATA"):
            self._data(seen)
        self.log.add(seen)

    def _birth(self, seen: Seen) -> None:
        for metric in decode(seen.data).metrics:
            if metric.name == names.BATCH and metric.alias is not None:
                self.batch_alias[seen.parts.device] = metric.alias
            elif metric.alias is not None and metric.datatype is not None:
                self.types[metric.alias] = metric.datatype
                self.paths[metric.alias] = str(metric.properties[names.PATH])

    def _data(self, seen: Seen) -> None:
        types = np.zeros(20_000, np.uint8)
        for alias, number in self.types.items():
            types[alias] = number
        rows: Rows = decode_rows(seen.data, types, self.batch_alias[seen.parts.device])
        for metric in rows.others:
            if metric.name == names.NOTE and (rows.header is None or int(rows.header.frames[0]) not in self.frames):
                self.notes += decode_notes(str(metric.value))
        self.historical += int(rows.historical.sum())
        if rows.header is None:
            return
        at = 0
        for number, count in zip(rows.header.frames.tolist(), rows.header.rows.tolist(), strict=True):
            self.duplicates += number in self.frames
            self.frames[number] = [self._row(rows, row) for row in range(at, at + count)]
            at += count
        if self.acknowledge:
            self.ack(rows.header.epoch, rows.header.frames.tolist())

    def ack(self, epoch: bytes, numbers: Iterable[int]) -> None:
        payload = Payload(1, None, (Metric(names.ACK, SparkplugType.BYTES, encode_ack(epoch, numbers)),))
        self.client.publish("spBv1.0/north/NCMD/gw", encode(payload))

    def _row(self, rows: Rows, row: int) -> tuple[str, int, float | None, int, str | None]:
        value = float(rows.values[row])
        text = None if rows.texts is None else rows.texts[row]
        path = self.paths[int(rows.aliases[row])]
        return path, int(rows.times[row]), None if value != value else value, int(rows.qualities[row]), text

    def samples(self, name: str) -> list[tuple[str, int, float | None, int, str | None]]:
        """All rows of a signal, in the order of the frames."""
        frames = dict(self.frames)
        return [row for number in sorted(frames) for row in frames[number] if row[0].endswith(f"/{name}")]


@asynccontextmanager
async def running(
    plan_plant: Plant,
    devices: Mapping[str, FieldDevice],
    port: int,
    folder: Path,
    *,
    push: bool = False,
    clock: Clock | None = None,
    user: str = "",
    password: str = "",
) -> AsyncIterator[Gateway]:
    """A gateway at work; stopped at the end."""
    used = clock or SystemClock()
    spec = ScriptedDriver.spec(devices, used, push=push)
    options = GatewayOptions(plan_plant.gateway, folder, BrokerAccess("127.0.0.1", port, user, password), used)
    gateway = Gateway(make_plan(plan_plant), {"scripted": spec}, options)
    stop = asyncio.Event()
    task = asyncio.create_task(gateway.run(stop))
    try:
        async with asyncio.timeout(30):
            await gateway.started.wait()
        yield gateway
    finally:
        stop.set()
        await task


async def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until something is so; AssertionError when it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.01)

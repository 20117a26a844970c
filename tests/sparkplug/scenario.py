"""One recorded life of our edge node and our host on Mosquitto: starts, outages, a rebirth, lies, ends."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.gateway.helpers import plant, running, until
from tests.hub.ingest.edge import Edge, Tag
from tests.hub.memory import MemoryCatalogue, MemoryEvents, MemoryLedger, MemoryLive
from tests.hub.memory_historian import MemoryHistorian
from tests.hub.mqtt import Mosquitto, Peer
from tests.sparkplug.tap import Packet, Tap
from tests.sparkplug.wire_log import WireLog, observe

from lineshaft.errors import ConnectionFailed
from lineshaft.hub.ingest import BrokerLogin, Ingest, IngestSettings, IntakeSettings
from lineshaft.model.samples import SampleBatch
from lineshaft.testing import FieldDevice
from lineshaft.wire import names
from lineshaft.wire.sparkplug import Metric, Payload, SparkplugType, encode
from lineshaft.wire.topics import Message

GROUP, NODE, HOST_ID = "north", "gw", "lineshaft"
STATE = f"spBv1.0/STATE/{HOST_ID}"
REORDER_TIMEOUT = 0.5
SIGNALS = {
    "press": [
        {"name": "force", "unit": "kN", "range": [0, 100]},
        {"name": "parts", "kind": "counter", "datatype": "UInt64"},
        {"name": "mode", "kind": "state", "datatype": "String"},
        {"name": "running", "datatype": "Boolean"},
        {"name": "offset", "datatype": "Int16"},
        {"name": "steady", "datatype": "Float"},
        {"name": "none"},
    ],
    "pump": ["flow"],
}


class Hub:
    """Our host: real ingest, the parts around it in memory; they stay over a restart."""

    def __init__(self, port: int, folder: Path) -> None:
        self.catalogue = MemoryCatalogue()
        self.live = MemoryLive()
        self._settings = IngestSettings(
            folder,
            BrokerLogin.parse(f"mqtt://127.0.0.1:{port}"),
            IntakeSettings("acme", reorder_timeout=REORDER_TIMEOUT, rebirth_interval=1.0),
        )
        self._parts = (MemoryHistorian(), self.catalogue, MemoryLedger(), MemoryEvents(), self.live)

    def start(self) -> None:
        self.ingest = Ingest(self._settings, *self._parts)
        self.ingest.recover()
        self.ingest.start()

    async def stop(self) -> None:
        await asyncio.to_thread(self.ingest.stop)

    def stale(self, device: str, node: str = NODE) -> dict[str, bool]:
        """Path -> whether it is stale, of the signals of a device."""
        return {
            path: self.catalogue.ids[path] in self.live.stale_signals
            for path, born in self.catalogue.born.items()
            if (born.node, born.device) == (f"{GROUP}/{node}", device)
        }


@dataclass
class Record:
    """What was seen, what our host thought, and when things were done.

    edge, host  packets of our edge node and of our host; log  what a passive subscriber saw of these two
    moments     name -> (from, to) in seconds of the wall clock
    thought     name -> (sources, stale signals by device) of the host after a deed
    """

    edge: Tap
    host: Tap
    log: WireLog = field(default_factory=WireLog)
    other: WireLog = field(default_factory=WireLog)
    moments: dict[str, tuple[float, float]] = field(default_factory=dict)
    thought: dict[str, dict[str, tuple[str, int, dict[str, bool]]]] = field(default_factory=dict)
    rebirths_after_swap: int = -1
    rebirths_after_gap: int = -1
    ids_of_equal_devices: tuple[set[int], set[int]] = (set(), set())

    def within(self, moment: str, packets: list[Packet]) -> list[Packet]:
        """Those of some packets that came in a span."""
        first, last = self.moments[moment]
        return [packet for packet in packets if first <= packet.at <= last]


class Play:
    """Carries the scenario out."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._broker = Mosquitto(folder)
        self._all = WireLog()
        self._lies: set[bytes] = set()

    def run(self) -> Record:
        self._broker.start()
        record = self._record = Record(Tap(self._broker.port).start(), Tap(self._broker.port).start())
        observer = observe(self._all, "127.0.0.1", self._broker.port)
        try:
            with Peer(self._broker.port) as self._peer:
                asyncio.run(self._life())
        finally:
            observer.stop()
            record.edge.stop()
            record.host.stop()
            self._broker.stop()
        for seen in self._all.seen:
            if seen.kind == "STATE":
                ours = seen.topic == STATE and seen.data not in self._lies
            else:
                ours = seen.parts.node == NODE
            (record.log if ours else record.other).add(seen)
        return record

    async def _life(self) -> None:
        self._devices = {
            "press": FieldDevice(force=1.0, parts=7.0, mode="auto", running=1.0, offset=-300.0, steady=2.5),
            "pump": FieldDevice(flow=3.0),
        }
        self._hub = Hub(self._record.host.port, self._folder / "ingest")
        home = self._folder / "gateway"
        home.mkdir()
        async with running(plant(SIGNALS), self._devices, self._record.edge.port, home):
            await self._host_is_not_there()
            await self._data_flows()
            await self._device_goes_and_comes()
            await self._rebirth()
            await self._lie_about_the_host()
            await self._host_stops_and_dies()
            await self._line_is_cut()
            end = self._begin()
        await self._saw(lambda: self._record.edge.up("DISCONNECT"))
        self._end("clean stop", end)
        await self._foreign_node()
        end = self._begin()
        await self._hub.stop()
        self._end("host stop", end)

    # -- helpers

    def _begin(self) -> float:
        return time.time()

    def _end(self, moment: str, began: float) -> None:
        self._record.moments[moment] = (began, time.time())

    async def _saw(self, condition: Callable[[], object], seconds: float = 20.0) -> None:
        await until(condition, seconds)

    def _count(self, *kinds: str) -> int:
        return sum(seen.parts.node == NODE for seen in self._all.of(*kinds))

    def _remember(self, name: str) -> None:
        """Note what the host thinks now."""
        state = self._hub.catalogue.sources
        self._record.thought[name] = {
            device: (*state[f"{GROUP}/{NODE}", device][:2], self._hub.stale(device)) for device in ("", *SIGNALS)
        }

    def _state(self, online: bool, timestamp: int, host_id: str = HOST_ID) -> None:
        data = json.dumps({"online": online, "timestamp": timestamp, "lie": True}).encode()
        self._lies.add(data)
        self._peer.publish(f"spBv1.0/STATE/{host_id}", data, qos=1, retain=True)

    async def _all_is_well(self) -> None:
        """The host knows both devices as online, and their values are fresh."""
        ready = self._hub.catalogue.state
        await self._saw(lambda: ready(f"{GROUP}/{NODE}", "press") == ready(f"{GROUP}/{NODE}", "pump") == "online")
        self._devices["press"].values["force"] = time.time() % 50
        await self._saw(lambda: not self._hub.stale("press")["acme/north/hall/press/force"])

    # -- scenes

    async def _host_is_not_there(self) -> None:
        """No host, another host, our host offline, an old word of it; then it comes."""
        began = self._begin()
        await self._saw(lambda: self._record.edge.up("SUBSCRIBE"))
        now = int(time.time() * 1000)
        self._state(True, now, "another")
        await asyncio.sleep(0.3)
        self._state(False, now)
        await asyncio.sleep(0.3)
        self._state(True, now - 10_000)
        await asyncio.sleep(0.3)
        self._end("waiting", began)
        self._hub.start()
        await self._saw(lambda: self._count("DBIRTH") == 2)
        await self._all_is_well()

    async def _data_flows(self) -> None:
        press = self._devices["press"].values
        began = self._begin()
        for step in range(40):
            press |= {"force": float(step), "parts": 100.0 + step, "offset": float(-step)}
            press |= {"mode": "auto" if step % 8 < 4 else "manual", "running": float(step % 2)}
            await asyncio.sleep(0.06)
        self._end("data", began)
        self._remember("well")

    async def _device_goes_and_comes(self) -> None:
        began = self._begin()
        self._devices["pump"].fault = ConnectionFailed("cable cut")
        await self._saw(lambda: self._count("DDEATH"))
        await self._saw(lambda: self._hub.catalogue.state(f"{GROUP}/{NODE}", "pump") == "offline")
        await self._saw(lambda: all(self._hub.stale("pump").values()))
        self._remember("device death")
        births = self._count("DBIRTH")
        self._devices["pump"].fault = None
        await self._saw(lambda: self._count("DBIRTH") > births)
        self._end("device death", began)
        await self._all_is_well()

    async def _rebirth(self) -> None:
        began, births = self._begin(), self._count("NBIRTH")
        metric = Metric(names.REBIRTH, SparkplugType.BOOLEAN, True)
        topic = f"spBv1.0/{GROUP}/NCMD/{NODE}"
        self._peer.publish(topic, encode(Payload(int(time.time() * 1000), None, (metric,))))
        await self._saw(lambda: self._count("NBIRTH") > births)
        data = self._count("DDATA")
        self._devices["press"].values["force"] = 66.0
        await self._saw(lambda: self._count("DDATA") > data)
        self._end("rebirth", began)

    async def _lie_about_the_host(self) -> None:
        """An offline word that is older than the host's birth: the host contradicts, the edge node takes no notice."""
        began = self._begin()
        self._state(False, 5)
        await self._saw(
            lambda: [one for one in self._record.host.up("PUBLISH") if one.topic == STATE and one.at > began]
        )
        self._devices["press"].values["force"] = 77.0
        await asyncio.sleep(0.4)
        self._end("lie", began)

    async def _host_stops_and_dies(self) -> None:
        """A clean stop and a new start; then its link is cut, the broker publishes its will, and it comes back."""
        began, deaths, births = self._begin(), self._count("NDEATH"), self._count("NBIRTH")
        await self._hub.stop()
        await self._saw(lambda: self._count("NDEATH") > deaths)
        await asyncio.sleep(0.8)
        self._end("host gone", began)
        self._hub.start()
        await self._saw(lambda: self._count("NBIRTH") > births)
        await self._all_is_well()
        began, deaths, births = self._begin(), self._count("NDEATH"), self._count("NBIRTH")
        self._record.host.cut()
        await self._saw(lambda: self._count("NDEATH") > deaths and self._count("NBIRTH") > births)
        self._end("host killed", began)
        await self._all_is_well()

    async def _line_is_cut(self) -> None:
        began, deaths, births = self._begin(), self._count("NDEATH"), self._count("NBIRTH")
        self._record.edge.stop()
        await self._saw(lambda: self._count("NDEATH") > deaths)
        await self._saw(lambda: all(self._hub.stale("press").values()) and all(self._hub.stale("pump").values()))
        await self._saw(lambda: self._hub.catalogue.state(f"{GROUP}/{NODE}") == "offline")
        self._remember("node death")
        self._record.edge.start()
        await self._saw(lambda: self._count("NBIRTH") > births)
        await self._all_is_well()
        self._end("line cut", began)

    async def _foreign_node(self) -> None:
        """Another edge node with a device of the same name; its messages come out of order, and one never comes."""
        tags = {"press": [Tag("hall/other/force"), Tag("hall/other/speed")]}
        edge = await asyncio.to_thread(Edge(self._broker.port, "other", tags, lineshaft=False).start)
        await self._saw(lambda: self._hub.catalogue.state(f"{GROUP}/other", "press") == "online")
        node = [int(self._hub.catalogue.ids[path]) for path in self._hub.stale("press", "other")]
        ours = [int(self._hub.catalogue.ids[path]) for path in self._hub.stale("press")]
        self._record.ids_of_equal_devices = (set(node), set(ours))
        first = edge.next_seq()
        self._one(edge, edge.next_seq())
        await asyncio.sleep(REORDER_TIMEOUT / 4)
        self._one(edge, first)
        await asyncio.sleep(REORDER_TIMEOUT * 2)
        self._record.rebirths_after_swap = edge.rebirths
        edge.next_seq()
        began = self._begin()
        self._one(edge, edge.next_seq())
        await self._saw(lambda: edge.rebirths > 0)
        self._end("gap", began)
        self._record.rebirths_after_gap = edge.rebirths
        death = Payload(1, None, (Metric(names.BDSEQ, SparkplugType.INT64, 99),))
        self._peer.publish(edge.topic(Message.NDEATH), encode(death), qos=1)
        await asyncio.sleep(0.3)
        self._record.thought["late will"] = {
            "": (*self._hub.catalogue.sources[f"{GROUP}/other", ""][:2], self._hub.stale("press", "other"))
        }
        edge.close()

    def _one(self, edge: Edge, seq: int) -> None:
        now = int(time.time() * 1_000_000)
        edge.data("press", SampleBatch.of([0], [now], [1.0]), seq=seq)

"""A line of two machines with a calendar, its rows as the gateway would send them, and the app over real tables."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lineshaft.apps.base import AppContext
from lineshaft.apps.oee.app import make
from lineshaft.apps.oee.parts import Oee
from lineshaft.clock import VirtualClock
from lineshaft.config.load import load_plant
from lineshaft.config.models import Plant
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.hub.api.services import PlantInfo, Services
from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.hub.ports import BornSignal
from lineshaft.hub.state.state import State
from lineshaft.hub.stream import LiveStream
from lineshaft.model.equipment import Datatype, Signal
from lineshaft.model.samples import SampleBatch

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
MONDAY = 1_772_409_600_000_000  # 2 March 2026, 00:00 UTC
SIX = MONDAY + 5 * HOUR  # 06:00 in Berlin, when the early shift begins
ROOT = "acme/works"
PRESS, SAW = f"{ROOT}/line/press", f"{ROOT}/line/saw"

YAML = """
plant: {enterprise: acme, site: works, name: Works, timezone: Europe/Berlin}
equipment:
  - {id: line, level: line, name: Line, children: [{id: press, name: Press}, {id: saw, name: Saw}]}
devices:
  - id: plc
    driver: opcua
    connection: {url: "opc.tcp://127.0.0.1:4840/", security: none}
    signals: &signals
      - {name: state, asset: line/press, address: "ns=2;s=A", kind: state}
      - {name: reason, asset: line/press, address: "ns=2;s=B", kind: state, datatype: String}
      - {name: product, asset: line/press, address: "ns=2;s=C", kind: state, datatype: String}
      - {name: good, asset: line/press, address: "ns=2;s=D", kind: counter}
      - {name: scrap, asset: line/press, address: "ns=2;s=E", kind: counter}
      - {name: state, asset: line/saw, address: "ns=2;s=F", kind: state}
      - {name: good, asset: line/saw, address: "ns=2;s=G", kind: counter}
calendars:
  - id: day
    shifts:
      - {id: early, start: "06:00", end: "14:00", breaks: [{start: "10:00", end: "10:30"}]}
      - {id: late, start: "14:00", end: "22:00"}
oee:
  machines:
    - &machine
      asset: line/press
      state: state
      standard: packml
      reason: reason
      product: product
      good: good
      scrap: scrap
      hourly_cost: 100
      cycle: 60s
    - {asset: line/saw, state: state, standard: packml, good: good, cycle: 60s, hourly_cost: 50}
  lines: [{path: line, flow: [press, saw]}]
  products: [{id: P1, name: Part, cycles: {line/press: 30s}}]
  reasons:
    - id: fault
      name: Fault
      children:
        - {id: jam, name: Jam, match: [jam]}
        - {id: hydraulics, name: Hydraulics}
    - {id: material, name: Material, loss: delay}
    - {id: tool, name: Tool change, loss: setup}
    - {id: fetch, name: Fetching tools, loss: setup, external: true}
"""
RUN, STOP, IDLE, SUSPENDED = 6.0, 2.0, 4.0, 5.0


@dataclass
class Line:
    """The app with its parts."""

    oee: Oee
    services: Services
    historian: ClickHouseHistorian
    plant: Plant
    clock: VirtualClock
    ids: dict[str, int]
    sent: int = 0

    def put(self, path: str, rows: Sequence[tuple[int, float | str]]) -> None:
        """Commit rows of one signal: (time, number or text)."""
        self.sent += 1
        texts = [one if isinstance(one, str) else None for _, one in rows]
        values = [np.nan if isinstance(one, str) else one for _, one in rows]
        batch = SampleBatch.of([self.ids[path]] * len(rows), [time for time, _ in rows], values, 192, texts)
        self.historian.append(batch, f"token-{self.sent}")
        self.services.stream.publish(batch)

    async def at(self, time: int) -> None:
        """Let it be `time`, and the recorder do what it does then."""
        await self.clock.advance((time - self.clock.now_us()) / 1e6)
        await asyncio.to_thread(self.oee.recorder.step)

    async def late(self) -> None:
        """Let the recorder see that no more late rows come."""
        await self.at(self.clock.now_us())
        await self.at(self.clock.now_us() + 2_000_000)

    def kpi(self, name: str, start: int = MONDAY, end: int = MONDAY + DAY, path: str = PRESS) -> float:
        return float(self.oee.reports.kpis(path, start, end, "")["whole"]["kpis"][name])

    def time(self, name: str, start: int = MONDAY, end: int = MONDAY + DAY, path: str = PRESS) -> float:
        return float(self.oee.reports.kpis(path, start, end, "")["whole"]["times"][name])


def load(folder: Path, text: str = YAML) -> Plant:
    (folder / "plant.yaml").write_text(text)
    return load_plant(folder, DRIVERS)


@contextmanager
def running(folder: Path, text: str = YAML) -> Iterator[Line]:
    """The app over a fresh SQLite database and the embedded historian; it is Monday, 06:00 in Berlin."""
    plant = load(folder, text)
    clock = VirtualClock(SIX)
    historian = ClickHouseHistorian(f"chdb:///{folder}/historian")
    historian.open()
    try:
        with State(f"sqlite:///{folder}/state.db") as state:
            signals = [
                Signal(f"{ROOT}/{one.asset}", one.name, one.kind, one.datatype or Datatype.DOUBLE)
                for device in plant.devices
                for one in device.signals
            ]
            ids = state.register([BornSignal(one, "works/gateway-1", "plc") for one in signals]).tolist()
            services = Services(historian, state, LiveStream(clock), PlantInfo("Works", "Europe/Berlin"), clock)
            oee = make(AppContext(plant, services, historian.listen))
            historian.listen(oee.recorder.committed)
            paths = {one.path: number for one, number in zip(signals, ids, strict=True)}
            yield Line(oee, services, historian, plant, clock, paths)
    finally:
        historian.close()

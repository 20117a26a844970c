"""A hub with the OEE app in a thread of this process: a press whose rows the test commits as a gateway's would be."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import uvicorn
from fastapi import FastAPI
from tests.e2e.server import PASSWORD
from tests.ports import free_port

from lineshaft.apps.base import AppContext
from lineshaft.apps.oee.app import OEE
from lineshaft.config.load import load_plant
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.hub.api.app import create_app, server_config
from lineshaft.hub.api.services import PlantInfo, Services
from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.hub.ports import BornSignal
from lineshaft.hub.security.roles import Role
from lineshaft.hub.state.state import State
from lineshaft.hub.stream import LiveStream
from lineshaft.model.equipment import Datatype, Signal
from lineshaft.model.samples import SampleBatch
from lineshaft.web.static_files import mount_page

PRESS = "acme/works/press"
RUN, STOP = 6.0, 2.0
YAML = """
plant: {enterprise: acme, site: works, name: Works, timezone: Europe/Berlin}
equipment: [{id: press, name: Press 1}]
devices:
  - id: plc
    driver: opcua
    connection: {url: "opc.tcp://127.0.0.1:4840/", security: none}
    asset: press
    signals:
      - {name: state, address: "ns=2;s=A", kind: state}
      - {name: good, address: "ns=2;s=B", kind: counter}
      - {name: product, address: "ns=2;s=C", kind: state, datatype: String}
oee:
  machines: [{asset: press, state: state, standard: packml, good: good, product: product, cycle: 30s, hourly_cost: 100}]
  reasons:
    - id: fault
      name: Fault
      children: [{id: jam, name: Jam}, {id: hydraulics, name: Hydraulics}]
    - {id: material, name: Material, loss: delay}
"""


class Served:
    """The app and its server in a thread, at a port that stays when it is stopped and started again."""

    def __init__(self, app: FastAPI, context: AppContext, port: int) -> None:
        self.port = port
        self._app = app
        self._context = context
        self._thread: threading.Thread | None = None
        self._server: uvicorn.Server | None = None

    def start(self) -> None:
        """Serve, and return when the app runs."""
        server, started = uvicorn.Server(server_config(self._app, "127.0.0.1", self.port)), threading.Event()

        async def serve() -> None:
            async with OEE.start(self._context) as running:
                self._app.state.apps["oee"] = running
                started.set()
                await server.serve()

        self._server = server
        self._thread = threading.Thread(target=lambda: asyncio.run(serve()), name="oee-hub")
        self._thread.start()
        assert started.wait(60)

    def stop(self) -> None:
        """End, and return when nothing serves any more."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
            self._thread = None


@dataclass
class OeeHub:
    """The running hub."""

    url: str
    historian: ClickHouseHistorian
    stream: LiveStream
    ids: dict[str, int]
    server: Served
    sent: int = 0

    def put(self, name: str, rows: Sequence[tuple[int, float | str]]) -> None:
        """Commit rows of one signal of the press: (UTC microseconds, number or text)."""
        self.sent += 1
        texts = [one if isinstance(one, str) else None for _, one in rows]
        values = [np.nan if isinstance(one, str) else one for _, one in rows]
        batch = SampleBatch.of([self.ids[name]] * len(rows), [time for time, _ in rows], values, 192, texts)
        self.historian.append(batch, f"rows-{self.sent}")
        self.stream.publish(batch)


@contextmanager
def oee_hub(folder: Path) -> Iterator[OeeHub]:
    """Serve until the block ends."""
    (folder / "plant").mkdir()
    (folder / "plant" / "plant.yaml").write_text(YAML)
    plant = load_plant(folder / "plant", DRIVERS)
    historian = ClickHouseHistorian(f"chdb:///{folder}/historian")
    historian.open()
    try:
        with State(f"sqlite:///{folder}/state.db") as state:
            stream = LiveStream()
            services = Services(historian, state, stream, PlantInfo("Works", "Europe/Berlin"))
            signals = [
                Signal(PRESS, one.name, one.kind, one.datatype or Datatype.DOUBLE) for one in plant.devices[0].signals
            ]
            ids = state.register([BornSignal(one, "works/gateway-1", "plc") for one in signals]).tolist()
            app = create_app(services, OEE.routers)
            app.state.identity.add_user("admin", Role.ADMIN, PASSWORD)
            mount_page(app)
            server = Served(app, AppContext(plant, services, historian.listen), free_port())
            server.start()
            try:
                names = {one.name: number for one, number in zip(signals, ids, strict=True)}
                yield OeeHub(f"http://127.0.0.1:{server.port}", historian, stream, names, server)
            finally:
                server.stop()
    finally:
        historian.close()

"""A real hub web server on a free port, over SQLite in a temporary folder and a historian in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx
import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI
from websockets.asyncio.client import connect

from hub.memory_historian import MemoryHistorian
from lineshaft.clock import VirtualClock
from lineshaft.hub.api.app import create_app, server_config
from lineshaft.hub.api.services import PlantInfo, Services
from lineshaft.hub.ports import BornSignal
from lineshaft.hub.security.identity import Principal
from lineshaft.hub.security.roles import Role
from lineshaft.hub.state.state import State
from lineshaft.hub.stream import LiveStream
from lineshaft.model.equipment import Datatype, Limits, Signal, SignalKind
from lineshaft.model.samples import SampleBatch
from lineshaft.web.static_files import mount_page

assert anyio.open_file  # loads it now: pytest cannot rewrite a module that is first imported deep in a call

ASSET = "acme/north/hall/line-1/pump-1"
PASSWORD = "correct horse battery"
CHEAP_HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$0TDfZ1rzRVw"


@dataclass
class Hub:
    """The running server and what stands behind it."""

    url: str
    app: FastAPI
    services: Services
    clock: VirtualClock
    historian: MemoryHistorian
    ids: np.ndarray

    @property
    def state(self) -> State:
        return self.services.state

    @property
    def stream(self) -> LiveStream:
        return self.services.stream

    def token(self, role: Role = Role.ADMIN) -> str:
        """An API token of a user with this role."""
        self.state.accounts.add_user(f"the-{role}", role, CHEAP_HASH, 0)
        owner = Principal(f"the-{role}", role, "session", "", None)
        return self.app.state.identity.make_token(owner, "test", role, None)[1]

    def client(self, role: Role | None = Role.ADMIN) -> httpx.AsyncClient:
        """A client with a token of this role, or without credentials."""
        headers = {} if role is None else {"authorization": f"Bearer {self.token(role)}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=20)

    def live(self, role: Role = Role.VIEWER, **more: Any) -> connect:
        """A live WebSocket with a token."""
        headers = {"authorization": f"Bearer {self.token(role)}"}
        return connect(self.url.replace("http", "ws") + "/api/v1/live", additional_headers=headers, **more)

    def put(self, signals: Any, times: Any, values: Any, texts: Any = None, token: str = "") -> None:
        """Commit rows and publish them."""
        batch = SampleBatch.of(signals, times, values, 192, texts)
        self.historian.append(batch, token or f"{times}{values}{texts}")
        self.stream.publish(batch)


def born(name: str, **more: Any) -> BornSignal:
    return BornSignal(Signal(ASSET, name, **more), "north/gateway-1", "plc-1", "40001")


SIGNALS = (
    born("flow", unit="m^3/h", limits=Limits(high=50.0), decimals=1, low=0.0, high=80.0),
    born("pressure", unit="bar", description='At the outlet, with a comma, and "quotes"'),
    born("mode", kind=SignalKind.STATE, datatype=Datatype.STRING, states=(("RUN", "Running"), ("OFF", "Off"))),
)


@pytest.fixture(name="services")
def _services(tmp_path: Path) -> Iterator[Services]:
    with State(f"sqlite:///{tmp_path}/state.db") as state:
        clock = VirtualClock()
        historian = MemoryHistorian()
        yield Services(historian, state, LiveStream(clock), PlantInfo("North works", "Europe/Berlin"), clock)


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[str]:
    """The app behind a real server; gives its address."""
    server = uvicorn.Server(server_config(app, "127.0.0.1", 0))
    task = asyncio.create_task(server.serve())
    while not server.started:
        assert not task.done(), task.result()
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@pytest.fixture(name="hub")
async def _hub(services: Services, tmp_path: Path) -> AsyncIterator[Hub]:
    ids = services.state.register(SIGNALS)
    app = create_app(services)
    mount_page(app, tmp_path / "static")
    async with running(app) as url:
        clock, historian = services.clock, services.historian
        assert isinstance(clock, VirtualClock)
        assert isinstance(historian, MemoryHistorian)
        yield Hub(url, app, services, clock, historian, ids)

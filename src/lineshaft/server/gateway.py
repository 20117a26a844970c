"""The gateway as one process: a changed plant, from the folder or from the hub, makes a new one on the same buffer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import structlog

from lineshaft.clock import SystemClock
from lineshaft.config.bundle import read_bundle
from lineshaft.config.load import profiles_of
from lineshaft.config.models import Plant
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.errors import LineshaftError, StoreUnavailable
from lineshaft.gateway.connect.connector import Connector
from lineshaft.gateway.options import GatewayOptions, check_uplinks
from lineshaft.gateway.plan import make_plan
from lineshaft.gateway.remote_config import RemoteConfig
from lineshaft.gateway.runtime import Gateway
from lineshaft.gateway.status_page import StatusPage
from lineshaft.gateway.uplinks.access import Files
from lineshaft.gateway.uplinks.mqtt import BrokerAccess
from lineshaft.server.context import PartContext, broker_url, read_password
from lineshaft.server.messages import Message, tell
from lineshaft.wire.requests import Request

_log = structlog.get_logger(__name__)


async def run_gateway(context: PartContext) -> None:
    """Run until `context.stop`. A wrong change is refused; a pushed one that fails is taken back."""
    process = _Process(context)
    plant: Plant | None = await process.begin()
    changes = context.watcher(plant).changes()
    try:
        while plant is not None:
            ended = asyncio.Event()
            running = asyncio.create_task(process.gateway(plant, ended), name="gateway")
            plant = await _next_plant(changes, context.stop, running)
            ended.set()
            try:
                await running
            except LineshaftError as error:
                plant = await process.recover(error)
                changes = context.watcher(plant).changes()
    finally:
        await process.connector.close()


class _Process:
    """What outlives a gateway that is made anew."""

    def __init__(self, context: PartContext) -> None:
        self._context = context
        self._root = context.data.root
        self._plant = context.plant
        self._remote = RemoteConfig(
            context.folder, context.load, self._check, self._root, SystemClock(), context.asked.set
        )
        self.connector = Connector(
            DRIVERS,
            self._root,
            lambda: self._plant,
            lambda: read_bundle(context.folder),
            self._remote.checked,
            lambda: profiles_of(context.folder),
        )

    async def begin(self) -> Plant:
        """The plant to begin with."""
        put_back = await asyncio.to_thread(self._remote.resume)
        return await asyncio.to_thread(self._context.load, self._context.folder) if put_back else self._context.plant

    async def recover(self, error: LineshaftError) -> Plant:
        """The plant of before, when a pushed one cannot run at all. Raises `error` when there was no trial."""
        if not await asyncio.to_thread(self._remote.failed, f"The gateway cannot run with it: {error}"):
            raise error
        return await asyncio.to_thread(self._context.load, self._context.folder)

    async def gateway(self, plant: Plant, stop: asyncio.Event) -> None:
        """One gateway, from a plant that does not change."""
        self._plant = plant
        gateway = Gateway(make_plan(plant), DRIVERS, self._options(plant))
        tell(Message("ready", f"gateway {plant.gateway.id}"))
        status_page = self._status_page(plant, gateway)
        trial, page = (
            asyncio.create_task(gateway.keep(name, work), name=name)
            for name, work in (
                ("the trial of a configuration", lambda: self._try(plant, gateway)),
                ("the status page", status_page.run),
            )
        )
        try:
            await gateway.run(stop)
        finally:
            for task in (trial, page):
                task.cancel()
            await asyncio.gather(trial, page, return_exceptions=True)

    def _status_page(self, plant: Plant, gateway: Gateway) -> StatusPage:
        """Raises ConfigError when its token cannot be read."""
        config = plant.gateway.status_page
        token = Files("of the status page", self._root).secret(config.token_file, "token")
        return StatusPage(config, token, make_plan(plant), gateway, SystemClock())

    async def _try(self, plant: Plant, gateway: Gateway) -> None:
        await gateway.started.wait()
        try:
            self._remote.began(plant, gateway)
            await self._remote.watch(gateway)
        except StoreUnavailable as error:
            _log.error("config.cannot_be_kept", error=str(error), hint=error.hint)

    async def _push(self, request: Request) -> Mapping[str, Any]:
        """A configuration from the hub; devices that are looked at let go first, for some take one connection only."""
        await self.connector.close()
        return await self._remote.push(request)

    def _check(self, plant: Plant) -> None:
        check_uplinks(make_plan(plant), self._options(plant))

    def _options(self, plant: Plant) -> GatewayOptions:
        password = read_password(self._root / f"{plant.gateway.id}.password")
        return GatewayOptions(
            plant.gateway,
            self._root,
            BrokerAccess.parse(broker_url(plant), user=plant.gateway.id, password=password),
            handlers={**self._remote.handlers(), **self.connector.handlers(), "config.push": self._push},
            config_status=self._remote.status,
        )


async def _next_plant(changes: AsyncIterator[Plant], stop: asyncio.Event, running: asyncio.Task[None]) -> Plant | None:
    """The next changed plant; None when the process shall end or what runs has ended by itself."""
    change = asyncio.ensure_future(anext(changes))
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait((change, stopping, running), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if change.done() and not stop.is_set() and not running.done():
        return change.result()
    change.cancel()
    return None

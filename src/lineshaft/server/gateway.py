"""The gateway as one process: a changed plant, from the folder or from the hub, makes a new one on the same buffer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import structlog

from lineshaft.clock import SystemClock
from lineshaft.config.models import Plant
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.errors import StoreUnavailable
from lineshaft.gateway.plan import make_plan
from lineshaft.gateway.remote_config import RemoteConfig
from lineshaft.gateway.runtime import Gateway, GatewayOptions, check_uplinks
from lineshaft.gateway.uplinks.mqtt import BrokerAccess
from lineshaft.server.context import PartContext, broker_url, read_password
from lineshaft.server.messages import Message, tell

_log = structlog.get_logger(__name__)


async def run_gateway(context: PartContext) -> None:
    """Run until `context.stop`. A wrong change is refused; a pushed one that fails is taken back."""
    remote = _remote(context)
    put_back = await asyncio.to_thread(remote.resume)
    plant: Plant | None = await asyncio.to_thread(context.load, context.folder) if put_back else context.plant
    changes = context.watcher(plant).changes()
    while plant is not None:
        ended = asyncio.Event()
        running = asyncio.create_task(_gateway(plant, context.data.root, remote, ended), name="gateway")
        plant = await _next_plant(changes, context.stop, running)
        ended.set()
        await running


def _remote(context: PartContext) -> RemoteConfig:
    root = context.data.root

    def check(plant: Plant) -> None:
        check_uplinks(make_plan(plant), _options(plant, root))

    return RemoteConfig(context.folder, context.load, check, root, SystemClock(), context.asked.set)


def _options(plant: Plant, root: Path, remote: RemoteConfig | None = None) -> GatewayOptions:
    password = read_password(root / f"{plant.gateway.id}.password")
    broker = BrokerAccess.parse(broker_url(plant), user=plant.gateway.id, password=password)
    if remote is None:
        return GatewayOptions(plant.gateway, root, broker)
    return GatewayOptions(
        plant.gateway, root, broker, handlers=remote.handlers(), config_status=remote.status
    )  # fmt: skip


async def _gateway(plant: Plant, root: Path, remote: RemoteConfig, stop: asyncio.Event) -> None:
    """One gateway, from a plant that does not change."""
    gateway = Gateway(make_plan(plant), DRIVERS, _options(plant, root, remote))
    tell(Message("ready", f"gateway {plant.gateway.id}"))
    trial = asyncio.create_task(_try(plant, gateway, remote), name="trial of a configuration")
    try:
        await gateway.run(stop)
    finally:
        trial.cancel()
        await asyncio.gather(trial, return_exceptions=True)


async def _try(plant: Plant, gateway: Gateway, remote: RemoteConfig) -> None:
    await gateway.started.wait()
    try:
        remote.began(plant, gateway)
        await remote.watch(gateway)
    except StoreUnavailable as error:
        _log.error("config.cannot_be_kept", error=str(error), hint=error.hint)


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

"""The embedded broker as one process; accounts of the plant's files and of the page count while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import structlog

from lineshaft.config.check_broker import SENSORS, taken_users
from lineshaft.config.models import Plant
from lineshaft.errors import ConfigError
from lineshaft.hub.broker import (
    PASSWORDS,
    Account,
    Admitted,
    BrokerSettings,
    edge_account,
    ensure_credentials,
    foreign_account,
    hub_account,
    load_hashes,
    sensor_account,
    serve_broker,
)
from lineshaft.hub.broker.book import AccountBook, MadeAccount
from lineshaft.hub.broker.desk import Given
from lineshaft.server.context import PartContext, hub_user, local_topics
from lineshaft.server.messages import Message, tell

_log = structlog.get_logger(__name__)


async def run_broker(context: PartContext) -> None:
    """Serve until `context.stop`."""
    plant, root = context.plant, context.data.root
    first = admitted(plant, (), root)
    settings = BrokerSettings(first.accounts, plant.hub.broker_host, plant.hub.broker_port)
    plants = PlantNow(plant, context)
    try:
        await serve_broker(
            settings,
            root / PASSWORDS,
            context.stop,
            lambda port: tell(Message("ready", f"port {port}")),
            follow(plants, root),
        )
    finally:
        await plants.close()


def admitted(plant: Plant, made: Sequence[MadeAccount], root: Path) -> Admitted:
    """Who may use the broker; makes the passwords that are missing. Raises ConfigError."""
    user, node = hub_user(plant), plant.gateway.id
    topics = local_topics(plant)
    given = plant.hub.broker_accounts
    taken = {*taken_users(plant), *(one.user for one in given)}
    made = [one for one in made if one.config.user not in taken]
    foreign = [*given, *(one.config for one in made)]
    heard = tuple(dict.fromkeys((*topics, *(topic for one in foreign for topic in one.publish))))
    ours = [hub_account(user), edge_account(node, plant.plant.site, node, heard)]
    if topics and plant.simulator is not None:
        ours.append(sensor_account(SENSORS, topics))
    ours += [foreign_account(one) for one in given]
    own = {one.user: one.password_file for one in given if one.password_file}
    ensure_credentials(root, [account.user for account in ours], own)
    accounts: tuple[Account, ...] = (*ours, *(foreign_account(one.config) for one in made))
    hashes = {**load_hashes(root / PASSWORDS), **{one.config.user: one.hash for one in made}}
    return Admitted(accounts, {account.user: hashes[account.user] for account in accounts})


def given_of(plant: Plant) -> Given:
    """What the plant's files say about the embedded broker."""
    hub = plant.hub
    address = f"{hub.broker_host}:{hub.broker_port}"
    return Given(address, hub.broker_accounts, taken_users(plant), f"{plant.plant.site}/{plant.gateway.id}")


class PlantNow:
    """The plant as its files say now; of a context, it watches them in a task of its own until `close`."""

    def __init__(self, plant: Plant, context: PartContext | None = None) -> None:
        self.now = plant
        self._fresh = False
        self._watching = None if context is None else asyncio.create_task(self._watch(context), name="plant")

    async def _watch(self, context: PartContext) -> None:
        async for plant in context.watcher().changes():
            self.take(plant)

    def take(self, plant: Plant) -> None:
        """The files have changed."""
        self.now, self._fresh = plant, True

    def fresh(self) -> bool:
        """True once after each change. Raises what the watching failed of."""
        if self._watching is not None and self._watching.done():
            self._watching.result()
        fresh, self._fresh = self._fresh, False
        return fresh

    async def close(self) -> None:
        """End the watching; never raises."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)


async def follow(plants: PlantNow, root: Path) -> AsyncIterator[Admitted]:
    """Who may use the broker, after each change of the plant's files or of the accounts that administrators made."""
    async for made in AccountBook(root).changes(plants.fresh):
        try:
            yield await asyncio.to_thread(admitted, plants.now, made, root)
        except ConfigError as error:
            _log.error("broker: accounts stay as they are", error=str(error), hint=error.hint)

"""The parts as single processes: each function is one part from its start to its end."""

from __future__ import annotations

import importlib.util
from collections.abc import Awaitable, Callable
from typing import Final

from lineshaft.config.check_broker import SENSORS
from lineshaft.errors import LineshaftError
from lineshaft.server.context import PartContext, hub_user, local_topics
from lineshaft.server.folder import DataFolder
from lineshaft.server.messages import Message, tell

EXTRAS: Final = {
    "broker": ("hub", ("amqtt",)),
    "hub": ("hub", ("fastapi", "uvicorn", "sqlalchemy", "alembic", "clickhouse_connect", "pyarrow", "paho", "argon2")),
    "gateway": ("gateway", ("pymodbus", "asyncua", "paho", "pyarrow")),
    "simulator": ("simulator", ("pymodbus", "serial", "asyncua", "snap7", "httpx", "paho", "pyarrow", "scipy")),
}
"""Part -> the extra that it needs, and modules by which one sees whether that is installed."""


class PartMissing(LineshaftError):
    """A part needs an extra that is not installed."""


def require(part: str) -> None:
    """Raise PartMissing when the libraries of a part are not installed."""
    extra, modules = EXTRAS[part]
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        raise PartMissing(
            f"the {part} is not installed ({', '.join(missing)} missing)", hint=f'pip install "lineshaft[{extra}]"'
        )


async def run_broker(context: PartContext) -> None:
    """The embedded MQTT broker."""
    from lineshaft.hub.broker import (
        PASSWORDS,
        BrokerSettings,
        edge_account,
        ensure_credentials,
        foreign_account,
        hub_account,
        sensor_account,
        serve_broker,
    )

    plant, root = context.plant, context.data.root
    user, node = hub_user(plant), plant.gateway.id
    topics = local_topics(plant)
    foreign = plant.hub.broker_accounts
    heard = tuple(dict.fromkeys((*topics, *(topic for one in foreign for topic in one.publish))))
    accounts = [hub_account(user), edge_account(node, plant.plant.site, node, heard)]
    if topics and plant.simulator is not None:
        accounts.append(sensor_account(SENSORS, topics))
    accounts += [foreign_account(one) for one in foreign]
    own = {one.user: one.password_file for one in foreign if one.password_file}
    ensure_credentials(root, [account.user for account in accounts], own)
    settings = BrokerSettings(tuple(accounts), plant.hub.broker_host, plant.hub.broker_port)
    await serve_broker(settings, root / PASSWORDS, context.stop, lambda port: tell(Message("ready", f"port {port}")))


async def run_simulator(context: PartContext) -> None:
    """The simulated factory."""
    from lineshaft.simulator.serve import serve

    def progress(done: float) -> None:
        tell(Message("progress", "making the past", done))

    await serve(
        context.plant,
        context.data.root,
        stop=context.stop,
        progress=progress,
        ready=lambda: tell(Message("ready", "factory")),
    )


def prepare_simulator(data: DataFolder) -> None:
    """Make the token of the fault API, which the hub reads before the simulator runs."""
    from lineshaft.simulator.api import make_token

    make_token(data.root)


async def run_gateway(context: PartContext) -> None:
    """The edge gateway, see server/gateway.py."""
    from lineshaft.server import gateway

    await gateway.run_gateway(context)


async def run_hub(context: PartContext) -> None:
    """The hub."""
    from lineshaft.server import hub

    await hub.run_hub(context)


PARTS: Final[dict[str, Callable[[PartContext], Awaitable[None]]]] = {
    "broker": run_broker,
    "simulator": run_simulator,
    "gateway": run_gateway,
    "hub": run_hub,
}
"""Name -> the part."""

"""The parts as single processes: each function is one part from its start to its end."""

from __future__ import annotations

import importlib.util
from collections.abc import Awaitable, Callable
from typing import Final

from lineshaft.errors import LineshaftError
from lineshaft.server.context import PartContext
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
    """The embedded MQTT broker, see server/broker.py."""
    from lineshaft.server import broker

    await broker.run_broker(context)


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

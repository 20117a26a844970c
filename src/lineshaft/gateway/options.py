"""What the process gives to the gateway, and what of it can be wrong before anything is connected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lineshaft.clock import Clock, SystemClock
from lineshaft.config.models import GatewayConfig, SparkplugUplink
from lineshaft.errors import ConfigError
from lineshaft.gateway.plan import Plan
from lineshaft.gateway.requests import Handler
from lineshaft.gateway.uplinks.access import Files
from lineshaft.gateway.uplinks.builtin import problems
from lineshaft.gateway.uplinks.mqtt import BrokerAccess
from lineshaft.wire.notes import ConfigStatus


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """What the process gives to the gateway beside the plan.

    data_dir  the gateway's own folder: the disk buffer and small state files
    broker    used by an uplink that names no broker, e.g. the embedded one of the same plant
    handlers  what the hub may ask for beside what the gateway itself can do, by kind of request
    config_status  which configuration runs, for the status
    """

    config: GatewayConfig
    data_dir: Path
    broker: BrokerAccess | None = None
    clock: Clock = field(default_factory=SystemClock)
    handlers: Mapping[str, Handler] = field(default_factory=dict)
    config_status: Callable[[], ConfigStatus | None] = lambda: None


def check_uplinks(plan: Plan, options: GatewayOptions) -> None:
    """Raise ConfigError with everything that is wrong about the uplinks; connects to nothing."""
    wrong = []
    for uplink in options.config.uplinks:
        wrong += problems(uplink, plan, Files(uplink.id, options.data_dir))
        if isinstance(uplink, SparkplugUplink):
            broker_access(uplink, options)
    if wrong:
        raise ConfigError("\n".join(wrong))


def broker_access(uplink: SparkplugUplink, options: GatewayOptions) -> BrokerAccess:
    """Where a Sparkplug uplink connects. Raises ConfigError for a bad address or an unreadable password file."""
    files = Files(uplink.id, options.data_dir)
    password = files.secret(uplink.password_file, "password file")
    if not uplink.broker:
        if options.broker is None:
            raise ConfigError(
                f"uplink {uplink.id} names no broker", hint="Set gateway.uplinks broker: mqtt://host:port."
            )
        own = options.broker
        return own if not uplink.user else BrokerAccess(own.host, own.port, uplink.user, password, own.tls)
    user = uplink.user
    if not user and options.broker is not None:
        user, password = options.broker.user, options.broker.password
    return BrokerAccess.parse(uplink.broker, user=user, password=password, **files.tls(uplink.tls))

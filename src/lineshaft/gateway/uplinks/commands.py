"""Commands of a Sparkplug host that write values: our own metric, and plain DCMD metrics of other hosts."""

from __future__ import annotations

import uuid
from typing import Final

import structlog

from lineshaft.gateway.plan import PlannedSignal
from lineshaft.gateway.uplinks.base import NodeContext
from lineshaft.wire.sparkplug import Metric, Payload
from lineshaft.wire.writes import SetValue, WriteCommand, decode_command

log = structlog.get_logger(__name__)

FOREIGN_SECONDS: Final = 30
"""How long a plain command is worth something after the time that it carries."""
_EXACT: Final = 2**53


def own_command(metric: Metric, node: NodeContext) -> None:
    """Pass on a command of our own hub. Raises DataError when it is malformed."""
    node.write(decode_command(str(metric.value or "")), "hub")


def plain_commands(payload: Payload, device: str, node: NodeContext) -> None:
    """Pass on the metrics of a DCMD; whether they are carried out is judged where all commands are."""
    now = node.clock.now_us()
    sent = now if payload.timestamp is None else payload.timestamp * 1000
    for metric in payload.metrics:
        planned = _planned(metric, device, node)
        value = _value(metric)
        if planned is None or value is None:
            log.warning("uplink.foreign_command_unknown", device=device, metric=metric.name or metric.alias)
            continue
        deadline = sent + FOREIGN_SECONDS * 1_000_000
        words = "plain Sparkplug command"
        node.write(
            WriteCommand(uuid.uuid4().hex, planned.signal.path, value, deadline, "sparkplug", words), "sparkplug"
        )  # fmt: skip


def _planned(metric: Metric, device: str, node: NodeContext) -> PlannedSignal | None:
    for planned in node.plan.signals:
        named = planned.metric == metric.name or (not metric.name and planned.alias == metric.alias)
        if named and planned.device == device:
            return planned
    return None


def _value(metric: Metric) -> SetValue | None:
    value = metric.value
    if isinstance(value, str):
        return value
    if isinstance(value, int) and abs(value) > _EXACT:
        return str(value)
    return float(value) if isinstance(value, bool | int | float) else None

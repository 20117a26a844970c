"""The nodes of a vibration monitor on the OPC UA server: an array of counts, its sample rate and the shaft's speed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence, Set
from datetime import UTC, datetime, timedelta
from typing import Any

from asyncua import ua
from asyncua.server.server import Server
from asyncua.ua.status_codes import StatusCodes

from lineshaft.drivers.opcua.options import OpcuaAddress
from lineshaft.errors import ConfigError
from lineshaft.simulator import bursts
from lineshaft.simulator.channels import Channel
from lineshaft.simulator.servers.base import Shown

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)  # asyncua takes UTC without a zone


def utc(time_us: int) -> ua.DateTime:
    """A source timestamp as asyncua wants it."""
    moment = _EPOCH + timedelta(microseconds=time_us)
    return ua.DateTime(
        moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second, moment.microsecond
    )


def gone() -> ua.DataValue:
    """What a server says of a machine that it cannot reach."""
    return ua.DataValue(StatusCode=ua.StatusCode(ua.UInt32(StatusCodes.BadNoCommunication)))


def names(channel: Channel, address: Any) -> tuple[str, str]:
    """(namespace, name) of a node. Raises ConfigError for an address that the simulator cannot serve."""
    if not isinstance(address, OpcuaAddress):
        address = OpcuaAddress.model_validate(address)
    if not address.namespace_uri or address.local_id[:2] != "s=":
        raise ConfigError(
            f"the simulator cannot serve {channel.path} at '{channel.signal.address}'",
            hint="a simulated OPC UA node looks like nsu=urn:lineshaft:simulator;s=line-1/cnc-1/power",
        )
    return address.namespace_uri, address.local_id[2:]


class WaveNodes:
    """The waveforms of one server. The monitor takes a burst of each every minute."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self.channels = tuple(channels)
        self._nodes: dict[tuple[str, str], ua.NodeId] = {}
        self._values: dict[tuple[str, str], ua.DataValue] = {}
        self._minute = -1
        self._gone: frozenset[str] = frozenset()

    async def build(self, server: Server) -> None:
        """Make the nodes, with the values that are known."""
        for channel in self.channels:
            wave = channel.signal.waveform
            places = {"samples": channel.address}
            if wave is not None:
                places |= {"rate": wave.rate_address, "speed": wave.speed_address}
            for what, address in places.items():
                if address is None:
                    continue
                uri, name = names(channel, address)
                index = await server.register_namespace(uri)
                kind, empty = (ua.VariantType.Int16, [0]) if what == "samples" else (ua.VariantType.Double, 0.0)
                node = await server.nodes.objects.add_variable(
                    ua.NodeId.from_string(f"ns={index};s={name}"), f"{index}:{name}", empty, varianttype=kind
                )
                key = (channel.path, what)
                self._nodes[key] = node.nodeid
                if key in self._values:
                    await server.write_attribute_value(node.nodeid, self._values[key])

    async def show(self, shown: Shown, server: Server | None, lost: Set[str]) -> None:
        """Take new bursts at the full minute; the nodes of devices that are `lost` say so."""
        now = int(shown.frame.times[-1])
        minute = now // bursts.EVERY_US
        if minute == self._minute and lost == self._gone:
            return
        self._minute, self._gone = minute, frozenset(lost)
        for channel in self.channels:
            away = channel.device.id in lost
            burst = None if away else await asyncio.to_thread(bursts.taken, channel, shown.seed, shown.frame, -1)
            for what in ("samples", "rate", "speed"):
                key = (channel.path, what)
                self._values[key] = gone() if burst is None else _value(what, burst)
                if server is not None and key in self._nodes:
                    await server.write_attribute_value(self._nodes[key], self._values[key])


def _value(what: str, burst: bursts.Burst) -> ua.DataValue:
    if what == "samples":
        value = ua.Variant(burst.samples.tolist(), ua.VariantType.Int16)
    else:
        value = ua.Variant(bursts.RATE if what == "rate" else burst.speed, ua.VariantType.Double)
    return ua.DataValue(value, SourceTimestamp=utc(burst.time))

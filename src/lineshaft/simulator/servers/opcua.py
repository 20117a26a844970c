"""The OPC UA server: one node per signal, named as the plant's addresses say, with source timestamps."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence, Set
from typing import Any

from asyncua import ua
from asyncua.common.callback import CallbackType
from asyncua.server.server import Server

from lineshaft.errors import ConnectionFailed
from lineshaft.model.equipment import Datatype, SignalKind
from lineshaft.simulator.channels import Channel
from lineshaft.simulator.devices import option
from lineshaft.simulator.servers.base import Shown, device_ids, ignore_write
from lineshaft.simulator.servers.opcua_waves import WaveNodes, gone, names, utc

_TYPES = {
    Datatype.BOOLEAN: (ua.VariantType.Boolean, bool),
    Datatype.INT8: (ua.VariantType.SByte, int),
    Datatype.INT16: (ua.VariantType.Int16, int),
    Datatype.INT32: (ua.VariantType.Int32, int),
    Datatype.INT64: (ua.VariantType.Int64, int),
    Datatype.UINT8: (ua.VariantType.Byte, int),
    Datatype.UINT16: (ua.VariantType.UInt16, int),
    Datatype.UINT32: (ua.VariantType.UInt32, int),
    Datatype.UINT64: (ua.VariantType.UInt64, int),
    Datatype.FLOAT: (ua.VariantType.Float, float),
    Datatype.DOUBLE: (ua.VariantType.Double, float),
    Datatype.STRING: (ua.VariantType.String, str),
}


def _node_id(name: str, index: int) -> ua.NodeId:
    return ua.NodeId.from_string(f"ns={index};s={name}")


class OpcuaServer:
    """All OPC UA devices of the plant on one endpoint. Can be stopped and started with its nodes and values."""

    def __init__(self, endpoint: str, channels: Sequence[Channel], waves: Sequence[Channel] = ()) -> None:
        self._endpoint = endpoint
        self.channels = tuple(channels)
        self._waves = WaveNodes(waves)
        self._shown: dict[str, ua.DataValue] = {}
        self._nodes: dict[str, ua.NodeId] = {}
        self._lost: frozenset[str] = frozenset()
        self.on_write: Callable[[Channel, float], None] = ignore_write
        self._written: dict[str, float] = {}  # path -> what a client set; it stays until the machine shows the same
        self._server: Server | None = None

    @property
    def devices(self) -> tuple[str, ...]:
        """Ids of the devices that it serves."""
        return device_ids((*self.channels, *self._waves.channels))

    @property
    def running(self) -> bool:
        """True between start and stop."""
        return self._server is not None

    async def start(self) -> None:
        """Build the nodes and listen. Raises ConnectionFailed when the port is taken."""
        if self._server is not None:
            return
        logging.getLogger("asyncua").setLevel(logging.ERROR)
        server = Server()
        await server.init()
        server.set_endpoint(self._endpoint)
        server.set_server_name("Simulated factory")
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        await self._build(server)
        server.subscribe_server_callback(CallbackType.PostWrite, self._client_wrote)
        try:
            await server.start()
        except OSError as error:
            raise ConnectionFailed(
                f"cannot listen on {self._endpoint}", hint="another program uses this port"
            ) from error
        self._server = server

    async def stop(self) -> None:
        """Close the endpoint and every session."""
        if self._server is not None:
            server, self._server = self._server, None
            await server.stop()

    async def _build(self, server: Server) -> None:
        folders: dict[str, Any] = {"": server.nodes.objects}
        indexes: dict[str, int] = {}
        for channel in self.channels:
            uri, name = names(channel, channel.address)
            if uri not in indexes:
                indexes[uri] = await server.register_namespace(uri)
            index = indexes[uri]
            above = ""
            for part in channel.path.split("/")[:-1]:
                path = f"{above}/{part}" if above else part
                if path not in folders:
                    folders[path] = await folders[above].add_object(_node_id(path, index), f"{index}:{part}")
                above = path
            kind, cast = _TYPES[self._datatype(channel)]
            node = await folders[above].add_variable(
                _node_id(name, index), f"{index}:{channel.signal.name}", cast(), varianttype=kind
            )
            self._nodes[channel.path] = node.nodeid
            if channel.signal.write is not None:
                await node.set_writable()
            if channel.path in self._shown:
                await server.write_attribute_value(node.nodeid, self._shown[channel.path])
        await self._waves.build(server)

    @staticmethod
    def _datatype(channel: Channel) -> Datatype:
        return channel.signal.datatype or Datatype.DOUBLE

    def outage(self, offline: Set[str], restarting: Set[str]) -> bool:
        """See FleetServer: the nodes of a device that is offline say BadNoCommunication, as a server says of a
        machine that it cannot reach, and those of all others stay good; a restart is the whole server's."""
        self._lost = frozenset(offline & set(self.devices))
        return not restarting.isdisjoint(self.devices)

    def _client_wrote(self, event: Any, _dispatcher: Any) -> None:
        """Called by the library behind each write."""
        if not event.is_external:
            return
        channels = {self._nodes[channel.path]: channel for channel in self.channels}
        for wanted, status in zip(event.request_params.NodesToWrite, event.response_params, strict=True):
            channel = channels.get(wanted.NodeId)
            if channel is not None and status.is_good():
                self._written[channel.path] = float(wanted.Value.Value.Value)
                self.on_write(channel, self._written[channel.path])

    async def show(self, shown: Shown) -> None:
        """See FleetServer."""
        for channel in self.channels:
            raw = self._written.get(channel.path, shown.raw[channel.path])
            if raw == shown.raw[channel.path]:
                self._written.pop(channel.path, None)
            value = self._value(channel, raw, shown.times[channel.path])
            if value == self._shown.get(channel.path):
                continue
            self._shown[channel.path] = value
            if self._server is not None:
                await self._server.write_attribute_value(self._nodes[channel.path], value)
        await self._waves.show(shown, self._server, self._lost)

    def _value(self, channel: Channel, raw: float | str, time_us: int) -> ua.DataValue:
        if channel.device.id in self._lost:
            return gone()
        kind, cast = _TYPES[self._datatype(channel)]
        return ua.DataValue(ua.Variant(cast(raw), kind), SourceTimestamp=utc(time_us))


def opcua_machine(channels: Sequence[Channel]) -> OpcuaServer:
    """The server of all signals and waveforms at one endpoint."""
    waves = [channel for channel in channels if channel.kind is SignalKind.WAVEFORM]
    plain = [channel for channel in channels if channel.kind is not SignalKind.WAVEFORM]
    return OpcuaServer(str(option(channels[0].device, "url")), plain, waves)

"""All servers of the factory: made from the plant, fed with frames, stopped and started by faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Final

import numpy as np
import structlog

from lineshaft.config.models import DeviceConfig
from lineshaft.errors import ConnectionFailed
from lineshaft.simulator.channels import Channel
from lineshaft.simulator.devices import endpoint, option
from lineshaft.simulator.factory import Factory, Frame
from lineshaft.simulator.servers.base import FleetServer, Shown, TakesWrites
from lineshaft.simulator.servers.bench_files import bench_machine
from lineshaft.simulator.servers.cnc import cnc_machine
from lineshaft.simulator.servers.json_api import json_machine
from lineshaft.simulator.servers.modbus import modbus_machine
from lineshaft.simulator.servers.nutrunner import tightening_machine
from lineshaft.simulator.servers.opcua import opcua_machine
from lineshaft.simulator.servers.plc import logix_machine, s7_machine
from lineshaft.simulator.servers.poster import posting_machine
from lineshaft.simulator.servers.publisher import sensor_machine

Maker = Callable[[Sequence[Channel]], FleetServer]
RESTART_US = 10_000_000
"""How long a server is away when it restarts."""
_LOG = structlog.get_logger("simulator")
_HOUR_US = 3_600_000_000
_MAKERS: Final[Mapping[str, Maker]] = {
    "modbus-tcp": modbus_machine,
    "modbus-rtu": modbus_machine,
    "opcua": opcua_machine,
    "s7": s7_machine,
    "ethernet-ip": logix_machine,
    "mtconnect": cnc_machine,
    "open-protocol": tightening_machine,
    "http": json_machine,
    "webhook": posting_machine,
    "mqtt": sensor_machine,
    "files": bench_machine,
}
"""Driver -> what serves all signals at one of its endpoints."""


def _servers(channels: Sequence[Channel]) -> tuple[FleetServer, ...]:
    groups: dict[tuple[str, object], list[Channel]] = {}
    for channel in channels:
        groups.setdefault((channel.device.driver, _place(channel.device)), []).append(channel)
    return tuple(_MAKERS[driver](group) for (driver, _), group in groups.items())


def _place(device: DeviceConfig) -> object:
    """Devices at the same place have one server."""
    if device.driver == "modbus-rtu":
        return option(device, "port")
    return device.id if device.driver in ("mqtt", "files") else endpoint(device)


class Fleet:
    """The servers. `async with` starts them all and stops them at the end; `show` also before it, so that they
    begin with values."""

    def __init__(self, factory: Factory) -> None:
        self._factory = factory
        self.servers = _servers((*factory.channels, *factory.waves))
        for server in self.servers:
            if isinstance(server, TakesWrites):
                server.on_write = self._written
        self._open = False
        self._refused: set[str] = set()

    async def __aenter__(self) -> Fleet:
        started: list[FleetServer] = []
        try:
            for server in self.servers:
                await server.start()
                started.append(server)
        except BaseException:
            for server in started:
                await server.stop()
            raise
        self._open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open = False
        for server in self.servers:
            await server.stop()

    def _written(self, channel: Channel, raw: float) -> None:
        """Somebody set a value on a device: the machine follows it from the next step on."""
        self._factory.setpoints[channel.path] = float(channel.seen(np.array([raw]))[0])

    def server_of(self, device_id: str) -> FleetServer:
        """The server that answers for a device. Raises KeyError when none does."""
        for server in self.servers:
            if device_id in server.devices:
                return server
        raise KeyError(device_id)

    async def show(self, frame: Frame) -> None:
        """Serve the last instant of `frame`, and let faults of devices take or give back their servers."""
        if self._open:
            await self._outages(int(frame.times[-1]))
        channels = self._factory.channels
        shown = Shown(
            frame,
            {channel.path: self.raw_of(channel, frame) for channel in channels},
            {channel.path: self._time_of(channel, frame) for channel in channels},
            self._factory.seed,
        )
        for server in self.servers:
            await server.show(shown)

    @staticmethod
    def raw_of(channel: Channel, frame: Frame) -> float | str:
        """What the device holds for a signal: the unscaled number or the text."""
        values = frame.values.get(channel.path)
        if values is None:
            return str(frame.tracks[channel.path].value_at(int(frame.times[-1])))
        # Scaled back from what a driver will see, so that both are rounded once.
        return channel.word(float(channel.raw(np.asarray(values[-1:]))[0]))

    def _time_of(self, channel: Channel, frame: Frame) -> int:
        """Source timestamp: the exact change of a state, text or result; else the instant of the frame."""
        now = int(frame.times[-1])
        track = frame.tracks.get(channel.path)
        stamp = now if track is None else track.since(now)
        wrong = self._factory.faults.at("clock-wrong", channel.device.id, now)
        return stamp + round(wrong * _HOUR_US)

    async def _outages(self, now: int) -> None:
        faults = self._factory.faults
        offline = {fault.asset for fault in faults if fault.kind == "offline"}
        restarting = {fault.asset for fault in faults if fault.kind == "restart" and now - fault.start < RESTART_US}
        for server in self.servers:
            gone = server.outage(offline, restarting)
            if gone and server.running:
                await server.stop()
            elif not gone and not server.running:
                await self._start_again(server)
        for fault in list(faults):
            if fault.kind == "restart" and now - fault.start >= RESTART_US:
                faults.take_back(fault.id, now)

    async def _start_again(self, server: FleetServer) -> None:
        """Open a server after an outage; a port that somebody took meanwhile is tried again at the next step."""
        name = server.devices[0]
        try:
            await server.start()
        except ConnectionFailed as error:
            if name not in self._refused:
                _LOG.warning("server cannot come back", device=name, error=str(error))
            self._refused.add(name)
        else:
            self._refused.discard(name)

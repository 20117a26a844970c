"""Modbus servers: one per TCP port or serial line, with the units that the plant's devices name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence, Set
from pathlib import Path
from typing import Any

from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from lineshaft.drivers.modbus.address import BIT_TABLES, ModbusAddress, Order, Table
from lineshaft.drivers.modbus.protocol_nowait import never_waiting
from lineshaft.errors import ConnectionFailed
from lineshaft.model.equipment import SignalKind
from lineshaft.simulator.channels import Channel
from lineshaft.simulator.devices import endpoint, option
from lineshaft.simulator.servers.base import Shown, ignore_write
from lineshaft.simulator.servers.encode import number_in, put_bits, registers
from lineshaft.simulator.servers.modbus_waves import WaveRegisters
from lineshaft.simulator.servers.serial_line import SerialLine

_TABLES: tuple[Table, ...] = ("coil", "discrete", "holding", "input")
_COIL_WRITES = (5, 15)
_WRITE = {"coil": 15, "discrete": 2, "holding": 16, "input": 4}  # function codes by which the store knows its tables


class _Unit:
    """The registers of one device, as plain lists from register 0 to the last one in use."""

    def __init__(self, whole: Sequence[Channel]) -> None:
        device = whole[0].device
        channels = [channel for channel in whole if channel.kind is not SignalKind.WAVEFORM]
        self.waves = WaveRegisters([channel for channel in whole if channel.kind is SignalKind.WAVEFORM])
        self.device_id = device.id
        self.number = _number(option(device, "unit"), 1)
        self.order: Order = option(device, "order") or "ABCD"
        self.shift = _number(option(device, "offset"), 0) - _number(option(device, "base"), 0)
        self.channels = tuple(channels)
        self.tables: dict[Table, list[int]] = {table: [0] for table in _TABLES}
        self._held: set[str] = set()  # paths of what a client set; it stays until the machine shows the same
        self.on_write: Callable[[Channel, float], None] = ignore_write
        self.ours = False  # True while the simulator itself writes
        self._powers: dict[int, int] = {}  # place of a scale register -> power of ten that it holds
        for channel in channels:
            address = _address(channel)
            self._reserve(address.table, self.place(address) + address.size)
            if address.scale_from is not None:
                place = address.scale_from + self.shift
                self._powers[place] = min(self._powers.get(place, 0), -(channel.signal.decimals or 0))
                self._reserve(address.table, place + 1)
                self.tables[address.table][place] = self._powers[place] & 0xFFFF
        for address, size in self.waves.reserved():
            self._reserve(address.table, self.place(address) + size)

    def _reserve(self, table: Table, size: int) -> None:
        words = self.tables[table]
        words += [0] * (size - len(words))

    def place(self, address: ModbusAddress) -> int:
        """The number on the wire of the first register."""
        return address.register_ + self.shift

    async def show(self, shown: Shown) -> None:
        """Write all raw values and new bursts to the lists; what a client set holds until its machine has taken it."""
        for channel in self.channels:
            address, raw = _address(channel), shown.raw[channel.path]
            if channel.path not in self._held or self._holds(address) == raw:
                self._held.discard(channel.path)
                self._store(address, raw)
        for address, values in await self.waves.show(shown):
            coded = [word for value in values for word in registers(address, self.order, value)]
            at = self.place(address)
            self.tables[address.table][at : at + len(coded)] = coded

    def _client_wrote(self, table: Table, first: int, values: Sequence[int | bool]) -> None:
        """Keep what a client wrote, and tell the signals that it set."""
        words = self.tables[table]
        words[first : first + len(values)] = [int(value) for value in values]
        for channel in self.channels:
            address = _address(channel)
            at = self.place(address)
            hit = address.table == table and at < first + len(values) and at + address.size > first
            if hit and channel.signal.write is not None:
                self._held.add(channel.path)
                self.on_write(channel, self._holds(address))

    def _holds(self, address: ModbusAddress) -> float:
        """The raw number of a writable signal that the registers hold."""
        words, at = self.tables[address.table], self.place(address)
        if address.table in BIT_TABLES:
            return float(words[at])
        return number_in(words[at : at + address.size], address, self.order)

    def _store(self, address: ModbusAddress, raw: float | str) -> None:
        words, at = self.tables[address.table], self.place(address)
        if address.scale_from is not None:
            raw = round(float(raw) / 10.0 ** self._powers[address.scale_from + self.shift])
        if address.table in BIT_TABLES:
            words[at] = int(raw)
        elif address.bit is not None:
            words[at] = put_bits(words[at], address, self.order, float(raw))
        else:
            coded = registers(address, self.order, raw)
            words[at : at + len(coded)] = coded

    def simulated(self, silent: Callable[[str], bool]) -> SimDevice:
        """The unit as pymodbus wants it; `silent` tells whether a device must not answer."""

        async def action(
            function: int, _start: int, address: int, _count: int, _now: list[int], values: Any
        ) -> ExcCodes | None:
            if silent(self.device_id):
                return ExcCodes.GATEWAY_NO_RESPONSE
            if values is not None and not self.ours:
                self._client_wrote("coil" if function in _COIL_WRITES else "holding", address, values)
            return None

        def bits(table: Table) -> list[SimData]:
            whole = -(-len(self.tables[table]) // 16) * 16
            return [SimData(0, values=[False] * whole, datatype=DataType.BITS)]

        def words(table: Table) -> list[SimData]:
            return [SimData(0, values=[0] * len(self.tables[table]), datatype=DataType.REGISTERS)]

        tables = (bits("coil"), bits("discrete"), words("holding"), words("input"))
        return SimDevice(self.number, simdata=tables, action=action)


def _number(value: Any, default: int) -> int:
    return default if value is None else int(value)


def _address(channel: Channel) -> ModbusAddress:
    if not isinstance(channel.address, ModbusAddress):
        raise TypeError(f"{channel.path} is no Modbus signal")
    return channel.address


class ModbusServer:
    """All devices at one TCP port or on one serial line. Can be stopped and started; of several units each can fall
    silent alone.

    `port` 0 takes a free one, which it names after the start.
    """

    def __init__(self, host: str, port: int, channels: Sequence[Channel], line: SerialLine | None = None) -> None:
        """line: in place of the port."""
        self._host, self.port = host, port
        self._line = line
        self._rtu = line is not None or option(channels[0].device, "framing") == "rtu"
        by_device: dict[str, list[Channel]] = {}
        for channel in channels:
            by_device.setdefault(channel.device.id, []).append(channel)
        self.units = tuple(_Unit(group) for group in by_device.values())
        self._silent: frozenset[str] = frozenset()
        self._server: ModbusTcpServer | ModbusSerialServer | None = None

    @property
    def on_write(self) -> Callable[[Channel, float], None]:
        """See TakesWrites."""
        return self.units[0].on_write

    @on_write.setter
    def on_write(self, told: Callable[[Channel, float], None]) -> None:
        for unit in self.units:
            unit.on_write = told

    @property
    def devices(self) -> tuple[str, ...]:
        """Ids of the devices that it serves."""
        return tuple(unit.device_id for unit in self.units)

    @property
    def running(self) -> bool:
        """True between start and stop."""
        return self._server is not None

    async def start(self) -> None:
        """Listen. Raises ConnectionFailed when the port is taken."""
        if self._server is not None:
            return
        server = self._made()
        try:
            await server.serve_forever(background=True)
        except RuntimeError as error:
            raise ConnectionFailed(
                f"cannot listen on {self._host}:{self.port}", hint="another program uses this port"
            ) from error
        self._server = server
        if isinstance(server.transport, asyncio.Server):
            self.port = server.transport.sockets[0].getsockname()[1]
        await self._write()

    def _made(self) -> ModbusTcpServer | ModbusSerialServer:
        units = [unit.simulated(self._is_silent) for unit in self.units]
        passed = self._passed if self._rtu else None
        if self._line is not None:
            self._line.open()
            return ModbusSerialServer(
                units, framer=FramerType.RTU, port=never_waiting(self._line.far), trace_packet=passed
            )
        framer = FramerType.RTU if self._rtu else FramerType.SOCKET
        return ModbusTcpServer(units, framer=framer, address=(self._host, self.port), trace_packet=passed)

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            await self._server.shutdown()  # type: ignore[no-untyped-call]
            self._server = None
            if self._line is not None:
                self._line.close()

    def _is_silent(self, device_id: str) -> bool:
        return device_id in self._silent

    def _passed(self, sending: bool, data: bytes) -> bytes:
        """Behind a transparent converter nobody answers in place of a unit that is silent."""
        gone = sending and any(unit.number == data[0] for unit in self.units if unit.device_id in self._silent)
        return b"" if gone else data

    def outage(self, offline: Set[str], restarting: Set[str]) -> bool:
        """See FleetServer: of several units at a port each can fail alone, and the port stays open."""
        away = offline | restarting
        if len(self.units) == 1:
            return not away.isdisjoint(self.devices)
        self._silent = frozenset(away & set(self.devices))
        return False

    async def show(self, shown: Shown) -> None:
        """See FleetServer."""
        for unit in self.units:
            await unit.show(shown)
        await self._write()

    async def _write(self) -> None:
        if self._server is None:
            return
        for unit in self.units:
            if unit.device_id in self._silent:  # it refuses us as well
                continue
            for table, words in unit.tables.items():
                values: list[Any] = [bool(word) for word in words] if table in BIT_TABLES else words
                unit.ours = True
                try:
                    await self._server.async_setValues(unit.number, _WRITE[table], 0, values)
                finally:
                    unit.ours = False


def modbus_machine(channels: Sequence[Channel]) -> ModbusServer:
    """What is at one port or on one serial line of the plant."""
    device = channels[0].device
    if device.driver == "modbus-rtu":
        return ModbusServer("", 0, channels, SerialLine(Path(str(option(device, "port")))))
    return ModbusServer(*endpoint(device), channels)

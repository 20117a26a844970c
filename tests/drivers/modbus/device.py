"""A Modbus field device for tests: real sockets, registers in dictionaries, and faults on demand."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

TABLES = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}
WRITES = {5: "coil", 6: "holding", 16: "holding", 22: "holding"}


def crc(frame: bytes) -> bytes:
    value = 0xFFFF
    for byte in frame:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return value.to_bytes(2, "little")


def registers(format_: str, *values: object) -> list[int]:
    """Big-endian registers of packed values, like registers('>f', 1.5)."""
    packed = struct.pack(format_, *values)
    return list(struct.unpack(f">{len(packed) // 2}H", packed))


@dataclass
class FieldDevice:
    """Serves `units[unit][table][register]`; a register that is not there gives exception 02."""

    framing: str = "tcp"
    units: dict[int, dict[str, dict[int, int]]] = field(default_factory=dict)
    silent: set[int] = field(default_factory=set)  # units that never answer
    refusals: dict[int, int] = field(default_factory=dict)  # unit -> exception code for everything
    unreadable: set[int] = field(default_factory=set)  # registers that give 02 although they have neighbours
    unknown: set[int] = field(default_factory=set)  # functions that give exception 01
    longest: int = 125  # longer requests are refused with exception 03
    busy: int = 0  # how many requests are first answered with 06
    delay: Callable[[int], float] = lambda count: 0.0  # seconds before the answer to the nth request
    requests: list[tuple[int, str, int, int]] = field(default_factory=list)
    connections: int = 0  # that were made so far
    most_pending: int = 0  # requests at a time that had no answer yet
    asked: asyncio.Event = field(default_factory=asyncio.Event)  # a request has come
    port: int = 0
    _pending: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def put(self, table: str, first: int, values: Iterable[int], unit: int = 1) -> None:
        bank = self.units.setdefault(unit, {}).setdefault(table, {})
        bank.update(enumerate(values, first))

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._server = None

    async def __aenter__(self) -> FieldDevice:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    await self._one(reader, writer)
        except asyncio.CancelledError:
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        header = b""
        if self.framing == "tcp":
            header = await reader.readexactly(6)
            frame = await reader.readexactly(int.from_bytes(header[4:6], "big"))
        else:
            frame = await reader.readexactly(6)
            function = frame[1]
            if function == 16:
                frame += await reader.readexactly(1)
            rest = {16: frame[-1], 22: 2}.get(function, 0)
            frame = (frame + await reader.readexactly(rest + 2))[:-2]
        unit, function, start, count = struct.unpack(">BBHH", frame[:6])
        self.requests.append((unit, TABLES.get(function, f"write {function}"), start, count))
        self.asked.set()
        if unit in self.silent:
            return
        if function in WRITES:
            reply = bytes([unit]) + self._write(unit, function, start, frame[4:])
        else:
            reply = bytes([unit]) + self._answer(unit, function, start, count)
        self._pending += 1
        self.most_pending = max(self.most_pending, self._pending)
        wait = self.delay(len(self.requests))
        if wait:
            later = asyncio.create_task(self._late(wait, header, reply, writer))
            self._tasks.add(later)
            later.add_done_callback(self._tasks.discard)
        else:
            self._send(header, reply, writer)

    async def _late(self, wait: float, header: bytes, reply: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(wait)
        self._send(header, reply, writer)

    def _send(self, header: bytes, reply: bytes, writer: asyncio.StreamWriter) -> None:
        self._pending -= 1
        if self.framing == "tcp":
            writer.write(header[:4] + len(reply).to_bytes(2, "big") + reply)
        else:
            writer.write(reply + crc(reply))

    def _answer(self, unit: int, function: int, start: int, count: int) -> bytes:
        wanted = range(start, start + count)
        if self.busy:
            self.busy -= 1
            return bytes([function | 0x80, 6])
        if unit in self.refusals:
            return bytes([function | 0x80, self.refusals[unit]])
        if function > 2 and count > self.longest:
            return bytes([function | 0x80, 3])
        bank = self.units.get(unit, {}).get(TABLES[function])
        if bank is None:
            return bytes([function | 0x80, 1])
        if any(register not in bank or register in self.unreadable for register in wanted):
            return bytes([function | 0x80, 2])
        if function <= 2:
            bits = sum(bool(bank[register]) << position for position, register in enumerate(wanted))
            data = bits.to_bytes((count + 7) // 8, "little")
        else:
            data = struct.pack(f">{count}H", *(bank[register] for register in wanted))
        return bytes([function, len(data)]) + data

    def _write(self, unit: int, function: int, start: int, data: bytes) -> bytes:
        bank = self.units.get(unit, {}).get(WRITES[function])
        if function in self.unknown or bank is None:
            return bytes([function | 0x80, 1])
        count = int.from_bytes(data[:2], "big") if function == 16 else 1
        if any(register not in bank for register in range(start, start + count)):
            return bytes([function | 0x80, 2])
        if function == 5:
            bank[start] = int(data[0] == 0xFF)
        elif function == 6:
            bank[start] = int.from_bytes(data[:2], "big")
        elif function == 16:
            bank.update(enumerate(struct.unpack(f">{count}H", data[3:]), start))
        else:
            keep, on = struct.unpack(">HH", data)
            bank[start] = bank[start] & keep | on & ~keep
        return bytes([function]) + struct.pack(">H", start) + data[: 4 if function == 22 else 2]

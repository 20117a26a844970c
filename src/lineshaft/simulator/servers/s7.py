"""A Siemens controller to talk to: data blocks, memory, inputs and outputs served over ISO-on-TCP."""

from __future__ import annotations

import asyncio
import logging
import struct
from datetime import UTC, datetime
from typing import Any, Final

from snap7.datatypes import S7Area, S7WordLen
from snap7.error import S7Error
from snap7.server import Server
from snap7.type import SrvArea

from lineshaft.drivers.s7.address import Area, S7Address
from lineshaft.errors import ConnectionFailed

_AREAS: Final[dict[Area, SrvArea]] = {"DB": SrvArea.DB, "M": SrvArea.MK, "I": SrvArea.PE, "Q": SrvArea.PA}
_FORMATS: Final = {
    "byte": ">B", "usint": ">B", "sint": ">b", "word": ">H", "uint": ">H", "int": ">h", "dword": ">I", "udint": ">I",
    "dint": ">i", "time": ">i", "real": ">f", "lword": ">Q", "ulint": ">Q", "lint": ">q", "lreal": ">d",
}  # fmt: skip


class _Controller(Server):
    """The library's server, which writes the whole byte when it is told to write one bit of it."""

    def _parse_address_specification(self, addr_spec: bytes) -> dict[str, Any]:
        parsed = super()._parse_address_specification(addr_spec)
        return {**parsed, "bit": addr_spec[11] % 8} if parsed else parsed

    def _parse_write_address(self, request: dict[str, Any]) -> tuple[S7Area, int, int, int, bytearray] | None:
        found = super()._parse_write_address(request)
        place = request.get("parameters", {}).get("address_spec", {})
        if found is None or place.get("word_len") != S7WordLen.BIT:
            return found
        area, number, start, count, data = found
        memory = self.memory_areas.get((area, number), b"")
        if start >= len(memory):
            return found
        mask = 1 << place["bit"]
        return area, number, start, count, bytearray([memory[start] & ~mask | (mask if data[0] else 0)])


class S7Server:
    """One controller; `port` is known after start. Values stay over a stop and a start."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.memory: dict[tuple[Area, int], bytearray] = {}
        self._server: Server | None = None

    @property
    def running(self) -> bool:
        """True between start and stop."""
        return self._server is not None

    async def start(self) -> None:
        """Listen. Raises ConnectionFailed when the port is taken."""
        if self._server is not None:
            return
        logging.getLogger("snap7").setLevel(logging.CRITICAL)  # it logs each address that a client may not read
        server = _Controller(log=False)
        server.host = self.host
        for (area, number), content in self.memory.items():
            server.register_area(_AREAS[area], number, content)
        try:
            server.start(self.port)
        except S7Error as error:
            raise ConnectionFailed(
                f"cannot listen on {self.host}:{self.port}", hint="another program uses this port"
            ) from error
        if server.server_socket is not None:
            self.port = server.server_socket.getsockname()[1]
        self._server = server

    async def stop(self) -> None:
        """Close the port and every connection."""
        server, self._server = self._server, None
        if server is not None:
            await asyncio.to_thread(server.stop)

    def make(self, area: Area, number: int, size: int) -> None:
        """Make an area of so many bytes; `number` is 0 outside of data blocks."""
        content = self.memory[area, number] = bytearray(size)
        if self._server is not None:
            self._server.register_area(_AREAS[area], number, content)

    def put(self, address: S7Address, value: float | str) -> None:
        """Write one value. Raises KeyError when there is no such area."""
        memory = self.memory[address.area, address.db]
        if address.bit is not None:
            mask = 1 << address.bit
            memory[address.byte] = memory[address.byte] & ~mask | (mask if value else 0)
            return
        content = encode(address, value)
        memory[address.byte : address.byte + len(content)] = content


def encode(address: S7Address, value: float | str) -> bytes:
    """The bytes of a value as the controller keeps them; date_and_time and dtl take milliseconds since 1970."""
    coding = address.coding
    if coding in _FORMATS:
        number = float(value) if coding in ("real", "lreal") else int(value)
        return struct.pack(_FORMATS[coding], number)
    if coding in ("dtl", "date_and_time"):
        return _moment(coding, float(value))
    text = str(value)
    if coding == "wstring":
        room = (address.size - 4) // 2
        return struct.pack(">HH", room, len(text[:room])) + text[:room].encode("utf-16-be").ljust(2 * room, b"\0")
    content = text.encode("latin-1", "replace")
    if coding == "string":
        room = address.size - 2
        return bytes([room, len(content[:room])]) + content[:room].ljust(room, b"\0")
    return content[: address.size].ljust(address.size, b"\0")


def _moment(coding: str, milliseconds: float) -> bytes:
    at = datetime.fromtimestamp(int(milliseconds) // 1000, UTC)
    clock = (at.hour, at.minute, at.second)
    weekday = at.isoweekday() % 7 + 1  # Sunday is 1
    if coding == "dtl":
        rest = round(milliseconds % 1000 * 1e6)
        return struct.pack(">HBBBBBBI", at.year, at.month, at.day, weekday, *clock, rest)
    pairs = "".join(f"{part:02d}" for part in (at.year % 100, at.month, at.day, *clock))
    return bytes.fromhex(f"{pairs}{int(milliseconds) % 1000:03d}{weekday}")

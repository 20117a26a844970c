"""Values to a Modbus device: what goes on the wire, and the requests that carry it."""

from __future__ import annotations

import struct
from typing import Final

from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import WriteSingleCoilRequest
from pymodbus.pdu.register_message import (
    MaskWriteRegisterRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from lineshaft.drivers import numbers
from lineshaft.drivers.modbus.address import ModbusAddress, Order
from lineshaft.drivers.modbus.blocks import Layout, Span
from lineshaft.drivers.modbus.decode import FORMATS, byte_order, no_value_contents
from lineshaft.drivers.modbus.line import NO_FUNCTION, Line, Refused
from lineshaft.errors import AddressInvalid, NotWritable, OutOfRange, WriteRefused

_WORDS: Final = {
    NO_FUNCTION: "the device knows no function to write there",
    0x02: "the device has no such register to write",
    0x03: "the device does not take this value",
    0x04: "the device failed while it wrote",
    0x06: "the device is busy",
}


def content_of(address: ModbusAddress, order: Order, value: float | str) -> bytes:
    """The registers' bytes as they go on the wire. Raises OutOfRange."""
    plain = _plain(address, value)
    if int.from_bytes(plain, "big") in no_value_contents(address) and address.size in (1, 2, 4):
        raise OutOfRange(f"{value!r} is what means 'no value' at this address")
    wire = bytearray(len(plain))
    for byte, place in zip(plain, byte_order(address.size, order, text=address.is_text), strict=True):
        wire[place] = byte
    return bytes(wire)


def _plain(address: ModbusAddress, value: float | str) -> bytes:
    """Big endian, first register first."""
    coding, size = address.coding, address.size
    if coding == "string":
        raw = numbers.text(value).encode()
        if len(raw) > 2 * size or b"\0" in raw:
            raise OutOfRange(f"the text has {len(raw)} bytes; {2 * size} have room, none may be NUL")
        return raw.ljust(2 * size, b"\0")
    if coding == "bool":
        return struct.pack(">H", numbers.switch(value))
    if coding == "mod10k":
        digits = numbers.whole(value, 0, 10_000**size - 1)
        return b"".join(struct.pack(">H", digits // 10_000**place % 10_000) for place in range(size - 1, -1, -1))
    if coding in ("bcd16", "bcd32"):
        return bytes.fromhex(f"{numbers.whole(value, 0, 10 ** (4 * size) - 1):0{4 * size}d}")
    code = FORMATS[coding]
    if code[1] == "f":
        form = ">f" if size == 2 else ">d"
        return struct.pack(form, numbers.real(value, form))
    number = numbers.integer(value, 16 * size, signed=code[1] == "i")
    return number.to_bytes(2 * size, "big", signed=code[1] == "i")


class Writer:
    """Writes single values over a line."""

    def __init__(self, line: Line, layout: Layout) -> None:
        self._line = line
        self._layout = layout
        self._no_mask: set[int] = set()  # units that do not know function 22

    async def write(self, address: ModbusAddress, value: float | str) -> None:
        """See drivers.base.Writes."""
        unit = self._layout.options.unit if address.unit is None else address.unit
        span = Span(unit, address.table, self._layout.wire(address.register_), address.size)
        if address.table in ("discrete", "input"):
            raise NotWritable(f"{address.table} can only be read", hint="write to a coil or a holding register")
        if not self._layout.allows(span):
            raise NotWritable(f"{address} is in a forbidden range or outside of the address space")
        if address.table == "coil":
            await self._send(WriteSingleCoilRequest(dev_id=unit, address=span.start, bits=[numbers.switch(value)]))
        elif address.bit is not None:
            await self._bits(span, address, value)
        else:
            await self._registers(span, address, value)

    async def _registers(self, span: Span, address: ModbusAddress, value: float | str) -> None:
        if address.scale_from is not None:
            value = await self._unscaled(span, address.scale_from, value)
        content = content_of(address, address.order or self._layout.options.order, value)
        registers = [int.from_bytes(content[at : at + 2], "big") for at in range(0, len(content), 2)]
        many = WriteMultipleRegistersRequest(dev_id=span.unit, address=span.start, registers=registers)
        if span.count > 1:
            await self._send(many)
            return
        one = WriteSingleRegisterRequest(dev_id=span.unit, address=span.start, registers=registers)
        if not await self._known(one):  # function 6; some devices know only function 16
            await self._send(many)

    async def _unscaled(self, span: Span, scale: int, value: float | str) -> float | str:
        """The integer in the register, for a value that is to be multiplied by a power of ten of another register."""
        raw = await self._read(Span(span.unit, span.table, self._layout.wire(scale), 1))
        power = raw - 2**16 if raw >= 2**15 else raw
        if not -10 <= power <= 10:
            raise WriteRefused(f"the register {scale} holds no power of ten: {power}")
        number = numbers.real(value, "<d")
        scaled = number / 10**power if power >= 0 else number * 10**-power
        if abs(scaled - round(scaled)) > 1e-6 * max(1.0, abs(scaled)):
            raise OutOfRange(f"{value!r} is no multiple of {10.0**power:g}, the step of this register")
        return float(round(scaled))

    async def _bits(self, span: Span, address: ModbusAddress, value: float | str) -> None:
        """Change some bits of a register and no other: in the device where it can, else by writing what was read."""
        low = address.bit or 0
        width = (low if address.last_bit is None else address.last_bit) - low + 1
        swap = (address.order or self._layout.options.order) in ("BADC", "DCBA")
        mask = _swapped((2**width - 1) << low, swap)
        wanted = _swapped(numbers.whole(value, 0, 2**width - 1) << low, swap)
        masked = MaskWriteRegisterRequest(
            dev_id=span.unit, address=span.start, and_mask=0xFFFF & ~mask, or_mask=wanted
        )  # fmt: skip
        if span.unit in self._no_mask or not await self._known(masked):
            self._no_mask.add(span.unit)
            whole = (await self._read(span)) & ~mask | wanted
            many = WriteMultipleRegistersRequest(dev_id=span.unit, address=span.start, registers=[whole])
            one = WriteSingleRegisterRequest(dev_id=span.unit, address=span.start, registers=[whole])
            if not await self._known(one):
                await self._send(many)
        found = await self._read(span)
        if found & mask != wanted:
            raise WriteRefused(f"the bits of {address} did not take the value: the register holds {found:#06x}")

    async def _read(self, span: Span) -> int:
        try:
            return int.from_bytes(await self._line.ask(span), "big")
        except Refused as refusal:
            raise _error(refusal) from refusal

    async def _known(self, request: ModbusPDU) -> bool:
        """Send; False when the device does not know the function."""
        try:
            await self._line.send(request)
        except Refused as refusal:
            if refusal.code == NO_FUNCTION:
                return False
            raise _error(refusal) from refusal
        return True

    async def _send(self, request: ModbusPDU) -> None:
        try:
            await self._line.send(request)
        except Refused as refusal:
            raise _error(refusal) from refusal


def _swapped(word: int, swap: bool) -> int:
    return (word >> 8 | word << 8) & 0xFFFF if swap else word


def _error(refusal: Refused) -> WriteRefused | AddressInvalid:
    words = f"{_WORDS.get(refusal.code, 'the device refuses')} (exception {refusal.code:02X})"
    if refusal.code == NO_FUNCTION:
        return NotWritable(words)
    if refusal.code == 0x02:
        return AddressInvalid(words)
    return OutOfRange(words) if refusal.code == 0x03 else WriteRefused(words)

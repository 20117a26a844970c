"""Numbers and texts to Modbus registers, in every type and byte order that the demo plant uses."""

from __future__ import annotations

import struct

from lineshaft.drivers.modbus.address import ModbusAddress, Order

_FORMATS = {
    "int16": ">h",
    "uint16": ">H",
    "enum": ">H",
    "bool": ">H",
    "int32": ">i",
    "uint32": ">I",
    "acc32": ">I",
    "int64": ">q",
    "uint64": ">Q",
    "float32": ">f",
    "float64": ">d",
}


def _digits(value: int, base: int, count: int) -> list[int]:
    """The lowest `count` digits of `value` to `base`, highest first."""
    return [value // base**power % base for power in range(count - 1, -1, -1)]


def _words(data: bytes) -> list[int]:
    return list(struct.unpack(f">{len(data) // 2}H", data))


def _big_endian(address: ModbusAddress, raw: float | str) -> list[int]:
    if isinstance(raw, str):
        return _words(raw.encode()[: 2 * address.size].ljust(2 * address.size, b"\0"))
    if address.coding == "mod10k":
        return _digits(int(raw), 10_000, address.size)
    if address.coding in ("bcd16", "bcd32"):
        digits = _digits(int(raw), 10, 4 * address.size)
        return [int("".join(map(str, digits[i : i + 4])), 16) for i in range(0, len(digits), 4)]
    number = raw if address.coding in ("float32", "float64") else int(raw)
    return _words(struct.pack(_FORMATS[address.coding], number))


def registers(address: ModbusAddress, order: Order, raw: float | str) -> list[int]:
    """The registers that hold `raw`, as they lie on the wire. Bits are written by `put_bits`."""
    return reorder(_big_endian(address, raw), address.order or order, text=isinstance(raw, str))


def number_in(words: list[int], address: ModbusAddress, order: Order) -> float:
    """The raw number that `registers` or `put_bits` put there; mod10k and bcd are not read back."""
    plain = reorder(words, address.order or order)
    if address.bit is not None:
        last = address.bit if address.last_bit is None else address.last_bit
        return float(plain[0] >> address.bit & (1 << (last - address.bit + 1)) - 1)
    packed = struct.pack(f">{len(plain)}H", *plain)
    return float(struct.unpack(_FORMATS[address.coding], packed)[0])


def reorder(words: list[int], order: Order, *, text: bool = False) -> list[int]:
    """Big-endian registers to another order: CDAB reverses registers, BADC swaps bytes, DCBA does both."""
    if order in ("CDAB", "DCBA") and not text:
        words = words[::-1]
    if order in ("BADC", "DCBA"):
        words = [(word & 0xFF) << 8 | word >> 8 for word in words]
    return words


def put_bits(word: int, address: ModbusAddress, order: Order, raw: float) -> int:
    """`word` (as on the wire) with the bit or field of bits of `address` set to `raw`."""
    first = address.bit or 0
    last = first if address.last_bit is None else address.last_bit
    mask = (1 << (last - first + 1)) - 1
    plain = reorder([word], address.order or order)[0]
    plain = plain & ~(mask << first) | (int(raw) & mask) << first
    return reorder([plain], address.order or order)[0]

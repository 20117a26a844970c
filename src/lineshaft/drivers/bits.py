"""A field of bits in bytes that a document gives as hexadecimal text: the process data of an IO-Link device."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Final, Literal

from lineshaft.errors import DataError

_FIELD: Final = re.compile(r"(byte|bit)(\d{1,4}):(bool|int(\d{1,2})|uint(\d{1,2})|float(32|64))")
_BETWEEN: Final = str.maketrans("", "", " -:_")
_FORMS: Final = {32: ">f", 64: ">d"}
HOW: Final = (
    "write byte<N> (first byte, from the front, as manuals count) or bit<N> (lowest bit, from the end, as an IODD "
    "counts), a colon, and bool, int2 to int64, uint1 to uint64, float32 or float64: byte0:int24, bit4:uint12"
)


@dataclass(frozen=True, slots=True)
class BitField:
    """Where a number is in some bytes, the first of which is the most significant (IO-Link specification 1.1, annex F).

    `first` counts bytes from the front, up to the highest bit of the field; or bits from the end, down to its lowest.
    """

    start: Literal["byte", "bit"]
    first: int
    coding: Literal["int", "uint", "float"]
    width: int  # bits

    @property
    def size(self) -> int:
        """Bytes that hold the field at least."""
        bits = self.first + self.width if self.start == "bit" else 8 * self.first + self.width
        return -(-bits // 8)

    @property
    def limits(self) -> tuple[float, float] | None:
        """Smallest and largest number; None for a float."""
        if self.coding == "float":
            return None
        if self.coding == "uint":
            return 0, 2.0**self.width - 1
        return -(2.0 ** (self.width - 1)), 2.0 ** (self.width - 1) - 1

    def read(self, data: bytes) -> int | float:
        """The number. Raises DataError when the bytes end before the field does."""
        raw = int.from_bytes(data, "big") >> self._shift(len(data)) & self._mask
        if self.coding == "float":
            number: float = struct.unpack(_FORMS[self.width], raw.to_bytes(self.width // 8, "big"))[0]
            return number
        return raw - (1 << self.width) if self.coding == "int" and raw >> (self.width - 1) else raw

    def put(self, data: bytes, number: float) -> bytes:
        """The bytes with this number in the field; an integer keeps its low bits. Raises DataError as `read` does."""
        if self.coding == "float":
            raw = int.from_bytes(struct.pack(_FORMS[self.width], number), "big")
        else:
            raw = int(number) & self._mask
        shift = self._shift(len(data))
        whole = int.from_bytes(data, "big") & ~(self._mask << shift) | raw << shift
        return whole.to_bytes(len(data), "big")

    @property
    def _mask(self) -> int:
        return (1 << self.width) - 1

    def _shift(self, length: int) -> int:
        if self.size > length:
            raise DataError(f"{length} bytes end before {self.start} {self.first} with {self.width} bits")
        return self.first if self.start == "bit" else 8 * (length - self.first) - self.width


def field_of(text: str) -> BitField:
    """A field as plant files write it. Raises ValueError in words for people."""
    found = _FIELD.fullmatch(text)
    if found is None:
        raise ValueError(f"'{text}' is no field of bits; {HOW}")
    start: Literal["byte", "bit"] = "byte" if found[1] == "byte" else "bit"
    if found[3] == "bool":
        if start == "byte":
            raise ValueError(f"'{text}': one bit is named by bit<N>, counted from the end, such as bit0:bool")
        return BitField(start, int(found[2]), "uint", 1)
    coding: Literal["int", "uint", "float"] = "int" if found[4] else "uint" if found[5] else "float"
    width = int(found[4] or found[5] or found[6])
    if not (2 if coding == "int" else 1) <= width <= 64:
        raise ValueError(f"'{text}': an int has 2 to 64 bits, a uint 1 to 64")
    return BitField(start, int(found[2]), coding, width)


def hex_bytes(text: str) -> bytes:
    """Bytes of hexadecimal text: with or without 0x, and spaces, -, : or _ between. Raises DataError."""
    digits = text.strip().removeprefix("0x").removeprefix("0X").translate(_BETWEEN)
    try:
        return bytes.fromhex(digits)
    except ValueError as error:
        raise DataError(f"{text[:40]!r} is no hexadecimal text of whole bytes") from error

"""Raw register bytes to doubles and texts: gather tables made once, then a few array operations per read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lineshaft.drivers.modbus.address import BIT_TABLES, NOT_IMPLEMENTED, ModbusAddress, Order
from lineshaft.model.samples import Float64Array, Quality, UInt8Array

Bytes = NDArray[np.uint8]
Indexes = NDArray[np.intp]

EXACT: Final = 2**53
"""Integers above this do not all fit into a double; their digits are delivered as text."""

FORMATS: Final[dict[str, str]] = {
    "int16": ">i2",
    "uint16": ">u2",
    "enum": ">u2",
    "int32": ">i4",
    "uint32": ">u4",
    "acc32": ">u4",
    "int64": ">i8",
    "uint64": ">u8",
    "float32": ">f4",
    "float64": ">f8",
}


@dataclass(slots=True)
class Columns:
    """What decoders write to: one row per point of the plan."""

    values: Float64Array
    qualities: UInt8Array
    texts: dict[int, str]


def byte_order(size: int, order: Order, *, text: bool = False) -> list[int]:
    """Where each byte of a big-endian value of `size` registers lies among the bytes on the wire.

    ABCD as sent, CDAB registers reversed, BADC bytes swapped within each register, DCBA both. Text never has its
    registers reversed.
    """
    registers = list(range(size))
    if order in ("CDAB", "DCBA") and not text:
        registers.reverse()
    swapped = order in ("BADC", "DCBA")
    return [2 * register + (byte ^ swapped) for register in registers for byte in (0, 1)]


@dataclass(frozen=True, slots=True)
class Group:
    """Points that are coded alike: `rows[n]` in the batch and `gather[n, bytes]` in the buffer."""

    coding: str
    rows: Indexes
    gather: Indexes
    shift: NDArray[np.uint16]  # for bit fields
    mask: NDArray[np.uint16]
    nan_rows: Indexes  # positions in the group that have raw contents meaning 'no value'
    nan_raw: NDArray[np.uint64]  # those contents; a position may come several times

    def decode(self, buffer: Bytes, out: Columns) -> None:
        """Write values, texts and BAD_NO_VALUE / BAD_DEVICE of this group."""
        raw = buffer[self.gather]
        if self.coding in FORMATS:
            _numbers(raw.view(FORMATS[self.coding])[:, 0], self.rows, out)
        elif self.coding == "bit":
            out.values[self.rows] = (_unsigned(raw) >> self.shift) & self.mask
        elif self.coding == "bool":
            out.values[self.rows] = _unsigned(raw) != 0
        elif self.coding == "mod10k":
            _mod10k(raw, self.rows, out)
        elif self.coding == "string":
            _strings(raw, self.rows, out)
        else:
            _bcd(raw, self.rows, out)
        if len(self.nan_rows):
            hit = self.nan_rows[_unsigned(raw)[self.nan_rows] == self.nan_raw]
            out.qualities[self.rows[hit]] = Quality.BAD_NO_VALUE


def _unsigned(raw: Bytes) -> NDArray[Any]:
    return raw.view(f">u{raw.shape[1]}")[:, 0]


def _numbers(raw: NDArray[Any], rows: Indexes, out: Columns) -> None:
    values = raw.astype(np.float64)
    out.values[rows] = values
    if raw.dtype.kind == "f":
        out.qualities[rows[np.isnan(values)]] = Quality.BAD_NO_VALUE
    elif raw.dtype.itemsize == 8:
        for position in np.flatnonzero(np.abs(values) >= EXACT):  # the double of 2**53 + 1 is 2**53
            exact = int(raw[position])
            if abs(exact) > EXACT:
                out.texts[int(rows[position])] = str(exact)


def _mod10k(raw: Bytes, rows: Indexes, out: Columns) -> None:
    digits = raw.view(">i2").astype(np.int64)
    weights = 10_000 ** np.arange(digits.shape[1] - 1, -1, -1, dtype=np.int64)
    _numbers(digits @ weights, rows, out)


def _bcd(raw: Bytes, rows: Indexes, out: Columns) -> None:
    nibbles = np.stack([raw >> 4, raw & 0x0F], axis=2).reshape(len(raw), -1)
    weights = 10.0 ** np.arange(nibbles.shape[1] - 1, -1, -1)
    out.values[rows] = nibbles @ weights
    out.qualities[rows[(nibbles > 9).any(axis=1)]] = Quality.BAD_DEVICE


def _strings(raw: Bytes, rows: Indexes, out: Columns) -> None:
    for row, content in zip(rows.tolist(), raw, strict=True):
        text = content.tobytes().split(b"\0", 1)[0].decode("utf-8", "replace").strip()
        out.texts[row] = text


def no_value_contents(address: ModbusAddress) -> tuple[int, ...]:
    """Raw contents that mean 'no value' at this address, as unsigned integers of its width."""
    if address.nan == "sunspec":
        known = NOT_IMPLEMENTED.get(address.coding)
        return () if known is None else (known,)
    width = 8 if address.table in BIT_TABLES else 16 * address.size
    return tuple(content & (2**width - 1) for content in address.nan)


def group_points(places: Sequence[tuple[int, ModbusAddress, Order, int, int]]) -> list[Group]:
    """Make the gather tables. Each place is (row, address, order, byte of its first register or coil, bit in it)."""
    alike: dict[tuple[str, int], list[tuple[int, list[int], int, int, tuple[int, ...]]]] = {}
    for row, address, order, start, coil_bit in places:
        if address.table in BIT_TABLES:
            gather, shift, mask = [start], coil_bit, 1
        else:
            gather = [start + byte for byte in byte_order(address.size, order, text=address.is_text)]
            shift = address.bit or 0
            mask = 2 ** ((address.last_bit if address.last_bit is not None else shift) - shift + 1) - 1
        alike.setdefault((address.coding, len(gather)), []).append(
            (row, gather, shift, mask, no_value_contents(address) if len(gather) in (1, 2, 4, 8) else ())
        )
    return [
        Group(
            coding,
            np.array([member[0] for member in members], np.intp),
            np.array([member[1] for member in members], np.intp),
            np.array([member[2] for member in members], np.uint16),
            np.array([member[3] for member in members], np.uint16),
            np.array([position for position, member in enumerate(members) for _ in member[4]], np.intp),
            np.array([content for member in members for content in member[4]], np.uint64),
        )
        for (coding, _), members in alike.items()
    ]

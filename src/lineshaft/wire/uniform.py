"""Runs of metrics that have the same fields of the same length, read as a byte matrix: one look at each column.

This is how our own encoder and most others write the samples of one type; anything else is left to the walk in
decode.py, which reads it field by field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lineshaft.model.samples import UInt8Array

SHORTEST: Final = 32
"""Metrics in a run from which on a matrix is worth its fixed cost."""
ALIAS: Final = 0x10
TIMESTAMP: Final = 0x18
HISTORICAL: Final = 0x28
IS_NULL: Final = 0x38
INT, LONG, FLOAT, DOUBLE, BOOLEAN = 0x50, 0x58, 0x65, 0x69, 0x70
_VARINTS: Final = frozenset({ALIAS, TIMESTAMP, INT, LONG})
_FLAGS: Final = frozenset({HISTORICAL, IS_NULL, BOOLEAN})
_FIXED: Final = {FLOAT: 4, DOUBLE: 8}
_WINDOW: Final = 8  # bytes of a varint that are read at once
_BITS: Final = (  # of a varint in a uint64: the lower half of each pair of groups, the upper half, and how far it moves
    (0x007F007F007F007F, 0x7F007F007F007F00, 1),
    (0x00003FFF00003FFF, 0x3FFF00003FFF0000, 2),
    (0x000000000FFFFFFF, 0x0FFFFFFF00000000, 4),
)


@dataclass(frozen=True, slots=True)
class Run:
    """`count` metrics of exactly `length` bytes, one behind the other; `index` is the first one's row."""

    index: int
    count: int
    start: int  # of the first metric's fields
    length: int

    @property
    def stride(self) -> int:
        """Bytes from one metric to the next."""
        return self.length + 2


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One field of all metrics of a run: its tag, and uint64 (varint), float or uint8 (flag) values."""

    tag: int
    values: NDArray[Any]


def columns(data: UInt8Array, run: Run) -> list[Column] | None:
    """The fields of a run in the order of the wire; None when the metrics differ in more than their values.

    `data` must go on for at least 8 bytes behind the run.
    """
    fields = _fields(data, run)
    if fields is None:
        return None
    mask = bytearray(run.length)
    for tag, at, length in fields:
        mask[at - 1] = 0xFF
        if tag not in _FIXED:
            mask[at : at + length] = b"\x80" * length  # which byte is the last one of the number
    for at in range(0, run.length, _WINDOW):
        same = int.from_bytes(mask[at : at + _WINDOW], "little")
        if same:
            words = _strided(data, run, "<u8", at)
            if ((words ^ words[0]) & np.uint64(same)).any():
                return None
    return [Column(tag, _values(data, run, tag, at, length)) for tag, at, length in fields]


def _fields(data: UInt8Array, run: Run) -> list[tuple[int, int, int]] | None:
    """(tag, offset of the value, its length) of each field of the first metric; None when one is not known here."""
    first = data[run.start : run.start + run.length].tolist()
    found: list[tuple[int, int, int]] = []
    at = 0
    while at < run.length:
        tag, at = first[at], at + 1
        if tag in _FIXED:
            length = _FIXED[tag]
        elif tag in _VARINTS or tag in _FLAGS:
            length = next((step + 1 for step, byte in enumerate(first[at:]) if byte < 0x80), 0)
            if not 0 < length <= (1 if tag in _FLAGS else _WINDOW):
                return None
        else:
            return None
        found.append((tag, at, length))
        at += length
    return found if at == run.length else None


def _values(data: UInt8Array, run: Run, tag: int, at: int, length: int) -> NDArray[Any]:
    kind = {DOUBLE: "<f8", FLOAT: "<f4"}.get(tag, "u1" if length == 1 else "<u8")
    raw = _strided(data, run, kind, at)
    return raw if length == 1 or tag in _FIXED else _joined(raw, length)


def _strided(data: UInt8Array, run: Run, kind: str, at: int) -> NDArray[Any]:
    """A number of this kind at offset `at` of each metric."""
    found: NDArray[Any] = np.ndarray((run.count,), kind, data, run.start + at, (run.stride,)).copy()
    return found


def _joined(raw: NDArray[np.uint64], length: int) -> NDArray[np.uint64]:
    """The numbers in varints of `length` bytes, each at the low end of a uint64."""
    raw &= np.uint64(0x7F7F7F7F7F7F7F7F & ((1 << (8 * length)) - 1))
    for step, (low, high, shift) in enumerate(_BITS):
        if length <= 1 << step:
            break
        upper = raw & np.uint64(high)
        upper >>= np.uint64(shift)
        raw &= np.uint64(low)
        raw |= upper
    return raw

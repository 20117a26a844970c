"""Bytes of a Siemens controller to doubles and texts: gather tables made once, then a few array operations per read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lineshaft.drivers.s7.address import S7Address
from lineshaft.model.samples import Float64Array, Quality, UInt8Array

Indexes = NDArray[np.intp]
EXACT: Final = 2**53
"""Integers above this do not all fit into a double; their digits are delivered as text."""
ENCODING: Final = "latin-1"
_FORMATS: Final = {
    "byte": "u1", "usint": "u1", "sint": "i1", "word": ">u2", "uint": ">u2", "int": ">i2", "dword": ">u4",
    "udint": ">u4", "dint": ">i4", "time": ">i4", "real": ">f4", "lword": ">u8", "ulint": ">u8", "lint": ">i8",
    "lreal": ">f8",
}  # fmt: skip
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Columns:
    """What decoders write to: one row per point."""

    values: Float64Array
    qualities: UInt8Array
    texts: dict[int, str]


@dataclass(frozen=True, slots=True)
class Group:
    """Points that are coded alike: `rows[n]` in the batch and `gather[n, bytes]` in the buffer."""

    coding: str
    rows: Indexes
    gather: Indexes
    shift: NDArray[np.uint8]  # for bits

    def decode(self, buffer: NDArray[np.uint8], zone: tzinfo, out: Columns) -> None:
        """Write values, texts and the quality of contents that are none."""
        raw = buffer[self.gather]
        if self.coding == "bool":
            out.values[self.rows] = (raw[:, 0] >> self.shift) & 1
        elif self.coding in _FORMATS:
            self._numbers(raw.view(_FORMATS[self.coding])[:, 0], out)
        elif self.coding in _TEXTS:
            self._texts(raw, _TEXTS[self.coding], out)
        else:
            self._moments(raw, _MOMENTS[self.coding], zone, out)

    def _numbers(self, raw: NDArray[np.generic], out: Columns) -> None:
        with np.errstate(invalid="ignore"):  # a signalling NaN, as damaged bytes can be
            values = raw.astype(np.float64)
        out.values[self.rows] = values
        if raw.dtype.kind == "f":
            out.qualities[self.rows[~np.isfinite(values)]] = Quality.BAD_NO_VALUE
        elif raw.dtype.itemsize == 8:
            for position in np.flatnonzero(np.abs(values) >= EXACT):
                exact = int(raw[position])
                if abs(exact) > EXACT:
                    out.texts[int(self.rows[position])] = str(exact)

    def _texts(self, raw: NDArray[np.uint8], text_of: Callable[[bytes], str | None], out: Columns) -> None:
        for row, content in zip(self.rows.tolist(), raw, strict=True):
            text = text_of(content.tobytes())
            if text is None:
                out.qualities[row] = Quality.BAD_DEVICE
            else:
                out.texts[row] = text

    def _moments(
        self, raw: NDArray[np.uint8], moment_of: Callable[[bytes, tzinfo], float], zone: tzinfo, out: Columns
    ) -> None:
        for row, content in zip(self.rows.tolist(), raw, strict=True):
            try:
                out.values[row] = moment_of(content.tobytes(), zone)
            except (ValueError, OverflowError):
                out.qualities[row] = Quality.BAD_DEVICE


def string(content: bytes) -> str | None:
    """STRING: declared length, used length, characters; None when the used length is longer than the declared one.

    >>> string(bytes([4, 2]) + b"AB??")
    'AB'
    """
    declared, used = content[0], content[1]
    if used > declared or used > len(content) - 2:
        return None
    return content[2 : 2 + used].decode(ENCODING)


def wide_string(content: bytes) -> str | None:
    """WSTRING: two lengths of 16 bits, then UTF-16 characters."""
    declared, used = int.from_bytes(content[:2], "big"), int.from_bytes(content[2:4], "big")
    if used > declared or 2 * used > len(content) - 4:
        return None
    return content[4 : 4 + 2 * used].decode("utf-16-be", "replace")


def characters(content: bytes) -> str:
    """An array of char, up to its first NUL, without blanks at its end."""
    return content.split(b"\0", 1)[0].decode(ENCODING).rstrip()


def date_and_time(content: bytes, zone: tzinfo) -> float:
    """DATE_AND_TIME (BCD) -> milliseconds since 1970. Raises ValueError.

    Years 90 to 99 are of the 20th century; the last nibble is the day of the week.
    """
    digits = content.hex()
    if not digits[:15].isdecimal():
        raise ValueError("not BCD")
    year, month, day, hour, minute, second = (int(digits[place : place + 2]) for place in range(0, 12, 2))
    moment = datetime(1900 + year if year >= 90 else 2000 + year, month, day, hour, minute, second, tzinfo=zone)
    return (moment - _EPOCH) / timedelta(milliseconds=1) + int(digits[12:15])


def dtl(content: bytes, zone: tzinfo) -> float:
    """DTL (year to second with the weekday, nanoseconds) -> milliseconds since 1970. Raises ValueError."""
    nanoseconds = int.from_bytes(content[8:12], "big")
    if nanoseconds >= 10**9:
        raise ValueError("more than a second of nanoseconds")
    hour, minute, second = content[5:8]
    moment = datetime(int.from_bytes(content[:2], "big"), content[2], content[3], hour, minute, second, tzinfo=zone)
    return (moment - _EPOCH) / timedelta(milliseconds=1) + nanoseconds / 1e6


_TEXTS: Final[dict[str, Callable[[bytes], str | None]]] = {
    "string": string,
    "wstring": wide_string,
    "chars": characters,
    "char": characters,
}
_MOMENTS: Final[dict[str, Callable[[bytes, tzinfo], float]]] = {"date_and_time": date_and_time, "dtl": dtl}


def group_points(places: Sequence[tuple[int, S7Address, int]]) -> tuple[Group, ...]:
    """Make the gather tables. Each place is (row, address, where its first byte lies in the buffer)."""
    alike: dict[tuple[str, int], list[tuple[int, S7Address, int]]] = {}
    for place in places:
        alike.setdefault((place[1].coding, place[1].size), []).append(place)
    return tuple(
        Group(
            coding,
            np.array([row for row, _, _ in members], np.intp),
            np.array([range(start, start + size) for _, _, start in members], np.intp),
            np.array([address.bit or 0 for _, address, _ in members], np.uint8),
        )
        for (coding, size), members in alike.items()
    )

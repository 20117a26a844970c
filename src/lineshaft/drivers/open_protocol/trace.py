"""Curves: MID 0900, whose samples follow a NUL as 16-bit integers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from lineshaft.drivers.open_protocol.wire import Message
from lineshaft.errors import DataError
from lineshaft.model.samples import Float64Array

_DIVIDE, _MULTIPLY = 2213, 2214
"""Parameters that turn a sample into its value."""
_MICROSECONDS: Final = {200: 1e6, 201: 60e6, 202: 1e3, 203: 3600e6}
"""Codes of time units -> their length."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One curve. `offsets`: microseconds of each value after the first."""

    result: str
    time: str
    kind: int
    values: Float64Array
    offsets: Float64Array
    parameters: Mapping[int, str]


class _Cursor:
    """Takes characters off the front of the data."""

    def __init__(self, data: bytes) -> None:
        self._data, self._place = data, 0

    def text(self, width: int) -> str:
        end = self._place + width
        if end > len(self._data):
            raise DataError("a curve ends before its samples")
        taken = self._data[self._place : end].decode("latin-1")
        self._place = end
        return taken

    def number(self, width: int) -> int:
        text = self.text(width).strip(" ")
        if not text.isdecimal() or not text.isascii():
            raise DataError(f"a curve with {text!r} instead of a number")
        return int(text)

    def rest(self) -> bytes:
        return self._data[self._place :]


def decode_trace(message: Message) -> Trace:
    """Revisions 1 to 3 of MID 0900. Raises DataError."""
    cursor = _Cursor(message.data)
    result, time = cursor.text(10).strip(), cursor.text(19)
    if message.revision >= 3:
        cursor.text(4 + 1 + 4)  # object, its type, reference object
    parameters = _parameters(cursor)
    kind = cursor.number(2)
    if message.revision >= 3:
        cursor.number(2)  # number of traces
    cursor.text(2 + 3)  # type of transducer, unit
    if message.revision >= 2:
        cursor.text(4)  # the MID that asked for it
    parameters |= _parameters(cursor)
    steps = [_resolution(cursor) for _ in range(cursor.number(3))]
    count = cursor.number(5)
    if cursor.text(1) != "\0":
        raise DataError("a curve without the NUL before its samples")
    raw = cursor.rest()
    if len(raw) < 2 * count:
        raise DataError(f"a curve of {len(raw) // 2} samples instead of {count}")
    values = np.frombuffer(raw, ">i2", count).astype(np.float64) * _coefficient(parameters)
    return Trace(result, time, kind, values, _offsets(steps, count), parameters)


def _parameters(cursor: _Cursor) -> dict[int, str]:
    """Variable data fields: a count, then id, length, type, unit, step and value of each."""
    found = {}
    for _ in range(cursor.number(3)):
        number, length = cursor.number(5), cursor.number(3)
        cursor.text(2 + 3 + 4)
        found[number] = cursor.text(length).strip()
    return found


def _resolution(cursor: _Cursor) -> tuple[int, int, float]:
    """(first index, last index, microseconds between samples); 0 where the unit is no time."""
    first, last, length = cursor.number(5), cursor.number(5), cursor.number(3)
    cursor.text(2)
    unit = cursor.text(3).strip()
    return first, last, _float(cursor.text(length)) * _MICROSECONDS.get(int(unit) if unit.isdecimal() else 0, 0.0)


def _coefficient(parameters: Mapping[int, str]) -> float:
    if _MULTIPLY in parameters:
        return _float(parameters[_MULTIPLY])
    divisor = _float(parameters[_DIVIDE]) if _DIVIDE in parameters else 1.0
    if not divisor:
        raise DataError("a curve whose samples are divided by 0")
    return 1.0 / divisor


def _float(text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise DataError(f"a curve with {text!r} instead of a number") from error
    if not abs(value) < 1e12:
        raise DataError(f"a curve with the number {text}")
    return value


def _offsets(steps: list[tuple[int, int, float]], count: int) -> Float64Array:
    gaps = np.zeros(count, np.float64)
    for first, last, step in steps:
        gaps[max(first, 1) : last + 1] = step
    return np.cumsum(gaps)

"""Values on their way to a device: checked whether they fit exactly, as every driver that writes must."""

from __future__ import annotations

import math
import struct
from typing import Final

from lineshaft.errors import OutOfRange

EXACT: Final = 2**53
"""Integers above this do not all fit into a double; their digits are text."""


def whole(value: float | str, low: int, high: int) -> int:
    """The integer that `value` is. Raises OutOfRange when it is none, or is not within low and high."""
    try:
        number = int(value) if isinstance(value, str) else _exact(value)
    except ValueError as error:
        raise OutOfRange(f"{value!r} is no whole number") from error
    if not low <= number <= high:
        raise OutOfRange(f"{number} is not within {low} and {high}")
    return number


def integer(value: float | str, bits: int, *, signed: bool) -> int:
    """The integer that `value` is, when it fits into so many bits. Raises OutOfRange."""
    return whole(value, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else whole(value, 0, 2**bits - 1)


def switch(value: float | str) -> bool:
    """True for 1 and False for 0. Raises OutOfRange for anything else."""
    return bool(whole(value, 0, 1))


def real(value: float | str, code: str) -> float:
    """A finite number that the struct format `code` ('<f', '>d' ...) can hold. Raises OutOfRange."""
    try:
        number = float(value)
        struct.pack(code, number)
    except (ValueError, OverflowError, struct.error) as error:
        raise OutOfRange(f"{value!r} does not fit a number of {8 * struct.calcsize(code)} bits") from error
    if not math.isfinite(number):
        raise OutOfRange(f"{value!r} is not finite")
    return number


def text(value: float | str) -> str:
    """The text itself. Raises OutOfRange for a number."""
    if not isinstance(value, str):
        raise OutOfRange(f"{value!r} is no text")
    return value


def _exact(value: float) -> int:
    if not float(value).is_integer():  # False for NaN and infinities, too
        raise ValueError("not whole")
    return int(value)

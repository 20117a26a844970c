"""Small value types of the plant folder: durations, sizes and ids."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema

from lineshaft.model.equipment import ID_PATTERN

_DURATION = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_NUMBER_WITH_UNIT = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*$")


def parse_duration(value: Any) -> float:
    """'500ms', '1s', '5min', '2h', '30d' -> seconds; a bare number is refused, because its unit is a guess.

    Raises ValueError.
    """
    match = _NUMBER_WITH_UNIT.match(value) if isinstance(value, str) else None
    if match is None or match[2] not in _DURATION:
        raise ValueError("a duration is a number and a unit, like 500ms, 1s, 5min, 2h or 30d")
    return float(match[1]) * _DURATION[match[2]]


def _duration(value: Any, info: ValidationInfo) -> float:
    """Seconds; only code may give a bare float, a file may not."""
    written = info.context is not None and info.context.get("written")
    return value if isinstance(value, float) and not written else parse_duration(value)


def parse_size(value: Any) -> int:
    """'200MB', '1GiB' -> bytes. Raises ValueError."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _NUMBER_WITH_UNIT.match(value) if isinstance(value, str) else None
    if match is None or match[2] not in _SIZE:
        raise ValueError("a size is a number and a unit, like 200MB or 1GiB")
    return round(float(match[1]) * _SIZE[match[2]])


def duration_text(seconds: float) -> str:
    """60.0 -> '1min': as a file would have it, in the largest unit that needs no fraction."""
    fitting = [unit for unit in ("d", "h", "min", "s", "ms") if seconds and seconds % _DURATION[unit] == 0]
    unit = fitting[0] if fitting else "s"
    return f"{seconds / _DURATION[unit]:g}{unit}"


def size_text(size: int) -> str:
    """1_000_000_000 -> '1GB'."""
    fitting = [unit for unit in ("GB", "GiB", "MB", "MiB", "KB", "KiB") if size and size % _SIZE[unit] == 0]
    unit = fitting[0] if fitting else "B"
    return f"{size // _SIZE[unit]}{unit}"


TIME_PATTERN = r"^([01]\d|2[0-3]):[0-5]\d$"
"""Local time of day, HH:MM."""

Duration = Annotated[
    float,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?\s*(us|ms|s|min|h|d)$", "examples": ["1s"]}),
]
"""Seconds; written with its unit."""

Size = Annotated[
    int,
    BeforeValidator(parse_size),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?\s*(B|[KMG]i?B)$", "examples": ["1GB"]}),
]
"""Bytes; written with its unit."""

Id = Annotated[str, Field(pattern=ID_PATTERN)]
"""Part of a path, a topic and a URL: lower-case letters, digits, '-', '_' and '.'."""

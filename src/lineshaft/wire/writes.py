"""A command to write one value, as JSON in the String metric `Node Control/Lineshaft Write` of an NCMD.

    {"id": hex, "signal": path, "value": number or text, "expected": number, text or null, "deadline": us,
     "dry_run": bool, "user": name, "reason": text}

The gateway carries a command out at most once, and never after its deadline.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from lineshaft.errors import DataError

SetValue: TypeAlias = float | str
"""A number in the signal's unit, or a text; digits of an integer beyond 2**53 are text."""
_LONGEST = 1_000  # characters of any text in a command


@dataclass(frozen=True, slots=True)
class WriteCommand:
    """What shall be written, by whom and why."""

    id: str
    signal: str  # path
    value: SetValue
    deadline: int  # UTC microseconds
    user: str
    reason: str
    expected: SetValue | None = None  # written only while the signal still has this value
    dry_run: bool = False  # everything but the write itself


def encode_command(command: WriteCommand) -> str:
    """JSON text of the metric's value."""
    return json.dumps(asdict(command), separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def decode_command(text: str) -> WriteCommand:
    """Raises DataError when the text is not what `encode_command` makes."""
    try:
        item = json.loads(text)
        return WriteCommand(
            id=_text(item["id"]),
            signal=_text(item["signal"]),
            value=_value(item["value"]),
            deadline=int(item["deadline"]),
            user=_text(item["user"]),
            reason=_text(item["reason"]),
            expected=None if item.get("expected") is None else _value(item["expected"]),
            dry_run=_flag(item.get("dry_run", False)),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise DataError(f"malformed write command: {error!r}") from error


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > _LONGEST:
        raise ValueError(f"not a text of 1 to {_LONGEST} characters")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("not true or false")
    return value


def _value(value: Any) -> SetValue:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("neither a number nor a text")
    return float(value)

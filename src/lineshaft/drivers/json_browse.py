"""What a JSON document has: each value with its pointer, and what its neighbours say about it: unit and time."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from lineshaft.drivers.base import Browsed
from lineshaft.drivers.mapping import AT_TIME, cell_of, time_of
from lineshaft.errors import DataError
from lineshaft.model.equipment import Datatype

_MOST: Final = 1000
_DEEPEST: Final = 20
_TIMES: Final = frozenset(
    ("time", "timestamp", "ts", "datetime", "date_time", "t", "at", "created", "sampled", "time_ms", "timestamp_ms")
)
_UNITS: Final = frozenset(("unit", "units", "uom", "engunit"))
GENERIC: Final = frozenset(("value", "val", "v", "data", "reading", "payload"))
"""Names of members that say nothing about what they are."""
_SINCE_US, _UNTIL_US = 946_684_800_000_000, 4_102_444_800_000_000  # 2000 to 2100: what a clock of today can show


def leaves(document: Any, time_unit: str = "ms") -> Iterator[Browsed]:
    """The values of a document, each at its JSON pointer; of long lists and deep documents the beginning.

    A member that is a time is none of them, but stands in the addresses of what is beside and below it (`/value @/ts`),
    where numbers in `time_unit` can be such a time. A unit that stands beside one single number is that number's.
    """
    for count, found in enumerate(_leaves(document, "", "", time_unit, 0)):
        if count >= _MOST:
            return
        yield found


def _leaves(document: Any, pointer: str, time: str, time_unit: str, depth: int) -> Iterator[Browsed]:
    if not isinstance(document, dict | list):
        yield _leaf(document, pointer, time)
        return
    if depth >= _DEEPEST:
        return
    if isinstance(document, list):
        for index, one in enumerate(document):
            yield from _leaves(one, f"{pointer}/{index}", time, time_unit, depth + 1)
        return
    members = {name: f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}" for name in document}
    stamps = [name for name in members if name.lower() in _TIMES and _is_time(document[name], time_unit)]
    time = members[stamps[0]] if stamps else time
    unit, numbers = _unit(document)
    for name, at in members.items():
        if name in stamps or (unit and name.lower() in _UNITS):
            continue
        for found in _leaves(document[name], at, time, time_unit, depth + 1):
            yield replace(found, unit=unit) if name in numbers else found


def _leaf(value: Any, pointer: str, time: str) -> Browsed:
    cell = cell_of(value, Datatype.DOUBLE)
    kind = Datatype.STRING if cell.text is not None and math.isnan(cell.number) else Datatype.DOUBLE
    kind = Datatype.BOOLEAN if isinstance(value, bool) else kind
    name = pointer.rpartition("/")[2] or "value"
    address = f"{pointer}{AT_TIME}{time}" if time and pointer else pointer
    return Browsed(address, name, kind, description=json.dumps(value, ensure_ascii=False)[:80])


def _is_time(value: Any, unit: str) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    try:
        return _SINCE_US <= time_of(value, unit) <= _UNTIL_US
    except DataError:
        return False


def _unit(document: dict[str, Any]) -> tuple[str, list[str]]:
    """The unit that an object tells of its only number, and that number's name; '' and none otherwise."""
    told = next((one for name, one in document.items() if name.lower() in _UNITS and isinstance(one, str)), "")
    numbers = [name for name, one in document.items() if isinstance(one, int | float) and not isinstance(one, bool)]
    numbers = [name for name in numbers if name.lower() not in _TIMES]
    return (told, numbers) if told and len(numbers) == 1 else ("", [])

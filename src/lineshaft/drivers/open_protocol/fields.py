"""Which fields the messages have, by MID and revision, and how they are taken apart (specification R2.8.0)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from lineshaft.drivers.open_protocol.wire import Message
from lineshaft.errors import DataError

Layout = Sequence[tuple[str, int]]
"""(name, width) of each field in order; the nth has the id n in front of it."""

_RESULT_1: Final = (
    ("cell", 4), ("channel", 2), ("controller", 25), ("vin", 25), ("job", 2), ("parameter-set", 3), ("batch-size", 4),
    ("batch-counter", 4), ("status", 1), ("torque-status", 1), ("angle-status", 1), ("torque-min", 6),
    ("torque-max", 6), ("torque-target", 6), ("torque", 6), ("angle-min", 5), ("angle-max", 5), ("angle-target", 5),
    ("angle", 5), ("time", 19), ("parameter-set-changed", 19), ("batch-status", 1), ("tightening-id", 10),
)  # fmt: skip
_CHECKS: Final = (
    ("status", 1), ("batch-status", 1), ("torque-status", 1), ("angle-status", 1), ("rundown-angle-status", 1),
    ("current-status", 1), ("selftap-status", 1), ("prevail-torque-status", 1), ("prevail-compensate-status", 1),
    ("errors", 10),
)  # fmt: skip
_RESULT_2: Final = (
    ("cell", 4), ("channel", 2), ("controller", 25), ("vin", 25), ("job", 4), ("parameter-set", 3), ("strategy", 2),
    ("strategy-options", 5), ("batch-size", 4), ("batch-counter", 4), *_CHECKS, ("torque-min", 6), ("torque-max", 6),
    ("torque-target", 6), ("torque", 6), ("angle-min", 5), ("angle-max", 5), ("angle-target", 5), ("angle", 5),
    ("rundown-angle-min", 5), ("rundown-angle-max", 5), ("rundown-angle", 5), ("current-min", 3), ("current-max", 3),
    ("current", 3), ("selftap-min", 6), ("selftap-max", 6), ("selftap-torque", 6), ("prevail-torque-min", 6),
    ("prevail-torque-max", 6), ("prevail-torque", 6), ("tightening-id", 10), ("job-sequence", 5), ("sync-id", 5),
    ("tool-serial", 14), ("time", 19), ("parameter-set-changed", 19),
)  # fmt: skip
_OLD_2: Final = (
    ("tightening-id", 10), ("vin", 25), ("job", 4), ("parameter-set", 3), ("strategy", 2), ("strategy-options", 5),
    ("batch-size", 4), ("batch-counter", 4), *_CHECKS, ("torque", 6), ("angle", 5), ("rundown-angle", 5),
    ("current", 3), ("selftap-torque", 6), ("prevail-torque", 6), ("job-sequence", 5), ("sync-id", 5),
    ("tool-serial", 14), ("time", 19),
)  # fmt: skip
_UNIT: Final = (("torque-unit", 1), ("result-type", 2))
_IDENTIFIERS: Final = (("identifier-2", 25), ("identifier-3", 25), ("identifier-4", 25))
_LATER: Final = (_IDENTIFIERS, (("customer-error", 4),), (("prevail-compensate", 6), ("errors-2", 10)))
_ALARM: Final = (("controller-ready", 1), ("tool-ready", 1), ("alarm-time", 19))


def _revisions(first: Layout, *additions: Layout) -> dict[int, Layout]:
    """Revision n has the fields of n - 1 and more; `first` is that of revision 2."""
    found: dict[int, Layout] = {2: first}
    for revision, more in enumerate(additions, 3):
        found[revision] = (*found[revision - 1], *more)
    return found


LAYOUTS: Final[Mapping[int, Mapping[int, Layout]]] = {
    2: {1: (("cell", 4), ("channel", 2), ("controller", 25))}
    | _revisions(
        (("cell", 4), ("channel", 2), ("controller", 25), ("supplier", 3)),
        (("protocol-version", 19), ("controller-version", 19), ("tool-version", 19)),
        (("controller-type", 24), ("controller-serial", 10)),
    ),
    61: {1: _RESULT_1}
    | _revisions(
        _RESULT_2, (("parameter-set-name", 25), *_UNIT), *_LATER, (("compensated-angle", 7), ("final-angle", 7))
    ),
    65: {
        1: (
            ("tightening-id", 10), ("vin", 25), ("parameter-set", 3), ("batch-counter", 4), ("status", 1),
            ("torque-status", 1), ("angle-status", 1), ("torque", 6), ("angle", 5), ("time", 19), ("batch-status", 1),
        )
    }
    | _revisions(_OLD_2, _UNIT, *_LATER, (("station", 10), ("station-name", 25))),
    71: {1: (("alarm-code", 4), *_ALARM), 2: (("alarm-code", 5), *_ALARM, ("alarm-text", 50))},
    76: {
        1: (("alarm-active", 1), ("alarm-code", 4), *_ALARM),
        2: (("alarm-active", 1), ("alarm-code", 5), *_ALARM),
        3: (("alarm-active", 1), ("alarm-code", 5), *_ALARM, ("tool-health", 1)),
    },
}  # fmt: skip
"""MID -> revision -> fields."""

SHORT: Final = 999
SHORT_RESULT: Final[Layout] = (
    ("vin", 25), ("job", 2), ("parameter-set", 3), ("batch-size", 4), ("batch-counter", 4), ("batch-status", 1),
    ("status", 1), ("torque-status", 1), ("angle-status", 1), ("torque", 6), ("angle", 5), ("time", 19),
    ("parameter-set-changed", 19), ("tightening-id", 10),
)  # fmt: skip
"""MID 0061 revision 999: the same without ids."""


def layout_of(mid: int, revision: int) -> Layout:
    """Fields of a message. Raises DataError when this MID is not known in any revision."""
    if mid == 61 and revision == SHORT:
        return SHORT_RESULT
    known = LAYOUTS.get(mid)
    if known is None:
        raise DataError(f"MID {mid:04} is not known")
    return known[min(max(revision, 1), max(known))] if revision in known or revision > max(known) else known[1]


def decode(message: Message) -> dict[str, str]:
    """Field name -> its characters, padding included.

    Revisions newer than those known are read as the newest known one, which they begin with.
    Raises DataError when a field is missing or its id is not where it has to be.
    """
    text, place = message.text, 0
    found: dict[str, str] = {}
    short = message.mid == 61 and message.revision == SHORT
    for number, (name, width) in enumerate(layout_of(message.mid, message.revision), 1):
        if not short:
            if text[place : place + 2] != f"{number:02}":
                raise DataError(
                    f"MID {message.mid:04} revision {message.revision}: no field {number:02} ({name}) at {place + 20}"
                )
            place += 2
        value = text[place : place + width]
        if len(value) < width:
            raise DataError(f"MID {message.mid:04} revision {message.revision} ends within {name}")
        found[name] = value
        place += width
    return found


def encode_fields(mid: int, revision: int, values: Mapping[str, str | int]) -> bytes:
    """The data part of a message; numbers get zeros in front, texts spaces behind.

    Raises DataError when a value is too wide or missing.
    """
    parts: list[str] = []
    short = mid == 61 and revision == SHORT
    for number, (name, width) in enumerate(layout_of(mid, revision), 1):
        value = values.get(name)
        text = f"{value:0{width}}" if isinstance(value, int) else value
        if text is None or len(text) > width:
            raise DataError(f"MID {mid:04}: {name} is {value!r}, {width} characters wide")
        parts.append(("" if short else f"{number:02}") + text.ljust(width))
    return "".join(parts).encode("latin-1")

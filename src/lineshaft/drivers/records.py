"""Records of a recording in columns, and what a raw value means."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from lineshaft.drivers.base import Point
from lineshaft.model.equipment import Datatype
from lineshaft.model.samples import Quality, SampleBatch

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EXACT = 2.0**53
_NUMBER_STARTS = frozenset("0123456789+-.")
_EXAMPLES = 20

CHUNK = 20_000
"""Records that are parsed at a time."""
MOST_CHARACTERS = 8_000_000
"""What they may take; bursts are long."""


@dataclass(slots=True)
class Records:
    """Parallel columns in file order; `raw` is the value as it is written in the recording."""

    items: list[str] = field(default_factory=list)
    times: list[int] = field(default_factory=list)  # UTC microseconds
    values: list[float] = field(default_factory=list)
    qualities: list[int] = field(default_factory=list)
    texts: list[str | None] = field(default_factory=list)
    raw: list[str | None] = field(default_factory=list)
    rates: dict[int, float] = field(default_factory=dict)  # place -> Hz, of a series that says it
    size: int = 0  # characters of `raw`

    def __len__(self) -> int:
        return len(self.items)

    def add(self, item: str, time: int, raw: str | None) -> None:
        """Append one record; `raw` None means that there is no value."""
        value, text, quality = meaning(raw)
        self.items.append(item)
        self.times.append(time)
        self.values.append(value)
        self.qualities.append(quality)
        self.texts.append(text)
        self.raw.append(None if quality == Quality.BAD_NO_VALUE else raw)
        self.size += 0 if raw is None else len(raw)

    @property
    def full(self) -> bool:
        """True when it is time to begin another chunk."""
        return len(self.items) >= CHUNK or self.size >= MOST_CHARACTERS


@dataclass(slots=True)
class Malformed:
    """Lines that could not be read: how many, and the first of them with their line numbers."""

    count: int = 0
    examples: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, text: str) -> None:
        """Count one malformed line."""
        self.count += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append((line, text[:200]))


Chunks = Iterator[Records]


def meaning(raw: str | None) -> tuple[float, str | None, int]:
    """What is written in a recording -> (number, text, quality).

    >>> meaning("12.50"), meaning("ACTIVE"), meaning("Unavailable")[2]
    ((12.5, None, 192), (nan, 'ACTIVE', 192), 3)

    An integer beyond 2**53 keeps its digits as text. 'nan' and 'inf' have no value.
    """
    if raw is None or raw.upper() == "UNAVAILABLE":
        return math.nan, None, Quality.BAD_NO_VALUE
    if raw and raw[0] in _NUMBER_STARTS and "_" not in raw:
        try:
            value = float(raw)
        except ValueError:
            return math.nan, raw, Quality.GOOD
        if math.isfinite(value):
            exact = abs(value) < _EXACT or not raw.lstrip("+-").isdecimal() or abs(int(raw)) <= _EXACT
            return value, None if exact else str(int(raw)), Quality.GOOD
    return (math.nan, None, Quality.BAD_NO_VALUE) if raw.lower() in _NO_NUMBER else (math.nan, raw, Quality.GOOD)


_NO_NUMBER = frozenset({"nan", "+nan", "-nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"})


def iso_time(text: str) -> int:
    """ISO 8601 -> UTC microseconds; a time without zone is UTC, digits below the microsecond are cut off.

    Raises ValueError.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MICROSECOND


@dataclass(frozen=True, slots=True)
class Target:
    """Where the records of one item go; an item may feed several signals."""

    handle: int
    as_text: bool


Targets = Mapping[str, list[Target]]


def targets_of(points: Sequence[Point]) -> Targets:
    """The targets of each item that points name."""
    targets: dict[str, list[Target]] = {}
    for point in points:
        targets.setdefault(point.address.item, []).append(Target(point.handle, point.datatype is Datatype.STRING))
    return targets


def rows_of(
    records: Records, skip: int, targets: Targets, unnamed: Counter[str]
) -> tuple[NDArray[np.int64], SampleBatch]:
    """The rows that signals want of records from `skip` on, and for each row the record that it comes from.

    unnamed: counts the records of items that no signal names.
    """
    places, handles, as_text = [], [], []
    nobody: list[Target] = []
    for place in range(skip, len(records)):
        wanted = targets.get(records.items[place], nobody)
        if wanted is nobody:
            unnamed[records.items[place]] += 1
        for target in wanted:
            places.append(place)
            handles.append(target.handle)
            as_text.append(target.as_text)
    at = np.array(places, np.int64)
    texts = [records.raw[p] if text else records.texts[p] for p, text in zip(places, as_text, strict=True)]
    values = np.array(records.values, np.float64)[at]
    values[np.array(as_text, np.bool_)] = math.nan
    batch = SampleBatch.of(
        handles,
        np.array(records.times, np.int64)[at],
        values,
        np.array(records.qualities, np.uint8)[at],
        texts if any(text is not None for text in texts) else None,
    )
    return at, batch

"""The order of a controller's results: which are new, which came twice, which are missing; and their rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from lineshaft.drivers.base import Point
from lineshaft.drivers.open_protocol.items import ITEMS, meaning
from lineshaft.drivers.open_protocol.times import to_us
from lineshaft.errors import DataError
from lineshaft.model.samples import Quality, SampleBatch

_LARGEST_ID = 4_294_967_295


@dataclass(frozen=True, slots=True)
class Position:
    """Number and time of the last result that was delivered."""

    id: int
    time_us: int

    def __str__(self) -> str:
        return f"{self.id}:{self.time_us}"

    @staticmethod
    def of(text: str) -> Position:
        """Raises DataError when `text` is no position."""
        number, _, time = text.partition(":")
        if not (number.isdecimal() and time.isdecimal()) or int(number) > _LARGEST_ID or int(time) >= 2**63:
            raise DataError(f"not a position at a tightening controller: {text[:100]}")
        return Position(int(number), int(time))


@dataclass(frozen=True, slots=True)
class Result:
    """One tightening: its number, its time, and its fields as the controller sent them."""

    id: int
    time_us: int
    fields: Mapping[str, str]
    clock: bool  # its time could be read

    @staticmethod
    def of(fields: Mapping[str, str], zone: ZoneInfo, last: Position | None, now_us: int) -> Result:
        """Raises DataError when the number of the tightening cannot be read."""
        number = fields.get("tightening-id", "").strip()
        if not number.isdecimal() or not number.isascii():
            raise DataError(f"a result with the number {number!r}")
        moment = to_us(fields.get("time", ""), zone, last.time_us if last else 0)
        return Result(int(number), now_us if moment is None else moment, fields, moment is not None)

    def is_new(self, last: Position | None) -> bool:
        """False for one that was delivered already. A lower number at a later time: the controller began anew."""
        if last is None or self.id > last.id:
            return True
        return self.id < last.id and self.time_us > last.time_us

    def missing_before(self, last: Position | None, most: int) -> range:
        """Numbers between the last delivered result and this one, the newest `most` of them."""
        if last is None or self.id <= last.id:
            return range(0)
        return range(max(last.id + 1, self.id - most), self.id)

    def after(self, last: Position | None) -> int:
        """Its time, moved by microseconds where the controller's whole seconds do not tell it from the last one."""
        if last is not None and self.time_us <= last.time_us < self.time_us + 1_000_000:
            return last.time_us + 1
        return self.time_us


def result_rows(points: Sequence[Point], result: Result, time_us: int) -> SampleBatch:
    """A row for each point whose item is in the result."""
    return field_rows(points, result.fields, time_us, clock=result.clock)


def field_rows(points: Sequence[Point], fields: Mapping[str, str], time_us: int, *, clock: bool = True) -> SampleBatch:
    """A row for each point whose item is among the fields, all at one time (UTC microseconds)."""
    signals, values, qualities, texts = [], [], [], []
    for point in points:
        raw = fields.get(point.address.item)
        if raw is None:
            continue
        value, quality, text = meaning(ITEMS[point.address.item], raw, as_text=point.datatype.is_text)
        signals.append(point.handle)
        values.append(value)
        qualities.append(Quality.UNCERTAIN_CLOCK if quality == Quality.GOOD and not clock else quality)
        texts.append(text)
    return SampleBatch.of(
        signals, time_us, values, qualities, texts if any(text is not None for text in texts) else None
    )


def bad_rows(points: Sequence[Point], time_us: int, quality: Quality) -> SampleBatch:
    """A row without a value for each point."""
    return SampleBatch.of([point.handle for point in points], time_us, math.nan, quality)

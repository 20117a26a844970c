"""From an agent's observations to rows of a batch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lineshaft.drivers.base import Point
from lineshaft.drivers.mtconnect.documents import UNAVAILABLE, DataItem, Observations
from lineshaft.model.equipment import Datatype
from lineshaft.model.samples import Quality, SampleBatch

_EXACT = 2**53
_NUMBER_STARTS = frozenset("0123456789+-.")
_SEVERITY = ("UNAVAILABLE", "NORMAL", "WARNING", "FAULT")


def number(text: str) -> float | None:
    """The number that a text is; None when it is none, or no finite one."""
    if not text or text[0] not in _NUMBER_STARTS or "_" in text:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def exact_digits(text: str, value: float) -> str | None:
    """The digits of an integer that a double cannot hold exactly, else None."""
    if abs(value) < _EXACT or not text.lstrip("+-").isdecimal():
        return None
    digits = int(text)
    return str(digits) if abs(digits) > _EXACT else None


@dataclass(slots=True)
class Rows:
    """Columns of a batch in the making."""

    signals: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    qualities: list[int] = field(default_factory=list)
    texts: list[str | None] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.signals)

    def add(self, signal: int, time: int, value: float, quality: int = Quality.GOOD, text: str | None = None) -> None:
        """Append one row."""
        self.signals.append(signal)
        self.times.append(time)
        self.values.append(value)
        self.qualities.append(quality)
        self.texts.append(text)

    def batch(self) -> SampleBatch:
        """The rows as a batch."""
        texts = self.texts if any(text is not None for text in self.texts) else None
        return SampleBatch.of(self.signals, self.times, self.values, self.qualities, texts)


@dataclass(slots=True)
class Converter:
    """Turns observations of known data items into rows of the points that ask for them.

    series_from_end: the timestamp of a time series belongs to its last value.
    """

    items: Mapping[str, DataItem]
    points: Sequence[Point]
    series_from_end: bool = False
    targets: dict[str, list[Point]] = field(init=False)

    def __post_init__(self) -> None:
        self.targets = {}
        for point in self.points:
            self.targets.setdefault(point.address.item, []).append(point)

    def missing(self) -> list[Point]:
        """Points whose data item the device has not."""
        return [point for point in self.points if point.address.item not in self.items]

    def add(self, rows: Rows, observations: Observations, row: int, time: int | None = None) -> None:
        """Append what one observation says to each point of its item; `time` replaces its own."""
        text, kind = observations.texts[row], observations.kinds[row]
        moment = observations.times[row] if time is None else time
        quality = Quality.UNCERTAIN_CLOCK if row in observations.doubtful else Quality.GOOD
        for point in self.targets.get(observations.items[row], ()):
            if text is None:
                rows.add(point.handle, moment, math.nan, Quality.BAD_NO_VALUE)
            elif kind == "series":
                self._series(rows, point, moment, text, observations.rates[row], quality)
            else:
                _value(rows, point, moment, text, kind, quality)

    def _series(self, rows: Rows, point: Point, moment: int, text: str, rate: float, quality: int) -> None:
        values = text.split()
        item = self.items.get(point.address.item)
        hertz = rate or (item.sample_rate if item and item.sample_rate else 0.0)
        step = 1e6 / hertz if hertz > 0 else 0.0
        start = moment - (round((len(values) - 1) * step) if self.series_from_end and values else 0)
        for place, raw in enumerate(values):
            value = number(raw)
            good = quality if value is not None else Quality.BAD_DEVICE
            rows.add(point.handle, start + round(place * step), math.nan if value is None else value, good)


def _value(rows: Rows, point: Point, moment: int, text: str, kind: str, quality: int) -> None:
    if kind == "text" and text.startswith(UNAVAILABLE):
        rows.add(point.handle, moment, math.nan, Quality.BAD_NO_VALUE, text if text != UNAVAILABLE else None)
        return
    value = None if kind == "text" or point.datatype is Datatype.STRING else number(text)
    if value is None:
        rows.add(point.handle, moment, math.nan, quality, text)
    else:
        rows.add(point.handle, moment, value, quality, exact_digits(text, value))


def worst(texts: Sequence[str]) -> str:
    """Several active conditions of one item as one text: a line each, the worst first."""
    if len(texts) == 1:
        return texts[0]
    return "\n".join(sorted(texts, key=_severity, reverse=True))


def _severity(text: str) -> int:
    level = text.partition("|")[0]
    return _SEVERITY.index(level) if level in _SEVERITY else 0

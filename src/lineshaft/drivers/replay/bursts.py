"""Bursts in a recording: records that hold many numbers, with rate and speed in records of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import structlog
from numpy.typing import NDArray

from lineshaft.drivers.base import RefusedBurst, WavePoint
from lineshaft.drivers.records import Records
from lineshaft.drivers.replay.options import ReplayAddress
from lineshaft.errors import DataError
from lineshaft.model.samples import Quality, SampleBatch

log = structlog.get_logger(__name__)
_BETWEEN: Final = str.maketrans(",;", "  ")


@dataclass(slots=True)
class BurstRows:
    """Makes rows of the records that are bursts; give it consecutive records.

    A rate or speed is the last that was recorded before the burst, or with it at the same time. `refused` is told of
    what is no burst.
    """

    points: Sequence[WavePoint]
    refused: RefusedBurst
    _targets: dict[str, list[WavePoint]] = field(default_factory=dict)
    _beside: frozenset[str] = frozenset()
    _last: dict[str, float] = field(default_factory=dict)  # item of a rate or speed -> its last value

    def __post_init__(self) -> None:
        for point in self.points:
            self._targets.setdefault(point.address.item, []).append(point)
        self._beside = frozenset(item for point in self.points for item in _beside(point))

    @property
    def items(self) -> frozenset[str]:
        """Every item that belongs to a waveform."""
        return self._beside | self._targets.keys()

    def rows(self, records: Records, skip: int) -> tuple[NDArray[np.int64], SampleBatch]:
        """The rows of bursts from `skip` on, and for each the record that it comes from."""
        places: list[int] = []
        found: list[SampleBatch] = []
        for place, item in enumerate(records.items):
            if item in self._beside:
                self._last[item] = records.values[place]
            if place < skip:
                continue
            for point in self._targets.get(item, ()):
                places.append(place)
                found.append(self._row(point, records, place))
        return np.array(places, np.int64), SampleBatch.concat(found)

    def _row(self, point: WavePoint, records: Records, place: int) -> SampleBatch:
        time, raw = records.times[place], records.raw[place]
        if raw is None:
            return SampleBatch.of([point.handle], time, np.nan, Quality.BAD_NO_VALUE)
        known = self._last | dict(_with(records, place, self._beside))
        rate = records.rates.get(place)
        try:
            told = [known.get(item) for item in (_item(point.rate_address), _item(point.speed_address))]
            return point.row(samples_of(raw), time, time, told[0] if rate is None else rate, told[1])
        except DataError as error:
            self.refused(point, error)
            return SampleBatch.of([point.handle], time, np.nan, Quality.BAD_DEVICE)


def samples_of(raw: str) -> NDArray[Any]:
    """Numbers between spaces, commas or semicolons, in brackets or not. Raises DataError."""
    words = raw.strip("[]() \t").translate(_BETWEEN).split()
    try:
        return np.array([int(word) for word in words])
    except (ValueError, OverflowError):
        pass
    try:
        return np.array([float(word) for word in words])
    except ValueError as error:
        raise DataError(f"a sample is no number: {error}") from error


def _with(records: Records, place: int, items: frozenset[str]) -> Iterator[tuple[str, float]]:
    """Values of these items that were recorded right behind the burst, at its time."""
    for at in range(place + 1, len(records)):
        if records.times[at] != records.times[place]:
            return
        if records.items[at] in items:
            yield records.items[at], records.values[at]


def _item(address: Any) -> str:
    return "" if address is None else ReplayAddress.model_validate(address).item


def _beside(point: WavePoint) -> Iterator[str]:
    return (item for item in (_item(point.rate_address), _item(point.speed_address)) if item)

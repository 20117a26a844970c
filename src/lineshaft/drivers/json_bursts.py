"""A burst out of a JSON document: a list of numbers, with rate, speed and time in the same document."""

from __future__ import annotations

from typing import Any

from lineshaft.drivers.base import WavePoint
from lineshaft.drivers.mapping import MISSING, HasJson, find, steps_of, time_of
from lineshaft.errors import DataError
from lineshaft.model.samples import Quality, SampleBatch


class BurstExtractor:
    """Takes the burst of one waveform out of documents."""

    def __init__(self, point: WavePoint, form: HasJson) -> None:
        address = point.address
        self.point = point
        self._unit = form.time_unit
        self._samples = steps_of(address.value)
        self._time = steps_of(form.time if address.time is None else address.time)
        self._rate = None if point.rate_address is None else steps_of(point.rate_address.value)
        self._speed = None if point.speed_address is None else steps_of(point.speed_address.value)

    def row(self, document: Any, now_us: int, quality: int = Quality.GOOD) -> SampleBatch | None:
        """The row of the burst; None where the document has none. quality: of one that says no time.

        Raises DataError when what is there is no burst.
        """
        samples = find(document, self._samples)
        if samples is MISSING:
            return None
        if not isinstance(samples, list) or self.point.address.bits:
            raise DataError("a waveform is a list of numbers, which has no field of bits")
        time = None
        if self._time and (told := find(document, self._time)) is not MISSING:
            time, quality = time_of(told, self._unit), Quality.GOOD
        rate = _number(document, self._rate, "the sample rate")
        speed = _number(document, self._speed, "the speed of the shaft")
        batch = self.point.row(samples, time, now_us, rate, speed)
        return SampleBatch.of_waves(batch.signals.tolist(), batch.times.tolist(), _waves(batch), quality)


def _waves(batch: SampleBatch) -> list[Any]:
    return [] if batch.waves is None else batch.waves.tolist()


def _number(document: Any, steps: tuple[str, ...] | None, what: str) -> float | None:
    value = MISSING if steps is None else find(document, steps)
    if value is MISSING or value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DataError(f"{what} is {str(value)[:40]!r}, not a number")
    return float(value)

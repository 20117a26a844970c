"""Asks a device for its waveforms: each on its own schedule, each burst once, a broken one told of once."""

from __future__ import annotations

from math import ceil
from typing import Final, Protocol

import numpy as np

from lineshaft.clock import Clock
from lineshaft.drivers.base import ReadsWaveforms, WavePoint
from lineshaft.errors import DataError, PeerTimeout
from lineshaft.gateway.plan import PlannedDevice
from lineshaft.gateway.timing import within
from lineshaft.model.events import Event, Severity
from lineshaft.model.samples import Quality, SampleBatch

TIMEOUT: Final = 120.0
"""Seconds that one burst may take at least: a serial line of 9,600 baud needs half a minute for 16,384 samples."""


class Told(Protocol):
    """Where events go."""

    def event(self, event: Event) -> None:
        """Keep an event."""
        ...


class BurstReader:
    """The waveforms of one device over one connection."""

    def __init__(self, device: PlannedDevice, path: str, output: Told, clock: Clock) -> None:
        self._device = device
        self._path = path
        self._output = output
        self._clock = clock
        now = clock.monotonic()
        self._due = [now] * len(device.waves)
        self._times: dict[int, int] = {}
        self._words: dict[int, str] = {}

    async def next_due(self) -> WavePoint:
        """Wait for the next waveform whose turn it is."""
        at = min(range(len(self._due)), key=self._due.__getitem__)
        await self._clock.sleep_until(self._due[at])
        point = self._device.waves[at]
        self._due[at] += point.interval
        missed = max(0, ceil((self._clock.monotonic() - self._due[at]) / point.interval - 1e-6))
        self._due[at] += missed * point.interval
        return point

    async def read(self, driver: ReadsWaveforms, point: WavePoint) -> SampleBatch:
        """The newest burst, no row when it was read before. Raises RetryableError or DataError."""
        seconds = max(TIMEOUT, self._device.timeout)
        try:
            batch = await within(self._clock, seconds, driver.read_waveform(point))
        except TimeoutError:
            raise PeerTimeout(f"{self._device.name} did not answer with a waveform in {seconds:g} s") from None
        if batch.waves is None:
            return batch
        self._words.pop(point.handle, None)
        new = np.array([self._times.get(point.handle) != time for time in batch.times.tolist()], np.bool_)
        self._times[point.handle] = int(batch.times[-1])
        return batch.take(new)

    def good(self, batch: SampleBatch) -> None:
        """What came by itself has bursts: what is wrong with a later one is told anew."""
        if batch.waves is not None:
            for handle in batch.signals[batch.is_wave()].tolist():
                self._words.pop(handle, None)

    def failed(self, point: WavePoint, error: DataError) -> SampleBatch:
        """A bad row in place of a burst that is none, and an event when the reason is a new one."""
        self.tell(point, error)
        return SampleBatch.of([point.handle], self._clock.now_us(), np.nan, Quality.BAD_DEVICE)

    def tell(self, point: WavePoint, error: DataError) -> None:
        """An event about a burst that is none, when the reason is a new one."""
        if self._words.get(point.handle) != str(error):
            self._words[point.handle] = str(error)
            signal = self._device.wave_paths[point.handle]
            details = {"signal": signal, "reason": str(error), "address": str(point.address), "mend": error.hint}
            text = f"{self._device.name} gave a waveform that is of no use: {error}"
            now = self._clock.now_us()
            self._output.event(Event(now, "waveform.malformed", self._path, text, Severity.MEDIUM, details))

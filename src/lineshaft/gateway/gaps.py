"""Gaps that outages leave in the values of a device, and filling them from what the device recorded itself."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import structlog

from lineshaft.clock import Clock
from lineshaft.drivers.base import Point, ReadsHistory
from lineshaft.errors import RetryableError, Unsupported
from lineshaft.gateway.timing import event_or
from lineshaft.model.samples import Int64Array, SampleBatch

log = structlog.get_logger(__name__)

OPEN: Final = int(np.iinfo(np.int64).max)
PATIENCE: Final = 15.0
"""Seconds to wait after a connection for the first value of each signal; a gap without one ends then."""
MOST_GAPS: Final = 16
"""Outages that may wait for their filling; the oldest are given up."""


@dataclass(frozen=True, slots=True)
class _Gap:
    since: Int64Array  # the last value before it, UTC microseconds; moves on while the gap is filled
    until: Int64Array  # the first value after it; OPEN as long as there is none


class Gaps:
    """Knows of each point of one device when values came, and hands each gap to the driver once."""

    def __init__(self, device: str, points: tuple[Point, ...], first: int, clock: Clock) -> None:
        self._device = device
        self._points = points
        self._first = first
        self._clock = clock
        self._delivered: Int64Array = np.zeros(len(points), np.int64)
        self._gaps: deque[_Gap] = deque()
        self._ends_open = False
        self._all_ended = asyncio.Event()

    def accepted(self, batch: SampleBatch) -> None:
        """Live values came."""
        if not len(batch):
            return
        at, times = batch.signals.astype(np.int64) - self._first, batch.times
        if int(at.max()) >= len(self._points):  # a waveform has no history at the device
            at, times = at[at < len(self._points)], times[at < len(self._points)]
        if self._ends_open:
            self._end(at, times)
        self._delivered[at] = np.maximum(self._delivered[at], times)

    def _end(self, at: Int64Array, times: Int64Array) -> None:
        """The first value of a point ends its gaps."""
        places, rows = np.unique(at, return_index=True)
        for gap in self._gaps:
            still = gap.until[places] == OPEN
            gap.until[places[still]] = times[rows[still]]
        if not any(bool((gap.until == OPEN).any()) for gap in self._gaps):
            self._ends_open = False
            self._all_ended.set()

    def connected(self) -> None:
        """A new subscription runs: for each point that ever gave a value a gap begins, unless it is in one.

        What came before this call (values that the device had kept) lies before the gap.
        """
        waiting = np.zeros(len(self._points), np.bool_)
        for gap in self._gaps:
            waiting |= gap.until == OPEN
        begins = (self._delivered > 0) & ~waiting
        if begins.any():
            if len(self._gaps) == MOST_GAPS:
                log.warning("device.gap_given_up", device=self._device)
                self._gaps.popleft()
            # a point that has no gap here gets an empty one
            self._gaps.append(_Gap(self._delivered.copy(), np.where(begins, OPEN, np.int64(0))))
        self._ends_open = any(bool((gap.until == OPEN).any()) for gap in self._gaps)
        if self._ends_open:
            self._all_ended.clear()

    async def fill(self, driver: ReadsHistory, sink: Callable[[SampleBatch], None]) -> None:
        """Called on a new connection: give `sink` what the device recorded in the gaps, oldest gap first.

        An unfinished gap is gone on with at the next connection. Ends quietly when the connection is lost.
        """
        if not self._gaps:
            return
        if self._ends_open:
            await event_or(self._clock, self._all_ended, self._clock.monotonic() + PATIENCE)
        now = self._clock.now_us()
        try:
            while self._gaps:
                gap = self._gaps[0]
                gap.until[gap.until == OPEN] = now

                def keep(batch: SampleBatch, gap: _Gap = gap) -> None:
                    sink(batch)
                    at = batch.signals - self._first
                    gap.since[at] = np.maximum(gap.since[at], batch.times)

                await driver.read_history(self._points, gap.since.copy(), gap.until.copy(), keep)
                self._gaps.popleft()
        except Unsupported as error:
            log.debug("device.no_history", device=self._device, error=str(error))
            self._gaps.clear()
        except RetryableError as error:
            log.info("device.gap_waits", device=self._device, error=str(error))

"""The points of a subscription over all its connections: what came last, and which are still silent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lineshaft.clock import Clock
from lineshaft.drivers.base import Point, Sink
from lineshaft.drivers.opcua.decode import Columns
from lineshaft.model.samples import Int64Array, SampleBatch, UInt32Array


class Watch:
    """Turns columns whose refs are indexes of `points` into batches."""

    def __init__(self, points: Sequence[Point], clock: Clock) -> None:
        self.points = points
        self._clock = clock
        self._handles: UInt32Array = np.array([point.handle for point in points], np.uint32)
        self._last: Int64Array = np.zeros(len(points), np.int64)
        self._silent: NDArray[np.bool_] = np.ones(len(points), np.bool_)
        self._any_silent = True
        self._sink: Sink = lambda batch: None

    def begin(self, sink: Sink) -> None:
        """A connection is made: from now on batches go to `sink`, and no point has a value on it yet."""
        self._sink = sink
        self._silent[:] = True
        self._any_silent = len(self.points) > 0

    def silent(self) -> list[int]:
        """Indexes of the points without a value since `begin`."""
        return [int(ref) for ref in np.flatnonzero(self._silent)]

    def take(self, columns: Columns) -> None:
        """Deliver rows.

        The first row of a point on a connection may be the value that was known before the cut. It says that this
        value holds again, so its time is now: at its old time it would hide behind the mark that the cut left.
        """
        now = self._clock.now_us()
        batch = columns.batch(self._handles, now)
        refs = np.array(columns.refs, np.intp)
        if self._any_silent:
            known = self._silent[refs] & (batch.times <= self._last[refs])
            if known.any():
                times = np.where(known, now, batch.times)
                batch = SampleBatch(batch.signals, times, batch.values, batch.qualities, batch.texts)
            self._silent[refs] = False
            self._any_silent = bool(self._silent.any())
        self._last[refs] = batch.times
        self._sink(batch)

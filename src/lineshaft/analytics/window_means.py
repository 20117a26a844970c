"""Means of signals over windows of time, row by row: how the rows are cut into batches changes no bit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lineshaft.model.samples import CLASS_MASK, Float64Array, SampleBatch


@dataclass(frozen=True, slots=True)
class Window:
    """A window that is over: its number (time by width), means float64[p] (NaN without a usable sample), and the time
    of the row that ended it."""

    number: int
    means: Float64Array
    time: int


@dataclass(slots=True)
class WindowMeans:
    """`width` in microseconds, `count` signals. The state is `number`, `sums` and `counts`, all plain values."""

    width: int
    count: int
    number: int | None = None
    sums: list[float] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)

    def update(self, batch: SampleBatch) -> Sequence[Window]:
        """Windows that these rows end; `batch.signals` are places 0 to `count` - 1, rows in the order of their times.

        A usable sample is good or uncertain and finite.
        """
        if not len(batch):
            return ()
        numbers = batch.times // self.width
        open_ = int(numbers[0]) if self.number is None else self.number
        usable = (batch.qualities & CLASS_MASK != 0) & np.isfinite(batch.values)
        places = np.concatenate([np.arange(self.count), batch.signals[usable].astype(np.int64)])
        values = np.concatenate([self.sums or [0.0] * self.count, batch.values[usable]])
        windows, index = np.unique(np.concatenate([[open_], numbers]), return_inverse=True)
        cell = np.concatenate([np.zeros(self.count, np.int64), index[1:][usable]]) * self.count + places
        size = len(windows) * self.count
        sums = np.bincount(cell, values, size).reshape(-1, self.count)
        ones = np.concatenate([self.counts or [0] * self.count, np.ones(int(usable.sum()))])
        counts = np.bincount(cell, ones, size).reshape(-1, self.count)
        first = np.searchsorted(numbers, windows[1:])
        means = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
        self.number, self.sums = int(windows[-1]), sums[-1].tolist()
        self.counts = counts[-1].astype(int).tolist()
        return [Window(int(windows[k]), means[k], int(batch.times[first[k]])) for k in range(len(windows) - 1)]

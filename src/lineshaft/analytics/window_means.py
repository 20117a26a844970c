"""Means of signals over windows of time, row by row: how the rows are cut into batches changes no bit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

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
    """`width` in microseconds, `count` signals. The rest is the state, all plain values.

    A signal that is sent only when it changes has windows without a sample: its last usable value holds for up to
    `hold` windows after that of its sample, unless a sample said in between that it is bad.
    """

    width: int
    count: int
    hold: int = 0
    number: int | None = None
    sums: list[float] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    last: list[float | None] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)

    def update(self, batch: SampleBatch) -> Sequence[Window]:
        """Windows that these rows end; `batch.signals` are places 0 to `count` - 1, rows in the order of their times.

        A usable sample is good or uncertain and finite.
        """
        if not len(batch):
            return ()
        numbers = batch.times // self.width
        open_ = int(numbers[0]) if self.number is None else self.number
        usable = (batch.qualities & CLASS_MASK != 0) & np.isfinite(batch.values)
        windows, index = np.unique(np.concatenate([[open_], numbers]), return_inverse=True)
        cells = index[1:] * self.count + batch.signals.astype(np.int64)
        size = len(windows) * self.count
        cell = np.concatenate([np.arange(self.count), cells[usable]])
        sums = np.bincount(cell, np.concatenate([self.sums or [0.0] * self.count, batch.values[usable]]), size)
        ones = np.concatenate([self.counts or [0] * self.count, np.ones(int(usable.sum()))])
        counts = np.bincount(cell, ones, size)
        means = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0).reshape(-1, self.count)
        newest = np.full(size, -1, np.int64)
        newest[cells] = np.arange(len(batch))  # of rows in one cell the last one stays
        first = np.searchsorted(numbers, windows[1:])
        found = []
        for k, row in enumerate(newest.reshape(-1, self.count).tolist()):
            if k:
                held = self._held(means[k - 1], int(windows[k - 1]))
                found.append(Window(int(windows[k - 1]), held, int(batch.times[first[k - 1]])))
            self._remember(row, batch, usable, int(windows[k]))
        self.number, self.sums = int(windows[-1]), sums.reshape(-1, self.count)[-1].tolist()
        self.counts = counts.reshape(-1, self.count)[-1].astype(int).tolist()
        return found

    def _held(self, means: Float64Array, number: int) -> Float64Array:
        """Means of a window, its gaps filled with values that still hold."""
        filled = means.copy()
        for j, value in enumerate(self.last):
            if np.isnan(filled[j]) and value is not None and number - self.seen[j] <= self.hold:
                filled[j] = value
        return filled

    def _remember(self, rows: list[int], batch: SampleBatch, usable: NDArray[np.bool_], number: int) -> None:
        self.last = self.last or [None] * self.count
        self.seen = self.seen or [0] * self.count
        for j, row in enumerate(rows):
            if row >= 0:
                self.last[j] = float(batch.values[row]) if usable[row] else None
                self.seen[j] = number

"""Swinging door: sends so few rows that straight lines between them stay within the deadband of every row read."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lineshaft.gateway.steps.base import SignalTable, StepCount, rounds
from lineshaft.model.samples import SampleBatch, TextArray, UInt8Array, UInt32Array

_NONE: Final = 0
_ANCHOR: Final = 1
_HELD: Final = 2
"""State of a signal: nothing yet, the last row was sent, the last row is held back."""


class SwingingDoor:
    """Holds the newest row back for as long as one straight line from the last sent row to it is near enough.

    From the sent row (t0, v0) each row i between allows slopes (vi - v0 - E) / (ti - t0) to (vi - v0 + E) / (ti - t0).
    A new row becomes the end of the line only when its own slope is among those that all rows between allow; so the
    line to a row that is held, and later sent, misses no row between by more than E. Otherwise the held row is sent
    and a new line begins there. A change of quality, text, a value that is no number, a time that does not go on, and
    a heartbeat end the line with the rows themselves, so that nothing is interpolated across them.
    (Bristol 1990, with the test on the true end of the line instead of on the doors.)
    """

    def __init__(self, table: SignalTable) -> None:
        self.count = StepCount("door", len(table))
        n = len(table)
        self.on = np.zeros(n, np.bool_)
        self.on[[handle for handle, more in table.more.items() if more.door]] = True
        self._any = bool(self.on.any())
        self._error, self._heartbeat = table.deadband, table.heartbeat
        self._state: UInt8Array = np.zeros(n, np.uint8)
        self._time0, self._value0 = np.zeros(n, np.int64), np.zeros(n)
        self._time, self._value = np.zeros(n, np.int64), np.zeros(n)
        self._quality: UInt8Array = np.zeros(n, np.uint8)
        self._text: TextArray = np.full(n, None, object)
        self._low, self._high = np.full(n, -np.inf), np.full(n, np.inf)

    def update(self, batch: SampleBatch) -> SampleBatch:
        """Rows of other signals, and rows that end a line, in their order; a held row before the one that ends it."""
        if not self._any:
            self.count.through(len(batch))
            return batch
        mine = self.on[batch.signals]
        if not mine.any():
            self.count.through(len(batch))
            return batch
        now = ~mine  # rows of the batch that go on
        freed: list[tuple[NDArray[np.int64], SampleBatch]] = []
        rows = np.flatnonzero(mine)
        for part in rounds(batch.signals[rows]):
            chosen = rows[part]
            ends, sent = self._once(batch.take(chosen))
            now[chosen] = sent
            if ends is not None:
                freed.append((chosen[ends[0]], ends[1]))
        self.count.rows_in += len(batch)
        self.count.drop(batch.signals[~now])
        out = batch.take(now)
        if freed:
            held = SampleBatch.concat(part for _, part in freed)
            before = np.concatenate([at for at, _ in freed])
            self.count.drop(held.signals, -1)
            places = np.concatenate((before * 2, np.flatnonzero(now) * 2 + 1))
            out = SampleBatch.concat((held, out)).take(np.argsort(places, kind="stable"))
        self.count.rows_out += len(out)
        return out

    def _once(self, b: SampleBatch) -> tuple[tuple[NDArray[np.int64], SampleBatch] | None, NDArray[np.bool_]]:
        """((rows whose held row is sent before them, those held rows) or None, bool per row: sent itself)."""
        s, t, v = b.signals, b.times, b.values
        texts: TextArray = np.full(len(b), None, object) if b.texts is None else b.texts
        held = self._state[s] == _HELD
        same = (self._state[s] != _NONE) & (b.qualities == self._quality[s]) & (texts == self._text[s])
        number = np.isfinite(v) & np.isfinite(self._value[s])
        empty = ~np.isfinite(v) & ((v == self._value[s]) | (np.isnan(v) & np.isnan(self._value[s])))
        goes_on = same & number & (t > self._time[s])
        seconds = np.where(goes_on, (t - self._time0[s]).astype(np.float64), 1.0)
        with np.errstate(invalid="ignore", over="ignore"):  # where it does not go on
            slope = (v - self._value0[s]) / seconds
        fits = goes_on & (slope >= self._low[s]) & (slope <= self._high[s])
        due = t - self._time0[s] >= self._heartbeat[s]
        repeats = same & empty & (t >= self._time[s]) & ~due  # still no number: nothing new
        ends = held & ~fits & ~repeats
        sent = ~(fits | repeats | (goes_on & held)) | (due & ~repeats)
        freed = None
        if ends.any():
            freed = (np.flatnonzero(ends), self._row(s[ends]))
        self._turn(b, texts, ends & goes_on & ~sent, sent, fits & ~sent)
        return freed, sent

    def _turn(
        self,
        b: SampleBatch,
        texts: TextArray,
        turned: NDArray[np.bool_],
        sent: NDArray[np.bool_],
        longer: NDArray[np.bool_],
    ) -> None:
        """Move the lines on: `turned` begin at the held row, `sent` at the row itself, `longer` reach to it."""
        s = b.signals[turned]
        self._time0[s], self._value0[s] = self._time[s], self._value[s]
        self._low[s], self._high[s] = -np.inf, np.inf
        for which, state in ((sent, _ANCHOR), (turned | longer, _HELD)):
            s = b.signals[which]
            self._state[s] = state
            self._time[s], self._value[s] = b.times[which], b.values[which]
            self._quality[s], self._text[s] = b.qualities[which], texts[which]
        s = b.signals[turned | longer]
        seconds = (self._time[s] - self._time0[s]).astype(np.float64)
        change = self._value[s] - self._value0[s]
        self._low[s] = np.maximum(self._low[s], (change - self._error[s]) / seconds)
        self._high[s] = np.minimum(self._high[s], (change + self._error[s]) / seconds)
        s = b.signals[sent]
        self._time0[s], self._value0[s] = b.times[sent], b.values[sent]
        self._low[s], self._high[s] = -np.inf, np.inf

    def _row(self, s: UInt32Array) -> SampleBatch:
        return SampleBatch(s, self._time[s], self._value[s], self._quality[s], self._text[s])

    def flush(self, handles: UInt32Array) -> SampleBatch:
        """The held rows of these handles; their lines end there."""
        s = handles[self._state[handles] == _HELD]
        rows = self._row(s)
        self._state[s] = _ANCHOR
        self._time0[s], self._value0[s] = self._time[s], self._value[s]
        self._low[s], self._high[s] = -np.inf, np.inf
        self.count.drop(s, -1)
        self.count.rows_out += len(s)
        return rows

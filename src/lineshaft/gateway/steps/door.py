"""Swinging door: sends so few rows that straight lines between them stay within the deadband of every row read."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lineshaft.gateway.steps.base import SignalTable, StepCount, rounds
from lineshaft.model.samples import Float64Array, Int64Array, SampleBatch, TextArray, UInt8Array, UInt32Array

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
        self._has_texts = False
        self._low, self._high = np.full(n, -np.inf), np.full(n, np.inf)

    def update(self, batch: SampleBatch) -> SampleBatch:
        """Rows of other signals, and rows that end a line, in their order; a held row before the one that ends it."""
        mine = self.on[batch.signals] if self._any else None
        if mine is None or not mine.any():
            self.count.through(len(batch))
            return batch
        self._has_texts = self._has_texts or batch.texts is not None
        now = ~mine  # rows of the batch that go on
        freed: list[tuple[NDArray[np.int64], SampleBatch]] = []
        rows = np.flatnonzero(mine)
        for part in rounds(batch.signals[rows]):
            chosen = rows[part]
            ends, now[chosen] = self._once(batch if len(chosen) == len(batch) else batch.take(chosen))
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
        state, value, since = self._state[s], self._value[s], t - self._time0[s]
        same = (state != _NONE) & (b.qualities == self._quality[s])
        if self._has_texts:
            same &= (np.full(len(b), None, object) if b.texts is None else b.texts) == self._text[s]
        number = np.isfinite(v)
        goes_on = same & number & np.isfinite(value) & (t > self._time[s])
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):  # where it does not go on
            slope = (v - self._value0[s]) / since
        fits = goes_on & (slope >= self._low[s]) & (slope <= self._high[s])
        due = since >= self._heartbeat[s]
        ends = (state == _HELD) & ~fits
        sent = ~fits & ~(goes_on & ends) | due
        if not number.all():
            empty = ~number & ((v == value) | (np.isnan(v) & np.isnan(value)))
            repeats = same & empty & (t >= self._time[s]) & ~due  # still no number: nothing new
            ends &= ~repeats
            sent &= ~repeats
        freed = None
        if ends.any():
            freed = (np.flatnonzero(ends), self._row(s[ends]))
        longer = fits & ~sent
        self._narrow(s[longer], slope[longer], since[longer])
        self._turn(b, ends & goes_on & ~sent, sent)
        self._hold(b, longer, _HELD)
        return freed, sent

    def _narrow(self, s: UInt32Array, slope: Float64Array, since: Int64Array) -> None:
        """A row that becomes the end of the line: what it allows once it lies between."""
        room = self._error[s] / since
        self._low[s] = np.maximum(self._low[s], slope - room)
        self._high[s] = np.minimum(self._high[s], slope + room)

    def _turn(self, b: SampleBatch, turned: NDArray[np.bool_], sent: NDArray[np.bool_]) -> None:
        """Begin lines: `turned` at the held row and on to the row, `sent` at the row itself."""
        if turned.any():
            s = b.signals[turned]
            self._time0[s], self._value0[s] = self._time[s], self._value[s]
            self._low[s], self._high[s] = -np.inf, np.inf
            since = b.times[turned] - self._time0[s]
            self._narrow(s, (b.values[turned] - self._value0[s]) / since, since)
            self._hold(b, turned, _HELD)
        if sent.any():
            s = b.signals[sent]
            self._time0[s], self._value0[s] = b.times[sent], b.values[sent]
            self._low[s], self._high[s] = -np.inf, np.inf
            self._hold(b, sent, _ANCHOR)

    def _hold(self, b: SampleBatch, which: NDArray[np.bool_], state: int) -> None:
        s = b.signals[which]
        self._state[s] = state
        self._time[s], self._value[s], self._quality[s] = b.times[which], b.values[which], b.qualities[which]
        if self._has_texts:
            self._text[s] = None if b.texts is None else b.texts[which]

    def _row(self, s: UInt32Array) -> SampleBatch:
        texts = self._text[s] if self._has_texts else None
        return SampleBatch(s, self._time[s], self._value[s], self._quality[s], texts)

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

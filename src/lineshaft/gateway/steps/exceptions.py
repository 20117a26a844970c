"""Report by exception: what changed, and a sign of life; it also knows the last reported value of each signal."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lineshaft.gateway.steps.base import SignalTable, StepCount, Uniqueness, rounds
from lineshaft.model.samples import Quality, SampleBatch, TextArray, UInt32Array

NO_TIME: Final = np.iinfo(np.int64).min
_FEW: Final = 48
"""Below so many rows a Python loop is quicker than numpy's fixed costs."""


class ReportByException:
    """Lets a row through when it differs from the last one that went through.

    That is: the first row of a signal; a change of quality or of text; a value further away than the deadband
    (equal to it is not further; NaN equals NaN); a row whose time is at least a heartbeat after; and every row
    of a signal that reports all (`all_of`: because another step has chosen already).
    """

    def __init__(self, table: SignalTable, all_of: NDArray[np.bool_] | None = None) -> None:
        self.count = StepCount("exception", len(table))
        self._table = table
        self._report_all = table.report_all if all_of is None else table.report_all | all_of
        self._unique = Uniqueness(len(table))
        n = len(table)
        self._times = np.full(n, NO_TIME, np.int64)
        self._values = np.full(n, np.nan)
        self._qualities = np.zeros(n, np.uint8)
        self._texts: TextArray = np.full(n, None, object)
        self._has_texts = False

    def update(self, batch: SampleBatch) -> SampleBatch:
        """Rows that go on, in their order."""
        n = len(batch)
        self.count.rows_in += n
        if n == 0:
            return batch
        self._has_texts = self._has_texts or batch.texts is not None
        keep = self._once(batch, None) if self._unique(batch.signals) else self._many(batch)
        out = batch
        if not keep.all():
            out = batch.take(keep)
            self.count.drop(batch.signals[~keep])
        self.count.rows_out += len(out)
        return out

    def last(self, handles: UInt32Array) -> SampleBatch:
        """The last reported row of each handle; time 0, NaN and BAD_NO_VALUE where there is none."""
        never = self._times[handles] == NO_TIME
        return SampleBatch(
            handles,
            np.where(never, 0, self._times[handles]),
            self._values[handles],
            np.where(never, np.uint8(Quality.BAD_NO_VALUE), self._qualities[handles]),
            self._texts[handles] if self._has_texts else None,
        )

    def _once(self, batch: SampleBatch, rows: NDArray[np.int64] | None) -> NDArray[np.bool_]:
        """bool per row of `rows` (all when None): goes on. Each signal may occur once."""
        s, t, v, q = batch.signals, batch.times, batch.values, batch.qualities
        texts = batch.texts
        if rows is not None:
            s, t, v, q = s[rows], t[rows], v[rows], q[rows]
            texts = None if texts is None else texts[rows]
        last, since, table = self._values[s], self._times[s], self._table
        with np.errstate(invalid="ignore"):  # inf - inf
            near = (np.abs(v - last) <= table.deadband[s]) | (v == last) | (np.isnan(v) & np.isnan(last))
        keep: NDArray[np.bool_] = ~near
        keep |= q != self._qualities[s]
        keep |= (since == NO_TIME) | self._report_all[s]
        keep |= t >= _later(since, table.heartbeat[s])
        if self._has_texts:
            new = np.full(len(s), None, object) if texts is None else texts
            keep |= new != self._texts[s]
            self._texts[s[keep]] = new[keep]
        if keep.all():
            self._times[s], self._values[s], self._qualities[s] = t, v, q
        else:
            chosen = s[keep]
            self._times[chosen], self._values[chosen], self._qualities[chosen] = t[keep], v[keep], q[keep]
        return keep

    def _many(self, batch: SampleBatch) -> NDArray[np.bool_]:
        """Goes through the batch in rounds: first all signals' first rows, then their second ones, and so on."""
        keep = np.zeros(len(batch), np.bool_)
        parts = rounds(batch.signals)
        for rows in parts:
            if len(rows) < _FEW:
                self._one_by_one(batch, np.sort(np.concatenate((rows, *parts))), keep)
            else:
                keep[rows] = self._once(batch, rows)
        return keep

    def _one_by_one(self, batch: SampleBatch, rows: NDArray[np.int64], keep: NDArray[np.bool_]) -> None:
        signals = batch.signals[rows].tolist()
        handles = np.unique(batch.signals[rows])
        table = self._table
        rules = zip(
            table.deadband[handles].tolist(),
            table.heartbeat[handles].tolist(),
            self._report_all[handles].tolist(),
            strict=True,
        )
        rule = dict(zip(handles.tolist(), rules, strict=True))
        known = self.last(handles)
        last_times = self._times[handles].tolist()
        last_texts = [None] * len(handles) if known.texts is None else known.texts.tolist()
        state = dict(
            zip(
                handles.tolist(),
                zip(last_times, known.values.tolist(), self._qualities[handles].tolist(), last_texts, strict=True),
                strict=True,
            )
        )
        texts = [None] * len(rows) if batch.texts is None else batch.texts[rows].tolist()
        columns = zip(
            rows.tolist(),
            signals,
            batch.times[rows].tolist(),
            batch.values[rows].tolist(),
            batch.qualities[rows].tolist(),
            texts,
            strict=True,
        )
        for row, signal, time, value, quality, text in columns:
            since, last, last_quality, last_text = state[signal]
            deadband, heartbeat, report_all = rule[signal]
            if (
                report_all
                or quality != last_quality
                or text != last_text
                or since == NO_TIME
                or time - since >= heartbeat
                or not (value == last or abs(value - last) <= deadband or (math.isnan(value) and math.isnan(last)))
            ):
                keep[row] = True
                state[signal] = (time, value, quality, text)
        for handle in handles.tolist():
            since, last, last_quality, last_text = state[handle]
            self._times[handle], self._values[handle], self._qualities[handle] = since, last, last_quality
            self._texts[handle] = last_text


def _later(since: NDArray[np.int64], wait: NDArray[np.int64]) -> NDArray[np.int64]:
    """since + wait, held at the greatest int64 where it would run over."""
    top = np.iinfo(np.int64).max
    return np.where(since > top - wait, top, since + wait)

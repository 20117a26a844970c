"""Which rows are stored already: those equal in signal, time, value, quality and text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lineshaft.hub.historian.base import Counts
from lineshaft.model.samples import SampleBatch

ROWS_AT_ONCE: Final = 20_000
"""Rows that one statement asks for by signal and time."""
Bools = NDArray[np.bool_]
RowsAt = Callable[[SampleBatch], SampleBatch]
"""Stored rows that have a signal and time of one of these rows; others may be among them."""


def repeats_in(batch: SampleBatch) -> Bools:
    """bool[n]: an equal row stands further up in the batch."""
    repeated = np.zeros(len(batch), np.bool_)
    order = np.lexsort((batch.times, batch.signals))
    same = (np.diff(batch.signals[order]) == 0) & (np.diff(batch.times[order]) == 0)
    if not same.any():
        return repeated
    twins = np.zeros(len(batch), np.bool_)
    twins[order[1:][same]] = True
    twins[order[:-1][same]] = True
    seen: set[tuple[Any, ...]] = set()
    rows = np.flatnonzero(twins)
    for row, key in zip(rows.tolist(), _keys(batch.take(rows), with_quality=True), strict=True):
        repeated[row] = key in seen
        seen.add(key)
    return repeated


def repeats_of(batch: SampleBatch, any_quality: Bools, counts: Counts, rows_at: RowsAt) -> Bools:
    """bool[n]: an equal row is stored; where `any_quality`, its quality may be another one.

    `counts` of the batch's signals over the batch's time tells where it is worth to look.
    """
    repeated = np.zeros(len(batch), np.bool_)
    if not len(counts.signals):
        return repeated
    place = np.minimum(np.searchsorted(counts.signals, batch.signals), len(counts.signals) - 1)
    among = (counts.signals[place] == batch.signals) & (counts.rows[place] > 0)
    likely = np.flatnonzero(among & (batch.times >= counts.first[place]) & (batch.times <= counts.last[place]))
    likely = likely[np.lexsort((batch.times[likely], batch.signals[likely]))]
    for start in range(0, len(likely), ROWS_AT_ONCE):
        rows = likely[start : start + ROWS_AT_ONCE]
        part = batch.take(rows)
        stored = rows_at(part)
        if len(stored):
            loose = any_quality[rows]
            exact = _found(part, stored, with_quality=True)
            repeated[rows] = np.where(loose, _found(part, stored, with_quality=False), exact) if loose.any() else exact
    return repeated


def _found(batch: SampleBatch, stored: SampleBatch, *, with_quality: bool) -> Bools:
    known = set(_keys(stored, with_quality=with_quality))
    return np.array([key in known for key in _keys(batch, with_quality=with_quality)], np.bool_)


def _keys(batch: SampleBatch, *, with_quality: bool) -> list[tuple[Any, ...]]:
    """What makes a row itself. All numbers that are none are one, and so are both zeros."""
    values = np.where(np.isnan(batch.values), np.nan, batch.values + 0.0).view(np.int64)
    columns = [batch.signals.tolist(), batch.times.tolist(), values.tolist()]
    if with_quality:
        columns.append(batch.qualities.tolist())
    columns.append([None] * len(batch) if batch.texts is None else batch.texts.tolist())
    return list(zip(*columns, strict=True))

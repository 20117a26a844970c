"""Batches to Arrow, and tables of the engine to batches and series."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute  # makes pa.compute known
from numpy.typing import NDArray

from lineshaft.hub.historian.base import Series
from lineshaft.model.samples import Int64Array, SampleBatch, TextArray, UInt8Array, UInt32Array

ARROW: Final = pa.schema(
    [
        ("signal", pa.uint32()),
        ("time", pa.timestamp("us", "UTC")),
        ("value", pa.float64()),
        ("text", pa.string()),
        ("quality", pa.uint8()),
    ]
)
"""Columns of `rows`; text is null where a sample is no text."""


def to_arrow(batch: SampleBatch) -> pa.Table:
    """Columns of the table samples."""
    n = len(batch)
    if batch.texts is None:
        text = pa.Array.from_buffers(pa.string(), n, [None, pa.py_buffer(bytes(4 * (n + 1))), pa.py_buffer(b"")])
    else:
        text = pa.array([text or "" for text in batch.texts], pa.string())
    columns = [
        pa.array(batch.signals),
        pa.array(batch.times).view(pa.timestamp("us", "UTC")),
        pa.array(batch.values),
        pa.array(batch.qualities),
        text,
        pa.array(batch.is_text()),
    ]
    return pa.table(columns, names=["signal", "time", "value", "quality", "text", "is_text"])


def column(table: pa.Table, name: str) -> NDArray[Any]:
    """A column as an array."""
    values: NDArray[Any] = table.column(name).to_numpy()
    return values


def _texts(table: pa.Table) -> TextArray | None:
    """object[n] of str | None, or None when no row is text."""
    is_text = column(table, "is_text").astype(np.bool_)
    if not is_text.any():
        return None
    texts: TextArray = np.full(len(is_text), None, object)
    texts[is_text] = table.column("text").filter(pa.array(is_text)).to_pylist()
    return texts


def to_batch(table: pa.Table) -> SampleBatch:
    """Rows with the columns of queries.COLUMNS."""
    signals, times, values, qualities = (column(table, name) for name in ("signal", "t", "value", "quality"))
    return SampleBatch(signals, times, values, qualities, _texts(table))


def exported(table: pa.Table) -> pa.Table:
    """Rows with the columns of ARROW."""
    text = pa.compute.if_else(table.column("is_text"), table.column("text"), pa.scalar(None, pa.string()))
    time = table.column("t").cast(pa.timestamp("us", "UTC"))
    columns = [table.column("signal"), time, table.column("value"), text, table.column("quality")]
    return pa.table(columns, schema=ARROW)


def series_of(table: pa.Table, mode: Any) -> dict[int, Series]:
    """Cut rows sorted by signal into one Series each."""
    batch = to_batch(table)
    found: dict[int, Series] = {}
    for signal, rows in _runs(batch.signals):
        part = batch.take(rows)
        found[signal] = Series(signal, mode, part.times, part.values, part.qualities, part.texts)
    return found


def _runs(signals: UInt32Array) -> Iterator[tuple[int, slice]]:
    if not len(signals):
        return
    edges = np.flatnonzero(np.diff(signals)) + 1
    starts = [0, *edges.tolist()]
    for start, stop in zip(starts, [*starts[1:], len(signals)], strict=True):
        yield int(signals[start]), slice(start, stop)


def extremes_of(table: pa.Table) -> dict[int, Series]:
    """Two rows per bucket in time order; one where both extremes are the same row or there is no number."""
    numbers = column(table, "numbers") > 0
    first_at = column(table, "first_at")
    low_at = np.where(numbers, column(table, "low_at"), first_at)
    high_at = np.where(numbers, column(table, "high_at"), first_at)
    low = np.where(numbers, column(table, "low"), np.nan)
    high = np.where(numbers, column(table, "high"), np.nan)
    falling = high_at < low_at
    stamps = np.stack([np.where(falling, high_at, low_at), np.where(falling, low_at, high_at)], axis=1).ravel()
    values = np.stack([np.where(falling, high, low), np.where(falling, low, high)], axis=1).ravel()
    keep = np.ones(len(stamps), np.bool_)
    keep[1::2] = low_at != high_at
    signals = np.repeat(column(table, "signal"), 2)[keep]
    times: Int64Array = stamps[keep] >> 8
    qualities: UInt8Array = (stamps[keep] & 0xFF).astype(np.uint8)
    values = values[keep]
    return {
        signal: Series(signal, "minmax", times[rows], values[rows], qualities[rows]) for signal, rows in _runs(signals)
    }


def joined(signal: int, entering: Series | None, series: Series | None) -> Series:
    """The row before the range and the range itself as one Series."""
    if series is None:
        if entering is not None:
            return entering
        empty = SampleBatch.empty()
        return Series(signal, "raw", empty.times, empty.values, empty.qualities)
    if entering is None:
        return series
    texts: TextArray | None = None
    if entering.texts is not None or series.texts is not None:
        texts = np.concatenate([_filled(entering), _filled(series)])
    states = None if series.states is None else np.concatenate([np.full(len(entering.times), None), series.states])
    return Series(
        signal,
        series.mode,
        np.concatenate([entering.times, series.times]),
        np.concatenate([entering.values, series.values]),
        np.concatenate([entering.qualities, series.qualities]),
        texts,
        states,
    )


def _filled(series: Series) -> TextArray:
    if series.texts is not None:
        return series.texts
    blank: TextArray = np.full(len(series.times), None, object)
    return blank

"""The historian on ClickHouse: in this process (chDB), on a server, or on a cluster, as the DSN says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute  # makes pa.compute known
from numpy.typing import NDArray

from lineshaft.hub.historian import queries, schema
from lineshaft.hub.historian.base import Counts, Series
from lineshaft.hub.historian.engine import Engine, split_dsn
from lineshaft.model.samples import Int64Array, SampleBatch, TextArray, UInt8Array, UInt32Array

BLOCK_ROWS: Final = 1_000_000
"""A larger batch is stored as several blocks, because the engine would cut it itself."""
PAGE_ROWS: Final = 500_000
"""Rows that `rows` holds in memory at a time."""
_INSERT: Final = {
    "max_partitions_per_insert_block": 0,  # late samples of many months may come in one block
    "deduplicate_blocks_in_dependent_materialized_views": 1,  # a repeated block repairs the newest values too
}
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


class ClickHouseHistorian:
    """See historian/base.py. `dsn`: `chdb:///folder` or `clickhouse://user:password@host:8123/database?cluster=name`."""

    def __init__(self, dsn: str, page_rows: int = PAGE_ROWS) -> None:
        self._page_rows = page_rows
        plain, cluster = split_dsn(dsn)
        self._layout = schema.Layout(cluster)
        self._engine = Engine(plain)

    def open(self) -> None:
        """Make or upgrade the tables. Raises StoreUnavailable."""
        self._engine.command(schema.version_table(self._layout))
        have = self._engine.command(f"SELECT max(version) FROM {schema.VERSION_TABLE}")  # noqa: S608 - a fixed name
        for statement in schema.statements(self._layout, int(have)):
            self._engine.command(statement)

    def append(self, batch: SampleBatch, token: str) -> None:
        """Store rows; durable when it returns. The same token again stores nothing a second time.

        Raises StoreUnavailable; rows of an earlier try are not stored twice when it is called again.
        """
        for start in range(0, len(batch), BLOCK_ROWS):
            part = batch if len(batch) <= BLOCK_ROWS else batch.take(slice(start, start + BLOCK_ROWS))
            name = f"{token}/{start // BLOCK_ROWS}"
            self._engine.insert("samples", _to_arrow(part), {**_INSERT, "insert_deduplication_token": name})

    def read(
        self, signals: Sequence[int], start: int, end: int, *, points: int | None = None, before: bool = True
    ) -> list[Series]:
        """Rows with start <= time < end, one Series per asked signal; see historian/base.py."""
        if not signals:
            return []
        found: dict[int, Series] = {}
        census = self._engine.arrow(queries.census(signals, start, end)).to_pydict()
        crowded = {
            signal: texts > 0
            for signal, rows, texts in zip(census["signal"], census["rows"], census["texts"], strict=True)
            if points is not None and rows > points
        }
        plain = [signal for signal in census["signal"] if signal not in crowded]
        if plain:
            found |= _series(self._engine.arrow(queries.raw(plain, start, end)), "raw")
        if points is not None and crowded:
            found |= self._reduced(crowded, start, end, max(points, 1))
        entering = _series(self._engine.arrow(queries.before(set(signals), start)), "raw") if before else {}
        return [_joined(signal, entering.get(signal), found.get(signal)) for signal in signals]

    def _reduced(self, crowded: dict[int, bool], start: int, end: int, points: int) -> dict[int, Series]:
        width = max(1, -(-(end - start) // points))
        found: dict[int, Series] = {}
        numeric = [signal for signal, has_text in crowded.items() if not has_text]
        if numeric:
            found |= _extremes(self._engine.arrow(queries.extremes(numeric, start, end, width)))
        texts = [signal for signal, has_text in crowded.items() if has_text]
        if texts:
            changes = _series(self._engine.arrow(queries.changes(texts, start, end, points + 1)), "minmax")
            many = [signal for signal, series in changes.items() if len(series.times) > points]
            found |= changes
            if many:
                found |= _series(self._engine.arrow(queries.lasts(many, start, end, width)), "minmax")
        return found

    def latest(self, signals: Sequence[int] | None = None) -> SampleBatch:
        """The row with the greatest time of each signal (all signals when None)."""
        if signals is not None and not len(signals):
            return SampleBatch.empty()
        return _to_batch(self._engine.arrow(queries.latest(signals)))

    def rows(self, signals: Sequence[int], start: int, end: int) -> Iterator[pa.RecordBatch]:
        """Every raw row as Arrow (see ARROW), by signal and time, a page at a time."""
        for signal in sorted(set(signals)):
            cursor, limit = start, self._page_rows
            while cursor < end:
                table = self._engine.arrow(queries.raw([signal], cursor, end, limit))
                full = table.num_rows == limit
                if full:  # the next page begins at the last time, which this page may have cut in two
                    times = _column(table, "t")
                    kept = int(np.searchsorted(times, times[-1]))
                    if kept == 0:
                        limit *= 2
                        continue
                    cursor, limit = int(times[-1]), self._page_rows
                    table = table.slice(0, kept)
                yield from _exported(table).to_batches()
                if not full:
                    break

    def counts(self, signals: Sequence[int] | None = None, start: int | None = None, end: int | None = None) -> Counts:
        """How many rows are stored per signal, with first and last time; signals without rows are not listed."""
        if signals is not None and not len(signals):
            return Counts(np.empty(0, np.uint32), *(np.empty(0, np.int64) for _ in range(3)))
        table = self._engine.arrow(queries.counts(signals, start, end))
        return Counts(*(_column(table, name) for name in ("signal", "rows", "first", "last")))

    def delete_before(self, time: int, signals: Sequence[int] | None = None) -> None:
        """Retention: remove rows older than `time`; returns when they are gone."""
        if signals is not None and not len(signals):
            return
        condition = f"time < {queries.moment(time)}"
        if signals is not None:
            condition += f" AND {queries.among(signals)}"
        else:  # whole months go at once; rows of the month that `time` lies in are rewritten below
            stored = self._layout.stored("samples")
            months = self._engine.arrow(queries.months_before(stored, time)).column("month").to_pylist()
            for month in months:
                self._engine.command(f"ALTER TABLE {stored}{self._layout.on_cluster} DROP PARTITION {month}")
        for table in ("samples", "latest"):
            name = self._layout.stored(table)
            self._engine.command(
                f"ALTER TABLE {name}{self._layout.on_cluster} DELETE WHERE {condition}", {"mutations_sync": 2}
            )

    def size_bytes(self) -> int:
        """Bytes on disk of all stored rows (of the connected node, on a cluster)."""
        return int(self._engine.command(queries.size(self._layout.stored("samples"))))

    def close(self) -> None:
        """Release the engine."""
        self._engine.close()


def _to_arrow(batch: SampleBatch) -> pa.Table:
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


def _column(table: pa.Table, name: str) -> NDArray[Any]:
    column: NDArray[Any] = table.column(name).to_numpy()
    return column


def _texts(table: pa.Table) -> TextArray | None:
    """object[n] of str | None, or None when no row is text."""
    is_text = _column(table, "is_text").astype(np.bool_)
    if not is_text.any():
        return None
    texts: TextArray = np.full(len(is_text), None, object)
    texts[is_text] = table.column("text").filter(pa.array(is_text)).to_pylist()
    return texts


def _to_batch(table: pa.Table) -> SampleBatch:
    signals, times, values, qualities = (_column(table, name) for name in ("signal", "t", "value", "quality"))
    return SampleBatch(signals, times, values, qualities, _texts(table))


def _exported(table: pa.Table) -> pa.Table:
    text = pa.compute.if_else(table.column("is_text"), table.column("text"), pa.scalar(None, pa.string()))
    time = table.column("t").cast(pa.timestamp("us", "UTC"))
    columns = [table.column("signal"), time, table.column("value"), text, table.column("quality")]
    return pa.table(columns, schema=ARROW)


def _series(table: pa.Table, mode: Any) -> dict[int, Series]:
    """Cut rows sorted by signal into one Series each."""
    batch = _to_batch(table)
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


def _extremes(table: pa.Table) -> dict[int, Series]:
    """Two rows per bucket in time order; one where both extremes are the same row or there is no number."""
    numbers = _column(table, "numbers") > 0
    first_at = _column(table, "first_at")
    low_at = np.where(numbers, _column(table, "low_at"), first_at)
    high_at = np.where(numbers, _column(table, "high_at"), first_at)
    low = np.where(numbers, _column(table, "low"), np.nan)
    high = np.where(numbers, _column(table, "high"), np.nan)
    falling = high_at < low_at
    stamps = np.stack([np.where(falling, high_at, low_at), np.where(falling, low_at, high_at)], axis=1).ravel()
    values = np.stack([np.where(falling, high, low), np.where(falling, low, high)], axis=1).ravel()
    keep = np.ones(len(stamps), np.bool_)
    keep[1::2] = low_at != high_at
    signals = np.repeat(_column(table, "signal"), 2)[keep]
    times: Int64Array = stamps[keep] >> 8
    qualities: UInt8Array = (stamps[keep] & 0xFF).astype(np.uint8)
    values = values[keep]
    return {
        signal: Series(signal, "minmax", times[rows], values[rows], qualities[rows]) for signal, rows in _runs(signals)
    }


def _joined(signal: int, entering: Series | None, series: Series | None) -> Series:
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
    return Series(
        signal,
        series.mode,
        np.concatenate([entering.times, series.times]),
        np.concatenate([entering.values, series.values]),
        np.concatenate([entering.qualities, series.qualities]),
        texts,
    )


def _filled(series: Series) -> TextArray:
    if series.texts is not None:
        return series.texts
    blank: TextArray = np.full(len(series.times), None, object)
    return blank

"""The historian on ClickHouse: in this process (chDB), on a server, or on a cluster, as the DSN says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lineshaft.analytics.buckets import Buckets
from lineshaft.hub.historian import queries, repeats, schema, waves
from lineshaft.hub.historian.base import Counts, Level, Series, StoredWave
from lineshaft.hub.historian.convert import column, exported, to_arrow, to_batch
from lineshaft.hub.historian.engine import Engine, split_dsn
from lineshaft.hub.historian.reading import Reader
from lineshaft.hub.historian.roller import Plain, Traits
from lineshaft.hub.historian.rollups import MINUTE, Range, RollupStore, any_of
from lineshaft.hub.historian.space import Space
from lineshaft.model.samples import Int64Array, SampleBatch, UInt32Array
from lineshaft.model.waveforms import Waveform

BLOCK_ROWS: Final = 1_000_000
"""A larger batch is stored as several blocks, because the engine would cut it itself."""
PAGE_ROWS: Final = 500_000
"""Rows that `rows` holds in memory at a time."""
_INSERT: Final = {
    "max_partitions_per_insert_block": 0,  # late samples of many months may come in one block
    "deduplicate_blocks_in_dependent_materialized_views": 1,  # a repeated block repairs the newest values too
}


_ONE_THREAD: Final = {"max_threads": 1}
"""For work on the side, which leaves the other cores to people and to ingest."""


class ClickHouseHistorian:
    """See historian/base.py. `dsn`: `chdb:///folder` or `clickhouse://user:password@host:8123/database?cluster=name`.

    `traits`: how long values of a signal are held, and which are states. `rollups` is where roll-ups are kept.
    `space`: what must stay free on the disk. `layout`: where tables stand, when not as the DSN says.
    """

    def __init__(
        self,
        dsn: str,
        traits: Traits | None = None,
        page_rows: int = PAGE_ROWS,
        space: Space | None = None,
        layout: schema.Layout | None = None,
    ) -> None:
        self._page_rows = page_rows
        self.traits = traits or Plain()
        plain, cluster = split_dsn(dsn)
        self._layout = layout or schema.Layout(cluster)
        self._engine = Engine(plain, space, self._layout.settings)
        self.rollups = RollupStore(self._engine, self._layout)
        self._reader = Reader(self._engine, self.rollups, self.traits)
        self._listeners: list[Callable[[SampleBatch], None]] = []

    def open(self) -> None:
        """Make or upgrade the tables. Raises StoreUnavailable."""
        self._engine.open()
        self._engine.command(schema.version_table(self._layout))
        have = self._engine.command(f"SELECT max(version) FROM {schema.VERSION_TABLE}")  # noqa: S608 - a fixed name
        for statement in schema.statements(self._layout, int(have)):
            self._engine.command(statement)
        self._reader.raw_from = self.rollups.raw_from()

    def append(self, batch: SampleBatch, token: str) -> None:
        """Store rows; durable when it returns. The same token again stores nothing a second time.

        Raises StoreUnavailable; rows of an earlier try are not stored twice when it is called again.
        """
        for start in range(0, len(batch), BLOCK_ROWS):
            part = batch if len(batch) <= BLOCK_ROWS else batch.take(slice(start, start + BLOCK_ROWS))
            name = f"{token}/{start // BLOCK_ROWS}"
            if part.waves is not None:  # first, so that a row never stands for a burst that is not there yet
                settings = {**_INSERT, "insert_deduplication_token": f"{name}/waves"}
                self._engine.insert("waveforms", waves.to_arrow(part), settings)
            self._engine.insert("samples", to_arrow(part), {**_INSERT, "insert_deduplication_token": name})
        self._tell(batch)

    def _tell(self, batch: SampleBatch) -> None:
        for listener in self._listeners:
            listener(batch)

    def stored(self, batch: SampleBatch, any_quality: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """bool[n]: an equal row is stored; see historian/base.py."""
        if not len(batch):
            return np.zeros(0, np.bool_)
        counts = self.counts(np.unique(batch.signals).tolist(), int(batch.times.min()), int(batch.times.max()) + 1)
        return repeats.repeats_of(batch, any_quality, counts, self._rows_at)

    def _rows_at(self, batch: SampleBatch) -> SampleBatch:
        """Stored rows at the times of these; the whole range where little else is in it, which is fifty times faster
        than to ask for each."""
        wanted, start, end = set(batch.signals.tolist()), int(batch.times.min()), int(batch.times.max()) + 1
        if int(self.counts(list(wanted), start, end).rows.sum()) <= 4 * repeats.ROWS_AT_ONCE:
            return to_batch(self._engine.arrow(queries.raw(wanted, start, end)))
        sql = queries.raw_at(batch.signals.tolist(), batch.times.tolist())
        return to_batch(self._engine.arrow(sql, {"max_query_size": len(sql) + 1000}))

    def mend(self, batch: SampleBatch) -> None:
        """Newest values, roll-ups and listeners learn of rows whose append was cut off; see historian/base.py."""
        if not len(batch):
            return
        self.rollups.note(batch.signals, batch.times)
        order = np.lexsort((batch.times, batch.signals))
        newest = order[np.flatnonzero(np.diff(batch.signals[order], append=-1))]
        self._engine.insert("latest", to_arrow(batch.take(newest)), {"insert_deduplicate": 0})
        self._tell(batch)

    def listen(self, listener: Callable[[SampleBatch], None]) -> None:
        """Call `listener` after each commit, late rows and imports as well, from the thread that committed.

        It only takes note of the rows: what it raises would look like a failure to commit.
        """
        self._listeners.append(listener)

    def waveforms(self, signals: Sequence[int], start: int, end: int, limit: int) -> list[StoredWave]:
        """Bursts without their samples, by signal and time; see historian/base.py."""
        if not signals:
            return []
        return waves.listed(self._engine.arrow(waves.listing(signals, start, end, limit)))

    def bursts(self, signal: int, times: Sequence[int]) -> dict[int, Waveform]:
        """Bursts with their samples; see historian/base.py."""
        return waves.read(self._engine.arrow(waves.pieces(signal, times))) if times else {}

    def read(
        self, signals: Sequence[int], start: int, end: int, *, points: int | None = None, before: bool = True
    ) -> list[Series]:
        """Rows with start <= time < end, one Series per asked signal; see historian/base.py."""
        return self._reader.read(signals, start, end, points=points, before=before)

    def aggregate(
        self, signals: Sequence[int], edges: Int64Array, *, until: int | None = None, gap: int | None = None
    ) -> list[Buckets]:
        """Aggregates between the edges, one per asked signal; see historian/base.py."""
        return self._reader.aggregate(signals, edges, until=until, gap=gap)

    def counted(self, signals: UInt32Array, within: Sequence[Range]) -> tuple[UInt32Array, Int64Array]:
        """Signals that have rows in the ranges, ascending, and how many."""
        table = self._engine.arrow(queries.counted(signals.tolist(), any_of("time", within)), _ONE_THREAD)
        return column(table, "signal"), column(table, "rows")

    def sorted_rows(self, signals: UInt32Array, within: Sequence[Range]) -> SampleBatch:
        """All rows of the signals in the ranges, by signal and time."""
        return to_batch(self._engine.arrow(queries.raw_in(signals.tolist(), any_of("time", within)), _ONE_THREAD))

    def latest(self, signals: Sequence[int] | None = None) -> SampleBatch:
        """The row with the greatest time of each signal (all signals when None)."""
        if signals is not None and not len(signals):
            return SampleBatch.empty()
        return to_batch(self._engine.arrow(queries.latest(signals)))

    def rows(self, signals: Sequence[int], start: int, end: int) -> Iterator[pa.RecordBatch]:
        """Every raw row as Arrow (see ARROW), by signal and time, a page at a time."""
        for signal in sorted(set(signals)):
            cursor, limit = start, self._page_rows
            while cursor < end:
                table = self._engine.arrow(queries.raw([signal], cursor, end, limit))
                full = table.num_rows == limit
                if full:  # the next page begins at the last time, which this page may have cut in two
                    times = column(table, "t")
                    kept = int(np.searchsorted(times, times[-1]))
                    if kept == 0:
                        limit *= 2
                        continue
                    cursor, limit = int(times[-1]), self._page_rows
                    table = table.slice(0, kept)
                yield from exported(table).to_batches()
                if not full:
                    break

    def totals(self) -> tuple[UInt32Array, Int64Array]:
        """(signals, stored rows of each), without looking at their times: half a second for a billion rows."""
        table = self._engine.arrow(queries.totals())
        return column(table, "signal"), column(table, "rows")

    def counts(self, signals: Sequence[int] | None = None, start: int | None = None, end: int | None = None) -> Counts:
        """How many rows are stored per signal, with first and last time; signals without rows are not listed."""
        if signals is not None and not len(signals):
            return Counts(np.empty(0, np.uint32), *(np.empty(0, np.int64) for _ in range(3)))
        table = self._engine.arrow(queries.counts(signals, start, end))
        return Counts(*(column(table, name) for name in ("signal", "rows", "first", "last")))

    def delete_before(self, time: int, signals: Sequence[int] | None = None) -> None:
        """Retention: remove rows older than `time`; returns when they are gone. Roll-ups stay."""
        if signals is not None and not len(signals):
            return
        going = self.counts(signals, None, time).signals
        if not len(going):
            return
        self.rollups.raw_gone_before(going, -(-time // MINUTE) * MINUTE)  # what is left of a minute is no minute
        self._reader.raw_from = self.rollups.raw_from()
        condition = f"time < {queries.moment(time)}"
        if signals is not None:
            condition += f" AND {queries.among(signals)}"
        for table in ("samples", "waveforms", "latest"):
            self._delete(table, time, condition, whole_months=signals is None and table != "latest")

    def _delete(self, table: str, time: int, condition: str, *, whole_months: bool) -> None:
        """Whole months go at once; rows of the month that `time` lies in are rewritten."""
        stored, everywhere = self._layout.stored(table), self._layout.on_cluster
        if whole_months:
            months = self._engine.arrow(queries.months_before(stored, time)).column("month").to_pylist()
            for month in months:
                self._engine.command(f"ALTER TABLE {stored}{everywhere} DROP PARTITION {month}")
        self._engine.change(f"ALTER TABLE {stored}{everywhere} DELETE WHERE {condition}", {"mutations_sync": 2})

    def retract(self, signals: Sequence[int], after: int) -> None:
        """Remove rows later than `after`, because they will be computed anew; roll-ups follow."""
        if not len(signals) or not len(self.counts(signals, after + 1).signals):
            return
        self.rollups.touch(signals, after)
        condition = f"time > {queries.moment(after)} AND {queries.among(signals)}"
        for table in ("samples", "latest"):
            name = self._layout.stored(table)
            self._engine.change(
                f"ALTER TABLE {name}{self._layout.on_cluster} DELETE WHERE {condition}", {"mutations_sync": 2}
            )
        self._engine.change(queries.renew_latest(signals))

    def forget_rollups(self, level: Level, time: int, signals: Sequence[int] | None = None) -> None:
        """Retention: remove roll-ups of buckets that start before `time`."""
        if signals is None or len(signals):
            self.rollups.delete_before(level, time, signals)

    def size_bytes(self) -> int:
        """Bytes on disk of all stored rows and bursts without roll-ups (of the connected node, on a cluster)."""
        tables = ("samples", "waveforms")
        return sum(int(self._engine.command(queries.size(self._layout.stored(table)))) for table in tables)

    def close(self) -> None:
        """Release the engine."""
        self._engine.close()

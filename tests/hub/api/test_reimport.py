"""The same rows imported again in other files, orders and blocks, over the real historian."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lineshaft.errors import StoreUnavailable
from lineshaft.hub.api import files
from lineshaft.hub.api.columns import ARROW
from lineshaft.hub.api.importing import Progress, import_rows
from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.hub.historian.roller import Roller
from lineshaft.hub.state.state import State
from lineshaft.model.samples import SampleBatch

HOUR = 3_600_000_000
T0 = 1_760_000_400_000_000 // HOUR * HOUR
ROWS = 60_000
PLACE = "acme/north/hall/line-1/pump-1"


def numbers() -> pa.Table:
    """Two signals at 1 s, one after the other; values with a fraction, a number that is none, several qualities."""
    values = np.round(np.sin(np.arange(ROWS) / 700) * 40, 3)
    values[77] = np.nan
    half = ROWS // 2
    return pa.table(
        {
            "path": pa.array([f"{PLACE}/flow"] * half + [f"{PLACE}/pressure"] * half),
            "time": np.tile(T0 + np.arange(half) * 1_000_000, 2),
            "value": values,
            "text": pa.nulls(ROWS, pa.string()),
            "quality": np.where(np.arange(ROWS) % 50, 192, 64).astype(np.uint8),
        }
    )


def texts() -> pa.Table:
    return pa.table(
        {
            "path": [f"{PLACE}/mode"] * 3,
            "time": [T0, T0 + 5, T0 + HOUR],
            "value": [None, None, None],
            "text": ["RUN", "OFF", ""],
            "quality": np.full(3, 192, np.uint8),
        },
        schema=numbers().schema,
    )


def csv_of(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pa.csv.write_csv(table, sink)
    return sink.getvalue()


def parquet_of(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=7_001)
    return sink.getvalue()


def arrow_of(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=999)
    return sink.getvalue()


class Site:
    """A historian, a state database and a roller, in a folder."""

    def __init__(self, historian: ClickHouseHistorian, state: State) -> None:
        self.historian, self.state = historian, state
        self.roller = Roller(historian.rollups, historian, historian.traits)

    def bring(self, body: bytes, kind: str) -> Progress:
        with files.opened(io.BytesIO(body), kind) as batches:
            return import_rows(batches, self.historian, self.state)

    def seen(self) -> list[object]:
        """Counts, sums by hour (from roll-ups), chart and newest values, as numbers to compare."""
        self.roller.finish()
        counts = self.historian.counts()
        ids = counts.signals.tolist()
        edges = np.arange(T0, T0 + 10 * HOUR, HOUR)
        found: list[object] = [counts.rows.tolist()]
        for one in self.historian.aggregate(ids, edges):
            found += [
                one.rows.tolist(),
                one.count.tolist(),
                np.nan_to_num(one.total, nan=-1e9).tolist(),
                one.uncertain.tolist(),
            ]
        for points in (None, 300):
            for series in self.historian.read(ids, T0, T0 + 10 * HOUR, points=points):
                found += [series.times.tolist(), np.nan_to_num(series.values, nan=-1e9).tolist()]
        newest = self.historian.latest()
        return [*found, newest.times.tolist(), newest.qualities.tolist()]


@pytest.fixture(name="site")
def _site(tmp_path: Path) -> Iterator[Site]:
    historian = ClickHouseHistorian(f"chdb://{tmp_path}/history")
    historian.open()
    with State(f"sqlite:///{tmp_path}/state.db") as state:
        yield Site(historian, state)
    historian.close()


def test_the_same_rows_again_change_nothing(site: Site) -> None:
    """As CSV, Parquet or Arrow, shuffled, in parts, twice in one file, without qualities: nothing is stored twice."""
    rows = pa.concat_tables([numbers(), texts()])
    first = site.bring(arrow_of(rows), ARROW)
    assert (first.stored, first.repeated) == (len(rows), 0)
    once = site.seen()
    assert once[0] == [ROWS // 2, ROWS // 2, 3]
    shuffled = rows.take(np.random.default_rng(4).permutation(len(rows)))
    again = [
        (parquet_of(shuffled), files.PARQUET),
        (csv_of(numbers().slice(10_000, 40_000)), files.CSV),
        (arrow_of(pa.concat_tables([shuffled.slice(100, 5_000)] * 2)), ARROW),
        (arrow_of(numbers().drop_columns(["quality", "text"])), ARROW),
    ]
    for body, kind in again:
        done = site.bring(body, kind)
        assert (done.stored, done.repeated) == (0, done.rows), kind
    assert site.seen() == once


def test_a_file_that_knows_more_adds_only_that(site: Site) -> None:
    """Of a longer file the new rows are stored; another value or quality at a stored time is a row of its own."""
    rows = numbers()
    site.bring(csv_of(rows.slice(0, 20_000)), files.CSV)
    site.roller.finish()
    other = rows.slice(5, 1).set_column(2, "value", [[99.0]])
    worse = rows.slice(6, 1).set_column(4, "quality", pa.array([0], pa.uint8()))
    done = site.bring(parquet_of(pa.concat_tables([other, rows, worse, other])), files.PARQUET)
    assert (done.stored, done.repeated) == (ROWS - 20_000 + 2, 20_001)
    assert site.historian.counts().rows.tolist() == [ROWS // 2 + 2, ROWS // 2]
    (flow, _) = site.historian.counts().signals.tolist()
    (hour,) = site.historian.aggregate([flow], np.array([T0, T0 + HOUR]))
    site.roller.finish()
    (rolled,) = site.historian.aggregate([flow], np.array([T0, T0 + HOUR]))
    assert hour.count.tolist() == rolled.count.tolist() == [3600 + 1 - 1]  # one more value, one that is none


def test_an_import_that_was_cut_off_is_finished(site: Site) -> None:
    """Rows that were stored before the cut are not stored again, and those who listen and roll up learn of them."""
    body = arrow_of(numbers().slice(0, 3_600))
    told: list[int] = []

    def cut(batch: SampleBatch) -> None:
        told.append(len(batch))
        if len(told) == 1:
            raise StoreUnavailable("the hub goes down")

    site.historian.listen(cut)
    with pytest.raises(StoreUnavailable):
        site.bring(body, ARROW)
    site.roller.finish()
    once = site.seen()
    done = site.bring(body, ARROW)
    assert (done.stored, done.repeated, told) == (0, 3_600, [3_600, 3_600])
    assert site.historian.rollups.waiting() == 60
    assert site.seen() == once
    assert site.bring(body, ARROW).repeated == 3_600
    assert told == [3_600, 3_600]

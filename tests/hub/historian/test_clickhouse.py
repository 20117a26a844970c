"""The historian against a real engine."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from lineshaft.errors import ConfigError, StoreUnavailable
from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.model.samples import Quality, SampleBatch

START = 1_750_000_000_000_000
SECOND = 1_000_000
END = START + 3600 * SECOND


def ramp(signal: int, rows: int, step: int = SECOND, start: int = START) -> SampleBatch:
    return SampleBatch.of(np.full(rows, signal), start + np.arange(rows) * step, np.arange(rows, dtype=float))


def test_what_was_appended_is_read_back_exactly(historian: ClickHouseHistorian) -> None:
    """Times, values, qualities and texts come back bit for bit, large integers with their digits."""
    batch = SampleBatch.of(
        [1, 1, 1, 1, 1],
        [START + 3, START + 1, START, START + 4, START + 5],
        [0.1, np.nan, -0.0, float(2**60 + 1), np.nan],
        [192, Quality.BAD_NO_VALUE, 66, 192, 192],
        [None, None, None, str(2**60 + 1), ""],
    )
    historian.append(batch, "a")
    (series,) = historian.read([1], START, END)
    assert series.mode == "raw"
    assert series.times.tolist() == [START, START + 1, START + 3, START + 4, START + 5]
    np.testing.assert_array_equal(series.values, [-0.0, np.nan, 0.1, 2.0**60, np.nan])
    assert series.qualities.tolist() == [66, Quality.BAD_NO_VALUE, 192, 192, 192]
    assert series.texts is not None
    assert series.texts.tolist() == [None, None, None, str(2**60 + 1), ""]


def test_the_same_token_stores_once(historian: ClickHouseHistorian) -> None:
    """A block that is inserted again after a crash adds nothing, another token with the same rows does."""
    historian.append(ramp(1, 10), "a")
    historian.append(ramp(1, 10), "a")
    assert historian.counts().rows.tolist() == [10]
    historian.append(ramp(1, 10), "b")
    assert historian.counts().rows.tolist() == [20]


def test_the_same_token_stores_once_over_months_and_restarts(tmp_path: Path) -> None:
    """A block over many months, repeated after a restart, is still stored once."""
    batch = ramp(1, 200, step=86400 * SECOND)
    for _ in range(2):
        store = ClickHouseHistorian(f"chdb://{tmp_path}/history")
        store.open()
        store.append(batch, "a")
        assert store.counts().rows.tolist() == [200]
        store.close()


def test_equal_samples_both_stay(historian: ClickHouseHistorian) -> None:
    """Two samples of a signal with the same time are two samples."""
    historian.append(SampleBatch.of([1, 1], [START, START], [1.0, 2.0]), "a")
    (series,) = historian.read([1], START, END)
    assert sorted(series.values.tolist()) == [1.0, 2.0]


def test_a_large_batch_is_stored_once_as_well(historian: ClickHouseHistorian) -> None:
    """More rows than one block of the engine are all stored, and once."""
    batch = ramp(1, 2_300_000, step=1000)
    historian.append(batch, "a")
    historian.append(batch, "a")
    assert historian.counts().rows.tolist() == [2_300_000]


def test_decimation_keeps_both_extremes(historian: ClickHouseHistorian) -> None:
    """A one-sample spike up and one down survive in time order with their qualities; a flat bucket is one row."""
    values = np.full(100_000, 5.0)
    values[50_010], values[50_020] = 99.0, -99.0
    qualities = np.full(100_000, 192, np.uint8)
    qualities[50_010] = 66
    historian.append(SampleBatch.of(np.full(100_000, 1), START + np.arange(100_000) * 1000, values, qualities), "a")
    (series,) = historian.read([1], START, START + 100_000_000, points=500)
    assert series.mode == "minmax"
    assert 500 <= len(series.times) <= 1000
    assert (np.diff(series.times) > 0).all()
    spike = int(np.argmax(series.values))
    assert series.values[spike : spike + 2].tolist() == [99.0, -99.0]
    assert series.times[spike : spike + 2].tolist() == [START + 50_010_000, START + 50_020_000]
    assert series.qualities[spike : spike + 2].tolist() == [66, 192]


def test_decimation_shows_gaps_and_ignores_missing_values(historian: ClickHouseHistorian) -> None:
    """Rows without a value do not hide extremes; a bucket with nothing else stays visible as a gap."""
    values = np.sin(np.arange(10_000) / 100)
    values[::7] = np.nan
    values[5_000:6_000] = np.nan
    historian.append(SampleBatch.of(np.full(10_000, 1), START + np.arange(10_000) * 1000, values), "a")
    (series,) = historian.read([1], START, START + 10_000_000, points=100)
    gap = (series.times >= START + 5_000_000) & (series.times < START + 6_000_000)
    assert gap.sum() == 10
    assert np.isnan(series.values[gap]).all()
    assert np.nanmax(series.values) == np.nanmax(values)
    assert not np.isnan(series.values[~gap]).any()


def test_texts_keep_every_change_while_they_fit(historian: ClickHouseHistorian) -> None:
    """A state that repeats gives its changes only; with too many, the time in each."""
    words = ["ACTIVE" if (row // 1000) % 2 else "READY" for row in range(20_000)]
    times = START + np.arange(20_000) * 1000
    historian.append(SampleBatch.of(np.full(20_000, 1), times, np.nan, 192, words), "a")
    (series,) = historian.read([1], START, START + 20_000_000, points=100)
    assert series.texts is not None
    assert series.texts.tolist() == ["READY", "ACTIVE"] * 10
    assert series.times.tolist() == (START + np.arange(20) * 1_000_000).tolist()
    (series,) = historian.read([1], START, START + 20_000_000, points=10)
    assert series.states is not None
    assert series.mode == "states"
    assert series.states.tolist()[:9] == [{"ACTIVE": 1_000_000, "READY": 1_000_000}] * 9


def test_the_row_before_the_range_enters_from_the_left(historian: ClickHouseHistorian) -> None:
    """The last row before the range comes first, in raw and in decimated series, and even with an empty range."""
    historian.append(ramp(1, 10_000), "a")
    historian.append(ramp(2, 1), "b")
    at = START + 5_000 * SECOND + 1
    raw, lone, unknown = historian.read([1, 2, 3], at, at + 10 * SECOND)
    assert raw.values.tolist() == [5000.0, *range(5001, 5011)]
    assert lone.times.tolist() == [START]
    assert len(unknown.times) == 0
    (reduced,) = historian.read([1], at, START + 10_000 * SECOND, points=100)
    assert reduced.values[0] == 5000.0
    assert len(historian.read([1], at, at + 1, before=False)[0].times) == 0


def test_latest_is_the_row_with_the_greatest_time(historian: ClickHouseHistorian) -> None:
    """Late history does not replace a newer value; texts have a latest too."""
    historian.append(ramp(1, 10), "a")
    historian.append(ramp(1, 5), "b")
    historian.append(SampleBatch.of([2], [START], np.nan, 192, ["RUN"]), "c")
    batch = historian.latest()
    assert batch.signals.tolist() == [1, 2]
    assert batch.values[0] == 9.0
    assert batch.texts is not None
    assert batch.texts.tolist() == [None, "RUN"]
    assert historian.latest([1]).times.tolist() == [START + 9 * SECOND]
    assert len(historian.latest([])) == len(historian.latest([77])) == 0


def test_export_streams_every_row(tmp_path: Path) -> None:
    """All rows come by signal and time, across pages, even when one time fills more than a page."""
    historian = ClickHouseHistorian(f"chdb://{tmp_path}/history", page_rows=100)
    historian.open()
    historian.append(ramp(2, 1050), "a")
    historian.append(SampleBatch.of(np.full(450, 1), START, np.arange(450.0), 192, ["x"] * 450), "b")
    table = pa.Table.from_batches(historian.rows([2, 1, 2], START, END))
    assert table.column_names == ["signal", "time", "value", "text", "quality"]
    assert table.column("signal").to_pylist() == [1] * 450 + [2] * 1050
    assert sorted(table.column("value").to_pylist()[:450]) == list(range(450))
    assert table.column("value").to_pylist()[450:] == list(range(1050))
    assert set(table.column("text").to_pylist()) == {"x", None}
    historian.close()


def test_retention_removes_old_rows(historian: ClickHouseHistorian) -> None:
    """Rows before the given time are gone, of the named signals only."""
    historian.append(ramp(1, 100), "a")
    historian.append(ramp(2, 100), "b")
    historian.delete_before(START + 90 * SECOND, [1])
    assert historian.counts().rows.tolist() == [10, 100]
    historian.delete_before(START + 200 * SECOND)
    assert historian.counts().rows.tolist() == []
    assert len(historian.latest()) == 0


def test_retention_drops_whole_months(historian: ClickHouseHistorian) -> None:
    """A year of days: exactly those before the given time go, what is stored with the same token stays gone."""
    day = 86400 * SECOND
    historian.append(ramp(1, 365, step=day), "a")
    historian.delete_before(START + 200 * day)
    (series,) = historian.read([1], 0, START + 400 * day)
    assert series.times.tolist() == (START + np.arange(200, 365) * day).tolist()


def test_counts_of_a_range(historian: ClickHouseHistorian) -> None:
    """Counts give rows, first and last time within the range."""
    historian.append(ramp(1, 100), "a")
    counts = historian.counts([1, 2], START + 10 * SECOND, START + 20 * SECOND)
    assert (counts.signals.tolist(), counts.rows.tolist()) == ([1], [10])
    assert (counts.first.tolist(), counts.last.tolist()) == ([START + 10 * SECOND], [START + 19 * SECOND])


def test_impossible_times_are_stored_as_they_are(historian: ClickHouseHistorian) -> None:
    """A clock at its zero, before 1970 or far in the future loses no sample."""
    times = [-(2**59), -1, 0, START, 2**61]
    historian.append(SampleBatch.of([1] * 5, times, [1.0, 2.0, 3.0, 4.0, 5.0]), "a")
    (series,) = historian.read([1], -(2**62), 2**62)
    assert series.times.tolist() == times


def test_a_second_of_data_costs_three_bytes_a_value(historian: ClickHouseHistorian) -> None:
    """Two-decimal values every second with some milliseconds of jitter take at most 3 bytes each on disk."""
    random = np.random.default_rng(1)
    rows, signals = 20_000, 20
    times = START + np.arange(rows) * SECOND + random.integers(0, 3, rows) * 1000
    values = np.round(50 + 10 * np.sin(np.arange(rows) / 200)[:, None] + random.normal(0, 0.2, (rows, signals)), 2)
    ids = np.tile(np.arange(signals), rows)
    historian.append(SampleBatch.of(ids, np.repeat(times, signals), values.ravel()), "a")
    assert historian.size_bytes() / (rows * signals) <= 3.0


def test_readers_run_beside_the_writer(historian: ClickHouseHistorian) -> None:
    """Queries from four threads while blocks are inserted see whole blocks and no error."""
    done = threading.Event()
    failures: list[str] = []

    def reader() -> None:
        while not done.is_set():
            rows = int(historian.counts([1]).rows.sum())
            if rows % 1000:
                failures.append(f"{rows} rows")
            historian.read([1], START, END, points=100)
            historian.latest([1])

    threads = [threading.Thread(target=reader) for _ in range(4)]
    for thread in threads:
        thread.start()
    for block in range(40):
        historian.append(ramp(1, 1000, start=START + block * 1000 * SECOND), f"b{block}")
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert historian.counts().rows.tolist() == [40_000]


def test_a_wrong_dsn_is_a_configuration_error() -> None:
    """A DSN of another kind says what a right one looks like."""
    with pytest.raises(ConfigError, match="not a DSN"):
        ClickHouseHistorian("postgresql://localhost/x")


def test_an_unreachable_server_is_unavailable() -> None:
    """A server that does not answer raises StoreUnavailable."""
    store = ClickHouseHistorian("clickhouse://user:secret@127.0.0.1:1/history")
    with pytest.raises(StoreUnavailable):
        store.open()

"""Which rows of a batch are stored already."""

from __future__ import annotations

import numpy as np

from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.hub.historian.repeats import repeats_in
from lineshaft.model.samples import SampleBatch

START = 1_760_000_000_000_000
ROWS = 200_000


def test_few_rows_are_found_among_many(historian: ClickHouseHistorian) -> None:
    """Of rows that lie far apart those that are stored are found; another time, value or signal is not."""
    times = START + np.arange(ROWS) * 1000
    historian.append(SampleBatch.of(np.repeat([1, 2], ROWS // 2), times, np.arange(ROWS) % 97), "a")
    some = np.arange(0, ROWS, 1009)[::-1]
    signals, values = np.where(some < ROWS // 2, 1, 2), (some % 97).astype(float)
    late = (np.arange(len(some)) % 3 == 0).astype(int)
    other = np.arange(len(some)) % 5 == 0
    batch = SampleBatch.of(signals, times[some] + late, values + other)
    strange = SampleBatch.of([3, 1], [START, START], [0.0, -0.0])
    none = np.zeros(len(batch), np.bool_)
    np.testing.assert_array_equal(historian.stored(batch, none), (late == 0) & ~other)
    np.testing.assert_array_equal(historian.stored(strange, none[:2]), [False, True])
    assert historian.stored(SampleBatch.empty(), none[:0]).tolist() == []


def test_equal_rows_of_one_batch() -> None:
    """Only a row that equals an earlier one in everything is a repeat; a text is not the number beside it."""
    nan = float("nan")
    batch = SampleBatch.of(
        [1, 1, 1, 1, 2, 1, 1],
        [5, 5, 5, 6, 5, 5, 5],
        [nan, nan, nan, nan, nan, nan, 1.0],
        [192, 192, 64, 192, 192, 192, 192],
        [None, None, None, None, None, "on", None],
    )
    assert repeats_in(batch).tolist() == [False, True, False, False, False, False, False]

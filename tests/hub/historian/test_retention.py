"""Retention with its counts."""

from __future__ import annotations

import numpy as np

from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.hub.historian.retention import remove_before
from lineshaft.model.samples import Int64Array, SampleBatch, UInt32Array

START = 1_750_000_000_000_000


def test_what_goes_is_counted(historian: ClickHouseHistorian) -> None:
    """The ledger hears per signal how many rows went; a second run removes nothing."""
    told: list[tuple[list[int], list[int]]] = []

    def removed(signals: UInt32Array, rows: Int64Array) -> None:
        told.append((signals.tolist(), rows.tolist()))

    historian.append(SampleBatch.of(np.arange(30) % 3, START + np.arange(30), np.arange(30.0)), "a")
    assert remove_before(historian, START + 12, removed) == 12
    assert remove_before(historian, START + 12, removed) == 0
    assert told == [([0, 1, 2], [4, 4, 4])]
    assert historian.counts().rows.sum() == 18

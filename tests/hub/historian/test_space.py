"""A historian on a disk that is nearly full, and after one that was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lineshaft.errors import StoreUnavailable
from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.hub.historian.space import Space
from lineshaft.model.samples import SampleBatch

from ..ingest.edge import until

START = 1_750_000_000_000_000


def rows(first: int, count: int = 1000) -> SampleBatch:
    numbers = np.arange(first, first + count)
    return SampleBatch.of(np.ones(count), START + numbers * 1_000_000, numbers.astype(float))


def test_rows_are_refused_in_words_while_space_is_short(tmp_path: Path) -> None:
    """Below the reserve nothing is written, reads go on, and the same block goes in once there is room."""
    space = Space((tmp_path,), 1)
    store = ClickHouseHistorian(f"chdb://{tmp_path}/history", space=space)
    store.open()
    store.append(rows(0), "a")
    space.reserve = 2**62
    with pytest.raises(StoreUnavailable, match=r"only .* are free on the disk; nothing is stored until it is"):
        store.append(rows(1000), "b")
    with pytest.raises(StoreUnavailable):
        store.retract([1], START)
    assert store.counts().rows.tolist() == [1000]
    space.reserve = 1
    store.append(rows(1000), "b")
    store.append(rows(1000), "b")
    assert store.counts().rows.tolist() == [2000]
    store.close()


def test_a_merged_part_that_is_not_whole_closes_the_historian(tmp_path: Path) -> None:
    """When the disk runs full and a part was merged badly, nothing goes in any more: the old parts are still there."""
    space = Space((tmp_path,), 1)
    store = ClickHouseHistorian(f"chdb://{tmp_path}/history", space=space)
    store.open()
    for number in range(3):
        store.append(rows(number * 1000), f"block-{number}")
    store._engine.command("OPTIMIZE TABLE samples FINAL")
    find = "SELECT path FROM system.parts WHERE active AND table = 'samples' AND level > 0"
    part = Path(str(store._engine.command(find)))
    if not part.is_absolute():
        part = tmp_path / "history" / part
    (part / "value.bin").write_bytes(b"")
    space.reserve = 2**62
    until(lambda: bool(space.damaged), 20)
    space.reserve = 1
    with pytest.raises(StoreUnavailable, match="the disk ran full while parts of samples were merged"):
        store.append(rows(3000), "more")
    store.close()
    again = ClickHouseHistorian(f"chdb://{tmp_path}/history")
    again.open()
    assert again.counts().rows.tolist() == [3000], "the parts before the merge are read again"
    again.close()


def test_an_empty_order_does_not_keep_the_historian_closed(tmp_path: Path) -> None:
    """A file of a mutation that a full disk left empty is taken away at the next start; the rows are all there."""
    store = ClickHouseHistorian(f"chdb://{tmp_path}/history")
    store.open()
    store.append(rows(0), "a")
    store.close()
    for table in (tmp_path / "history" / "store").glob("*/*"):
        (table / "mutation_7.txt").touch()
    again = ClickHouseHistorian(f"chdb://{tmp_path}/history")
    again.open()
    assert again.counts().rows.tolist() == [1000]
    again.close()

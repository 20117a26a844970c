"""The gap ledger, over clean restarts and kills."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lineshaft.hub.ports import BornSignal, Drop
from lineshaft.hub.state.ledger import LedgerRow, SqlLedger
from lineshaft.hub.state.state import State
from lineshaft.model.equipment import Signal
from lineshaft.model.samples import Int64Array, UInt32Array

ASSET = "acme/north/hall/line-1/pump"
EPOCH = "0f" * 16


def register(state: State, count: int = 3) -> np.ndarray:
    return state.register([BornSignal(Signal(ASSET, f"s{i}"), "north/g1", "d") for i in range(count)])


def arrive(ledger: SqlLedger, ids: Any, rows: int, duplicates: int = 0) -> None:
    ids = np.asarray(ids, np.uint32)
    ledger.arrived(ids, np.full(len(ids), rows), np.full(len(ids), duplicates))


def counts(ids: Any, rows: Any) -> tuple[UInt32Array, Int64Array]:
    ids = np.asarray(ids, np.uint32)
    return ids, np.broadcast_to(np.asarray(rows, np.int64), len(ids))


def row(state: State, name: str = "s0") -> LedgerRow:
    (found,) = state.ledger.rows(path=f"{ASSET}/{name}")
    return found


def killed(state: State) -> None:
    """Forget the state as kill -9 would: nothing is flushed, nothing is marked clean."""
    state._closing.set()
    state._saver.join()
    state.database.close()


def test_every_sample_is_accounted_for(state: State) -> None:
    """expected = arrived + dropped + missing, summed over the gateway's epochs; duplicates stand apart."""
    ids = register(state)
    path = f"{ASSET}/s0"
    state.ledger.expected("north/g1", EPOCH, {path: 100}, 7)
    state.ledger.expected("north/g1", "aa" * 16, {path: 50}, 1)
    arrive(state.ledger, ids[:1], 120, 3)
    state.ledger.dropped("north/g1", EPOCH, [Drop(path, 12, 5, 9, "size"), Drop(path, 8, 1, 4, "size")])
    found = row(state)
    assert (found.expected, found.arrived, found.duplicates, found.dropped, found.missing) == (150, 120, 3, 20, 10)
    assert list(found.drops) == [Drop(path, 20, 1, 9, "size")]
    assert row(state).node == "north/g1"


def test_a_drop_note_that_is_told_again_counts_once(state: State) -> None:
    """The journal may tell a drop again after a kill."""
    for _ in range(2):
        state.ledger.dropped("north/g1", EPOCH, [Drop(f"{ASSET}/s0", 12, 5, 9, "size")])
    assert row(state).dropped == 12


def test_a_late_report_changes_nothing(state: State) -> None:
    """Reports list only what has changed and may come late; the larger total counts for each signal."""
    register(state)
    state.ledger.expected("g", EPOCH, {f"{ASSET}/s0": 100}, 9)
    state.ledger.expected("g", EPOCH, {f"{ASSET}/s0": 60, f"{ASSET}/s1": 5}, 4)
    assert row(state).expected == 100
    assert row(state, "s1").expected == 5


def test_a_clean_restart_keeps_every_count(opened: Callable[[], State]) -> None:
    """Counts are the same after a stop and a start."""
    with opened() as state:
        ids = register(state)
        arrive(state.ledger, ids, 41, 1)
        state.ledger.expected("g", EPOCH, {f"{ASSET}/s0": 41}, 3)
    with opened() as state:
        found = row(state)
        assert (found.expected, found.arrived, found.duplicates) == (41, 41, 1)


def test_after_a_kill_arrived_is_recounted(opened: Callable[[], State]) -> None:
    """What the last second had counted comes back from the historian's rows, imports not among them."""
    state = opened()
    state.__enter__()
    ids = register(state)
    state.ledger.recount(*counts(ids, 1000))  # rows that were there before the ledger
    state.ledger.begin_import("t1", ids[:1], np.array([500]))
    state.ledger.end_import("t1")
    arrive(state.ledger, ids, 10)
    state.ledger.flush()
    arrive(state.ledger, ids, 7)  # never written
    killed(state)
    with opened() as state:
        arrive(state.ledger, ids, 7)  # the journal replays the block that was not marked done
        state.ledger.recount(*counts(ids, [1517, 1017, 1017]))
        assert [row(state, f"s{i}").arrived for i in range(3)] == [17, 17, 17]
        arrive(state.ledger, ids, 3)
        assert row(state).arrived == 20


def test_a_replayed_block_is_not_counted_twice(opened: Callable[[], State]) -> None:
    """A block that was counted and written before the kill, and is replayed after it, counts once."""
    state = opened()
    state.__enter__()
    ids = register(state)
    arrive(state.ledger, ids, 10)
    state.ledger.flush()
    killed(state)
    with opened() as state:
        arrive(state.ledger, ids, 10)
        state.ledger.recount(*counts(ids, 10))
        assert row(state).arrived == 10


def test_retention_does_not_take_back_what_arrived(opened: Callable[[], State]) -> None:
    """Rows that retention removed have arrived all the same, also when the hub was killed since."""
    state = opened()
    state.__enter__()
    ids = register(state)
    arrive(state.ledger, ids, 100)
    state.ledger.removed(ids, np.full(3, 60))
    arrive(state.ledger, ids, 5)
    killed(state)
    with opened() as state:
        state.ledger.recount(*counts(ids, 45))
        assert row(state).arrived == 105


def test_rows_gone_without_notice_never_lower_the_written_count(opened: Callable[[], State]) -> None:
    """When rows vanished without notice, a recount keeps what was written to disk."""
    state = opened()
    state.__enter__()
    ids = register(state)
    arrive(state.ledger, ids, 100)
    state.ledger.flush()
    killed(state)
    with opened() as state:
        state.ledger.recount(*counts(ids, 3))
        assert row(state).arrived == 100


def test_an_import_block_is_known_again(opened: Callable[[], State]) -> None:
    """A block is new once; cut off before its end it is tried again, and done it is done, over restarts."""
    rows = np.array([5])
    with opened() as state:
        ids = register(state)[:1]
        assert state.ledger.begin_import("t", ids, rows) == "new"
        assert state.ledger.begin_import("t", ids, rows) == "again"
    with opened() as state:
        assert state.ledger.begin_import("t", ids, rows) == "again"
        state.ledger.end_import("t")
        assert state.ledger.begin_import("t", ids, rows) == "done"


def test_counting_costs_little(state: State) -> None:
    """A second of 500 blocks with 1,000 signals each is counted in well under a second and written in one go."""
    ids = register(state, 1000)
    for _ in range(500):
        arrive(state.ledger, ids, 2)
    state.ledger.flush()
    assert row(state, "s999").arrived == 1000


@pytest.mark.parametrize("asset", ["", "acme", ASSET])
def test_accounts_of_an_asset(state: State, asset: str) -> None:
    """An asset's accounts are those of all signals below it, unborn ones included."""
    arrive(state.ledger, register(state), 1)
    state.ledger.dropped("g", EPOCH, [Drop(f"{ASSET}/unborn", 1, 1, 1, "size")])
    assert [one.path.rpartition("/")[2] for one in state.ledger.rows(asset)] == ["s0", "s1", "s2", "unborn"]
    assert state.ledger.rows("acme/nor") == []

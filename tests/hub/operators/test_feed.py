"""Rows on their way to operators when a store fails, and late ones that come while others are worked in."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from lineshaft.errors import StoreUnavailable
from lineshaft.hub.operators.feed import Feed, Key, Place
from lineshaft.hub.state.state import State
from lineshaft.model.samples import SampleBatch

KEY = ("rule", "acme/north/pump")


def rows(*times: int) -> SampleBatch:
    return SampleBatch.of(np.ones(len(times), np.uint32), times, np.zeros(len(times)))


def test_rows_that_are_told_again_are_given_once() -> None:
    """When late rows cannot be noted nothing of the commit is kept, so that its repetition gives each row once."""
    answers = [True, False]

    def late(keys: Sequence[Key], times: Sequence[int]) -> None:
        if not answers.pop():
            raise StoreUnavailable("the state database does not answer")

    feed = Feed(late)
    feed.put(KEY, Place((1,), began=0, released=10))
    feed.begin_reading(KEY, 10)
    feed.caught_up(KEY)
    with pytest.raises(StoreUnavailable):
        feed.told(rows(5, 11, 12))
    feed.told(rows(5, 11, 12))
    assert feed.take(KEY, time.monotonic() + 1).times.tolist() == [11, 12]
    assert feed.late_of(KEY) == 5


def test_a_run_that_begins_again_forgets_no_late_row() -> None:
    """Rows that came late just before a run is put back, or come late to what it was given before, are still late."""
    feed = Feed(lambda keys, times: None)
    feed.put(KEY, Place((1,), began=0, released=100))
    feed.told(rows(50))
    feed.again(KEY, 70)
    assert feed.late_of(KEY) == 50
    feed.told(rows(80, 120))
    assert feed.late_of(KEY) == 80
    assert feed.begin_reading(KEY, 100) == 120


def test_a_row_that_comes_late_while_others_are_worked_in_outlasts_a_kill(tmp_path: Path) -> None:
    """What came meanwhile is not in the state, so it stays noted when the others are in it."""
    with State(f"sqlite:///{tmp_path}/state.db") as state:
        state.operators.begin(KEY, "rule", 0)
        feed = Feed(state.operators.late)
        feed.put(KEY, Place((1,), began=0, released=100))
        feed.told(rows(50))
        late = feed.late_of(KEY)
        assert late == 50
        feed.told(rows(60))
        feed.worked_in(KEY, late, state.operators.worked_in)
        known = state.operators.run(KEY)
        assert known is not None
        assert known.late == 60
        feed.late_of(KEY)
        feed.worked_in(KEY, 60, state.operators.worked_in)
        known = state.operators.run(KEY)
        assert known is not None
        assert known.late is None

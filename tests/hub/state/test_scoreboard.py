"""Scores that are kept: as good as those of all predictions, whatever came late, was changed or has gone."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lineshaft.hub import record
from lineshaft.hub.state.state import State
from lineshaft.model.predictions import Outcome, OutcomeKind, Prediction, PredictionKind
from lineshaft.server.history import tidy_record

HOUR = 3_600_000_000
DAY = 24 * HOUR
START = 1_750_000_000_000_000


def said(asset: str, hours: range, seed: int = 1) -> list[Prediction]:
    """A word about faults and a remaining life each hour."""
    random = np.random.default_rng(seed)
    alarms = np.cumsum(random.random(hours.stop) < 0.02) % 2
    found = []
    for hour in hours:
        time = START + hour * HOUR
        alarm = bool(alarms[hour])
        found += [
            Prediction(time, asset, PredictionKind.FAILURE, "m", "1", alarm=alarm, due=time + 30 * HOUR),
            Prediction(time, asset, PredictionKind.REMAINING_LIFE, "m", "1", 90.0, 20.0, 40.0 + hour % 300),
        ]
    return found


def scores(state: State, now: int) -> list[record.Score]:
    """Those that are kept, which must be those of reading everything."""
    kept = list(record.scores(state, now))
    assert kept == list(record.scores(state, now, since=0))
    return kept


def test_what_is_kept_is_what_reading_everything_gives(tmp_path: Path) -> None:
    """After more predictions, late ones, a failure, its correction, superseded ones, a restart, and retention."""
    dsn, now = f"sqlite:///{tmp_path}/state.db", START + 400 * HOUR
    assets = ("a/b/pump-1", "a/b/pump-2")
    with State(dsn) as state:
        for seed, asset in enumerate(assets):
            state.predictions.add("health", "pump", said(asset, range(200), seed), now)
        assert {one.predictions for one in scores(state, now)} == {400}
        for seed, asset in enumerate(assets):
            state.predictions.add("health", "pump", said(asset, range(200, 400), seed), now)
        state.predictions.add("other", "pump", said(assets[0], range(50, 60), 9), now)
        (faults, lives) = scores(state, now)
        assert (faults.predictions, faults.assets, faults.operators) == (810, 2, ("health", "other"))
        assert lives.life is not None
        assert lives.life.outlived > 0
        failure = state.outcomes.add(
            Outcome(START + 300 * HOUR, assets[0], OutcomeKind.FAILURE), by="eve", note="seized", now=now
        )
        (_, after) = scores(state, now)
        assert after.life is not None
        assert after.life.lives == 1
        state.outcomes.change(failure.id, by="eve", why="two days before", now=now, time=START + 250 * HOUR)
        assert scores(state, now)[1] != after
        state.predictions.supersede("health", said(assets[0], range(390, 400), 0), now)
        assert scores(state, now)[0].predictions == 800
        assert len(record.judged(state, state.predictions.find(limit=100), now)) == 100
        later = now + 60 * HOUR
        tidy_record(state, None, later)
        before = scores(state, later)
    with State(dsn) as state:
        assert scores(state, later) == before
        state.predictions.add("health", "pump", said(assets[1], range(400, 410), 1), later)
        assert scores(state, later)[0].predictions == 810
        tidy_record(state, 300 * 3600.0, later)
        assert state.predictions.oldest() == START + 160 * HOUR
        assert scores(state, later)[0].predictions == 810 - 2 * 160 - 10
        tidy_record(state, 299 * 3600.0, later)
        assert state.predictions.oldest() == START + 160 * HOUR, "not little by little"

"""Retention by kind of signal, with roll-ups that outlive raw rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from lineshaft.config.history import KeepConfig, RetentionConfig
from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.hub.historian.roller import Roller
from lineshaft.hub.ports import BornSignal
from lineshaft.hub.state.state import State
from lineshaft.hub.traits import CatalogueTraits
from lineshaft.model.equipment import Signal, SignalKind
from lineshaft.model.samples import SampleBatch
from lineshaft.server.history import remove_old

DAY = 86_400_000_000
START = 1_749_945_600_000_000
NOW = START + 10 * DAY


def test_each_kind_is_kept_as_long_as_the_plant_wants(tmp_path: Path) -> None:
    """Measures lose raw rows and minutes but keep hours, states keep all; what goes was rolled up before."""
    keep = RetentionConfig(measure=KeepConfig(raw=3 * 86400.0, minute=5 * 86400.0))
    with State(f"sqlite:///{tmp_path}/state.db") as state:
        born = [
            BornSignal(Signal("a/b/c/d/e", "power"), "b/g", "d"),
            BornSignal(Signal("a/b/c/d/e", "mode", SignalKind.STATE), "b/g", "d"),
        ]
        power, mode = state.register(born).tolist()
        historian = ClickHouseHistorian(f"chdb://{tmp_path}/history", CatalogueTraits(state.catalogue, 900.0))
        historian.open()
        times = START + np.arange(10 * 24) * DAY // 24
        for signal in (power, mode):
            historian.append(SampleBatch.of(np.full(len(times), signal), times, np.arange(len(times)) % 2), str(signal))
        roller = Roller(historian.rollups, historian, historian.traits)
        for _ in range(2):
            remove_old(historian, state, roller, keep, NOW)
        assert historian.counts().rows.tolist() == [3 * 24, 10 * 24]
        kept = {
            level: len(historian.rollups.read(level, [power], [(0, NOW)]))  # type: ignore[arg-type]
            for level in ("minute", "hour", "day")
        }
        assert kept == {"minute": 5 * 24, "hour": 10 * 24, "day": 10}
        edges = np.array([START, NOW])
        measured, states = historian.aggregate([power, mode], edges)
        assert measured.count.tolist() == [10 * 24]
        assert states.states[0] == {"0": 5 * DAY, "1": 5 * DAY - DAY // 24}
        historian.close()


def test_roll_ups_must_outlive_what_they_are_made_of() -> None:
    """A configuration that would remove hours before minutes is refused in words."""
    with pytest.raises(ValidationError, match="hour must be kept at least as long as minute"):
        KeepConfig(raw=86400.0, minute=10 * 86400.0, hour=86400.0)

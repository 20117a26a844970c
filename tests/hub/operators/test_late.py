"""A day that comes shuffled and a day late: roll-ups, computed metrics, rules and health, all in one."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineshaft.clock import SystemClock
from lineshaft.config.operators import OperatorConfig
from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.hub.historian.roller import Roller, RollerSettings
from lineshaft.hub.operators.engine import Operators
from lineshaft.hub.operators.plan import planned
from lineshaft.hub.ports import BornSignal
from lineshaft.hub.state.state import State
from lineshaft.model.equipment import Equipment, Level, Signal
from lineshaft.model.samples import SampleBatch

SITE = "acme/north"
LINE = f"{SITE}/hall/line-1"
PUMPS = [f"{LINE}/pump-{number}" for number in (1, 2)]
NAMES = ("pressure", "power", "vibration")
SECOND = 1_000_000
DAY = 86_400 * SECOND
START = 1_749_945_600_000_000  # 2025-06-15 00:00 UTC
EVERY = 100
CONFIGS = (
    OperatorConfig(
        id="high-pressure",
        operator="rule",
        assets=("**/pump-*",),
        options={
            "id": "high-pressure",
            "inputs": {"pressure": "pressure", "power": "power"},
            "when": "pressure > 8.5 and power > 3",
            "until": "pressure < 7.5",
            "delay": "4min",
            "message": "The pressure is too high",
        },
    ),
    OperatorConfig(
        id="line-power",
        operator="total",
        assets=("hall/line-1",),
        options={"name": "power-total", "signal": "power", "interval": "5min"},
    ),
    OperatorConfig(
        id="health",
        operator="machine-health",
        assets=("**/pump-*",),
        options={"features": ["vibration"], "operating": ["power"], "learn": "20h", "persistence": 3},
    ),
)


def two_days(ids: list[int]) -> SampleBatch:
    """Two days of two pumps, whose vibration grows on the second; some rows are bad, uncertain or missing."""
    random = np.random.default_rng(11)
    seconds = np.arange(0, 2 * 86_400, EVERY)
    parts = []
    for place, signal in enumerate(ids):
        values = 7 + 2 * np.sin(seconds / (900 + 70 * place)) + random.normal(0, 0.3, len(seconds))
        if place % 3 == 2:
            values = 2 + random.normal(0, 0.1, len(seconds)) + np.maximum(0, seconds - 90_000) / 20_000
        qualities = random.choice([192] * 40 + [66, 4], len(seconds))
        times = START + seconds * SECOND + random.integers(0, 900, len(seconds)) * 1000
        keep = random.random(len(seconds)) < 0.97
        parts.append(SampleBatch.of(np.full(len(seconds), signal), times, np.round(values, 3), qualities).take(keep))
    batch = SampleBatch.concat(parts)
    return batch.take(np.argsort(batch.times, kind="stable"))


def outcome(bring: Callable[[SampleBatch], list[SampleBatch]]) -> dict[str, Any]:
    """Everything that is made of two days, when they come in these pieces."""
    with tempfile.TemporaryDirectory() as folder, State(f"sqlite:///{folder}/state.db") as state:
        state.register_equipment(
            [Equipment(path, path[-6:], Level.ASSET, "pump") for path in PUMPS]
            + [Equipment(LINE, "Line 1", Level.LINE)]
        )
        born = [BornSignal(Signal(path, name), "north/g", "d") for path in PUMPS for name in NAMES]
        ids = state.register(born).tolist()
        historian = ClickHouseHistorian(f"chdb://{folder}/history")
        historian.open()
        try:
            return _worked(Path(folder), historian, state, bring(two_days(ids)))
        finally:
            historian.close()


def _worked(folder: Path, historian: ClickHouseHistorian, state: State, pieces: list[SampleBatch]) -> dict[str, Any]:
    operators = Operators([planned(one, SITE) for one in CONFIGS], historian, state, SystemClock(), delay=0.0)
    operators.open()
    historian.listen(operators.feed.told)
    roller = Roller(historian.rollups, historian, historian.traits, RollerSettings(rows=20_000))
    for number, piece in enumerate(pieces):
        historian.append(piece, f"piece-{number}")
        roller.step()
        _work(operators)
    operators.stop()
    roller.finish()
    made = [one.id for one in state.catalogue.signals()]
    edges = START + np.arange(49) * 3600 * SECOND
    aggregates = historian.aggregate(made, edges)
    return {
        "roll-ups": [repr({name: np.asarray(value).tolist() for name, value in asdict(one).items()})
                     for one in aggregates],
        "samples": [[one.signal, one.times.tolist(), one.values.tolist(), one.qualities.tolist()]
                    for one in historian.read(made[len(PUMPS) * len(NAMES) :], 0, 2**60, before=False)],
        "events": sorted(
            json.dumps(asdict(one.event))
            for one in state.events.find(limit=10_000)
            if not one.event.kind.startswith("operator.")
        ),
    }  # fmt: skip


def _work(hub: Operators) -> None:
    """Until nothing is left to do, late rows worked in."""
    deadline = time.monotonic() + 60
    for run in hub.main.runs.values():
        run.rewound = 0.0  # a rewind at most every few seconds
    while any(lane.step() for lane in (hub.main, hub.apart)):
        assert time.monotonic() < deadline


@cache
def in_order() -> dict[str, Any]:
    return outcome(lambda batch: [batch])


@settings(max_examples=2, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32 - 1), pieces=st.integers(2, 3))
def test_a_day_that_comes_shuffled_and_a_day_late_changes_nothing(seed: int, pieces: int) -> None:
    """The second day first, then the first one in any order: the same means, sums, health and events as in order."""
    wanted = in_order()
    assert len(wanted["events"]) > 20
    assert {"rule.", "maint"} <= {json.loads(one)["kind"][:5] for one in wanted["events"]}
    assert sum(len(times) for _, times, _, _ in wanted["samples"]) > 500

    def bring(batch: SampleBatch) -> list[SampleBatch]:
        late = np.flatnonzero(batch.times < START + DAY)
        order = np.random.default_rng(seed).permutation(late)
        return [batch.take(batch.times >= START + DAY), *(batch.take(rows) for rows in np.array_split(order, pieces))]

    found = outcome(bring)
    for what, expected in wanted.items():
        assert found[what] == expected, what

"""How many values a second the edge pipeline takes on one core: the whole chain, and each step by itself.

python -m bench.steps            the usual chain and a figure per step
QUICK=1 python -m bench.steps    fewer batches
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lineshaft.config.expressions import Expression
from lineshaft.gateway.steps.base import Drift, SignalSteps, SignalTable, Stuck, Swapped
from lineshaft.gateway.steps.checks import Range, Scale, SourceClock, Types
from lineshaft.gateway.steps.computed import Aggregate, Computed, CounterRate, Formula
from lineshaft.gateway.steps.door import SwingingDoor
from lineshaft.gateway.steps.exceptions import ReportByException
from lineshaft.gateway.steps.mapping import StateMap
from lineshaft.gateway.steps.pipeline import Pipeline
from lineshaft.gateway.steps.sensors import DriftingSensor, MaxRate, SkewedClock, Spike, StuckSensor, SwappedUnit
from lineshaft.model.samples import Quality, SampleBatch

SIGNALS = 1_000
T0 = 1_700_000_000_000_000
BATCHES = 100 if os.environ.get("QUICK") else 1_000
Update = Callable[[SampleBatch], object]


@dataclass(frozen=True)
class Case:
    """One thing that is measured. make: a fresh pipeline or step; wave: what the batches hold."""

    name: str
    make: Callable[[], Update]
    wave: str = "noise"


def table(more: SignalSteps | None = None, **columns: Any) -> SignalTable:
    base: dict[str, Any] = {
        "scale": np.full(SIGNALS, 0.1),
        "offset": np.zeros(SIGNALS),
        "low": np.full(SIGNALS, -1e9),
        "high": np.full(SIGNALS, 1e9),
        "deadband": np.full(SIGNALS, 0.5),
        "heartbeat": np.full(SIGNALS, 60_000_000, np.int64),
        "report_all": np.zeros(SIGNALS, np.bool_),
        "texts": np.zeros(SIGNALS, np.uint8),
    }
    base |= columns
    return SignalTable(**base, more={} if more is None else dict.fromkeys(range(SIGNALS), more))


def batches(wave: str) -> list[SampleBatch]:
    """Polls of all signals, one row each, a second apart."""
    random = np.random.default_rng(1)
    signals = np.arange(SIGNALS, dtype=np.uint32)
    walk = np.zeros(SIGNALS)
    made = []
    for second in range(BATCHES):
        if wave == "state":
            values = random.integers(0, 4, SIGNALS).astype(float)
        elif wave == "count":
            values = np.full(SIGNALS, float(second))
        else:
            walk = walk + random.normal(0, 0.02, SIGNALS)
            values = 200 * np.sin(second / 200 + signals) + walk + random.normal(0, 0.2, SIGNALS)
        times = np.full(SIGNALS, T0 + second * 1_000_000, np.int64)
        made.append(SampleBatch(signals, times, values, np.full(SIGNALS, Quality.GOOD, np.uint8)))
    return made


def speed(case: Case, rows: list[SampleBatch]) -> tuple[float, float]:
    """(values a second of CPU, part of the rows that came out)."""
    best, out = 0.0, 0
    for _ in range(3):
        update = case.make()
        began = time.process_time()
        out = sum(len(made) for batch in rows if isinstance(made := update(batch), SampleBatch))
        best = max(best, sum(map(len, rows)) / (time.process_time() - began))
    return best, out / sum(map(len, rows))


def of(step: type[Any], more: SignalSteps | None = None, **columns: Any) -> Callable[[], Update]:
    return lambda: step(table(more, **columns)).update


def chain(more: SignalSteps | None = None, **columns: Any) -> Callable[[], Update]:
    return lambda: Pipeline(table(more, **columns)).update


def skew() -> Update:
    step = SkewedClock(table(SignalSteps(clock_skew=10**15)))
    return lambda batch: step.update(batch, T0)


def computed(*rules: Any) -> Callable[[], Update]:
    return lambda: Computed(rules, SIGNALS + len(rules)).update


DOOR = SignalSteps(door=True)
CHECKS = SignalSteps(
    max_rate=1e6,
    spike=1e6,
    stuck=Stuck(3600.0),
    drift=Drift(600.0, trend=1e9),
    swapped=Swapped(-1e6, 1e6, ((1.8, 32.0),)),
)
FORMULAS = [
    Formula(SIGNALS + i, Expression("a * b / 10 + c", "abc"), (("a", 3 * i), ("b", 3 * i + 1), ("c", 3 * i + 2)))
    for i in range(10)
]
RATES = [CounterRate(SIGNALS + i, i, 1.0, 0.0, 0) for i in range(10)]
MEANS = [Aggregate(SIGNALS + i, i, "mean", 60_000_000, 0) for i in range(10)]
CASES = (
    Case("usual chain: scale, range, clock, deadband", chain()),
    Case("usual chain with swinging door", chain(DOOR)),
    Case("usual chain, every value sent", chain(report_all=np.ones(SIGNALS, np.bool_))),
    Case("all sensor checks on every signal, and swinging door", chain(replace(CHECKS, door=True))),
    Case("step map (all states)", of(StateMap, SignalSteps(mapping={"0": 1.0, "1": 2.0, "2": 3.0, "3": 4.0})), "state"),
    Case("step types", of(Types)),
    Case("step scale with unit conversion", of(Scale)),
    Case("step range", of(Range)),
    Case("step clock", of(SourceClock)),
    Case("step skew", skew),
    Case("step rate", of(MaxRate, SignalSteps(max_rate=1e6))),
    Case("step spike", of(Spike, SignalSteps(spike=1e6))),
    Case("step stuck", of(StuckSensor, SignalSteps(stuck=Stuck(3600.0, 0.01)))),
    Case("step drift", of(DriftingSensor, SignalSteps(drift=Drift(600.0, trend=1e9)))),
    Case("step unit", of(SwappedUnit, SignalSteps(swapped=Swapped(-1e6, 1e6, ((1.8, 32.0),))))),
    Case("step door", of(SwingingDoor, DOOR)),
    Case("step exception", of(ReportByException)),
    Case("10 formulas of 30 of 1,000 signals", computed(*FORMULAS)),
    Case("10 rates of 1,000 signals", computed(*RATES), "count"),
    Case("10 means of a minute of 1,000 signals", computed(*MEANS)),
)  # fmt: skip


def main() -> None:
    waves = {wave: batches(wave) for wave in {case.wave for case in CASES}}
    print(f"{BATCHES} batches of {SIGNALS} signals, one row each; best of three, by CPU time")
    print("| what | million values a second | rows out |\n|---|---|---|")
    for case in CASES:
        values, out = speed(case, waves[case.wave])
        print(f"| {case.name} | {values / 1e6:.1f} | {out:.1%} |")


if __name__ == "__main__":
    main()

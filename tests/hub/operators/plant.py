"""A small plant over which hubs with operators start and end, and what a backtest finds there."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from hub.memory_historian import MemoryHistorian
from lineshaft.clock import SystemClock
from lineshaft.config.operators import OperatorConfig
from lineshaft.hub.operators.backtest import backtest
from lineshaft.hub.operators.engine import Operators
from lineshaft.hub.operators.plan import Planned, planned
from lineshaft.hub.operators.worker import Limits, Worker
from lineshaft.hub.state.state import State
from lineshaft.model.events import Event
from lineshaft.model.samples import SampleBatch

SITE = "acme/north"
PUMPS = [f"{SITE}/hall/line-1/pump-{number}" for number in (1, 2)]
START = 1_750_000_000_000_000
SECOND = 1_000_000
WEEK = 7 * 86_400
EVERY = 120

RULE = OperatorConfig(
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
)


@dataclass
class Plant:
    """A historian and a state with two pumps, over which hubs start and end."""

    historian: MemoryHistorian
    state: State
    ids: list[int]
    plan: Sequence[Planned] = (planned(RULE, SITE),)
    limits: Limits = field(default_factory=Limits)

    def operators(self) -> Operators:
        found = Operators(self.plan, self.historian, self.state, SystemClock(), self.limits, delay=0.0)
        found.open()
        return found

    def append(self, hub: Operators, batch: SampleBatch, token: str) -> None:
        """Commit rows; the hub is told before they count as done."""
        self.historian.append(batch, token)
        hub.feed.told(batch)

    def stored(self) -> list[Event]:
        found = [one.event for one in self.state.events.find(limit=100_000)]
        rules = [event for event in found if event.kind.startswith("rule.")]
        return sorted(rules, key=lambda event: (event.time, event.subject, event.kind))

    def backtested(self) -> list[Event]:
        hub = self.operators()
        runs = list(hub.main.runs.values())
        hub.stop()
        worker = Worker(Limits())
        found = [
            event
            for run in runs
            for event in backtest(self.historian, run.binding, START, START + WEEK * SECOND, worker).events
        ]
        worker.close()
        return sorted(found, key=lambda event: (event.time, event.subject, event.kind))


def week(ids: list[int]) -> SampleBatch:
    """A week of two pumps each two minutes, some bad rows, some of power missing."""
    random = np.random.default_rng(5)
    seconds = np.arange(0, WEEK, EVERY)
    parts = []
    for place, signal in enumerate(ids):
        values = np.round(7 + 2 * np.sin(seconds / (900 + 70 * place)) + random.normal(0, 0.3, len(seconds)), 2)
        qualities = random.choice([192] * 30 + [4], len(seconds))
        keep = random.random(len(seconds)) < 0.97
        parts.append(
            SampleBatch.of(np.full(len(seconds), signal), START + seconds * SECOND, values, qualities).take(keep)
        )
    batch = SampleBatch.concat(parts)
    return batch.take(np.argsort(batch.times, kind="stable"))


def work(hub: Operators) -> None:
    """Until nothing is left to do."""
    deadline = time.monotonic() + 60
    while any(lane.step() for lane in (hub.main, hub.apart)):
        assert time.monotonic() < deadline


def as_bytes(events: Sequence[Event]) -> bytes:
    return json.dumps([asdict(event) for event in events]).encode()

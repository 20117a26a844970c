"""Commits between any two steps of operators, with kills and failures: in the end stands what rows in order give."""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.memory_historian import MemoryHistorian
from hub.operators.plant import PUMPS, RULE, SITE, Plant, as_bytes, week
from lineshaft.config.operators import OperatorConfig
from lineshaft.hub.historian.base import Counts, Series
from lineshaft.hub.operators.engine import Operators
from lineshaft.hub.operators.lane import Run, marked
from lineshaft.hub.operators.order import as_inputs, in_order
from lineshaft.hub.operators.plan import planned
from lineshaft.hub.operators.worker import Limits, OperatorFailed, Worker
from lineshaft.hub.ports import BornSignal
from lineshaft.hub.state.database import Database
from lineshaft.hub.state.operators import OperatorStates, StoredState
from lineshaft.hub.state.state import State
from lineshaft.model.equipment import Equipment, Level, Signal
from lineshaft.model.events import Event
from lineshaft.model.samples import Int64Array, SampleBatch

LINE = f"{SITE}/hall/line-1"
TOTAL = OperatorConfig(
    id="line-power", operator="total", assets=("hall/line-1",), options={"name": "power-total", "signal": "power"}
)
PIECES = 24
ACTIONS = ("nothing", "step", "step", "meanwhile", "meanwhile", "work", "save", "kill", "stop", "broken", "moved")


@dataclass
class Meanwhile:
    """What other threads do while a lane waits for a store: the next pieces are committed then."""

    actions: list[Callable[[], None]] = field(default_factory=list)

    def __call__(self) -> None:
        if self.actions:
            self.actions.pop()()


class BusyHistorian(MemoryHistorian):
    """Something happens just before it answers, or just after."""

    def __init__(self, meanwhile: Meanwhile) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    def read(
        self, signals: Sequence[int], start: int, end: int, *, points: int | None = None, before: bool = True
    ) -> list[Series]:
        self._meanwhile()
        found = super().read(signals, start, end, points=points, before=before)
        self._meanwhile()
        return found

    def latest(self, signals: Sequence[int] | None = None) -> SampleBatch:
        self._meanwhile()
        found = super().latest(signals)
        self._meanwhile()
        return found

    def counts(self, signals: Sequence[int] | None = None, start: int | None = None, end: int | None = None) -> Counts:
        self._meanwhile()
        return super().counts(signals, start, end)

    def retract(self, signals: Sequence[int], after: int) -> None:
        self._meanwhile()
        super().retract(signals, after)


class BusyStates(OperatorStates):
    """Something happens just after it answers."""

    def __init__(self, database: Database, meanwhile: Meanwhile) -> None:
        super().__init__(database)
        self._meanwhile = meanwhile

    def newest(self, key: tuple[str, str], before: int | None = None) -> StoredState | None:
        found = super().newest(key, before)
        self._meanwhile()
        return found

    def save(self, saved: Sequence[tuple[tuple[str, str], StoredState]]) -> None:
        self._meanwhile()
        super().save(saved)


@dataclass
class Scene:
    """A hub, the next hub after it, and pieces of rows that are committed one after the other."""

    plant: Plant
    workers: tuple[Worker, Worker]
    meanwhile: Meanwhile
    pieces: Iterator[SampleBatch]
    most: int
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.hub = self.started()

    def started(self) -> Operators:
        """A hub whose worker processes were started before: each run is made anew in them."""
        hub = self.plant.operators()
        hub.feed._most = self.most
        for lane, worker in zip((hub.main, hub.apart), self.workers, strict=True):
            lane._worker = worker
            lane.states = BusyStates(self.plant.state.operators._database, self.meanwhile)
        return hub

    def commit(self) -> None:
        for batch in itertools.islice(self.pieces, 1):
            self.plant.append(self.hub, batch, f"piece-{next(self.numbers)}")

    def act(self, action: str) -> None:
        match action:
            case "meanwhile":
                self.meanwhile.actions += [self.commit, lambda: None, self.commit]
                self.step()
            case "step":
                self.step()
            case "work":
                self.work()
            case "save":
                self.hub.main._save(force=True)
            case "kill":
                self.hub = self.started()
            case "stop":
                for lane in (self.hub.main, self.hub.apart):
                    lane._save(force=True)
                self.hub = self.started()
            case "broken":
                self.meanwhile.actions.clear()  # nobody can commit
                self.plant.historian.broken = True
                self.step()
                self.plant.historian.broken = False
            case "moved":
                for run in list(self.hub.main.runs.values())[:1]:
                    self.hub.main._fail(run, OperatorFailed("it raised"))

    def step(self) -> bool:
        for run in self.runs():
            run.rewound = run.retry_at = 0.0  # what otherwise takes seconds
        return bool([lane for lane in (self.hub.main, self.hub.apart) if lane.step()])

    def work(self) -> None:
        """Until nothing is left to do."""
        deadline = time.monotonic() + 60
        while self.step() or any(run.late is not None or not run.loaded for run in self.runs()):
            assert time.monotonic() < deadline

    def runs(self) -> list[Run]:
        return [*self.hub.main.runs.values(), *self.hub.apart.runs.values()]


@pytest.fixture(name="template", scope="module")
def _template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """A state that knows the plant, to be copied: migrations take longer than an example."""
    path = tmp_path_factory.mktemp("state") / "state.db"
    with State(f"sqlite:///{path}") as state:
        state.register_equipment(
            [Equipment(LINE, "Line 1", Level.LINE)]
            + [Equipment(pump, pump[-6:], Level.ASSET, "pump") for pump in PUMPS]
        )
        born = [BornSignal(Signal(path, name), "north/g", "d") for path in PUMPS for name in ("pressure", "power")]
        ids = state.register(born).tolist()
    return path, ids


@pytest.fixture(name="workers", scope="module")
def _workers() -> Iterator[tuple[Worker, Worker]]:
    workers = Worker(Limits()), Worker(Limits())
    yield workers
    for worker in workers:
        worker.close()


def expected(runs: Sequence[Run], batch: SampleBatch) -> tuple[list[Event], Int64Array]:
    """Events, and times of computed samples, of all rows in order."""
    events: list[Event] = []
    times = np.empty(0, np.int64)
    for run in runs:
        operator = run.binding.planned.create(run.binding.asset)
        assert operator is not None
        output = operator.update(as_inputs(in_order(batch), run.binding.ids))
        events += marked(output.events, run.key[0])
        times = np.concatenate([times, output.samples.times])
    return sorted(events, key=lambda event: (event.time, event.subject, event.kind)), times


def played(
    folder: Path,
    template: tuple[Path, list[int]],
    workers: tuple[Worker, Worker],
    order: Sequence[int],
    actions: Sequence[str],
    most: int,
    whole: bool = False,  # no time is split over two pieces
) -> None:
    """Commit pieces in this order, one action after each; then compare."""
    path, ids = template
    shutil.copy(path, folder / "state.db")
    batch = week(ids).take(slice(0, PIECES * 60))
    edges = np.arange(1, PIECES) * 60
    cuts = np.split(np.arange(len(batch)), np.searchsorted(batch.times, batch.times[edges]) if whole else edges)
    with State(f"sqlite:///{folder}/state.db") as state:
        meanwhile = Meanwhile()
        plan = [planned(RULE, SITE), planned(TOTAL, SITE)]
        plant = Plant(BusyHistorian(meanwhile), state, ids, plan)
        scene = Scene(plant, workers, meanwhile, iter([batch.take(cuts[piece]) for piece in order]), most)
        for action in actions:
            scene.commit()
            scene.act(action)
        for _ in order:
            scene.commit()
        scene.work()
        for lane in (scene.hub.main, scene.hub.apart):
            lane._save(force=True)
        runs = scene.runs()
        events, times = expected(runs, batch)
        assert len(events) >= 10
        assert len(times) >= 10
        assert as_bytes(plant.stored()) == as_bytes(events)
        (output,) = (run.binding.output_ids for run in runs if run.binding.output_ids)
        (samples,) = plant.historian.read(output, 0, 2**60, before=False)
        assert samples.times.tolist() == times.tolist()


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    delays=st.lists(st.integers(0, 6), min_size=PIECES, max_size=PIECES),
    actions=st.lists(st.sampled_from(ACTIONS), min_size=PIECES, max_size=PIECES),
    most=st.sampled_from([60, 300, 500_000]),
)
def test_no_order_of_commits_steps_and_kills_changes_what_is_found(
    tmp_path_factory: pytest.TempPathFactory,
    template: tuple[Path, list[int]],
    workers: tuple[Worker, Worker],
    delays: list[int],
    actions: list[str],
    most: int,
) -> None:
    """Rows come late, too many at once, during reads and saves, between kills: what is found is as of rows in order."""
    order = sorted(range(PIECES), key=lambda piece: (piece + delays[piece], piece))
    played(tmp_path_factory.mktemp("scene"), template, workers, order, actions, most)


def test_what_was_found_without_rows_that_came_after_a_kill_is_withdrawn(
    tmp_path: Path, template: tuple[Path, list[int]], workers: tuple[Worker, Worker]
) -> None:
    """Rows have a gap when the hub is killed, and it is filled before operators go on: no event of the gap stays."""
    order = [*range(4), *range(9, PIECES), *range(4, 9)]
    actions = ["work", "nothing", "nothing", "save", *["work"] * (PIECES - 10), "kill"]
    played(tmp_path, template, workers, order, actions, 500_000, whole=True)

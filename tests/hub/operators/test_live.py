"""Operators at work, against the backtest: whole, restarted, late, and beside bad neighbours."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hub.memory_historian import MemoryHistorian
from hub.operators.plant import PUMPS, RULE, SECOND, SITE, START, WEEK, Plant, as_bytes, week, work
from lineshaft.config.operators import OperatorConfig
from lineshaft.hub.operators.backtest import backtest
from lineshaft.hub.operators.order import as_inputs, in_order
from lineshaft.hub.operators.plan import planned
from lineshaft.hub.operators.worker import Limits, Worker
from lineshaft.hub.ports import BornSignal
from lineshaft.hub.state.state import State
from lineshaft.model.equipment import Equipment, Level, Signal


@pytest.fixture(name="plant")
def _plant(tmp_path: Path) -> Iterator[Plant]:
    with State(f"sqlite:///{tmp_path}/state.db") as state:
        state.register_equipment([Equipment(path, path[-6:], Level.ASSET, "pump") for path in PUMPS])
        born = [BornSignal(Signal(path, name), "north/g", "d") for path in PUMPS for name in ("pressure", "power")]
        yield Plant(MemoryHistorian(), state, state.register(born).tolist())


def test_live_and_backtest_give_the_same_bytes(plant: Plant) -> None:
    """A week that comes in odd pieces, with two restarts and a kill, gives the events of a backtest, byte for byte."""
    batch = week(plant.ids)
    hub = plant.operators()
    cuts = np.sort(np.random.default_rng(3).choice(np.arange(1, len(batch)), 40, replace=False))
    for number, rows in enumerate(np.split(np.arange(len(batch)), cuts)):
        plant.append(hub, batch.take(rows), f"part-{number}")
        if number % 3:
            work(hub)
        if number in (10, 20):
            hub.stop()
            hub = plant.operators()
        if number == 30:  # killed: nothing is saved, the worker is gone
            hub.main._worker.close()
            hub = plant.operators()
    for run in hub.main.runs.values():
        run.rewound = 0.0
    work(hub)
    hub.stop()
    expected = plant.backtested()
    assert len(expected) > 50
    assert as_bytes(plant.stored()) == as_bytes(expected)


def test_rows_that_come_shuffled_and_late_give_the_same_events(plant: Plant) -> None:
    """Half in order, half shuffled and late: in the end stands the backtest; what was told too early is withdrawn."""
    batch = week(plant.ids)
    random = np.random.default_rng(4)
    late = (random.random(len(batch)) < 0.5) & (batch.times < START + 3 * 86_400 * SECOND)
    hub = plant.operators()
    plant.append(hub, batch.take(~late), "in order")
    work(hub)
    order = random.permutation(np.flatnonzero(late))
    for number, rows in enumerate(np.array_split(order, 5)):
        plant.append(hub, batch.take(rows), f"late-{number}")
        for run in hub.main.runs.values():
            run.rewound = 0.0  # a rewind at most every few seconds
        work(hub)
    assert as_bytes(plant.stored()) == as_bytes(plant.backtested())
    withdrawn = [one.event for one in plant.state.events.find(limit=10_000) if one.event.kind == "operator.withdrawn"]
    assert withdrawn
    assert all(event.message.startswith("Withdrawn after late data: ") for event in withdrawn)
    assert sum(one.rewinds for one in hub.figures()) >= 5
    hub.stop()


def test_computed_metrics_follow_late_rows_and_kills(plant: Plant) -> None:
    """A line's sum is stored once for each tick; after shuffled rows and a kill it is that of rows in order."""
    plant.state.register_equipment([Equipment(f"{SITE}/hall/line-1", "Line 1", Level.LINE)])
    total = OperatorConfig(
        id="line-power", operator="total", assets=("hall/line-1",), options={"name": "power-total", "signal": "power"}
    )
    plant.plan = [planned(total, SITE)]
    batch = week(plant.ids).take(slice(0, 8000))
    random = np.random.default_rng(8)
    late = random.random(len(batch)) < 0.3
    hub = plant.operators()
    plant.append(hub, batch.take(~late), "in order")
    work(hub)
    hub.main._store(list(hub.main.runs.values()))  # killed between samples and their state
    hub.main._worker.close()
    hub = plant.operators()
    for number, rows in enumerate(np.array_split(random.permutation(np.flatnonzero(late)), 3)):
        plant.append(hub, batch.take(rows), f"late-{number}")
        for run in hub.main.runs.values():
            run.rewound = 0.0
        work(hub)
    hub.stop()
    (run,) = hub.main.runs.values()
    operator = run.binding.planned.create(run.binding.asset)
    assert operator is not None
    expected = operator.update(as_inputs(in_order(batch), run.binding.ids)).samples
    (stored,) = plant.historian.read(run.binding.output_ids, 0, START + WEEK * SECOND, before=False)
    assert len(expected) > 1000
    assert stored.times.tolist() == expected.times.tolist()
    np.testing.assert_array_equal(stored.values, expected.values)
    assert plant.state.catalogue.by_path(f"{SITE}/hall/line-1/power-total") is not None


def test_each_prediction_is_in_the_record_once(plant: Plant) -> None:
    """Over a restart, a kill and late rows the record is that of a backtest; what was proved wrong is kept as such."""
    foretells = OperatorConfig(id="mean", operator="hub.operators.foretells:FORETELLS", assets=("**/pump-*",))
    plant.plan = [planned(foretells, SITE)]
    plant.limits = Limits(folders=(str(Path(__file__).parents[2]),))
    batch = week(plant.ids)
    late = (batch.times > START + 86_400 * SECOND) & (batch.times < START + 86_400 * SECOND + 2 * 3600 * SECOND)
    hub = plant.operators()
    for number, rows in enumerate(np.array_split(np.flatnonzero(~late), 12)):
        plant.append(hub, batch.take(rows), f"part-{number}")
        work(hub)
        if number == 4:
            hub.stop()
            hub = plant.operators()
        if number == 8:  # killed: nothing is saved, the worker is gone
            hub.main._worker.close()
            hub = plant.operators()
    plant.append(hub, batch.take(late), "late")
    for run in hub.main.runs.values():
        run.rewound = 0.0
    work(hub)
    runs = list(hub.main.runs.values())
    hub.stop()
    worker = Worker(plant.limits)
    whole = (START, START + WEEK * SECOND)
    expected = [one for run in runs for one in backtest(plant.historian, run.binding, *whole, worker).predictions]
    worker.close()
    stored = plant.state.predictions.find(limit=100_000)
    assert len(expected) > 300
    by_asset = sorted((one.prediction for one in stored), key=lambda one: (one.subject, one.time))
    assert by_asset == expected
    assert {(one.operator, one.type) for one in stored} == {("mean", "pump")}
    assert all(one.made >= one.prediction.time for one in stored)
    wrong = [one for one in plant.state.predictions.find(superseded=True, limit=1000) if one.superseded]
    assert {one.prediction.time // 3_600_000_000 for one in wrong} & {one.time // 3_600_000_000 for one in expected}


def test_late_rows_are_remembered_over_a_kill(plant: Plant) -> None:
    """Rows that came late just before a kill are worked in after it."""
    batch = week(plant.ids)
    late = (batch.times > START + 2 * 86_400 * SECOND) & (batch.times < START + 3 * 86_400 * SECOND)
    hub = plant.operators()
    plant.append(hub, batch.take(~late), "in order")
    work(hub)
    hub.main._save(force=True)
    plant.append(hub, batch.take(late), "late")
    hub.main._worker.close()
    hub = plant.operators()
    work(hub)
    hub.stop()
    assert as_bytes(plant.stored()) == as_bytes(plant.backtested())


def test_more_rows_than_memory_holds_are_read_from_history(plant: Plant) -> None:
    """An operator that is slower than its rows come loses none and holds nobody up."""
    batch = week(plant.ids)
    hub = plant.operators()
    work(hub)
    hub.feed._most = 1000
    for number, rows in enumerate(np.array_split(np.arange(len(batch)), 30)):
        plant.append(hub, batch.take(rows), f"part-{number}")
        if number % 10 == 0:
            work(hub)
        assert sum(hub.feed.waiting().values()) <= 1000
    work(hub)
    hub.stop()
    assert as_bytes(plant.stored()) == as_bytes(plant.backtested())


def test_bad_neighbours_are_shown_and_the_others_go_on(plant: Plant) -> None:
    """One operator raises, one hangs, one eats memory, one gives no state: each is shown and told once, with its error,
    over restarts too; the rules go on, and what was mended is told as well."""
    bad = {name.lower(): OperatorConfig(id=name.lower(), operator=f"hub.operators.bad:{name}", assets=("**/pump-1",))
           for name in ("RAISES", "HANGS", "EATS", "FORGETS")}  # fmt: skip
    plant.plan = [planned(config, SITE) for config in (*bad.values(), RULE)]
    plant.limits = Limits(seconds=5.0, memory=512 << 20, folders=(str(Path(__file__).parents[2]),))
    batch = week(plant.ids)
    hub = plant.operators()
    for number, rows in enumerate(np.array_split(np.arange(len(batch)), 8)):
        plant.append(hub, batch.take(rows), f"part-{number}")
        work(hub)
        for run in hub.apart.runs.values():
            run.retry_at = time.monotonic() + 3600.0  # hanging once more costs time and shows nothing new
    hub.main._save(force=True)
    found = {(one.operator, one.asset[-6:]): one for one in hub.figures()}
    assert found["raises", "pump-1"].error.startswith("ZeroDivisionError: a mistake of its author (bad.py:")
    assert found["hangs", "pump-1"].error == "it did not answer within 5 s"
    assert "MemoryError" in found["eats", "pump-1"].error or "ended" in found["eats", "pump-1"].error
    assert found["forgets", "pump-1"].error.startswith("TypeError: cannot pickle it (bad.py:")
    assert {one.state for key, one in found.items() if key[0] == "high-pressure"} == {"running"}
    assert {key[0] for key in hub.apart.runs} == {"raises", "hangs", "eats", "forgets"}
    assert all(plant.state.operators.newest(("high-pressure", pump)) is not None for pump in PUMPS)
    failing = [one for key, one in found.items() if key[0] in bad]
    assert all(one.hint and one.next_try > one.last_failure >= one.failing_since > 0 for one in failing)
    told = told_of(plant)
    assert [(kind, subject) for kind, _, subject, _ in told] == [("operator.failing", PUMPS[0])] * 4
    assert all(found[name, "pump-1"].error in words for _, name, _, words in told)
    failures = found["raises", "pump-1"].failures
    assert hub.try_now("raises", PUMPS[0])
    assert not hub.try_now("high-pressure", PUMPS[0])
    work(hub)
    again = {one.operator: one for one in hub.figures()}["raises"]
    assert (again.failures, again.failing_since) == (failures + 1, found["raises", "pump-1"].failing_since)
    hub.stop()

    plant.plan = [planned(bad["raises"], SITE), planned(RULE, SITE)]
    hub = plant.operators()
    restarted = {one.operator: one for one in hub.figures()}["raises"]
    assert (restarted.state, restarted.failures) == ("failing", failures + 1)
    assert restarted.failing_since == again.failing_since
    work(hub)
    hub.stop()
    assert told_of(plant) == told
    mended = RULE.model_copy(update={"id": "raises", "assets": ("**/pump-1",)})
    plant.plan = [planned(mended, SITE), planned(RULE, SITE)]
    for _ in range(2):  # what the hub tells is not taken back as a finding that was not found again
        hub = plant.operators()
        work(hub)
        assert {one.state for one in hub.figures()} == {"running"}
        hub.stop()
    assert told_of(plant)[:4] == told
    ((kind, name, subject, words),) = told_of(plant)[4:]
    assert (kind, name, subject) == ("operator.recovered", "raises", PUMPS[0])
    assert words.startswith(f"The operator raises works again on pump-1; it failed {failures + 2} times in ")
    rules = [event for event in plant.stored() if event.details["operator"] == RULE.id]
    plant.plan = [planned(RULE, SITE)]
    assert as_bytes(rules) == as_bytes(plant.backtested())


def told_of(plant: Plant) -> list[tuple[str, str, str, str]]:
    """What the hub told of its operators, in the order of telling."""
    found = plant.state.events.after(0, ("operator.",))
    return [(one.event.kind, str(one.event.details["operator"]), one.event.subject, one.event.message) for one in found]

"""The operator beside the recorder on one hub: live, after late rows, and in a backtest."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path

from lineshaft.analytics.oee.stops import cells_of, fold
from lineshaft.apps.oee.keeping import story_of
from lineshaft.clock import SystemClock
from lineshaft.config.oee import STATES_ID
from lineshaft.hub.operators.backtest import backtest
from lineshaft.hub.operators.engine import Operators
from lineshaft.hub.operators.plan import plan_operators
from lineshaft.hub.operators.worker import Limits, Worker
from lineshaft.hub.ports import BornSignal
from lineshaft.model.equipment import Equipment, Level, Signal, SignalKind
from lineshaft.model.events import Event

from .plant import DAY, HOUR, MINUTE, MONDAY, PRESS, ROOT, RUN, SAW, SIX, STOP, Line, running
from .test_recorder import an_hour


def _work(hub: Operators) -> None:
    deadline = time.monotonic() + 60
    for run in hub.main.runs.values():
        run.rewound = 0.0
    while any(lane.step() for lane in (hub.main, hub.apart)):
        assert time.monotonic() < deadline


def _stored(line: Line) -> list[Event]:
    found = [one.event for one in line.services.state.events.find(limit=1000)]
    return sorted((one for one in found if one.kind == "oee.stop"), key=lambda one: (one.time, one.subject))


def _recorded(line: Line) -> list[tuple[str, int, int]]:
    """Stops of five minutes and more in the recorder's tables that are over."""
    rows = []
    for path in (PRESS, SAW):
        story = story_of(line.oee.store.intervals(path, MONDAY, MONDAY + DAY), line.oee.setup.reasons)
        stops = fold(cells_of(story.states, story.causes, story.reasons, MONDAY, line.clock.now_us())).stops
        rows += [(path, one.start, one.end) for one in stops if one.end - one.start >= 5 * MINUTE]
    return sorted(rows, key=lambda row: (row[2], row[0]))


async def test_live_backtest_and_kpis_know_the_same_stops(tmp_path: Path) -> None:
    """Stops become events with reason, cause and cost; a late row corrects them; a backtest gives the same bytes."""
    with running(tmp_path) as line:
        line.services.state.register_equipment([Equipment(f"{ROOT}/line", "Line", Level.LINE)])
        plan = plan_operators(line.plant)
        assert [one.id for one in plan] == [STATES_ID]
        hub = Operators(plan, line.historian, line.services.state, SystemClock(), delay=0.0)
        hub.open()
        line.historian.listen(hub.feed.told)
        await an_hour(line)
        _work(hub)
        first = {one.subject: one.details for one in _stored(line)}
        assert (first[PRESS]["reason"], first[PRESS]["cost"], first[PRESS]["proposed"]) == ("jam", 16.67, True)
        assert (first[SAW]["state"], first[SAW]["cause"]) == ("starved", PRESS)
        line.put(f"{PRESS}/state", [(SIX + 40 * MINUTE, STOP), (SIX + 48 * MINUTE, RUN)])  # late
        line.put(f"{PRESS}/state", [(SIX + 62 * MINUTE, RUN)])
        await line.at(SIX + 2 * HOUR)
        await line.late()
        _work(hub)
        stored = _stored(line)
        assert [(one.subject, one.details["start"], one.details["end"]) for one in stored] == _recorded(line)
        assert len(stored) == 3
        worker, (run,) = Worker(Limits()), hub.main.runs.values()
        again = list(backtest(line.historian, run.binding, MONDAY, MONDAY + DAY, worker).events)
        worker.close()
        hub.stop()
        again.sort(key=lambda one: (one.time, one.subject))
        assert json.dumps([asdict(one) for one in again]) == json.dumps([asdict(one) for one in stored])


async def test_words_that_come_later_count(tmp_path: Path) -> None:
    """A signal that is stored before its birth has no words for its states; when they come, the past is told anew."""
    with running(tmp_path) as line:
        state = line.services.state
        state.register_equipment([Equipment(f"{ROOT}/line", "Line", Level.LINE)])
        press, saw = line.plant.oee.machines
        oee = line.plant.oee.model_copy(update={"machines": (press.model_copy(update={"standard": "words"}), saw)})
        hub = Operators(
            plan_operators(line.plant.model_copy(update={"oee": oee})), line.historian, state, SystemClock()
        )
        line.put(f"{PRESS}/state", [(SIX, 1.0), (SIX + 20 * MINUTE, 2.0), (SIX + 30 * MINUTE, 1.0)])
        hub.open()
        line.historian.listen(hub.feed.told)
        _work(hub)
        assert not _stored(line)
        born = Signal(PRESS, "state", SignalKind.STATE, states=(("1", "running"), ("2", "stopped")))
        state.register([BornSignal(born, "works/gateway-1", "plc")])
        hub.open()
        _work(hub)
        hub.stop()
        assert [one.details["state"] for one in _stored(line)] == ["stopped"]

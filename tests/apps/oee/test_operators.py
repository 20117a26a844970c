"""Machine states as an operator: the contract for every kind of machine, and the same stops as the KPIs have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from lineshaft.analytics.oee.states import State
from lineshaft.analytics.oee.stops import Stop, cells_of, fold
from lineshaft.apps.oee.operators import MachineStates
from lineshaft.apps.oee.setup import LineSetup
from lineshaft.apps.oee.stories import Column, tell_line
from lineshaft.hub.operators.order import in_order
from lineshaft.model.equipment import Equipment, Level, Signal
from lineshaft.model.samples import SampleBatch
from lineshaft.operators.base import Asset, Output
from lineshaft.operators.builtin import OPERATORS
from lineshaft.testing import OperatorContract, OperatorSetup, run_whole

LINE = "acme/works/line"
SECOND = 1_000_000
START = 1_772_409_600 * SECOND
MACHINES: tuple[dict[str, Any], ...] = (
    {"asset": "line/press", "state": "state", "standard": "packml", "reason": "reason", "hourly_cost": 60},
    {"asset": "line/saw", "power": {"signal": "power", "idle": 1, "running": 5, "hold": "7s"}},
    {"asset": "line/drill", "counts": {"longest": "8s"}, "good": "good", "scrap": "scrap"},
    {"asset": "line/wash", "bits": [{"signal": "fault", "state": "fault"}, {"signal": "run", "state": "running"}]},
)
SIGNALS = ("press/state", "press/reason", "saw/power", "drill/good", "drill/scrap", "wash/fault", "wash/run")
REASONS = [{"id": "jam", "name": "Jam", "match": ["jam*"]}, {"id": "tool", "name": "Tool", "match": ["tool"]}]


def setup_of(*machines: int, least: str = "0s", rows: SampleBatch | None = None) -> OperatorSetup:
    """An operator over these of the machines, in a line."""
    chosen = [MACHINES[place] for place in machines]
    names = [str(one["asset"]).partition("/")[2] for one in chosen]
    known = [one for one in SIGNALS if one.partition("/")[0] in names]
    signals = tuple(Signal(f"{LINE}/{one.partition('/')[0]}", one.partition("/")[2]) for one in known)
    options = {"machines": chosen, "lines": [{"path": "line", "flow": names}], "reasons": REASONS, "least": least,
               "currency": "EUR", "names": {"line/press": "The press"}}  # fmt: skip
    asset = Asset(Equipment(LINE, "Line", Level.LINE), signals)
    setup = OperatorSetup(OPERATORS["machine-states"], options, asset, SampleBatch.empty())
    inputs = [one.path.removeprefix(f"{LINE}/") for one in setup.operator().inputs]
    return OperatorSetup(setup.spec, options, asset, recording(inputs) if rows is None else rows)


def recording(inputs: Sequence[str], seed: int = 3, rows: int = 900) -> SampleBatch:
    """Rows as chance has them: jumping states, spikes of power, counters that pause and reset."""
    random = np.random.default_rng(seed)
    signals = random.integers(0, len(inputs), rows)
    times = np.sort(random.integers(0, 3 * rows, rows)) * SECOND + START
    counts = np.zeros(len(inputs))
    values, texts = np.full(rows, np.nan), np.full(rows, None, object)
    for row, place in enumerate(signals.tolist()):
        name = inputs[place].partition("/")[2]
        if name == "reason":
            texts[row] = random.choice(["", "jam 3", "tool", "who knows"])
        elif name in ("good", "scrap"):
            counts[place] = 0 if random.random() < 0.02 else counts[place] + (random.random() < 0.6)
            values[row] = counts[place]
        else:
            choices = {"state": [6, 6, 2, 4, 9, 11, 99], "power": [0.5, 3, 8, 8], "fault": [0, 0, 1], "run": [0, 1]}
            values[row] = random.choice(choices[name])
    return in_order(SampleBatch.of(signals, times, values, 192, texts))


def columns_of(setup: OperatorSetup) -> Mapping[str, Column]:
    batch, found = setup.recording, {}
    for place, signal in enumerate(setup.operator().inputs):
        rows = batch.take(batch.signals == place)
        last = np.append(np.diff(rows.times) > 0, True)  # of several for one instant the last
        rows = rows.take(last)
        found[signal.path] = Column(rows.times, rows.values, rows.qualities, rows.texts)
    return found


def stops_of(setup: OperatorSetup, until: int) -> dict[str, list[Stop]]:
    """What telling the whole recording at once gives, as the recorder of KPIs does."""
    operator = setup.operator()
    assert isinstance(operator, MachineStates)
    line: LineSetup = operator._line
    stories = tell_line(line, columns_of(setup), operator._reasons, START - 1, until)
    return {
        path: list(fold(cells_of(one.states, one.causes, one.reasons, START - 1, until)).stops)
        for path, one in stories.items()
    }


@pytest.fixture(params=[(0,), (1,), (2,), (3,), (0, 1, 2, 3)], ids=["words", "power", "counts", "bits", "line"])
def chosen(request: pytest.FixtureRequest) -> tuple[int, ...]:
    machines: tuple[int, ...] = request.param
    return machines


class TestMachineStates(OperatorContract):
    @pytest.fixture
    def setup(self, chosen: tuple[int, ...]) -> OperatorSetup:
        return setup_of(*chosen)


def test_stops_are_those_of_the_kpis(chosen: tuple[int, ...]) -> None:
    """Rows in many small batches give, stop by stop, what the KPIs are made of: start, end, state, reason and cause."""
    setup = setup_of(*chosen)
    found = run_whole(setup.operator(), setup.cuts(5, 300))
    end = int(setup.recording.times[-1])
    expected = stops_of(setup, end + 1)
    total = 0
    for path, stops in expected.items():
        told = [one.details for one in found.events if one.subject == path]
        flow = [one["asset"].partition("/")[2] for one in setup.options["machines"]]
        wanted = [
            {"start": one.start, "end": one.end, "state": State(one.state).name.lower(),
             "reason": REASONS[one.reason]["id"] if one.reason >= 0 else "",
             "cause": f"{LINE}/{flow[one.cause]}" if one.cause >= 0 else ""}
            for one in stops
        ]  # fmt: skip
        shown = [{name: one[name] for name in ("start", "end", "state", "reason", "cause")} for one in told]
        missing = [one for one in wanted if one not in shown]
        assert shown == wanted[: len(shown)]
        assert all(int(one["end"]) > end - 60 * SECOND for one in missing), "only what is not certain yet is missing"
        total += len(shown)
    assert total > 20


def test_a_stop_says_what_it_cost() -> None:
    """Ten minutes at 60 an hour are 10; the reason is the machine's own word, marked as proposed."""
    minute = 60 * SECOND
    rows = [(0, 0, 6.0, None), (0, 10, 2.0, None), (1, 10, np.nan, "jam 7"), (1, 20, np.nan, ""), (0, 20, 6.0, None)]
    batch = SampleBatch.of(
        [one[0] for one in rows], [START + one[1] * minute for one in rows], [one[2] for one in rows], 192,
        [one[3] for one in rows],
    )  # fmt: skip
    found: Output = run_whole(setup_of(0).operator(), [batch])
    (event,) = found.events
    assert (event.kind, event.time, event.subject) == ("oee.stop", START + 20 * minute, f"{LINE}/press")
    assert event.message == "The press stood for 10 min: Jam"
    assert event.details == {
        "start": START + 10 * minute, "end": START + 20 * minute, "seconds": 600.0, "state": "stopped",
        "reason": "jam", "proposed": True, "cause": "", "cost": 10.0, "currency": "EUR",
    }  # fmt: skip
    assert found.samples.values.tolist() == [State.RUNNING, State.STOPPED, State.RUNNING]
    assert not run_whole(setup_of(0, least="11min").operator(), [batch]).events


def test_a_state_that_holds_is_said_again() -> None:
    """A machine that runs for hours is confirmed with the rows of its line; what nobody sends is not made up."""
    minute = 60 * SECOND
    times = [0, *range(5, 35), 95]  # minutes; nothing comes for an hour
    rows = SampleBatch.of([0] * len(times), [START + one * minute for one in times], 6.0, 192)
    whole = run_whole(setup_of(0).operator(), [rows]).samples
    parts = run_whole(setup_of(0).operator(), [rows.take(np.array([n])) for n in range(len(rows))]).samples
    assert (parts.times.tolist(), parts.values.tolist()) == (whole.times.tolist(), whole.values.tolist())
    assert set(whole.values.tolist()) == {State.RUNNING}
    assert [(one - START) // minute for one in whole.times.tolist()] == [0, 10, 20, 30, 95]


def test_what_it_remembers_stays_small() -> None:
    """After a weekend of rows each second, the state holds a few rows of each signal, not the weekend."""
    seconds = 20_000
    for place, value in ((1, 0.4), (2, 7.0)):
        operator = setup_of(place).operator()
        for part in np.array_split(np.arange(seconds), 40):
            values = np.full(len(part), value) + (0.1 * (part % 3) if place == 1 else 0)
            operator.update(SampleBatch.of(np.zeros(len(part)), START + part * SECOND, values))
        assert len(operator.snapshot()) < 2000

"""Machine states and stops as an operator on the stream: one instance for a line, live and over history."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lineshaft.analytics.oee.losses import money
from lineshaft.analytics.oee.states import State
from lineshaft.analytics.oee.steps import NOTHING, overlay
from lineshaft.analytics.oee.stops import Stop, cells_of, fold
from lineshaft.apps.oee.settling import Settling, settling
from lineshaft.apps.oee.setup import LineSetup, MachineSetup, Reasons, reasons_of, rules_of, states_table
from lineshaft.apps.oee.stories import Column, Story, joined, tell_line
from lineshaft.config.oee import MachineStatesConfig
from lineshaft.errors import DataError
from lineshaft.model.equipment import Datatype, Signal, SignalKind
from lineshaft.model.events import Event
from lineshaft.model.samples import Quality, SampleBatch
from lineshaft.operators.base import Asset, Operator, OperatorSpec, Output

OUTPUT = "machine-state"
"""Name of the signal that the operator makes on each machine."""
CONFIRMED_US = 600_000_000
"""What holds on is said again with the first row after each multiple of this."""
_WORDS = tuple((str(int(state)), state.name.lower()) for state in State)


@dataclass(frozen=True, slots=True)
class _Sample:
    place: int
    time: int
    value: int


class MachineStates:
    """Implements operators.base.Operator over the machines of a line, with the functions that the KPIs are made of.

    It keeps the few rows that tell what holds now, and how long each open stop has been what; so a state is small
    and a stop of a month costs no more than one of a minute.
    """

    def __init__(
        self, line: LineSetup, reasons: Reasons, config: MachineStatesConfig, inputs: Sequence[Signal]
    ) -> None:
        self.inputs: Sequence[Signal] = tuple(inputs)
        self.outputs: Sequence[Signal] = tuple(
            Signal(machine.path, OUTPUT, SignalKind.STATE, Datatype.UINT8, states=_WORDS,
                   description="What the machine does, as OEE sees it") for machine in line.machines
        )  # fmt: skip
        self._line, self._reasons, self._config = line, reasons, config
        self._columns: dict[str, Column] = {}
        self._since: int | None = None  # up to here all is told
        self._open: list[Stop | None] = [None] * len(line.machines)
        self._shown = [NOTHING - 1] * len(line.machines)  # the state that was last made a sample

    def update(self, batch: SampleBatch) -> Output:
        """See operators/base.py."""
        if not len(batch):
            return Output()
        for place in np.unique(batch.signals).tolist():
            rows, path = batch.take(batch.signals == place), self.inputs[place].path
            new = Column(rows.times, rows.values, rows.qualities, rows.texts)
            self._columns[path] = joined(self._columns.get(path), new)
        times = np.unique(batch.times)
        since = int(times[0]) if self._since is None else self._since
        end = int(times[-1]) + 1
        settled = [settling(machine, self._columns, since, end) for machine in self._line.machines]
        until = min(one.horizon(end - 1) for one in settled)
        if until <= since:
            self._since = since
            return Output()
        stories = tell_line(self._line, self._columns, self._reasons, since, end)
        events, samples = [], []
        for place, machine in enumerate(self._line.machines):
            story = stories[machine.path]
            events += self._stops(place, story, settled, times, since, until)
            samples += self._states(place, story, settled, times, since, until)
        self._since = until
        self._forget(until, end)
        events.sort(key=lambda event: event.time)
        return Output(tuple(events), _batch(samples))

    def _stops(
        self, place: int, story: Story, settled: Sequence[Settling], times: np.ndarray, since: int, until: int
    ) -> list[Event]:
        machine = self._line.machines[place]
        found = fold(cells_of(story.states, story.causes, story.reasons, since, until), self._open[place])
        self._open[place] = found.open
        least = machine.config.minor_stop if self._config.least is None else self._config.least
        return [
            self._event(machine, stop, _seen(stop.end, settled, times))
            for stop in found.stops
            if stop.end - stop.start >= round(least * 1e6)
        ]

    def _event(self, machine: MachineSetup, stop: Stop, time: int) -> Event:
        state, reason = State(stop.state), self._reasons.at(stop.reason)
        seconds = (stop.end - stop.start) / 1e6
        words = f"{machine.name} stood for {_length(seconds)}: {reason.name if reason else state.name.lower()}"
        details: dict[str, str | int | float | bool | None] = {
            "start": stop.start, "end": stop.end, "seconds": seconds, "state": state.name.lower(),
            "reason": reason.id if reason else "", "proposed": reason is not None,
            "cause": self._line.machines[stop.cause].path if stop.cause != NOTHING else "",
            "cost": round(money(stop.end - stop.start, machine.config.hourly_cost), 2)
            if machine.config.hourly_cost else None,
            "currency": self._config.currency if machine.config.hourly_cost else "",
        }  # fmt: skip
        return Event(time, "oee.stop", machine.path, words, details=details)

    def _states(
        self, place: int, story: Story, settled: Sequence[Settling], times: np.ndarray, since: int, until: int
    ) -> list[_Sample]:
        grid = overlay(since, until, story.states)
        made: list[_Sample] = []
        again = np.arange(-(-since // CONFIRMED_US) * CONFIRMED_US, until, CONFIRMED_US)
        starts = np.union1d(grid.starts, again)
        values = np.maximum(grid.columns[0], 0)[np.searchsorted(grid.starts, starts, side="right") - 1]
        for start, value in zip(starts.tolist(), values.tolist(), strict=True):
            if value != self._shown[place] or start % CONFIRMED_US == 0:
                self._shown[place] = value
                sample = _Sample(place, _seen(start, settled, times), value)
                made = [*made[:-1], sample] if made and made[-1].time == sample.time else [*made, sample]
        return made

    def _forget(self, until: int, end: int) -> None:
        """Keep of each signal what tells the states from `until` on."""
        for machine in self._line.machines:
            settled = settling(machine, self._columns, until, end)
            for path in machine.signals:
                column = self._columns.get(path)
                if column is None:
                    continue
                if settled.kind == "power" and path == f"{machine.path}/{_power(machine)}":
                    self._columns[path] = column.take(column.times >= settled.back_to)
                else:
                    self._columns[path] = _kept(column, min(settled.back_to, until))

    def snapshot(self) -> bytes:
        """See operators/base.py."""
        columns = {path: _written(column) for path, column in sorted(self._columns.items())}
        stops = [None if one is None else [one.start, one.end, one.shares] for one in self._open]
        return json.dumps([self._since, columns, stops, self._shown]).encode()

    def restore(self, snapshot: bytes) -> None:
        """See operators/base.py."""
        try:
            self._since, columns, stops, self._shown = json.loads(snapshot)
            self._columns = {path: _read(one) for path, one in columns.items()}
            self._open = [None if one is None else _stop(*one) for one in stops]
        except (ValueError, TypeError, AttributeError) as error:
            raise DataError(f"no snapshot of machine states: {error}") from error
        if len(self._open) != len(self._line.machines) or len(self._shown) != len(self._line.machines):
            raise DataError(f"the snapshot is of {len(self._open)} machines, there are {len(self._line.machines)}")


def _seen(at: int, settled: Sequence[Settling], times: np.ndarray) -> int:
    """Time of the first row with which the states of all machines at an instant are certain."""
    due = max(one.due(at) for one in settled)
    return int(times[np.searchsorted(times, due)])


def _batch(samples: Sequence[_Sample]) -> SampleBatch:
    ordered = sorted(samples, key=lambda one: (one.time, one.place))
    known = np.array([one.value != State.UNKNOWN for one in ordered], np.bool_)
    values = np.where(known, np.array([one.value for one in ordered], np.float64), np.nan)
    qualities = np.where(known, Quality.GOOD, Quality.BAD_NO_VALUE).astype(np.uint8)
    return SampleBatch.of([one.place for one in ordered], [one.time for one in ordered], values, qualities)


def _power(machine: MachineSetup) -> str:
    return machine.config.power.signal if machine.config.power is not None else ""


def _kept(column: Column, since: int) -> Column:
    """The last usable row before `since`, the last one of any quality, and those after that change something."""
    before = int(np.searchsorted(column.times, since))
    usable = np.flatnonzero(column.good[:before] & ~np.isnan(column.values[:before]))
    first = int(usable[-1]) if len(usable) else max(0, before - 1)
    rows = np.unique(np.r_[first : first + 1, max(first + 1, before - 1) : len(column.times)])
    found = column.take(rows[rows < len(column.times)])
    rows_of = list(zip(found.raw(), found.good.tolist(), strict=True))
    changes = [n == 0 or one != rows_of[n - 1] for n, one in enumerate(rows_of)]
    return found.take(np.array(changes, np.bool_))


def _written(column: Column) -> list[Any]:
    values = [None if np.isnan(value) else value for value in column.values.tolist()]
    texts = None if column.texts is None or not any(column.texts) else column.texts.tolist()
    return [column.times.tolist(), values, column.qualities.tolist(), texts]


def _read(written: list[Any]) -> Column:
    times, values, qualities, texts = written
    column = None if texts is None else np.array([*texts, None], object)[:-1]
    numbers = np.array([np.nan if value is None else value for value in values], np.float64)
    return Column(np.array(times, np.int64), numbers, np.array(qualities, np.uint8), column)


def _stop(start: int, end: int, shares: list[Any]) -> Stop:
    return Stop(start, end, tuple(((what[0], what[1], what[2]), time) for what, time in shares))


def _length(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _create(config: MachineStatesConfig, asset: Asset) -> Operator | None:
    """On a line of the options, or on a machine that no line names."""
    lines = {line.path: [f"{line.path}/{name}" for name in line.flow] for line in config.lines}
    in_flow = {path for flow in lines.values() for path in flow}
    lines |= {one.asset: [one.asset] for one in config.machines if one.asset not in in_flow}
    place = next((path for path in lines if asset.path.endswith(f"/{path}")), None)
    if place is None:
        return None
    root = asset.path.removesuffix(f"/{place}")
    known = {signal.path: signal for signal in asset.signals}
    by_asset = {one.asset: one for one in config.machines}
    machines = tuple(
        MachineSetup(
            f"{root}/{path}", config.names.get(path, path.rpartition("/")[2]), by_asset[path],
            states_table(by_asset[path], _words(known, f"{root}/{path}/{by_asset[path].state}")),
            rules_of(by_asset[path]), None, "UTC", asset.path,
        )
        for path in lines[place] if path in by_asset
    )  # fmt: skip
    inputs = [known[path] for machine in machines for path in _needed(machine) if path in known]
    told = {f"{machine.path}/{machine.config.reason}" for machine in machines}
    if all(signal.path in told for signal in inputs):
        return None
    line = LineSetup(asset.path, asset.equipment.name, machines)
    return MachineStates(line, Reasons(tuple(reasons_of(config.reasons, "", root))), config, inputs)


def _words(known: Mapping[str, Signal], path: str) -> Mapping[str, str]:
    return dict(known[path].states) if path in known else {}


def _needed(machine: MachineSetup) -> Sequence[str]:
    """Paths of the signals that tell its state and its reason; counters only where they tell the state."""
    config = machine.config
    names = [config.state, config.reason, *(bit.signal for bit in config.bits)]
    names += [config.power.signal] if config.power else []
    names += [config.total or config.good, config.scrap] if config.counts else []
    return [f"{machine.path}/{name}" for name in dict.fromkeys(names) if name]


SPEC = OperatorSpec(
    "machine-states",
    "Machine states and stops",
    MachineStatesConfig,
    _create,
    "What each machine of a line does, and an event for each stop with its reason and its cost.",
)

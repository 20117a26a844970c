"""All steps in their order, and the rows that say that a device is gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from lineshaft.gateway.steps.base import SignalTable, Step, StepCount, Uniqueness
from lineshaft.gateway.steps.bursts import Burst, Bursts, Holding
from lineshaft.gateway.steps.checks import Range, Scale, SourceClock, Types
from lineshaft.gateway.steps.computed import Computation, Computed
from lineshaft.gateway.steps.diagnosis import Diagnosing, Watch
from lineshaft.gateway.steps.door import SwingingDoor
from lineshaft.gateway.steps.exceptions import ReportByException
from lineshaft.gateway.steps.mapping import StateMap
from lineshaft.gateway.steps.rules import EdgeRules
from lineshaft.gateway.steps.sensors import DriftingSensor, MaxRate, SkewedClock, Spike, StuckSensor, SwappedUnit
from lineshaft.model.events import Event
from lineshaft.model.samples import GOOD_CLASS, Int64Array, Quality, SampleBatch, UInt32Array
from lineshaft.operators.rules import Rule
from lineshaft.wire.notes import SignalPipeline, StepStatus


class Pipeline:
    """The edge pipeline of one gateway, for all its devices."""

    def __init__(
        self,
        table: SignalTable,
        computations: Sequence[Computation] = (),
        rules: Sequence[Rule] = (),
        bursts: Sequence[Burst] = (),
        watches: Sequence[Watch] = (),
    ) -> None:
        self.types = Types(table)
        self._skew = SkewedClock(table)
        self._convert: tuple[Step, ...] = (StateMap(table), self.types, Scale(table))
        self._range = Range(table)
        self._judge: tuple[Step, ...] = (
            self._range,
            SourceClock(table),
            MaxRate(table),
            Spike(table),
            StuckSensor(table),
            DriftingSensor(table),
            SwappedUnit(table),
        )
        self._door = SwingingDoor(table)
        self._exceptions = ReportByException(table, all_of=self._door.on)
        self._computed = Computed(computations, len(table))
        self._rules = EdgeRules(rules, len(table))
        self._bursts = Bursts(bursts, len(table))
        self._diagnosing = Diagnosing(watches)
        self._holds_bursts = any(one.before or one.after for one in bursts)
        self.held_changed = False
        """True when `holdings` gives something else than at its last call."""
        self._events: list[Event] = []
        self._unique = Uniqueness(len(table))
        self._rows_in: Int64Array = np.zeros(len(table), np.int64)

    def update(self, batch: SampleBatch, arrived: int | None = None) -> SampleBatch:
        """What of `batch` goes on, converted and judged, and the rows of signals that are computed of it.

        arrived: UTC microseconds at which the gateway got the batch, None when that says nothing about its source.
        """
        bursts = SampleBatch.empty()
        if batch.waves is not None:
            is_wave = batch.is_wave()
            bursts, batch = batch.take(is_wave), batch.take(~is_wave)
        self._count_in(batch)
        for step in self._convert:
            batch = step.update(batch)
        batch = self._skew.update(batch, arrived)
        if len(bursts):
            batch, bursts = self._features(batch, bursts)
        told, judged = len(self._events), self._diagnosing.judged
        out = self._send(self._derive(self._judged(batch)))
        self._events += self._diagnosing.update(bursts)
        self.held_changed |= self._diagnosing.judged > judged
        if not len(bursts) and not (self._holds_bursts and len(self._events) > told):
            return out
        self.held_changed |= self._holds_bursts
        kept = self._exceptions.update(self._bursts.keep(bursts, self._events[told:]))
        return SampleBatch.concat((out, kept))

    def _features(self, batch: SampleBatch, bursts: SampleBatch) -> tuple[SampleBatch, SampleBatch]:
        """The batch with the features of the bursts, and the bursts with speed and quality."""
        bursts, rows, events = self._bursts.features(bursts, self._last_good)
        self._events += events
        self._count_in(bursts)
        self._count_in(rows)
        return SampleBatch.concat((batch, rows)), bursts

    def _last_good(self, handle: int) -> float | None:
        last = self._exceptions.last(np.array([handle], np.uint32))
        good = last.qualities[0] & GOOD_CLASS == GOOD_CLASS and last.values[0] >= 0
        return float(last.values[0]) if good else None

    def _judged(self, batch: SampleBatch) -> SampleBatch:
        for step in self._judge:
            batch = step.update(batch)
        return batch

    def _derive(self, batch: SampleBatch) -> SampleBatch:
        """The batch and all rows that are computed of it, directly or by way of others."""
        parts, new = [batch], batch
        while len(new):
            self._events += self._rules.update(new)
            new = self._computed.update(new)
            if len(new):
                self._count_in(new)
                new = self._judged(new)
                parts.append(new)
        return SampleBatch.concat(parts) if len(parts) > 1 else batch

    def _send(self, batch: SampleBatch) -> SampleBatch:
        return self._exceptions.update(self._door.update(batch))

    def _count_in(self, batch: SampleBatch) -> None:
        if self._unique(batch.signals):
            self._rows_in[batch.signals] += 1
        else:
            np.add.at(self._rows_in, batch.signals, 1)

    def holdings(self) -> dict[str, Holding]:
        """Path of a waveform -> its bursts that wait for a finding, and what its diagnosis knows; see `remember`."""
        self.held_changed = False
        found = self._bursts.holdings()
        for path, known in self._diagnosing.known().items():
            found[path] = replace(found.get(path, Holding(())), known=known)
        return found

    def remember(self, holdings: Mapping[str, Holding]) -> None:
        """Go on with what an earlier run held and knew; called before the first row."""
        self._bursts.remember(holdings)
        self._diagnosing.remember({path: one.known for path, one in holdings.items() if one.known is not None})

    def past(self, batch: SampleBatch) -> SampleBatch:
        """Rows older than what went through already, which a device recorded itself: all of them go on, converted.

        Only their range is judged; what looks at the row before, or computes signals, has seen younger rows.
        """
        self._count_in(batch)
        for step in (*self._convert, self._range):
            batch = step.update(batch)
        return batch

    def lost(self, handles: UInt32Array, now: int) -> SampleBatch:
        """One row at `now` (UTC microseconds) for each handle whose device is gone.

        The last value as STALE, BAD_COMMUNICATION where there never was one; nothing for a handle that already
        has such a row. Rows that a swinging door held back come before, computed signals after.
        """
        held = self.flush(handles)
        last = self._exceptions.last(handles)
        never = last.times == 0
        quality = np.where(never, np.uint8(Quality.BAD_COMMUNICATION), np.uint8(Quality.STALE))
        gone = (last.qualities == Quality.STALE) | (last.qualities == Quality.BAD_COMMUNICATION)
        rows = SampleBatch(handles, np.full(len(handles), now, np.int64), last.values, quality, last.texts)
        rows = rows.take(~gone)
        self._count_in(rows)
        return SampleBatch.concat((held, self._send(self._derive(rows))))

    def flush(self, handles: UInt32Array) -> SampleBatch:
        """The rows that swinging doors hold back."""
        held = self._door.flush(handles)
        return self._exceptions.update(held) if len(held) else held

    def last(self, handles: UInt32Array) -> SampleBatch:
        """The last reported row of each handle; time 0, NaN and BAD_NO_VALUE where there is none."""
        return self._exceptions.last(handles)

    def take_events(self) -> list[Event]:
        """Events of edge rules since the last call."""
        events, self._events = self._events, []
        return events

    def counts(self) -> tuple[StepCount, ...]:
        """Rows in, out and changed of each step, in their order."""
        before, after = (step.count for step in self._convert), (step.count for step in self._judge)
        return (*before, self._skew.count, *after, self._door.count, self._bursts.count, self._exceptions.count)

    @property
    def late(self) -> int:
        """Rows that came too late for the interval of an aggregate; the signals themselves have them."""
        return self._computed.late

    @property
    def rows_in(self) -> Int64Array:
        """int64 per handle: rows that came from the device or were computed."""
        return self._rows_in

    def of(self, handle: int) -> SignalPipeline:
        """What happened to one signal."""
        counts = self.counts()
        changed = {count.name: int(count.changed_of[handle]) for count in counts}
        dropped = {count.name: int(count.dropped_of[handle]) for count in counts}
        rows = int(self._rows_in[handle])
        return SignalPipeline(
            rows,
            rows - sum(dropped.values()),
            {name: n for name, n in dropped.items() if n},
            {name: n for name, n in changed.items() if n},
        )


def step_status(pipeline: Pipeline, kinds: Sequence[str]) -> tuple[StepStatus, ...]:
    """Rows in and out, changed and dropped, of each step and each kind of signal; `kinds` by handle."""
    names, code = np.unique(np.array(kinds, np.str_), return_inverse=True)

    def by_kind(column: Int64Array) -> list[int]:
        return [int(column[code == kind].sum()) for kind in range(len(names))]

    found = []
    rows = by_kind(pipeline.rows_in)
    for count in pipeline.counts():
        changed, dropped = by_kind(count.changed_of), by_kind(count.dropped_of)
        for kind, name in enumerate(names.tolist()):
            before, gone = rows[kind], dropped[kind]
            if before:
                found.append(StepStatus(count.name, name, before, before - gone, changed[kind], gone))
            rows[kind] = before - gone
    return tuple(found)

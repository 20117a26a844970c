"""Follows what is committed and keeps intervals, totals and losses up to date; late rows change what they touch."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import structlog
from numpy.typing import NDArray

from lineshaft.analytics.oee.states import State
from lineshaft.apps.oee.keeping import recompute, rows_of
from lineshaft.apps.oee.orders import assigned
from lineshaft.apps.oee.setup import Facts, LineSetup, MachineSetup, OeeSetup
from lineshaft.apps.oee.slots import MARGIN_US, slots_between
from lineshaft.apps.oee.store import OeeStore, SlotRows
from lineshaft.apps.oee.stories import Column, Columns, Story, joined, tell, tell_line, with_silence
from lineshaft.clock import Clock
from lineshaft.hub.historian.base import Historian, Series
from lineshaft.hub.state.catalogue import SqlCatalogue
from lineshaft.hub.stream import LiveStream
from lineshaft.model.samples import Quality, SampleBatch

log = structlog.get_logger(__name__)

TICK_S = 0.5
_PAUSE_S = 10.0  # after a failure
QUIET_S = 10.0  # without news a line's open slot is written this often
LATE_QUIET_S = 1.5  # late rows come in many blocks: they are summed up when no more came for so long,
LATE_MOST_S = 20.0  # or after so long
_CHUNK_US = 7 * 86_400_000_000
_DAY_US = 86_400_000_000
_NEVER = 2**62
_SEARCH_US = (3_600_000_000, _DAY_US, 7 * _DAY_US, 60 * _DAY_US)


Span = tuple[int, int]
"""UTC microseconds, the end not included."""


@dataclass(slots=True)
class _Live:
    """What is kept in memory of a line: the rows since a little before its open slots."""

    line: LineSetup
    columns: dict[str, Column] = field(default_factory=dict)
    since: int = 0  # rows from here on are in `columns`; 0: none yet
    done: int = 0  # the open slots are written up to here
    written: float = 0.0  # monotonic
    late: tuple[int, int] | None = None  # first and last time of late rows that are not summed up yet
    late_since: float = 0.0  # monotonic: the first of them
    late_last: float = 0.0  # monotonic: the newest of them


class Recorder:
    """`committed` from any thread; `step` from one thread at a time."""

    def __init__(
        self,
        setup: OeeSetup,
        store: OeeStore,
        historian: Historian,
        catalogue: SqlCatalogue,
        stream: LiveStream,
        clock: Clock,
        told: Callable[[Sequence[str]], None] = lambda _: None,
    ) -> None:
        self._setup = setup
        self._store = store
        self._historian = historian
        self._catalogue = catalogue
        self._stream = stream
        self._clock = clock
        self._told = told
        self._lock = threading.Lock()  # of `_queue` and the ids
        self._working = threading.Lock()  # of what reads history and writes slots
        self._writing = threading.Lock()  # of the tables
        self._queue: list[SampleBatch] = []
        self._ids: dict[str, int] = {}
        self._paths: dict[int, str] = {}
        self._owner: NDArray[np.int64] = np.full(1, -1, np.int64)
        self._version = -1
        self._older: dict[str, int] = {}  # line -> what lies before this instant is not summed up yet
        self._live = [_Live(line) for line in setup.lines]
        self._owners = _owners(setup.lines)

    def committed(self, batch: SampleBatch) -> None:
        """Take note of rows that are in the historian now."""
        with self._lock:
            if self._catalogue.version != self._version:
                self._refresh()
            ids = batch.signals
            mine = np.zeros(len(ids), np.bool_)
            known = ids < len(self._owner)
            mine[known] = self._owner[ids[known]] >= 0
            if mine.any():
                self._queue.append(batch.take(mine))

    def _refresh(self) -> None:
        self._version = self._catalogue.version
        for path in self._owners:
            found = self._catalogue.by_path(path)
            if found is not None:
                self._ids[path], self._paths[found.id] = found.id, path
        self._owner = np.full(max(self._paths, default=0) + 1, -1, np.int64)
        for number, path in self._paths.items():
            self._owner[number] = self._owners[path]

    async def run(self) -> None:
        """Until it is cancelled. After a failure what was committed meanwhile is read from the historian again."""
        failing = not await self._tried(self.catch_up)
        while True:
            failed = not await self._tried(self.catch_up if failing else self.step, quiet=failing)
            if failing and not failed:
                log.info("oee.written_again")
            failing = failed
            await asyncio.sleep(_PAUSE_S if failing else TICK_S)

    async def _tried(self, work: Callable[[], object], quiet: bool = False) -> bool:
        try:
            await asyncio.to_thread(work)
        except Exception as error:  # the boundary of the app: what fails is written again, the hub goes on
            if not quiet:
                log.error("oee.not_written", error=str(error), kind=type(error).__name__, exc_info=True)
            return False
        return True

    def catch_up(self) -> None:
        """After a start: sum up what was committed while nobody looked."""
        with self._working:
            self._catch_up()

    def _catch_up(self) -> None:
        with self._lock:
            self._refresh()
        if not self._paths:
            return
        first = self._first()
        if first == _NEVER:
            return
        now = self._clock.now_us()
        kept = self._store.bounds()
        start = first if kept is None else max(first, kept[1] - _DAY_US)
        for live in self._live:
            live.since = live.done = 0
            self._past(live.line, start, now)

    def _first(self) -> int:
        """When the first row of any machine was, in UTC microseconds."""
        counts = self._historian.counts(sorted(self._paths)) if self._paths else None
        return int(counts.first.min()) if counts is not None and len(counts.signals) else _NEVER

    def step(self) -> list[str]:
        """Take what was committed since the last call into the tables; gives the machines that changed."""
        with self._working:
            changed = self._step() + self._older_week()
        if changed:
            self._told(changed)
        return changed

    def _step(self) -> list[str]:
        with self._lock:
            queue, self._queue = self._queue, []
            if self._catalogue.version != self._version:
                self._refresh()
        batch = SampleBatch.concat(queue)
        owners = self._owner[batch.signals] if len(batch) else np.empty(0, np.int64)
        changed: list[str] = []
        for place, live in enumerate(self._live):
            rows = batch.take(owners == place)
            due = self._clock.monotonic() - live.written >= QUIET_S
            if len(rows) or (due and live.since):
                changed += self._update(live, rows)
            changed += self._late(live)
        return changed

    def _update(self, live: _Live, rows: SampleBatch) -> list[str]:
        now = self._clock.now_us()
        open_from = min(slots_between(machine, now, now + 1)[0].start for machine in live.line.machines)
        first = int(rows.times.min()) if len(rows) else live.done
        if len(rows) and first < open_from - MARGIN_US:
            last = int(rows.times[rows.times < open_from].max(initial=first))
            if live.late is None:
                live.late_since = self._clock.monotonic()
            live.late = min(first, (live.late or (first, 0))[0]), max(last, (live.late or (0, last))[1])
            live.late_last = self._clock.monotonic()
        if live.since == 0 or live.since > open_from:
            live.columns = dict(self._read(live.line, open_from - MARGIN_US, now + _DAY_US))
            live.since, first = open_from - MARGIN_US, open_from
        else:
            self._merge(live, rows)
            if live.done < open_from:  # a slot has ended since: finish it
                first = min(first, live.done)
        self._write(live.line, self._with_silence(live), max(min(first, live.done or first), live.since), now)
        if open_from - MARGIN_US > live.since + _DAY_US:
            live.since = 0  # read anew, so that memory holds a day at most
        live.done, live.written = now, self._clock.monotonic()
        return [machine.path for machine in live.line.machines]

    def _late(self, live: _Live) -> list[str]:
        now = self._clock.monotonic()
        if live.late is None or (now - live.late_last < LATE_QUIET_S and now - live.late_since < LATE_MOST_S):
            return []
        (first, last), live.late = live.late, None
        open_from = min(slots_between(one, self._clock.now_us(), self._clock.now_us() + 1)[0].start
                        for one in live.line.machines)  # fmt: skip
        self._past(live.line, first, self._next_row(live.line, last, max(open_from, last + 1)))
        return [machine.path for machine in live.line.machines]

    def _merge(self, live: _Live, rows: SampleBatch) -> None:
        for number in np.unique(rows.signals).tolist():
            part = rows.take(rows.signals == number)
            path = self._paths[number]
            rows_of_it = Column(part.times, part.values, part.qualities, part.texts)
            live.columns[path] = joined(live.columns.get(path), rows_of_it)

    def _with_silence(self, live: _Live) -> Columns:
        """Machines whose source is gone are unknown from their last word on."""
        columns: Columns = live.columns
        for machine in live.line.machines:
            number = self._ids.get(f"{machine.path}/{machine.config.state}")
            if number is None:
                continue
            latest = self._stream.latest(np.array([number], np.uint32))
            if len(latest) and latest.qualities[0] == Quality.STALE:
                heard = [int(columns[path].times[-1]) for path in machine.signals if path in columns]
                columns = with_silence(columns, machine, max(heard, default=0) + 1)
        return columns

    def _past(self, line: LineSetup, start: int, end: int) -> None:
        """Sum up again all slots that touch [start, end), the newest week first."""
        now = self._clock.now_us()
        stop = min(end, now)
        first = start
        while first < stop:
            start = max(first, stop - _CHUNK_US)
            slots = [slot for machine in line.machines for slot in slots_between(machine, start, stop)]
            low, high = min(slot.start for slot in slots), max(slot.end for slot in slots)
            columns = dict(self._read(line, low - MARGIN_US, high + MARGIN_US))
            if columns:
                self._write(line, columns, start, min(high, now), until=stop)
            stop = start

    def _write(self, line: LineSetup, columns: Columns, since: int, now: int, until: int | None = None) -> None:
        """Write the slots that touch [since, until or now), with their intervals from `since` on."""
        starts = [slots_between(machine, since, since + 1)[0].start for machine in line.machines]
        reasons = self._setup.reasons
        stories = tell_line(line, columns, reasons, min(starts) - MARGIN_US, now)
        orders = self._store.orders.begun(line.machines, min(starts) - MARGIN_US, now)
        stories = {one.path: assigned(stories[one.path], one, orders) for one in line.machines}
        with self._writing:
            rows: list[SlotRows] = []
            stop = min(now, until or now)
            paths = [machine.path for machine in line.machines]
            if until is None:
                self._hold(paths, stories, now)
            given = self._store.note_table(paths, min(starts), stop + _DAY_US)
            for machine in line.machines:
                slots = slots_between(machine, since, stop)
                notes = [one.note for one in given.get(machine.path, ())]
                rows += [
                    rows_of(line, machine, stories[machine.path], notes, reasons, slot, now, since)
                    for slot in slots
                    if slot.start < now
                ]
            self._store.write(rows, () if until is None else self._replaced(line, rows, min(starts), stop))

    def _replaced(self, line: LineSetup, rows: Sequence[SlotRows], start: int, end: int) -> list[tuple[str, int]]:
        """(machine, start) of kept slots that touch [start, end) and that today's calendar has no more."""
        new = {(one.machine, one.slot.start) for one in rows}
        kept = [(one.path, slot.start) for one in line.machines for slot in self._store.slots(one.path, start, end)]
        return [one for one in kept if one not in new]

    def _hold(self, paths: Sequence[str], stories: Mapping[str, Story], now: int) -> None:
        """A reason that was given while the machine stood holds until it runs again."""
        for number, machine, start in self._store.open_notes(paths):
            if start >= now:
                continue
            states = stories[machine].states
            ran = states.times[(states.times > start) & (states.values == State.RUNNING)]
            self._store.move_end(number, int(ran[0]) if len(ran) else now, open_=not len(ran))

    def story(self, machine: MachineSetup, start: int, end: int) -> Story:
        """What a machine did in [start, end) by itself, from the rows of its signals."""
        columns = dict(self._read(LineSetup(machine.line, "", (machine,)), start, end))
        story = tell(machine, columns, self._setup.reasons, start, end)
        return assigned(story, machine, self._store.orders.begun([machine], start, end))

    def tell(self, machines: Sequence[str]) -> None:
        """Open pages shall ask again about these machines."""
        self._told(machines)

    def orders_changed(self, path: str, since: int) -> None:
        """Sum up anew what belongs to another order from then on; when it returns every KPI is the new one."""
        lines = [one for one in self._setup.lines if path in (one.path, *(machine.path for machine in one.machines))]
        with self._working:
            for line in lines:
                self._past(line, since, self._clock.now_us())
        self._told([machine.path for line in lines for machine in line.machines] or [path])

    def setup_changed(
        self, facts: Facts, spans: Mapping[str, Sequence[Span]], new: frozenset[str] = frozenset()
    ) -> None:
        """From now on `facts` hold; machine -> spans that are summed up anew. Then every KPI is the new one.

        new: machines that were not measured before: their last week is summed up now, what is older week by week.
        """
        with self._working:
            with self._lock:
                self._setup.take(facts)
                late = {one.line.path: one for one in self._live}
                self._live = [_carried(line, late.get(line.path)) for line in facts.lines]
                self._owners, self._ids, self._paths = _owners(facts.lines), {}, {}
                self._refresh()
            first = self._first()
            for line in facts.lines:
                for start, end in sorted({span for one in line.machines for span in spans.get(one.path, ())}):
                    self._past(line, max(start, first), end)
                if any(one.path in new for one in line.machines):
                    now = self._clock.now_us()
                    self._past(line, max(first, now - _CHUNK_US), now)
                    self._older[line.path] = now - _CHUNK_US
        self._told([*spans, *new] or [""])

    def _older_week(self) -> list[str]:
        """Sum up one more week of a line whose machines are new; gives the machines."""
        if not self._older:
            return []
        path, until = next(iter(self._older.items()))
        line, first = next((one.line for one in self._live if one.line.path == path), None), self._first()
        if line is None or until <= first:
            self._older.pop(path)
            return []
        self._older[path] = until - _CHUNK_US
        self._past(line, max(first, until - _CHUNK_US), until)
        return [one.path for one in line.machines]

    def reasons_changed(self, machine: MachineSetup, start: int, end: int) -> None:
        """Sum up anew what a reason touches; when it returns every KPI is the new one."""
        with self._writing:
            recompute(self._store, machine, self._setup.reasons, start, end, self._clock.now_us())
        self._told([machine.path])

    def _read(self, line: LineSetup, start: int, end: int) -> Iterator[tuple[str, Column]]:
        ids = {self._ids[path]: path for machine in line.machines for path in machine.signals if path in self._ids}
        if not ids:
            return
        for series in self._historian.read(sorted(ids), start, end):
            if len(series.times):
                yield ids[series.signal], _column(series)

    def _next_row(self, line: LineSetup, after: int, end: int) -> int:
        """The next row of any state after an instant: until then a late row changes what the machines did."""
        ids = [self._ids[path] for m in line.machines for path in m.signals[:1] if path in self._ids]
        start = after + 1
        for width in _SEARCH_US:
            stop = min(start + width, end)
            found = [one for one in self._historian.read(ids, start, stop, before=False) if len(one.times)]
            if len(found) == len(ids) or stop >= end:
                return min(end, max((int(one.times[0]) for one in found), default=end) + 1)
        return end


def _owners(lines: Sequence[LineSetup]) -> dict[str, int]:
    """Signal path -> place of its line."""
    return {path: place for place, line in enumerate(lines) for one in line.machines for path in one.signals}


def _carried(line: LineSetup, before: _Live | None) -> _Live:
    """A line that is read anew, with the late rows that wait."""
    if before is None:
        return _Live(line)
    return _Live(line, late=before.late, late_since=before.late_since, late_last=before.late_last)


def _column(series: Series) -> Column:
    return Column(series.times, series.values, series.qualities, series.texts)

"""A lane: a thread with a worker process that takes its runs forward, one after the other."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import structlog

from lineshaft.clock import MICROSECONDS
from lineshaft.errors import StoreUnavailable
from lineshaft.hub.historian.base import Historian
from lineshaft.hub.ingest.commit import last_rows
from lineshaft.hub.operators.feed import Feed, Key
from lineshaft.hub.operators.order import as_inputs, in_order, pieces
from lineshaft.hub.operators.plan import Binding
from lineshaft.hub.operators.record import Found, Record
from lineshaft.hub.operators.trouble import failed, failing_event, pause, recovered_event
from lineshaft.hub.operators.worker import Limits, OperatorFailed, Worker, WorkerGone
from lineshaft.hub.state.events import SqlEventStore
from lineshaft.hub.state.operators import OperatorStates, StoredState, Trouble
from lineshaft.hub.state.predictions import SqlPredictions
from lineshaft.model.events import Event
from lineshaft.model.samples import SampleBatch
from lineshaft.operators.base import Output

_SAVE_EVERY: Final = 5.0  # seconds
_THIN_EVERY: Final = 3600.0
_LONGEST_DELAY: Final = 60.0  # seconds that rows may wait for others that are always late
_REWIND_EVERY: Final = 5.0
_log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class Run:
    """An operator on an asset at work; changed by its lane only."""

    binding: Binding
    began: int
    position: int  # rows up to this time are in the operator
    late: int | None = None
    delay: float = 1.0  # seconds that a row waits for earlier ones
    loaded: bool = False
    earlier: bool = False  # it was at work before the hub was started
    doubted: Found | None = None  # stored after the state, maybe without rows that came since; history decides
    read: Found = field(default_factory=Found)  # what history has shown while something is doubted
    dirty: bool = False
    history: Iterator[tuple[int, SampleBatch]] | None = None
    target: int = 0
    rewound: float = 0.0
    retry_at: float = 0.0
    trouble: Trouble | None = None  # of its own
    told: bool = False  # an event says that it fails
    unsaved: bool = False  # it failed to give its state; that it takes rows does not show that it is well again
    store_error: str = ""  # it waits for the historian or the state
    made: list[SampleBatch] = field(default_factory=list)  # samples of its outputs that are not stored yet
    rows: int = 0
    events: int = 0
    rewinds: int = 0
    seconds: float = 0.0
    longest: float = 0.0
    batches: int = 0

    @property
    def key(self) -> Key:
        """Operator id and asset path."""
        return self.binding.key


def marked(events: Sequence[Event], operator: str) -> tuple[Event, ...]:
    """Events that say which operator found them, as live and backtest give them."""
    return tuple(replace(event, details={**event.details, "operator": operator}) for event in events)


@dataclass(slots=True, eq=False)
class Lane:
    """`failed` is called for a run that raised, hung or ended the worker; it may move the run to another lane."""

    name: str
    feed: Feed
    historian: Historian
    states: OperatorStates
    events: SqlEventStore
    predictions: SqlPredictions
    limits: Limits
    now_us: Callable[[], int]
    failed: Callable[[Run], None]
    publish: Callable[[SampleBatch], None] = lambda batch: None  # shows samples as current values
    runs: dict[Key, Run] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)  # held while a run works, and to take one away
    _worker: Worker = field(init=False)
    _record: Record = field(init=False)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _saved: float = 0.0
    _thinned: float = field(default_factory=time.monotonic)
    _thread: threading.Thread | None = None

    def __post_init__(self) -> None:
        self._worker = Worker(self.limits)
        self._record = Record(self.events, self.predictions, self.now_us)

    def start(self) -> None:
        """Run in a thread until `stop`."""
        self._thread = threading.Thread(target=self._loop, name=f"operators-{self.name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Save all states and end."""
        self._stopped.set()
        self.feed.told_of.set()
        if self._thread is not None:
            self._thread.join()
        self._save(force=True)
        self._worker.close()

    def _loop(self) -> None:
        while not self._stopped.is_set():
            self.feed.told_of.clear()
            busy = self.step()
            if not busy:
                self.feed.told_of.wait(0.25)
                self._stopped.wait(0.1)  # rows of a moment are taken together

    def step(self) -> bool:
        """Take every run a step forward; True while any reads history."""
        busy, stirred = False, self.feed.stirred()
        for key, run in list(self.runs.items()):
            if self._stopped.is_set():
                break
            if key not in stirred and run.loaded and not (run.history or run.trouble) and run.late is None:
                continue  # of a thousand machines most have nothing new
            with self.lock:
                if run.retry_at > time.monotonic() or self.runs.get(run.key) is not run:
                    continue
                busy |= self._guarded(run)
        with self.lock:
            self._save(force=False)
        return busy

    def _guarded(self, run: Run) -> bool:
        try:
            busy = self._advance(run)
            if run.trouble is not None and not (busy or run.history or run.unsaved or run.late is not None):
                self._recovered(run, run.trouble)
        except (OperatorFailed, WorkerGone) as error:
            self._fail(run, error)
            return False
        except StoreUnavailable as error:
            run.store_error, run.retry_at, run.loaded = str(error), time.monotonic() + 1.0, False
            return False
        run.store_error = ""
        return busy

    def _fail(self, run: Run, error: OperatorFailed | WorkerGone) -> None:
        if isinstance(error, WorkerGone):
            for other in list(self.runs.values()):  # their states in the process are gone with it
                other.loaded = False
        if run.trouble is None:
            _log.error("operator fails", operator=run.key[0], asset=run.key[1], error=str(error))
        run.trouble = failed(run.trouble, str(error), error.hint, self.now_us())
        run.loaded, run.retry_at = False, time.monotonic() + pause(run.trouble)
        try:
            if not run.told:
                self.events.add([failing_event(run.key, run.binding.asset.equipment.name, run.trouble)])
                run.told = True
            self.states.mark(run.key, run.trouble)
        except StoreUnavailable as unavailable:  # it is told with its next failure
            _log.error("operators: a failure is not stored", error=str(unavailable))
        self.failed(run)

    def _recovered(self, run: Run, trouble: Trouble) -> None:
        """All rows are in it, those at which it failed among them."""
        if run.told:
            self.events.add([recovered_event(run.key, run.binding.asset.equipment.name, trouble, self.now_us())])
        self.states.mark(run.key, None)
        run.trouble, run.told = None, False
        _log.info("operator works again", operator=run.key[0], asset=run.key[1])

    def _advance(self, run: Run) -> bool:
        late = self.feed.late_of(run.key)
        if late is not None:
            behind = (self.feed.place(run.key).released - late) / MICROSECONDS
            if behind < _LONGEST_DELAY:
                run.delay = max(run.delay, min(behind * 1.5, _LONGEST_DELAY))
            run.late = min(late, late if run.late is None else run.late)
        if not run.loaded:
            self._load(run)
        if run.history is not None:
            self._read_on(run)
            return True
        if run.late is not None and time.monotonic() - run.rewound > _REWIND_EVERY:
            self._rewind(run, run.late)
        rows = self.feed.take(run.key, time.monotonic() - run.delay)
        if len(rows):
            self._update(run, in_order(rows))
            return self.feed.place(run.key).late is not None
        if self.feed.place(run.key).overflow:
            self._begin_reading(run)
            return True
        return False

    def _load(self, run: Run) -> None:
        """Into the worker, from the newest state; rows after it are read from history."""
        stored = self.states.newest(run.key)
        self._worker.make(run.binding, None if stored is None else stored.state)
        run.position = run.began if stored is None else stored.time
        self.feed.again(run.key, run.position)
        run.made = []
        run.read = Found()
        if run.earlier:
            run.doubted, run.earlier = self._record.after(run.binding, run.position), False
        self.historian.retract(run.binding.output_ids, run.position)  # what was stored after the state is made again
        run.loaded, run.history = True, None
        self._begin_reading(run)

    def _begin_reading(self, run: Run) -> None:
        newest = self.historian.latest(run.binding.ids)
        run.target = self.feed.begin_reading(run.key, int(newest.times.max(initial=run.position)))
        first = self._first(run) if run.position == run.began else run.position
        run.history = pieces(self.historian, run.binding.ids, first, run.target)

    def _first(self, run: Run) -> int:
        """Just before the first row of its own, so that a search from the beginning of time is short."""
        counts = self.historian.counts(run.binding.ids)
        return max(run.began, int(counts.first.min(initial=run.target)) - 1)

    def _read_on(self, run: Run) -> None:
        """One piece of history; what follows the last one is done in the next step."""
        piece = next(run.history, None) if run.history is not None else None
        if piece is None:
            run.history = None
            if run.doubted is not None:
                self._record.correct(run.binding, run.doubted, run.read)
                run.doubted, run.read = None, Found()
            run.position = max(run.position, run.target)
            self.feed.caught_up(run.key)
            return
        _, batch = piece
        if len(batch):
            self._update(run, batch)

    def _update(self, run: Run, batch: SampleBatch) -> None:
        found = self._found(run, batch)
        self._record.add(run.binding, found)
        run.events += len(found.events)
        if run.doubted is not None:
            run.read.take(found)
        run.position = max(run.position, int(batch.times[-1]))
        run.dirty = True

    def _found(self, run: Run, batch: SampleBatch) -> Output:
        output, seconds = self._worker.update(run.key, as_inputs(batch, run.binding.ids))
        run.rows += len(batch)
        run.batches += 1
        run.seconds += seconds
        run.longest = max(run.longest, seconds)
        if len(output.samples) and run.binding.output_ids:
            ids = np.array(run.binding.output_ids, np.uint32)
            run.made.append(replace(output.samples, signals=ids[output.samples.signals]))
        return replace(output, events=marked(output.events, run.key[0]))

    def _rewind(self, run: Run, late: int) -> None:
        """Go back to a state before `late` and work all rows in again; events follow what is now known."""
        run.rewound = time.monotonic()
        stored = self.states.newest(run.key, late)
        start = run.began if stored is None else stored.time
        until = run.position
        self._worker.make(run.binding, None if stored is None else stored.state)
        self.states.drop_after(run.key, start)
        run.made = []
        self.historian.retract(run.binding.output_ids, start)
        run.target = until
        first = self._first(run) if stored is None else start
        made = Found()
        for _, batch in pieces(self.historian, run.binding.ids, first, until):
            if len(batch):
                made.take(self._found(run, batch))
                self._store([run])
                state = StoredState(int(batch.times[-1]), self._worker.snapshot(run.key))
                self.states.save([(run.key, state)])
        self._record.correct(run.binding, self._record.after(run.binding, start, until) or Found(), made)
        self.feed.worked_in(run.key, late, self.states.worked_in)
        run.late, run.dirty = None, True
        run.rewinds += 1

    def _save(self, *, force: bool) -> None:
        """Positions and states of what has changed."""
        if not force and time.monotonic() - self._saved < _SAVE_EVERY:
            return
        self._saved = time.monotonic()
        dirty = [run for run in list(self.runs.values()) if run.dirty and run.loaded]
        try:
            self._store(dirty)
            sure = [run for run in dirty if run.doubted is None]  # a state would hide what is doubted before it
            saved = {run.key: state for run in sure if (state := self._snapshot(run)) is not None}
            self.states.save(list(saved.items()))
            for run in sure:
                run.dirty &= run.key not in saved
            if time.monotonic() - self._thinned > _THIN_EVERY:
                self._thinned = time.monotonic()
                for run in list(self.runs.values()):
                    self.states.thin(run.key)
        except StoreUnavailable as error:
            _log.error("operators: states are not saved", error=str(error))
            for run in dirty:
                run.loaded = False

    def _snapshot(self, run: Run) -> StoredState | None:
        """None when it fails to give one, or is gone with the worker; the states of the others are saved."""
        if not run.loaded:
            return None
        try:
            state = StoredState(run.position, self._worker.snapshot(run.key))
        except (OperatorFailed, WorkerGone) as error:
            run.unsaved = True
            self._fail(run, error)
            return None
        run.unsaved = False
        return state

    def _store(self, runs: Sequence[Run]) -> None:
        """Samples of outputs, before the states that say that they were made."""
        made = SampleBatch.concat(batch for run in runs for batch in run.made)
        if len(made):
            self.historian.append(made, f"operators-{uuid.uuid4().hex}")
            self.publish(last_rows(made))
        for run in runs:
            run.made = []

"""All operators of the hub: which run, where they are, what they cost, and which fail."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from lineshaft.clock import MICROSECONDS, Clock
from lineshaft.errors import StoreUnavailable
from lineshaft.hub.historian.base import Historian
from lineshaft.hub.operators.feed import NEVER, Feed, Place
from lineshaft.hub.operators.lane import Lane, Run
from lineshaft.hub.operators.plan import Binding, Planned, bindings
from lineshaft.hub.operators.worker import Limits
from lineshaft.hub.ports import OPERATOR_NODE, BornSignal
from lineshaft.hub.state.state import State
from lineshaft.model.samples import SampleBatch

"""Node of signals that operators make."""
_LOOK_EVERY: Final = 2.0  # seconds between two looks for new signals
_LONGEST: Final = 4000  # characters; what is longer is told by its digest
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RunFigures:
    """What people see of an operator on an asset. Times are UTC microseconds."""

    operator: str
    asset: str
    title: str
    state: str  # running, reading history, failing
    error: str
    hint: str  # what to do about it
    failing_since: int
    failures: int  # since then
    last_failure: int
    next_try: int  # 0 when it does not fail, or is at it
    position: int
    waiting: int  # rows in memory
    rows: int
    events: int
    rewinds: int
    mean_ms: float
    longest_ms: float
    delay: float  # seconds that rows wait for earlier ones


class Operators:
    """`open` before rows are appended, then `start`; `stop` at the end.

    `feed.told` must be called with each append before that counts as done (`historian.listen`). A run that fails moves
    to another lane with another worker process, so that it cannot hold the healthy ones up a second time.
    """

    def __init__(
        self,
        plan: Sequence[Planned],
        historian: Historian,
        state: State,
        clock: Clock,
        limits: Limits | None = None,
        delay: float = 1.0,  # seconds that a row waits for earlier ones, at least
        publish: Callable[[SampleBatch], None] = lambda batch: None,  # shows samples of outputs as current values
        models: Callable[[], Sequence[Planned]] = tuple,  # versions of models at work; see `refresh`
    ) -> None:
        self._models = models
        self._stale = threading.Event()
        self._publish = publish
        self._delay = delay
        self._plan = plan
        self._store = historian
        self._state = state
        self._clock = clock
        self.feed = Feed(state.operators.late)
        limits = limits or Limits()
        self.main = self._lane("main", limits, self._move)
        self.apart = self._lane("apart", limits, lambda run: None)
        self._version = -1
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="operators-watch", daemon=True)

    def _lane(self, name: str, limits: Limits, failed: object) -> Lane:
        state = self._state
        return Lane(
            name,
            self.feed,
            self._store,
            state.operators,
            state.events,
            state.predictions,
            limits,
            self._clock.now_us,
            failed,  # type: ignore[arg-type]
            self._publish,
        )

    def open(self) -> None:
        """Find what runs on what, and where each was left. Raises StoreUnavailable."""
        self._bind()

    def start(self) -> None:
        """Go on, in threads and processes of their own."""
        for lane in (self.main, self.apart):
            lane.start()
        self._thread.start()

    def stop(self) -> None:
        """Save states and end."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        for lane in (self.main, self.apart):
            lane.stop()

    def replan(self, plan: Sequence[Planned]) -> None:
        """Other operators, or other options, are to run from now on; taken up within some seconds."""
        self._plan = plan
        self._stale.set()

    def refresh(self) -> None:
        """Other versions of models are to run from now on; taken up within some seconds."""
        self._stale.set()

    def try_now(self, operator: str, asset: str) -> bool:
        """Try one that fails without waiting for its time; False when none fails there."""
        for lane in (self.main, self.apart):
            run = lane.runs.get((operator, asset))
            if run is not None and run.trouble is not None:
                run.retry_at = 0.0
                self.feed.told_of.set()
                return True
        return False

    def figures(self) -> tuple[RunFigures, ...]:
        """Every run, by operator and asset."""
        waiting = self.feed.waiting()
        runs = sorted([*self.main.runs.values(), *self.apart.runs.values()], key=lambda run: run.key)
        now = self._clock.now_us()
        return tuple(_figures(run, waiting.get(run.key, 0), now) for run in runs)

    def _watch(self) -> None:
        while not self._stopped.wait(_LOOK_EVERY):
            if self._version != self._state.catalogue.version or self._stale.is_set():
                self._stale.clear()
                try:
                    self._bind()
                except StoreUnavailable as error:
                    self._stale.set()
                    _log.error("operators: new signals later", error=str(error))

    def _bind(self) -> None:
        catalogue, states = self._state.catalogue, self._state.operators
        version, equipment = catalogue.equipment()
        found = catalogue.signals()
        signals = [one.born.signal for one in found if one.born.node != OPERATOR_NODE]
        ids = {one.path: one.id for one in found}
        wanted = {one.key: one for one in bindings((*self._plan, *self._models()), equipment, signals, ids.__getitem__)}
        for key in set(states.troubled()) - wanted.keys():
            states.mark(key, None)  # nobody waits for it to work again
        wanted = {key: self._with_outputs(one) for key, one in wanted.items()}
        for lane in (self.main, self.apart):
            for key, run in list(lane.runs.items()):
                binding = wanted.pop(key, None)
                if binding is not None and _made_for(binding) == _made_for(run.binding):
                    continue
                with lane.lock:  # not while it works
                    lane.runs.pop(key, None)
                    self.feed.remove(key)
                if binding is not None:
                    wanted[key] = binding
        for key, binding in wanted.items():
            run = self._run(binding)
            lane = self.main if run.trouble is None else self.apart
            lane.runs[key] = run
        self._version = version

    def _with_outputs(self, binding: Binding) -> Binding:
        """Its outputs are signals like others, from the node `operators`; no operator takes them as inputs."""
        if not binding.outputs:
            return binding
        born = [BornSignal(signal, OPERATOR_NODE, binding.planned.id) for signal in binding.outputs]
        return replace(binding, output_ids=tuple(self._state.catalogue.register(born).tolist()))

    def _run(self, binding: Binding) -> Run:
        states = self._state.operators
        known = states.run(binding.key)
        made_for = _made_for(binding)
        if known is None or known.inputs != made_for:
            counts = self._store.counts(binding.ids)
            newest = int(counts.last.max(initial=NEVER))
            past = round(binding.planned.config.past * MICROSECONDS)
            began = NEVER if newest == NEVER else max(int(counts.first.min()) - 1, newest - past)
            states.begin(binding.key, made_for, began)
            run = Run(binding, began, began, delay=self._delay)
        else:
            stored = states.newest(binding.key)
            position = known.began if stored is None else stored.time
            run = Run(binding, known.began, position, late=known.late, delay=self._delay, earlier=True)
        if known is not None and known.trouble is not None:
            run.trouble, run.told = known.trouble, True
        self.feed.put(binding.key, Place(binding.ids, run.began, run.position))
        return run

    def _move(self, run: Run) -> None:
        self.main.runs.pop(run.key, None)
        self.apart.runs[run.key] = run


def _made_for(binding: Binding) -> str:
    """Changes when the operator, its options or its inputs do, so that an old state is of no use."""
    made_for = f"{binding.planned.config.operator} {binding.planned.options.model_dump_json()} {binding.ids}"
    words = [one.states for one in binding.inputs if one.states]
    if words:
        made_for += f" {words}"  # history that comes before the birth of its signals has no words for their states
    if len(made_for) <= _LONGEST:
        return made_for
    return f"{binding.planned.config.operator} {hashlib.sha256(made_for.encode()).hexdigest()}"


def _figures(run: Run, waiting: int, now: int) -> RunFigures:
    behind = not run.loaded or run.history is not None  # what it has made so far says nothing about now
    trouble, error = run.trouble, run.store_error
    if trouble is not None:
        error = trouble.error
    left = run.retry_at - time.monotonic()
    state = "failing" if error else "reading history" if behind else "running"
    return RunFigures(
        operator=run.key[0],
        asset=run.key[1],
        title=run.binding.planned.config.operator,
        state=state,
        error=error,
        hint="" if trouble is None else trouble.hint,
        failing_since=0 if trouble is None else trouble.since,
        failures=0 if trouble is None else trouble.failures,
        last_failure=0 if trouble is None else trouble.last,
        next_try=now + round(left * MICROSECONDS) if error and left > 0 else 0,
        position=run.position,
        waiting=waiting,
        rows=run.rows,
        events=run.events,
        rewinds=run.rewinds,
        mean_ms=1e3 * run.seconds / max(run.batches, 1),
        longest_ms=1e3 * run.longest,
        delay=run.delay,
    )

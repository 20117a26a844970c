"""Operators over any past range: what they would have found, with the code and the order of live operation."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import structlog

from lineshaft.errors import LineshaftError
from lineshaft.hub.historian.base import Historian
from lineshaft.hub.operators.lane import marked
from lineshaft.hub.operators.order import as_inputs, pieces
from lineshaft.hub.operators.plan import Binding
from lineshaft.hub.operators.worker import Limits, OperatorFailed, Worker, WorkerGone
from lineshaft.model.events import Event
from lineshaft.model.predictions import Prediction

MOST_EVENTS: Final = 20_000
_KEPT: Final = 20  # finished backtests that can still be looked at
_WAITING: Final = 5
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Findings:
    """What operators found, in the order of their times."""

    events: list[Event] = field(default_factory=list)
    predictions: list[Prediction] = field(default_factory=list)


def backtest(
    historian: Historian,
    binding: Binding,
    start: int,
    end: int,
    worker: Worker,
    progress: Callable[[float], bool] = lambda part: True,
) -> Findings:
    """What one operator finds on one asset over start <= time < end (UTC microseconds), from an empty state.

    progress: called with the part that is done; False ends the run. Raises OperatorFailed, WorkerGone or
    StoreUnavailable.
    """
    found = Findings()
    counts = historian.counts(binding.ids, start, end)
    first = max(start - 1, int(counts.first.min(initial=end)) - 1)
    last = min(end - 1, int(counts.last.max(initial=first)))
    worker.make(binding, None)
    for until, batch in pieces(historian, binding.ids, first, last):
        if len(batch):
            output, _ = worker.update(binding.key, as_inputs(batch, binding.ids))
            found.events.extend(marked(output.events, binding.key[0]))
            found.predictions.extend(output.predictions)
        if not progress((until - first) / max(last - first, 1)):
            break
    return found


@dataclass(slots=True, eq=False)
class Job:
    """A backtest that was asked for."""

    id: int
    operator: str
    bindings: tuple[Binding, ...]
    start: int
    end: int
    by: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"] = "waiting"
    progress: float = 0.0
    error: str = ""
    events: list[Event] = field(default_factory=list)
    predictions: list[Prediction] = field(default_factory=list)
    cancelled: bool = False


class Backtests:
    """Runs jobs one after the other in a thread; thread-safe."""

    def __init__(self, historian: Historian, limits: Limits | None = None) -> None:
        self._historian = historian
        self._limits = limits or Limits()
        self._jobs: dict[int, Job] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def ask(self, bindings: Sequence[Binding], operator: str, start: int, end: int, by: str) -> Job | None:
        """A new job; None when too many wait already."""
        with self._lock:
            if sum(job.state == "waiting" for job in self._jobs.values()) >= _WAITING:
                return None
            job = Job(next(self._numbers), operator, tuple(bindings), start, end, by)
            self._jobs[job.id] = job
            for old in [one.id for one in self._jobs.values() if one.state not in ("waiting", "running")][:-_KEPT]:
                del self._jobs[old]
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="backtests", daemon=True)
                self._thread.start()
        return job

    def job(self, number: int) -> Job | None:
        """A job by its number."""
        return self._jobs.get(number)

    def jobs(self) -> Sequence[Job]:
        """All that are still known, oldest first."""
        with self._lock:
            return list(self._jobs.values())

    def cancel(self, number: int) -> None:
        """End a job; what it found stays."""
        job = self._jobs.get(number)
        if job is not None:
            job.cancelled = True

    def stop(self) -> None:
        """End all jobs."""
        for job in self.jobs():
            job.cancelled = True
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                self._work(job)
                job.state = "cancelled" if job.cancelled else "done"
            except (OperatorFailed, WorkerGone) as error:
                job.state, job.error = "failed", f"the operator failed: {error}"
            except LineshaftError as error:
                job.state, job.error = "failed", str(error)

    def _next(self) -> Job | None:
        with self._lock:
            job = next((job for job in self._jobs.values() if job.state == "waiting"), None)
            if job is None:
                self._thread = None
            else:
                job.state = "running"
            return job

    def _work(self, job: Job) -> None:
        worker = Worker(self._limits)
        try:
            self._through(job, worker)
        finally:
            worker.close()

    def _through(self, job: Job, worker: Worker) -> None:
        many = len(job.bindings)
        for number, binding in enumerate(job.bindings):

            def told(part: float, number: int = number) -> bool:
                job.progress = (number + part) / many
                return not job.cancelled

            found = backtest(self._historian, binding, job.start, job.end, worker, told)
            job.events += found.events
            job.predictions += found.predictions
            if len(job.events) > MOST_EVENTS or len(job.predictions) > MOST_EVENTS:
                del job.events[MOST_EVENTS:], job.predictions[MOST_EVENTS:]
                job.error = f"only the first {MOST_EVENTS:,} events and predictions are kept"
                break
        job.events.sort(key=lambda event: event.time)
        job.predictions.sort(key=lambda prediction: prediction.time)
        job.progress = 1.0 if not job.cancelled else job.progress

"""Operators over any past range: what they would have found, with the code and the order of live operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from lineshaft.hub.historian.base import Historian
from lineshaft.hub.jobs import Job, Jobs
from lineshaft.hub.operators.lane import marked
from lineshaft.hub.operators.order import as_inputs, pieces
from lineshaft.hub.operators.plan import Binding
from lineshaft.hub.operators.worker import Limits, OperatorFailed, Worker, WorkerGone
from lineshaft.model.events import Event
from lineshaft.model.predictions import Prediction

MOST_EVENTS: Final = 20_000


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


@dataclass(slots=True, eq=False, kw_only=True)
class BacktestJob(Job):
    """A backtest that was asked for."""

    operator: str
    bindings: tuple[Binding, ...]
    start: int
    end: int
    events: list[Event] = field(default_factory=list)
    predictions: list[Prediction] = field(default_factory=list)


class Backtests(Jobs[BacktestJob]):
    """Backtests, one after the other in a thread; thread-safe."""

    def __init__(self, historian: Historian, limits: Limits | None = None) -> None:
        super().__init__("backtests", self._in_worker)
        self._historian = historian
        self._limits = limits or Limits()

    def _in_worker(self, job: BacktestJob) -> None:
        worker = Worker(self._limits)
        try:
            self._through(job, worker)
        except (OperatorFailed, WorkerGone) as error:
            raise OperatorFailed(f"the operator failed: {error}") from error
        finally:
            worker.close()

    def _through(self, job: BacktestJob, worker: Worker) -> None:
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

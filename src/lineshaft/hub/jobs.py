"""Long work that people ask for: one job after the other in a thread, with progress, and kept for a while after it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar

from lineshaft.errors import LineshaftError

_KEPT: Final = 20  # finished jobs that can still be looked at
_WAITING: Final = 5


@dataclass(slots=True, eq=False, kw_only=True)
class Job:
    """Something that was asked for; kinds of work add what they need."""

    id: int
    by: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"] = "waiting"
    progress: float = 0.0
    error: str = ""
    cancelled: bool = False


J = TypeVar("J", bound=Job)


class Jobs(Generic[J]):
    """Runs jobs one after the other; thread-safe. `work` looks at `job.cancelled` and tells `job.progress`."""

    def __init__(self, name: str, work: Callable[[J], None]) -> None:
        self._name = name
        self._work = work
        self._jobs: dict[int, J] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def ask(self, make: Callable[[int], J]) -> J | None:
        """A new job, made with its number; None when too many wait already."""
        with self._lock:
            if sum(job.state == "waiting" for job in self._jobs.values()) >= _WAITING:
                return None
            job = make(next(self._numbers))
            self._jobs[job.id] = job
            for old in [one.id for one in self._jobs.values() if one.state not in ("waiting", "running")][:-_KEPT]:
                del self._jobs[old]
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
        return job

    def job(self, number: int) -> J | None:
        """A job by its number."""
        return self._jobs.get(number)

    def jobs(self) -> Sequence[J]:
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
        thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                self._work(job)
                job.state = "cancelled" if job.cancelled else "done"
            except LineshaftError as error:
                job.state, job.error = "failed", str(error)

    def _next(self) -> J | None:
        with self._lock:
            job = next((job for job in self._jobs.values() if job.state == "waiting"), None)
            if job is None:
                self._thread = None
            else:
                job.state = "running"
            return job

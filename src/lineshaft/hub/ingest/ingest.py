"""Ingest: from MQTT to committed rows, on threads of its own; the event loop only starts, stops and looks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from lineshaft.clock import Clock, SystemClock
from lineshaft.hub.historian.base import Historian
from lineshaft.hub.ingest.commit import CommitLimits, Committer
from lineshaft.hub.ingest.counters import Counters, IngestFigures
from lineshaft.hub.ingest.frames import FrameLog
from lineshaft.hub.ingest.host import BrokerLogin, HostClient
from lineshaft.hub.ingest.inbox import Inbox
from lineshaft.hub.ingest.intake import Intake, IntakeSettings
from lineshaft.hub.ingest.journal import Journal
from lineshaft.hub.ingest.reports import Reporter
from lineshaft.hub.ingest.told import Told
from lineshaft.hub.pipelines import Pipelines
from lineshaft.hub.ports import Catalogue, EventStore, Ledger, LiveSink, WriteLog
from lineshaft.hub.requests import Requests
from lineshaft.wire.writes import WriteCommand

_DRAIN: Final = 10.0  # seconds that a stop waits for what is queued
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """How ingest works. `folder` holds the journal; queues are bounded by bytes (messages) and rows (blocks)."""

    folder: Path
    broker: BrokerLogin
    intake: IntakeSettings
    host_id: str = "lineshaft"
    inbox_bytes: int = 64_000_000
    limits: CommitLimits = field(default_factory=CommitLimits)


class Ingest:
    """In this order: `recover`, then `start`; `stop` at the end. `figures` at any time, from any thread."""

    def __init__(
        self,
        settings: IngestSettings,
        historian: Historian,
        catalogue: Catalogue,
        ledger: Ledger,
        events: EventStore,
        live: LiveSink,
        clock: Clock | None = None,
        writes: WriteLog | None = None,
        ready: Callable[[], None] = lambda: None,  # raises StoreUnavailable when nothing should be stored now
    ) -> None:
        clock = clock or SystemClock()
        self._counters = Counters()
        self._inbox = Inbox(settings.inbox_bytes)
        frames = FrameLog()
        reporter = Reporter(events, clock, self._counters)
        self._journal = Journal(settings.folder, frames)
        self._host = HostClient(settings.broker, settings.host_id, self._inbox, clock, self._counters)
        self.pipelines = Pipelines()
        self.requests = Requests(self._host.command, lambda node: self._intake.listens(node), clock)
        """Asks gateways for something."""
        self._committer = Committer(
            self._journal,
            historian,
            ledger,
            events,
            live,
            self._counters,
            settings.limits,
            self._host.acknowledge,
            writes,
            ready,
            lambda reason, words, severity: reporter.event("", reason, words, severity=severity),
        )
        self._intake = Intake(
            settings.intake,
            self._inbox,
            self._committer,
            frames,
            catalogue,
            live,
            clock,
            self._counters,
            reporter,
            self._host.ask_rebirth,
            self._host.acknowledge,
            Told(catalogue, self.requests, self.pipelines),
        )
        self._threads = (
            threading.Thread(target=self._intake.run, name="ingest-intake", daemon=True),
            threading.Thread(target=self._committer.run, name="ingest-commit", daemon=True),
        )

    def recover(self) -> int:
        """Finish what a kill interrupted; gives the rows of the unfinished block. Call it once, before `start`.

        Raises StoreUnavailable when journal or historian cannot be used.
        """
        return self._committer.recover()

    def start(self) -> None:
        """Connect and take messages."""
        for thread in self._threads:
            thread.start()
        self._host.start()

    def stop(self) -> None:
        """Say good-bye to the broker, commit what is queued, and end. What could not be committed is sent again."""
        self._host.stop()
        self._inbox.close()
        intake, commit = self._threads
        if intake.is_alive():
            intake.join(_DRAIN)
        self._committer.close()
        if commit.is_alive():
            commit.join(_DRAIN)
        if commit.is_alive():
            _log.warning("ingest: stopped with uncommitted rows", rows=self._committer.pending_rows)
            self._committer.abandon()
            commit.join(_DRAIN)
        self._journal.close()

    def write(self, node: str, command: WriteCommand) -> bool:
        """Send a command to write to a node (group/edge node); False when there is no broker. Thread-safe."""
        return self._host.write(node, command)

    def figures(self) -> IngestFigures:
        """Counters and queue depths at this moment."""
        return self._counters.figures(self._inbox.size_bytes, self._committer.pending_rows)

    def alive(self) -> bool:
        """True while both threads run; a hub without them must be restarted."""
        return all(thread.is_alive() for thread in self._threads)

"""Words about messages that cannot be used: counted always, told as an event now and then."""

from __future__ import annotations

import threading
from typing import Final

import structlog

from lineshaft.clock import Clock
from lineshaft.errors import StoreUnavailable
from lineshaft.hub.ingest.counters import Counters
from lineshaft.hub.ports import EventStore
from lineshaft.model.events import Event, Severity

INTERVAL: Final = 60.0  # seconds between two events of one node about one thing
_KNOWN: Final = 10_000
_log = structlog.get_logger(__name__)


class Reporter:
    """Thread-safe."""

    def __init__(self, events: EventStore, clock: Clock, counters: Counters) -> None:
        self._events = events
        self._clock = clock
        self._counters = counters
        self._told: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def reject(self, node: str, reason: str, detail: str) -> None:
        """A message that cannot be used. `reason` is one word for programs."""
        count = self._counters.reject(node, reason)
        self.event(node, reason, f"message refused: {detail[:300]}", count=count)

    def event(self, node: str, reason: str, message: str, count: int = 1, severity: Severity = Severity.MEDIUM) -> None:
        """Store an event `ingest.<reason>`, unless the same was told within the last minute."""
        now = self._clock.monotonic()
        with self._lock:
            if now - self._told.get((node, reason), -INTERVAL) < INTERVAL:
                return
            if len(self._told) >= _KNOWN:
                self._told.clear()
            self._told[node, reason] = now
        subject = node or "ingest"
        _log.warning(f"ingest: {reason}", node=subject, message=message)
        now_us = self._clock.now_us()
        event = Event(now_us, f"ingest.{reason}", subject, message, severity, {"count": count})
        try:
            self._events.add([event])
        except StoreUnavailable as error:
            _log.error("ingest: event not stored", error=str(error))

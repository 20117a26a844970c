"""State of gateways and devices: changes of state are stored at once, figures with the next flush."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select

from lineshaft.errors import StoreUnavailable
from lineshaft.hub.ports import SourceState
from lineshaft.hub.state.database import Database, upsert
from lineshaft.hub.state.schema import sources as table


@dataclass(frozen=True, slots=True)
class Source:
    """A gateway (device '') or a device of it."""

    node: str
    device: str
    state: SourceState
    since: int  # UTC microseconds: when this state began
    updated: int  # UTC microseconds: the last word about it
    details: Mapping[str, Any] = field(default_factory=dict)


class SqlSources:
    """The sources of data. `load()` before use; thread-safe."""

    def __init__(self, database: Database, changed: Callable[[], None] = lambda: None) -> None:
        self._database = database
        self._changed = changed
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], Source] = {}
        self._unsaved: dict[tuple[str, str], Source] = {}

    def load(self) -> None:
        """Read everything from the database."""
        with self._lock, self._database.read() as connection:
            for row in connection.execute(select(table)):
                source = Source(row.node, row.device, row.state, row.since, row.updated, row.details)
                self._known[row.node, row.device] = source

    def on_change(self, changed: Callable[[], None]) -> None:
        """Called after each change of a state, from the thread that made it."""
        self._changed = changed

    def put(
        self, node: str, device: str, state: SourceState, time: int, details: Mapping[str, Any] | None = None
    ) -> None:
        """See ports.Catalogue.source; `details` replace those of the same name, None leaves all as they are."""
        with self._lock:
            known = self._known.get((node, device))
            if known is None:
                source = Source(node, device, state, time, time, dict(details or {}))
            else:
                since = known.since if known.state == state else time
                source = replace(known, state=state, since=since, updated=max(time, known.updated))
                if details is not None:
                    source = replace(source, details={**known.details, **details})
            self._known[node, device] = source
            self._unsaved[node, device] = source
            new_state = known is None or known.state != state
        if new_state:
            self.flush()
            self._changed()

    def get(self, node: str, device: str = "") -> Source | None:
        """One gateway or device; None when it never reported."""
        with self._lock:
            return self._known.get((node, device))

    def all(self) -> Sequence[Source]:
        """Every source, a gateway before its devices."""
        with self._lock:
            return [self._known[key] for key in sorted(self._known)]

    def flush(self) -> None:
        """Store what has changed since the last flush."""
        with self._lock:
            unsaved, self._unsaved = self._unsaved, {}
        if not unsaved:
            return
        try:
            with self._database.write() as connection:
                upsert(connection, table, [_columns(source) for source in unsaved.values()])
        except StoreUnavailable:
            with self._lock:
                self._unsaved = unsaved | self._unsaved
            raise


def _columns(source: Source) -> dict[str, Any]:
    return {
        "node": source.node,
        "device": source.device,
        "state": source.state,
        "since": source.since,
        "updated": source.updated,
        "details": dict(source.details),
    }

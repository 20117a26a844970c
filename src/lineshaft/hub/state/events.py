"""The event store: everything that happened, with words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, insert, or_, select

from lineshaft.hub.state.database import Database
from lineshaft.hub.state.schema import events as table
from lineshaft.model.events import Event, Severity

WITHDRAWN = "operator.withdrawn"
FAILING = "operator.failing"
RECOVERED = "operator.recovered"
_NO_FINDINGS = (WITHDRAWN, FAILING, RECOVERED)
"""What the hub tells about operators, which they have not found themselves."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event and its number."""

    id: int
    event: Event


class SqlEventStore:
    """Implements ports.EventStore; thread-safe."""

    def __init__(self, database: Database, added: Callable[[Sequence[StoredEvent]], None] = lambda _: None) -> None:
        self._database = database
        self._added = added

    def on_add(self, added: Callable[[Sequence[StoredEvent]], None]) -> None:
        """Called after events are stored, from the thread that stored them."""
        self._added = added

    def add(self, events: Sequence[Event]) -> None:
        """Store events, then tell the listener. What is stored already, told again after a kill, is left out."""
        if not events:
            return
        statement = insert(table).returning(table.c.id, sort_by_parameter_order=True)
        with self._database.write() as connection:
            known = _known(connection, events)
            new = [one for one in events if (one.time, one.kind, one.subject, one.message) not in known]
            if not new:
                return
            ids = connection.execute(statement, [_columns(one) for one in new]).scalars().all()
        self._added([StoredEvent(number, event) for number, event in zip(ids, new, strict=True)])

    def of_operator(self, operator: str, asset: str, after: int, until: int) -> Sequence[Event]:
        """What an operator found on an asset or a part of it, after < time <= until, oldest first."""
        below = table.c.subject.startswith(asset + "/", autoescape=True)
        query = (
            select(table)
            .where(or_(table.c.subject == asset, below), table.c.time > after, table.c.time <= until)
            .where(table.c.kind.not_in(_NO_FINDINGS))
            .order_by(table.c.time, table.c.id)
        )
        with self._database.read() as connection:
            found = [_event(row).event for row in connection.execute(query)]
        return [event for event in found if event.details.get("operator") == operator]

    def withdraw(self, gone: Sequence[Event], notices: Sequence[Event]) -> None:
        """Remove events that late data have proved wrong, and store the notices that say so."""
        if not gone:
            return
        identity = select(table.c.id, table.c.time, table.c.kind, table.c.subject, table.c.message)
        wanted = {(one.time, one.kind, one.subject, one.message) for one in gone}
        with self._database.write() as connection:
            found = connection.execute(identity.where(table.c.time.in_({one.time for one in gone})))
            ids = [row.id for row in found if (row.time, row.kind, row.subject, row.message) in wanted]
            connection.execute(delete(table).where(table.c.id.in_(ids)))
        self.add(notices)

    def after(self, number: int, kinds: Sequence[str], limit: int = 1000) -> Sequence[StoredEvent]:
        """Events with an id above `number` whose kind begins like one of these, in the order of their storing."""
        wanted = or_(*(table.c.kind.startswith(kind, autoescape=True) for kind in kinds))
        query = select(table).where(table.c.id > number, wanted).order_by(table.c.id).limit(limit)
        with self._database.read() as connection:
            return [_event(row) for row in connection.execute(query)]

    def find(
        self,
        *,
        since: int | None = None,
        until: int | None = None,
        subject: str = "",
        kind: str = "",
        limit: int = 100,
        before: tuple[int, int] | None = None,
    ) -> Sequence[StoredEvent]:
        """Newest first, from `since` up to but not at `until`.

        `subject`: it and all below it; `kind`: how the kind begins; `before`: time and id of the last event of the page
        before.
        """
        query = select(table).order_by(table.c.time.desc(), table.c.id.desc()).limit(limit)
        if since is not None:
            query = query.where(table.c.time >= since)
        if until is not None:
            query = query.where(table.c.time < until)
        if subject:
            below = table.c.subject.startswith(subject + "/", autoescape=True)
            query = query.where(or_(table.c.subject == subject, below))
        if kind:
            query = query.where(table.c.kind.startswith(kind, autoescape=True))
        if before is not None:
            time, number = before
            earlier = and_(table.c.time == time, table.c.id < number)
            query = query.where(or_(table.c.time < time, earlier))
        with self._database.read() as connection:
            return [_event(row) for row in connection.execute(query)]


def _known(connection: Connection, events: Sequence[Event]) -> set[tuple[int, str, str, str]]:
    """Which of these are stored."""
    identity = select(table.c.time, table.c.kind, table.c.subject, table.c.message)
    times = {one.time for one in events}
    found = connection.execute(identity.where(table.c.time.in_(times)))
    return {(row.time, row.kind, row.subject, row.message) for row in found}


def _columns(event: Event) -> dict[str, Any]:
    return {
        "time": event.time,
        "kind": event.kind,
        "subject": event.subject,
        "severity": str(event.severity),
        "message": event.message,
        "details": dict(event.details),
    }


def _event(row: Row[Any]) -> StoredEvent:
    event = Event(row.time, row.kind, row.subject, row.message, Severity(row.severity), row.details)
    return StoredEvent(row.id, event)

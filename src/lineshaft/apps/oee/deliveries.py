"""The outbox: what is to be sent, once for each thing that ended, kept until it is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from sqlalchemy import func, select, update

from lineshaft.apps.oee.tables import deliveries
from lineshaft.hub.state.database import Database, fact, insert_new, set_fact

Kind = Literal["webhook", "mail"]
State = Literal["waiting", "sent", "failed"]
MINUTE_US: Final = 60_000_000
FIRST_RETRY_US: Final = 10_000_000
LONGEST_RETRY_US: Final = 60 * MINUTE_US
GIVE_UP_US: Final = 3 * 24 * 60 * MINUTE_US


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one target. `id` is made of what it is about, so that it can be there only once."""

    id: str
    target: str  # id of the webhook or report in the plant folder
    kind: Kind
    topic: Literal["shift", "order"]
    path: str
    subject: str  # in words
    start: int  # of the shift; when the order began
    created: int
    due: int  # of the next attempt
    payload: Mapping[str, Any] = field(default_factory=dict)
    attempts: int = 0
    state: State = "waiting"
    error: str = ""
    sent: int | None = None


class Outbox:
    """Thread-safe; one process sends."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, new: Sequence[Delivery]) -> None:
        """Keep them; one whose id is there already is left as it is."""
        names = Delivery.__slots__
        with self._database.write() as connection:
            insert_new(connection, deliveries, [{name: getattr(one, name) for name in names} for one in new])

    def known(self, ids: Sequence[str]) -> set[str]:
        """Which of these are there."""
        with self._database.read() as connection:
            return set(connection.execute(select(deliveries.c.id).where(deliveries.c.id.in_(ids))).scalars())

    def first_seen(self, target: str, now: int) -> int:
        """Since when a target is told; what ended before is not sent to it."""
        with self._database.write() as connection:
            found = fact(connection, f"oee-target-{target}")
            if not found:
                set_fact(connection, f"oee-target-{target}", now)
            return found or now

    def due(self, now: int, limit: int = 20) -> list[Delivery]:
        """What is to be tried now, oldest first."""
        c = deliveries.c
        query = select(deliveries).where(c.state == "waiting", c.due <= now).order_by(c.due, c.id).limit(limit)
        return self._found(query)

    def get(self, delivery: str) -> Delivery | None:
        """One by its id."""
        return next(iter(self._found(select(deliveries).where(deliveries.c.id == delivery))), None)

    def find(self, limit: int | None) -> list[Delivery]:
        """Newest first; all without a limit."""
        return self._found(select(deliveries).order_by(deliveries.c.created.desc(), deliveries.c.id).limit(limit))

    def reports(self, path: str, start: int | None = None) -> list[Delivery]:
        """Mailed reports of a part of the plant, newest first; of one shift where its start is given."""
        c = deliveries.c
        query = select(deliveries).where(c.kind == "mail", c.path == path).order_by(c.created.desc()).limit(200)
        return self._found(query if start is None else query.where(c.start == start))

    def counts(self) -> dict[str, int]:
        """State -> how many."""
        query = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
        with self._database.read() as connection:
            return {row[0]: int(row[1]) for row in connection.execute(query)}

    def sent(self, one: Delivery, now: int) -> None:
        """It was taken."""
        self._set(one.id, state="sent", sent=now, attempts=one.attempts + 1, error="")

    def failed(self, one: Delivery, now: int, error: str, *, for_good: bool = False) -> State:
        """It was not taken: later again, at growing distances; after three days, or `for_good`, no more."""
        gone = for_good or now - one.created > GIVE_UP_US
        wait = min(FIRST_RETRY_US * 2 ** min(one.attempts, 12), LONGEST_RETRY_US)
        state: State = "failed" if gone else "waiting"
        self._set(one.id, state=state, due=now + wait, attempts=one.attempts + 1, error=error[:500])
        return state

    def again(self, delivery: str, now: int) -> bool:
        """Try one that was given up, or that waits, at once; False when there is none such."""
        c = deliveries.c
        with self._database.write() as connection:
            query = update(deliveries).where(c.id == delivery, c.state != "sent")
            return bool(connection.execute(query.values(state="waiting", due=now, created=now)).rowcount)

    def _set(self, delivery: str, **values: Any) -> None:
        with self._database.write() as connection:
            connection.execute(update(deliveries).where(deliveries.c.id == delivery).values(**values))

    def _found(self, query: Any) -> list[Delivery]:
        with self._database.read() as connection:
            return [Delivery(**row._mapping) for row in connection.execute(query)]

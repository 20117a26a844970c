"""The audit log of write-back: every attempt to set a value on a device, also refused ones, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, and_, insert, or_, select, update

from lineshaft.hub.state.database import Database, insert_new
from lineshaft.hub.state.schema import writes as table
from lineshaft.wire.notes import WriteNote
from lineshaft.wire.writes import SetValue

SENT: Final = "sent"
"""Outcome of a command whose answer has not come."""


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """One attempt. Times are UTC microseconds; `outcome` is SENT or that of a WriteNote."""

    id: str
    time: int
    signal: str  # path
    node: str
    user: str
    role: str
    via: str  # session, token, or sparkplug for a command that the hub did not send
    reason: str
    dry_run: bool
    value: SetValue | None
    deadline: int
    expected: SetValue | None = None
    before: SetValue | None = None
    after: SetValue | None = None
    outcome: str = SENT
    message: str = ""
    hint: str = ""
    finished: int | None = None
    undo_of: str = ""  # id of the attempt that this one takes back


class SqlWrites:
    """Implements ports.WriteLog; thread-safe. Nothing is ever removed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, record: WriteRecord) -> None:
        """Note an attempt."""
        with self._database.write() as connection:
            connection.execute(insert(table).values(_columns(record)))

    def finish(self, record: str, outcome: str, message: str, hint: str, time: int) -> None:
        """An attempt ended in the hub."""
        end = {"outcome": outcome, "message": message, "hint": hint, "finished": time}
        with self._database.write() as connection:
            connection.execute(update(table).where(table.c.id == record).values(end))

    def settle(self, node: str, note: WriteNote) -> None:
        """See ports.WriteLog."""
        record = WriteRecord(
            note.id, note.time, note.signal, node, note.user, "", note.via, note.reason, note.dry_run, note.value, 0
        )  # fmt: skip
        end = {
            "outcome": note.outcome,
            "message": note.message,
            "hint": note.hint,
            "before": note.before,
            "after": note.after,
            "finished": note.time,
        }
        mine = and_(table.c.id == note.id, table.c.node == node, table.c.outcome == SENT)
        with self._database.write() as connection:
            insert_new(connection, table, [_columns(record)])  # a command that was not ours
            connection.execute(update(table).where(mine).values(end))

    def get(self, record: str) -> WriteRecord | None:
        """One attempt."""
        with self._database.read() as connection:
            row = connection.execute(select(table).where(table.c.id == record)).first()
        return None if row is None else _record(row)

    def find(
        self, *, signal: str = "", limit: int = 100, before: tuple[int, str] | None = None
    ) -> Sequence[WriteRecord]:
        """Newest first. `signal`: a path and all below it; `before`: time and id of the last one of the page before."""
        query = select(table).order_by(table.c.time.desc(), table.c.id.desc()).limit(limit)
        if signal:
            below = table.c.signal.startswith(signal + "/", autoescape=True)
            query = query.where(or_(table.c.signal == signal, below))
        if before is not None:
            time, number = before
            query = query.where(or_(table.c.time < time, and_(table.c.time == time, table.c.id < number)))
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(query)]


def _columns(record: WriteRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "time": record.time,
        "signal": record.signal,
        "node": record.node,
        "user_name": record.user,
        "role": record.role,
        "via": record.via,
        "reason": record.reason,
        "dry_run": record.dry_run,
        "value": record.value,
        "expected": record.expected,
        "before": record.before,
        "after": record.after,
        "deadline": record.deadline,
        "outcome": record.outcome,
        "message": record.message,
        "hint": record.hint,
        "finished": record.finished,
        "undo_of": record.undo_of,
    }


def _record(row: Row[Any]) -> WriteRecord:
    return WriteRecord(
        id=row.id,
        time=row.time,
        signal=row.signal,
        node=row.node,
        user=row.user_name,
        role=row.role,
        via=row.via,
        reason=row.reason,
        dry_run=row.dry_run,
        value=row.value,
        deadline=row.deadline,
        expected=row.expected,
        before=row.before,
        after=row.after,
        outcome=row.outcome,
        message=row.message,
        hint=row.hint,
        finished=row.finished,
        undo_of=row.undo_of,
    )

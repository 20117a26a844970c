"""What changed in the descriptions of equipment and signals: field, before, after, when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, tuple_

from lineshaft.hub.state.database import Database
from lineshaft.hub.state.schema import catalogue_changes as table

_AT_ONCE: Final = 1000  # paths in one statement
KEPT: Final = 100
"""Changes of one path that are kept: two gateways that contradict each other may not fill the disk."""


@dataclass(frozen=True, slots=True)
class Change:
    """One description became another one."""

    time: int  # UTC microseconds
    path: str
    source: str  # group/edge node whose birth brought it, '' when it was not a birth of one
    fields: tuple[tuple[str, Any, Any], ...]  # (field, before, after)
    id: int = 0  # of the stored one


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[tuple[str, Any, Any], ...]:
    """Fields whose values differ, in the order of `after`."""
    return tuple((name, before.get(name), value) for name, value in after.items() if before.get(name) != value)


def note(connection: Connection, changes: Iterable[Change]) -> None:
    """Store changes in the transaction that makes them, and forget the oldest of each path."""
    told = [one for one in changes if one.fields]
    if not told:
        return
    rows = [{"time": c.time, "path": c.path, "source": c.source, "changes": [list(f) for f in c.fields]} for c in told]
    connection.execute(insert(table), rows)
    paths = sorted({one.path for one in told})
    for at in range(0, len(paths), _AT_ONCE):
        _forget(connection, paths[at : at + _AT_ONCE])


def _forget(connection: Connection, paths: Sequence[str]) -> None:
    crowded = select(table.c.path).where(table.c.path.in_(paths)).group_by(table.c.path).having(func.count() > KEPT)
    for path in connection.execute(crowded).scalars().all():
        newest = select(table.c.id).where(table.c.path == path).order_by(table.c.id.desc()).limit(KEPT)
        oldest_kept = min(connection.execute(newest).scalars())
        connection.execute(delete(table).where(table.c.path == path, table.c.id < oldest_kept))


def find(database: Database, path: str, limit: int, before: tuple[int, int] | None = None) -> Sequence[Change]:
    """Changes of a path and of all below it ('' is everything), newest first."""
    query = select(table).order_by(table.c.time.desc(), table.c.id.desc()).limit(limit)
    if path:
        query = query.where(or_(table.c.path == path, table.c.path.startswith(path + "/", autoescape=True)))
    if before is not None:
        query = query.where(tuple_(table.c.time, table.c.id) < before)
    with database.read() as connection:
        return [_change(row) for row in connection.execute(query)]


def _change(row: Row[Any]) -> Change:
    return Change(row.time, row.path, row.source, tuple((name, old, new) for name, old, new in row.changes), row.id)

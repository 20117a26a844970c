"""Saved views: addresses of pages under a name, one's own or shared with everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, or_, select, update

from lineshaft.errors import DataError
from lineshaft.hub.state.database import Database
from lineshaft.hub.state.schema import views as table

MOST_VIEWS = 500
"""Views of one user."""


@dataclass(frozen=True, slots=True)
class View:
    """A page as somebody wants to see it again. `address` is its path and query, like '/trend?s=1,2&r=8h'."""

    id: int
    name: str
    owner: str
    shared: bool
    address: str
    changed: int  # UTC microseconds


class SqlViews:
    """Views of all users; thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, user: str) -> Sequence[View]:
        """What `user` may see, by name: the own views and those that others share."""
        query = select(table).where(or_(table.c.owner == user, table.c.shared)).order_by(table.c.name, table.c.id)
        with self._database.read() as connection:
            return [_view(row) for row in connection.execute(query)]

    def save(self, owner: str, name: str, address: str, *, shared: bool, now: int) -> View:
        """Keep a view; one of the same name of the same owner is replaced. Raises DataError at the bound."""
        values = {"address": address, "shared": shared, "changed": now}
        mine = (table.c.owner == owner) & (table.c.name == name)
        with self._database.write() as connection:
            if not connection.execute(update(table).where(mine).values(values)).rowcount:
                names = connection.execute(select(table.c.name).where(table.c.owner == owner)).all()
                if len(names) >= MOST_VIEWS:
                    raise DataError(f"{owner} has {MOST_VIEWS} views", hint="remove one first")
                connection.execute(insert(table).values(owner=owner, name=name, **values))
            return _view(connection.execute(select(table).where(mine)).one())

    def remove(self, number: int, owner: str | None) -> bool:
        """Forget a view of `owner`, or of anybody when None; False when there is none."""
        query = delete(table).where(table.c.id == number)
        if owner is not None:
            query = query.where(table.c.owner == owner)
        with self._database.write() as connection:
            return connection.execute(query).rowcount > 0


def _view(row: Row[Any]) -> View:
    return View(row.id, row.name, row.owner, row.shared, row.address, row.changed)

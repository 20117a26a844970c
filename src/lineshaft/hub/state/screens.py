"""Keys of wall screens: they belong to no person and can only look; only their hashes are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from lineshaft.hub.state.database import Database
from lineshaft.hub.state.schema import screens


@dataclass(frozen=True, slots=True)
class Screen:
    """A wall screen that may look; the key itself is not kept."""

    id: int
    name: str
    by: str  # who made the key; it stays valid when that person goes
    created: int  # UTC microseconds, as the one below
    used: int | None


class Screens:
    """Thread-safe. Hashes are made by the caller (lineshaft.hub.security)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, key_hash: str, name: str, by: str, time: int) -> Screen:
        """Remember a key."""
        with self._database.write() as connection:
            values = {"hash": key_hash, "name": name, "made_by": by, "created": time}
            connection.execute(insert(screens).values(values))
            number = connection.execute(select(screens.c.id).where(screens.c.hash == key_hash)).scalar_one()
        return Screen(number, name, by, time, None)

    def all(self) -> Sequence[Screen]:
        """All of them in the order in which they were made."""
        c = screens.c
        with self._database.read() as connection:
            rows = connection.execute(select(c.id, c.name, c.made_by, c.created, c.used).order_by(c.id))
            return [Screen(*row) for row in rows]

    def find(self, key_hash: str) -> Screen | None:
        """The screen with this key; None when it was taken back."""
        c = screens.c
        query = select(c.id, c.name, c.made_by, c.created, c.used).where(c.hash == key_hash)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else Screen(*row)

    def touch(self, number: int, time: int) -> None:
        """It has looked."""
        with self._database.write() as connection:
            connection.execute(update(screens).where(screens.c.id == number).values(used=time))

    def remove(self, number: int) -> bool:
        """Take a key back; False when there is none."""
        with self._database.write() as connection:
            return connection.execute(delete(screens).where(screens.c.id == number)).rowcount == 1

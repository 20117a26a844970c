"""Reads and writes the days that are not as the plant folder has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import delete, insert, select

from lineshaft.apps.oee import tables as t
from lineshaft.apps.oee.exceptions import Entry, EntryShift
from lineshaft.hub.state.database import Database


class CalendarStore:
    """Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def entries(self) -> tuple[Entry, ...]:
        """All of them, by number."""
        with self._database.read() as connection:
            rows = connection.execute(select(t.calendar).order_by(t.calendar.c.id)).mappings()
            return tuple(_entry(dict(row)) for row in rows)

    def put(self, entry: Entry, before: Entry | None) -> int:
        """Keep an entry, in place of `before` where there is one; the audit says who did it. Gives its number."""
        row = {**asdict(entry), "shifts": [asdict(one) for one in entry.shifts]}
        number = row.pop("id")
        with self._database.write() as connection:
            if before is None:
                number = connection.execute(insert(t.calendar).values(**row)).inserted_primary_key[0]  # type: ignore[index]
            else:
                connection.execute(delete(t.calendar).where(t.calendar.c.id == number))
                connection.execute(insert(t.calendar).values(id=number, **row))
            connection.execute(insert(t.audit), [_audit(entry, before, entry)])
        return int(number)

    def remove(self, entry: Entry, by: str, at: int, why: str) -> None:
        """Forget an entry; the audit keeps it, with who removed it and why."""
        with self._database.write() as connection:
            connection.execute(delete(t.calendar).where(t.calendar.c.id == entry.id))
            row = _audit(entry, entry, None) | {"by": by, "time": at}
            row["details"]["why"] = why
            connection.execute(insert(t.audit), [row])


def _audit(about: Entry, before: Entry | None, after: Entry | None) -> dict[str, Any]:
    details: dict[str, Any] = {
        "before": None if before is None else as_json(before),
        "after": None if after is None else as_json(after),
    }
    return {"time": about.at, "by": about.by, "action": "calendar", "machine": about.path, "details": details}


def as_json(entry: Entry) -> dict[str, Any]:
    """An entry as the API gives it."""
    return asdict(entry)


def _entry(row: Mapping[str, Any]) -> Entry:
    shifts = tuple(
        EntryShift(one["id"], one["start"], one["end"], one["crew"], tuple((a, b) for a, b in one["breaks"]))
        for one in row["shifts"]
    )
    return Entry(
        row["path"], row["kind"], row["first"], row["last"], shifts, row["reason"], row["id"], row["by"], row["at"]
    )

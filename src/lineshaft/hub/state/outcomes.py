"""What happened to assets, who said so, and every change of it: the truth that predictions are scored against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, insert, or_, select, tuple_, update

from lineshaft.errors import DataError
from lineshaft.hub.state.database import Database
from lineshaft.hub.state.schema import outcome_changes as changes
from lineshaft.hub.state.schema import outcomes as table
from lineshaft.model.predictions import Outcome, OutcomeKind


@dataclass(frozen=True, slots=True)
class StoredOutcome:
    """An outcome with who said it. `source`: a case or work order that it came from; '' for what somebody just said."""

    id: int
    outcome: Outcome
    by: str
    note: str
    source: str
    recorded: int  # UTC microseconds
    removed: bool


@dataclass(frozen=True, slots=True)
class OutcomeChange:
    """One change: who, when, why, and the fields before and after."""

    time: int
    by: str
    why: str
    before: dict[str, Any]
    after: dict[str, Any]


class SqlOutcomes:
    """Thread-safe; each call is one transaction. Raises StoreUnavailable. Nothing is ever deleted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, outcome: Outcome, *, by: str, note: str, now: int, source: str = "") -> StoredOutcome:
        """Say what happened. The same kind at the same time from the same `source` is stored once."""
        row: dict[str, Any] = {
            "asset": outcome.asset,
            "kind": str(outcome.kind),
            "time": outcome.time,
            "by": by,
            "note": note,
            "source": source,
            "recorded": now,
            "removed": False,
        }
        with self._database.write() as connection:
            if source:
                same = [table.c[name] == row[name] for name in ("asset", "kind", "time", "source")]
                known = connection.execute(select(table).where(*same, table.c.removed.is_(False))).first()
                if known is not None:
                    return _outcome(known)
            number = connection.execute(insert(table).values(row).returning(table.c.id)).scalar_one()
        return StoredOutcome(number, outcome, by, note, source, now, removed=False)

    def change(
        self,
        number: int,
        *,
        by: str,
        why: str,
        now: int,
        kind: OutcomeKind | None = None,
        time: int | None = None,
        note: str | None = None,
        removed: bool | None = None,
    ) -> StoredOutcome:
        """Correct what was said; what it was before is kept. Raises DataError for one that is not there."""
        wanted = {"kind": None if kind is None else str(kind), "time": time, "note": note, "removed": removed}
        with self._database.write() as connection:
            row = connection.execute(select(table).where(table.c.id == number)).first()
            if row is None:
                raise DataError(f"there is no outcome {number}")
            after = {name: value for name, value in wanted.items() if value is not None and value != row._mapping[name]}
            stored = _outcome(row)
            if not after:
                return stored
            before = {name: row._mapping[name] for name in after}
            connection.execute(update(table).where(table.c.id == number).values(after))
            audit = {"outcome": number, "time": now, "by": by, "why": why, "before": before, "after": after}
            connection.execute(insert(changes).values(audit))
            changed = connection.execute(select(table).where(table.c.id == number)).one()
        return _outcome(changed)

    def find(
        self,
        *,
        asset: str = "",
        removed: bool = False,
        limit: int | None = None,
        before: tuple[int, int] | None = None,
    ) -> Sequence[StoredOutcome]:
        """Newest first. `asset`: it and all below it; `before`: time and id of the last one of the page before."""
        query = select(table).order_by(table.c.time.desc(), table.c.id.desc()).limit(limit)
        if asset:
            below = table.c.asset.startswith(asset + "/", autoescape=True)
            query = query.where(or_(table.c.asset == asset, below))
        if before is not None:
            query = query.where(tuple_(table.c.time, table.c.id) < before)
        if not removed:
            query = query.where(table.c.removed.is_(False))
        with self._database.read() as connection:
            return [_outcome(row) for row in connection.execute(query)]

    def changes(self, number: int) -> Sequence[OutcomeChange]:
        """What was changed of one, oldest first."""
        query = select(changes).where(changes.c.outcome == number).order_by(changes.c.id)
        with self._database.read() as connection:
            return [
                OutcomeChange(row.time, row.by, row.why, row.before, row.after) for row in connection.execute(query)
            ]


def _outcome(row: Row[Any]) -> StoredOutcome:
    outcome = Outcome(row.time, row.asset, OutcomeKind(row.kind))
    return StoredOutcome(row.id, outcome, row.by, row.note, row.source, row.recorded, row.removed)

"""Cases in the state database: a row follows its case through late data, under the same id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from lineshaft.apps.maintenance.risk import Risk
from lineshaft.apps.maintenance.story import Case, Entry
from lineshaft.apps.maintenance.tables import cases as table
from lineshaft.apps.maintenance.tables import marks
from lineshaft.hub.state.database import Database, upsert

_PLAIN: Final = tuple(one.name for one in fields(Case) if one.name not in ("active", "entries"))
"""Fields of a case that are columns of the same name."""


@dataclass(frozen=True, slots=True)
class StoredCase:
    """A case with its id and what belongs to it besides the story."""

    id: int
    case: Case
    severity: str
    chance: float
    failure_cost: float | None
    repair_cost: float | None
    comparison: Mapping[str, Any] | None
    updated: int


_BESIDE: Final = tuple(one.name for one in fields(StoredCase) if one.name != "case")


class CaseStore:
    """Thread-safe; each call is one transaction. Raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, asset: str, told: Sequence[tuple[Case, Risk]], now: int) -> Sequence[StoredCase]:
        """The cases of an asset are these from now on; a case that was known keeps its id."""
        with self._database.write() as connection:
            old = connection.execute(select(table).where(table.c.asset == asset).order_by(table.c.opened)).all()
            left = list(old)
            for case, risk in told:
                match = _same(case, left)
                row = _columns(case, risk, now)
                if match is None:
                    connection.execute(insert(table).values(row))
                    continue
                left.remove(match)
                if any(match._mapping[name] != value for name, value in row.items() if name != "updated"):
                    _update(connection, match, row)
            if left:  # late data have taken away what they were told by
                connection.execute(delete(table).where(table.c.id.in_([row.id for row in left])))
            found = connection.execute(select(table).where(table.c.asset == asset).order_by(table.c.opened))
            return [_stored(row) for row in found]

    def compare(self, number: int, comparison: Mapping[str, Any]) -> None:
        """Keep the vibration before and after the repair."""
        with self._database.write() as connection:
            connection.execute(update(table).where(table.c.id == number).values(comparison=dict(comparison)))

    def one(self, number: int) -> StoredCase | None:
        """A case by its id."""
        with self._database.read() as connection:
            row = connection.execute(select(table).where(table.c.id == number)).first()
        return None if row is None else _stored(row)

    def find(self, *, asset: str = "", open_only: bool = False, limit: int | None = 500) -> Sequence[StoredCase]:
        """Newest first. `asset`: it and all below it."""
        query = select(table).order_by(table.c.opened.desc(), table.c.id.desc()).limit(limit)
        if asset:
            query = query.where(or_(table.c.asset == asset, table.c.asset.startswith(asset + "/", autoescape=True)))
        if open_only:
            query = query.where(table.c.closed.is_(None))
        with self._database.read() as connection:
            return [_stored(row) for row in connection.execute(query)]

    def assets(self) -> Sequence[str]:
        """All that have cases."""
        with self._database.read() as connection:
            return connection.execute(select(table.c.asset).distinct()).scalars().all()

    def repaired_since(self, time: int) -> Sequence[str]:
        """Assets on which work was recorded for a time since then."""
        with self._database.read() as connection:
            return connection.execute(select(table.c.asset).where(table.c.worked >= time).distinct()).scalars().all()

    def mark(self, key: str) -> int:
        """How far something was worked in; 0 at first."""
        with self._database.read() as connection:
            value = connection.execute(select(marks.c.value).where(marks.c.key == key)).scalar()
        return 0 if value is None else int(value)

    def set_mark(self, key: str, value: int) -> None:
        """It was worked in up to here."""
        self.set_marks({key: value})

    def set_marks(self, values: Mapping[str, int]) -> None:
        """Each was worked in up to there."""
        if values:
            with self._database.write() as connection:
                upsert(connection, marks, [{"key": key, "value": value} for key, value in values.items()])


def _update(connection: Connection, match: Row[Any], row: dict[str, Any]) -> None:
    if row["worked"] != match.worked:
        row["comparison"] = None  # another repair: compare anew
    connection.execute(update(table).where(table.c.id == match.id).values(row))


def _same(case: Case, rows: Sequence[Row[Any]]) -> Row[Any] | None:
    """The row that told of this case before: of overlapping ones that with the same fault, then the nearest begin."""
    end = case.closed if case.closed is not None else 2**62
    near = [row for row in rows if row.opened <= end and case.opened <= (2**62 if row.closed is None else row.closed)]
    near.sort(key=lambda row: (row.fault != case.fault, bool(row.fault), abs(row.opened - case.opened)))
    return near[0] if near else None


def _columns(case: Case, risk: Risk, now: int) -> dict[str, Any]:
    return {
        **plain(case),
        "entries": [{**asdict(one), "details": dict(one.details)} for one in case.entries],
        "severity": risk.severity,
        "chance": risk.chance,
        "failure_cost": risk.failure_cost,
        "repair_cost": risk.repair_cost,
        "updated": now,
    }


def plain(case: Case) -> dict[str, Any]:
    """What a case says of itself by name, but for its entries and for what speaks for it right now."""
    return {name: getattr(case, name) for name in _PLAIN}


def _stored(row: Row[Any]) -> StoredCase:
    known = row._mapping
    case = Case(**{name: known[name] for name in _PLAIN}, entries=[Entry(**one) for one in row.entries])
    return StoredCase(case=case, **{name: known[name] for name in _BESIDE})

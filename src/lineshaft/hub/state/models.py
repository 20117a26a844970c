"""Versions of trained models: what each was trained on and validated on, what it says, and who put it to work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import Row, func, insert, select, update

from lineshaft.errors import DataError
from lineshaft.hub.state.database import Database
from lineshaft.hub.state.schema import model_changes as changes
from lineshaft.hub.state.schema import model_versions as table

ModelState: TypeAlias = Literal["draft", "shadow", "active", "retired"]
"""draft: trained; shadow: foretells, nobody is told; active: makes events; retired: at work no more."""
MOVES: Final[Mapping[str, tuple[ModelState, ...]]] = {
    "draft": ("shadow", "retired"),
    "shadow": ("active", "retired"),
    "active": ("shadow", "retired"),
    "retired": ("shadow",),
}
AT_WORK: Final = ("shadow", "active")


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version. Times are UTC microseconds, ranges start <= time < end.

    settings  see hub/models/training.py    metrics   on the held-out range, see there
    document  path of an asset: what was learned of it; {} where it was not asked for
    """

    name: str
    version: int
    type: str
    state: ModelState
    features: tuple[str, ...]
    operating: tuple[str, ...]
    start: int
    end: int
    held_start: int
    held_end: int
    settings: Mapping[str, Any]
    metrics: Mapping[str, Any]
    warnings: tuple[str, ...]
    code: str
    by: str
    note: str
    created: int
    document: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """What its operators are called."""
        return f"{self.name}-{self.version}"


@dataclass(frozen=True, slots=True)
class ModelChange:
    """A version came into another state."""

    version: int
    time: int
    by: str
    why: str
    before: str
    after: str


class SqlModels:
    """Thread-safe; each call is one transaction. Raises StoreUnavailable. Nothing is ever deleted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, trained: ModelVersion) -> ModelVersion:
        """Keep a new version, numbered after the last one of its name."""
        row = asdict(trained)
        with self._database.write() as connection:
            last = connection.execute(select(func.max(table.c.version)).where(table.c.name == trained.name)).scalar()
            row["version"] = (last or 0) + 1
            connection.execute(insert(table).values(row))
            _note(connection, row["name"], row["version"], trained.created, trained.by, trained.note, "", trained.state)
        return ModelVersion(**row)

    def move(self, name: str, version: int, state: ModelState, *, by: str, why: str, now: int) -> Sequence[str]:
        """Into another state. What was in that state of the same name is retired, so that one of a name is on trial and
        one is in use; gives words about those. Raises DataError for a move that there is not."""
        with self._database.write() as connection:
            rows = connection.execute(select(table.c.version, table.c.state).where(table.c.name == name)).all()
            states = {row.version: row.state for row in rows}
            if version not in states:
                raise DataError(f"there is no version {version} of a model {name!r}")
            before = states[version]
            if state not in MOVES[before]:
                allowed = " or ".join(MOVES[before])
                raise DataError(f"{name} {version} is {before} and cannot become {state}", hint=f"it can be {allowed}")
            replaced = [other for other, now_ in states.items() if now_ == state and state in AT_WORK]
            for other in replaced:
                _set(connection, name, other, "retired")
                _note(connection, name, other, now, by, f"replaced by version {version}", state, "retired")
            _set(connection, name, version, state)
            _note(connection, name, version, now, by, why, before, state)
        return [f"version {other} is retired" for other in replaced]

    def find(self, *, states: Sequence[str] = (), document: bool = False) -> Sequence[ModelVersion]:
        """By name, newest version first."""
        columns = [column for column in table.c if document or column.name != "document"]
        query = select(*columns).order_by(table.c.name, table.c.version.desc())
        if states:
            query = query.where(table.c.state.in_(states))
        with self._database.read() as connection:
            return [_version(row) for row in connection.execute(query)]

    def get(self, name: str, version: int) -> ModelVersion | None:
        """One version with its document."""
        query = select(table).where(table.c.name == name, table.c.version == version)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _version(row)

    def changes(self, name: str) -> Sequence[ModelChange]:
        """What became of the versions of a name, oldest first."""
        query = select(changes).where(changes.c.name == name).order_by(changes.c.id)
        with self._database.read() as connection:
            found = connection.execute(query)
            return [ModelChange(row.version, row.time, row.by, row.why, row.before, row.after) for row in found]


def _set(connection: Any, name: str, version: int, state: str) -> None:
    one = (table.c.name == name) & (table.c.version == version)
    connection.execute(update(table).where(one).values(state=state))


def _note(connection: Any, name: str, version: int, time: int, by: str, why: str, before: str, after: str) -> None:
    row = {"name": name, "version": version, "time": time, "by": by, "why": why, "before": before, "after": after}
    connection.execute(insert(changes).values(row))


def _version(row: Row[Any]) -> ModelVersion:
    values = dict(row._mapping)
    for name in ("features", "operating", "warnings"):
        values[name] = tuple(values[name])
    return ModelVersion(**values)

"""Versions of the configuration of each gateway: what was wanted by whom and why, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from sqlalchemy import Row, delete, func, insert, select, update

from lineshaft.config.bundle import Bundle, digest
from lineshaft.errors import Problem
from lineshaft.hub.state.database import Database
from lineshaft.hub.state.schema import config_versions as table

VersionState: TypeAlias = Literal["found", "pending", "trying", "applied", "refused", "rolled-back", "superseded"]
"""found: it was at the gateway; pending: to be sent; trying: it runs, its devices must come up; superseded: a newer
one was made before the gateway took it."""
KEPT = 1_000
"""Versions of one gateway that are kept; older ones go."""
OPEN: tuple[VersionState, ...] = ("pending", "trying")


@dataclass(frozen=True, slots=True)
class Version:
    """One version; `files` is None where they were not asked for."""

    node: str
    number: int
    digest: str
    base: str
    time: int  # UTC microseconds
    by: str
    why: str
    state: VersionState
    decided: int
    words: str
    problems: tuple[Problem, ...]
    files: Bundle | None = None

    @property
    def tag(self) -> str:
        """What the gateway calls it; never the same for two versions, not even of two hubs."""
        return f"{self.number}-{self.digest[:12]}"


class SqlConfigurations:
    """The versions of all gateways; thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, node: str, files: Bundle, *, base: str, by: str, why: str, state: VersionState, time: int) -> Version:
        """Keep a new version; one that still waits is superseded by it."""
        with self._database.write() as connection:
            waiting = (table.c.node == node) & (table.c.state == "pending")
            if state == "pending":
                connection.execute(update(table).where(waiting).values(state="superseded", decided=time))
            last = connection.execute(select(func.max(table.c.number)).where(table.c.node == node)).scalar()
            row: dict[str, Any] = {
                "node": node,
                "number": (last or 0) + 1,
                "digest": digest(files),
                "base": base,
                "time": time,
                "by": by,
                "why": why,
                "state": state,
                "decided": time,
                "words": "",
                "problems": [],
            }
            connection.execute(insert(table).values(**row, files=dict(files)))
            old = (table.c.node == node) & (table.c.number <= row["number"] - KEPT)
            connection.execute(delete(table).where(old))
        return Version(**{**row, "problems": ()}, files=dict(files))

    def decide(
        self, version: Version, state: VersionState, time: int, words: str = "", problems: Sequence[Problem] = ()
    ) -> None:
        """What came of a version."""
        values = {"state": state, "decided": time, "words": words, "problems": [asdict(one) for one in problems]}
        one = (table.c.node == version.node) & (table.c.number == version.number)
        with self._database.write() as connection:
            connection.execute(update(table).where(one).values(values))

    def versions(self, node: str, limit: int = 100, before: int | None = None) -> Sequence[Version]:
        """Newest first, without files."""
        columns = [column for column in table.c if column.name != "files"]
        query = select(*columns).where(table.c.node == node).order_by(table.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(table.c.number < before)
        with self._database.read() as connection:
            return [_version(row) for row in connection.execute(query)]

    def version(self, node: str, number: int) -> Version | None:
        """One version with its files."""
        query = select(table).where(table.c.node == node, table.c.number == number)
        return self._one(query)

    def open(self, node: str) -> Version | None:
        """The version that waits or is tried, with its files."""
        query = select(table).where(table.c.node == node, table.c.state.in_(OPEN))
        return self._one(query.order_by(table.c.number.desc()).limit(1))

    def in_use(self, node: str) -> Version | None:
        """The version that ran last, as far as the hub was told."""
        query = select(table).where(table.c.node == node, table.c.state.in_(("found", "applied")))
        return self._one(query.order_by(table.c.number.desc()).limit(1))

    def of_digest(self, node: str, wanted: str) -> Version | None:
        """The newest version with these files."""
        query = select(table).where(table.c.node == node, table.c.digest == wanted)
        return self._one(query.order_by(table.c.number.desc()).limit(1))

    def _one(self, query: Any) -> Version | None:
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _version(row)


def _version(row: Row[Any]) -> Version:
    values = dict(row._mapping)
    problems = tuple(Problem(**problem) for problem in values.pop("problems"))
    return Version(**values, problems=problems)

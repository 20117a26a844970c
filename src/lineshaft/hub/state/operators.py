"""How far operators are, and their states: enough to go on after a kill, and to go back when rows come late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import ColumnElement, Table, and_, delete, null, select, update

from lineshaft.hub.state.database import Database, upsert
from lineshaft.hub.state.schema import operator_runs as runs
from lineshaft.hub.state.schema import operator_states as states

SLOT: Final = 600_000_000
"""Microseconds; of the states within a slot the last one stays."""
_HOUR: Final = 3_600_000_000
_DAY: Final = 24 * _HOUR
Key = tuple[str, str]
"""Operator id and asset path."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why an operator fails. `since` and `last` (failure) are UTC microseconds."""

    error: str
    hint: str
    since: int
    last: int
    failures: int


@dataclass(frozen=True, slots=True)
class StoredRun:
    """An operator on an asset, as it was left."""

    inputs: str
    began: int
    late: int | None
    trouble: Trouble | None


@dataclass(frozen=True, slots=True)
class StoredState:
    """A state with the time up to which rows are in it."""

    time: int
    state: bytes


class OperatorStates:
    """Thread-safe; each call is one transaction. Raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def run(self, key: Key) -> StoredRun | None:
        """What is known of a run."""
        with self._database.read() as connection:
            row = connection.execute(select(runs).where(_is(runs, key))).first()
        if row is None:
            return None
        return StoredRun(row.inputs, row.began, row.late, None if row.trouble is None else Trouble(**row.trouble))

    def begin(self, key: Key, inputs: str, began: int) -> None:
        """A run begins anew after `began`; its old states go."""
        with self._database.write() as connection:
            connection.execute(delete(states).where(_is(states, key)))
            row = {"operator": key[0], "asset": key[1], "inputs": inputs, "began": began, "late": None}
            upsert(connection, runs, [row])

    def troubled(self) -> Sequence[Key]:
        """Runs that fail, those that are wanted no more among them."""
        with self._database.read() as connection:
            rows = connection.execute(select(runs.c.operator, runs.c.asset).where(runs.c.trouble.is_not(None)))
            return [(row.operator, row.asset) for row in rows]

    def mark(self, key: Key, trouble: Trouble | None) -> None:
        """Keep why a run fails over a restart; None: it works."""
        kept = null() if trouble is None else asdict(trouble)
        with self._database.write() as connection:
            connection.execute(update(runs).where(_is(runs, key)).values(trouble=kept))

    def late(self, keys: Sequence[Key], times: Sequence[int]) -> None:
        """Rows came late; the earliest time of each run is kept."""
        with self._database.write() as connection:
            for key, time in zip(keys, times, strict=True):
                earlier = (runs.c.late.is_(None)) | (runs.c.late > time)
                connection.execute(update(runs).where(_is(runs, key), earlier).values(late=time))

    def worked_in(self, key: Key, late: int, since: int | None = None) -> None:
        """Rows from `late` on are in the state now, unless an earlier one came meanwhile.

        `since`: the earliest row that came late meanwhile, which is not in the state.
        """
        with self._database.write() as connection:
            connection.execute(update(runs).where(_is(runs, key), runs.c.late >= late).values(late=since))

    def save(self, saved: Sequence[tuple[Key, StoredState]]) -> None:
        """Newest states of runs."""
        rows = [
            {"operator": key[0], "asset": key[1], "slot": one.time // SLOT, "time": one.time, "state": one.state}
            for key, one in saved
        ]
        with self._database.write() as connection:
            upsert(connection, states, rows)

    def newest(self, key: Key, before: int | None = None) -> StoredState | None:
        """The newest state (with a time before `before`)."""
        query = select(states).where(_is(states, key)).order_by(states.c.time.desc()).limit(1)
        if before is not None:
            query = query.where(states.c.time < before)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else StoredState(row.time, row.state)

    def drop_after(self, key: Key, time: int) -> None:
        """States later than `time` are wrong, because rows came late."""
        with self._database.write() as connection:
            connection.execute(delete(states).where(_is(states, key), states.c.time > time))

    def thin(self, key: Key) -> None:
        """One state an hour is enough beyond two hours, one a day beyond two days, none beyond 60 days."""
        with self._database.write() as connection:
            found = connection.execute(
                select(states.c.slot, states.c.time).where(_is(states, key)).order_by(states.c.time.desc())
            ).all()
            if not found:
                return
            newest = found[0].time
            seen: set[tuple[int, int]] = set()
            gone = []
            for row in found:
                age = newest - row.time
                width = SLOT if age < 2 * _HOUR else _HOUR if age < 2 * _DAY else _DAY
                place = (width, row.time // width)
                if place in seen or age > 60 * _DAY:
                    gone.append(row.slot)
                seen.add(place)
            if gone:
                connection.execute(delete(states).where(and_(_is(states, key), states.c.slot.in_(gone))))


def _is(table: Table, key: Key) -> ColumnElement[bool]:
    return and_(table.c.operator == key[0], table.c.asset == key[1])

"""The record: every prediction with its inputs and the version of its model, stored once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, Select, and_, delete, func, or_, select, tuple_, update

from lineshaft.hub.state.database import Database, insert_new
from lineshaft.hub.state.schema import predictions as table
from lineshaft.model.predictions import Prediction, PredictionKind

_AT_ONCE: Final = 2_000


@dataclass(frozen=True, slots=True)
class StoredPrediction:
    """A prediction, and how it came to be stored. Times are UTC microseconds.

    operator    what the plant calls it    type  asset type of the subject at that time
    made        when the hub stored it     superseded  when late rows proved it wrong; 0: it stands
    """

    id: int
    operator: str
    type: str
    made: int
    superseded: int
    prediction: Prediction


class SqlPredictions:
    """Thread-safe; each call is one transaction. Raises StoreUnavailable. Only retention removes anything."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, operator: str, type_: str, predictions: Sequence[Prediction], made: int) -> None:
        """Store predictions of an operator; what is stored already, told again after a kill, is left out."""
        rows = [_columns(operator, type_, one, made) for one in predictions]
        if not rows:
            return
        with self._database.write() as connection:
            for begin in range(0, len(rows), _AT_ONCE):
                insert_new(connection, table, rows[begin : begin + _AT_ONCE])

    def of_operator(self, operator: str, asset: str, after: int, until: int) -> Sequence[Prediction]:
        """What stands of an operator on an asset, after < time <= until, oldest first."""
        query = select(table).where(
            table.c.operator == operator,
            table.c.asset == asset,
            table.c.time > after,
            table.c.time <= until,
            table.c.superseded == 0,
        )
        with self._database.read() as connection:
            found = connection.execute(query.order_by(table.c.time, table.c.id))
            return [_prediction(row).prediction for row in found]

    def supersede(self, operator: str, gone: Sequence[Prediction], at: int) -> None:
        """Late rows have proved these wrong: they are kept, and count no more."""
        identity = tuple_(table.c.asset, table.c.kind, table.c.model, table.c.version, table.c.time)
        keys = [(one.subject, str(one.kind), one.model, one.version, one.time) for one in gone]
        mine = and_(table.c.operator == operator, table.c.superseded == 0)
        with self._database.write() as connection:
            for begin in range(0, len(keys), 100):
                wanted = identity.in_(keys[begin : begin + 100])
                connection.execute(update(table).where(mine, wanted).values(superseded=at))

    def find(
        self,
        *,
        asset: str = "",
        model: str = "",
        version: str = "",
        kind: str = "",
        since: int | None = None,
        until: int | None = None,
        superseded: bool = False,
        alarm: bool | None = None,
        limit: int = 100,
        before: tuple[int, int] | None = None,
    ) -> Sequence[StoredPrediction]:
        """Newest first. `asset`: it and all below it; `before`: time and id of the last one of the page before."""
        query = _chosen(asset, model, version, kind, since, until)
        if alarm is not None:
            query = query.where(table.c.alarm.is_(alarm))
        if not superseded:
            query = query.where(table.c.superseded == 0)
        if before is not None:
            time, number = before
            query = query.where(or_(table.c.time < time, and_(table.c.time == time, table.c.id < number)))
        with self._database.read() as connection:
            found = connection.execute(query.order_by(table.c.time.desc(), table.c.id.desc()).limit(limit))
            return [_prediction(row) for row in found]

    def standing(
        self, *, asset: str = "", model: str = "", version: str = "", since: int | None = None
    ) -> Sequence[StoredPrediction]:
        """All that stand, oldest first, without inputs and words, which scores do not need."""
        query = _lean(_chosen(asset, model, version, "", since, None)).where(table.c.superseded == 0)
        return self._read(query.order_by(table.c.time, table.c.id))

    def of_key(self, asset: str, model: str, version: str, kind: str, type_: str) -> Sequence[StoredPrediction]:
        """All that stand of a model version about an asset, oldest first, without inputs and words."""
        query = _lean(select(table)).where(
            table.c.asset == asset,
            table.c.model == model,
            table.c.version == version,
            table.c.kind == kind,
            table.c.type == type_,
            table.c.superseded == 0,
        )
        return self._read(query.order_by(table.c.time, table.c.id))

    def after(self, number: int, limit: int) -> Sequence[StoredPrediction]:
        """What was stored after the one with this id, in that order, without inputs and words."""
        return self._read(_lean(select(table)).where(table.c.id > number).order_by(table.c.id).limit(limit))

    def superseded_since(self, time: int) -> set[tuple[str, str, str, str, str]]:
        """Asset, model, version, kind and type of what late rows have proved wrong since."""
        columns = (table.c.asset, table.c.model, table.c.version, table.c.kind, table.c.type)
        query = select(*columns).where(table.c.superseded > max(time, 0)).distinct()
        with self._database.read() as connection:
            return {(row.asset, row.model, row.version, row.kind, row.type) for row in connection.execute(query)}

    def oldest(self) -> int | None:
        """Time of the oldest prediction; None when there is none."""
        with self._database.read() as connection:
            return connection.execute(select(func.min(table.c.time))).scalar()

    def delete_before(self, time: int) -> int:
        """Retention: remove predictions older than `time`, some at a time; gives how many."""
        total = 0
        old = select(table.c.id).where(table.c.time < time).limit(_AT_ONCE)
        while True:
            with self._database.write() as connection:
                gone = connection.execute(delete(table).where(table.c.id.in_(old))).rowcount
            total += gone
            if gone < _AT_ONCE:
                return total

    def _read(self, query: Select[Any]) -> Sequence[StoredPrediction]:
        with self._database.read() as connection:
            return [_prediction(row) for row in connection.execute(query)]


def _lean(query: Select[Any]) -> Select[Any]:
    return query.with_only_columns(*(one for one in table.c if one.name not in ("inputs", "words")))


def _chosen(asset: str, model: str, version: str, kind: str, since: int | None, until: int | None) -> Select[Any]:
    query = select(table)
    if asset:
        below = table.c.asset.startswith(asset + "/", autoescape=True)
        query = query.where(or_(table.c.asset == asset, below))
    for column, wanted in ((table.c.model, model), (table.c.version, version), (table.c.kind, kind)):
        if wanted:
            query = query.where(column == wanted)
    if since is not None:
        query = query.where(table.c.time >= since)
    return query if until is None else query.where(table.c.time < until)


def _columns(operator: str, type_: str, one: Prediction, made: int) -> dict[str, Any]:
    return {
        "operator": operator,
        "asset": one.subject,
        "type": type_,
        "kind": str(one.kind),
        "model": one.model,
        "version": one.version,
        "time": one.time,
        "made": made,
        "superseded": 0,
        "value": one.value,
        "p10": one.p10,
        "p90": one.p90,
        "alarm": one.alarm,
        "due": one.due,
        "shadow": one.shadow,
        "inputs": dict(one.inputs),
        "words": one.words,
    }


def _prediction(row: Row[Any]) -> StoredPrediction:
    prediction = Prediction(
        time=row.time,
        subject=row.asset,
        kind=PredictionKind(row.kind),
        model=row.model,
        version=row.version,
        value=row.value,
        p10=row.p10,
        p90=row.p90,
        alarm=row.alarm,
        due=row.due,
        shadow=row.shadow,
        inputs=row._mapping.get("inputs", {}),
        words=row._mapping.get("words", ""),
    )
    return StoredPrediction(row.id, row.operator, row.type, row.made, row.superseded, prediction)

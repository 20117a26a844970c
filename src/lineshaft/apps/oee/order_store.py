"""The table of orders; every change is in the audit, and an import is one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from lineshaft.apps.oee import tables as t
from lineshaft.apps.oee.orders import Order
from lineshaft.apps.oee.setup import MachineSetup
from lineshaft.hub.state.database import Database, upsert

_PLAN = ("id", "path", "product", "quantity", "start", "end", "cycle", "crew")


@dataclass(frozen=True, slots=True)
class Changes:
    """What a plan changed: ids of orders."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """When an order, as it was, began and ended; `action` is what the audit calls it. UTC microseconds."""

    order: Order
    began: int | None
    ended: int | None
    action: str


class OrderStore:
    """Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, path: str = "", start: int | None = None, end: int | None = None, line: str = "") -> list[Order]:
        """By planned start; of a path and all below it, and of a line; whose plan or work touches [start, end)."""
        c = t.orders.c
        query = select(t.orders).order_by(c.start, c.id)
        if path:
            query = query.where(or_(c.path.in_((path, line)), c.path.startswith(path + "/", autoescape=True)))
        if start is not None:
            query = query.where(or_(c.end > start, c.ended > start, (c.began.is_not(None)) & (c.ended.is_(None))))
        if end is not None:
            query = query.where(or_(c.start < end, c.began < end))
        with self._database.read() as connection:
            return [_order(row._mapping) for row in connection.execute(query)]

    def get(self, order: str) -> Order | None:
        """One by its id."""
        with self._database.read() as connection:
            row = connection.execute(select(t.orders).where(t.orders.c.id == order)).first()
        return None if row is None else _order(row._mapping)

    def some(self, ids: Sequence[str]) -> dict[str, Order]:
        """Those of these ids that there are."""
        with self._database.read() as connection:
            return _by_id(connection, ids)

    def begun(self, machines: Sequence[MachineSetup], start: int, end: int) -> list[Order]:
        """Orders that people started on these machines or their lines, and that ran in [start, end)."""
        c = t.orders.c
        paths = {place for one in machines for place in (one.path, one.line)}
        query = select(t.orders).where(c.path.in_(paths), c.began < end, or_(c.ended.is_(None), c.ended > start))
        with self._database.read() as connection:
            return [_order(row._mapping) for row in connection.execute(query)]

    def cycles(self) -> dict[str, float]:
        """Order -> its own ideal cycle in seconds."""
        query = select(t.orders.c.id, t.orders.c.cycle).where(t.orders.c.cycle.is_not(None))
        with self._database.read() as connection:
            return {row.id: row.cycle for row in connection.execute(query)}

    def put(self, orders: Sequence[Order], remove: Sequence[str], by: str, at: int, dry: bool = False) -> Changes:
        """Add, change and remove orders at once; when they began and ended stays. `dry`: only say what would change."""
        with self._database.write() as connection:
            ids = [*(one.id for one in orders), *remove]
            before = _by_id(connection, ids)
            new = tuple(one for one in orders if one.id not in before)
            changed = tuple(one for one in orders if one.id in before and before[one.id].plan != one.plan)
            same = tuple(one.id for one in orders if one.id in before and before[one.id].plan == one.plan)
            gone = tuple(one for one in remove if one in before)
            if not dry:
                rows = [{name: getattr(one, name) for name in _PLAN} for one in (*new, *changed)]
                upsert(connection, t.orders, rows)
                if gone:
                    connection.execute(delete(t.orders).where(t.orders.c.id.in_(gone)))
                entries = [(one, "order-added", {"after": _plan(one)}) for one in new]
                entries += [
                    (one, "order-changed", {"before": _plan(before[one.id]), "after": _plan(one)}) for one in changed
                ]
                entries += [(before[one], "order-removed", {"before": _plan(before[one])}) for one in gone]
                _note(connection, entries, by, at)
        return Changes(tuple(one.id for one in new), tuple(one.id for one in changed), same, gone)

    def moment(self, order: Order, began: int | None, ended: int | None, by: str, at: int, action: str) -> None:
        """Set when an order began and ended."""
        self.moments([Moment(order, began, ended, action)], by, at)

    def moments(self, moments: Sequence[Moment], by: str, at: int) -> None:
        """Set when orders began and ended, all at once."""
        with self._database.write() as connection:
            for one in moments:
                query = update(t.orders).where(t.orders.c.id == one.order.id)
                connection.execute(query.values(began=one.began, ended=one.ended))
            entries = [
                (one.order, one.action, {"order": one.order.id, "began": one.began, "ended": one.ended})
                for one in moments
            ]
            _note(connection, entries, by, at)

    def seen(self, machines: Sequence[str], start: int, end: int) -> dict[str, tuple[int, int]]:
        """Order -> first and last instant at which the signals of these machines named it."""
        c = t.intervals.c
        query = select(c.order_id, func.min(c.start), func.max(c.end)).group_by(c.order_id)
        query = query.where(c.machine.in_(machines), c.order_id != "", c.start < end, c.end > start)
        with self._database.read() as connection:
            return {row[0]: (int(row[1]), int(row[2])) for row in connection.execute(query)}


def _order(row: Mapping[Any, Any]) -> Order:
    return Order(**{str(name): value for name, value in row.items()})


def _by_id(connection: Connection, ids: Sequence[str]) -> dict[str, Order]:
    found: dict[str, Order] = {}
    for part in range(0, len(ids), 500):
        query = select(t.orders).where(t.orders.c.id.in_(ids[part : part + 500]))
        found |= {row.id: _order(row._mapping) for row in connection.execute(query)}
    return found


def _plan(order: Order) -> dict[str, Any]:
    return {name: value for name, value in asdict(order).items() if name in _PLAN}


def _note(connection: Connection, entries: Sequence[tuple[Order, str, dict[str, Any]]], by: str, at: int) -> None:
    if entries:
        rows = [
            {"time": at, "by": by, "action": action, "machine": order.path, "details": details}
            for order, action, details in entries
        ]
        connection.execute(insert(t.audit), rows)

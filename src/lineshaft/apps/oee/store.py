"""Reads and writes the tables of OEE."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, func, insert, or_, select, update

from lineshaft.analytics.oee.elements import Element
from lineshaft.analytics.oee.totals import Totals
from lineshaft.apps.oee import tables as t
from lineshaft.apps.oee.slots import LossRow, Note, Slot
from lineshaft.hub.state.database import Database, upsert


@dataclass(frozen=True, slots=True)
class Interval:
    """A time in which a machine did one thing; a row of oee_intervals."""

    start: int
    end: int
    state: int
    cause: str
    reason: str
    product: str
    order_id: str


@dataclass(frozen=True, slots=True)
class SlotRows:
    """What is written of one machine's slot."""

    machine: str
    slot: Slot
    slices: tuple[tuple[str, str, Totals], ...]  # product, order, totals without standard times
    losses: tuple[LossRow, ...]
    hours: tuple[tuple[int, str, float, float], ...] | None = None  # None: they stay
    intervals: tuple[Interval, ...] | None = None  # from `since` on; None: they stay
    since: int = 0


@dataclass(frozen=True, slots=True)
class GivenNote:
    """A note with its author."""

    note: Note
    machine: str
    by: str
    at: int


_FIELDS = (*t.TOTALS, *t.COUNTS, *t.EVENTS)
GROUPS = {"product": t.slices.c.product, "order": t.slices.c.order_id, "day": t.slices.c.day,
          "shift": t.slices.c.shift, "crew": t.slices.c.crew, "slot": t.slices.c.start}  # fmt: skip
"""What totals can be grouped by, beside the machine."""


class OeeStore:
    """Thread-safe. Times are UTC microseconds; a slot belongs to a range by its start."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, results: Sequence[SlotRows]) -> None:
        """Replace what is kept of these slots, all at once."""
        if not results:
            return
        with self._database.write() as connection:
            for table in (t.slices, t.losses):
                gone = delete(table).where(and_(table.c.machine == bindparam("m"), table.c.start == bindparam("s")))
                connection.execute(gone, [{"m": one.machine, "s": one.slot.start} for one in results])
            for table, rows in (
                (t.slices, [row for one in results for row in _slice_rows(one)]),
                (t.losses, [row for one in results for row in _loss_rows(one)]),
            ):
                if rows:
                    connection.execute(insert(table), rows)
            upsert(connection, t.hours, [row for one in results for row in _hour_rows(one)])
            for one in (one for one in results if one.intervals is not None):
                _replace_intervals(connection, one)

    def totals(
        self, machines: Sequence[str] | None, start: int, end: int, group: Sequence[str] = ()
    ) -> list[tuple[str, str, tuple[str, ...], Totals]]:
        """(machine, product, group values, totals) of the slots that start in [start, end); no standard times.

        machines None: all. Standard times follow from the product, so products are never summed here.
        """
        keys = [t.slices.c.machine, t.slices.c.product, *(GROUPS[name] for name in group)]
        sums = [func.sum(t.slices.c[name]).label(name) for name in _FIELDS]
        query = select(*keys, *sums).group_by(*keys)
        query = _within(query, t.slices, machines, start, end)
        at = len(keys)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [
            (row[0], row[1], tuple(str(one) for one in row[2:at]), _totals(row[at:]))
            for row in rows
        ]  # fmt: skip

    def losses(
        self, machines: Sequence[str] | None, start: int, end: int
    ) -> list[tuple[str, str, Element, bool, int, int]]:
        """(machine, reason, element, given, time, stops) of the slots that start in [start, end)."""
        c = t.losses.c
        keys = (c.machine, c.reason, c.element, c.given)
        query = select(*keys, func.sum(c.time), func.sum(c.stops)).group_by(*keys)
        with self._database.read() as connection:
            rows = connection.execute(_within(query, t.losses, machines, start, end)).all()
        return [(row[0], row[1], Element(row[2]), bool(row[3]), int(row[4]), int(row[5])) for row in rows]

    def intervals(self, machine: str, start: int, end: int) -> list[Interval]:
        """Intervals that touch [start, end), whole, in time order."""
        c = t.intervals.c
        query = select(c.start, c.end, c.state, c.cause, c.reason, c.product, c.order_id)
        query = query.where(c.machine == machine, c.start < end, c.end > start).order_by(c.start)
        with self._database.read() as connection:
            return [Interval(*row) for row in connection.execute(query)]

    def hours(self, machines: Sequence[str], start: int, end: int) -> list[tuple[str, int, str, float, float]]:
        """(machine, hour, product, good, scrap)."""
        c = t.hours.c
        query = select(c.machine, c.start, c.product, c.good, c.scrap).order_by(c.start)
        with self._database.read() as connection:
            return [tuple(row) for row in connection.execute(_within(query, t.hours, machines, start, end))]

    def slots(self, machine: str, start: int, end: int) -> list[Slot]:
        """Slots that are kept and touch [start, end)."""
        c = t.slices.c
        query = select(c.start, c.end, c.day, c.shift, c.crew).distinct().order_by(c.start)
        with self._database.read() as connection:
            found = connection.execute(query.where(c.machine == machine, c.start < end, c.end > start))
            return [Slot(*row) for row in found]

    def slice_counts(self, machine: str, slot: int) -> list[tuple[str, str, Totals]]:
        """(product, order, totals) of one slot."""
        c = t.slices.c
        query = select(c.product, c.order_id, *(c[name] for name in _FIELDS))
        with self._database.read() as connection:
            rows = connection.execute(query.where(c.machine == machine, c.start == slot)).all()
        return [(row[0], row[1], _totals(row[2:])) for row in rows]

    def notes(self, machine: str, start: int, end: int) -> list[GivenNote]:
        """Notes that touch [start, end), in the order in which they were given."""
        c = t.notes.c
        query = select(t.notes).where(c.machine == machine, c.start < end, c.end > start).order_by(c.id)
        with self._database.read() as connection:
            return [
                GivenNote(Note(row.start, row.end, row.reason, row.comment, row.id), row.machine, row.by, row.at)
                for row in connection.execute(query)
            ]

    def add_notes(
        self, given: Sequence[tuple[str, Note, str]], by: str, at: int, action: str, details: Mapping[str, Any]
    ) -> bool:
        """Keep (machine, note, key) and who gave them; False when these keys are there already: nothing is done."""
        keys = [key for _, _, key in given]
        with self._database.write() as connection:
            if connection.execute(select(t.notes.c.id).where(t.notes.c.key.in_(keys))).first() is not None:
                return False
            rows = [
                {"machine": machine, "start": note.start, "end": note.end, "reason": note.reason,
                 "comment": note.comment, "by": by, "at": at, "key": key}
                for machine, note, key in given
            ]  # fmt: skip
            connection.execute(insert(t.notes), rows)
            entry = {"time": at, "by": by, "action": action, "machine": given[0][0], "details": dict(details)}
            connection.execute(insert(t.audit), [entry])
        return True

    def audited(self, machine: str, limit: int) -> list[dict[str, Any]]:
        """Newest first; of a path and all below it."""
        query = select(t.audit).order_by(t.audit.c.id.desc()).limit(limit)
        if machine:
            below = t.audit.c.machine.startswith(machine + "/", autoescape=True)
            query = query.where(or_(t.audit.c.machine == machine, below))
        with self._database.read() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]

    def note_change(self, action: str, path: str, by: str, at: int, details: Mapping[str, Any]) -> None:
        """One entry of the audit."""
        with self._database.write() as connection:
            entry = {"time": at, "by": by, "action": action, "machine": path, "details": dict(details)}
            connection.execute(insert(t.audit), [entry])

    def orders(self, path: str = "") -> list[dict[str, Any]]:
        """The plan by planned start; of a path and all below it."""
        query = select(t.orders).order_by(t.orders.c.start)
        if path:
            below = t.orders.c.path.startswith(path + "/", autoescape=True)
            query = query.where(or_(t.orders.c.path == path, below))
        with self._database.read() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]

    def put_orders(self, rows: Sequence[dict[str, Any]]) -> None:
        """Add orders, or replace those with the same id; when they began and ended stays."""
        with self._database.write() as connection:
            upsert(connection, t.orders, rows)

    def order_moment(self, order: str, column: str, time: int) -> bool:
        """Note when an order `began` or `ended`; False when there is none."""
        with self._database.write() as connection:
            changed = connection.execute(update(t.orders).where(t.orders.c.id == order).values({column: time}))
        return bool(changed.rowcount)

    def cycles(self) -> dict[tuple[str, str], float]:
        """(machine, product) -> confirmed ideal cycle in seconds."""
        with self._database.read() as connection:
            return {(row.machine, row.product): row.seconds for row in connection.execute(select(t.cycles))}

    def put_cycle(self, machine: str, product: str, seconds: float, by: str, at: int) -> None:
        """Confirm an ideal cycle."""
        with self._database.write() as connection:
            row = {"machine": machine, "product": product, "seconds": seconds, "by": by, "at": at}
            upsert(connection, t.cycles, [row])

    def bounds(self) -> tuple[int, int] | None:
        """First and last instant of all slots, None when there is none."""
        query = select(func.min(t.slices.c.start), func.max(t.slices.c.end))
        with self._database.read() as connection:
            first, last = connection.execute(query).one()
        return None if first is None else (int(first), int(last))


def _within(query: Select[Any], table: Any, machines: Sequence[str] | None, start: int, end: int) -> Select[Any]:
    query = query.where(table.c.start >= start, table.c.start < end)
    return query if machines is None else query.where(table.c.machine.in_(machines))


def _totals(values: Iterable[Any]) -> Totals:
    return Totals(**{
        name: float(value) if name in t.COUNTS else int(value) for name, value in zip(_FIELDS, values, strict=True)
    })  # type: ignore[arg-type]  # fmt: skip


def _slice_rows(one: SlotRows) -> Iterable[dict[str, Any]]:
    slot = asdict(one.slot)
    for product, order, totals in one.slices:
        values = {name: getattr(totals, name) for name in _FIELDS}
        yield {"machine": one.machine, "product": product, "order_id": order, **slot, **values}


def _loss_rows(one: SlotRows) -> Iterable[dict[str, Any]]:
    for row in one.losses:
        yield {"machine": one.machine, "start": one.slot.start, **asdict(row), "element": int(row.element)}


def _hour_rows(one: SlotRows) -> Iterable[dict[str, Any]]:
    for hour, product, good, scrap in one.hours or ():
        yield {"machine": one.machine, "start": hour, "product": product, "good": good, "scrap": scrap}


def _replace_intervals(connection: Any, one: SlotRows) -> None:
    """Write intervals from `since` on; the one that reaches over `since` ends there."""
    c = t.intervals.c
    stop = one.intervals[-1].end if one.intervals else one.since
    connection.execute(delete(t.intervals).where(c.machine == one.machine, c.start >= one.since, c.start < stop))
    connection.execute(
        update(t.intervals)
        .where(c.machine == one.machine, c.start < one.since, c.end > one.since)
        .values(end=one.since)
    )
    if one.intervals:
        names = Interval.__slots__
        rows = [{"machine": one.machine, **{name: getattr(row, name) for name in names}} for row in one.intervals]
        connection.execute(insert(t.intervals), rows)

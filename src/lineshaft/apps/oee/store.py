"""Reads and writes the tables of OEE."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, func, insert, or_, select, update

from lineshaft.analytics.oee.elements import Element
from lineshaft.analytics.oee.totals import Totals
from lineshaft.apps.oee import tables as t
from lineshaft.apps.oee.memory import Cycle, Memory
from lineshaft.apps.oee.order_store import OrderStore
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
    good: float = 0.0
    scrap: float = 0.0
    rework: float = 0.0


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


MOST_SLICES = 4000
_FIELDS = (*t.TOTALS, *t.COUNTS, *t.EVENTS)


class OeeStore:
    """Thread-safe. Times are UTC microseconds; a slot belongs to a range by its start."""

    def __init__(self, database: Database, minor_stops: str = "availability") -> None:
        self._database = database
        self.minor_stops = minor_stops
        self._guard = threading.Lock()
        self._memory = Memory()
        self.orders = OrderStore(database)
        self.load()

    def load(self) -> None:
        """Fill the memory from the tables."""
        with self._guard, self._database.read() as connection:
            slices = (dict(row) for row in connection.execute(select(t.slices)).mappings())
            losses = (dict(row) for row in connection.execute(select(t.losses)).mappings())
            self._memory.load(slices, losses)

    def write(self, results: Sequence[SlotRows], gone: Sequence[tuple[str, int]] = ()) -> None:
        """Replace what is kept of these slots, all at once. gone: (machine, start) of slots that are no more."""
        if not results:
            return
        with self._database.write() as connection:
            for table in (t.slices, t.losses):
                these = delete(table).where(and_(table.c.machine == bindparam("m"), table.c.start == bindparam("s")))
                places = [*((one.machine, one.slot.start) for one in results), *gone]
                connection.execute(these, [{"m": machine, "s": start} for machine, start in places])
            slices = [list(slice_rows(one)) for one in results]
            losses = [list(loss_rows(one)) for one in results]
            for table, parts in ((t.slices, slices), (t.losses, losses)):
                rows = [row for part in parts for row in part]
                if rows:
                    connection.execute(insert(table), rows)
            upsert(connection, t.hours, [row for one in results for row in hour_rows(one)])
            for one in (one for one in results if one.intervals is not None):
                _replace_intervals(connection, one)
        with self._guard:
            for machine, start in gone:
                self._memory.replace(machine, start, [], [])
            for one, kept, lost in zip(results, slices, losses, strict=True):
                self._memory.replace(one.machine, one.slot.start, kept, lost)

    def totals(
        self, machines: Sequence[str], start: int, end: int, group: str, cycle: Cycle
    ) -> dict[tuple[str, ...], Totals]:
        """Totals with standard times of the slots that start in [start, end): per machine, or per value of a group."""
        orders = self.orders.cycles()
        with self._guard:
            found = self._memory.totals(machines, start, end, group, cycle, orders)
        return {key: self.counted(totals) for key, totals in found.items()}

    def counted(self, totals: Totals) -> Totals:
        """The totals with minor stops as the loss that the plant takes them for."""
        return totals.minor_stops_as_performance() if self.minor_stops == "performance" else totals

    def losses(self, machines: Sequence[str], start: int, end: int) -> list[tuple[str, str, Element, bool, int, int]]:
        """(machine, reason, element, given, time, stops) of the slots that start in [start, end)."""
        with self._guard:
            return self._memory.losses(machines, start, end)

    def intervals(self, machine: str, start: int, end: int) -> list[Interval]:
        """Intervals that touch [start, end), whole, in time order."""
        c = t.intervals.c
        query = select(*(c[name] for name in Interval.__slots__))
        query = query.where(c.machine == machine, c.start < end, c.end > start).order_by(c.start)
        with self._database.read() as connection:
            return [Interval(*row) for row in connection.execute(query)]

    def interval_table(self, machines: Sequence[str], start: int, end: int) -> dict[str, list[Interval]]:
        """The same of several machines."""
        c = t.intervals.c
        query = select(c.machine, *(c[name] for name in Interval.__slots__)).where(c.start < end, c.end > start)
        found: dict[str, list[Interval]] = {machine: [] for machine in machines}
        with self._database.read() as connection:
            for row in connection.execute(query.where(c.machine.in_(machines)).order_by(c.machine, c.start)):
                found[row[0]].append(Interval(*row[1:]))
        return found

    def since(self, machine: str, state: int) -> int | None:
        """Since when a machine has been in the state that it is in; None when it always was."""
        c = t.intervals.c
        query = select(c.end).where(c.machine == machine, c.state != state).order_by(c.start.desc()).limit(1)
        with self._database.read() as connection:
            found = connection.execute(query).scalar()
        return None if found is None else int(found)

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

    def slot_rows(self, machines: Sequence[str], start: int, end: int, group: str, key: str) -> list[SlotRows]:
        """Slices of slots that begin in [start, end), of one value of a group ('': all): the newest of them."""
        c = t.slices.c
        slot = (c.start, c.end, c.day, c.shift, c.crew)
        query = select(c.machine, *slot, c.product, c.order_id, *(c[name] for name in _FIELDS))
        if group:
            column = {"order": "order_id", "slot": "start"}.get(group, group)
            query = query.where(c[column] == (int(key) if group == "slot" else key))
        with self._database.read() as connection:
            rows = _within(query, t.slices, machines, start, end).order_by(c.start.desc()).limit(MOST_SLICES)
            found = connection.execute(rows).all()
        return [SlotRows(row[0], Slot(*row[1:6]), ((row[6], row[7], _totals(row[8:])),), ()) for row in found]

    def slice_counts(self, machine: str, slot: int) -> list[tuple[str, str, Totals]]:
        """(product, order, totals) of one slot."""
        c = t.slices.c
        query = select(c.product, c.order_id, *(c[name] for name in _FIELDS))
        with self._database.read() as connection:
            rows = connection.execute(query.where(c.machine == machine, c.start == slot)).all()
        return [(row[0], row[1], _totals(row[2:])) for row in rows]

    def notes(self, machine: str, start: int, end: int) -> list[GivenNote]:
        """Notes that touch [start, end), in the order in which they were given."""
        return self.note_table([machine], start, end).get(machine, [])

    def note_table(self, machines: Sequence[str], start: int, end: int) -> dict[str, list[GivenNote]]:
        """The same of several machines; those without notes are not in it."""
        c = t.notes.c
        query = select(t.notes).where(c.machine.in_(machines), c.start < end, c.end > start).order_by(c.id)
        found: dict[str, list[GivenNote]] = {}
        with self._database.read() as connection:
            for row in connection.execute(query):
                note = Note(row.start, row.end, row.reason, row.comment, row.id)
                found.setdefault(row.machine, []).append(GivenNote(note, row.machine, row.by, row.at))
        return found

    def recent_notes(self, machine: str, start: int, end: int, most: int) -> list[Note]:
        """The newest notes whose time begins in [start, end)."""
        c = t.notes.c
        query = select(c.start, c.end, c.reason, c.comment, c.id).where(c.machine == machine, c.start >= start)
        with self._database.read() as connection:
            return [
                Note(*row) for row in connection.execute(query.where(c.start < end).order_by(c.id.desc()).limit(most))
            ]

    def intervals_at(self, machine: str, times: Sequence[int]) -> dict[int, Interval]:
        """The interval that holds at each instant; instants of which nothing is known are not in it."""
        c = t.intervals.c
        query = select(*(c[name] for name in Interval.__slots__)).where(c.machine == machine)
        found: dict[int, Interval] = {}
        with self._database.read() as connection:
            whole = [Interval(*row) for row in connection.execute(query.where(c.start.in_(list(times))))]
            found = {one.start: one for one in whole}
            for time in set(times) - set(found):
                row = connection.execute(query.where(c.start < time, c.end > time)).first()
                if row is not None:
                    found[time] = Interval(*row)
        return found

    def add_notes(
        self, given: Sequence[tuple[str, Note, str]], by: str, at: int, action: str, details: Mapping[str, Any],
        *, last_open: bool = False,
    ) -> bool:  # fmt: skip
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
            for row in rows:
                row["open"] = last_open and row is rows[-1]
            connection.execute(insert(t.notes), rows)
            entry = {"time": at, "by": by, "action": action, "machine": given[0][0], "details": dict(details)}
            connection.execute(insert(t.audit), [entry])
        return True

    def open_notes(self, machines: Sequence[str]) -> list[tuple[int, str, int]]:
        """(number, machine, start) of reasons that were given while the machine stood and it has not run since."""
        c = t.notes.c
        query = select(c.id, c.machine, c.start).where(c.open.is_(True), c.machine.in_(machines))
        with self._database.read() as connection:
            return [(row.id, row.machine, row.start) for row in connection.execute(query)]

    def move_end(self, number: int, end: int, *, open_: bool) -> None:
        """The stop of this note lasts until `end` so far, or for good."""
        change = update(t.notes).where(t.notes.c.id == number).values(end=end, open=open_)
        with self._database.write() as connection:
            connection.execute(change)

    def audited(self, machine: str, limit: int, before: tuple[int, int] | None = None) -> list[dict[str, Any]]:
        """Newest first; of a path and all below it. `before`: time and id of the last one of the page before."""
        query = select(t.audit).order_by(t.audit.c.id.desc()).limit(limit)
        if machine:
            below = t.audit.c.machine.startswith(machine + "/", autoescape=True)
            query = query.where(or_(t.audit.c.machine == machine, below))
        if before is not None:
            query = query.where(t.audit.c.id < before[1])
        with self._database.read() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]

    def note_change(self, action: str, path: str, by: str, at: int, details: Mapping[str, Any]) -> None:
        """One entry of the audit."""
        with self._database.write() as connection:
            entry = {"time": at, "by": by, "action": action, "machine": path, "details": dict(details)}
            connection.execute(insert(t.audit), [entry])

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


def slice_rows(one: SlotRows) -> Iterable[dict[str, Any]]:
    """Rows of oee_slices."""
    slot = asdict(one.slot)
    for product, order, totals in one.slices:
        values = {name: getattr(totals, name) for name in _FIELDS}
        yield {"machine": one.machine, "product": product, "order_id": order, **slot, **values}


def loss_rows(one: SlotRows) -> Iterable[dict[str, Any]]:
    """Rows of oee_losses."""
    for row in one.losses:
        yield {"machine": one.machine, "start": one.slot.start, **asdict(row), "element": int(row.element)}


def hour_rows(one: SlotRows) -> Iterable[dict[str, Any]]:
    """Rows of oee_hours."""
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

"""The gap ledger: per signal what was expected, what arrived, and why anything is missing.

How the counts survive kill -9:

* *expected* comes from the gateway as a total since its buffer was made, so the next report repairs whatever the last
  second lost. Totals only grow within an epoch, so a report that comes late changes nothing: the larger one counts.
* *dropped* and imports are written before the call returns.
* *arrived* and *duplicates* are counted in memory and written every second. After a kill up to a second of them is
  missing, but the rows themselves are in the historian: `recount` takes arrived = rows stored - rows of other origin.
  *Rows of other origin* came by import, or were there before the ledger; retention makes the number smaller
  (`removed`). They are set right at each start after a clean close, when arrived is known to be exact.
  Duplicates are information for people and are not repaired.
* A recount never takes arrived below what was written to disk, for that many rows were committed for certain.

The order at start: `open`, ingest replays its journal, `recount`, then ingest takes messages.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from sqlalchemy import Connection, func, insert, select, update

from lineshaft.errors import StoreUnavailable
from lineshaft.hub.ports import Drop
from lineshaft.hub.state.catalogue import SqlCatalogue
from lineshaft.hub.state.database import Database, fact, insert_new, set_fact, upsert
from lineshaft.hub.state.schema import import_blocks, ledger_arrived, ledger_drops, ledger_expected
from lineshaft.model.samples import Int64Array, UInt32Array

CLEAN = "ledger_clean"


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """The account of one signal, in samples. `expected` is None when its gateway tells no counts."""

    path: str
    signal: int | None
    node: str
    expected: int | None
    arrived: int
    duplicates: int
    dropped: int
    drops: Sequence[Drop]

    @property
    def missing(self) -> int:
        """Expected, but neither arrived nor dropped."""
        return 0 if self.expected is None else max(0, self.expected - self.arrived - self.dropped)


@dataclass(slots=True)
class _Report:
    """The newest totals of one (node, epoch)."""

    frame: int = -1
    totals: dict[str, int] = field(default_factory=dict)
    unsaved: set[str] = field(default_factory=set)


class SqlLedger:
    """Implements ports.Ledger; thread-safe. `open()` before use, `close()` at the end; `flush()` each second."""

    def __init__(self, database: Database, catalogue: SqlCatalogue) -> None:
        self._database = database
        self._catalogue = catalogue
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self.importing = threading.RLock()
        """Held by who looks which rows of an import are new, until they are stored."""
        self._arrived = np.zeros(1024, np.int64)  # index: signal id
        self._duplicates = np.zeros(1024, np.int64)
        self._other = np.zeros(1024, np.int64)  # rows in the historian that no gateway sent
        self._durable = np.zeros(1024, np.int64)  # arrived as read at open
        self._changed = np.zeros(1024, np.bool_)
        self._reports: dict[tuple[str, str], _Report] = {}
        self._was_clean = True

    def open(self) -> None:
        """Read the counts. From now on only `close` makes the ledger clean again."""
        with self._lock, self._database.write() as connection:
            rows = connection.execute(select(ledger_arrived)).all()
            if rows:
                self._grow(max(row.signal for row in rows))
            for row in rows:
                self._arrived[row.signal] = self._durable[row.signal] = row.arrived
                self._duplicates[row.signal] = row.duplicates
                self._other[row.signal] = row.other_rows
            for row in connection.execute(select(ledger_expected)):
                report = self._reports.setdefault((row.node, row.epoch), _Report())
                report.frame = max(report.frame, row.frame)
                report.totals[row.path] = row.total
            self._was_clean = fact(connection, CLEAN, 1) == 1
            set_fact(connection, CLEAN, 0)

    def close(self) -> None:
        """Write everything and mark the counts as exact."""
        self.flush()
        with self._database.write() as connection:
            set_fact(connection, CLEAN, 1)

    def recount(self, signals: UInt32Array, rows: Int64Array) -> None:
        """Bring arrived and the historian's count of all rows together; see the module for when and why."""
        with self._lock:
            if len(signals):
                self._grow(int(signals.max()))
            stored = np.zeros_like(self._arrived)
            stored[signals] = rows
            if self._was_clean:
                changed = self._other != stored - self._arrived
                self._other = stored - self._arrived
            else:
                arrived = np.maximum(self._durable, stored - self._other)
                changed = arrived != self._durable
                self._arrived = arrived
            self._changed |= changed
        self.flush()

    def arrived(self, signals: UInt32Array, rows: Int64Array, duplicates: Int64Array) -> None:
        """See ports.Ledger."""
        if not len(signals):
            return
        with self._lock:
            self._grow(int(signals.max()))
            np.add.at(self._arrived, signals, rows)
            np.add.at(self._duplicates, signals, duplicates)
            self._changed[signals] = True

    def expected(self, node: str, epoch: str, totals: Mapping[str, int], frame: int) -> None:
        """See ports.Ledger; `totals` may list only signals that have changed."""
        with self._lock:
            report = self._reports.setdefault((node, epoch), _Report())
            report.frame = max(frame, report.frame)
            news = {path: total for path, total in totals.items() if total > report.totals.get(path, -1)}
            report.unsaved |= news.keys()
            report.totals |= news

    def dropped(self, node: str, epoch: str, drops: Sequence[Drop]) -> None:
        """See ports.Ledger; stored when it returns. A note that is told again after a kill counts once."""
        rows = [
            {
                "node": node,
                "epoch": epoch,
                "path": drop.signal,
                "rows": drop.rows,
                "first": drop.first,
                "last": drop.last,
                "reason": drop.reason[:255],
            }
            for drop in drops
        ]
        with self._database.write() as connection:
            insert_new(connection, ledger_drops, rows)

    def removed(self, signals: UInt32Array, rows: Int64Array) -> None:
        """Retention took stored rows away: they have arrived all the same."""
        self._add_other(signals, -rows)

    def begin_import(self, token: str, signals: UInt32Array, rows: Int64Array) -> Literal["new", "again", "done"]:
        """Announce rows that come by import; call it before they are appended to the historian.

        'new': append them; 'again': an earlier try was cut off, append them with the same token; 'done': they are in.
        """
        with self.importing:
            known = self.imported(token)
            if known != "new":
                return known
            # Counted before the token is written: a kill in between counts rows of other origin twice, which
            # `recount` survives; the other way round it would take them for arrived.
            self._add_other(signals, rows)
            with self._database.write() as connection:
                values = {"token": token, "rows": int(rows.sum()), "done": False}
                connection.execute(insert(import_blocks).values(values))
        return "new"

    def imported(self, token: str) -> Literal["new", "again", "done"]:
        """What `begin_import` would say, without announcing anything."""
        with self._database.read() as connection:
            query = select(import_blocks.c.done).where(import_blocks.c.token == token)
            known = connection.execute(query).scalar()
        if known is None:
            return "new"
        return "done" if known else "again"

    def end_import(self, token: str) -> None:
        """The historian has the rows of this block."""
        with self._database.write() as connection:
            connection.execute(update(import_blocks).where(import_blocks.c.token == token).values(done=True))

    def flush(self) -> None:
        """Write what has changed. Raises StoreUnavailable and keeps it for the next flush."""
        with self._saving:
            with self._lock:
                counts = self._take_changed()
                totals = self._take_totals()
            if not counts and not totals:
                return
            try:
                with self._database.write() as connection:
                    upsert(connection, ledger_arrived, counts)
                    upsert(connection, ledger_expected, totals)
            except StoreUnavailable:
                with self._lock:
                    self._changed[[row["signal"] for row in counts]] = True
                    for row in totals:
                        self._reports[row["node"], row["epoch"]].unsaved.add(row["path"])
                raise

    def rows(self, asset: str = "", path: str = "") -> Sequence[LedgerRow]:
        """Accounts by signal path: of one signal, or of an asset and all below it, or of everything."""
        with self._database.read() as connection:
            drops = _drops(connection)
        with self._lock:
            expected: dict[str, int] = {}
            nodes: dict[str, str] = {}
            for (node, _epoch), report in self._reports.items():
                for name, total in report.totals.items():
                    expected[name] = expected.get(name, 0) + total
                    nodes[name] = node
            counted = np.flatnonzero((self._arrived != 0) | (self._duplicates != 0))
            known = {one.path for number in counted.tolist() if (one := self._catalogue.by_id(number)) is not None}
            paths = sorted(known | expected.keys() | drops.keys())
            return [
                self._row(name, expected.get(name), nodes.get(name, ""), drops.get(name, ()))
                for name in paths
                if (not path or name == path) and (not asset or name.startswith(asset + "/"))
            ]

    def _add_other(self, signals: UInt32Array, rows: Int64Array) -> None:
        with self._lock:
            if len(signals):
                self._grow(int(signals.max()))
            np.add.at(self._other, signals, rows)
            self._changed[signals] = True
        self.flush()

    def _row(self, path: str, expected: int | None, node: str, drops: Sequence[Drop]) -> LedgerRow:
        signal = self._catalogue.by_path(path)
        number = None if signal is None else signal.id
        counted = number is not None and number < len(self._arrived)
        return LedgerRow(
            path=path,
            signal=number,
            node=node or ("" if signal is None else signal.born.node),
            expected=expected,
            arrived=int(self._arrived[number]) if counted else 0,
            duplicates=int(self._duplicates[number]) if counted else 0,
            dropped=sum(drop.rows for drop in drops),
            drops=drops,
        )

    def _grow(self, highest: int) -> None:
        size = len(self._arrived)
        if highest < size:
            return
        more = max(size, highest + 1 - size)
        self._arrived = np.pad(self._arrived, (0, more))
        self._duplicates = np.pad(self._duplicates, (0, more))
        self._other = np.pad(self._other, (0, more))
        self._durable = np.pad(self._durable, (0, more))
        self._changed = np.pad(self._changed, (0, more))

    def _take_changed(self) -> list[dict[str, Any]]:
        numbers = np.flatnonzero(self._changed)
        self._changed[numbers] = False
        columns = (numbers, self._arrived[numbers], self._duplicates[numbers], self._other[numbers])
        names = ("signal", "arrived", "duplicates", "other_rows")
        return [dict(zip(names, row, strict=True)) for row in zip(*(c.tolist() for c in columns), strict=True)]

    def _take_totals(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for (node, epoch), report in self._reports.items():
            fixed = {"node": node, "epoch": epoch, "frame": report.frame}
            rows += [fixed | {"path": path, "total": report.totals[path]} for path in report.unsaved]
            report.unsaved = set()
        return rows


def _drops(connection: Connection) -> dict[str, list[Drop]]:
    """Drops per signal path, one for each reason."""
    table = ledger_drops.c
    query = select(
        table.path,
        table.reason,
        func.sum(table.rows).label("rows"),
        func.min(table.first).label("first"),
        func.max(table.last).label("last"),
    ).group_by(table.path, table.reason)
    found: dict[str, list[Drop]] = {}
    for row in connection.execute(query.order_by(table.path, table.reason)):
        found.setdefault(row.path, []).append(Drop(row.path, int(row.rows), row.first, row.last, row.reason))
    return found

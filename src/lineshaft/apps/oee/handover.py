"""What a shift hands over to the next one: figures, losses, open stops, alarms, orders and its own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select

from lineshaft.apps.oee import tables as t
from lineshaft.apps.oee.order_view import order_rows
from lineshaft.apps.oee.reports import Reports
from lineshaft.apps.oee.setup import LineSetup
from lineshaft.apps.oee.slots import Slot, slots_between
from lineshaft.errors import DataError
from lineshaft.hub.api.problems import NotFound
from lineshaft.hub.state.database import Database
from lineshaft.hub.state.events import SqlEventStore
from lineshaft.model.events import Severity

_DAY_US = 86_400_000_000
_EXPLAINED = ("starved", "blocked")
_MOST = 200
_ALARMS = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM)


@dataclass(frozen=True)
class Handovers:
    """Over the tables and the events of the hub."""

    reports: Reports
    events: SqlEventStore
    database: Database

    def shifts(self, path: str, now: int) -> list[Slot]:
        """Shifts of a line of the last week that have begun, the newest first; without a calendar its days."""
        last = self._line(path).machines[-1]
        found = slots_between(last, now - 7 * _DAY_US, now)
        return [one for one in reversed(found) if one.start <= now and (one.shift or last.calendar is None)]

    def page(self, path: str, start: int | None, now: int) -> dict[str, Any]:
        """The shift that began at `start`, else the one that goes on or was the last. Raises NotFound without one."""
        line = self._line(path)
        shifts = self.shifts(path, now)
        shift = next((one for one in shifts if start is None or one.start == start), None)
        if shift is None:
            raise NotFound(
                f"no shift of {line.name} begins at {start}" if start else f"{line.name} had no shift lately"
            )
        end = min(shift.end, now)
        before = next((one for one in shifts if one.end <= shift.start), None)
        losses = self.reports.losses(path, shift.start, end)
        stops = self.reports.stops(path, shift.start, end, 5_000_000, _MOST)
        orders = self.reports.store.orders.find(path, shift.start, end)
        return {
            "shift": _shift(shift) | {"over": now >= shift.end},
            "shifts": [_shift(one) for one in shifts],
            "figures": self.reports.kpis(path, shift.start, end, "machine"),
            "losses": [one for one in losses["pareto"] if one["time"] > 0][:5],
            "open": [one for one in stops if not one["given"] and one["element"] not in _EXPLAINED
                     and one["end"] - one["start"] >= self._least(line, one["machine"])],
            "alarms": self._alarms(path, shift.start, end),
            "orders": order_rows(self.reports, orders, now),
            "said": self.said(path, shift.start),
            "before": None if before is None else _shift(before) | {
                "taken": any(one["kind"] == "taken" for one in self.said(path, before.start))},
        }  # fmt: skip

    def say(self, path: str, shift_start: int, entry: Mapping[str, str], by: str, at: int) -> bool:
        """Keep a note of the leaving shift, or that the coming one has taken over; False when the key is known."""
        if not any(one.start == shift_start for one in self.shifts(path, at)):
            raise DataError(f"no shift begins at {shift_start}", hint="see /oee/handover")
        c = t.handovers.c
        with self.database.write() as connection:
            if connection.execute(select(c.id).where(c.key == entry["key"])).first() is not None:
                return False
            row = {"path": path, "shift_start": shift_start, "by": by, "at": at, **entry}
            connection.execute(insert(t.handovers).values(row))
            details = {"shift_start": shift_start, "kind": entry["kind"], "text": entry["text"]}
            audit = {"time": at, "by": by, "action": "handover", "machine": path, "details": details}
            connection.execute(insert(t.audit).values(audit))
        return True

    def said(self, path: str, shift_start: int) -> list[dict[str, Any]]:
        """Notes of a shift and who took over, in their order."""
        c = t.handovers.c
        query = select(c.kind, c.text, c.by, c.at).where(c.path == path, c.shift_start == shift_start).order_by(c.id)
        with self.database.read() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]

    def _line(self, path: str) -> LineSetup:
        found = next((one for one in self.reports.setup.lines if one.path == path), None)
        if found is None:
            raise NotFound(f"{path} is no line of OEE")
        return found

    def _least(self, line: LineSetup, machine: str) -> int:
        return next((round(one.config.minor_stop * 1e6) for one in line.machines if one.path == machine), 0)

    def _alarms(self, path: str, start: int, end: int) -> list[dict[str, Any]]:
        found = self.events.find(since=start, until=end, subject=path, limit=1000)
        return [
            {"time": one.event.time, "subject": one.event.subject, "message": one.event.message,
             "severity": str(one.event.severity), "kind": one.event.kind}
            for one in found
            if one.event.severity in _ALARMS and not one.event.kind.startswith("oee.")
        ][:50]  # fmt: skip


def _shift(slot: Slot) -> dict[str, Any]:
    return {"id": slot.shift, "crew": slot.crew, "start": slot.start, "end": slot.end}

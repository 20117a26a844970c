"""Gathers what is known about a stop and about the machine's past ones, and asks for proposals of its reason."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from lineshaft.analytics.oee.proposals import PastStop, Signs, propose
from lineshaft.analytics.oee.states import State
from lineshaft.apps.oee.reports import Reports
from lineshaft.apps.oee.setup import MachineSetup
from lineshaft.apps.oee.slots import Note
from lineshaft.hub.state.events import SqlEventStore
from lineshaft.model.events import Event, Severity

_DAY_US = 86_400_000_000
_LOOK_BACK_US = 180 * _DAY_US
_BEFORE_US, _AFTER_US = 60_000_000, 10_000_000
_MOST_NOTES = 400
_MOST_EVENTS = 5000
_NOT_THE_MACHINE = ("oee.", "device.", "gateway.", "buffer.", "signal.", "source.", "write.", "config.", "operator.")
_FIGURES = re.compile(r"[-+]?\d[\d.,:]*")


@dataclass(frozen=True)
class Proposals:
    """Over the tables and the events of the hub."""

    reports: Reports
    events: SqlEventStore

    def of_stop(self, machine: MachineSetup, start: int) -> dict[str, Any]:
        """Proposals for the stop of a machine that began at `start`, with their evidence in figures."""
        notes = _latest(self.reports.store.recent_notes(machine.path, start - _LOOK_BACK_US, start, _MOST_NOTES))
        times = [one.start for one in notes]
        alarms = self._alarms(machine, min([*times, start]) - _BEFORE_US, start + _AFTER_US)
        known = self.reports.store.intervals_at(machine.path, [*times, start])

        def signs(time: int) -> Signs | None:
            interval = known.get(time)
            if interval is None:
                return None
            alarm = _nearest(alarms, time)
            local = datetime.fromtimestamp(time / 1e6, ZoneInfo(machine.zone))
            hour = local.hour + local.minute / 60
            return Signs(State(interval.state).name.lower(), hour, _key(alarm) if alarm else "", interval.reason)

        own = signs(start)
        if own is None:
            return {"items": [], "alarm": None}
        alarm = _nearest(alarms, start)
        if alarm is not None:
            own = replace(own, named=self.reports.setup.reasons.named(alarm.message))
        past = [PastStop(found, one.reason) for one in notes if one.start != start and (found := signs(one.start))]
        reasons = {one.id: one for one in self.reports.setup.reasons.items}
        allowed = frozenset(
            one.id for one in reasons.values()
            if any(machine.path == path or machine.path.startswith(path + "/") or not path for path in one.equipment)
            or not one.equipment
        )  # fmt: skip
        return {
            "items": [
                {"reason": one.reason, "name": reasons[one.reason].name, "count": one.count, "of": one.of,
                 "signs": one.signs}
                for one in propose(own, past, allowed)
            ],
            "alarm": None if alarm is None else {
                "message": alarm.message, "before": (start - alarm.time) / 1e6, "severity": str(alarm.severity)},
        }  # fmt: skip

    def _alarms(self, machine: MachineSetup, start: int, end: int) -> list[Event]:
        """Alarms of the machine and its parts, oldest first."""
        found = self.events.find(since=start, until=end, subject=machine.path, limit=_MOST_EVENTS)
        return [one.event for one in reversed(found) if _is_alarm(one.event)]


def _is_alarm(event: Event) -> bool:
    away = event.kind.startswith(_NOT_THE_MACHINE) or event.kind.endswith((".gone", ".cleared"))
    return event.severity is not Severity.INFO and not away


def _nearest(alarms: Sequence[Event], time: int) -> Event | None:
    """The alarm nearest to the beginning of a stop, from a minute before it to ten seconds after."""
    low = bisect_left(alarms, time - _BEFORE_US, key=lambda one: one.time)
    high = bisect_left(alarms, time + _AFTER_US, key=lambda one: one.time)
    return min(alarms[low:high], key=lambda one: abs(one.time - time), default=None)


def _key(alarm: Event) -> str:
    """What the alarm says, without its figures."""
    return f"{alarm.kind} {_FIGURES.sub('#', alarm.message)}"


def _latest(notes: Sequence[Note]) -> list[Note]:
    """Of several notes for one beginning the last; those that took back are no evidence."""
    last = {one.start: one for one in sorted(notes, key=lambda one: one.number)}
    return [one for one in last.values() if one.reason]

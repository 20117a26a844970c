"""The board of now: what each machine does, and where its shift will end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lineshaft.analytics.oee.calendar import Shift, shifts_between
from lineshaft.analytics.oee.elements import Element
from lineshaft.analytics.oee.states import State
from lineshaft.analytics.oee.totals import Totals
from lineshaft.apps.oee.aims import aims
from lineshaft.apps.oee.keeping import story_of
from lineshaft.apps.oee.reports import Reports, figures
from lineshaft.apps.oee.setup import MachineSetup
from lineshaft.apps.oee.slots import Note, Slot, lay, slots_between
from lineshaft.apps.oee.store import Interval

Confirmed = Mapping[tuple[str, str], float]


_LOOK_BACK_US = 600_000_000
_LAST_SHIFT_US = 4 * 86_400_000_000
"""So far back the last shift is looked for: a long weekend."""


def board(reports: Reports, path: str, now: int) -> list[dict[str, Any]]:
    """One row per machine at and below a path, in the order of flow."""
    machines = reports.machines(path)
    paths = [machine.path for machine in machines]
    begun = [one.start for machine in machines if (one := _shift_now(machine, now)) is not None]
    intervals = reports.store.interval_table(paths, min([now - _LOOK_BACK_US, *begun]), now)
    notes = reports.store.note_table(paths, now - _LOOK_BACK_US, now)
    confirmed = reports.store.cycles()
    return [
        _row(
            reports, machine, intervals[machine.path], [one.note for one in notes.get(machine.path, ())], confirmed, now
        )
        for machine in machines
    ]


def _shift_now(machine: MachineSetup, now: int) -> Shift | None:
    return next(iter(shifts_between(machine.calendar, now, now + 1)), None) if machine.calendar else None


def _row(
    reports: Reports, machine: MachineSetup, intervals: Sequence[Interval], notes: Sequence[Note], confirmed: Confirmed,
    now: int,
) -> dict[str, Any]:  # fmt: skip
    last = intervals[-1] if intervals else None
    product = last.product if last else ""
    slot = _slot(machine, now)

    def cycle(path: str, name: str) -> float:
        return reports.cycle(path, name, confirmed)

    totals = reports.store.totals([machine.path], slot.start, slot.start + 1, "", cycle).get((machine.path,))
    shift = _shift_now(machine, now)
    return {
        "machine": machine.path,
        "name": machine.name,
        "line": machine.line,
        "state": State(last.state if last else State.UNKNOWN).name.lower(),
        **_why(reports, machine, [one for one in intervals if one.end > now - _LOOK_BACK_US], notes, now),
        "since": reports.store.since(machine.path, last.state) if last else None,
        "cause": last.cause if last else "",
        "product": product,
        "shift": _shift(shift, totals, machine, intervals, lambda name: cycle(machine.path, name), now),
        "figures_of": {"shift": slot.shift, "crew": slot.crew, "start": slot.start, "end": slot.end},
        "figures": figures(totals) if totals is not None else None,
    }


def _slot(machine: MachineSetup, now: int) -> Slot:
    """The shift of now, or between shifts the last one; the day of a machine that has no shifts."""
    slots = slots_between(machine, now - _LAST_SHIFT_US, now + 1)
    return slots[-1] if slots[-1].shift else next((one for one in reversed(slots) if one.shift), slots[-1])


def _why(
    reports: Reports, machine: MachineSetup, intervals: Sequence[Interval], notes: Sequence[Note], now: int
) -> dict[str, Any]:
    """What the present state counts as, and the reason of it."""
    last = intervals[-1] if intervals else None
    if last is None or last.state in (State.RUNNING, State.UNKNOWN):
        element = Element.PRODUCTION if last and last.state == State.RUNNING else Element.UNKNOWN
        return {"element": element.name.lower(), "reason": "", "reason_name": "", "given": False}
    reasons = reports.setup.reasons
    line = lay(machine, story_of(intervals, reasons), notes, reasons, intervals[0].start, max(last.end, last.start + 1))
    code = int(line.reasons[-1])
    reason = reasons.at(code)
    return {
        "element": Element(int(line.elements[-1])).name.lower(),
        "reason": reason.id if reason else "",
        "reason_name": reason.name if reason else "",
        "given": reasons.given(code),
    }


def _shift(
    shift: Shift | None, totals: Totals | None, machine: MachineSetup, intervals: Sequence[Interval],
    cycle: Callable[[str], float], now: int,
) -> dict[str, Any] | None:  # fmt: skip
    """Target so far and of the whole shift, made so far, the gap, and the projection at the rate of now."""
    if shift is None:
        return None
    good = totals.good if totals is not None else 0.0
    return {
        "id": shift.id,
        "crew": shift.crew,
        "start": shift.start,
        "end": shift.end,
        "good": good,
        "scrap": totals.scrap if totals is not None else 0.0,
        **aims(shift, machine.calendar, intervals, cycle, good, now),
    }

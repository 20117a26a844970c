"""The board of now: what each machine does, and where its shift will end."""

from __future__ import annotations

from typing import Any

import numpy as np

from lineshaft.analytics.oee.calendar import Plan, Shift, plan_steps, shifts_between
from lineshaft.analytics.oee.states import State
from lineshaft.apps.oee.reports import Reports, figures
from lineshaft.apps.oee.setup import MachineSetup
from lineshaft.apps.oee.slots import slots_between


def board(reports: Reports, path: str, now: int) -> list[dict[str, Any]]:
    """One row per machine at and below a path, in the order of flow."""
    machines = reports.machines(path)
    if not machines:
        return []
    slots = {machine.path: slots_between(machine, now, now + 1)[0] for machine in machines}
    found = reports.totals(path, min(slot.start for slot in slots.values()), now + 1, ("slot",))
    return [
        _row(reports, machine, slots[machine.path].start, found, now)
        for machine in machines
    ]  # fmt: skip


def _row(reports: Reports, machine: MachineSetup, slot: int, found: Any, now: int) -> dict[str, Any]:
    cells = reports.timeline(machine, now - 8 * 3_600_000_000, now)
    last = cells[-1] if cells else None
    since = last["start"] if last else None
    for cell in reversed(cells[:-1]):
        if last is None or cell["state"] != last["state"]:
            break
        since = cell["start"]
    totals = found.get((machine.path, str(slot)))
    shift = next((one for one in shifts_between(machine.calendar, now, now + 1)), None) if machine.calendar else None
    made = figures(totals) if totals is not None else None
    return {
        "machine": machine.path,
        "name": machine.name,
        "line": machine.line,
        "state": last["state"] if last else State.UNKNOWN.name.lower(),
        "element": last["element"] if last else "unknown",
        "since": since,
        "reason": last["reason"] if last else "",
        "reason_name": last["reason_name"] if last else "",
        "given": bool(last and last["given"]),
        "cause": last["cause"] if last else "",
        "product": last["product"] if last else "",
        "shift": _shift(shift, totals, reports, machine, last["product"] if last else "", now),
        "figures": made,
    }


def _shift(
    shift: Shift | None, totals: Any, reports: Reports, machine: MachineSetup, product: str, now: int
) -> dict[str, Any] | None:
    """Target so far and of the whole shift, made so far, the gap, and the projection at the rate of now."""
    if shift is None:
        return None
    plan, _ = plan_steps(machine.calendar, (shift,), shift.start, shift.end)
    cycle = reports.cycle(machine.path, product, reports.store.cycles())
    whole, so_far = _work(plan.cut(shift.start, shift.end), shift.end), _work(plan.cut(shift.start, now), now)
    good = totals.good if totals is not None else 0.0
    known = not np.isnan(cycle)
    return {
        "id": shift.id,
        "crew": shift.crew,
        "start": shift.start,
        "end": shift.end,
        "target": so_far / 1e6 / cycle if known else None,
        "target_whole": whole / 1e6 / cycle if known else None,
        "good": good,
        "scrap": totals.scrap if totals is not None else 0.0,
        "projection": good * whole / so_far if so_far else None,
    }


def _work(plan: Any, end: int) -> int:
    return int(plan.lengths(end)[plan.values == Plan.WORK].sum())

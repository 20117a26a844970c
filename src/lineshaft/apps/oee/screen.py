"""What a wall screen shows of a line: its machines, target and actual of the shift, where it will end, what waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lineshaft.analytics.oee.calendar import Shift, shifts_between
from lineshaft.analytics.oee.totals import total
from lineshaft.apps.oee.aims import aims
from lineshaft.apps.oee.board import Confirmed, board
from lineshaft.apps.oee.reports import Reports, figures
from lineshaft.apps.oee.setup import LineSetup
from lineshaft.apps.oee.slots import slots_between

_EXPLAINED = ("starved", "blocked")
_MOST_STOPS = 20_000
_NO_SHIFT_US = 8 * 3_600_000_000  # without a shift: what to look back for open stops


def screen(reports: Reports, path: str, now: int) -> list[dict[str, Any]]:
    """One row per line with a machine at or below a path."""
    rows = {row["machine"]: row for row in board(reports, path, now)}
    confirmed = reports.store.cycles()
    lines = [line for line in reports.setup.lines if any(one.path in rows for one in line.machines)]
    shifts = [_shift_of(line, now) for line in lines]
    starts = [shift.start if shift else now - _NO_SHIFT_US for shift in shifts]
    stops = reports.stops(path, min(starts, default=now), now, 1, _MOST_STOPS) if lines else []
    return [
        _line(reports, line, rows, confirmed, now, shift) | {"open": _open(line, stops, start)}
        for line, shift, start in zip(lines, shifts, starts, strict=True)
    ]


def _shift_of(line: LineSetup, now: int) -> Shift | None:
    calendar = line.machines[-1].calendar
    return next(iter(shifts_between(calendar, now, now + 1)), None) if calendar else None


def _line(
    reports: Reports,
    line: LineSetup,
    rows: Mapping[str, dict[str, Any]],
    confirmed: Confirmed,
    now: int,
    shift: Shift | None,
) -> dict[str, Any]:
    machines = [one for one in line.machines if one.path in rows]
    last = machines[-1]

    def cycle(machine: str, product: str) -> float:
        return reports.cycle(machine, product, confirmed)

    def pace(product: str) -> float:
        """The ideal cycle of the slowest machine: faster than that the line cannot be."""
        known = [one for one in (cycle(machine.path, product) for machine in machines) if not np.isnan(one)]
        return max(known, default=float("nan"))

    found = {
        one.path: reports.store.totals([one.path], slot.start, slot.start + 1, "", cycle).get((one.path,))
        for one in machines
        for slot in slots_between(one, now, now + 1)[:1]
    }
    out = found[last.path]
    whole = total([one for one in found.values() if one is not None])
    shown = ("machine", "name", "state", "element", "since", "reason_name", "given", "product")
    names = {one.path: one.name for one in line.machines}
    return {
        "path": line.path,
        "name": line.name,
        "machines": [
            {key: rows[one.path][key] for key in shown} | {"cause": names.get(rows[one.path]["cause"], "")}
            for one in machines
        ],
        "shift": None if shift is None else {
            "id": shift.id, "crew": shift.crew, "start": shift.start, "end": shift.end,
            "good": out.good if out else 0.0, "scrap": sum(one.scrap for one in found.values() if one is not None),
            **aims(shift, last.calendar, reports.store.intervals(last.path, shift.start, now), pace,
                    out.good if out else 0.0, now),
        },
        "kpis": figures(whole)["kpis"] if shift is not None and whole.calendar else None,
    }  # fmt: skip


def _open(line: LineSetup, stops: Sequence[Mapping[str, Any]], start: int) -> list[dict[str, Any]]:
    """Stops that nobody has explained, the longest first: longer than a minor stop, and no neighbour is the cause."""
    least = {one.path: round(one.config.minor_stop * 1e6) for one in line.machines}
    rows = [
        {key: one[key] for key in ("machine", "name", "start", "end", "element", "reason_name")}
        for one in stops
        if one["machine"] in least and one["end"] > start and not one["given"] and one["element"] not in _EXPLAINED
        and one["end"] - one["start"] >= least[one["machine"]]
    ]  # fmt: skip
    return sorted(rows, key=lambda one: one["start"] - one["end"])

"""What a wall screen shows of a line: its machines, target and actual of the shift, where it will end, what waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lineshaft.analytics.oee.calendar import Shift, shifts_between
from lineshaft.analytics.oee.totals import Totals, total
from lineshaft.apps.oee.aims import aims
from lineshaft.apps.oee.board import Confirmed, board
from lineshaft.apps.oee.reports import Reports, figures
from lineshaft.apps.oee.setup import LineSetup, MachineSetup
from lineshaft.apps.oee.slots import slots_between
from lineshaft.apps.oee.store import Interval

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
    sums = _sums(reports, [one for line in lines for one in line.machines if one.path in rows], confirmed, now)
    last = [next(one.path for one in reversed(line.machines) if one.path in rows) for line in lines]
    done = reports.store.interval_table(last, min(starts, default=now), now)
    return [
        _line(reports, line, rows, confirmed, sums, done, now, shift) | {"open": _open(line, stops, start)}
        for line, shift, start in zip(lines, shifts, starts, strict=True)
    ]


def _sums(reports: Reports, machines: Sequence[MachineSetup], confirmed: Confirmed, now: int) -> Mapping[str, Totals]:
    """Machine -> totals of the slot that is open now; machines whose slots began together are asked for at once."""

    def cycle(machine: str, product: str) -> float:
        return reports.cycle(machine, product, confirmed)

    begun: dict[int, list[str]] = {}
    for one in machines:
        begun.setdefault(slots_between(one, now, now + 1)[0].start, []).append(one.path)
    return {
        key[0]: found
        for start, paths in begun.items()
        for key, found in reports.store.totals(paths, start, start + 1, "", cycle).items()
    }


def _shift_of(line: LineSetup, now: int) -> Shift | None:
    calendar = line.machines[-1].calendar
    return next(iter(shifts_between(calendar, now, now + 1)), None) if calendar else None


def _line(
    reports: Reports,
    line: LineSetup,
    rows: Mapping[str, dict[str, Any]],
    confirmed: Confirmed,
    sums: Mapping[str, Totals],
    done: Mapping[str, Sequence[Interval]],
    now: int,
    shift: Shift | None,
) -> dict[str, Any]:
    machines = [one for one in line.machines if one.path in rows]
    last = machines[-1]

    def pace(product: str) -> float:
        """The ideal cycle of the slowest machine: faster than that the line cannot be."""
        cycles = (reports.cycle(machine.path, product, confirmed) for machine in machines)
        known = [one for one in cycles if not np.isnan(one)]
        return max(known, default=float("nan"))

    found = [sums[one.path] for one in machines if one.path in sums]
    out = sums.get(last.path)
    whole = total(found)
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
            "good": out.good if out else 0.0, "scrap": sum(one.scrap for one in found),
            **aims(shift, last.calendar, [one for one in done[last.path] if one.end > shift.start], pace,
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

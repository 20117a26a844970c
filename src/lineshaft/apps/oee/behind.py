"""What a figure of a machine, shift, crew, product ... is made of: each machine's shift, down to its seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lineshaft.analytics.oee.totals import Totals
from lineshaft.apps.oee.reports import Reports, figures, group_of
from lineshaft.apps.oee.slots import Slot, standard
from lineshaft.apps.oee.store import MOST_SLICES

LEVELS = ("machine", "line", "area")


@dataclass(frozen=True, slots=True)
class Piece:
    """A machine's shift as far as it belongs to the part that was asked for. Times are UTC microseconds."""

    machine: str
    start: int
    end: int
    slot: Slot
    totals: Totals


def pieces(reports: Reports, path: str, start: int, end: int, by: str, key: str) -> tuple[list[Piece], bool]:
    """Newest first, and whether these are all; then the sum of them is the part's.

    Of a range that is cut exactly the first and last shift are cut as well.
    """
    store, exact = reports.store, reports.is_exact(path, start, end)
    machines = [one.path for one in reports.machines(path) if by not in LEVELS or reports.part_of(one.path, by) == key]
    if exact:
        rows = [one for one in reports.exact(path, start, end) if one.machine in machines]
    else:
        rows = store.slot_rows(machines, start, end, "" if by in LEVELS else by, key)
    confirmed, own = store.cycles(), store.orders.cycles()
    found: dict[tuple[int, str], Piece] = {}
    for one in rows:
        for product, order, totals in one.slices:
            if by not in LEVELS and group_of(by, one.slot, product, order) != key:
                continue
            seconds = own.get(order, reports.cycle(one.machine, product, confirmed))
            more = store.counted(standard(totals, seconds).by_order(order))
            begin = max(one.slot.start, start) if exact else one.slot.start
            before = found.get((begin, one.machine))
            whole = more if before is None else before.totals + more
            found[(begin, one.machine)] = Piece(one.machine, begin, one.slot.end, one.slot, whole)
    return [found[place] for place in sorted(found, reverse=True)], exact or len(rows) < MOST_SLICES


def piece_view(reports: Reports, one: Piece) -> dict[str, Any]:
    """As the API gives it."""
    return figures(one.totals) | {
        "machine": one.machine, "name": reports.setup.names.get(one.machine, one.machine), "start": one.start,
        "end": one.end, "day": one.slot.day, "shift": one.slot.shift, "crew": one.slot.crew,
    }  # fmt: skip

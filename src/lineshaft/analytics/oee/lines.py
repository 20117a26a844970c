"""A line of machines: its bottleneck, and what the line as a whole made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lineshaft.analytics.oee.totals import Totals


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """The machine that holds the line back: the one that is least starved and blocked."""

    machine: int  # index in the order of flow
    load: float  # share of its planned time in which it worked or could not for its own reasons, 0..1
    lead: float  # how much its load is above the next one's


def bottleneck(machines: Sequence[Totals]) -> Bottleneck | None:
    """The machine with the highest own load: production, set-up, own stops against starved, blocked and no order.

    A machine that waits for others has capacity left; the one that never waits is the bottleneck (Roser, Nakano and
    Tanaka 2001: the active period). None when nothing was planned or nobody was busy.
    """
    loads = []
    for totals in machines:
        own = totals.production + totals.setup + totals.minor_stop + totals.breakdown + totals.delay
        loads.append(own / totals.busy_plan if totals.busy_plan else 0.0)
    if not loads or max(loads) <= 0:
        return None
    ranked = sorted(range(len(loads)), key=lambda index: -loads[index])
    lead = loads[ranked[0]] - (loads[ranked[1]] if len(ranked) > 1 else 0.0)
    return Bottleneck(ranked[0], loads[ranked[0]], lead)


def line_totals(machines: Sequence[Totals], last: int, slowest: int) -> Totals:
    """The line as one machine: the time of its bottleneck, the parts of its last machine, the scrap of all.

    What left the line good is its good quantity; every part that any machine scrapped was produced and is lost.
    The standard time is that of the bottleneck, for the line cannot be faster than it.
    """
    slow = machines[slowest]
    good = machines[last].good
    scrap = sum(machine.scrap for machine in machines)
    per_part = slow.standard_time / slow.produced if slow.produced else 0.0
    return Totals(
        slow.non_scheduled, slow.planned_down, slow.production, slow.setup, slow.minor_stop, slow.breakdown,
        slow.starved, slow.blocked, slow.delay, slow.no_order, slow.unknown, good + scrap, good, scrap,
        sum(machine.rework for machine in machines), slow.start_up_scrap, per_part * (good + scrap), per_part * good,
        slow.failures, slow.stops, slow.minor_stops,
    )  # fmt: skip

"""A machine's time in slots (a shift, or the hours between shifts of a day), and what is kept of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from lineshaft.analytics.oee.calendar import Calendar, instant, plan_steps, shifts_between
from lineshaft.analytics.oee.elements import Context, Element, Timeline, timeline
from lineshaft.analytics.oee.steps import NOTHING, Steps
from lineshaft.analytics.oee.summary import Parts, by_key, stop_times
from lineshaft.analytics.oee.totals import Totals
from lineshaft.apps.oee.setup import MachineSetup, Reasons, cycles_of
from lineshaft.apps.oee.stories import Story

MARGIN_US = 2 * 3_600_000_000
"""How far beyond a slot states are looked at, so that a stop over its edge is as long as it was."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A piece of a machine's time that is summed up by itself. `shift` is '' between shifts."""

    start: int
    end: int
    day: str  # local date on which the shift began
    shift: str = ""
    crew: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A reason that a person gave for a time of a machine; of several for one instant the latest counts."""

    start: int
    end: int
    reason: str
    comment: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Slice:
    """Totals of one slot, product and order, without standard times: those follow the ideal cycles of today."""

    product: str
    order: str
    totals: Totals


@dataclass(frozen=True, slots=True)
class LossRow:
    """Time and number of stops of one reason in a slot; `reason` is '' when nobody and nothing says one."""

    reason: str
    element: Element
    time: int
    stops: int
    given: bool


@dataclass(frozen=True, slots=True, eq=False)
class SlotResult:
    """All of a slot."""

    slot: Slot
    line: Timeline
    slices: tuple[Slice, ...]
    losses: tuple[LossRow, ...]


def slots_between(machine: MachineSetup, start: int, end: int) -> tuple[Slot, ...]:
    """Slots that touch [start, end), whole, without gaps: shifts, and what lies between, cut at local midnight."""
    return _slots(machine.calendar, machine.zone, start, end)


@lru_cache(maxsize=4096)
def _slots(calendar: Calendar | None, zone_name: str, start: int, end: int) -> tuple[Slot, ...]:
    """Machines of one calendar share their slots."""
    zone = ZoneInfo(zone_name)
    day = datetime.fromtimestamp(start / 1e6, zone).date() - timedelta(days=1)
    low, high = instant(day, 0, zone), instant(_date(end, zone) + timedelta(days=1), 0, zone)
    shifts = shifts_between(calendar, low, high) if calendar is not None else ()
    found: list[Slot] = []
    at = low
    for shift in shifts:
        if shift.start > at:
            found += _between(at, shift.start, zone)
        found.append(Slot(shift.start, shift.end, shift.day.isoformat(), shift.id, shift.crew))
        at = max(at, shift.end)
    found += _between(at, max(high, at), zone)
    return tuple(slot for slot in found if slot.end > start and slot.start < end)


def _between(start: int, end: int, zone: ZoneInfo) -> list[Slot]:
    found = []
    while start < end:
        day = _date(start, zone)
        stop = min(end, instant(day + timedelta(days=1), 0, zone))
        found.append(Slot(start, stop, day.isoformat()))
        start = stop
    return found


def _date(time: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(time / 1e6, zone).date()


def lay(machine: MachineSetup, story: Story, notes: Sequence[Note], reasons: Reasons, start: int, end: int) -> Timeline:
    """The elements of [start, end) with the reasons that people gave over those that were proposed."""
    shifts = shifts_between(machine.calendar, start, end) if machine.calendar is not None else ()
    plan, index = plan_steps(machine.calendar, shifts, start, end)
    context = Context(
        plan, index, with_notes(story.reasons, notes, reasons, start, end), reasons.elements(), story.products,
        story.orders,
    )  # fmt: skip
    return timeline(story.states, context, start, end, machine.rules)


def with_notes(proposed: Steps, notes: Sequence[Note], reasons: Reasons, start: int, end: int) -> Steps:
    """Reason indices: what people gave last where they gave something, else what is proposed; '' takes back."""
    known = [(note, reasons.index(note.reason)) for note in sorted(notes, key=lambda one: one.number)]
    known = [(note, code) for note, code in known if (code != NOTHING or not note.reason) and note.start < note.end]
    if not known:
        return proposed
    edges = {start, *proposed.times.tolist(), *(edge for note, _ in known for edge in (note.start, note.end))}
    times = np.array(sorted(edges), np.int64)
    bare = proposed.at(times)
    values = bare.copy()
    for note, code in known:
        inside = (times >= note.start) & (times < note.end)
        values[inside] = bare[inside] if code == NOTHING else code + len(reasons)
    return Steps.of(times, values)


def sum_up(
    machine: MachineSetup, story: Story, notes: Sequence[Note], reasons: Reasons, slot: Slot, end: int
) -> SlotResult:
    """Everything of one slot, up to `end` where it is not over yet."""
    stop = min(slot.end, end)
    line = lay(machine, story, notes, reasons, slot.start, stop)
    parts = Parts(story.good, story.scrap, story.rework, cycles_of(machine, story.product_names))
    sums: dict[tuple[str, str], Totals] = {}
    for (_, product, order), totals in by_key(line, parts).items():
        key = (_name(story.product_names, product), _name(story.order_names, order))
        sums[key] = sums.get(key, Totals()) + totals
    return SlotResult(
        slot, line, tuple(Slice(*key, totals) for key, totals in sorted(sums.items())), losses_of(line, reasons)
    )


def losses_of(line: Timeline, reasons: Reasons) -> tuple[LossRow, ...]:
    """Time per reason and element."""
    rows = []
    for (code, element), (time, stops) in stop_times(line).items():
        reason = reasons.at(code)
        rows.append(LossRow(reason.id if reason else "", element, time, stops, reasons.given(code)))
    return tuple(rows)


def _name(names: Sequence[str], place: int) -> str:
    return names[place] if 0 <= place < len(names) else ""


def standard(totals: Totals, cycle_s: float) -> Totals:
    """The totals with the standard times of an ideal cycle; without one (NaN) they stay 0."""
    if np.isnan(cycle_s):
        return totals
    values: Mapping[str, object] = {name: getattr(totals, name) for name in Totals.__slots__}
    return Totals(**{
        **values, "standard_time": totals.produced * cycle_s * 1e6, "standard_good": totals.good * cycle_s * 1e6,
    })  # type: ignore[arg-type]  # fmt: skip

"""Slots cut at any instant: for ranges that are short enough to be summed up from the seconds themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lineshaft.analytics.oee.counts import Increments
from lineshaft.apps.oee.keeping import story_of
from lineshaft.apps.oee.setup import MachineSetup, Reasons
from lineshaft.apps.oee.slots import MARGIN_US, slots_between, sum_up
from lineshaft.apps.oee.store import OeeStore, SlotRows

Counts = Mapping[str, tuple[Increments, Increments, Increments]]
"""Machine -> good, scrap and reworked parts."""


def exact_rows(
    store: OeeStore, machines: Sequence[MachineSetup], counts: Counts, reasons: Reasons, start: int, end: int
) -> list[SlotRows]:
    """What would be kept of [start, end) if slots were cut there."""
    rows = []
    for machine in machines:
        intervals = store.intervals(machine.path, start - MARGIN_US, end + MARGIN_US)
        if not intervals:
            continue
        low, high = start, min(end, intervals[-1].end)
        if low >= high:
            continue
        good, scrap, rework = counts[machine.path]
        story = replace(story_of(intervals, reasons), good=good, scrap=scrap, rework=rework)
        notes = [given.note for given in store.notes(machine.path, low, high)]
        for slot in slots_between(machine, low, high):
            cut = replace(slot, start=max(slot.start, low), end=min(slot.end, high))
            result = sum_up(machine, story, notes, reasons, cut, high)
            slices = tuple((one.product, one.order, one.totals) for one in result.slices)
            rows.append(SlotRows(machine.path, replace(slot, end=cut.end), slices, result.losses))
    return rows

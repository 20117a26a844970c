"""Slots cut at any instant: for ranges that are short enough to be summed up from the seconds themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lineshaft.analytics.oee.counts import Increments
from lineshaft.apps.oee.keeping import story_of
from lineshaft.apps.oee.setup import MachineSetup, Reasons
from lineshaft.apps.oee.slots import MARGIN_US, slots_between, sum_up
from lineshaft.apps.oee.store import Interval, OeeStore, SlotRows


def exact_rows(
    store: OeeStore, machines: Sequence[MachineSetup], reasons: Reasons, start: int, end: int
) -> list[SlotRows]:
    """What would be kept of [start, end) if slots were cut there.

    Parts of an interval that the range cuts are taken to be spread evenly over it, so a count is right within a part.
    """
    rows = []
    paths = [one.path for one in machines]
    table = store.interval_table(paths, start - MARGIN_US, end + MARGIN_US)
    given = store.note_table(paths, start, end)
    for machine in machines:
        intervals = table[machine.path]
        high = min(end, intervals[-1].end) if intervals else start
        if start >= high:
            continue
        good, scrap, rework = (_spread(intervals, name) for name in ("good", "scrap", "rework"))
        story = replace(story_of(intervals, reasons), good=good, scrap=scrap, rework=rework)
        notes = [one.note for one in given.get(machine.path, ())]
        for slot in slots_between(machine, start, high):
            cut = replace(slot, start=max(slot.start, start), end=min(slot.end, high))
            result = sum_up(machine, story, notes, reasons, cut, high)
            slices = tuple((one.product, one.order, one.totals) for one in result.slices)
            rows.append(SlotRows(machine.path, replace(slot, end=cut.end), slices, result.losses))
    return rows


def _spread(intervals: Sequence[Interval], name: str) -> Increments:
    """Parts of each interval at even steps within it."""
    times, amounts = [], []
    for one in intervals:
        amount = getattr(one, name)
        if amount <= 0:
            continue
        steps = max(1, round(amount))
        times.append(one.start + (2 * np.arange(steps) + 1) * (one.end - one.start) // (2 * steps))
        amounts.append(np.full(steps, amount / steps))
    if not times:
        return Increments(np.empty(0, np.int64), np.empty(0, np.float64))
    return Increments(np.concatenate(times).astype(np.int64), np.concatenate(amounts))

"""From a story to the rows that are kept of a slot, and from kept rows back to a story."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from lineshaft.analytics.oee.counts import Increments
from lineshaft.analytics.oee.steps import NOTHING, Steps, overlay
from lineshaft.analytics.oee.totals import Totals
from lineshaft.apps.oee.setup import LineSetup, MachineSetup, Reasons
from lineshaft.apps.oee.slots import MARGIN_US, Note, Slot, sum_up
from lineshaft.apps.oee.store import Interval, OeeStore, SlotRows
from lineshaft.apps.oee.stories import Story
from lineshaft.model.samples import Float64Array, Int64Array

_HOUR_US = 3_600_000_000


def rows_of(
    line: LineSetup, machine: MachineSetup, story: Story, notes: Sequence[Note], reasons: Reasons, slot: Slot,
    end: int, since: int,
) -> SlotRows:  # fmt: skip
    """What is kept of a slot up to `end`; intervals from the one that holds at `since` on."""
    result = sum_up(machine, story, notes, reasons, slot, end)
    intervals = intervals_of(line, story, reasons, max(since - 1, slot.start), min(slot.end, end), slot.start)
    return SlotRows(
        machine.path,
        slot,
        tuple((one.product, one.order, one.totals) for one in result.slices),
        result.losses,
        hours_of(machine, story, slot.start, min(slot.end, end)),
        intervals,
        intervals[0].start if intervals else max(since, slot.start),
    )


def intervals_of(
    line: LineSetup, story: Story, reasons: Reasons, since: int, end: int, start: int
) -> tuple[Interval, ...]:
    """Intervals of [start, end), from the one that holds at `since` on."""
    grid = overlay(start, end, story.states, story.causes, story.reasons, story.products, story.orders)
    first = max(0, int(np.searchsorted(grid.starts, since, side="right")) - 1)
    states, causes, proposed, products, orders = (column[first:].tolist() for column in grid.columns)
    counts = [
        _per_cell(grid.starts, part, start, end)[first:].tolist() for part in (story.good, story.scrap, story.rework)
    ]
    ends = grid.ends[first:].tolist()
    return tuple(
        Interval(
            begin, stop, max(state, 0),
            line.machines[cause].path if cause != NOTHING else "",
            reasons.items[reason].id if reason != NOTHING else "",
            story.product_names[product] if product != NOTHING else "",
            story.order_names[order] if order != NOTHING else "", good, scrap, rework,
        )
        for begin, stop, state, cause, reason, product, order, good, scrap, rework in zip(
            grid.starts[first:].tolist(), ends, states, causes, proposed, products, orders, *counts, strict=True
        )
    )  # fmt: skip


def _per_cell(starts: Int64Array, parts: Increments, start: int, end: int) -> Float64Array:
    """Parts per cell; a part is finished at its instant, so it belongs to the cell that ends there."""
    low, high = np.searchsorted(parts.times, [start, end])
    cells = np.clip(np.searchsorted(starts, parts.times[low:high], side="left") - 1, 0, len(starts) - 1)
    return np.bincount(cells, parts.amounts[low:high], len(starts)).astype(np.float64)


def hours_of(machine: MachineSetup, story: Story, start: int, end: int) -> tuple[tuple[int, str, float, float], ...]:
    """(hour, product, good, scrap) of every local hour that touches [start, end), whole as far as it is known."""
    zone = ZoneInfo(machine.zone)
    low, high = hour_of(start, zone), hour_of(end - 1, zone) + _HOUR_US
    found: dict[tuple[int, str], list[float]] = {}
    for column, counted in enumerate((story.good, story.scrap)):
        a, b = np.searchsorted(counted.times, [low, high])
        times, amounts = counted.times[a:b], counted.amounts[a:b]
        products = story.products.at(times - 1)
        for time, product, amount in zip(times.tolist(), products.tolist(), amounts.tolist(), strict=True):
            name = story.product_names[product] if product != NOTHING else ""
            found.setdefault((hour_of(time, zone), name), [0.0, 0.0])[column] += amount
    return tuple((hour, name, good, scrap) for (hour, name), (good, scrap) in sorted(found.items()))


def hour_of(time: int, zone: ZoneInfo) -> int:
    """UTC microseconds at which the local hour of an instant began."""
    offset = datetime.fromtimestamp(time / 1e6, zone).utcoffset()
    shift = 0 if offset is None else round(offset.total_seconds() * 1e6)
    return (time + shift) // _HOUR_US * _HOUR_US - shift


def story_of(intervals: Sequence[Interval], reasons: Reasons) -> Story:
    """The story that kept intervals tell; without counts."""
    times = np.array([one.start for one in intervals], np.int64)
    end = [intervals[-1].end] if intervals else []
    products = tuple(dict.fromkeys(one.product for one in intervals if one.product))
    orders = tuple(dict.fromkeys(one.order_id for one in intervals if one.order_id))

    def steps(values: list[int]) -> Steps:
        return _steps(times, values, end)

    def places(names: tuple[str, ...], found: list[str]) -> list[int]:
        return [names.index(name) if name else NOTHING for name in found]

    return Story(
        steps([one.state for one in intervals]),
        Steps.of([], []),
        steps([reasons.index(one.reason) if one.reason else NOTHING for one in intervals]),
        (),
        steps(places(products, [one.product for one in intervals])),
        products,
        steps(places(orders, [one.order_id for one in intervals])),
        orders,
    )


def _steps(times: Int64Array, values: list[int], end: list[int]) -> Steps:
    return Steps.of([*times.tolist(), *end], [*values, *(NOTHING for _ in end)])


def recompute(store: OeeStore, machine: MachineSetup, reasons: Reasons, start: int, end: int, now: int) -> list[Slot]:
    """Sum the slots that touch [start, end) up anew after a reason was given; gives them.

    Times and reasons come from the kept intervals and notes, counts stay what they are.
    """
    slots = store.slots(machine.path, start, end)
    if not slots:
        return []
    low, high = slots[0].start - MARGIN_US, slots[-1].end + MARGIN_US
    story = story_of(store.intervals(machine.path, low, high), reasons)
    notes = [given.note for given in store.notes(machine.path, slots[0].start, slots[-1].end)]
    rows = []
    for slot in slots:
        counts = {(product, order): totals for product, order, totals in store.slice_counts(machine.path, slot.start)}
        result = sum_up(machine, story, notes, reasons, slot, min(slot.end, now))
        times = {(one.product, one.order): one.totals for one in result.slices}
        slices = tuple(
            (*key, _joined(times.get(key, Totals()), counts.get(key, Totals())))
            for key in sorted({*times, *counts})
        )  # fmt: skip
        rows.append(SlotRows(machine.path, slot, slices, result.losses))
    store.write(rows)
    return slots


def _joined(times: Totals, counts: Totals) -> Totals:
    """Times of the one, parts of the other."""
    return replace(
        times, produced=counts.produced, good=counts.good, scrap=counts.scrap, rework=counts.rework,
        start_up_scrap=counts.start_up_scrap,
    )  # fmt: skip

"""Change-overs of machines with their phases, by pair of products, and what the best of each would bring."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from lineshaft.analytics.oee.changeovers import PHASES, Change, changes, pair, phase_of
from lineshaft.analytics.oee.elements import Element
from lineshaft.analytics.oee.losses import money
from lineshaft.apps.oee.recorder import Recorder
from lineshaft.apps.oee.reports import Reports
from lineshaft.apps.oee.setup import MachineSetup


def change_page(
    reports: Reports, recorder: Recorder, machines: Sequence[MachineSetup], start: int, end: int
) -> dict[str, Any]:
    """Pairs with best, median, trend and cost, the costliest first; and every change-over, the newest first."""
    items = [row for machine in machines for row in _of_machine(reports, recorder, machine, start, end)]
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for one in items:
        groups[(one["machine"], one["before"], one["after"])].append(one)
    rates = {one.path: one.config.hourly_cost for one in machines}
    pairs = []
    for (machine, before, after), rows in groups.items():
        found = pair([one["seconds"] for one in rows])
        spent = sum(one["seconds"] for one in rows)
        phases = {name: sum(one["phases"][name] for one in rows) / len(rows) for name in PHASES}
        pairs.append(asdict(found) | {
            "machine": machine, "name": rows[0]["name"], "before": before, "after": after, "phases": phases,
            "seconds": spent, "money": money(spent * 1e6, rates[machine]),
            "gain": money(found.excess * 1e6, rates[machine]),
        })  # fmt: skip
    marked = any(one.external for one in reports.setup.reasons.items)
    return {
        "pairs": sorted(pairs, key=lambda one: -one["seconds"]),
        "items": sorted(items, key=lambda one: -one["start"]),
        "products": {one.id: one.name or one.id for one in reports.setup.products},
        "marked": marked,
    }


def _of_machine(
    reports: Reports, recorder: Recorder, machine: MachineSetup, start: int, end: int
) -> list[dict[str, Any]]:
    story = recorder.story(machine, start, end)
    good = story.good
    inside = good.times >= start
    times = good.times[inside]
    found = changes(times, story.products.at(times - 1))
    if not found:
        return []
    cells = reports.timeline(machine, found[0].start, found[-1].end)
    external = {one.id for one in reports.setup.reasons.items if one.external}
    return [_row(machine, one, story.product_names, cells, external) for one in found]


def _row(
    machine: MachineSetup, change: Change, names: Sequence[str], cells: Sequence[dict[str, Any]], external: set[str]
) -> dict[str, Any]:
    phases = dict.fromkeys(PHASES, 0.0)
    parts: list[dict[str, Any]] = []
    for cell in cells:
        low, high = max(cell["start"], change.start), min(cell["end"], change.end)
        kind = phase_of(Element[cell["element"].upper()], cell["given"] and cell["reason"] in external)
        if low >= high:
            continue
        if kind:
            phases[kind] += (high - low) / 1e6
        words = cell["reason_name"] or cell["state"]
        if parts and parts[-1]["phase"] == kind and parts[-1]["words"] == words:
            parts[-1]["end"] = high
        else:
            parts.append({"start": low, "end": high, "phase": kind, "words": words})
    return {
        "machine": machine.path, "name": machine.name, "before": names[change.before], "after": names[change.after],
        "start": change.start, "end": change.end, "seconds": sum(phases.values()), "phases": phases, "parts": parts,
    }  # fmt: skip

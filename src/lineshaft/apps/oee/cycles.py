"""Cycle times of one machine, part by part: what is slow, where it stood unseen, and what that cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lineshaft.analytics.oee import cycles
from lineshaft.analytics.oee.counts import merged, suggest_cycle
from lineshaft.analytics.oee.losses import money
from lineshaft.analytics.oee.states import State
from lineshaft.analytics.oee.steps import NOTHING
from lineshaft.apps.oee.reports import Reports
from lineshaft.apps.oee.setup import MachineSetup
from lineshaft.apps.oee.stories import Story
from lineshaft.model.samples import Float64Array, Int64Array

_WORST = 200
_PER_BIN = 4


@dataclass(frozen=True, slots=True, eq=False)
class PartCycles:
    """From each part to the next: columns of length n. `seconds` is running time per part."""

    starts: Int64Array
    ends: Int64Array
    seconds: Float64Array
    products: Int64Array  # index in names, NOTHING when none is known
    names: tuple[str, ...]

    def by_product(self) -> dict[str, Float64Array]:
        """Product -> seconds; '' where none is known."""
        found = {name: self.seconds[self.products == place] for place, name in enumerate(self.names)}
        bare = self.seconds[self.products == NOTHING]
        return found | ({"": bare} if len(bare) else {})


def part_cycles(story: Story, start: int) -> PartCycles:
    """The cycles of a story from `start` on. Several parts that are counted at once share their time."""
    found = merged([story.good, story.scrap])
    parts, place = np.unique(found.times[found.times >= start], return_inverse=True)
    amounts = np.bincount(place, found.amounts[found.times >= start], len(parts))
    edges = np.unique(np.concatenate([story.states.times, parts]))
    ran = np.concatenate([[0], np.cumsum(np.diff(edges) * (story.states.at(edges[:-1]) == State.RUNNING))])
    seconds = np.diff(ran[np.searchsorted(edges, parts)]) / 1e6 / np.maximum(amounts[1:], 1.0)
    return PartCycles(parts[:-1], parts[1:], seconds, story.products.at(parts[1:] - 1), story.product_names)


def cycle_page(reports: Reports, machine: MachineSetup, story: Story, start: int, end: int) -> dict[str, Any]:
    """Per product: distribution, ideal and suggestion, slow cycles, stops within cycles, and the cycles themselves."""
    found = part_cycles(story, start)
    confirmed = reports.store.cycles()
    names = {one.id: one.name or one.id for one in reports.setup.products}
    minor = [one for one in reports.timeline(machine, start, end) if one["element"] == "minor_stop"]
    stood = sum(one["end"] - one["start"] for one in minor)
    rate = machine.config.hourly_cost
    return {
        "items": [
            _product(found, place, names.get(name, name), reports.cycle(machine.path, name, confirmed), rate)
            | {"confirmed": (machine.path, name) in confirmed}
            for place, name in [*enumerate(found.names), (NOTHING, "")]
            if (found.products == place).any()
        ],
        "minor_stops": {"count": len(minor), "seconds": stood / 1e6, "money": money(stood, rate),
                        "limit": machine.config.minor_stop},
    }  # fmt: skip


def _product(found: PartCycles, place: int, name: str, ideal: float, rate: float) -> dict[str, Any]:
    rows = np.flatnonzero(found.products == place)
    seconds = found.seconds[rows]
    guess = suggest_cycle(seconds)
    suggested = guess.seconds if guess else None
    known = not np.isnan(ideal)
    measure = ideal if known else suggested if suggested is not None else float(np.median(seconds))
    bands = cycles.bands(seconds, measure)
    head = {"product": found.names[place] if place != NOTHING else "", "name": name, "parts": len(rows),
            "ideal": ideal if known else None, "suggested": suggested}  # fmt: skip
    if bands is None:
        return head | {"bands": None, "edges": [], "counts": [], "fast": 0, "slow": None, "stops": None, "cycles": []}
    kinds = cycles.paces(seconds, bands)
    edges, counts = cycles.histogram(seconds, bands)
    slow, stops = cycles.lost(seconds, kinds, bands)
    bins = np.clip(np.searchsorted(edges, seconds, side="right") - 1, 0, len(counts) - 1)
    return head | {
        "bands": asdict(bands), "edges": edges.tolist(), "counts": counts.tolist(),
        "fast": int((kinds == cycles.Pace.FAST).sum()),
        "slow": asdict(slow) | {"money": money(slow.seconds * 1e6, rate)},
        "stops": asdict(stops) | {"money": money(stops.seconds * 1e6, rate)},
        "cycles": [
            {"start": int(found.starts[rows[at]]), "end": int(found.ends[rows[at]]), "seconds": float(seconds[at]),
             "pace": cycles.Pace(int(kinds[at])).name.lower(), "bin": int(bins[at])}
            for at in _shown(seconds, bins)
        ],
    }  # fmt: skip


def _shown(seconds: Float64Array, bins: Int64Array) -> list[int]:
    """The longest cycles, and the newest few of each bin, so that every bar can be opened."""
    newest = [at for one in np.unique(bins).tolist() for at in np.flatnonzero(bins == one)[-_PER_BIN:].tolist()]
    longest = np.argsort(-seconds, kind="stable")[:_WORST].tolist()
    return sorted({*newest, *longest}, key=lambda at: -seconds[at])

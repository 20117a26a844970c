"""Totals of a timeline with its counts, for any range and any grouping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from lineshaft.analytics.oee.counts import Increments
from lineshaft.analytics.oee.elements import Element, Timeline
from lineshaft.analytics.oee.steps import sums
from lineshaft.analytics.oee.totals import Totals
from lineshaft.model.samples import Float64Array, Int64Array

_EMPTY = Increments(np.empty(0, np.int64), np.empty(0, np.float64))
_LOGGED = (Element.BREAKDOWN, Element.DELAY, Element.SETUP, Element.STARVED, Element.BLOCKED, Element.NO_ORDER)


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """What a machine made. Each amount is counted at its instant; `cycles` float64[products]: ideal cycle in seconds,
    NaN where it is not known (such parts count, but have no standard time)."""

    good: Increments = _EMPTY
    scrap: Increments = _EMPTY
    rework: Increments = _EMPTY
    cycles: Float64Array = field(default_factory=lambda: np.empty(0, np.float64))
    cycle: float = float("nan")  # ideal cycle of an unknown product, seconds


Key = tuple[int, int, int]
"""(shift, product, order): indices, NOTHING where there is none."""


def by_key(line: Timeline, parts: Parts) -> dict[Key, Totals]:
    """Totals per shift, product and order; they add up to the totals of the whole."""
    keys = (line.shifts, line.products, line.orders)
    times: dict[Key, dict[Element, int]] = {}
    for (shift, product, order, element), length in sums(line.lengths, *keys, line.elements).items():
        times.setdefault((shift, product, order), {})[Element(element)] = length
    found = {key: Totals.of_elements(elements) for key, elements in times.items()}
    starts = _starts(line)
    for key, more in _counted(line, parts, starts).items():
        found[key] = found.get(key, Totals()) + more
    return found


def summarise(line: Timeline, start: int, end: int, parts: Parts | None = None) -> Totals:
    """Totals of [start, end) within the timeline. A stop counts where it begins."""
    low = np.clip(line.starts, start, end)
    lengths = np.clip(line.ends, start, end) - low
    times = {Element(key[0]): length for key, length in sums(lengths, line.elements).items()}
    inside = (line.starts >= start) & (line.starts < end)
    begins = _starts(line)
    result = Totals.of_elements(times) + Totals(
        failures=int((begins & inside & (line.elements == Element.BREAKDOWN)).sum()),
        stops=int((begins & inside & (line.elements != Element.MINOR_STOP)).sum()),
        minor_stops=int((begins & inside & (line.elements == Element.MINOR_STOP)).sum()),
    )
    if parts is None:
        return result
    for more in _parts_only(line, parts, start, end).values():
        result = result + more
    return result


def _starts(line: Timeline) -> np.ndarray:
    """bool[n]: where a stop begins: another element than before, or the first cell."""
    logged = np.isin(line.elements, (*_LOGGED, Element.MINOR_STOP))
    before = np.concatenate([np.array([-1], np.int64), line.elements[:-1]]) if len(line.elements) else line.elements
    return np.asarray(logged & (line.elements != before))


def _counted(line: Timeline, parts: Parts, begins: np.ndarray) -> Mapping[Key, Totals]:
    found = dict(_parts_only(line, parts, int(line.starts[0]), int(line.ends[-1]))) if len(line.starts) else {}
    keys = (line.shifts[begins], line.products[begins], line.orders[begins], line.elements[begins])
    for (shift, product, order, element), count in sums(np.ones(int(begins.sum()), np.int64), *keys).items():
        more = Totals(
            failures=count if element == Element.BREAKDOWN else 0,
            stops=count if element != Element.MINOR_STOP else 0,
            minor_stops=count if element == Element.MINOR_STOP else 0,
        )
        key = (shift, product, order)
        found[key] = found.get(key, Totals()) + more
    return found


def _parts_only(line: Timeline, parts: Parts, start: int, end: int) -> dict[Key, Totals]:
    found: dict[Key, Totals] = {}
    for name in ("good", "scrap", "rework"):
        counted: Increments = getattr(parts, name)
        low, high = np.searchsorted(counted.times, [start, end])
        times, amounts = counted.times[low:high], counted.amounts[low:high]
        # A part is finished at its instant: it belongs to the cell that ends there.
        cells = np.clip(np.searchsorted(line.starts, times, side="left") - 1, 0, len(line.starts) - 1)
        products = line.products[cells]
        standard = amounts * _cycle_us(parts, products)
        for key, rows in _rows(line.shifts[cells], products, line.orders[cells]).items():
            amount = float(amounts[rows].sum())
            time = float(np.nansum(standard[rows]))
            made = name != "rework"
            more = Totals(
                produced=amount if made else 0.0,
                good=amount if name == "good" else 0.0,
                scrap=amount if name == "scrap" else 0.0,
                rework=amount if name == "rework" else 0.0,
                standard_time=time if made else 0.0,
                standard_good=time if name == "good" else 0.0,
            )
            found[key] = found.get(key, Totals()) + more
    return found


def _cycle_us(parts: Parts, products: Int64Array) -> Float64Array:
    if not len(parts.cycles):
        return np.full(len(products), parts.cycle * 1e6)
    known = (products >= 0) & (products < len(parts.cycles))
    found = np.where(known, parts.cycles[np.where(known, products, 0)], np.nan)
    return np.where(np.isnan(found), parts.cycle, found) * 1e6


def _rows(*keys: Int64Array) -> dict[Key, np.ndarray]:
    if not len(keys[0]):
        return {}
    found, place = np.unique(np.stack(keys, axis=1), axis=0, return_inverse=True)
    return {tuple(key): np.flatnonzero(place.ravel() == row) for row, key in enumerate(found.tolist())}


def stop_times(line: Timeline) -> dict[tuple[int, Element], tuple[int, int]]:
    """(reason, element) -> (time, number of stops) of everything that stood."""
    stood = np.isin(line.elements, (*_LOGGED, Element.MINOR_STOP))
    times = sums(line.lengths[stood], line.reasons[stood], line.elements[stood])
    begins = _starts(line) | (stood & (np.diff(line.reasons, prepend=line.reasons[:1]) != 0))
    counts = sums(begins[stood].astype(np.int64), line.reasons[stood], line.elements[stood])
    return {(key[0], Element(key[1])): (time, counts[key]) for key, time in times.items()}

"""Parts from counters: increases with reset and rollover, and cycle times between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lineshaft.model.samples import Float64Array, Int64Array


@dataclass(frozen=True, slots=True, eq=False)
class Increments:
    """Instants at which a counter grew, and by how much. Ascending; every amount is positive."""

    times: Int64Array
    amounts: Float64Array

    def between(self, start: int, end: int) -> float:
        """Sum of the amounts with start <= time < end."""
        low, high = np.searchsorted(self.times, [start, end])
        return float(self.amounts[low:high].sum())


def increments(
    times: Int64Array, values: Float64Array, good: NDArray[np.bool_] | None = None, rollover: float | None = None
) -> Increments:
    """What a counter added at each of its rows.

    A fall is a reset (it counted from 0 to the new value) or, where `rollover` is given and the value before was in its
    upper half and the new one in its lower half, a rollover. NaN and rows that are not `good` are passed over; the
    first row is where counting begins and adds nothing.
    """
    usable = ~np.isnan(values) if good is None else good & ~np.isnan(values)
    t, v = times[usable], values[usable]
    if len(v) < 2:
        return Increments(np.empty(0, np.int64), np.empty(0, np.float64))
    step = np.diff(v)
    fell = step < 0
    turned = np.zeros(len(step), np.bool_)
    if rollover is not None:
        turned = fell & (v[:-1] > rollover / 2) & (v[1:] < rollover / 2)
    added = np.where(turned, step + (rollover or 0.0), np.where(fell, v[1:], step))
    grew = added > 0
    return Increments(t[1:][grew], added[grew])


def merged(parts: list[Increments]) -> Increments:
    """Several counters as one, in time order."""
    if not parts:
        return Increments(np.empty(0, np.int64), np.empty(0, np.float64))
    times = np.concatenate([part.times for part in parts])
    order = np.argsort(times, kind="stable")
    return Increments(times[order], np.concatenate([part.amounts for part in parts])[order])


@dataclass(frozen=True, slots=True)
class CycleGuess:
    """An ideal cycle time learned from history; a guess until a person confirms it. Seconds."""

    seconds: float
    cycles: int  # how many cycles it was learned from
    share_faster: float  # share of the cycles that were faster than this


def suggest_cycle(run_seconds: Float64Array, least: int = 30) -> CycleGuess | None:
    """The ideal cycle that a machine has shown: the middle of the fastest tenth of its cycles; None with too few.

    run_seconds: float64[n], running time per part. Cycles far below the usual one (a double count) are left out, and
    a tenth rather than the single best, so that one lucky cycle does not set the measure.
    """
    usable = run_seconds[np.isfinite(run_seconds) & (run_seconds > 0)]
    if len(usable) < least:
        return None
    usable = np.sort(usable[usable > 0.5 * np.median(usable)])
    seconds = float(np.quantile(usable, 0.05))
    return CycleGuess(seconds, len(usable), float(np.mean(usable < seconds)))


def slow_cycles(seconds: Float64Array, ideal: Float64Array, tolerance: float = 0.05) -> NDArray[np.bool_]:
    """bool[n]: cycles that took longer than their ideal by more than `tolerance` (a share)."""
    return np.asarray(seconds > ideal * (1 + tolerance))

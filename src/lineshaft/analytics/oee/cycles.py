"""Slow cycles and micro-stops found from cycle times alone. Times in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from lineshaft.model.samples import Float64Array, Int64Array


class Pace(IntEnum):
    """What one cycle was."""

    FAST = 0
    NORMAL = 1
    SLOW = 2
    STOP = 3  # the machine stood within it, whatever it says


@dataclass(frozen=True, slots=True)
class Bands:
    """Where one kind of cycle ends and the next begins."""

    ideal: float
    normal: float  # the median
    slow_from: float
    stop_from: float


@dataclass(frozen=True, slots=True)
class Lost:
    """How many cycles of a kind, and the time that they took too long."""

    count: int
    seconds: float


def bands(seconds: Float64Array, ideal: float, tolerance: float = 0.05, shortest_stop: float = 5.0) -> Bands | None:
    """The bands of cycles of one product on one machine; None without cycles or an ideal.

    Slow is longer than the ideal by more than `tolerance` (a share). A stop within a cycle makes it longer than the
    median by half of it and by `shortest_stop` at least: a machine that merely works slowly does not do that for one
    part.
    """
    usable = seconds[np.isfinite(seconds) & (seconds > 0)]
    if not len(usable) or not np.isfinite(ideal) or ideal <= 0:
        return None
    normal = float(np.median(usable))
    return Bands(ideal, normal, ideal * (1 + tolerance), normal + max(shortest_stop, 0.5 * normal))


def paces(seconds: Float64Array, found: Bands, tolerance: float = 0.05) -> Int64Array:
    """int64[n]: see Pace."""
    result = np.full(len(seconds), Pace.NORMAL, np.int64)
    result[seconds < found.ideal * (1 - tolerance)] = Pace.FAST
    result[seconds > found.slow_from] = Pace.SLOW
    result[seconds > found.stop_from] = Pace.STOP
    return result


def lost(seconds: Float64Array, kinds: Int64Array, found: Bands) -> tuple[Lost, Lost]:
    """(slow cycles, stops within cycles). A stop lost what is above the median, a slow cycle the rest to the ideal."""
    slow, stop = kinds == Pace.SLOW, kinds == Pace.STOP
    return (
        Lost(int(slow.sum()), float((seconds[slow] - found.ideal).sum())),
        Lost(int(stop.sum()), float((seconds[stop] - found.normal).sum())),
    )


def histogram(seconds: Float64Array, found: Bands, bins: int = 48) -> tuple[Float64Array, NDArray[np.int64]]:
    """(edges [bins + 1], counts [bins]) over what matters; longer cycles are in the last bin, shorter in the first."""
    low = min(float(np.quantile(seconds, 0.005)), found.ideal * 0.95)
    high = max(float(np.quantile(seconds, 0.97)), found.slow_from, found.normal) * 1.04
    steps = np.diff(np.unique(np.round(seconds, 1)))  # counters that are read each second know whole seconds only
    finest = float(np.median(steps)) if len(steps) else 0.1
    edges = np.linspace(low, high, max(1, min(bins, int((high - low) / max(finest, 1e-3)))) + 1)
    counts, _ = np.histogram(np.clip(seconds, low, high), edges)
    return edges, counts.astype(np.int64)

"""Remaining life of one machine from its own health index: growth towards the limit as a Wiener process with drift."""

from __future__ import annotations

import math
from typing import Final, Literal

import numpy as np
import scipy

from lineshaft.analytics.remaining_life.estimate import RemainingLife, too_early
from lineshaft.model.samples import Float64Array

FEWEST: Final = 8
_WIDEST: Final = 100.0
"""Mean by shape of the first passage: beyond it the quantiles say nothing and cannot be computed."""
Growth = Literal["linear", "exponential"]


def growth_life(
    times: Float64Array,
    index: Float64Array,
    limit: float,
    growth: Growth,
    *,
    window: int = 60,
    unit: str = "a unit of time",
) -> RemainingLife:
    """First passage of the index over the failure limit, in the unit of `times` (ascending), which `unit` names.

    The last `window` values, or their logarithms for exponential growth, are a Wiener process with drift: its first
    passage is inverse Gaussian (Wang 2010). The drift is a robust slope (Theil-Sen), the diffusion what the increments
    do besides. Too early when fewer than 8 values are known or the slope is not twice its own uncertainty.
    """
    known = np.isfinite(index) & (index > 0 if growth == "exponential" else np.isfinite(index))
    t, x = times[known][-window:], index[known][-window:]
    if len(t) < FEWEST:
        return too_early(growth, f"{len(t)} values of the index; {FEWEST} or more are needed")
    level, values = (math.log(limit), np.log(x)) if growth == "exponential" else (limit, x)
    drift, error = _slope(t, values)
    if drift <= 2 * error or drift <= 0:
        return too_early(growth, "the index does not grow steadily")
    now = float(np.median(values[-5:]))
    distance = level - now
    if distance <= 0:
        return RemainingLife(0.0, 0.0, 0.0, growth, "the index is beyond the limit")
    steps = np.diff(t)
    noise = np.diff(values) - drift * steps
    inside = float(np.var(noise) - 2 * max(0.0, -float(np.mean(noise[1:] * noise[:-1]))))
    diffusion = max(inside, 0.02 * float(np.var(noise))) / float(np.mean(steps))
    uncertain = diffusion + (error / drift) ** 2 * drift * distance
    mean, shape = distance / drift, distance**2 / uncertain
    width = min(mean / shape, _WIDEST)
    low, middle, high = (float(scipy.stats.invgauss.ppf(q, width, scale=mean / width)) for q in (0.1, 0.5, 0.9))
    words = f"the index grows by {drift:.3g} in {unit} and is {distance:.3g} below the limit"
    return RemainingLife(low, middle, high, growth, words)


def _slope(t: Float64Array, x: Float64Array) -> tuple[float, float]:
    """(median of the slopes of all pairs that are far apart, its standard error by their spread)."""
    half = len(t) // 2
    slopes = (x[half:][:, None] - x[:half]) / np.maximum(t[half:][:, None] - t[:half], 1e-12)
    middle = float(np.median(slopes))
    spread = 1.4826 * float(np.median(np.abs(slopes - middle)))
    return middle, spread / math.sqrt(max(1, half) / 2)

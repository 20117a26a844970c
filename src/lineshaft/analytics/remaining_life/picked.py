"""Remaining life by the growth model that was least wrong on this machine so far; as unsure as it was wrong."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np

from lineshaft.analytics.remaining_life.degradation import FEWEST, Growth, growth_life
from lineshaft.analytics.remaining_life.estimate import RemainingLife, too_early
from lineshaft.model.samples import Float64Array

GROWTHS: Final[tuple[Growth, ...]] = ("linear", "exponential")
_CUTS: Final = 8
_LEAST_TRIALS: Final = 5
_RISE: Final = 1.1
"""A trial counts when the index has grown by a tenth since its cut: otherwise there was nothing to foretell."""


def picked_life(
    times: Float64Array, index: Float64Array, limit: float, *, window: int = 60, unit: str = "an hour"
) -> RemainingLife:
    """First passage of the index over the limit, in the unit of `times` (ascending), by the better of two models.

    Each model is tried on the past: cut off at eight places, it foretells when the index reaches the level that it has
    now; the truth is known. The model with the smaller median error (of the logarithm of the ratio) speaks; while fewer
    than five trials could be made of either it is too early to say. P10 and P90 are at least as far from P50 as those
    ratios were (conformal prediction, Vovk 2005), so that a model that was wrong is not sure. `window`: values that a
    model sees; `unit`: of `times`, for the words.
    """
    known = np.isfinite(index) & (index > 0)
    t, x = times[known], index[known]
    ratios = {growth: _ratios(t, x, growth, window) for growth in GROWTHS}
    tried = {growth: found for growth, found in ratios.items() if len(found) >= _LEAST_TRIALS}
    if not tried:
        return too_early("growth", "no model could be tried on what the index has done so far")
    best: Growth = min(tried, key=lambda one: _error(tried[one]))
    life = growth_life(t, x, limit, best, window=window, unit=unit)
    if life.too_early:
        return life
    low, high = np.quantile(tried[best], [0.1, 0.9], method="inverted_cdf")
    words = f"{life.words}; {best} growth foretold its past within {math.expm1(_error(tried[best])):.0%}"
    others = [f"{one} {math.expm1(_error(found)):.0%}" for one, found in tried.items() if one != best]
    return replace(
        life,
        p10=min(life.p10, life.p50 * float(low)),
        p90=max(life.p90, life.p50 * float(high)),
        words=words + (f" ({', '.join(others)})" if others else ""),
    )


def _error(ratios: Float64Array) -> float:
    return float(np.median(np.abs(np.log(ratios))))


def _ratios(t: Float64Array, x: Float64Array, growth: Growth, window: int) -> Float64Array:
    """True by foretold time until the index reached its present level, from each cut that can be judged."""
    n = len(t)
    if n < FEWEST + _CUTS:
        return np.empty(0)
    level = float(np.median(x[-5:]))
    found = []
    for cut in np.unique(np.linspace(FEWEST, n - 5, _CUTS).astype(int)).tolist():
        if level < _RISE * float(np.median(x[max(0, cut - 5) : cut])):
            continue
        life = growth_life(t[:cut], x[:cut], level, growth, window=window)
        if not life.too_early and life.p50 > 0:
            found.append(float(t[-1] - t[cut - 1]) / life.p50)
    ratios: Float64Array = np.clip(np.array(found), 0.05, 20.0)
    return ratios

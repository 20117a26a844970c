"""Remaining life by the growth model that was least wrong on this machine so far; as unsure as it was on others."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np

from lineshaft.analytics.remaining_life.calibration import Errors, Trial, calibrated
from lineshaft.analytics.remaining_life.degradation import FEWEST, Growth, growth_life
from lineshaft.analytics.remaining_life.estimate import RemainingLife, too_early
from lineshaft.analytics.remaining_life.wear_errors import WEAR_ERRORS
from lineshaft.model.samples import Float64Array

GROWTHS: Final[tuple[Growth, ...]] = ("linear", "exponential")
_CUTS: Final = 8
_LEAST_TRIALS: Final = 5
_RISE: Final = 1.1
"""A trial counts when the index has grown by a tenth since its cut: otherwise there was nothing to foretell."""


def picked_life(
    times: Float64Array,
    index: Float64Array,
    limit: float,
    *,
    window: int = 60,
    unit: str = "an hour",
    errors: Errors = WEAR_ERRORS,
) -> RemainingLife:
    """First passage of the index over the limit, in the unit of `times` (ascending), by the better of two models.

    Each model is tried on the past: cut off at eight places, it foretells when the index reaches the level that it has
    now; the truth is known. The model with the smaller median error (of the logarithm of the ratio) speaks; while fewer
    than five trials could be made of either it is too early to say. P10 and P90 lie where the truth lay on other
    machines at the same stage (`errors`), and move with what was missed on this one (see `calibration.calibrated`).
    `window`: values that a model sees; `unit`: of `times`, for the words.
    """
    known = np.isfinite(index) & (index > 0)
    t, x = times[known], index[known]
    trials = {growth: tried(t, x, growth, window) for growth in GROWTHS}
    enough = {growth: found for growth, found in trials.items() if len(found) >= _LEAST_TRIALS}
    if not enough:
        return too_early("growth", "no model could be tried on what the index has done so far")
    best: Growth = min(enough, key=lambda one: _error(enough[one]))
    life = growth_life(t, x, limit, best, window=window, unit=unit)
    if life.too_early:
        return life
    words = f"{life.words}; {best} growth foretold its past within {math.expm1(_error(enough[best])):.0%}"
    others = [f"{one} {math.expm1(_error(found)):.0%}" for one, found in enough.items() if one != best]
    words += f" ({', '.join(others)})" if others else ""
    progress = float(np.median(x[-5:])) / limit
    return calibrated(replace(life, words=words), best, progress, errors, enough[best])


def _error(trials: tuple[Trial, ...]) -> float:
    return float(np.median([abs(trial.error) for trial in trials]))


def tried(t: Float64Array, x: Float64Array, growth: Growth, window: int = 60) -> tuple[Trial, ...]:
    """Forecasts of when the index reaches its present level, from each cut that can be judged, in order of time."""
    n = len(t)
    if n < FEWEST + _CUTS:
        return ()
    level = float(np.median(x[-5:]))
    found = []
    for cut in np.unique(np.linspace(FEWEST, n - 5, _CUTS).astype(int)).tolist():
        then = float(np.median(x[max(0, cut - 5) : cut]))
        if level < _RISE * then:
            continue
        life = growth_life(t[:cut], x[:cut], level, growth, window=window)
        if not life.too_early and life.p50 > 0:
            ratio = min(max(float(t[-1] - t[cut - 1]) / life.p50, 0.05), 20.0)
            found.append(Trial(growth, then / level, math.log(life.p90 / life.p50), math.log(ratio)))
    return tuple(found)

"""What a detector looks at: signals within their operating regime, or one series with its own recent past."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lineshaft.analytics.health.regimes import fit_regimes
from lineshaft.model.samples import Float64Array


def within_regimes(rows: Float64Array, operating: Float64Array, training: int) -> Float64Array:
    """float64[n, p]: each signal by median and robust spread of its operating regime, learned on the first rows.

    NaN in a regime that the first `training` rows do not hold twenty times.
    """
    regimes = fit_regimes(operating[:training])
    which = regimes.of(operating, len(operating))
    result = np.full_like(rows, np.nan)
    for regime in range(len(regimes.centres)):
        known = rows[:training][which[:training] == regime]
        if len(known) < 20:
            continue
        centre = np.nanmedian(known, axis=0)
        spread = np.maximum(1.4826 * np.nanmedian(np.abs(known - centre), axis=0), 0.3 * np.nanstd(known, axis=0))
        here = which == regime
        result[here] = (rows[here] - centre) / np.where(spread > 1e-9 * np.maximum(1, np.abs(centre)), spread, np.inf)
    return result


def slow_mean(rows: Float64Array, window: int) -> Float64Array:
    """float64[n, p]: exponentially weighted mean of the past and the present over about `window` rows; gaps hold it."""
    part = 2 / (window + 1)
    found = np.empty_like(rows)
    state = rows[0].copy()
    for i, row in enumerate(rows):
        known = np.isfinite(row)
        state = np.where(np.isfinite(state), state, row)
        state = np.where(known, state + part * (row - state), state)
        found[i] = state
    return found


def with_past(rows: Float64Array, day: int, names: Sequence[str]) -> tuple[Float64Array, tuple[str, ...]]:
    """(float64[n, 3 p], names): each signal, its mean over a `day` (rows), and the logarithm of its swing in one.

    For series with a daily cycle: the mean over a day takes the cycle out, its swing tells a machine that stands.
    """
    mean = slow_mean(rows, day)
    swing = np.sqrt(np.maximum(slow_mean((rows - mean) ** 2, day), 0.0))
    least = 1e-3 * np.maximum(np.nanstd(rows, axis=0), 1e-12)
    labels = (*names, *(f"{name}, mean" for name in names), *(f"{name}, swing" for name in names))
    return np.hstack([rows, mean, np.log(np.maximum(swing, least))]), labels

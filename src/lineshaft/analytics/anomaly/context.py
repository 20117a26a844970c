"""What a detector looks at: signals within their operating regime, or one series with its own recent past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from lineshaft.analytics.health.regimes import Regimes, fit_regimes, no_regimes, regimes
from lineshaft.model.samples import Float64Array

FEWEST_OF_REGIME: Final = 20
"""Rows of a regime below which nothing is compared within it."""
_ENDLESS: Final = 1e300
"""Spread of a signal that never moved: it tells nothing."""


@dataclass(frozen=True, slots=True)
class RegimeScale:
    """Median and robust spread of each signal in each operating regime: float64[r, p], NaN where not learned."""

    regimes: Regimes
    centre: Float64Array
    spread: Float64Array

    def of(self, rows: Float64Array, operating: Float64Array | None) -> Float64Array:
        """float64[n, p]: the signals by median and spread of their regime; NaN in one that was not learned."""
        which = self.regimes.of(operating, len(rows))
        scaled: Float64Array = (rows - self.centre[which]) / self.spread[which]
        scaled[which < 0] = np.nan
        return scaled

    def document(self) -> dict[str, Any]:
        """The scale as plain values, for JSON."""
        return {"regimes": self.regimes.document(), "centre": plain(self.centre), "spread": plain(self.spread)}


def regime_scale(document: Mapping[str, Any]) -> RegimeScale:
    """A scale out of its document. Raises KeyError or ValueError for what is none."""
    arrays = [np.array(document[name], np.float64) for name in ("centre", "spread")]
    return RegimeScale(regimes(document["regimes"]), *arrays)


def fit_regime_scale(rows: Float64Array, operating: Float64Array | None) -> RegimeScale:
    """Learn from float64[n, p] signals and float64[n, q] operating values, or none. Raises ValueError without a row."""
    found = no_regimes() if operating is None else fit_regimes(operating)
    which = found.of(operating, len(rows))
    centre = np.full((len(found.centres), rows.shape[1]), np.nan)
    spread = centre.copy()
    for regime in range(len(centre)):
        known = rows[which == regime]
        if len(known) < FEWEST_OF_REGIME:
            continue
        middle = np.nanmedian(known, axis=0)
        width = np.maximum(1.4826 * np.nanmedian(np.abs(known - middle), axis=0), 0.3 * np.nanstd(known, axis=0))
        centre[regime] = middle
        spread[regime] = np.where(width > 1e-9 * np.maximum(1, np.abs(middle)), width, _ENDLESS)
    return RegimeScale(found, centre, spread)


def within_regimes(rows: Float64Array, operating: Float64Array, training: int) -> Float64Array:
    """float64[n, p]: each signal by median and robust spread of its operating regime, learned on the first rows.

    NaN in a regime that the first `training` rows do not hold twenty times.
    """
    return fit_regime_scale(rows[:training], operating[:training]).of(rows, operating)


def plain(values: Float64Array) -> list[list[float | None]]:
    """A table as plain values, None for NaN."""
    return [[None if np.isnan(x) else float(x) for x in row] for row in values]


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

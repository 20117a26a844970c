"""Learned model of normal: each signal foretold from the recent past of all; what comes otherwise is the anomaly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from lineshaft.analytics.anomaly.baseline import FEWEST_ROWS, Baseline, Scores, baseline, finite, fit_baseline, folds
from lineshaft.model.samples import Float64Array

LAGS: Final = (1, 2, 3, 6)
STRENGTHS: Final = (1e-1, 1e1, 1e2, 1e3, 1e4)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Ridge regression of each signal on the lags of all: weights float64[l p, p], and a baseline of its errors."""

    centre: Float64Array
    scale: Float64Array
    weights: Float64Array
    errors: Baseline

    def scores(self, rows: Float64Array) -> Scores:
        """Anomaly of each row of float64[n, p] in time order; NaN for the first rows and after gaps."""
        return self.errors.scores(self._errors(rows))

    def _errors(self, rows: Float64Array) -> Float64Array:
        z = (rows - self.centre) / self.scale
        errors: Float64Array = z - lagged(z) @ self.weights
        return errors

    def document(self) -> dict[str, Any]:
        """The model as plain values, for JSON."""
        arrays = {name: finite(getattr(self, name)) for name in ("centre", "scale", "weights")}
        return {**arrays, "errors": self.errors.document()}


def lagged(rows: Float64Array) -> Float64Array:
    """float64[n, l p]: the rows 1, 2, 3 and 6 places before; NaN where there are none."""
    parts = []
    for lag in LAGS:
        part = np.full_like(rows, np.nan)
        part[lag:] = rows[:-lag]
        parts.append(part)
    return np.hstack(parts)


def fit_forecast(rows: Float64Array, *, level: float = 0.995) -> Forecast:
    """Learn from float64[n, p] in time order; the strength of the ridge is what foretells stretches left out best.

    The limits come from the errors on those stretches. Raises ValueError for fewer than 30 rows without gaps.
    """
    centre = np.nanmedian(rows, axis=0)
    scale = np.nanstd(rows, axis=0)
    scale = np.where(scale > 1e-9 * np.maximum(1.0, np.abs(centre)), scale, np.inf)
    z = (rows - centre) / scale
    past = lagged(z)
    good = np.isfinite(past).all(axis=1) & np.isfinite(z).all(axis=1)
    x, y = np.clip(past[good], -10, 10), np.clip(z[good], -10, 10)
    if len(x) < FEWEST_ROWS:
        raise ValueError(f"{len(x)} rows without gaps; {FEWEST_ROWS} or more are needed to learn a forecast")
    left_out = {strength: _left_out(x, y, strength) for strength in STRENGTHS}
    best = min(STRENGTHS, key=lambda strength: float(np.mean(left_out[strength] ** 2)))
    return Forecast(centre, scale, _ridge(x, y, best), fit_baseline(left_out[best], level=level))


def _left_out(x: Float64Array, y: Float64Array, strength: float) -> Float64Array:
    errors = y.copy()
    for inside, outside in folds(len(x)):
        errors[outside] = y[outside] - x[outside] @ _ridge(x[inside], y[inside], strength)
    return errors


def forecast(document: dict[str, Any]) -> Forecast:
    """A model out of its document. Raises KeyError or ValueError for what is none."""
    arrays = {name: np.array(document[name], np.float64) for name in ("centre", "scale", "weights")}
    return Forecast(**arrays, errors=baseline(document["errors"]))


def _ridge(x: Float64Array, y: Float64Array, strength: float) -> Float64Array:
    return np.linalg.solve(x.T @ x + strength * np.eye(x.shape[1]), x.T @ y).astype(np.float64)

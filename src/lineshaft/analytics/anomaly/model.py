"""What is learned of one asset: its regimes, a robust baseline, a learned forecast, and the training distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from lineshaft.analytics.anomaly.baseline import FEWEST_ROWS, Baseline, baseline, fit_baseline
from lineshaft.analytics.anomaly.context import RegimeScale, fit_regime_scale, regime_scale
from lineshaft.analytics.anomaly.detect import Method
from lineshaft.analytics.anomaly.drift import Reference, fit_reference, reference
from lineshaft.analytics.anomaly.forecast import LAGS, Forecast, fit_forecast, forecast
from lineshaft.model.samples import Float64Array

PAST: Final = max(LAGS)
"""Windows before a window that its score needs."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Score of one window by each method, 1 is the limit, NaN where it cannot be judged; shares float64[p] of each."""

    baseline: float
    forecast: float
    baseline_shares: Float64Array
    forecast_shares: Float64Array

    def score(self, method: Method) -> float:
        """By this method."""
        return self.baseline if method == "baseline" else self.forecast

    def shares(self, method: Method) -> Float64Array:
        """By this method."""
        return self.baseline_shares if method == "baseline" else self.forecast_shares


@dataclass(frozen=True, slots=True)
class AssetModel:
    """A model of p features under q operating values; `reference` is of both."""

    scale: RegimeScale
    baseline: Baseline
    forecast: Forecast
    reference: Reference

    def score(self, rows: Float64Array, operating: Float64Array) -> Scored:
        """Score of the last of PAST + 1 windows, float64[7, p] and float64[7, q], in time order; NaN for a gap."""
        values = self.scale.of(rows, operating if operating.shape[1] else None)
        flat = self.baseline.scores(values[-1:])
        learned = self.forecast.scores(values)
        return Scored(float(flat.score[-1]), float(learned.score[-1]), flat.contribution[-1], learned.contribution[-1])

    def document(self) -> dict[str, Any]:
        """The model as plain values, for JSON."""
        parts = ("scale", "baseline", "forecast", "reference")
        return {name: getattr(self, name).document() for name in parts}


def fit_asset(rows: Float64Array, operating: Float64Array, *, level: float = 0.995, look: int = 1008) -> AssetModel:
    """Learn from float64[n, p] features and float64[n, q] operating values of windows in time order; NaN is a gap.

    level: part of normal windows below the limit. look: windows that the drift watch compares at once. Raises
    ValueError in words for too few windows or a feature that does not move.
    """
    q = operating.shape[1]
    whole = int((np.isfinite(rows).all(axis=1) & np.isfinite(operating).all(axis=1)).sum())
    if whole < FEWEST_ROWS:
        raise ValueError(f"{whole} windows in which every signal has a value; {FEWEST_ROWS} or more are needed")
    spread, middle = np.nanstd(rows, axis=0), np.abs(np.nanmean(rows, axis=0))
    still = np.flatnonzero(~(spread > 1e-9 * np.maximum(1.0, middle))).tolist()
    if still:
        raise ValueError(f"feature {', '.join(map(str, still))} does not move")
    scale = fit_regime_scale(rows, operating if q else None)
    values = scale.of(rows, operating if q else None)
    return AssetModel(
        scale,
        fit_baseline(values, level=level),
        fit_forecast(values, level=level),
        fit_reference(np.hstack([rows, operating]), look),
    )


def asset_model(document: Mapping[str, Any]) -> AssetModel:
    """A model out of its document. Raises KeyError or ValueError for what is none."""
    return AssetModel(
        regime_scale(document["scale"]),
        baseline(document["baseline"]),
        forecast(document["forecast"]),
        reference(document["reference"]),
    )

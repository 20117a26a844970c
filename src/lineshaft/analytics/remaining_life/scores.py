"""How good estimates of remaining life were: the published scores, and the coverage of intervals."""

from __future__ import annotations

import math

import numpy as np

from lineshaft.model.samples import Float64Array


def percent_errors(true: Float64Array, predicted: Float64Array) -> Float64Array:
    """Er = 100 (true - predicted) / true of the PHM 2012 challenge; negative when the end came earlier than said."""
    errors: Float64Array = 100.0 * (true - predicted) / true
    return errors


def phm2012_score(errors: Float64Array) -> float:
    """Mean of A over Er in %: exp(-ln 0.5 Er / 5) for Er <= 0 (late), exp(ln 0.5 Er / 20) above; 1 is perfect."""
    late = np.exp(-math.log(0.5) * np.minimum(errors, 0.0) / 5)
    early = np.exp(math.log(0.5) * np.maximum(errors, 0.0) / 20)
    return float(np.mean(np.where(errors <= 0, late, early)))


def root_mean_square(true: Float64Array, predicted: Float64Array) -> float:
    """Root of the mean squared difference."""
    return float(np.sqrt(np.mean((predicted - true) ** 2)))


def turbofan_score(true: Float64Array, predicted: Float64Array) -> float:
    """Sum over engines of exp(-d / 13) - 1 for d < 0, exp(d / 10) - 1 above, d = predicted - true (Saxena 2008)."""
    d = predicted - true
    return float(np.sum(np.where(d < 0, np.exp(-d / 13) - 1, np.exp(d / 10) - 1)))


def coverage(true: Float64Array, low: Float64Array, high: Float64Array) -> float:
    """Part of the true values within their intervals, ends included."""
    return float(np.mean((true >= low) & (true <= high)))


def conformal_quantile(residuals: Float64Array, level: float) -> float:
    """Quantile of held-out residuals with the correction for their number (Lei 2018): outwards by one in n + 1.

    residuals: float64[n] in any unit, level 0 to 1. Raises ValueError for none.
    """
    ordered = np.sort(residuals)
    n = len(ordered)
    if n == 0:
        raise ValueError("no residual to calibrate with")
    place = level * (n + 1) - 1 if level < 0.5 else level * (n + 1)
    index = math.floor(place) if level < 0.5 else math.ceil(place) - 1
    return float(ordered[min(max(index, 0), n - 1)])


def least_relative_error(residuals: Float64Array) -> float:
    """The shift s of log predictions with the least mean of |1 - exp(s - r)|, over residuals r = log(true / predicted).

    The median of the residuals, each with the weight exp(-r): being late by a factor costs more than being early by it.
    """
    ordered = np.sort(residuals)
    weights = np.cumsum(np.exp(-(ordered - ordered[0])))
    return float(ordered[int(np.searchsorted(weights, 0.5 * weights[-1]))])

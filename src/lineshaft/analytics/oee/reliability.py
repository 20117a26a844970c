"""Weibull reliability by failure mode, with confidence intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy

from lineshaft.model.samples import Float64Array


@dataclass(frozen=True, slots=True)
class Weibull:
    """Fitted life: shape (below 1 early failures, 1 by chance, above 1 wear), scale and mean in the unit of the lives.

    Each interval is (low, high) at the asked confidence.
    """

    failures: int
    censored: int
    shape: float
    scale: float
    mean: float
    shape_interval: tuple[float, float]
    scale_interval: tuple[float, float]
    confidence: float

    def survival(self, age: float) -> float:
        """Probability of a life longer than `age`."""
        return math.exp(-math.pow(age / self.scale, self.shape))

    def life(self, share: float) -> float:
        """The age by which `share` (0..1) has failed; 0.1 gives the B10 life."""
        return self.scale * math.pow(-math.log(1 - share), 1 / self.shape)


def fit_weibull(lives: Float64Array, censored: Float64Array, confidence: float = 0.95) -> Weibull | None:
    """Maximum likelihood of a two-parameter Weibull distribution; None with fewer than three failures.

    lives: float64[n] > 0, times from one failure to the next; censored: float64[m], running times that have not ended
    in a failure yet. Intervals are from the observed Fisher information on log(shape) and log(scale) (Meeker and
    Escobar, Statistical Methods for Reliability Data, chapter 8).
    """
    lives, censored = lives[lives > 0], censored[censored > 0]
    if len(lives) < 3 or np.ptp(lives) == 0:
        return None
    every = np.concatenate([lives, censored])
    unit = float(np.mean(lives))  # numbers near 1 are kinder to the search
    t, all_t = lives / unit, every / unit
    logs = np.log(t)

    def score(shape: float) -> float:
        powers = all_t**shape
        return float((powers * np.log(all_t)).sum() / powers.sum() - 1 / shape - logs.mean())

    high = 1.0
    while score(high) < 0 and high < 1e4:
        high *= 2
    shape = float(scipy.optimize.brentq(score, 1e-3, high))
    scale = float((all_t**shape).sum() / len(t)) ** (1 / shape)
    z = float(scipy.stats.norm.ppf(0.5 + confidence / 2))
    deviations = _deviations(t, all_t, shape, scale)
    shape_low, shape_high = (shape * math.exp(sign * z * deviations[0]) for sign in (-1, 1))
    scale_low, scale_high = (scale * unit * math.exp(sign * z * deviations[1]) for sign in (-1, 1))
    mean = scale * unit * float(scipy.special.gamma(1 + 1 / shape))
    return Weibull(
        len(lives), len(censored), shape, scale * unit, mean, (shape_low, shape_high), (scale_low, scale_high),
        confidence,
    )  # fmt: skip


def _deviations(t: Float64Array, every: Float64Array, shape: float, scale: float) -> tuple[float, float]:
    """Standard deviations of log(shape) and log(scale) from the observed information."""
    w = np.log(every / scale) * shape
    powers = np.exp(w)
    fails = len(t)
    v = np.log(t / scale) * shape
    # Second derivatives, in log(shape) and log(scale), of
    # sum over failures of (log shape - log t + v) - sum over all of exp(w).
    a = -v.sum() + (powers * (w + w**2)).sum()
    b = shape * (fails - (powers * (1 + w)).sum())
    c = shape**2 * powers.sum()
    covariance = np.linalg.inv(np.array([[a, b], [b, c]]))
    return math.sqrt(covariance[0, 0]), math.sqrt(covariance[1, 1])


def times_between(failures: Float64Array, end: float) -> tuple[Float64Array, Float64Array]:
    """(lives, censored) from the running hours at which a machine failed; the time since the last one is censored."""
    at = np.sort(failures)
    lives = np.diff(at, prepend=0.0)
    return lives[lives > 0], np.array([end - at[-1]] if len(at) else [end])

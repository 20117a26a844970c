"""Remaining life from ages at failure alone: the Weibull distribution, for when nothing else is known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy

from lineshaft.analytics.remaining_life.estimate import RemainingLife, too_early
from lineshaft.model.samples import Float64Array

FEWEST_FAILURES: Final = 3


@dataclass(frozen=True, slots=True)
class Weibull:
    """Shape (above 1: wears out) and scale (63 % have failed by then), in the unit of the ages."""

    shape: float
    scale: float

    def remaining(self, age: float, part: float) -> float:
        """Time in which `part` of the machines that have reached `age` fail."""
        hazard = math.pow(age / self.scale, self.shape)
        return max(0.0, self.scale * math.pow(hazard - math.log1p(-part), 1 / self.shape) - age)


def fit_weibull(failed: Float64Array, running: Float64Array | None = None) -> Weibull:
    """Maximum likelihood over ages at failure and ages of machines that still run (censored).

    Raises ValueError for fewer than three failures, or ages that are not above 0.
    """
    ages = failed if running is None else np.concatenate((failed, running))
    if len(failed) < FEWEST_FAILURES or not (ages > 0).all():
        raise ValueError(f"a Weibull fit needs {FEWEST_FAILURES} failures or more, at ages above 0")
    unit = float(np.max(ages))
    logs, mean = np.log(ages / unit), float(np.mean(np.log(failed / unit)))

    def slope(shape: float) -> float:
        powers = np.exp(shape * logs)
        return float(np.sum(powers * logs) / np.sum(powers)) - 1 / shape - mean

    shape = 50.0 if slope(50.0) < 0 else float(scipy.optimize.brentq(slope, 0.05, 50.0))
    scale = unit * float(np.sum(np.exp(shape * logs)) / len(failed)) ** (1 / shape)
    return Weibull(shape, scale)


def weibull_life(failed: Float64Array, running: Float64Array | None, age: float) -> RemainingLife:
    """Remaining life of a machine of `age` from the ages of its like; too early with fewer than three failures."""
    try:
        model = fit_weibull(failed, running)
    except ValueError as error:
        return too_early("weibull", str(error))
    low, middle, high = (model.remaining(age, part) for part in (0.1, 0.5, 0.9))
    words = f"{len(failed)} failures of like machines: Weibull with shape {model.shape:.2f}, scale {model.scale:.4g}"
    return RemainingLife(low, middle, high, "weibull", words)

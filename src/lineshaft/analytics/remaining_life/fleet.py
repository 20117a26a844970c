"""Remaining life from the lives of other machines: several models, the one with the least past error, calibrated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from lineshaft.analytics.remaining_life.degradation import growth_life
from lineshaft.analytics.remaining_life.estimate import RemainingLife, too_early
from lineshaft.analytics.remaining_life.scores import conformal_quantile, least_relative_error, percent_errors
from lineshaft.model.samples import Float64Array

CUTS: Final = tuple(float(x) for x in np.arange(0.5, 0.96, 0.05))
"""Parts of a life at which models are tried on lives that ended."""
FEWEST_LIVES: Final = 3


@dataclass(frozen=True, slots=True)
class Life:
    """The past of one machine: ages ascending, and its health index at each (float64[n]); the end is the last age."""

    age: Float64Array
    index: Float64Array

    @property
    def end(self) -> float:
        """Age at the end."""
        return float(self.age[-1])

    def until(self, age: float) -> Life:
        """What was known at an age."""
        seen = self.age <= age
        return Life(self.age[seen], self.index[seen])


Predict = Callable[[Life], float]
"""Past of a machine -> logarithm of the remaining life."""
Fit = Callable[[Sequence[Life], Sequence[float]], Predict]


@dataclass(frozen=True, slots=True)
class FleetModel:
    """The chosen model with its calibration.

    method     name    error  mean |Er| in % on lives that were left out
    residuals  float64[m], logarithms of true by predicted, from lives that were left out
    errors     mean |Er| in % of every model that was tried
    """

    method: str
    error: float
    residuals: Float64Array
    errors: dict[str, float]
    predict: Predict

    def remaining(self, past: Life) -> RemainingLife:
        """Remaining life of a machine with this past, in the unit of its ages."""
        centre = self.predict(past)
        offsets = (
            conformal_quantile(self.residuals, 0.1),
            float(np.median(self.residuals)),
            conformal_quantile(self.residuals, 0.9),
            least_relative_error(self.residuals),
        )
        low, middle, high, point = (float(np.exp(centre + offset)) for offset in offsets)
        words = f"{self.method}: mean error {self.error:.0f} % on machines that it had not seen"
        return RemainingLife(low, middle, high, self.method, words, point)


def fit_fleet(lives: Sequence[Life], *, cuts: Sequence[float] = CUTS, limit: float = 1.0) -> FleetModel:
    """Try every model on lives that it was not fitted on; keep the simplest that none is clearly better than.

    Clearly: the mean |Er| over the lives is less by more than twice the standard error of the paired difference; with a
    few lives a richer model is better by luck alone most of the time.
    cuts: parts of the lives at which a prediction is made. limit: index at failure, for the growth model. Intervals are
    conformal: their quantiles come from the errors on lives that were left out, so they are as wide as the model was
    wrong. Raises ValueError for fewer than three lives.
    """
    if len(lives) < FEWEST_LIVES:
        raise ValueError(f"a fleet has {FEWEST_LIVES} lives that ended or more")
    fits = _models(limit)
    residuals = {name: _left_out(lives, cuts, fit) for name, fit in fits.items()}
    by_life = {name: _errors(values) for name, values in residuals.items()}
    errors = {name: float(np.mean(values)) for name, values in by_life.items()}
    best, *others = fits
    for name in others:
        gain = by_life[best] - by_life[name]
        if float(np.mean(gain)) > 2 * float(np.std(gain, ddof=1)) / np.sqrt(len(lives)):
            best = name
    values = np.concatenate(residuals[best])
    return FleetModel(best, errors[best], values, errors, fits[best](lives, cuts))


def fleet_life(lives: Sequence[Life], past: Life, *, limit: float = 1.0) -> RemainingLife:
    """Remaining life by the fleet; too early when it has fewer than three lives that ended."""
    try:
        return fit_fleet(lives, limit=limit).remaining(past)
    except ValueError as error:
        return too_early("fleet", str(error))


def _left_out(lives: Sequence[Life], cuts: Sequence[float], fit: Fit) -> list[Float64Array]:
    """Logarithms of true by predicted, one array per life, each from a model without that life."""
    found = []
    for i, life in enumerate(lives):
        predict = fit([other for j, other in enumerate(lives) if j != i], cuts)
        found.append(np.array([np.log(life.end * (1 - c)) - predict(life.until(c * life.end)) for c in cuts]))
    return found


def _errors(residuals: Sequence[Float64Array]) -> Float64Array:
    """Mean |Er| in % of each life; what one life is shifted by comes from the residuals of the others."""
    errors = []
    for i, own in enumerate(residuals):
        shift = least_relative_error(np.concatenate([r for j, r in enumerate(residuals) if j != i]))
        errors.append(float(np.mean(np.abs(percent_errors(np.ones(len(own)), np.exp(shift - own))))))
    return np.array(errors)


def _models(limit: float) -> dict[str, Fit]:
    """Name -> model, the simplest first.

    The first one knows no scale of life at all: what is left is the part of the age that it was for the others.
    """
    return {
        "part of the age": lambda lives, cuts: lambda past: float(np.log(max(past.end, 1e-9))),
        "age": lambda lives, cuts: _regression(lives, cuts, _age),
        "growth": lambda lives, cuts: _growth(lives, cuts, limit),
        "age and index": lambda lives, cuts: _regression(lives, cuts, _age_and_index),
        "similar lives": _similarity,
    }


def _age(past: Life) -> Float64Array:
    return np.array([np.log(max(past.end, 1e-9))])


def _age_and_index(past: Life) -> Float64Array:
    known = past.index[np.isfinite(past.index)]
    recent = float(np.median(known[-5:])) if len(known) else 0.0
    before = float(np.median(known[-max(10, len(known) // 5) :][:5])) if len(known) else 0.0
    return np.array([np.log(max(past.end, 1e-9)), np.log1p(max(recent, 0.0)), recent - before])


def _regression(lives: Sequence[Life], cuts: Sequence[float], features: Callable[[Life], Float64Array]) -> Predict:
    """Ridge regression of the logarithm of the remaining life; features centred and scaled, so that a few lives do."""
    rows = [(features(life.until(c * life.end)), np.log(life.end * (1 - c))) for life in lives for c in cuts]
    x, y = np.array([row for row, _ in rows]), np.array([target for _, target in rows])
    centre, scale = np.mean(x, axis=0), np.std(x, axis=0) + 1e-9
    z = (x - centre) / scale
    strength = 0.1 * len(y)
    weight = np.linalg.solve(z.T @ z + strength * np.eye(z.shape[1]), z.T @ (y - np.mean(y)))
    middle = float(np.mean(y))
    return lambda past: middle + float(np.clip((features(past) - centre) / scale, -3, 3) @ weight)


def _similarity(lives: Sequence[Life], cuts: Sequence[float]) -> Predict:
    """Remaining life of the places in other lives whose recent index and age are most alike (a kernel of distances)."""
    places = [(_age_and_index(life.until(c * life.end)), np.log(life.end * (1 - c))) for life in lives for c in cuts]
    x, y = np.array([row for row, _ in places]), np.array([target for _, target in places])
    scale = np.std(x, axis=0) + 1e-9

    def predict(past: Life) -> float:
        distance = np.linalg.norm((_age_and_index(past) - x) / scale, axis=1)
        weights = np.exp(-0.5 * (distance / max(0.5, float(np.min(distance)))) ** 2)
        return float(np.sum(weights * y) / np.sum(weights))

    return predict


def _growth(lives: Sequence[Life], cuts: Sequence[float], limit: float) -> Predict:
    """The machine's own growth where it grows, the age otherwise."""
    by_age = _regression(lives, cuts, _age)

    def predict(past: Life) -> float:
        found = growth_life(past.age, past.index, limit, "exponential")
        if found.too_early or found.p50 <= 0:
            return by_age(past)
        return float(np.log(found.p50))

    return predict

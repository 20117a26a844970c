"""Remaining life of a fleet by regression on run-to-failure histories, with intervals from machines left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lineshaft.analytics.health.regimes import Regimes, fit_regimes, no_regimes
from lineshaft.analytics.remaining_life.estimate import RemainingLife, too_early
from lineshaft.analytics.remaining_life.scores import conformal_quantile, root_mean_square
from lineshaft.analytics.remaining_life.trees import TreeEnsemble, of_gradient_boosting, tree_ensemble
from lineshaft.analytics.remaining_life.windows import window_features
from lineshaft.model.samples import Float64Array

FORMAT: Final = 1
FEWEST_CYCLES: Final = 5
FOLDS: Final = 4
BINS: Final = 5


@dataclass(frozen=True, slots=True)
class History:
    """One machine: signals float64[n, p] and operating values float64[n, q], a row per cycle from its first one on."""

    name: str
    signals: Float64Array
    operating: Float64Array


@dataclass(frozen=True, slots=True)
class LearnedModel:
    """What was learned, in cycles.

    signals, operating  names of the columns    regimes, centre, scale  normalise per regime, float64[r, p]
    cap        remaining life above which the past shows no wear; predictions stop there
    bins       float64[b], upper ends of the predictions
    low, high  float64[b], P10 and P90 of true minus predicted there
    record     what it was learned from and how wrong it was on machines left out
    """

    signals: tuple[str, ...]
    operating: tuple[str, ...]
    regimes: Regimes
    centre: Float64Array
    scale: Float64Array
    trees: TreeEnsemble
    cap: float
    bins: Float64Array
    low: Float64Array
    high: Float64Array
    record: dict[str, Any] = field(default_factory=dict)

    def predict(self, history: History) -> Float64Array:
        """float64[n]: remaining cycles at each cycle of a history."""
        rows = window_features(_normalised(history, self.regimes, self.centre, self.scale))
        return np.clip(self.trees.predict(rows), 0.0, self.cap)

    def remaining(self, history: History) -> RemainingLife:
        """Remaining cycles after the last cycle of a history; too early for fewer than five cycles."""
        if len(history.signals) < FEWEST_CYCLES:
            return too_early("learned", f"{len(history.signals)} cycles; {FEWEST_CYCLES} or more are needed")
        point = float(self.predict(history)[-1])
        at = min(int(np.searchsorted(self.bins, point)), len(self.bins) - 1)
        low, high = max(0.0, point + float(self.low[at])), max(0.0, point + float(self.high[at]))
        words = f"root mean square error {self.record.get('error', float('nan')):.1f} cycles on machines left out"
        if point >= 0.95 * self.cap:
            words = f"no wear to be seen yet: at least about {self.cap:.0f} cycles; {words}"
        return RemainingLife(min(low, point), point, max(high, point), "learned", words, point)


Regressor = Callable[[Float64Array, Float64Array], TreeEnsemble]


def fit_learned(
    histories: Sequence[History],
    signals: Sequence[str],
    operating: Sequence[str],
    *,
    cap: float = 125.0,
    regressor: Regressor | None = None,
) -> LearnedModel:
    """Learn from histories that end in failure, at least eight. cap: see `LearnedModel`.

    Signals are put on one scale per operating regime, then gradient-boosted trees see windows of the past. The error
    and the intervals come from four folds of whole machines. Needs scikit-learn. Raises ValueError.
    """
    if len(histories) < 2 * FOLDS:
        raise ValueError(f"{len(histories)} histories that ended; {2 * FOLDS} or more are needed")
    grow = gradient_boosting if regressor is None else regressor
    regimes, centre, scale = _scales(histories)
    rows = [window_features(_normalised(one, regimes, centre, scale)) for one in histories]
    targets = [np.minimum(np.arange(len(one.signals))[::-1], cap).astype(np.float64) for one in histories]
    left_out = _left_out(rows, targets, grow)
    predicted, true = np.clip(np.concatenate(left_out), 0, cap), np.concatenate(targets)
    bins, low, high = _intervals(predicted, true, cap)
    return LearnedModel(
        tuple(signals),
        tuple(operating),
        regimes,
        centre,
        scale,
        grow(np.vstack(rows), true),
        cap,
        bins,
        low,
        high,
        {
            "machines": len(histories),
            "cycles": len(true),
            "shortest": min(len(one.signals) for one in histories),
            "longest": max(len(one.signals) for one in histories),
            "error": root_mean_square(true, predicted),
            "folds": FOLDS,
        },
    )


def gradient_boosting(rows: Float64Array, target: Float64Array) -> TreeEnsemble:
    """Trees of scikit-learn's histogram gradient boosting; the same for the same rows."""
    from sklearn.ensemble import HistGradientBoostingRegressor  # the one place that needs it: a gateway has none
    from threadpoolctl import threadpool_limits

    model = HistGradientBoostingRegressor(
        max_iter=250,
        learning_rate=0.04,
        max_leaf_nodes=15,
        min_samples_leaf=60,
        l2_regularization=5.0,
        max_features=0.3,
        early_stopping=False,
        random_state=0,
    )
    with threadpool_limits(1, user_api="openmp"):  # threads that wait for each other beside other work take hours
        return of_gradient_boosting(model.fit(rows, target))


def model_arrays(model: LearnedModel) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """(document of plain values, arrays by name): what a file keeps of a model."""
    document = {
        "format": FORMAT,
        "kind": "remaining-life",
        "signals": list(model.signals),
        "operating": list(model.operating),
        "reach": None if np.isinf(model.regimes.reach) else model.regimes.reach,
        "cap": model.cap,
        "base": model.trees.base,
        "record": model.record,
    }
    arrays = {
        "regime_centres": model.regimes.centres,
        "regime_scale": model.regimes.scale,
        "centre": model.centre,
        "scale": model.scale,
        "bins": model.bins,
        "low": model.low,
        "high": model.high,
        **{f"tree_{name}": array for name, array in model.trees.arrays().items()},
    }
    return document, arrays


def learned_model(document: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> LearnedModel:
    """The model out of a file. Raises ValueError for a file of another kind or format."""
    if document.get("kind") != "remaining-life" or document.get("format") != FORMAT:
        raise ValueError("this is no model of remaining life of this version")
    reach = document["reach"]
    trees = {name.removeprefix("tree_"): array for name, array in arrays.items() if name.startswith("tree_")}
    return LearnedModel(
        tuple(document["signals"]),
        tuple(document["operating"]),
        Regimes(arrays["regime_centres"], arrays["regime_scale"], np.inf if reach is None else float(reach)),
        arrays["centre"],
        arrays["scale"],
        tree_ensemble(float(document["base"]), trees),
        float(document["cap"]),
        arrays["bins"],
        arrays["low"],
        arrays["high"],
        dict(document["record"]),
    )


def _scales(histories: Sequence[History]) -> tuple[Regimes, Float64Array, Float64Array]:
    operating = np.vstack([one.operating for one in histories])
    signals = np.vstack([one.signals for one in histories])
    regimes = fit_regimes(operating) if operating.shape[1] else no_regimes()
    which = _nearest(regimes, operating)
    centre = np.zeros((len(regimes.centres), signals.shape[1]))
    scale = np.ones_like(centre)
    for regime in range(len(centre)):
        part = signals[which == regime]
        if len(part) > 1:
            centre[regime] = np.nanmean(part, axis=0)
            spread = np.nanstd(part, axis=0)
            scale[regime] = np.where(spread > 1e-9 * np.maximum(1.0, np.abs(centre[regime])), spread, np.inf)
    return regimes, centre, scale


def _normalised(history: History, regimes: Regimes, centre: Float64Array, scale: Float64Array) -> Float64Array:
    which = _nearest(regimes, history.operating)
    rows: Float64Array = (history.signals - centre[which]) / scale[which]
    return np.where(np.isfinite(rows), rows, 0.0)


def _nearest(regimes: Regimes, operating: Float64Array) -> NDArray[np.int64]:
    """The nearest regime, however far: a fleet model has to say something at each cycle."""
    return Regimes(regimes.centres, regimes.scale, np.inf).of(operating, len(operating))


def _left_out(rows: Sequence[Float64Array], targets: Sequence[Float64Array], grow: Regressor) -> list[Float64Array]:
    found: list[Float64Array] = [np.zeros(0)] * len(rows)
    for fold in range(FOLDS):
        inside = [i for i in range(len(rows)) if i % FOLDS != fold]
        trees = grow(np.vstack([rows[i] for i in inside]), np.concatenate([targets[i] for i in inside]))
        for i in range(fold, len(rows), FOLDS):
            found[i] = trees.predict(rows[i])
    return found


def _intervals(
    predicted: Float64Array, true: Float64Array, cap: float
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Quantiles of the errors among predictions of about the same height; of all where there are few."""
    ends = np.linspace(0, cap, BINS + 1)[1:]
    which = np.minimum(np.searchsorted(ends, predicted), BINS - 1)
    errors = true - predicted
    parts = [errors[which == k] if np.count_nonzero(which == k) >= 50 else errors for k in range(BINS)]
    low = np.array([conformal_quantile(part, 0.1) for part in parts])
    high = np.array([conformal_quantile(part, 0.9) for part in parts])
    return ends, low, high

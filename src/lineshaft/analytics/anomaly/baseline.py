"""Robust multivariate baseline: principal components with Hotelling's T2 and the squared prediction error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lineshaft.model.samples import Float64Array

FEWEST_ROWS: Final = 30
KEPT: Final = 0.9
"""Part of the variance that the components carry."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Anomaly of each row: 1 is the limit that healthy rows hardly pass.

    score         float64[n]; NaN for a row with a gap
    contribution  float64[n, p], share of each signal, rows add up to 1
    """

    score: Float64Array
    contribution: Float64Array


@dataclass(frozen=True, slots=True)
class Baseline:
    """Median and robust spread float64[p], loadings float64[p, k], spread of the components float64[k], both limits."""

    centre: Float64Array
    scale: Float64Array
    loadings: Float64Array
    spread: Float64Array
    t2_limit: float
    spe_limit: float

    def scores(self, rows: Float64Array) -> Scores:
        """The greater of T2 and SPE by its limit, square root taken so that it grows like a deviation."""
        z = (rows - self.centre) / self.scale
        t2, spe = _statistics(z, self.loadings, self.spread)
        score = np.sqrt(np.maximum(t2 / self.t2_limit, spe / self.spe_limit))
        inside = z @ self.loadings
        by_t2 = np.maximum(0.0, z * ((inside / self.spread**2) @ self.loadings.T)) / self.t2_limit
        by_spe = (z - inside @ self.loadings.T) ** 2 / self.spe_limit
        share = np.where((t2 / self.t2_limit > spe / self.spe_limit)[:, None], by_t2, by_spe)
        total = np.sum(share, axis=1, keepdims=True)
        return Scores(score, np.divide(share, total, out=np.zeros_like(share), where=total > 0))

    def document(self) -> dict[str, Any]:
        """The model as plain values, for JSON."""
        arrays = {name: finite(getattr(self, name)) for name in ("centre", "scale", "loadings", "spread")}
        return {**arrays, "t2_limit": self.t2_limit, "spe_limit": self.spe_limit}


def fit_baseline(rows: Float64Array, *, level: float = 0.995, kept: float = KEPT) -> Baseline:
    """Learn normal from float64[n, p]; rows with a gap are left out.

    Median and median absolute deviation scale the signals; rows far out (a Mahalanobis distance beyond four times the
    median one) are left out before the components are taken, so that faults in the training time do little harm. The
    limits of T2 and SPE (MacGregor 1995) are quantiles at `level` over rows of a fifth of the time, each by components
    of the other four fifths: limits of the rows that the components were taken from would be too narrow. Raises
    ValueError for fewer than 30 rows.
    """
    known = rows[np.isfinite(rows).all(axis=1)]
    if len(known) < FEWEST_ROWS:
        raise ValueError(f"{len(known)} rows without gaps; {FEWEST_ROWS} or more are needed to learn what is normal")
    centre = np.median(known, axis=0)
    spread = 1.4826 * np.median(np.abs(known - centre), axis=0)
    deviation = np.std(known, axis=0)
    scale = np.where(spread > 1e-3 * deviation, spread, deviation)
    scale = np.where(scale > 1e-9 * np.maximum(1.0, np.abs(centre)), scale, np.inf)
    z = (known - centre) / scale
    size = np.linalg.norm(z, axis=1)
    calm = z[size <= 4 * np.median(size)] if np.median(size) > 0 else z
    t2, spe = [], []
    for inside, outside in folds(len(calm)):
        found = _statistics(calm[outside], *_components(calm[inside], kept))
        t2.append(found[0])
        spe.append(found[1])
    limits = [max(float(np.quantile(np.concatenate(values), level)), 1e-9) for values in (t2, spe)]
    return Baseline(centre, scale, *_components(calm, kept), t2_limit=limits[0], spe_limit=limits[1])


def finite(values: Float64Array) -> Any:
    """Plain values for JSON, which knows no infinity: the scale of what never moves is very great."""
    return np.minimum(values, 1e300).tolist()


def folds(n: int, count: int = 5) -> list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """(inside, outside) of stretches of time: each row is outside once, and its neighbours with it."""
    which = np.arange(n) * count // n
    return [(which != k, which == k) for k in range(count)]


def baseline(document: dict[str, Any]) -> Baseline:
    """A model out of its document. Raises KeyError or ValueError for what is none."""
    arrays = {name: np.array(document[name], np.float64) for name in ("centre", "scale", "loadings", "spread")}
    return Baseline(**arrays, t2_limit=float(document["t2_limit"]), spe_limit=float(document["spe_limit"]))


def _components(z: Float64Array, kept: float) -> tuple[Float64Array, Float64Array]:
    values, vectors = np.linalg.eigh(np.cov(z, rowvar=False).reshape(z.shape[1], z.shape[1]))
    order = np.argsort(values)[::-1]
    values, vectors = np.maximum(values[order], 0.0), vectors[:, order]
    total = float(np.sum(values))
    count = 1 if total <= 0 else int(np.searchsorted(np.cumsum(values) / total, kept)) + 1
    return vectors[:, :count], np.sqrt(np.maximum(values[:count], 1e-12))


def _statistics(z: Float64Array, loadings: Float64Array, spread: Float64Array) -> tuple[Float64Array, Float64Array]:
    inside = z @ loadings
    t2: Float64Array = np.sum((inside / spread) ** 2, axis=1)
    spe: Float64Array = np.sum((z - inside @ loadings.T) ** 2, axis=1)
    return t2, spe

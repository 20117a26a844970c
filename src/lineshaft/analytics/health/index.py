"""Health index: how far the features of a machine are from its own healthy period, under the same operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from lineshaft.analytics.health.regimes import Regimes, fit_regimes, no_regimes, regimes
from lineshaft.model.samples import Float64Array

FEWEST_ROWS: Final = 20
"""Healthy rows of a regime below which it is not judged."""
LEAST_SCALE: Final = 0.02
"""A feature is not believed to be steadier than 2 % (in logarithms) or 2 % of its median."""
MOST: Final = 100.0
"""Deviations are cut here, so that one wild feature leaves room for the others."""


@dataclass(frozen=True, slots=True)
class HealthModel:
    """What healthy looks like.

    names      p features            logarithmic  bool of each: compared as ratios (amplitudes) or as differences
    centre     float64[r, p], median per regime
    scale      float64[r, p], robust standard deviation; NaN where not learned
    weight     float64[p], how much each feature counts
    rows       healthy rows it was learned from
    """

    names: tuple[str, ...]
    logarithmic: tuple[bool, ...]
    regimes: Regimes
    centre: Float64Array
    scale: Float64Array
    weight: Float64Array
    rows: int

    def document(self) -> dict[str, Any]:
        """The model as plain values, for JSON."""
        return {
            "names": list(self.names),
            "logarithmic": list(self.logarithmic),
            "regimes": self.regimes.document(),
            "centre": _plain(self.centre),
            "scale": _plain(self.scale),
            "weight": self.weight.tolist(),
            "rows": self.rows,
        }


@dataclass(frozen=True, slots=True)
class HealthTrace:
    """The index over time.

    index         float64[n]: 0 as healthy, 1 one usual deviation of all features upwards; NaN where nothing is known
    smooth        float64[n]: running median of the past, which a transient does not move
    deviation     float64[n, p] in robust standard deviations
    contribution  float64[n, p]: share of each feature in the index, rows add up to 1 (0 where nothing contributes)
    """

    index: Float64Array
    smooth: Float64Array
    deviation: Float64Array
    contribution: Float64Array


def health_model(document: dict[str, Any]) -> HealthModel:
    """A model out of its document. Raises KeyError or ValueError for what is none."""
    return HealthModel(
        tuple(document["names"]),
        tuple(bool(x) for x in document["logarithmic"]),
        regimes(document["regimes"]),
        np.array(document["centre"], np.float64),
        np.array(document["scale"], np.float64),
        np.array(document["weight"], np.float64),
        int(document["rows"]),
    )


def fit_health(
    features: Float64Array,
    names: Sequence[str],
    *,
    operating: Float64Array | None = None,
    logarithmic: Sequence[bool] | None = None,
    weight: Sequence[float] | None = None,
) -> HealthModel:
    """Learn the healthy period: float64[n, p] features, float64[n, q] operating values (speed, load ...) or none.

    Median and median absolute deviation per regime, so that transients in the healthy period do no harm. logarithmic:
    amplitudes are compared as ratios; those features whose healthy values are all above 0, when absent. Rows with a gap
    are left out. Raises ValueError for fewer than 20 healthy rows.
    """
    p = features.shape[1]
    good = np.isfinite(features).all(axis=1)
    if np.count_nonzero(good) < FEWEST_ROWS:
        raise ValueError(f"a healthy period has {FEWEST_ROWS} rows without gaps or more, not {np.count_nonzero(good)}")
    logs = tuple(bool((features[good, j] > 0).all()) for j in range(p)) if logarithmic is None else tuple(logarithmic)
    rows = _compared(features, logs)
    found = no_regimes() if operating is None else fit_regimes(operating[good])
    which = found.of(operating, len(features))
    centre = np.full((len(found.centres), p), np.nan)
    scale = centre.copy()
    for regime in range(len(centre)):
        part = rows[good & (which == regime)]
        if len(part) < FEWEST_ROWS:
            continue
        centre[regime] = np.median(part, axis=0)
        spread = 1.4826 * np.median(np.abs(part - centre[regime]), axis=0)
        least = np.where(logs, LEAST_SCALE, LEAST_SCALE * np.abs(centre[regime]))
        scale[regime] = np.maximum(np.maximum(spread, least), 1e-12)
    counts = np.ones(p) if weight is None else np.asarray(weight, np.float64)
    return HealthModel(tuple(names), logs, found, centre, scale, counts, int(np.count_nonzero(good)))


def health_trace(
    model: HealthModel,
    features: Float64Array,
    *,
    operating: Float64Array | None = None,
    trusted: np.ndarray[Any, np.dtype[np.bool_]] | None = None,
    window: int = 9,
) -> HealthTrace:
    """The index of float64[n, p] features. trusted: bool[n], False where the sensor is faulty: not judged there.

    index = sqrt(sum w d^2 / sum w) over the deviations d upwards: wear makes these features grow. A row in an unknown
    regime, or with a gap, has no index. window: rows of the running median.
    """
    which = model.regimes.of(operating, len(features))
    rows = _compared(features, model.logarithmic)
    deviation = np.clip((rows - model.centre[which]) / model.scale[which], -MOST, MOST)
    unknown = which < 0
    if trusted is not None:
        unknown |= ~trusted
    deviation[unknown] = np.nan
    power = model.weight * np.maximum(deviation, 0.0) ** 2
    total = np.sum(power, axis=1)
    index = np.sqrt(total / np.sum(model.weight))
    share = np.divide(power, total[:, None], out=np.zeros_like(power), where=total[:, None] > 0)
    return HealthTrace(index, running_median(index, window), deviation, share)


def running_median(values: Float64Array, window: int) -> Float64Array:
    """float64[n]: median of the last `window` known values at each place; NaN until a third of them are known."""
    padded = np.concatenate((np.full(window - 1, np.nan), values))
    views = np.lib.stride_tricks.sliding_window_view(padded, window)
    known = np.isfinite(views).sum(axis=1)
    result = np.full(len(values), np.nan)
    enough = known >= max(1, window // 3)
    result[enough] = np.nanmedian(views[enough], axis=1)
    return result


def _compared(features: Float64Array, logs: Sequence[bool]) -> Float64Array:
    logarithm = np.log(np.where(features > 0, features, np.nan))
    return np.where(np.asarray(logs, np.bool_), logarithm, features)


def _plain(values: Float64Array) -> list[list[float | None]]:
    return [[None if np.isnan(x) else float(x) for x in row] for row in values]

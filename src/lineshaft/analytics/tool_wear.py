"""Whether a cutting tool is worn, judged on a whole run by the drive signals while it cuts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lineshaft.model.samples import Float64Array

FEWEST_RUNS: Final = 3
"""Runs with a new and with a worn tool that are needed, each."""
STRENGTHS: Final = (0.3, 1.0, 3.0, 10.0)


@dataclass(frozen=True, slots=True)
class WearModel:
    """Ridge discriminant on run features float64[p] after the part that follows from the feed is taken out.

    by_feed  float64[2, p], intercept and slope over the logarithm of the feed    scale  float64[p]
    weights  float64[p]    offset  added to their sum
    """

    by_feed: Float64Array
    scale: Float64Array
    weights: Float64Array
    offset: float

    def score(self, features: Float64Array, feed: Float64Array) -> Float64Array:
        """float64[n]: above 0 worn, below 0 unworn, +-1 where the runs stood that it was learned from."""
        z = (features - _line(feed) @ self.by_feed) / self.scale
        found: Float64Array = z @ self.weights + self.offset
        return found


def run_features(signals: Float64Array, cutting: NDArray[np.bool_]) -> Float64Array:
    """float64[2 p] of float64[n, p] drive signals: logarithms of the mean size and of the spread while cutting.

    Raises ValueError for fewer than ten rows of cutting.
    """
    rows = signals[cutting]
    if len(rows) < 10:
        raise ValueError(f"{len(rows)} rows of cutting; ten or more are needed to judge a run")
    size, spread = np.mean(np.abs(rows), axis=0), np.std(rows, axis=0)
    return np.log(np.concatenate((size, spread)) + 1e-6)


def fit_wear(features: Float64Array, feed: Float64Array, worn: NDArray[np.bool_]) -> WearModel:
    """Learn from n runs: features float64[n, p], feed float64[n] (mm/min or in/min), worn bool[n].

    The strength of the ridge is chosen on runs left out. Raises ValueError for fewer than three runs of a kind.
    """
    if min(np.count_nonzero(worn), np.count_nonzero(~worn)) < FEWEST_RUNS:
        raise ValueError(f"{FEWEST_RUNS} runs with a worn and as many with a new tool are needed")
    wrong = []
    for strength in STRENGTHS:
        missed = 0.0
        for i in range(len(worn)):
            rest = np.arange(len(worn)) != i
            score = float(_fit(features[rest], feed[rest], worn[rest], strength).score(features[[i]], feed[[i]])[0])
            missed += max(0.0, 1 - (score if worn[i] else -score))
        wrong.append(missed)
    return _fit(features, feed, worn, STRENGTHS[int(np.argmin(wrong))])


def _fit(features: Float64Array, feed: Float64Array, worn: NDArray[np.bool_], strength: float) -> WearModel:
    line = _line(feed)
    by_feed = np.linalg.solve(line.T @ line + 1e-6 * np.eye(2), line.T @ features).astype(np.float64)
    rest = features - line @ by_feed
    scale: Float64Array = np.maximum(np.std(rest, axis=0), 1e-6)
    z = rest / scale
    target = np.where(worn, 1.0, -1.0)
    share = np.where(worn, 0.5 / np.mean(worn), 0.5 / np.mean(~worn))
    centre = np.average(z, axis=0, weights=share)
    zc = (z - centre) * np.sqrt(share)[:, None]
    gram = zc @ zc.T + strength * z.shape[1] * np.eye(len(z))
    weights: Float64Array = zc.T @ np.linalg.solve(gram, target * np.sqrt(share))
    return WearModel(by_feed, scale, weights, -float(centre @ weights))


def _line(feed: Float64Array) -> Float64Array:
    return np.column_stack((np.ones(len(feed)), np.log(np.maximum(feed, 1e-6))))

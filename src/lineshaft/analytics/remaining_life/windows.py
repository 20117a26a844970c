"""Features of the recent past of a machine: means, slopes and drifts of its signals over windows of cycles."""

from __future__ import annotations

from typing import Final

import numpy as np

from lineshaft.model.samples import Float64Array

MEANS: Final = (5, 20, 40)
SLOPE: Final = 30
FIRST: Final = 10


def window_features(values: Float64Array) -> Float64Array:
    """float64[n, 5 p + 1] of float64[n, p] signals, one row per cycle: at each cycle, from what is past only.

    Means over the last 5, 20 and 40 cycles, slope over the last 30 (0 before 10), drift of the mean of 20 since the
    first 10 cycles, and the number of cycles.
    """
    n, p = values.shape
    now = np.arange(n)
    total = np.vstack([np.zeros(p), np.cumsum(values, axis=0)])
    moment = np.vstack([np.zeros(p), np.cumsum(values * now[:, None], axis=0)])

    def mean(window: int) -> Float64Array:
        begin = np.maximum(0, now + 1 - window)
        found: Float64Array = (total[now + 1] - total[begin]) / (now + 1 - begin)[:, None]
        return found

    means = [mean(window) for window in MEANS]
    begin = np.maximum(0, now + 1 - SLOPE)
    count = (now + 1 - begin).astype(np.float64)
    spread = np.maximum(count * (count**2 - 1) / 12, 1.0)
    middle = (begin + now) / 2
    along = (moment[now + 1] - moment[begin]) - middle[:, None] * (total[now + 1] - total[begin])
    slope = along / spread[:, None] * (count >= FIRST)[:, None]
    early = np.minimum(now + 1, FIRST)
    drift = means[1] - total[early] / early[:, None]
    return np.hstack([*means, slope, drift, now[:, None] + 1.0])

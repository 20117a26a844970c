"""One call from a table to anomaly scores: context, model, contributions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from lineshaft.analytics.anomaly.baseline import Baseline, fit_baseline
from lineshaft.analytics.anomaly.context import with_past, within_regimes
from lineshaft.analytics.anomaly.forecast import Forecast, fit_forecast
from lineshaft.model.samples import Float64Array

Method = Literal["baseline", "forecast"]
METHODS: Final[tuple[Method, ...]] = ("baseline", "forecast")
FEW_SIGNALS: Final = 3
"""Up to this many signals the baseline looks at their recent past too: alone they have no relations to break."""


@dataclass(frozen=True, slots=True)
class Detection:
    """Scores of the rows that were judged, 1 is the limit; the features behind them and their shares float64[n, f]."""

    score: Float64Array
    contribution: Float64Array
    features: tuple[str, ...]
    model: Baseline | Forecast


def detect(
    rows: Float64Array,
    names: Sequence[str],
    training: int,
    method: Method,
    *,
    operating: Float64Array | None = None,
    day: int | None = None,
    level: float = 0.995,
) -> Detection:
    """Learn normal from the first `training` rows of float64[n, p] in time order, and score all.

    operating: float64[n, q]; signals are compared within their regime. day: rows of a day, for series with a daily
    cycle. level: part of normal rows that stays below the limit. Raises ValueError for too few rows.
    """
    if not 0 < training <= len(rows):
        raise ValueError(f"{training} of {len(rows)} rows cannot be learned from")
    values, labels = rows, tuple(names)
    if operating is not None and operating.shape[1]:
        values = within_regimes(rows, operating, training)
    if method == "baseline" and rows.shape[1] <= FEW_SIGNALS and day is not None and day > 1:
        values, labels = with_past(values, day, labels)
    past = values[:training]
    model = fit_baseline(past, level=level) if method == "baseline" else fit_forecast(past, level=level)
    found = model.scores(values)
    return Detection(found.score, found.contribution, labels, model)


def leading(detection: Detection, first: int, last: int, count: int = 3) -> tuple[tuple[str, float], ...]:
    """The features that carried an alarm from row `first` to `last`: (name, mean share), greatest first."""
    share = np.nanmean(detection.contribution[first : last + 1], axis=0)
    order = np.argsort(share)[::-1][:count]
    return tuple((detection.features[i], float(share[i])) for i in order)

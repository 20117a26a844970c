"""The same metric of several assets, compared over time in which they did the same work: pure functions of arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import scipy
from numpy.typing import NDArray

from lineshaft.model.samples import Float64Array, Int64Array

NO_PRODUCT: Final = -1
LEAST_HOURS: Final = 2.0
"""Less matched time than this says too little about anything."""
LEAST_INDEPENDENT: Final = 5.0
"""Fewer independent values than this say too little, however long the time."""
CLEAR: Final = 0.05
QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
Verdict = Literal["best", "clear", "unclear", "too little"]


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """One asset over the buckets of a period; several assets are one course after the other.

    values, loads   float64[k], mean of the metric and of the load in each bucket; NaN where unknown
    seconds         float64[k], for how long the metric was known in it
    products        int64[k], what was made; NO_PRODUCT where nothing or several
    """

    values: Float64Array
    seconds: Float64Array
    loads: Float64Array
    products: Int64Array

    @staticmethod
    def joined(parts: Sequence[Course]) -> Course:
        """Several assets as one: a line, a site."""

        def column(name: str) -> Any:
            return np.concatenate([getattr(part, name) for part in parts])

        return Course(column("values"), column("seconds"), column("loads"), column("products"))


@dataclass(frozen=True, slots=True)
class Matching:
    """Which buckets count: of these products (None: of all), with the load in this band (NaN: whatever the load)."""

    products: tuple[int, ...] | None = None
    low: float = float("nan")
    high: float = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """What is known of one asset in the matched time.

    mean           weighted by time; with several products each counts with its weight over all assets
    spread         standard deviation of the bucket values (weighted by time)
    quantiles      at QUANTILES, of the bucket values (weighted by time)
    independent    how many independent values the buckets are worth
    variance       of the mean
    used           bool[k], the buckets that count
    """

    mean: float
    spread: float
    quantiles: tuple[float, ...]
    seconds: float
    independent: float
    variance: float
    used: NDArray[np.bool_]

    @property
    def too_little(self) -> bool:
        """Nothing can be said of it."""
        return self.seconds < LEAST_HOURS * 3600 or self.independent < LEAST_INDEPENDENT

    def interval(self) -> tuple[float, float]:
        """95 % confidence interval of the mean; NaN when there is too little to say."""
        if self.too_little:
            return float("nan"), float("nan")
        half = float(scipy.stats.t.ppf(0.975, self.independent - 1)) * self.variance**0.5
        return self.mean - half, self.mean + half


@dataclass(frozen=True, slots=True)
class Ranked:
    """Place of a course in the ranking, and whether the best one is really better than it."""

    course: int
    verdict: Verdict
    probability: float  # of a difference like this to the best one by chance, corrected for the number of courses


def common_products(courses: Sequence[Course], least_seconds: float = 1800.0) -> tuple[int, ...]:
    """Products that each course made for at least `least_seconds`; one that made hardly anything has no say."""
    found: set[int] | None = None
    for course in courses:
        known = course.products >= 0
        time = np.bincount(course.products[known], np.nan_to_num(course.seconds[known]))
        if time.sum() < LEAST_HOURS * 3600:
            continue
        own = set(np.flatnonzero(time >= least_seconds).tolist())
        found = own if found is None else found & own
    return tuple(sorted(found or ()))


def load_band(courses: Sequence[Course]) -> tuple[float, float]:
    """The loads at which all were: from the largest 10 % quantile to the smallest 90 % quantile; NaN for none."""
    lows, highs = [], []
    for course in courses:
        known = course.loads[np.isfinite(course.loads) & (course.seconds > 0)]
        if len(known):
            low, high = np.quantile(known, (0.1, 0.9))
            lows.append(float(low))
            highs.append(float(high))
    if not lows or max(lows) > min(highs):
        return float("nan"), float("nan")
    return max(lows), min(highs)


def standings(courses: Sequence[Course], matching: Matching) -> list[Standing]:
    """Each course over its matched buckets.

    With several products the means are standardised directly: the mean of each product counts with the share of that
    product in the matched time of all courses, so that a course is not better because it made the easier product.
    """
    used = [_used(course, matching) for course in courses]
    products = matching.products
    if products is None or len(products) < 2:
        return [_standing(course, mask, None) for course, mask in zip(courses, used, strict=True)]
    time = np.array(
        [[c.seconds[m & (c.products == p)].sum() for p in products] for c, m in zip(courses, used, strict=True)]
    )
    whole = time.sum(axis=0)
    shares = dict(zip(products, (whole / max(whole.sum(), 1.0)).tolist(), strict=True))
    return [_standing(course, mask, shares) for course, mask in zip(courses, used, strict=True)]


def _used(course: Course, matching: Matching) -> NDArray[np.bool_]:
    used: NDArray[np.bool_] = np.isfinite(course.values) & (course.seconds > 0)
    if matching.products is not None:
        used &= np.isin(course.products, matching.products)
    if not np.isnan(matching.low):
        with np.errstate(invalid="ignore"):
            used &= (course.loads >= matching.low) & (course.loads <= matching.high)
    return used


def _standing(course: Course, used: NDArray[np.bool_], shares: Mapping[int, float] | None) -> Standing:
    values, weights = course.values[used], course.seconds[used]
    if not len(values):
        nan = float("nan")
        return Standing(nan, nan, (nan,) * len(QUANTILES), 0.0, 0.0, nan, used)
    mean = float(np.average(values, weights=weights))
    spread = float(np.sqrt(np.average((values - mean) ** 2, weights=weights)))
    quantiles = tuple(_quantile(values, weights, q) for q in QUANTILES)
    seconds = float(weights.sum())
    if shares is None:
        independent = independent_values(values, np.flatnonzero(used))
        variance = spread**2 / max(independent - 1, 1.0)
        return Standing(mean, spread, quantiles, seconds, independent, variance, used)
    mean, variance, independent = 0.0, 0.0, 0.0
    for product, share in shares.items():
        own = used & (course.products == product)
        if not own.any():
            return _standing(course, own, None)  # it did not make what it is to be compared by
        part = _standing(course, own, None)
        mean += share * part.mean
        variance += share**2 * part.variance
        independent += part.independent
    return Standing(mean, spread, quantiles, seconds, independent, variance, used)


def _quantile(values: Float64Array, weights: Float64Array, q: float) -> float:
    """Smallest value that at least the share `q` of the time does not exceed."""
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][min(int(np.searchsorted(share, q - 1e-12)), len(values) - 1)])


def independent_values(values: Float64Array, positions: Int64Array) -> float:
    """How many independent values a course is worth: n (1 - r) / (1 + r) with r the correlation of neighbours, which is
    taken as 0 where it is below (Bayley and Hammersley 1946, for an autoregressive course)."""
    n = len(values)
    apart = values - values.mean()
    square = float((apart**2).sum())
    neighbours = np.flatnonzero(np.diff(positions) == 1)
    if n < 3 or square <= 0 or not len(neighbours):
        return float(n)
    mean_product = float((apart[neighbours] * apart[neighbours + 1]).mean())
    r = min(max(mean_product / (square / n), 0.0), 0.999)
    return max(1.0, n * (1 - r) / (1 + r))


def ranking(found: Sequence[Standing], better: Literal["low", "high"]) -> list[Ranked]:
    """The best first; those without any matched time last.

    Each is compared with the best by Welch's test (1947) on the means with their independent values; the
    probabilities are corrected for the number of comparisons after Holm (1979).
    """
    sign = 1.0 if better == "low" else -1.0
    enough = [i for i, one in enumerate(found) if not one.too_little]
    little = [i for i, one in enumerate(found) if one.too_little]
    enough.sort(key=lambda i: sign * found[i].mean)
    little.sort(key=lambda i: (np.isnan(found[i].mean), sign * found[i].mean))
    if not enough:
        return [Ranked(i, "too little", float("nan")) for i in little]
    best = found[enough[0]]
    raw = [_chance(best, found[i]) for i in enough[1:]]
    corrected = _holm(raw)
    ranked = [Ranked(enough[0], "best", float("nan"))]
    for i, chance in zip(enough[1:], corrected, strict=True):
        ranked.append(Ranked(i, "clear" if chance < CLEAR else "unclear", chance))
    return ranked + [Ranked(i, "too little", float("nan")) for i in little]


def _chance(one: Standing, other: Standing) -> float:
    """Two-sided probability of such a difference of means by chance."""
    variance = one.variance + other.variance
    if variance <= 0:
        return 1.0 if one.mean == other.mean else 0.0
    t = (one.mean - other.mean) / variance**0.5
    freedom = variance**2 / sum(x.variance**2 / max(x.independent - 1, 1.0) for x in (one, other))
    return float(2 * scipy.stats.t.sf(abs(t), freedom))


def _holm(chances: Sequence[float]) -> list[float]:
    order = sorted(range(len(chances)), key=lambda i: chances[i])
    corrected, largest = [1.0] * len(chances), 0.0
    for place, i in enumerate(order):
        largest = max(largest, min(1.0, (len(chances) - place) * chances[i]))
        corrected[i] = largest
    return corrected


def number_difference(best: float, others: Sequence[float]) -> tuple[float, float]:
    """(median of the others, size): the difference to it over the larger of the two, 0 to 1 for values of one sign."""
    known = [one for one in others if np.isfinite(one)]
    if not known or not np.isfinite(best):
        return float("nan"), 0.0
    middle = float(np.median(known))
    scale = max(abs(best), abs(middle))
    return middle, abs(best - middle) / scale if scale > 0 else 0.0


def share_difference(best: Mapping[str, float], others: Sequence[Mapping[str, float]]) -> float:
    """How differently the time is spent, 0 (the same) to 1 (nothing in common): half the sum of the differences between
    the shares of the best and the mean shares of the others. Each maps a state to its time."""
    own = _shares(best)
    rest = [shares for one in others if (shares := _shares(one))]
    if not own or not rest:
        return 0.0
    names = set(own).union(*rest)
    mean = {name: sum(one.get(name, 0.0) for one in rest) / len(rest) for name in names}
    return sum(abs(own.get(name, 0.0) - mean[name]) for name in names) / 2


def _shares(times: Mapping[str, float]) -> dict[str, float]:
    whole = sum(times.values())
    return {name: time / whole for name, time in times.items()} if whole > 0 else {}

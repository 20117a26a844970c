"""Change-overs from the last good part of one product to the first good part of the next. Times in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

import numpy as np

from lineshaft.analytics.oee.elements import Element
from lineshaft.analytics.oee.steps import NOTHING
from lineshaft.model.samples import Int64Array

PHASES = ("internal", "external", "run_up", "waiting", "trouble")
"""SMED (Shingo 1985): internal work needs the machine to stand, external work could be done while it runs. Run-up is
running without a good part yet; waiting and trouble are in the change-over without belonging to it."""

_PHASES = {
    Element.SETUP: "internal", Element.PRODUCTION: "run_up", Element.BREAKDOWN: "trouble",
    Element.MINOR_STOP: "trouble", Element.STARVED: "waiting", Element.BLOCKED: "waiting", Element.DELAY: "waiting",
    Element.NO_ORDER: "waiting", Element.UNKNOWN: "waiting",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """From the last good part of `before` to the first good part of `after`; UTC microseconds."""

    before: int
    after: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Pair:
    """All changes from one product to another."""

    count: int
    best: float
    median: float
    latest: float
    trend: float | None  # seconds that one change takes longer than the one before it; None with fewer than four
    excess: float  # time above the best, in all


def changes(times: Int64Array, products: Int64Array) -> list[Change]:
    """times, products: int64[n] of good parts in time order; parts of which no product is known are passed over."""
    known = products != NOTHING
    t, p = times[known], products[known]
    places = np.flatnonzero(np.diff(p) != 0)
    return [Change(int(p[at]), int(p[at + 1]), int(t[at]), int(t[at + 1])) for at in places.tolist()]


def phase_of(element: Element, external: bool) -> str:
    """The phase that a time of this element is; '' for time that was not planned. external: marked so by its reason."""
    return "external" if external and element is not Element.PRODUCTION else _PHASES.get(element, "")


def pair(seconds: Sequence[float]) -> Pair:
    """Of the lengths of all changes of one pair of products, in time order; at least one.

    The trend is the Theil-Sen slope (the median of the slopes between all pairs): one bad change does not make one.
    """
    best = min(seconds)
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(enumerate(seconds[-60:]), 2)]
    trend = median(slopes) if len(seconds) >= 4 else None
    return Pair(len(seconds), best, median(seconds), seconds[-1], trend, sum(seconds) - best * len(seconds))

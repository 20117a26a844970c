"""How far the truth was from a growth model on other machines: the widths of P10 and P90, adapted to this machine."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from lineshaft.analytics.remaining_life.degradation import Growth
from lineshaft.analytics.remaining_life.estimate import RemainingLife
from lineshaft.analytics.remaining_life.scores import conformal_quantile

LEVELS: Final = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98)
STAGES: Final = (0.15, 0.3, 0.5, 0.75)
"""Parts of the way to the failure limit that part five stages: each has errors of its own (Mondrian)."""
Errors = Mapping[tuple[Growth, int], tuple[float, ...]]
_FEWEST: Final = 40
_PACE: Final = 0.03
_TAIL: Final = 0.1
_RANGE: Final = (0.02, 0.25)
_FLOOR: Final = 0.1


@dataclass(frozen=True, slots=True)
class Trial:
    """One forecast whose truth is known.

    growth  the model     progress  index by the limit when it was made     spread  log(P90 / P50) that the model gave
    error   log(true / P50)
    """

    growth: Growth
    progress: float
    spread: float
    error: float

    @property
    def cell(self) -> tuple[Growth, int]:
        """Trials of one cell are alike."""
        return self.growth, stage_of(self.progress)

    @property
    def score(self) -> float:
        """The error by what the model itself thought of it."""
        return self.error / (self.spread + _FLOOR)


def stage_of(progress: float) -> int:
    """0 to 4: how far an index is on its way to the failure limit."""
    return int(np.searchsorted(STAGES, progress, side="right"))


def fit_errors(trials: Sequence[Trial]) -> Errors:
    """(model, stage) -> quantiles of the scores at LEVELS, with the conformal correction (Vovk 2005, Mondrian).

    Cells of fewer than 40 trials are left out. The trials are of other machines than those that are judged.
    """
    found: dict[tuple[Growth, int], tuple[float, ...]] = {}
    for cell in sorted({trial.cell for trial in trials}):
        scores = np.array([trial.score for trial in trials if trial.cell == cell])
        if len(scores) >= _FEWEST:
            found[cell] = tuple(
                round(float(np.median(scores)) if level == 0.5 else conformal_quantile(scores, level), 2)
                for level in LEVELS
            )
    return found


def calibrated(
    life: RemainingLife, growth: Growth, progress: float, errors: Errors, past: Sequence[Trial]
) -> RemainingLife:
    """The same with P10 and P90 where the truth was on other machines at this stage; asymmetric, on both sides apart.

    past: forecasts on this machine in order of time, whose truth is known. Each one that was missed on a side makes
    that side wider, each one that held a little narrower (adaptive conformal inference, Gibbs and Candes 2021). P50
    stays, unless it lies outside of P10 to P90: then it is the middle of the errors. Unchanged where nothing is known
    of such a cell.
    """
    cell = (growth, stage_of(progress))
    if cell not in errors or not life.p50 > 0:
        return life
    below, above = _adapted(errors, past)
    scale = math.log(life.p90 / life.p50) + _FLOOR
    low, middle, high = (life.p50 * math.exp(scale * _score(errors[cell], q)) for q in (below, 0.5, 1 - above))
    p50 = life.p50 if low <= life.p50 <= high else middle
    return RemainingLife(low, p50, high, life.method, life.words, life.point)


def _adapted(errors: Errors, past: Sequence[Trial]) -> tuple[float, float]:
    """Shares of the truth that are to lie below P10 and above P90, after what was missed on this machine so far."""
    below = above = _TAIL
    for trial in past:
        known = errors.get(trial.cell)
        if known is not None:
            missed_low = trial.score < _score(known, below)
            missed_high = trial.score > _score(known, 1 - above)
            below = min(max(below + _PACE * (_TAIL - missed_low), _RANGE[0]), _RANGE[1])
            above = min(max(above + _PACE * (_TAIL - missed_high), _RANGE[0]), _RANGE[1])
    return below, above


def _score(known: tuple[float, ...], level: float) -> float:
    return float(np.interp(level, LEVELS, known))

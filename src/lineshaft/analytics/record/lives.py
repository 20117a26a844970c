"""Remaining lives that were foretold, against the ends that came: error, bias and coverage of the intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np

from lineshaft.model.predictions import Outcome, OutcomeKind, Prediction
from lineshaft.model.samples import Int64Array

_HOUR: Final = 3_600_000_000
NEVER: Final = 2**62


class LifeState(StrEnum):
    """What is known of a remaining life that was foretold.

    silent    the model said that it is too early to say
    open      the asset runs, and its interval is not over
    censored  the asset was repaired before the end of the interval: how long it would have lived nobody knows
    ended     the asset failed: the error is known
    outlived  the asset lived on beyond P90: the interval was wrong, by how much is not known
    """

    SILENT = "silent"
    OPEN = "open"
    CENSORED = "censored"
    ENDED = "ended"
    OUTLIVED = "outlived"


@dataclass(frozen=True, slots=True)
class JudgedLife:
    """One prediction, judged. `error` in hours, P50 minus the true life; `inside`: P10 <= true life <= P90."""

    state: LifeState
    true: float | None = None  # hours
    error: float | None = None
    inside: bool | None = None
    end: int | None = None  # UTC microseconds of the failure


@dataclass(frozen=True, slots=True)
class LifeScore:
    """The score of one model version over any number of assets.

    decided   predictions whose interval is known to have held or not, `inside` of them held
    lives     failures that they were about
    absolute, signed  sums in hours over the `ended` ones
    """

    silent: int = 0
    open: int = 0
    censored: int = 0
    ended: int = 0
    outlived: int = 0
    decided: int = 0
    inside: int = 0
    lives: int = 0
    absolute: float = 0.0
    signed: float = 0.0

    @property
    def coverage(self) -> float | None:
        """Part of the intervals that held; 0.8 is right for P10 to P90. None while none is decided."""
        return self.inside / self.decided if self.decided else None

    @property
    def mean_error(self) -> float | None:
        """Mean absolute error of P50 in hours."""
        return self.absolute / self.ended if self.ended else None

    @property
    def bias(self) -> float | None:
        """Mean error of P50 in hours; above 0: it promised too long a life."""
        return self.signed / self.ended if self.ended else None

    def __add__(self, other: LifeScore) -> LifeScore:
        return LifeScore(
            self.silent + other.silent,
            self.open + other.open,
            self.censored + other.censored,
            self.ended + other.ended,
            self.outlived + other.outlived,
            self.decided + other.decided,
            self.inside + other.inside,
            self.lives + other.lives,
            self.absolute + other.absolute,
            self.signed + other.signed,
        )


def judge_lives(predictions: Sequence[Prediction], outcomes: Sequence[Outcome], now: int) -> Sequence[JudgedLife]:
    """Each remaining life that was foretold for one asset, judged by what had happened by `now`; in their order."""
    failures = np.sort(np.array([one.time for one in outcomes if one.kind is OutcomeKind.FAILURE], np.int64))
    repairs = np.sort(np.array([one.time for one in outcomes if one.kind is OutcomeKind.REPAIR], np.int64))
    return [_judged(one, _after(failures, one.time), _after(repairs, one.time), now) for one in predictions]


@dataclass(frozen=True, slots=True, eq=False)
class LifeTally:
    """What scores need of all remaining lives that a model version foretold for one asset, however many there were.

    settled   the score of those of which time alone changes nothing, without `lives`
    ends      UTC microseconds of the failures that they were about
    expiries  int64[n]: when P90 of each of the others is over, UTC microseconds
    """

    settled: LifeScore = LifeScore()
    ends: frozenset[int] = frozenset()
    expiries: Int64Array = field(default_factory=lambda: np.empty(0, np.int64))

    def __add__(self, other: LifeTally) -> LifeTally:
        expiries = np.concatenate([self.expiries, other.expiries])
        return LifeTally(self.settled + other.settled, self.ends | other.ends, expiries)

    def settled_at(self, now: int) -> LifeTally:
        """The same; those that were outlived by `now` are settled."""
        outlived = int(np.count_nonzero(self.expiries < now))
        settled = self.settled + LifeScore(outlived=outlived, decided=outlived)
        return LifeTally(settled, self.ends, self.expiries[self.expiries >= now])

    def score(self, now: int) -> LifeScore:
        """The score at `now`."""
        tally = self.settled_at(now)
        return tally.settled + LifeScore(open=len(tally.expiries), lives=len(tally.ends))


def tally_of(predictions: Sequence[Prediction], outcomes: Sequence[Outcome], now: int) -> LifeTally:
    """Of one model version on one asset, by what had happened by `now`."""
    judged = judge_lives(predictions, outcomes, now)
    states = [one.state for one in judged]
    errors = [one.error for one in judged if one.error is not None]
    held = [one.inside for one in judged if one.inside is not None]
    expiries = [
        NEVER if one.p90 is None else one.time + int(one.p90 * _HOUR)
        for one, state in zip(predictions, states, strict=True)
        if state is LifeState.OPEN
    ]
    settled = LifeScore(
        silent=states.count(LifeState.SILENT),
        censored=states.count(LifeState.CENSORED),
        ended=states.count(LifeState.ENDED),
        outlived=states.count(LifeState.OUTLIVED),
        decided=len(held),
        inside=sum(held),
        absolute=float(sum(abs(error) for error in errors)),
        signed=float(sum(errors)),
    )
    ends = frozenset(one.end for one in judged if one.end is not None)
    return LifeTally(settled, ends, np.array(expiries, np.int64))


def score_lives(predictions: Sequence[Prediction], outcomes: Sequence[Outcome], now: int) -> LifeScore:
    """The score of one model version on one asset."""
    return tally_of(predictions, outcomes, now).score(now)


def _judged(one: Prediction, failure: int | None, repair: int | None, now: int) -> JudgedLife:
    if one.value is None:
        return JudgedLife(LifeState.SILENT)
    if failure is not None and (repair is None or failure <= repair):
        true = (failure - one.time) / _HOUR
        known = one.p10 is not None and one.p90 is not None
        inside = one.p10 <= true <= one.p90 if known else None  # type: ignore[operator]
        return JudgedLife(LifeState.ENDED, true, one.value - true, inside, failure)
    lived = ((now if repair is None else repair) - one.time) / _HOUR
    if one.p90 is not None and lived > one.p90:
        return JudgedLife(LifeState.OUTLIVED, inside=False)
    return JudgedLife(LifeState.OPEN if repair is None else LifeState.CENSORED)


def _after(times: np.ndarray[tuple[int], np.dtype[np.int64]], time: int) -> int | None:
    place = int(np.searchsorted(times, time, side="right"))
    return int(times[place]) if place < len(times) else None

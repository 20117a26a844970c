"""Claims that a fault develops, against what was found: lead time, false alarms per machine-month, missed faults."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import median
from typing import Final

from lineshaft.model.predictions import Outcome, OutcomeKind, Prediction

_HOUR: Final = 3_600_000_000
_DAY: Final = 24 * _HOUR
MONTH: Final = 30.4375 * _DAY
LONGEST_SILENCE: Final = 2 * _DAY
"""Microseconds after a prediction in which the model still counts as watching."""


class Verdict(StrEnum):
    """What became of a claim, or of a word that all is well.

    hit        a fault was found, or the asset failed, while the alarm stood or before its claim was due
    false      somebody looked and found nothing, or the claim was due and nothing had happened
    undecided  the asset was repaired before anybody could know
    missed     (quiet) a fault came before this was due, and no alarm ever told of it
    right      (quiet) this was due, and no fault came of which no alarm had told
    open       not decided yet
    """

    OPEN = "open"
    HIT = "hit"
    FALSE = "false"
    UNDECIDED = "undecided"
    MISSED = "missed"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that was real. Times in UTC microseconds; `time` is that of the failure, or of the finding where the
    asset did not fail."""

    found: int
    time: int


@dataclass(frozen=True, slots=True)
class Claim:
    """An alarm from its first to its last prediction; `end` None while it stands."""

    begin: int
    end: int | None
    due: int


@dataclass(frozen=True, slots=True)
class FaultScore:
    """The score of one model version over any number of assets.

    hits + false + undecided + open = claims    warned + missed = faults that came while it watched
    leads  hours from the first alarm to each fault that was warned of, ascending
    months  machine-months over which it watched
    """

    claims: int = 0
    hits: int = 0
    false: int = 0
    undecided: int = 0
    open: int = 0
    faults: int = 0
    missed: int = 0
    leads: tuple[float, ...] = ()
    months: float = 0.0

    @property
    def lead_median(self) -> float | None:
        """Hours; None where no fault was warned of."""
        return median(self.leads) if self.leads else None

    @property
    def lead_shortest(self) -> float | None:
        """Hours."""
        return min(self.leads, default=None)

    @property
    def lead_longest(self) -> float | None:
        """Hours."""
        return max(self.leads, default=None)

    @property
    def false_per_month(self) -> float | None:
        """False alarms per machine-month; None when it has not watched for any time."""
        return self.false / self.months if self.months > 0 else None

    def __add__(self, other: FaultScore) -> FaultScore:
        return FaultScore(
            self.claims + other.claims,
            self.hits + other.hits,
            self.false + other.false,
            self.undecided + other.undecided,
            self.open + other.open,
            self.faults + other.faults,
            self.missed + other.missed,
            tuple(sorted(self.leads + other.leads)),
            self.months + other.months,
        )


def faults_of(outcomes: Iterable[Outcome]) -> Sequence[Fault]:
    """The faults of one asset. Findings up to a failure or a repair are of one fault; both end it."""
    faults: list[Fault] = []
    found: int | None = None
    for one in sorted(outcomes, key=lambda one: (one.time, one.kind)):
        match one.kind:
            case OutcomeKind.CONFIRMED_FAULT:
                found = one.time if found is None else found
            case OutcomeKind.FAILURE:
                faults.append(Fault(one.time if found is None else found, one.time))
                found = None
            case OutcomeKind.REPAIR if found is not None:
                faults.append(Fault(found, found))
                found = None
    return faults if found is None else [*faults, Fault(found, found)]


@dataclass(frozen=True, slots=True)
class Watch:
    """What scores need of all predictions of one model version on one asset, however many there were.

    runs    first and last time of predictions that follow each other closely enough to count as watching
    claims  alarms, oldest first
    """

    runs: tuple[tuple[int, int], ...] = ()
    claims: tuple[Claim, ...] = ()


def extended(watch: Watch, predictions: Iterable[Prediction]) -> Watch:
    """With more predictions, none of them before the last one that is in it."""
    runs, claims = list(watch.runs), list(watch.claims)
    for one in sorted(predictions, key=lambda one: one.time):
        if runs and one.time - runs[-1][1] <= LONGEST_SILENCE:
            runs[-1] = (runs[-1][0], one.time)
        else:
            runs.append((one.time, one.time))
        standing = bool(claims) and claims[-1].end is None
        if one.alarm and not standing:
            claims.append(Claim(one.time, None, one.due or one.time))
        elif not one.alarm and standing:
            claims[-1] = replace(claims[-1], end=one.time)
    return Watch(tuple(runs), tuple(claims))


def claims_of(predictions: Iterable[Prediction]) -> Sequence[Claim]:
    """Runs of predictions with an alarm, of one model on one asset."""
    return extended(Watch(), predictions).claims


def judge(claim: Claim, outcomes: Sequence[Outcome], now: int) -> Verdict:
    """What became of a claim by `now`."""
    last = max(claim.due, now if claim.end is None else claim.end)
    inside = {one.kind for one in outcomes if claim.begin <= one.time <= last}
    if inside & {OutcomeKind.FAILURE, OutcomeKind.CONFIRMED_FAULT}:
        return Verdict.HIT
    if OutcomeKind.NO_FAULT_FOUND in inside:
        return Verdict.FALSE
    if OutcomeKind.REPAIR in inside:
        return Verdict.UNDECIDED
    return Verdict.FALSE if now > max(claim.due, claim.end or 0) else Verdict.OPEN


def verdicts(predictions: Sequence[Prediction], outcomes: Sequence[Outcome], now: int) -> Sequence[Verdict]:
    """What became of each prediction of one model version on one asset; in their order."""
    return verdicts_by(claims_of(predictions), predictions, outcomes, now)


def verdicts_by(
    claims: Sequence[Claim], predictions: Sequence[Prediction], outcomes: Sequence[Outcome], now: int
) -> Sequence[Verdict]:
    """What became of some predictions, with the claims of all of the same model version on the same asset."""
    judged = [(claim, judge(claim, outcomes, now)) for claim in claims]
    missed = [fault for fault in faults_of(outcomes) if not any(_covers(claim, fault, now) for claim in claims)]
    return [_claimed(one, judged) if one.alarm else _quiet(one, missed, now) for one in predictions]


def score_faults(predictions: Sequence[Prediction], outcomes: Sequence[Outcome], now: int) -> FaultScore:
    """The score of one model version on one asset."""
    return score_watch(extended(Watch(), predictions), outcomes, now)


def score_watch(watch: Watch, outcomes: Sequence[Outcome], now: int) -> FaultScore:
    """The score of one model version on one asset."""
    claims = watch.claims
    judged = [judge(claim, outcomes, now) for claim in claims]
    watched = sum(last - first for first, last in watch.runs)
    faults = [fault for fault in faults_of(outcomes) if _watching(watch.runs, fault.found)]
    leads = [
        (fault.time - min(claim.begin for claim in found)) / _HOUR
        for fault in faults
        if (found := [claim for claim in claims if _covers(claim, fault, now)])
    ]
    return FaultScore(
        claims=len(claims),
        hits=judged.count(Verdict.HIT),
        false=judged.count(Verdict.FALSE),
        undecided=judged.count(Verdict.UNDECIDED),
        open=judged.count(Verdict.OPEN),
        faults=len(faults),
        missed=len(faults) - len(leads),
        leads=tuple(sorted(leads)),
        months=watched / MONTH,
    )


def _covers(claim: Claim, fault: Fault, now: int) -> bool:
    return claim.begin <= fault.time <= max(claim.due, now if claim.end is None else claim.end)


def _watching(runs: Sequence[tuple[int, int]], at: int) -> bool:
    return any(first <= at <= last + LONGEST_SILENCE for first, last in runs)


def _claimed(one: Prediction, judged: Sequence[tuple[Claim, Verdict]]) -> Verdict:
    return next(verdict for claim, verdict in reversed(judged) if claim.begin <= one.time)


def _quiet(one: Prediction, missed: Sequence[Fault], now: int) -> Verdict:
    due = one.due or one.time
    if any(one.time < fault.time <= due for fault in missed):
        return Verdict.MISSED
    return Verdict.RIGHT if now > due else Verdict.OPEN

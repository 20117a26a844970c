"""Claims that a fault develops, against what was found: lead time, false alarms per machine-month, missed faults."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
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


def claims_of(predictions: Iterable[Prediction]) -> Sequence[Claim]:
    """Runs of predictions with an alarm, of one model on one asset."""
    claims: list[Claim] = []
    first: Prediction | None = None
    for one in sorted(predictions, key=lambda one: one.time):
        if one.alarm and first is None:
            first = one
        elif not one.alarm and first is not None:
            claims.append(Claim(first.time, one.time, first.due or first.time))
            first = None
    return claims if first is None else [*claims, Claim(first.time, None, first.due or first.time)]


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
    claims = claims_of(predictions)
    judged = [(claim, judge(claim, outcomes, now)) for claim in claims]
    missed = [fault for fault in faults_of(outcomes) if not any(_covers(claim, fault, now) for claim in claims)]
    return [_claimed(one, judged) if one.alarm else _quiet(one, missed, now) for one in predictions]


def score_faults(predictions: Sequence[Prediction], outcomes: Sequence[Outcome], now: int) -> FaultScore:
    """The score of one model version on one asset."""
    claims = claims_of(predictions)
    judged = [judge(claim, outcomes, now) for claim in claims]
    times = sorted({one.time for one in predictions})
    watched = sum(b - a for a, b in pairwise(times) if b - a <= LONGEST_SILENCE)
    faults = [fault for fault in faults_of(outcomes) if _watching(times, fault.found)]
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


def _watching(times: Sequence[int], at: int) -> bool:
    return any(time <= at <= time + LONGEST_SILENCE for time in times)


def _claimed(one: Prediction, judged: Sequence[tuple[Claim, Verdict]]) -> Verdict:
    return next(verdict for claim, verdict in reversed(judged) if claim.begin <= one.time)


def _quiet(one: Prediction, missed: Sequence[Fault], now: int) -> Verdict:
    due = one.due or one.time
    if any(one.time < fault.time <= due for fault in missed):
        return Verdict.MISSED
    return Verdict.RIGHT if now > due else Verdict.OPEN

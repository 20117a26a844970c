"""Scores of predictions, against records that are scored by hand."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.analytics.record.faults import (
    FaultScore,
    Verdict,
    Watch,
    claims_of,
    extended,
    score_faults,
    score_watch,
    verdicts,
)
from lineshaft.analytics.record.lives import LifeScore, LifeState, LifeTally, judge_lives, score_lives, tally_of
from lineshaft.model.predictions import Outcome, OutcomeKind, Prediction, PredictionKind

HOUR = 3_600_000_000
DAY = 24 * HOUR
T0 = 1_750_000_000_000_000
FAILURE, FOUND, NOTHING, REPAIR = (
    OutcomeKind.FAILURE,
    OutcomeKind.CONFIRMED_FAULT,
    OutcomeKind.NO_FAULT_FOUND,
    OutcomeKind.REPAIR,
)


def watch(days: range, alarms: range, horizon: int = 10) -> list[Prediction]:
    """A word each day, which is an alarm on some."""
    return [
        Prediction(
            T0 + day * DAY, "p", PredictionKind.FAILURE, "m", "1", alarm=day in alarms, due=T0 + (day + horizon) * DAY
        )
        for day in days
    ]


def life(day: float, p10: float, p50: float, p90: float) -> Prediction:
    """Days, but the record counts hours."""
    kind = PredictionKind.REMAINING_LIFE
    return Prediction(T0 + round(day * DAY), "p", kind, "m", "1", p50 * 24, p10 * 24, p90 * 24)


def at(day: float, kind: OutcomeKind) -> Outcome:
    return Outcome(T0 + round(day * DAY), "p", kind)


def test_a_machine_of_a_year_is_scored_by_hand() -> None:
    """A hit with its lead time, a false alarm, an undecided one, a missed failure and an alarm that is still open."""
    said = [
        *watch(range(40), range(20, 24)),  # fault is found on day 26, failure on day 28: 8 days of lead
        *watch(range(40, 100), range(60, 62)),  # somebody looked on day 63 and found nothing
        *watch(range(100, 150), range(120, 125)),  # repaired on day 123, nobody knows
        *watch(range(150, 200), range(0)),  # failed on day 180.5 without a word
        *watch(range(200, 240), range(235, 240)),  # stands, due on day 245
    ]
    happened = [at(26, FOUND), at(28, FAILURE), at(63, NOTHING), at(123, REPAIR), at(180.5, FAILURE)]
    score = score_faults(said, happened, T0 + 240 * DAY)
    assert score == FaultScore(
        claims=4, hits=1, false=1, undecided=1, open=1, faults=2, missed=1, leads=(8 * 24.0,), months=239 / 30.4375
    )
    assert score.false_per_month == pytest.approx(30.4375 / 239)
    judged = dict(zip([(one.time - T0) // DAY for one in said], verdicts(said, happened, T0 + 240 * DAY), strict=True))
    assert judged[10] is Verdict.RIGHT
    assert judged[20] is Verdict.HIT
    assert judged[61] is Verdict.FALSE
    assert judged[122] is Verdict.UNDECIDED
    assert judged[175] is Verdict.MISSED
    assert judged[232] is Verdict.OPEN
    assert judged[236] is Verdict.OPEN


def test_an_alarm_that_is_due_without_anything_was_false_until_the_fault_comes() -> None:
    """Alarm from day 5 on, due on day 15: open, then false, and a hit when the machine fails while it still stands."""
    said = watch(range(30), range(5, 30))
    assert score_faults(said, (), T0 + 14 * DAY).open == 1
    assert score_faults(said, (), T0 + 29 * DAY).false == 1
    assert score_faults(said, [at(28, FAILURE)], T0 + 29 * DAY).hits == 1


def test_a_time_without_a_word_is_not_watched() -> None:
    """A failure in a gap is no miss, and the gap is no machine-month."""
    said = [*watch(range(10), range(0)), *watch(range(50, 60), range(0))]
    score = score_faults(said, [at(30, FAILURE)], T0 + 60 * DAY)
    assert (score.faults, score.missed) == (0, 0)
    assert score.months == pytest.approx(18 / 30.4375)


def test_remaining_lives_are_scored_by_hand() -> None:
    """Failure on day 10, repair on day 30: errors, coverage, censored, outlived, silent and open ones."""
    said = [
        life(0, 5, 8, 12),  # lived 10 days: inside, 2 days too short
        life(5, 6, 9, 12),  # lived 5 days: outside, 4 days too long
        life(15, 10, 20, 30),  # repaired after 15 days: nobody knows
        life(16, 2, 4, 6),  # lived 14 days and more: outside
        life(40, 10, 20, 30),  # runs
        Prediction(T0 + 41 * DAY, "p", PredictionKind.REMAINING_LIFE, "m", "1", words="too early to say"),
    ]
    happened = [at(10, FAILURE), at(30, REPAIR)]
    now = T0 + 45 * DAY
    states = [one.state for one in judge_lives(said, happened, now)]
    assert states == [
        LifeState.ENDED, LifeState.ENDED, LifeState.CENSORED, LifeState.OUTLIVED, LifeState.OPEN, LifeState.SILENT,
    ]  # fmt: skip
    score = score_lives(said, happened, now)
    assert (score.decided, score.inside, score.lives) == (3, 1, 1)
    assert score.coverage == pytest.approx(1 / 3)
    assert score.mean_error == pytest.approx(3 * 24)
    assert score.bias == pytest.approx((-2 + 4) / 2 * 24)
    later = judge_lives(said, happened, T0 + 71 * DAY)[4]
    assert (later.state, later.inside) == (LifeState.OUTLIVED, False)


def test_nothing_was_said_and_nothing_happened() -> None:
    """Empty records have empty scores, without figures that nobody can know."""
    assert score_faults((), (), T0) == FaultScore()
    assert FaultScore().false_per_month is None
    assert score_lives((), (), T0) == LifeScore()
    assert (LifeScore().coverage, LifeScore().mean_error, LifeScore().bias) == (None, None, None)


@given(
    alarms=st.lists(st.booleans(), max_size=60),
    happened=st.lists(st.tuples(st.integers(0, 70), st.sampled_from(list(OutcomeKind))), max_size=6),
    now=st.integers(60, 100),
)
def test_the_account_is_complete(alarms: list[bool], happened: list[tuple[int, OutcomeKind]], now: int) -> None:
    """Every claim has one verdict, every fault is warned of or missed, every alarm is in a claim; shards add up."""
    said = [
        Prediction(T0 + day * DAY, "p", PredictionKind.ANOMALY, "m", "1", alarm=alarm, due=T0 + (day + 7) * DAY)
        for day, alarm in enumerate(alarms)
    ]
    truth = [at(day + 0.5, kind) for day, kind in happened]
    score = score_faults(said, truth, T0 + now * DAY)
    assert score.hits + score.false + score.undecided + score.open == score.claims == len(claims_of(said))
    assert len(score.leads) + score.missed == score.faults
    assert all(lead >= 0 for lead in score.leads)
    found = verdicts(said, truth, T0 + now * DAY)
    assert all(
        (verdict in (Verdict.MISSED, Verdict.RIGHT)) <= (not one.alarm)
        for one, verdict in zip(said, found, strict=True)
    )
    assert (score + FaultScore()) == score


@given(
    days=st.lists(st.tuples(st.integers(0, 400), st.booleans()), min_size=1, max_size=60),
    ends=st.lists(st.tuples(st.integers(0, 400), st.sampled_from(list(OutcomeKind))), max_size=6),
    cut=st.integers(0, 60),
    later=st.integers(0, 300),
)
def test_a_score_that_is_kept_is_the_score_of_all_predictions(
    days: list[tuple[int, bool]], ends: list[tuple[int, OutcomeKind]], cut: int, later: int
) -> None:
    """What is kept of predictions, told in two parts and looked at later, scores like all of them at that time."""
    happened = [at(day, kind) for day, kind in ends]
    early, now = T0 + 401 * DAY, T0 + (401 + later) * DAY
    said = sorted(
        (one for day, alarm in days for one in watch(range(day, day + 1), range(day, day + alarm))),
        key=lambda one: one.time,
    )
    kept = extended(extended(Watch(), said[:cut]), said[cut:])
    times = [one.time for one in said]
    watched = sum(b - a for a, b in pairwise(times) if b - a <= 2 * DAY)
    assert score_watch(kept, happened, now) == score_faults(said, happened, now)
    assert score_watch(kept, happened, now).months == watched / (30.4375 * DAY)
    lives = [life(day, 5 + day % 7, 20, 40 + day % 90) if alarm else life(day, 1, 1, 30) for day, alarm in days]
    tally = LifeTally() + tally_of(lives[:cut], happened, early) + tally_of(lives[cut:], happened, early)
    assert tally.score(now) == score_lives(lives, happened, now)
    assert tally.settled_at(early).score(now) == score_lives(lives, happened, now)

"""States and parts from what machines really give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lineshaft.analytics.oee import counts, evidence, lines, losses, reliability, states
from lineshaft.analytics.oee.elements import Element
from lineshaft.analytics.oee.states import State
from lineshaft.analytics.oee.steps import Steps
from lineshaft.analytics.oee.totals import Totals

S = 1_000_000


def times(*seconds: float) -> np.ndarray:
    return np.array([round(one * S) for one in seconds], np.int64)


def test_words_numbers_and_silence() -> None:
    """PackML numbers become states; a value that no map knows is named, and a bad one is unknown time."""
    raw = [states.raw_key(value, None) for value in (6.0, 11.0, 42.0, 6.0)]
    found, unknown = states.from_raw(times(0, 1, 2, 3), raw, np.array([True, True, True, False]), states.PACKML)
    assert found.values.tolist() == [State.RUNNING, State.HELD, State.UNKNOWN]
    assert unknown == {"42"}


def test_plc_bits_have_an_order() -> None:
    """The first bit that is set counts: an alarm beats `automatic`."""
    alarm = Steps.of(times(0, 10, 20), [0, 1, 0])
    auto = Steps.of(times(0, 5), [0, 1])
    found = states.from_bits([(alarm, 1, State.FAULT), (auto, 1, State.RUNNING)], State.STOPPED, 0, 30 * S)
    assert list(zip((found.times // S).tolist(), found.values.tolist(), strict=True)) == [
        (0, State.STOPPED), (5, State.RUNNING), (10, State.FAULT), (20, State.RUNNING),
    ]  # fmt: skip


def test_a_counter_alone_shows_stops() -> None:
    """Parts every 10 s, then none for two minutes: it stood."""
    found = states.from_counts(times(0, 10, 20, 140, 150), 20 * S, 400 * S)
    assert found.values.tolist() == [State.RUNNING, State.STOPPED, State.RUNNING, State.STOPPED]


def test_power_alone_shows_stops() -> None:
    """Off, idle and running by power; a spike of a second is none of them."""
    power = np.array([0.1, 3.0, 9.0, 3.0, 9.0, 3.0, np.nan])
    found = states.from_power(times(0, 60, 120, 180, 181, 300, 400), power, 1.0, 5.0, 5 * S)
    assert found.values.tolist() == [State.OFF, State.WAITING, State.RUNNING, State.WAITING, State.UNKNOWN]


def test_counters_reset_and_turn_over() -> None:
    """A reset counts from zero, a rollover goes on, NaN and bad rows are passed over."""
    values = np.array([10.0, 12.0, 1.0, np.nan, 4.0, 99.0, 100.0])
    found = counts.increments(times(0, 1, 2, 3, 4, 5, 6), values, np.array([1, 1, 1, 1, 1, 0, 1], np.bool_))
    assert found.amounts.tolist() == [2.0, 1.0, 3.0, 96.0]
    turned = counts.increments(times(0, 1), np.array([65_530.0, 4.0]), rollover=65_536)
    assert turned.amounts.tolist() == [10.0]


@given(st.lists(st.integers(0, 9), min_size=2, max_size=40), st.integers(0, 99))
def test_rollover_loses_nothing(steps: list[int], begin: int) -> None:
    """However often a counter turns over between readings less than half a turn apart, nothing is lost."""
    truth = begin + np.concatenate([[0], np.cumsum(steps)])
    found = counts.increments(np.arange(len(truth)) * S, (truth % 100).astype(float), rollover=100)
    assert found.amounts.sum() == sum(steps)


def test_suggested_cycle_is_a_guess_from_many() -> None:
    """The fastest cycles that the machine has shown, without double counts; nothing from a handful."""
    rng = np.random.default_rng(1)
    seconds = np.concatenate([rng.normal(40, 1, 500), np.full(5, 2.0), rng.uniform(60, 300, 40)])
    guess = counts.suggest_cycle(seconds)
    assert guess is not None
    assert 38 < guess.seconds < 39.5
    assert counts.suggest_cycle(seconds[:10]) is None


def test_blocks_of_another_clock_are_put_where_they_arrived() -> None:
    """A row that goes back in time happened after what came before it."""
    found, moved = evidence.arrival_times(times(0, 100, 10, 101))
    assert ((found // S).tolist(), moved) == ([0, 100, 100, 101], 1)


def test_drop_outs_are_bridged_only_with_reason() -> None:
    """Equal states on both sides are held through, different ones meet in the middle, a long silence stays unknown."""
    story = Steps.of(
        times(0, 100, 160, 300, 400, 500, 2000),
        [State.RUNNING, State.UNKNOWN, State.RUNNING, State.UNKNOWN, State.WAITING, State.UNKNOWN, State.RUNNING],
    )
    found = evidence.mend(story, 2100 * S)
    assert list(zip((found.states.times // S).tolist(), found.states.values.tolist(), strict=True)) == [
        (0, State.RUNNING), (350, State.WAITING), (500, State.UNKNOWN), (2000, State.RUNNING),
    ]  # fmt: skip
    assert (found.bridges, found.unknown // S) == (2, 1500)


def test_weibull_agrees_with_scipy() -> None:
    """Shape and scale are scipy's maximum likelihood, and the intervals hold the truth."""
    lives = stats.weibull_min.rvs(2.2, scale=300, size=80, random_state=4)
    found = reliability.fit_weibull(lives, np.empty(0))
    assert found is not None
    shape, _, scale = stats.weibull_min.fit(lives, floc=0)
    assert found.shape == pytest.approx(shape, rel=1e-4)
    assert found.scale == pytest.approx(scale, rel=1e-4)
    assert found.shape_interval[0] < 2.2 < found.shape_interval[1]
    assert found.scale_interval[0] < 300 < found.scale_interval[1]
    assert reliability.fit_weibull(lives[:2], np.empty(0)) is None


def test_weibull_knows_what_has_not_failed_yet() -> None:
    """Running times without a failure lengthen the life; the interval covers the truth about as often as it says."""
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(120):
        life = rng.weibull(1.5, 40) * 100
        found = reliability.fit_weibull(life[life < 120], np.full(int((life >= 120).sum()), 120.0))
        assert found is not None
        hits += found.scale_interval[0] < 100 < found.scale_interval[1]
    assert hits >= 104


def test_the_bottleneck_is_who_never_waits() -> None:
    """Of three machines the one without starving and blocking holds the line back."""
    found = lines.bottleneck([
        Totals(production=50, blocked=50), Totals(production=90, breakdown=8, starved=2),
        Totals(production=60, starved=40),
    ])  # fmt: skip
    assert found is not None
    assert (found.machine, round(found.lead, 2)) == (1, 0.38)
    assert lines.bottleneck([Totals()]) is None


def test_pareto_compares_with_the_period_before() -> None:
    """Reasons fall by time, with their running share and what they were before."""
    rows = {("jam", Element.BREAKDOWN): (60, 3), ("tool", Element.SETUP): (40, 2)}
    found = losses.pareto(rows, {("jam", Element.BREAKDOWN): (90, 4)})
    assert [(row.reason, row.cumulative, row.before) for row in found] == [("jam", 0.6, 90), ("tool", 1.0, None)]


def test_change_over_has_an_inner_and_an_outer_part() -> None:
    """From the last good part before to the first after; what was not set-up can be made external."""
    found = losses.change_overs([(0, 0), (100, 1)], [50, 90, 140, 150], [(95, 120)])
    assert [(one.start, one.end, one.internal, one.external) for one in found] == [(90, 140, 25, 25)]

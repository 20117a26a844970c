"""Comparisons, against values computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from lineshaft.analytics.comparison import (
    Course,
    Matching,
    common_products,
    independent_values,
    load_band,
    number_difference,
    ranking,
    share_difference,
    standings,
)

HOUR = 3600.0


def course(values: list[float], products: list[int] | None = None, loads: list[float] | None = None) -> Course:
    n = len(values)
    return Course(
        np.array(values, float),
        np.full(n, HOUR),
        np.array(loads if loads is not None else [np.nan] * n, float),
        np.array(products if products is not None else [-1] * n, np.int64),
    )


def test_mean_spread_and_quantiles_are_weighted_by_time() -> None:
    """A value that was known for three hours counts three times; a bucket without a value counts nothing."""
    one = Course(np.array([10.0, 20.0, np.nan]), np.array([3 * HOUR, HOUR, HOUR]), np.full(3, np.nan), np.full(3, -1))
    (found,) = standings([one], Matching())
    assert found.mean == 12.5
    assert found.spread == pytest.approx(np.sqrt((3 * 2.5**2 + 7.5**2) / 4))
    assert found.quantiles[2] == 10.0
    assert found.quantiles[4] == 20.0
    assert found.seconds == 4 * HOUR


def test_nobody_is_better_for_making_the_easier_product() -> None:
    """Product 0 takes 10, product 1 takes 20 on both machines; raw means differ with the mix, matched ones do not."""
    easy = course([10, 10, 10, 20], products=[0, 0, 0, 1])
    hard = course([10, 20, 20, 20], products=[0, 1, 1, 1])
    raw = [one.mean for one in standings([easy, hard], Matching())]
    assert raw == [12.5, 17.5]
    assert common_products([easy, hard]) == (0, 1)
    matched = [one.mean for one in standings([easy, hard], Matching((0, 1)))]
    assert matched == [15.0, 15.0]  # each product was made in 4 of the 8 hours
    (only,) = standings([easy], Matching((1,)))
    assert (only.mean, only.seconds) == (20.0, HOUR)
    stranger = course([7, 7], products=[2, 2])
    assert common_products([easy, hard, stranger]) == ()


def test_only_time_in_the_same_band_of_load_counts() -> None:
    """The band is where the loads of all overlap; without an overlap there is none."""
    low = course([1, 2, 3, 4, 5], loads=[0, 10, 20, 30, 40])
    high = course([1, 2, 3, 4, 5], loads=[20, 30, 40, 50, 60])
    assert load_band([low, high]) == pytest.approx((24.0, 36.0))  # 10 % of the upper, 90 % of the lower one
    first, second = standings([low, high], Matching(low=24.0, high=36.0))
    assert (first.mean, second.mean) == (4.0, 2.0)
    far = course([1, 2], loads=[500, 600])
    assert np.isnan(load_band([low, far])).all()


def test_neighbours_that_are_alike_are_worth_less() -> None:
    """A course that stays where it is tells less than its number of values; one that jumps tells all of them."""
    held = np.repeat([1.0, 5.0, 2.0, 8.0, 3.0], 20)
    assert independent_values(held, np.arange(100)) < 15
    assert independent_values(np.tile([1.0, 2.0], 50), np.arange(100)) == 100
    assert independent_values(held, np.arange(100) * 2) == 100  # no two of them are neighbours


def test_a_difference_is_clear_only_when_chance_does_not_explain_it() -> None:
    """The probability is that of Welch's test; with few hours nothing is said."""
    a, b = [10.0, 12.0, 11.0, 9.0, 10.0, 11.0, 9.5, 12.5], [14.0, 16.0, 13.0, 15.0, 16.0, 14.0, 13.5, 17.0]
    found = standings([course(b), course(a)], Matching())
    first, second = ranking(found, "low")
    assert (first.course, first.verdict) == (1, "best")
    assert (second.course, second.verdict) == (0, "clear")
    if found[0].independent == found[1].independent == 8:
        assert second.probability == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue)
    assert ranking(found, "high")[0].course == 0
    same = ranking(standings([course(a), course([x + 0.2 for x in a])], Matching()), "low")
    assert same[1].verdict == "unclear"
    little = ranking(standings([course(a), course([1.0])], Matching()), "low")
    assert [(one.course, one.verdict) for one in little] == [(0, "best"), (1, "too little")]
    none = ranking(standings([course([np.nan])], Matching()), "low")
    assert none[0].verdict == "too little"


def test_the_confidence_interval_is_that_of_a_mean() -> None:
    """Of independent values the interval is the textbook one."""
    values = [3.0, 9.0, 4.0, 8.0, 5.0, 7.0, 2.0, 10.0]
    (found,) = standings([course(values)], Matching())
    assert found.independent == 8
    low, high = found.interval()
    expected = stats.t.interval(0.95, 7, np.mean(values), stats.sem(values))
    assert (low, high) == pytest.approx(expected)


def test_settings_are_ranked_by_how_different_they_are() -> None:
    """A number against the median of the others, a state by how differently its time is spent."""
    assert number_difference(90.0, [100.0, 120.0, 80.0]) == (100.0, pytest.approx(0.1))
    assert number_difference(0.0, [0.0, 0.0]) == (0.0, 0.0)
    assert number_difference(5.0, [float("nan")])[1] == 0.0
    assert share_difference({"A": 10.0}, [{"B": 3.0}, {"B": 9.0}]) == 1.0
    assert share_difference({"A": 5.0, "B": 5.0}, [{"A": 1.0}]) == 0.5
    assert share_difference({"A": 2.0}, [{"A": 100.0}]) == 0.0
    assert share_difference({}, [{"A": 1.0}]) == 0.0


def test_a_line_is_its_assets_one_after_the_other() -> None:
    """Joined courses keep every bucket."""
    joined = Course.joined([course([1, 2], products=[0, 1]), course([3], loads=[7.0])])
    assert joined.values.tolist() == [1, 2, 3]
    assert joined.products.tolist() == [0, 1, -1]

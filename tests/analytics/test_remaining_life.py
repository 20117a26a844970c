"""Remaining life: every model on lives whose end is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lineshaft.analytics.remaining_life.degradation import growth_life
from lineshaft.analytics.remaining_life.estimate import Duty, under_plan
from lineshaft.analytics.remaining_life.fleet import Life, fit_fleet, fleet_life
from lineshaft.analytics.remaining_life.learned import History, fit_learned, learned_model, model_arrays
from lineshaft.analytics.remaining_life.plans import compared, duties_of, life_by_plan, wear_of
from lineshaft.analytics.remaining_life.scores import (
    conformal_quantile,
    coverage,
    least_relative_error,
    percent_errors,
    phm2012_score,
    turbofan_score,
)
from lineshaft.analytics.remaining_life.trees import TreeEnsemble, tree_ensemble
from lineshaft.analytics.remaining_life.weibull import fit_weibull, weibull_life
from lineshaft.analytics.remaining_life.windows import window_features
from lineshaft.model.plan import Run, Use

HOUR = 3_600_000_000


def test_the_published_score_of_the_challenge() -> None:
    """The errors that Sutrisno 2012 published give 0.3066, those of Hong 2014 0.3550 (PHM 2012)."""
    winner = np.array([37, 80, 9, -5, -2, 64, 10, -440, 49, -317, 90.0])
    hong = np.array([-1.04, -20.94, -278.26, 19.18, -7.13, 10.49, 51.80, 28.80, -20.93, 44.83, -3.66])
    assert phm2012_score(winner) == pytest.approx(0.3066, abs=1e-4)
    assert phm2012_score(hong) == pytest.approx(0.3550, abs=1e-4)
    assert percent_errors(np.array([100.0]), np.array([80.0]))[0] == pytest.approx(20)
    assert turbofan_score(np.array([10.0, 10]), np.array([0.0, 20])) == pytest.approx(math.exp(10 / 13) + math.e - 2)


def test_a_conformal_interval_covers_what_it_says() -> None:
    """The 10 and 90 % quantiles of 1,000 residuals hold four fifths of new ones; few residuals give the widest."""
    random = np.random.default_rng(1)
    old, new = random.normal(0, 1, 1000), random.normal(0, 1, 2000)
    low, high = conformal_quantile(old, 0.1), conformal_quantile(old, 0.9)
    assert 0.75 < coverage(new, np.full(2000, low), np.full(2000, high)) < 0.86
    assert conformal_quantile(np.array([1.0, 2.0]), 0.9) == 2.0
    best = least_relative_error(old)
    errors = [np.mean(np.abs(1 - np.exp(s - old))) for s in (best - 0.2, best, best + 0.2)]
    assert errors[1] == min(errors)


def test_weibull_finds_shape_and_scale_with_machines_that_still_run() -> None:
    """200 lives of shape 2.5 and scale 1,000, half of them censored at 900."""
    lives = 1000 * np.random.default_rng(2).weibull(2.5, 200)
    model = fit_weibull(lives[lives <= 900], np.full(np.count_nonzero(lives > 900), 900.0))
    assert model.shape == pytest.approx(2.5, rel=0.15)
    assert model.scale == pytest.approx(1000, rel=0.1)
    assert model.remaining(0, 1 - math.exp(-1)) == pytest.approx(model.scale)
    assert model.remaining(2000, 0.5) < model.remaining(500, 0.5)
    found = weibull_life(lives[:20], None, 800)
    assert found.p10 < found.p50 < found.p90
    assert weibull_life(lives[:2], None, 800).too_early


@pytest.mark.parametrize("growth", ["linear", "exponential"])
def test_growth_reaches_the_limit_when_it_does(growth: str) -> None:
    """An index that grows to 10 at 200 h gives about 100 h at 100 h, inside its interval; a flat one is too early."""
    times = np.arange(1, 101.0)
    index = times * 0.05 if growth == "linear" else np.exp(times * math.log(10) / 200)
    noisy = index * (1 + np.random.default_rng(3).normal(0, 0.01, 100))
    found = growth_life(times, noisy, 10.0, growth)  # type: ignore[arg-type]
    assert found.p50 == pytest.approx(100, rel=0.1)
    assert found.p10 < 100 < found.p90
    flat = growth_life(times, 1 + 0.1 * np.random.default_rng(4).normal(0, 1, 100), 10.0, growth)  # type: ignore[arg-type]
    assert flat.too_early
    assert flat.words
    assert growth_life(times[:3], index[:3], 10.0, "linear").too_early
    assert growth_life(times, index + 20, 10.0, growth).p90 == 0.0  # type: ignore[arg-type]


def fleet(seed: int, count: int = 8) -> list[Life]:
    """Machines of very different lives whose index grows from 60 % of the life on."""
    random = np.random.default_rng(seed)
    lives = []
    for _ in range(count):
        end = float(random.uniform(300, 3000))
        age = np.linspace(end / 150, end, 150)
        wear = np.exp(np.maximum(0, age / end - 0.6) * 8) - 1 + np.abs(random.normal(0, 0.02, 150))
        lives.append(Life(age, wear))
    return lives


def test_a_fleet_predicts_a_machine_that_it_has_not_seen() -> None:
    """Better than the best constant guess, with intervals that hold about four fifths."""
    model = fit_fleet(fleet(1), limit=24.0)
    true, point, low, high = [], [], [], []
    for life in fleet(2, 12):
        for cut in (0.7, 0.8, 0.9):
            found = model.remaining(life.until(cut * life.end))
            true.append(life.end * (1 - cut))
            point.append(found.point)
            low.append(found.p10)
            high.append(found.p90)
            assert found.p10 <= found.p50 <= found.p90
    truth = np.array(true)
    error = np.mean(np.abs(percent_errors(truth, np.array(point))))
    constant = min(np.mean(np.abs(percent_errors(truth, np.full(36, c)))) for c in range(10, 900, 10))
    assert error < constant
    assert 0.6 < coverage(truth, np.array(low), np.array(high)) <= 1
    assert model.method in model.errors
    assert fleet_life(fleet(1)[:2], fleet(2)[0]).too_early


def test_a_plan_stretches_or_shortens_the_hours() -> None:
    """Half the load wears an eighth (ISO 281, ball bearings); a machine that stands does not wear."""
    assert under_plan(100, [Duty(1000)]) == pytest.approx(100)
    assert under_plan(100, [Duty(1000, load=0.5)]) == pytest.approx(800)
    assert under_plan(100, [Duty(8), Duty(16, speed=0.0)]) == pytest.approx(292)
    assert under_plan(100, [Duty(1, speed=0.0)]) == float("inf")
    with pytest.raises(ValueError, match="plan"):
        under_plan(1, [])


def planned(random: np.random.Generator, **factor: float) -> list[Run]:
    """A plan of eight runs with holes and overlaps; `factor` makes speed, load or hours of the same plan larger."""
    found = []
    for start in np.sort(random.integers(-20, 300, 8)).tolist():
        span = int(random.integers(1, 40))
        hours, speed, load = random.uniform(0, span), random.uniform(0, 1.5), random.uniform(0, 1.5)
        found.append(
            Run(
                start * HOUR, (start + span) * HOUR, min(float(span), hours * factor.get("hours", 1.0)),
                speed * factor.get("speed", 1.0), load * factor.get("load", 1.0),
            )
        )  # fmt: skip
    return found


@pytest.mark.parametrize("what", ["load", "speed", "hours"])
def test_a_harder_plan_never_lengthens_the_life(what: str) -> None:
    """Twice the planned load, speed or running hours leave at most what was left; P10, P50 and P90 keep their order."""
    for seed in range(200):
        plain, hard = (
            duties_of(planned(np.random.default_rng(seed), **{what: factor}), since=0) for factor in (1.0, 2.0)
        )
        rate = float(np.random.default_rng(seed).uniform(0.05, 2))
        left = [life_by_plan(hours, plain, rate) for hours in (5, 80, 900)]
        harder = [life_by_plan(hours, hard, rate) for hours in (5, 80, 900)]
        assert left == sorted(left)
        assert all(after <= before + 1e-9 for after, before in zip(harder, left, strict=True))


def test_life_follows_the_plan_and_then_the_past() -> None:
    """12 of 24 h a day so far: planned round the clock the hours pass twice as fast, planned to stand none pass; when
    the plan ends the past goes on. The plan is told beside the past."""
    use = Use(168.0, (Run(-168 * HOUR, 0, 84.0),))
    rate = wear_of(use)
    assert rate == pytest.approx(0.5)
    busy = [Run(0, 1000 * HOUR, 1000.0)]
    assert life_by_plan(100, duties_of(busy, 0), rate) == pytest.approx(50)
    assert life_by_plan(100, duties_of([Run(30 * HOUR, 40 * HOUR, 10.0)], 0), rate) == pytest.approx(40 + 80)
    assert life_by_plan(100, (), rate) == pytest.approx(100)
    assert life_by_plan(100, duties_of([Run(0, 1000 * HOUR, 1000.0, load=2.0)], 0), rate) == pytest.approx(50 / 8)
    found = compared([Run(-8 * HOUR, 8 * HOUR, 16.0, load=0.9), Run(16 * HOUR, 24 * HOUR, 8.0, load=0.9)], use, 0)
    assert found is not None
    assert (found.until, found.hours_a_day, found.hours_before) == (24 * HOUR, pytest.approx(16), pytest.approx(12))
    assert (found.speed, found.load) == (pytest.approx(1), pytest.approx(0.9))
    assert compared([], use, 0) is None
    with pytest.raises(ValueError, match="past"):
        life_by_plan(1, (), 0.0)


def histories(count: int = 12, seed: int = 1) -> list[History]:
    """Machines that fail when a hidden wear reaches 1, under two operating points."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(count):
        n = int(random.integers(120, 220))
        wear = (np.arange(n) / n) ** 3
        operating = random.integers(0, 2, (n, 1)) * 20.0
        signals = np.column_stack((wear * 3 + operating[:, 0], random.normal(0, 1, n)))
        found.append(History(str(number), signals + random.normal(0, 0.1, signals.shape), operating))
    return found


def test_learned_lives_are_predicted_and_the_model_survives_its_file() -> None:
    """Well below the error of the mean on machines left out; document and arrays give the same predictions again."""
    pytest.importorskip("sklearn")
    model = fit_learned(histories(), ("s", "noise"), ("load",), cap=80)
    assert model.record["error"] < 10
    document, arrays = model_arrays(model)
    again = learned_model(document, arrays)
    unseen = histories(1, seed=9)[0]
    assert np.array_equal(model.predict(unseen), again.predict(unseen))
    found = again.remaining(History("x", unseen.signals[:-30], unseen.operating[:-30]))
    assert found.p50 == pytest.approx(30, abs=15)
    assert found.p10 <= found.p50 <= found.p90
    assert again.remaining(History("x", unseen.signals[:3], unseen.operating[:3])).too_early
    with pytest.raises(ValueError, match="no model"):
        learned_model({**document, "format": 99}, arrays)
    with pytest.raises(ValueError, match="histories"):
        fit_learned(histories(3), ("s", "noise"), ("load",))


def test_trees_as_arrays_predict_what_scikit_learn_predicts() -> None:
    """The arrays give the same numbers as the library that grew the trees."""
    ensemble = pytest.importorskip("sklearn.ensemble")
    from lineshaft.analytics.remaining_life.trees import of_gradient_boosting

    random = np.random.default_rng(5)
    rows = random.normal(0, 1, (400, 4))
    model = ensemble.HistGradientBoostingRegressor(max_iter=30, random_state=0).fit(rows, rows[:, 0] * rows[:, 1])
    assert of_gradient_boosting(model).predict(rows) == pytest.approx(model.predict(rows), abs=1e-12)


def test_trees_that_lead_nowhere_are_refused() -> None:
    """A file whose nodes point back or beyond is no model: it cannot loop."""
    node = {"roots": [0], "feature": [0, -1], "threshold": [0.0, 0], "left": [0, 0], "right": [1, 0], "value": [0.0, 1]}
    with pytest.raises(ValueError, match="nowhere"):
        tree_ensemble(0.0, {name: np.array(values) for name, values in node.items()})
    leaf = TreeEnsemble(1.0, *(np.array([x]) for x in (0, -1)), np.zeros(1), *(np.zeros(1, np.int32),) * 2, np.ones(1))
    assert list(leaf.predict(np.zeros((2, 1)))) == [2.0, 2.0]


def test_windows_see_the_past_only() -> None:
    """The features of a cycle do not change when later cycles come; a steady rise has its slope."""
    values = np.column_stack((np.arange(60.0), np.ones(60)))
    whole = window_features(values)
    assert whole[:30] == pytest.approx(window_features(values[:30]))
    assert whole[59, 6] == pytest.approx(1.0)
    assert whole[59, -1] == 60

"""Remaining life by the model that was least wrong on the machine's own past."""

from __future__ import annotations

import numpy as np
import pytest

from lineshaft.analytics.remaining_life.calibration import LEVELS, Trial, calibrated, fit_errors, stage_of
from lineshaft.analytics.remaining_life.estimate import RemainingLife
from lineshaft.analytics.remaining_life.picked import picked_life
from lineshaft.analytics.remaining_life.wear_errors import WEAR_ERRORS
from lineshaft.model.samples import Float64Array


def worn(growth: str, until: float, noise: float = 0.02) -> tuple[Float64Array, Float64Array]:
    """Hours and an index that reaches 40 after 400 h, seen up to a part of that."""
    hours = np.arange(0.0, 400 * until, 2.0)
    clean = 1 + 39 * hours / 400 if growth == "linear" else 40 ** (hours / 400)
    return hours, clean * np.exp(np.random.default_rng(3).normal(0, noise, len(hours)))


@pytest.mark.parametrize("growth", ["linear", "exponential"])
def test_the_model_that_fits_the_past_speaks(growth: str) -> None:
    """Linear wear is foretold as linear, exponential as exponential, and the truth lies within P10 to P90."""
    life = picked_life(*worn(growth, 0.6), 40.0)
    assert life.method == growth
    assert life.p10 <= 160 <= life.p90
    assert life.p50 == pytest.approx(160, rel=0.25)
    assert "foretold its past within" in life.words


def test_an_interval_is_as_wide_as_the_errors_on_other_machines() -> None:
    """P10 and P90 follow the errors of the stage, each on its own side; without errors the model's own stay."""
    hours, index = worn("linear", 0.6)
    own = picked_life(hours, index, 40.0, errors={})
    cell = ("linear", stage_of(0.6))
    early, late = ({cell: tuple(sign * level for level in LEVELS)[::sign]} for sign in (-1, 1))
    assert picked_life(hours, index, 40.0, errors=early).p90 < own.p50
    assert picked_life(hours, index, 40.0, errors=late).p10 > own.p50
    assert own.p10 < own.p50 < own.p90


def test_what_was_missed_here_makes_that_side_wider() -> None:
    """A forecast that came true far too early lowers P10 and leaves P90 nearly where it was."""
    life = RemainingLife(80, 100, 120, "linear", "")
    held = [Trial("linear", 0.6, 0.2, 0.0)] * 6
    missed = [Trial("linear", 0.6, 0.2, -1.5)] * 6
    calm, warned = (calibrated(life, "linear", 0.6, WEAR_ERRORS, past) for past in (held, missed))
    assert warned.p10 < 0.95 * calm.p10
    assert warned.p90 == pytest.approx(calm.p90)


def test_errors_are_learned_per_model_and_stage() -> None:
    """Quantiles of error by spread; a stage with few trials is left out."""
    random = np.random.default_rng(1)
    many = [Trial("linear", 0.6, 0.9, float(x)) for x in random.normal(0, 1, 2000)]
    few = [Trial("exponential", 0.6, 0.9, 0.0)] * 10
    errors = fit_errors([*many, *few])
    assert list(errors) == [("linear", 3)]
    assert errors["linear", 3][LEVELS.index(0.1)] == pytest.approx(-1.28, abs=0.1)


def test_too_early_is_an_answer() -> None:
    """Few values, none that are known, or an index that does not grow: no number."""
    hours, index = worn("linear", 0.6)
    assert picked_life(hours[:9], index[:9], 40.0).too_early
    assert picked_life(hours, np.full(len(hours), np.nan), 40.0).too_early
    assert picked_life(hours, np.full(len(hours), 3.0), 40.0).too_early


def simulated(random: np.random.Generator, growth: str) -> tuple[Float64Array, Float64Array, float]:
    """Hours, an observed index with noise, and the hour at which the index itself reaches 40."""
    life = random.uniform(200, 600)
    hours = np.arange(int(life * 0.8)) * 2.0
    if growth == "linear":
        index = 1.5 + np.cumsum(random.normal(77 / life, 0.35, len(hours)))
    else:
        index = 1.5 * np.exp(np.cumsum(random.normal(2 * np.log(40 / 1.5) / life, 0.03, len(hours))))
    seen = np.maximum(index, 0.1) * np.exp(random.normal(0, 0.05, len(hours)))
    over = np.flatnonzero(index >= 40)
    return hours, seen, float(hours[over[0]]) if len(over) else np.nan


def test_the_interval_holds_as_often_as_it_says() -> None:
    """Of 60 simulated machines at seven tenths of their life, P10 to P90 holds for about four of five."""
    random = np.random.default_rng(5)
    inside, errors = [], []
    for number in range(60):
        hours, seen, end = simulated(random, ("linear", "exponential")[number % 2])
        if np.isnan(end):
            continue
        cut = int(0.7 * end / 2)
        life = picked_life(hours[:cut], seen[:cut], 40.0)
        true = end - hours[cut - 1]
        if not life.too_early:
            inside.append(life.p10 <= true <= life.p90)
            errors.append(abs(life.p50 - true) / true)
    assert len(inside) > 20
    assert 0.6 <= np.mean(inside) <= 0.95
    assert np.median(errors) < 0.4

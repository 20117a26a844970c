"""Anomaly detectors on signals whose faults are known, and the count of alarms beside labels."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lineshaft.analytics.anomaly.baseline import baseline, fit_baseline
from lineshaft.analytics.anomaly.context import slow_mean, within_regimes
from lineshaft.analytics.anomaly.detect import METHODS, Method, detect, leading
from lineshaft.analytics.anomaly.episodes import episodes, judge
from lineshaft.analytics.anomaly.forecast import fit_forecast, forecast
from lineshaft.analytics.tool_wear import fit_wear, run_features

NAMES = ("flow", "pressure", "power", "valve")


def plant(n: int = 1200, fault: int | None = None, seed: int = 1) -> np.ndarray:
    """A flow that wanders, pressure and power that follow it; from `fault` on the pressure does not."""
    random = np.random.default_rng(seed)
    flow = np.zeros(n)
    for i in range(1, n):
        flow[i] = 0.95 * flow[i - 1] + random.normal(0, 0.3)
    rows = np.column_stack((flow, 2 * flow, 3 * flow + 10, random.normal(0, 1, n))) + random.normal(0, 0.1, (n, 4))
    if fault is not None:
        rows[fault:, 1] = 2 * flow[fault - 1] + 3 + random.normal(0, 0.1, n - fault)
    return rows


@pytest.mark.parametrize("method", METHODS)
def test_a_broken_relation_is_found_and_named(method: Method) -> None:
    """No value is out of its range, but the pressure no longer follows the flow."""
    found = detect(plant(fault=900), NAMES, 600, method)
    alarms = episodes(found.score[600:])
    assert any(300 <= alarm.first < 320 for alarm in alarms)
    assert leading(found, 905, 915)[0][0] == "pressure"


@pytest.mark.parametrize("method", METHODS)
def test_normal_rows_stay_below_the_limit(method: Method) -> None:
    """At a level of 99.5 % about one row in 200 of a time that was not learned from is beyond the limit."""
    found = detect(plant(4000), NAMES, 2000, method)
    assert np.mean(found.score[2000:] > 1) < 0.02
    assert np.allclose(np.nansum(found.contribution[10:], axis=1), 1)


def test_models_survive_json() -> None:
    """A baseline and a forecast give the same scores out of their documents."""
    rows = plant()
    for model, back in ((fit_baseline(rows), baseline), (fit_forecast(rows), forecast)):
        again = back(json.loads(json.dumps(model.document())))
        assert np.array_equal(model.scores(rows).score, again.scores(rows).score, equal_nan=True)


def test_faults_in_the_training_time_do_little_harm() -> None:
    """Two rows in a hundred with wild values hardly move the limits."""
    rows = plant()
    spoiled = rows.copy()
    spoiled[::50] += 40
    calm, wild = (fit_baseline(x).scores(plant(fault=600, seed=2)).score[700:] for x in (rows, spoiled))
    assert np.mean(wild > 1) > 0.8 * np.mean(calm > 1)


def test_a_gap_is_not_judged_and_too_little_refused() -> None:
    """A row with a missing value has no score; 29 rows are no normal."""
    rows = plant()
    rows[700, 2] = np.nan
    assert np.isnan(detect(rows, NAMES, 600, "baseline").score[700])
    for method in METHODS:
        with pytest.raises(ValueError, match="30 or more"):
            detect(rows, NAMES, 25, method)
    with pytest.raises(ValueError, match="cannot be learned"):
        detect(rows, NAMES, 0, "baseline")


def test_a_signal_is_compared_within_its_regime() -> None:
    """The power of a machine at 3,000/min is normal there and not at 1,000/min."""
    random = np.random.default_rng(3)
    speed = np.where(np.arange(800) // 50 % 2, 3000.0, 1000.0)
    power = speed / 100 + random.normal(0, 0.3, 800)
    power[700:720] = 30.0  # at 1,000/min
    z = within_regimes(power[:, None], speed[:, None], 400)
    assert np.abs(z[:700]).max() < 6 < z[705, 0]


def test_one_series_with_a_daily_cycle_uses_its_past() -> None:
    """A cooling that stops swinging is found though every value is normal."""
    hours = np.arange(24 * 60)
    values = 20 + 3 * np.sin(2 * np.pi * hours / 24) + np.random.default_rng(4).normal(0, 0.2, len(hours))
    values[1200:] = 20 + np.random.default_rng(5).normal(0, 0.2, len(hours) - 1200)
    found = detect(values[:, None], ("temperature",), 720, "baseline", day=24)
    alarms = episodes(found.score[720:], persistence=6, merge=24)
    assert any(480 <= alarm.first < 560 for alarm in alarms)
    assert slow_mean(np.array([[1.0], [np.nan], [1.0]]), 4)[1, 0] == 1.0


def test_alarms_are_counted_beside_windows() -> None:
    """One window hit after 2 s, one missed, one alarm outside in a time of which the month's share is known."""
    score = np.zeros(100)
    score[12:20] = 2
    score[60:70] = 2
    alarms = episodes(score, persistence=3, merge=5)
    assert [(alarm.first, alarm.last) for alarm in alarms] == [(14, 19), (62, 69)]
    found = judge(np.arange(100.0), score, alarms, [(12, 30), (80, 90)])
    assert (found.hit, found.windows, found.false, found.delay) == (1, 2, 1, 2.0)
    assert found.per_month == pytest.approx(30 * 86_400 / 70)
    assert episodes(np.array([2.0, np.nan, 2, 2])) == ()


def test_a_worn_tool_is_told_through_the_feed() -> None:
    """Power grows with the feed and, less, with wear: runs that were left out are still judged right."""
    random = np.random.default_rng(6)
    feed = np.array([3.0, 6, 12, 20] * 4)
    worn = np.arange(16) % 8 >= 4
    cutting = np.arange(200) > 20
    runs = [feed[i] * (1.2 if worn[i] else 1.0) * (1 + 0.05 * random.normal(0, 1, (200, 2))) for i in range(16)]
    rows = np.array([run_features(run, cutting) for run in runs])
    model = fit_wear(rows[:12], feed[:12], worn[:12])
    assert list(model.score(rows[12:], feed[12:]) > 0) == list(worn[12:])
    with pytest.raises(ValueError, match="cutting"):
        run_features(runs[0], cutting & False)
    with pytest.raises(ValueError, match="3 runs"):
        fit_wear(rows[:4], feed[:4], worn[:4])

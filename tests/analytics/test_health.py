"""Health index, stages and alarms, on machines whose wear is known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lineshaft.analytics.health.alarms import (
    Limits,
    first_at,
    first_beyond,
    learn_fleet_rule,
    left_normal,
    limits_of,
    stages,
)
from lineshaft.analytics.health.index import fit_health, health_model, health_trace, running_median
from lineshaft.analytics.health.regimes import fit_regimes, no_regimes

NAMES = ("velocity", "envelope", "temperature")


def machine(wear_from: int = 300, n: int = 400, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Features and speed of a machine that runs slow and fast by turns; its envelope grows from one row on."""
    random = np.random.default_rng(seed)
    speed = np.where(np.arange(n) // 20 % 2, 1500.0, 750.0)
    grown = 1 + 0.02 * np.maximum(0, np.arange(n) - wear_from)
    features = np.column_stack((speed / 500, speed / 100 * grown, np.full(n, 60.0)))
    return features * np.exp(random.normal(0, 0.05, features.shape)), speed[:, None]


def test_wear_is_seen_through_the_change_of_speed() -> None:
    """Each regime is compared with itself: no alarm before the wear, one soon after, and the envelope is named."""
    features, speed = machine()
    model = fit_health(features[:200], NAMES, operating=speed[:200])
    trace = health_trace(model, features, operating=speed)
    limits = limits_of(trace.smooth[:200])
    stage = stages(trace.smooth, limits)
    alarm, left = first_at(stage, 2), left_normal(trace.smooth, limits)
    assert alarm is not None
    assert left is not None
    assert 300 < alarm < 345
    assert 290 < left < alarm
    assert NAMES[int(np.argmax(trace.contribution[alarm]))] == "envelope"
    assert trace.contribution[alarm].sum() == pytest.approx(1)


def test_transients_and_sensor_faults_make_no_alarm() -> None:
    """Three wild rows, a stretch of a faulty sensor and gaps leave the stage at normal."""
    features, speed = machine(wear_from=10_000)
    model = fit_health(features[:200], NAMES, operating=speed[:200])
    features[250:253] *= 50
    features[300:340, 1] = np.nan
    features[350:390] *= 30
    trusted = np.ones(400, np.bool_)
    trusted[350:390] = False
    trace = health_trace(model, features, operating=speed, trusted=trusted)
    assert stages(trace.smooth, limits_of(trace.smooth[:200])).max() == 0
    assert np.isnan(trace.index[300:340]).all()


def test_a_regime_that_was_never_healthy_is_not_judged() -> None:
    """A speed outside of everything that was learned has no index."""
    features, speed = machine()
    model = fit_health(features[:200], NAMES, operating=speed[:200])
    assert np.isnan(health_trace(model, features[:5], operating=speed[:5] + 5000).index).all()


def test_a_model_survives_json() -> None:
    """Document and back gives the same index, with and without regimes."""
    features, speed = machine()
    for operating in (speed, None):
        model = fit_health(features[:200], NAMES, operating=None if operating is None else operating[:200])
        again = health_model(json.loads(json.dumps(model.document())))
        first, second = (health_trace(one, features, operating=operating).index for one in (model, again))
        assert np.array_equal(first, second, equal_nan=True)


def test_too_little_is_refused() -> None:
    """Fewer than 20 healthy rows, operating values without a row, limits out of order."""
    with pytest.raises(ValueError, match="healthy period"):
        fit_health(np.ones((19, 2)), ("a", "b"))
    with pytest.raises(ValueError, match="operating"):
        fit_regimes(np.full((3, 1), np.nan))
    with pytest.raises(ValueError, match="ascend"):
        Limits(2, 1, 3)
    with pytest.raises(ValueError, match="known value"):
        limits_of(np.array([np.nan]))


def test_regimes_are_found_by_themselves() -> None:
    """Six working points are six regimes; one constant column is none of them."""
    points = np.repeat([[0.0, 20], [10, 20], [20, 20], [25, 60], [35, 60], [42, 90]], 30, axis=0)
    operating = np.column_stack((points + np.random.default_rng(1).normal(0, 0.01, points.shape), np.full(180, 7.0)))
    regimes = fit_regimes(operating)
    assert len(regimes.centres) == 6
    assert len(set(regimes.of(operating, 180))) == 6
    assert list(no_regimes().of(None, 3)) == [0, 0, 0]


def test_stages_rise_and_fall_with_persistence() -> None:
    """Three rows in a row raise a stage, three below 0.8 of its limit lower it by one; a gap changes nothing."""
    values = np.array([0, 2, 0, 2, 2, np.nan, 2, 5, 5, 5, 0, 0, 0, 0, 0, 0])
    found = stages(values, Limits(1, 4, 9))
    assert list(found) == [0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 1, 1, 1, 0]
    assert left_normal(values, Limits(1, 4, 9)) is None


def test_an_alarm_is_learned_from_other_lives() -> None:
    """The feature that is calm in every first half and high at every end is taken, and warns of an unseen life."""
    random = np.random.default_rng(3)

    def life(n: int, shift: float) -> np.ndarray:
        time = np.arange(n) / n
        jump = np.where(time > shift, 1.0, 0.0)
        return np.column_stack((jump, 2 * np.maximum(0, time - 0.8) * 5)) + random.normal(0, 0.05, (n, 2))

    rule = learn_fleet_rule([life(200, 0.2), life(300, 0.4), life(150, 0.7)])
    assert rule.feature == 1
    row = first_beyond(life(400, 0.1)[:, 1], rule.limit)
    assert row is not None
    assert 320 < row < 400
    assert first_beyond(np.zeros(5), 1.0) is None
    with pytest.raises(ValueError, match="no life"):
        learn_fleet_rule([])


def test_a_running_median_knows_the_past_only() -> None:
    """A spike does not move it, and the future neither."""
    found = running_median(np.array([1.0, 1, 1, 90, 1, 1]), 3)
    assert list(found) == [1, 1, 1, 1, 1, 1]

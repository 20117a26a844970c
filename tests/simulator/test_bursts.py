"""Simulated bursts: the physics of a bearing, and the nodes of a vibration monitor."""

from __future__ import annotations

import numpy as np
import pytest

from lineshaft.analytics.vibration import features
from lineshaft.analytics.vibration.envelope import envelope_spectrum
from lineshaft.analytics.vibration.sensor import sensor_problems
from lineshaft.simulator.bursts import _PUMP, RATE, acceleration


def burst(defect: float, speed: float = 2100.0, velocity: float = 1.2) -> np.ndarray:
    return acceleration(_PUMP, speed, velocity, defect, np.random.default_rng(1))


@pytest.mark.parametrize("defect", [0.05, 0.3, 1.5])
def test_a_defect_shows_at_the_frequency_of_the_outer_race(defect: float) -> None:
    """The envelope has its highest line where balls pass the defect, and shocks raise the kurtosis."""
    found = envelope_spectrum(burst(defect), RATE, (2500, 4500))
    line = 1 + int(np.argmax(found.amplitude[1 : int(1000 / found.resolution)]))
    assert line * found.resolution == pytest.approx(_PUMP.bpfo * 35, rel=0.02)
    assert features.kurtosis(burst(defect)) > 5


def test_a_healthy_bearing_shows_nothing() -> None:
    """Noise and the shaft: kurtosis of noise, no line in the envelope that stands out."""
    found = envelope_spectrum(burst(0.0), RATE, (2500, 4500))
    near = found.amplitude[1 : int(1000 / found.resolution)]
    assert near.max() < 5 * np.median(near)
    assert features.kurtosis(burst(0.0)) < 3.5


def test_severity_and_velocity_are_those_of_the_machine() -> None:
    """Velocity follows the machine's own value; a worse bearing shakes more; no burst looks like a broken sensor."""
    assert features.velocity_rms(burst(0.0), RATE) == pytest.approx(1.1, rel=0.15)
    sizes = [features.rms(burst(defect)) for defect in (0.0, 0.1, 0.5, 1.0, 2.0)]
    assert sizes == sorted(sizes)
    for defect in (0.0, 1.0, 2.0):
        assert sensor_problems(burst(defect), RATE) == ()
    assert features.rms(burst(1.0, speed=0.0)) < 0.1

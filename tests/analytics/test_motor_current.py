"""Broken bars, eccentricity and slip out of synthetic motor currents whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lineshaft.analytics.motor_current import Motor, NotMeasurable, diagnose_current, signature

RATE = 5_000.0
MOTOR = Motor(50.0, 2)


def current(
    slip: float = 0.03,
    bar: float = -70.0,
    gap: float = -55.0,
    *,
    seconds: float = 10.0,
    supply: float = 50.03,
    seed: int = 1,
) -> np.ndarray:
    """A of a four-pole motor: supply, two harmonics, rotor sidebands of `bar` dB, eccentricity of `gap` dB."""
    random = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    top = 20 * math.sqrt(2)

    def line(hertz: float, level: float) -> np.ndarray:
        return top * 10 ** (level / 20) * np.cos(2 * np.pi * hertz * t + random.uniform(0, 6.28))

    wave = line(supply, 0) + line(5 * supply, -35) + line(7 * supply, -38) + random.normal(0, 0.02, len(t))
    for sign in (-1, 1):
        wave += line(supply * (1 + sign * 2 * slip), bar) + line(supply * (1 + sign * (1 - slip) / 2), gap)
    return wave


@pytest.mark.parametrize("slip", [0.008, 0.02, 0.045])
def test_slip_supply_and_sidebands_are_measured(slip: float) -> None:
    """The slip is read out of the current within 0.05 points, and so are supply, size and the sidebands' heights."""
    found = signature(current(slip, bar=-40.0), RATE, MOTOR)
    assert found.estimated
    assert found.slip == pytest.approx(slip, abs=5e-4)
    assert found.supply == pytest.approx(50.03, abs=0.01)
    assert found.rms == pytest.approx(20.0, rel=0.02)
    assert found.broken_bar == pytest.approx(-40.0, abs=1.5)
    assert found.distortion == pytest.approx(math.hypot(10 ** (-35 / 20), 10 ** (-38 / 20)), rel=0.1)


def test_a_known_speed_wins_over_looking_for_it() -> None:
    """With the speed of the shaft the slip needs no lines of eccentricity."""
    found = signature(current(0.03, gap=-120.0), RATE, Motor(50.0, 2, 50.03 / 2 * 0.97))
    assert (found.estimated, round(found.slip, 4)) == (False, 0.03)
    with pytest.raises(NotMeasurable, match="cannot be read out of the current"):
        signature(current(0.03, gap=-120.0), RATE, MOTOR)


@pytest.mark.parametrize(("unit", "per"), [("A", 1.0), ("mA", 1000.0), ("kA", 0.001)])
def test_broken_bars_are_named_in_whatever_unit(unit: str, per: float) -> None:
    """-38 dB is a broken bar, told with its lines; the uneven air gap is another finding."""
    found = diagnose_current(current(bar=-38.0, gap=-33.0) * per, RATE, MOTOR, unit=unit)
    assert [one.kind for one in found.findings] == ["eccentricity", "rotor_bar"]
    broken = found.findings[1]
    assert broken.likelihood > 0.7
    assert [round(peak.frequency, 1) for peak in broken.peaks[:2]] == [47.0, 53.0]
    assert "47.0" in broken.words[0]
    assert found.speed == pytest.approx(50.03 / 2 * 0.97, rel=1e-3)


def test_sound_motors_are_called_nothing() -> None:
    """200 currents of sound motors at any load: no broken bar, no eccentricity."""
    random = np.random.default_rng(5)
    called = 0
    for seed in range(200):
        wave = current(
            random.uniform(0.01, 0.05), random.uniform(-75, -56), random.uniform(-58, -48), seconds=6, seed=seed
        )
        called += bool(diagnose_current(wave, RATE, MOTOR).findings)
    assert called == 0


@pytest.mark.parametrize(
    ("wave", "motor", "unit", "reason"),
    [
        (current(), MOTOR, "V", "unit"),
        (current(), None, "A", "motor"),
        (np.clip(current(), -20, 20), MOTOR, "A", "clipped"),
        (np.zeros(50_000), MOTOR, "A", "constant"),
        (current(0.004, seconds=3.0), Motor(50.0, 2, 50.03 / 2 * 0.996), "A", "short"),
        (current(), Motor(60.0, 2), "A", "supply"),
        (current(), Motor(50.0, 2, 30.0), "A", "speed"),
        (np.random.default_rng(1).normal(0, 1, 50_000), MOTOR, "A", "supply"),
        (np.where(np.arange(50_000) % 99, current(), np.nan), MOTOR, "A", "non_finite"),
    ],
)
def test_what_cannot_be_judged_says_why(wave: np.ndarray, motor: Motor | None, unit: str, reason: str) -> None:
    """Wrong unit, unknown motor, clipped, too short for the slip, another supply: refused with its reason."""
    found = diagnose_current(wave, RATE, motor, unit=unit)
    assert found.findings == ()
    assert [one.reason for one in found.not_diagnosable] == [reason]
    assert len(found.not_diagnosable[0].words) > 15


def test_half_a_record_is_refused() -> None:
    """A burst that broke off is no record."""
    found = diagnose_current(current(), RATE, MOTOR, expected=120_000)
    assert found.not_diagnosable[0].reason == "short"
    with pytest.raises(ValueError, match="pole pairs"):
        Motor(50.0, 0)

"""Features of vibration waveforms, on signals whose features are known by their formula."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lineshaft.analytics.vibration import features as vibration

RATE = 10_240.0
N = 10_240
TIME = np.arange(N) / RATE


def sine(frequency: float, amplitude: float) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * frequency * TIME)


def test_a_sine_has_the_features_of_its_formula() -> None:
    """RMS is amplitude by root 2, crest root 2, kurtosis 1.5, velocity amplitude by 2 pi f."""
    found = vibration.features(sine(80, 10.0) + 3.0, RATE)
    assert found.acceleration_rms == pytest.approx(10 / math.sqrt(2))
    assert found.peak == pytest.approx(10.0)
    assert found.crest == pytest.approx(math.sqrt(2))
    assert found.kurtosis == pytest.approx(1.5)
    assert found.velocity_rms == pytest.approx(1000 * 10 / (2 * math.pi * 80) / math.sqrt(2))


def test_velocity_counts_only_its_band() -> None:
    """What is slower than 10 Hz or faster than 1 kHz adds nothing to the velocity of ISO 20816."""
    inside = sine(50, 1.0)
    alone = vibration.velocity_rms(inside, RATE)
    assert vibration.velocity_rms(inside + sine(4, 5.0) + sine(2000, 50.0), RATE) == pytest.approx(alone)
    over_time = vibration.velocity(inside + sine(4, 5.0), RATE)
    assert vibration.rms(over_time) == pytest.approx(alone)
    assert over_time[0] == pytest.approx(-1000 / (2 * math.pi * 50))


@pytest.mark.parametrize("n", [1000, 1001])
def test_bands_add_up_to_the_whole(n: int) -> None:
    """Parseval: mean squares of bands side by side are the variance, for even and odd lengths."""
    wave = np.random.default_rng(1).normal(size=n)
    energies = vibration.band_energies(wave, 1000.0, [0, 50, 200, 500])
    assert energies.sum() == pytest.approx(np.var(wave))
    assert vibration.band_rms(wave, 1000.0, (0, 500)) == pytest.approx(vibration.rms(wave))


def test_two_sines_lie_in_their_bands() -> None:
    """Each band holds the sine that is in it, edges included below."""
    wave = sine(100, 2.0) + sine(300, 4.0)
    np.testing.assert_allclose(vibration.band_energies(wave, RATE, [0, 100, 300, 1000]), [0, 2.0, 8.0], atol=1e-12)


def test_the_envelope_of_a_modulated_carrier_is_its_modulation() -> None:
    """A 3 kHz tone that swells 87 times a second has an envelope of 87 Hz, though no line of 87 Hz."""
    wave = (1 + 0.5 * np.sin(2 * np.pi * 87 * TIME)) * np.sin(2 * np.pi * 3000 * TIME)
    shape = vibration.envelope(wave, RATE, (2500, 3500))
    np.testing.assert_allclose(shape, 1 + 0.5 * np.sin(2 * np.pi * 87 * TIME), atol=1e-9)
    found = vibration.features(
        wave,
        RATE,
        bands={"shaft": (80, 95)},
        carrier=(2500, 3500),
        envelope_bands={"defect": (80, 95), "other": (200, 300)},
    )
    assert found.bands["shaft"] == pytest.approx(0, abs=1e-9)
    assert found.envelope_bands["defect"] == pytest.approx(0.5 / math.sqrt(2))
    assert found.envelope_bands["other"] == pytest.approx(0, abs=1e-9)
    assert vibration.envelope_band_rms(wave, RATE, (2500, 3500), (80, 95)) == pytest.approx(0.5 / math.sqrt(2))


def test_noise_and_shocks() -> None:
    """Normal noise has kurtosis 3; a few shocks lift kurtosis and crest."""
    noise = np.random.default_rng(2).normal(size=200_000)
    assert vibration.kurtosis(noise) == pytest.approx(3, abs=0.05)
    shocks = noise.copy()
    shocks[::10_000] += 30
    assert vibration.kurtosis(shocks) > 10
    assert vibration.crest_factor(shocks) > 2 * vibration.crest_factor(noise)


def test_a_flat_line_has_no_crest() -> None:
    """Nothing moves: RMS 0, crest and kurtosis unknown rather than infinite."""
    flat = vibration.features(np.full(64, 9.81), 1000.0)
    assert (flat.acceleration_rms, flat.velocity_rms) == (pytest.approx(0), pytest.approx(0))
    assert math.isnan(flat.crest)
    assert math.isnan(flat.kurtosis)


def test_wrong_input_is_refused() -> None:
    """Too short, not finite, a band beyond half the rate, a velocity from 0 Hz: ValueError with the reason."""
    with pytest.raises(ValueError, match="at least 8"):
        vibration.features([1.0, 2.0], RATE)
    with pytest.raises(ValueError, match="finite"):
        vibration.features([math.nan] * 10, RATE)
    with pytest.raises(ValueError, match="half the rate"):
        vibration.band_rms(TIME, RATE, (10, 6000))
    with pytest.raises(ValueError, match="above 0 Hz"):
        vibration.velocity_rms(TIME, RATE, (0, 1000))
    with pytest.raises(ValueError, match="above 0 Hz"):
        vibration.velocity(TIME, RATE, (0, 1000))
    with pytest.raises(ValueError, match="ascend"):
        vibration.band_energies(TIME, RATE, [10, 10])
    with pytest.raises(ValueError, match="carrier"):
        vibration.features(TIME, RATE, envelope_bands={"a": (1, 2)})
    with pytest.raises(ValueError, match="rate is above"):
        vibration.band_rms(TIME, 0.0, (0, 1))

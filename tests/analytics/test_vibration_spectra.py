"""Spectra, orders, envelopes and cepstra, on signals that are known by their formula."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lineshaft.analytics.vibration import cepstrum, envelope, integration, orders, shape, spectrum, units

RATE = 10_240.0
TIME = np.arange(10_240) / RATE


def sine(frequency: float, amplitude: float = 1.0) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * frequency * TIME)


def shocks(every: float, ring: float = 3000.0, noise: float = 0.05, seed: int = 1) -> np.ndarray:
    """Rings of `ring` Hz, `every` times a second, in noise."""
    phase = np.mod(TIME, 1 / every)
    wave = np.exp(-600 * phase) * np.sin(2 * np.pi * ring * phase)
    return wave + np.random.default_rng(seed).normal(0, noise, len(TIME))


def test_an_acceleration_of_1_g_at_159_hz_moves_with_the_velocity_of_the_standard() -> None:
    """9.81 m/s2 peak at 159.155 Hz is 9.81 mm/s peak, and its displacement is 9.81 micrometres."""
    wave = sine(160.0, 9.81)
    omega = 2 * math.pi * 160
    assert integration.displacement_rms(wave, RATE) == pytest.approx(9.81e6 / omega**2 / math.sqrt(2), rel=1e-6)
    back = integration.velocity_to_acceleration(9810 / omega * np.cos(2 * np.pi * 160 * TIME), RATE, (10, 1000))
    assert np.std(back) == pytest.approx(9.81 / math.sqrt(2), rel=1e-6)


def test_a_slow_machine_is_judged_from_2_hz_on() -> None:
    """ISO 20816-3: 2 to 1000 Hz for machines of 600/min and less."""
    assert integration.severity_band(10.0) == (2.0, 1000.0)
    assert integration.severity_band(25.0) == integration.severity_band(None) == (10.0, 1000.0)


@pytest.mark.parametrize("window", spectrum.WINDOWS)
def test_a_sine_shows_its_amplitude_through_every_window(window: spectrum.Window) -> None:
    """The coherent gain of a window is taken out, and its noise bandwidth from the RMS."""
    found = spectrum.amplitude_spectrum(sine(200, 3.0), RATE, window=window)
    at = int(np.argmax(found.amplitude))
    assert found.frequency[at] == 200.0
    assert found.amplitude[at] == pytest.approx(3.0, rel=1e-6)
    assert found.rms(150, 250) == pytest.approx(3 / math.sqrt(2), rel=1e-3)


def test_averages_calm_the_noise_and_keep_the_line() -> None:
    """A mean over segments keeps a sine and makes the noise floor even."""
    wave = sine(320, 1.0) + np.random.default_rng(2).normal(0, 1, len(TIME))
    one, many = (spectrum.amplitude_spectrum(wave, RATE, segment=size) for size in (10_240, 1024))
    assert many.averages == 19
    assert many.amplitude[32] == pytest.approx(1.0, abs=0.2)
    assert np.std(many.amplitude[50:]) / np.mean(many.amplitude[50:]) < np.std(one.amplitude) / np.mean(one.amplitude)


def test_a_zoom_finds_a_tone_between_the_lines() -> None:
    """0.02 Hz lines place a tone that the plain spectrum puts on the nearest whole Hz."""
    found = spectrum.zoom_spectrum(sine(200.37), RATE, (195, 205), lines=501)
    assert found.frequency[np.argmax(found.amplitude)] == pytest.approx(200.37, abs=0.021)
    assert float(np.max(found.amplitude)) == pytest.approx(1.0, rel=0.01)


def test_a_line_stands_over_its_noise_and_its_sidebands_beside_it() -> None:
    """Modulation by 25 Hz puts lines at half the depth beside the carrier."""
    wave = (1 + 0.5 * np.sin(2 * np.pi * 25 * TIME)) * np.sin(2 * np.pi * 1000 * TIME)
    found = spectrum.amplitude_spectrum(wave + np.random.default_rng(3).normal(0, 0.1, len(TIME)), RATE)
    line = spectrum.line_near(found, 1001, 3)
    assert line is not None
    assert (line.frequency, line.over_noise > 20) == (1000.0, True)
    (lower, upper), _ = spectrum.sidebands(found, 1000, 25, 2)
    assert lower is not None
    assert upper is not None
    assert lower.amplitude == pytest.approx(0.25, rel=0.1)
    assert upper.amplitude == pytest.approx(0.25, rel=0.1)
    assert spectrum.line_near(found, 1e6, 1) is None


def test_a_tachometer_unrolls_a_machine_that_speeds_up() -> None:
    """Over angle, a tone at three times a changing speed stands on order 3."""
    turns = 10 * TIME + 10 * TIME**2
    wave = np.sin(2 * np.pi * 3 * turns)
    pulses = (np.mod(turns, 1) < 0.3).astype(float)
    edges = orders.tachometer_edges(pulses, RATE)
    found = orders.order_spectrum(wave, RATE, edges=edges)
    assert found.frequency[np.argmax(found.amplitude)] == pytest.approx(3.0, abs=0.1)
    assert orders.speed_from_edges(edges) == pytest.approx(20, rel=0.05)
    with pytest.raises(ValueError, match="speed of the shaft"):
        orders.order_spectrum(wave, RATE)


def test_the_speed_is_read_out_of_the_vibration() -> None:
    """Harmonics of 24.6 Hz in noise beside a strong foreign tone give 24.6 Hz, and noise gives no trusted speed."""
    noise = np.random.default_rng(4).normal(0, 1, len(TIME))
    wave = noise + sum(sine(k * 24.6, 1.0 / k) for k in range(1, 6)) + sine(100, 2.0)
    found = orders.estimate_speed(wave, RATE, 15, 50)
    assert found.speed == pytest.approx(24.6, abs=0.2)
    assert found.trusted
    assert not orders.estimate_speed(noise, RATE, 15, 50).trusted


def test_the_kurtogram_finds_the_ring_and_the_envelope_its_rate() -> None:
    """Shocks at 87 Hz that ring at 3 kHz: the band holds 3 kHz, the spectrum of the envelope begins at 87 Hz."""
    wave = shocks(87.0, noise=0.3)
    low, high = envelope.fast_kurtogram(wave, RATE, narrowest=200).best
    assert low < 3000 < high
    found = envelope.envelope_spectrum(wave, RATE, (2400, 3600))
    assert found.frequency[np.argmax(found.amplitude)] == pytest.approx(87, abs=1)
    frequency, kurtosis = envelope.spectral_kurtosis(wave, RATE, segment=64)
    assert abs(frequency[np.argmax(kurtosis)] - 3000) < 600


def test_noise_has_no_kurtosis() -> None:
    """Stationary normal noise: about 0 in every band."""
    noise = np.random.default_rng(5).normal(0, 1, len(TIME))
    assert float(np.max(np.abs(envelope.fast_kurtogram(noise, RATE).kurtosis))) < 0.5


def test_a_cepstrum_names_the_spacing_of_a_family() -> None:
    """Shocks every 1/87 s make a family 87 Hz apart; whitening levels a tone and leaves the shocks."""
    spacing, level = cepstrum.real_cepstrum(shocks(87.0), RATE).strongest(60, 120)
    assert spacing == pytest.approx(87, abs=1)
    assert level > 0
    white = cepstrum.prewhitened(shocks(87.0) + sine(500, 20))
    assert np.std(white) == pytest.approx(1)
    line = spectrum.line_near(spectrum.amplitude_spectrum(white, RATE, window="boxcar"), 500, 2)
    assert line is not None
    assert line.over_noise < 3


def test_units_of_other_quantities_are_refused() -> None:
    """g is an acceleration and mm/s is none."""
    assert units.acceleration([1.0], "g")[0] == 9.80665
    assert units.velocity_in_mm_s([1.0], "in/s")[0] == 25.4
    with pytest.raises(ValueError, match="no unit of acceleration"):
        units.acceleration([1.0], "mm/s")


def test_a_sine_has_the_shape_of_its_formula() -> None:
    """Shape pi / 2 root 2, impulse pi / 2, no skewness; the spectrum is centred on the tone."""
    found = shape.shape_of(sine(160, 3.0) + 7)
    assert found.shape == pytest.approx(math.pi / (2 * math.sqrt(2)), rel=1e-3)
    assert found.impulse == pytest.approx(math.pi / 2, rel=1e-3)
    assert found.skewness == pytest.approx(0, abs=1e-9)
    assert math.isnan(shape.shape_of(np.ones(9)).clearance)
    assert shape.centre_and_spread(spectrum.amplitude_spectrum(sine(160), RATE))[0] == pytest.approx(160)

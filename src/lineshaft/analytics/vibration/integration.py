"""From acceleration to velocity and displacement, in the frequency domain."""

from __future__ import annotations

import numpy as np
from scipy import fft

from lineshaft.analytics.vibration.features import VELOCITY_BAND
from lineshaft.model.samples import Float64Array

TURNS_SLOWLY = 10.0
"""Hz: machines of 600/min and less are judged from 2 Hz on (ISO 20816-3)."""


def severity_band(speed: float | None) -> tuple[float, float]:
    """Band in Hz in which ISO 20816-3 judges a machine that turns with `speed` Hz; 10 to 1000 Hz when unknown."""
    return (2.0, VELOCITY_BAND[1]) if speed is not None and speed <= TURNS_SLOWLY else VELOCITY_BAND


def displacement(wave: Float64Array, rate: float, band: tuple[float, float] = VELOCITY_BAND) -> Float64Array:
    """float64[n]: displacement in micrometres of an acceleration in m/s2, twice integrated within `band` (Hz)."""
    return 1e6 * _integrated(wave, rate, band, 2)


def displacement_rms(wave: Float64Array, rate: float, band: tuple[float, float] = VELOCITY_BAND) -> float:
    """RMS displacement in micrometres of an acceleration in m/s2 within `band` (Hz)."""
    return float(np.sqrt(np.mean(displacement(wave, rate, band) ** 2)))


def velocity_to_acceleration(wave: Float64Array, rate: float, band: tuple[float, float]) -> Float64Array:
    """float64[n]: acceleration in m/s2 of a velocity in mm/s, differentiated within `band` (Hz)."""
    return 1e-3 * _integrated(wave, rate, band, -1)


def _integrated(wave: Float64Array, rate: float, band: tuple[float, float], times: int) -> Float64Array:
    low, high = band[0], min(band[1], rate / 2)
    if rate <= 0 or not 0 < low < high:
        raise ValueError(f"the band {band[0]:g} to {band[1]:g} Hz does not ascend within 0 and {rate / 2:g} Hz")
    frequency = fft.rfftfreq(len(wave), 1 / rate)
    lines = (frequency >= low) & (frequency <= high)
    spectrum = fft.rfft(wave - np.mean(wave))
    result = np.zeros_like(spectrum)
    result[lines] = spectrum[lines] / (2j * np.pi * frequency[lines]) ** times
    back: Float64Array = fft.irfft(result, len(wave))
    return back

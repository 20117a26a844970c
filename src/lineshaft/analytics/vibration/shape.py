"""Shape numbers of a waveform: skewness, factors of its peaks, centre and spread of its spectrum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lineshaft.analytics.vibration.spectrum import Spectrum
from lineshaft.model.samples import Float64Array


@dataclass(frozen=True, slots=True)
class Shape:
    """Numbers without unit about the mean-free waveform; NaN for a flat line.

    skewness   third moment by the cube of the RMS: 0 for what swings evenly
    shape      RMS by mean of the magnitude (1.11 for a sine)
    impulse    peak by mean of the magnitude (1.57)
    clearance  peak by the squared mean of the root of the magnitude
    """

    skewness: float
    shape: float
    impulse: float
    clearance: float


def shape_of(wave: Float64Array) -> Shape:
    """Shape of float64[n], n >= 1; population moments."""
    centred = wave - np.mean(wave)
    size = np.abs(centred)
    rms, mean, peak = float(np.sqrt(np.mean(centred**2))), float(np.mean(size)), float(np.max(size))
    if peak <= 1e-12 * float(np.max(np.abs(wave), initial=0.0)):
        nan = float("nan")
        return Shape(nan, nan, nan, nan)
    skewness = float(np.mean(centred * centred * centred)) / rms**3
    return Shape(skewness, rms / mean, peak / mean, peak / float(np.mean(np.sqrt(size))) ** 2)


def centre_and_spread(spectrum: Spectrum) -> tuple[float, float]:
    """(centre, standard deviation) of the power over the spectrum's axis, in its unit; NaN without power."""
    power = spectrum.amplitude**2
    total = float(np.sum(power))
    if total <= 0:
        return float("nan"), float("nan")
    centre = float(np.sum(power * spectrum.frequency)) / total
    return centre, float(np.sqrt(np.sum(power * (spectrum.frequency - centre) ** 2) / total))

"""Features of one vibration waveform: acceleration in m/s2 sampled at a constant rate in Hz."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from lineshaft.model.samples import Float64Array

VELOCITY_BAND: Final = (10.0, 1000.0)
"""Hz: the band in which ISO 20816-1 judges the vibration velocity of machines that turn with 600/min and more."""
_FEWEST: Final = 8


@dataclass(frozen=True, slots=True)
class VibrationFeatures:
    """The usual features of a waveform.

    acceleration_rms  m/s2, without the mean
    velocity_rms      mm/s in the band that was asked for (ISO 20816)
    peak              m/s2, greatest distance from the mean
    crest             peak by RMS; 1.414 for a sine, NaN for a flat line
    kurtosis          fourth moment by squared variance; 1.5 for a sine, 3 for noise, more when there are shocks
    bands             name -> RMS acceleration in the band, m/s2
    envelope_bands    name -> RMS of the envelope in the band, m/s2
    """

    acceleration_rms: float
    velocity_rms: float
    peak: float
    crest: float
    kurtosis: float
    bands: Mapping[str, float]
    envelope_bands: Mapping[str, float]


def features(
    samples: Sequence[float] | NDArray[np.floating],
    rate: float,
    *,
    velocity_band: tuple[float, float] = VELOCITY_BAND,
    bands: Mapping[str, tuple[float, float]] | None = None,
    carrier: tuple[float, float] | None = None,
    envelope_bands: Mapping[str, tuple[float, float]] | None = None,
) -> VibrationFeatures:
    """All features of one waveform of n >= 8 samples in m/s2, taken `rate` times a second.

    bands: name -> (low, high) in Hz for the RMS of the acceleration. carrier: band in Hz whose envelope is looked at,
    such as a resonance that bearing shocks excite. envelope_bands: name -> (low, high) in Hz within the envelope.

    Raises ValueError for too few or non-finite samples, and for a band that does not ascend, begins below 0 or
    reaches beyond half the rate. The upper end of `velocity_band` is held at half the rate.
    """
    wave = waveform(samples)
    envelope_names = dict(envelope_bands or {})
    if envelope_names and carrier is None:
        raise ValueError("bands of the envelope need a carrier band")
    envelopes: dict[str, float] = {}
    if carrier is not None and envelope_names:
        shape = envelope(wave, rate, carrier)
        envelopes = {name: band_rms(shape, rate, band) for name, band in envelope_names.items()}
    return VibrationFeatures(
        acceleration_rms=rms(wave),
        velocity_rms=velocity_rms(wave, rate, (velocity_band[0], min(velocity_band[1], rate / 2))),
        peak=peak(wave),
        crest=crest_factor(wave),
        kurtosis=kurtosis(wave),
        bands={name: band_rms(wave, rate, band) for name, band in (bands or {}).items()},
        envelope_bands=envelopes,
    )


def waveform(samples: Sequence[float] | NDArray[np.floating]) -> Float64Array:
    """float64[n], checked: one dimension, n >= 8, all finite. Raises ValueError."""
    wave = np.asarray(samples, np.float64)
    if wave.ndim != 1 or len(wave) < _FEWEST:
        raise ValueError(f"a waveform is one row of at least {_FEWEST} samples")
    if not np.isfinite(wave).all():
        raise ValueError("a waveform has finite samples only")
    return wave


def rms(wave: Float64Array) -> float:
    """Root mean square about the mean, in the unit of `wave`; the constant part of a sensor is no vibration."""
    return float(np.std(wave))


def peak(wave: Float64Array) -> float:
    """Greatest distance from the mean, in the unit of `wave`."""
    return float(np.max(np.abs(wave - np.mean(wave))))


def crest_factor(wave: Float64Array) -> float:
    """Peak by RMS, without unit; NaN for a flat line."""
    size = rms(wave)
    return peak(wave) / size if size > _tiny(wave) else float("nan")


def kurtosis(wave: Float64Array) -> float:
    """Fourth central moment by the square of the second, without unit (3 for normal noise); NaN for a flat line."""
    centred = wave - np.mean(wave)
    square = centred * centred
    variance = float(np.mean(square))
    if variance <= _tiny(wave) ** 2:
        return float("nan")
    return float(np.mean(square * square)) / variance**2


def band_rms(wave: Float64Array, rate: float, band: tuple[float, float]) -> float:
    """RMS of what lies in low <= f <= high (Hz), in the unit of `wave`, by Parseval's theorem.

    The bands of a spectrum that do not overlap add up as squares to the RMS of the whole. Raises ValueError.
    """
    power, frequency = _power(wave, rate)
    return float(np.sqrt(power[_inside(frequency, band, rate)].sum()))


def band_energies(wave: Float64Array, rate: float, edges: Sequence[float]) -> Float64Array:
    """Mean square in each band edges[i] <= f < edges[i + 1] (Hz), the last one closed; square of the unit of `wave`.

    float64[len(edges) - 1]. Raises ValueError when the edges do not ascend within 0 and half the rate.
    """
    limits = np.asarray(edges, np.float64)
    if len(limits) < 2 or not (np.diff(limits) > 0).all():
        raise ValueError("edges of bands must ascend")
    _check_band((float(limits[0]), float(limits[-1])), rate)
    power, frequency = _power(wave, rate)
    at = np.searchsorted(limits, frequency, side="right") - 1
    at[frequency == limits[-1]] = len(limits) - 2
    inside = (at >= 0) & (at < len(limits) - 1)
    sums: Float64Array = np.bincount(at[inside], weights=power[inside], minlength=len(limits) - 1).astype(np.float64)
    return sums


def velocity_rms(wave: Float64Array, rate: float, band: tuple[float, float] = VELOCITY_BAND) -> float:
    """RMS vibration velocity in mm/s of an acceleration in m/s2, within `band` (Hz; ISO 20816-1: 10 to 1000 Hz).

    Integrated in the frequency domain: each line of the spectrum is divided by 2 pi f. The lower edge must be above
    zero, because integration makes a slow drift grow without bound. Raises ValueError.
    """
    if band[0] <= 0:
        raise ValueError("the band of a velocity begins above 0 Hz")
    power, frequency = _power(wave, rate)
    lines = _inside(frequency, band, rate)
    return 1000.0 * float(np.sqrt((power[lines] / (2 * np.pi * frequency[lines]) ** 2).sum()))


def velocity(wave: Float64Array, rate: float, band: tuple[float, float] = VELOCITY_BAND) -> Float64Array:
    """float64[n]: vibration velocity in mm/s over time, of an acceleration in m/s2; see `velocity_rms`.

    Raises ValueError for a band that begins at 0 Hz: a constant cannot be integrated.
    """
    if band[0] <= 0:
        raise ValueError("the band of a velocity begins above 0 Hz")
    n = len(wave)
    frequency = _frequencies(n, rate)
    spectrum = fft.rfft(wave)
    lines = _inside(frequency, band, rate)
    result = np.zeros_like(spectrum)
    result[lines] = spectrum[lines] / (2j * np.pi * frequency[lines])
    back: Float64Array = fft.irfft(result, n)
    return 1000.0 * back


def envelope(wave: Float64Array, rate: float, carrier: tuple[float, float]) -> Float64Array:
    """float64[n]: amplitude over time of what lies in the carrier band (Hz), in the unit of `wave`.

    The magnitude of the analytic signal of the band (Hilbert transform in the frequency domain). Raises ValueError.
    """
    n = len(wave)
    frequency = _frequencies(n, rate)
    lines = _inside(frequency, carrier, rate)
    spectrum = fft.rfft(wave)
    analytic = np.zeros(n, np.complex128)
    analytic[: len(spectrum)][lines] = 2 * spectrum[lines]
    analytic[0] /= 2
    if n % 2 == 0:
        analytic[n // 2] /= 2
    size: Float64Array = np.abs(fft.ifft(analytic))
    return size


def envelope_band_rms(
    wave: Float64Array, rate: float, carrier: tuple[float, float], band: tuple[float, float]
) -> float:
    """RMS of the envelope of the carrier band within `band` (both Hz), in the unit of `wave`.

    Where the shocks of a damaged bearing repeat at its defect frequency, they show here. Raises ValueError.
    """
    return band_rms(envelope(wave, rate, carrier), rate, band)


def _power(wave: Float64Array, rate: float) -> tuple[Float64Array, Float64Array]:
    """(mean square of each line, its frequency in Hz) without the mean; the lines add up to the variance."""
    if rate <= 0:
        raise ValueError("the sample rate is above 0 Hz")
    n = len(wave)
    lines: Float64Array = np.abs(fft.rfft(wave - np.mean(wave)) / n) ** 2
    lines[1:] *= 2
    if n % 2 == 0:
        lines[-1] /= 2
    return lines, _frequencies(n, rate)


def _frequencies(n: int, rate: float) -> Float64Array:
    frequencies: Float64Array = fft.rfftfreq(n, 1 / rate)
    return frequencies


def _inside(frequency: Float64Array, band: tuple[float, float], rate: float) -> NDArray[np.bool_]:
    _check_band(band, rate)
    return (frequency >= band[0]) & (frequency <= band[1])


def _check_band(band: tuple[float, float], rate: float) -> None:
    low, high = band
    if not 0 <= low < high <= rate / 2:
        raise ValueError(
            f"the band {low:g} to {high:g} Hz does not ascend within 0 and half the rate ({rate / 2:g} Hz)"
        )


def _tiny(wave: Float64Array) -> float:
    """What rounding alone makes of a flat line."""
    return 1e-12 * float(np.max(np.abs(wave), initial=0.0))

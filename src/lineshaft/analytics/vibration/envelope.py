"""Envelopes of high-frequency bands and their spectra: where repeated shocks of a damaged bearing show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from lineshaft.analytics.vibration.spectrum import Spectrum
from lineshaft.model.samples import Float64Array

Complex128Array = NDArray[np.complex128]
LEVELS: Final = (2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
"""Bands to each half of the rate: the one-third-binary tree of the fast kurtogram."""


@dataclass(frozen=True, slots=True)
class Kurtogram:
    """Kurtosis of the complex envelope per band (0 for stationary normal noise), and the band where it is highest.

    bands     float64[m, 2], Hz        kurtosis  float64[m]
    """

    bands: Float64Array
    kurtosis: Float64Array

    @property
    def best(self) -> tuple[float, float]:
        """The band of the highest kurtosis, Hz."""
        low, high = self.bands[int(np.argmax(self.kurtosis))]
        return float(low), float(high)


def squared_envelope(wave: Float64Array, rate: float, band: tuple[float, float]) -> tuple[Float64Array, float]:
    """(squared envelope of the band, its rate in Hz); square of the unit of `wave`.

    The band's lines alone are transformed back, twice oversampled because squaring doubles the bandwidth, so the result
    has fewer samples than the waveform. Raises ValueError for a band that is not within 0 and half the rate.
    """
    return envelope_of_lines(fft.rfft(wave - np.mean(wave)), len(wave), rate, band)


def envelope_of_lines(
    lines: Complex128Array, n: int, rate: float, band: tuple[float, float]
) -> tuple[Float64Array, float]:
    """`squared_envelope` of a waveform of n samples whose rfft is known: many bands share one transform.

    Raises ValueError for a band that is not within 0 and half the rate.
    """
    first, last = round(band[0] * n / rate), round(band[1] * n / rate)
    if not 0 <= first < last <= len(lines) or last - first < 4:
        raise ValueError(f"the band {band[0]:g} to {band[1]:g} Hz does not ascend within 0 and {rate / 2:g} Hz")
    size = fft.next_fast_len(2 * (last - first))
    analytic = fft.ifft(lines[first:last], size) * (2 * size / n)
    squared: Float64Array = analytic.real**2 + analytic.imag**2
    return squared, size * rate / n


def envelope_spectrum(wave: Float64Array, rate: float, band: tuple[float, float] | None = None) -> Spectrum:
    """Spectrum of the squared envelope of `band` (Hz; the kurtogram chooses when absent), of float64[n] at `rate` Hz.

    Amplitudes are divided by the mean of the squared envelope: the depth of the modulation, without unit, 1 for an
    envelope that swings between nothing and twice its mean (squared envelope spectrum, Randall and Antoni 2011).
    """
    chosen = fast_kurtogram(wave, rate).best if band is None else band
    squared, slower = squared_envelope(wave, rate, chosen)
    mean = float(np.mean(squared))
    amplitude = np.abs(fft.rfft(squared - mean)) * 2 / len(squared) / (mean if mean > 0 else 1.0)
    return Spectrum(fft.rfftfreq(len(squared), 1 / slower), amplitude, 1.0, 1)


def fast_kurtogram(wave: Float64Array, rate: float, *, narrowest: float = 0.0) -> Kurtogram:
    """Kurtosis of the envelope over a tree of bands (Antoni 2007, fast kurtogram), of float64[n] at `rate` Hz.

    narrowest: bands below this width in Hz are left out; to see a fault of f Hz a band must be wider than 2 f.
    """
    return kurtogram_of_lines(fft.rfft(wave - np.mean(wave)), len(wave), rate, narrowest=narrowest)


def kurtogram_of_lines(lines: Complex128Array, n: int, rate: float, *, narrowest: float = 0.0) -> Kurtogram:
    """`fast_kurtogram` of a waveform of n samples whose rfft is known."""
    bands: list[tuple[float, float]] = []
    found: list[Float64Array] = []
    half = rate / 2
    for parts in LEVELS:
        width, count = int(len(lines) / parts), int(parts)
        if (width < 32 or half / parts < narrowest) and bands:
            break
        pieces = lines[: width * count].reshape(count, width)
        envelope = fft.ifft(pieces, axis=1)
        power = envelope.real**2 + envelope.imag**2
        mean = np.mean(power, axis=1)
        square = np.mean(power**2, axis=1)
        found.append(np.divide(square, mean**2, out=np.full(count, 2.0), where=mean > 0) - 2.0)
        bands.extend((k * width * rate / n, (k + 1) * width * rate / n) for k in range(count))
    return Kurtogram(np.minimum(np.array(bands), half), np.concatenate(found))


def spectral_kurtosis(wave: Float64Array, rate: float, *, segment: int = 256) -> tuple[Float64Array, Float64Array]:
    """(frequency in Hz, spectral kurtosis) by a short-time transform of `segment` samples (Antoni 2006).

    <|X|^4> / <|X|^2>^2 - 2 over the segments: 0 for stationary normal noise, high where shocks live. Without the two
    lines next to 0 and half the rate, which are (nearly) real numbers with a kurtosis of their own.
    Raises ValueError for a record below four segments.
    """
    step = max(1, segment // 4)
    if len(wave) < 4 * segment:
        raise ValueError(f"spectral kurtosis needs {4 * segment} samples or more for segments of {segment}")
    windows = np.lib.stride_tricks.sliding_window_view(wave - np.mean(wave), segment)[::step]
    power = np.abs(fft.rfft(windows * np.hanning(segment), axis=1)) ** 2
    mean = np.mean(power, axis=0)
    kurtosis = np.divide(np.mean(power**2, axis=0), mean**2, out=np.full(len(mean), 2.0), where=mean > 0) - 2.0
    return fft.rfftfreq(segment, 1 / rate)[2:-2], kurtosis[2:-2]

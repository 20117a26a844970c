"""Amplitude spectra of one waveform: windows, averages, zoom, lines over noise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np
import scipy
from scipy import fft

from lineshaft.model.samples import Float64Array

Window = Literal["hann", "hamming", "flattop", "blackmanharris", "boxcar"]
WINDOWS: Final[tuple[Window, ...]] = ("hann", "hamming", "flattop", "blackmanharris", "boxcar")


@dataclass(frozen=True, slots=True)
class Spectrum:
    """One-sided amplitude spectrum.

    frequency        float64[m], Hz, or orders of the shaft for an order spectrum; ascending, equidistant
    amplitude        float64[m], peak amplitude of a sine on that line, in the unit of the waveform
    noise_bandwidth  equivalent noise bandwidth of the window in lines (1.5 for Hann)
    averages         number of segments in the mean of the powers
    """

    frequency: Float64Array
    amplitude: Float64Array
    noise_bandwidth: float
    averages: int

    @property
    def resolution(self) -> float:
        """Distance of two lines, Hz or orders."""
        return float(self.frequency[1] - self.frequency[0])

    def rms(self, low: float, high: float) -> float:
        """RMS within low <= f <= high, in the unit of the waveform; the window's energy is taken out."""
        inside = (self.frequency >= low) & (self.frequency <= high)
        return float(np.sqrt(np.sum(self.amplitude[inside] ** 2) / 2 / self.noise_bandwidth))


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a spectrum near a frequency that was asked for: where it stands, how high, and the noise around."""

    frequency: float
    amplitude: float
    noise: float

    @property
    def over_noise(self) -> float:
        """Amplitude by the median of its neighbours; infinite over no noise at all."""
        return self.amplitude / self.noise if self.noise > 0 else float("inf")


def amplitude_spectrum(
    wave: Float64Array, rate: float, *, window: Window = "hann", segment: int | None = None, overlap: float = 0.5
) -> Spectrum:
    """Amplitude spectrum of float64[n] at `rate` Hz: the mean of the powers of windowed segments.

    segment: samples of one segment; all of them when absent, which gives the finest lines (rate / segment Hz).
    overlap: part of a segment that the next one shares, 0 <= overlap < 1. Mean removed; amplitudes corrected by the
    window's coherent gain, so that a sine on a line shows its peak (Welch 1967). Raises ValueError.
    """
    n = len(wave) if segment is None else segment
    if rate <= 0 or not 8 <= n <= len(wave) or not 0 <= overlap < 1:
        raise ValueError("a spectrum needs a rate above 0, a segment of 8 to all samples and an overlap within 0 and 1")
    shape = _window(window, n)
    step = max(1, round(n * (1 - overlap)))
    starts = range(0, len(wave) - n + 1, step)
    power = np.zeros(n // 2 + 1)
    mean = np.mean(wave)
    for start in starts:
        power += np.abs(fft.rfft((wave[start : start + n] - mean) * shape)) ** 2
    gain = float(np.sum(shape))
    amplitude = 2 * np.sqrt(power / len(starts)) / gain
    amplitude[0] /= 2
    if n % 2 == 0:
        amplitude[-1] /= 2
    bandwidth = n * float(np.sum(shape**2)) / gain**2
    return Spectrum(fft.rfftfreq(n, 1 / rate), amplitude, bandwidth, len(starts))


def zoom_spectrum(
    wave: Float64Array, rate: float, band: tuple[float, float], *, lines: int = 800, window: Window = "hann"
) -> Spectrum:
    """`lines` lines evenly over the band (Hz): the chirp-z transform looks between the lines of the plain spectrum.

    The resolution of two near tones stays that of the record's length. Raises ValueError.
    """
    low, high = band
    if not 0 <= low < high <= rate / 2 or lines < 2:
        raise ValueError(f"a zoom needs two or more lines in a band that ascends within 0 and {rate / 2:g} Hz")
    shape = _window(window, len(wave))
    gain = float(np.sum(shape))
    values = scipy.signal.zoom_fft((wave - np.mean(wave)) * shape, [low, high], m=lines, fs=rate, endpoint=True)
    bandwidth = len(wave) * float(np.sum(shape**2)) / gain**2
    return Spectrum(np.linspace(low, high, lines), 2 * np.abs(values) / gain, bandwidth, 1)


def line_near(spectrum: Spectrum, frequency: float, tolerance: float) -> Line | None:
    """The highest line within `frequency` +- tolerance (at least one line each side); None outside of the spectrum.

    Its noise is the median of the lines around, outside of the tolerance.
    """
    step = spectrum.resolution
    reach = max(tolerance, step)
    first = round((frequency - reach - spectrum.frequency[0]) / step)
    last = round((frequency + reach - spectrum.frequency[0]) / step)
    if frequency <= 0 or first < 1 or last >= len(spectrum.frequency):
        return None
    at = first + int(np.argmax(spectrum.amplitude[first : last + 1]))
    around = max(15, 3 * (last - first))
    below = spectrum.amplitude[max(1, first - around) : first]
    above = spectrum.amplitude[last + 1 : last + 1 + around]
    noise = float(np.median(np.concatenate((below, above)))) if len(below) + len(above) else 0.0
    return Line(float(spectrum.frequency[at]), float(spectrum.amplitude[at]), noise)


def harmonics(spectrum: Spectrum, frequency: float, count: int, tolerance: float) -> tuple[Line | None, ...]:
    """The lines near 1 to `count` times `frequency`; None for those beyond the spectrum. tolerance: part of each."""
    return tuple(line_near(spectrum, k * frequency, k * frequency * tolerance) for k in range(1, count + 1))


def sidebands(
    spectrum: Spectrum, carrier: float, spacing: float, count: int = 2, tolerance: float = 0.0
) -> tuple[tuple[Line | None, Line | None], ...]:
    """(lower, upper) lines at carrier -+ m * spacing for m = 1 to `count`; tolerance in the spectrum's unit."""
    return tuple(
        (
            line_near(spectrum, carrier - m * spacing, tolerance),
            line_near(spectrum, carrier + m * spacing, tolerance),
        )
        for m in range(1, count + 1)
    )


def local_median(power: Float64Array, width: int) -> Float64Array:
    """float64[..., m]: noise floor of a power spectrum as a median of `width` lines, interpolated between blocks."""
    m = power.shape[-1]
    width = max(4, min(width, m))
    blocks = max(1, m // width)
    used = power[..., : blocks * width].reshape(*power.shape[:-1], blocks, width)
    floor = np.median(used, axis=-1)
    centres = (np.arange(blocks) + 0.5) * width
    place = np.arange(m)
    if blocks == 1:
        return np.broadcast_to(floor, power.shape).copy()
    right = np.clip(np.searchsorted(centres, place), 1, blocks - 1)
    part = np.clip((place - centres[right - 1]) / width, 0.0, 1.0)
    result: Float64Array = floor[..., right - 1] * (1 - part) + floor[..., right] * part
    return result


@lru_cache(maxsize=16)
def _window(window: Window, n: int) -> Float64Array:
    """The window's samples, read only because every caller gets the same."""
    shape: Float64Array = scipy.signal.get_window(window, n)
    shape.setflags(write=False)
    return shape

"""Cepstra: families of harmonics and sidebands as one number, and their removal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft

from lineshaft.model.samples import Float64Array


@dataclass(frozen=True, slots=True)
class Cepstrum:
    """Real cepstrum: quefrency in s and its level; a family of lines f apart stands at 1 / f."""

    quefrency: Float64Array
    level: Float64Array

    def strongest(self, low: float, high: float) -> tuple[float, float]:
        """(spacing in Hz, level) of the strongest family of lines that are low to high Hz apart.

        Raises ValueError where the record is too short for such a spacing.
        """
        inside = np.flatnonzero((self.quefrency >= 1 / high) & (self.quefrency <= 1 / low))
        if not len(inside):
            raise ValueError(f"no quefrency between {1 / high:g} and {1 / low:g} s in this record")
        at = inside[int(np.argmax(self.level[inside]))]
        return 1 / float(self.quefrency[at]), float(self.level[at])


def real_cepstrum(wave: Float64Array, rate: float) -> Cepstrum:
    """Inverse transform of the logarithm of the amplitude spectrum of float64[n] at `rate` Hz (Randall 2017)."""
    n = len(wave)
    amplitude = np.abs(fft.rfft((wave - np.mean(wave)) * np.hanning(n)))
    floor = 1e-9 * float(np.max(amplitude, initial=0.0)) + 1e-300
    level = fft.irfft(np.log(amplitude + floor), n)[: n // 2]
    return Cepstrum(np.arange(len(level)) / rate, level)


def prewhitened(wave: Float64Array) -> Float64Array:
    """float64[n]: every line of the spectrum at the same height, phases kept (cepstral prewhitening, Borghesani 2013).

    Tones of shafts and gears lose their weight; shocks stay shocks. Unit variance; a flat line stays zero.
    """
    lines = fft.rfft(wave - np.mean(wave))
    size = np.abs(lines)
    white = np.divide(lines, size, out=np.zeros_like(lines), where=size > 1e-12 * float(np.max(size, initial=0.0)))
    result: Float64Array = fft.irfft(white, len(wave))
    spread = float(np.std(result))
    return result / spread if spread > 0 else result

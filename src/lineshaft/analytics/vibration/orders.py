"""Spectra over orders of the shaft, and the shaft's speed: given, from a tachometer, or from the vibration itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lineshaft.analytics.vibration.spectrum import Spectrum, Window, amplitude_spectrum, local_median
from lineshaft.model.samples import Float64Array


@dataclass(frozen=True, slots=True)
class SpeedEstimate:
    """A speed read out of the vibration: Hz, and how much better it is than the next other one (1 = no better)."""

    speed: float
    confidence: float

    @property
    def trusted(self) -> bool:
        """Whether the harmonics of this speed stand clearly above those of every other one."""
        return self.confidence >= 1.5


def tachometer_edges(signal: Float64Array, rate: float, level: float | None = None) -> Float64Array:
    """float64[k]: times in s at which a tachometer signal rises through `level` (half of its span when absent).

    Interpolated between two samples. A second edge counts only after the signal fell below a quarter of the span.
    """
    low, high = float(np.min(signal)), float(np.max(signal))
    limit = (low + high) / 2 if level is None else level
    release = limit - (high - low) / 4
    state = np.zeros(len(signal), np.int8)
    state[signal >= limit], state[signal < release] = 1, -1
    known = np.flatnonzero(state)
    rising = np.flatnonzero((state[known][1:] == 1) & (state[known][:-1] == -1)) + 1
    at = known[rising]
    rise = signal[at] - signal[at - 1]
    part = np.divide(limit - signal[at - 1], rise, out=np.zeros(len(at)), where=rise > 0)
    times: Float64Array = (at - 1 + np.clip(part, 0, 1)) / rate
    return times


def speed_from_edges(edges: Float64Array, pulses_per_turn: int = 1) -> float:
    """Mean speed in Hz of pulse times in s. Raises ValueError for fewer than two edges."""
    if len(edges) < 2 or pulses_per_turn < 1:
        raise ValueError("a speed needs two edges of a tachometer or more")
    return float((len(edges) - 1) / (edges[-1] - edges[0]) / pulses_per_turn)


def resample_by_angle(
    wave: Float64Array, rate: float, edges: Float64Array, *, pulses_per_turn: int = 1, per_turn: int = 256
) -> Float64Array:
    """float64[turns * per_turn]: the waveform at equal angles of the shaft (computed order tracking).

    edges: times in s of the tachometer pulses, ascending. Only the time between the first and the last is used.
    per_turn must be above twice the highest order of interest. Raises ValueError.
    """
    if len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise ValueError("resampling by angle needs two ascending edges of a tachometer or more")
    turns = np.arange(len(edges)) / pulses_per_turn
    angles = np.arange(int(turns[-1] * per_turn)) / per_turn
    times = np.interp(angles, turns, edges)
    return np.interp(times, np.arange(len(wave)) / rate, wave)


def order_spectrum(
    wave: Float64Array,
    rate: float,
    speed: float | None = None,
    *,
    edges: Float64Array | None = None,
    pulses_per_turn: int = 1,
    per_turn: int = 256,
    window: Window = "hann",
) -> Spectrum:
    """Amplitude spectrum over orders of the shaft: at a constant `speed` in Hz, or by the edges of a tachometer.

    Raises ValueError when neither a speed above 0 nor edges are given.
    """
    if edges is not None:
        turned = resample_by_angle(wave, rate, edges, pulses_per_turn=pulses_per_turn, per_turn=per_turn)
        return amplitude_spectrum(turned, float(per_turn), window=window)
    if speed is None or not speed > 0:
        raise ValueError("an order spectrum needs the speed of the shaft or the edges of a tachometer")
    return amplitude_spectrum(wave, rate / speed, window=window)


def estimate_speed(wave: Float64Array, rate: float, low: float, high: float, *, count: int = 5) -> SpeedEstimate:
    """The speed in Hz within low..high whose `count` harmonics stand highest above the noise of the spectrum.

    The mean logarithm of line by noise over the harmonics (a harmonic product spectrum), each capped so that one strong
    tone cannot decide alone. Raises ValueError for a band that does not ascend or a record below four turns.
    """
    if not 0 < low < high <= rate / 2 / count or len(wave) / rate * low < 4:
        raise ValueError("the speed is looked for in a band that ascends, within a record of four turns or more")
    spectrum = amplitude_spectrum(wave, rate)
    power = spectrum.amplitude**2
    floor = local_median(power, max(16, round(2 * low / spectrum.resolution)))
    level = np.clip(np.log(np.maximum(power, 1e-300) / np.maximum(floor, 1e-300)), 0.0, 6.0)
    grid = np.arange(low, high, spectrum.resolution / (2 * count))
    weights = 1 / np.sqrt(np.arange(1, count + 1))
    score = sum(
        weight * _highest(level, k * grid / spectrum.resolution) for k, weight in enumerate(weights, start=1)
    ) / np.sum(weights)
    best = int(np.argmax(score))
    others = score[np.abs(grid / grid[best] - 1) > 0.05]
    second = float(np.max(others, initial=1e-9))
    return SpeedEstimate(_refined(spectrum, float(grid[best])), float(score[best]) / max(second, 1e-9))


def _highest(level: Float64Array, place: Float64Array) -> Float64Array:
    near = np.clip(np.round(place).astype(np.int64), 0, len(level) - 1)
    return level[near]


def _refined(spectrum: Spectrum, speed: float) -> float:
    """Where the main lobe of the highest of the first three harmonics peaks, by a parabola through three lines."""
    at = np.round(speed * np.arange(1, 4) / spectrum.resolution).astype(np.int64)
    at = at[(at > 0) & (at < len(spectrum.amplitude) - 1)]
    if not len(at):
        return speed
    k = int(np.argmax(spectrum.amplitude[at]))
    left, middle, right = np.log(np.maximum(spectrum.amplitude[at[k] - 1 : at[k] + 2], 1e-300))
    bend = left - 2 * middle + right
    shift = float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend < 0 else 0.0
    return (int(at[k]) + shift) * spectrum.resolution / (k + 1)

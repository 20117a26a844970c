"""What the API computes of stored bursts: spectra, envelopes, and many spectra over time on one grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from lineshaft.analytics.vibration.cepstrum import Cepstrum, real_cepstrum
from lineshaft.analytics.vibration.envelope import envelope_spectrum, fast_kurtogram
from lineshaft.analytics.vibration.sensor import sensor_problems
from lineshaft.analytics.vibration.spectrum import amplitude_spectrum, zoom_spectrum
from lineshaft.config import units
from lineshaft.config.waveforms import ACCELERATION, VELOCITY, quantity
from lineshaft.errors import DataError
from lineshaft.model.samples import Float64Array
from lineshaft.model.waveforms import Waveform

Kind = Literal["amplitude", "velocity", "envelope"]
Zoomed = Literal["amplitude", "velocity"]
FEWEST: Final = 64
"""Samples below which there is no spectrum."""
_LOWEST: Final = 2.0
"""Hz below which an acceleration is not integrated: a drift would fill the picture."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A spectrum of equidistant lines. `band`: that of the envelope, Hz."""

    unit: str
    start: float  # Hz
    step: float  # Hz
    amplitude: Float64Array
    band: tuple[float, float] | None = None


def spectrum(
    wave: Waveform, unit: str, kind: Kind, *, averages: int = 1, band: tuple[float, float] | None = None
) -> Lines:
    """One spectrum of a burst: peak amplitudes in `unit`, velocity in mm/s, or the envelope's depth without unit.

    averages: segments with half overlap whose powers are averaged. band: of the envelope; the kurtogram chooses when
    absent. Raises DataError in words for people.
    """
    values = _enough(wave)
    try:
        if kind == "envelope":
            chosen = band or fast_kurtogram(values, wave.rate).best
            found = envelope_spectrum(values, wave.rate, chosen)
            return Lines("", float(found.frequency[0]), found.resolution, found.amplitude, chosen)
        segment = max(FEWEST, 2 * len(values) // (averages + 1))
        found = amplitude_spectrum(values, wave.rate, segment=min(segment, len(values)))
    except ValueError as error:
        raise DataError(str(error)) from error
    if kind == "amplitude":
        return Lines(unit, 0.0, found.resolution, found.amplitude)
    return Lines(VELOCITY, 0.0, found.resolution, _velocity(found.frequency, found.amplitude, unit))


def zoom(wave: Waveform, unit: str, kind: Zoomed, band: tuple[float, float], lines: int) -> Lines:
    """`lines` lines over a band (Hz) of the spectrum of a burst, by the chirp-z transform. Raises DataError.

    Two tones nearer than the inverse of the burst's length stay one: more lines say where it stands, not what it is.
    """
    try:
        found = zoom_spectrum(_enough(wave), wave.rate, band, lines=lines)
    except ValueError as error:
        raise DataError(str(error), hint="low and high in Hz, up to half the sample rate") from error
    step = (band[1] - band[0]) / (lines - 1)
    if kind == "amplitude":
        return Lines(unit, band[0], step, found.amplitude)
    return Lines(VELOCITY, band[0], step, _velocity(found.frequency, found.amplitude, unit))


def cepstrum(wave: Waveform) -> Cepstrum:
    """The real cepstrum of a burst. Raises DataError for one that is too short."""
    return real_cepstrum(_enough(wave), wave.rate)


def _enough(wave: Waveform) -> Float64Array:
    """The values of a burst. Raises DataError where they are too few for a spectrum."""
    if len(wave) < FEWEST:
        raise DataError(f"a spectrum needs {FEWEST} samples, this burst has {len(wave)}")
    return wave.values()


def _velocity(frequency: Float64Array, amplitude: Float64Array, unit: str) -> Float64Array:
    """Amplitudes in mm/s of an acceleration or velocity in `unit`. Raises DataError for another quantity."""
    what = quantity(unit)
    if what == "velocity":
        return amplitude * units.factor(unit, VELOCITY)[0]
    if what == "other":
        raise DataError(f"'{unit}' is neither acceleration nor velocity", hint="kind=amplitude")
    factor = units.factor(unit, ACCELERATION)[0] * 1000.0
    found = np.zeros_like(amplitude)
    lines = frequency >= _LOWEST
    found[lines] = amplitude[lines] * factor / (2 * np.pi * frequency[lines])
    return found


def problem(wave: Waveform, unit: str) -> str:
    """'' for a burst that can be judged, else why not, in words."""
    if not wave.whole:
        return f"half a waveform: {len(wave)} of {wave.total} samples arrived"
    what = quantity(unit)
    factor = units.factor(unit, ACCELERATION)[0] if what == "acceleration" else 1.0
    for found in sensor_problems(wave.values() * factor, wave.rate):
        if found.kind != "implausible" or what == "acceleration":
            return found.words
    return ""


def on_grid(found: Lines, highest: float, count: int) -> Float64Array:
    """float64[count]: the largest line in each of `count` equal parts of 0 to `highest` Hz; NaN beyond the spectrum."""
    frequency = found.start + found.step * np.arange(len(found.amplitude))
    place = (frequency / highest * count).astype(np.int64)
    inside = place < count
    grid = np.full(count, np.nan)
    np.fmax.at(grid, place[inside], found.amplitude[inside])
    known = np.isfinite(grid)
    if known.any() and not known.all():  # lines further apart than the grid: the nearest one stands for the gap
        last = int(np.flatnonzero(known)[-1])
        at = np.flatnonzero(known)
        grid[: last + 1] = grid[at[np.abs(np.arange(last + 1)[:, None] - at[None, :]).argmin(axis=1)]]
    return grid

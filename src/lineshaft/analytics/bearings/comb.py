"""Whether an envelope spectrum has lines at a frequency and its multiples, with the chance that noise does the same."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import fft
from scipy.special import gammaincc, gammaln

from lineshaft.analytics.vibration.spectrum import local_median
from lineshaft.model.samples import Float64Array, Int64Array

CAP: Final = 16.0
"""Most that one line counts, in multiples of the noise: one strong tone alone is no comb."""
SMEARS: Final = (0.0, 0.001, 0.004)
"""Half width of the first line as a part of its frequency: a jitter of 2 % widens it by 0.13 % (pi sigma^2)."""
COUNTS: Final = (2, 4)
_SEEN: Final = 0.01


@dataclass(frozen=True, slots=True)
class WhiteSpectra:
    """Power of the envelope spectra of b bands in multiples of their local noise (mean 1, exponential for noise alone).

    power  float64[b, m], lines `step` Hz apart
    depth  float64[b, m], amplitude by the mean of the squared envelope
    total  float64[b, m + 1], running sums of the power with each line capped
    """

    power: Float64Array
    depth: Float64Array
    step: float
    total: Float64Array

    @classmethod
    def of(cls, power: Float64Array, depth: Float64Array, step: float) -> WhiteSpectra:
        """Spectra with their running sums."""
        total = np.zeros((power.shape[0], power.shape[1] + 1))
        capped = np.minimum(power, CAP)
        over = power > CAP
        capped[over] += 0.01 * CAP * np.log(power[over] / CAP)  # so little keeps the order of lines beyond the cap
        np.cumsum(capped, axis=1, out=total[:, 1:])
        return cls(power, depth, step, total)

    def without(
        self, frequency: float, spacing: float, count: int, sides: int, smear: float, least: int = 2
    ) -> WhiteSpectra:
        """The same with the lines of a family, and those `spacing` beside them, put down to noise.

        least: lines on each side of the centre that are taken with it, at least.
        """
        power = self.power.copy()
        for k in range(1, count + 1):
            reach = max(least, math.ceil(smear * k * k * frequency / self.step) + 1)
            for m in range(-sides, sides + 1) if spacing > 0 else (0,):
                at = round((k * frequency + m * spacing) / self.step)
                power[:, max(0, at - reach) : max(0, at + reach + 1)] = 1.0
        return WhiteSpectra.of(power, self.depth, self.step)


@dataclass(frozen=True, slots=True)
class Comb:
    """The best family of lines within a tolerance.

    band       row of the spectra where it was found
    frequency  Hz of the first line    count   how many multiples were summed    smear   widening that fits best
    log_p      natural logarithm of the chance that noise alone shows as much anywhere in the search (<= 0)
    levels     float[count], power of each multiple by the noise    seen   which of them stand out by themselves
    depth      root of the summed squares of the lines' modulation depths
    """

    band: int
    frequency: float
    count: int
    smear: float
    log_p: float
    levels: tuple[float, ...]
    seen: tuple[bool, ...]
    depth: float

    @property
    def strength(self) -> float:
        """How high the lines stand together, the first ones counted most: what tells two families apart."""
        return sum(math.log1p(level) / k for k, level in enumerate(self.levels[:2], start=1))


def white_envelope_spectra(squared: Float64Array, rate: float, width: float) -> WhiteSpectra:
    """Envelope spectra of the squared envelopes float64[b, n] at `rate` Hz over their medians of `width` Hz."""
    mean = np.mean(squared, axis=-1, keepdims=True)
    lines = fft.rfft(squared - mean, axis=-1)
    power = lines.real**2 + lines.imag**2
    n = squared.shape[-1]
    step = rate / n
    floor = local_median(power[:, 1:], max(32, round(width / step))) / math.log(2)
    white = np.ones_like(power)
    np.divide(power[:, 1:], floor, out=white[:, 1:], where=floor > 0)
    return WhiteSpectra.of(white, 2 * np.sqrt(power) / n / np.where(mean > 0, mean, 1.0), step)


def best_comb(
    spectra: WhiteSpectra, frequency: float, tolerance: float, *, trials: float = 1.0, limit: float = 0.0
) -> Comb | None:
    """The family of lines near `frequency` +- its part `tolerance` that noise explains least.

    Sums of a few multiples and several widths are tried in every band. A sum of n lines of noise is gamma distributed,
    so its chance is exact for stationary noise; it is multiplied with the number of tries (Bonferroni), and with
    `trials`, how many other things are tried besides. None beyond the spectra, or when log_p is above `limit`.
    """
    best: tuple[float, int, float, int, float] | None = None
    for count in COUNTS:
        grid, places = _grid(frequency, tolerance, count, spectra.step)
        for smear in SMEARS:
            found = _search(spectra.total, spectra.step, grid, places, smear)
            if found is not None and (best is None or found[0] < best[0]):
                best = (*found, count, smear)
    if best is None:
        return None
    log_p = min(0.0, best[0] + math.log(len(SMEARS) * len(COUNTS) * len(spectra.total) * trials))
    return _comb(spectra, best, log_p) if log_p <= limit else None


def _grid(frequency: float, tolerance: float, count: int, step: float) -> tuple[Float64Array, Int64Array]:
    """(frequencies to try, so close that no multiple jumps a line; int64[count, n], lines of their multiples)."""
    steps = max(3, math.ceil(2 * tolerance * frequency * count / step) + 1)
    grid: Float64Array = frequency * (1 - tolerance) + np.arange(steps, dtype=np.float64) * (
        2 * tolerance * frequency / (steps - 1)
    )
    return grid, np.rint(np.arange(1, count + 1)[:, None] * (grid / step)).astype(np.int64)


def _search(
    total: Float64Array, step: float, grid: Float64Array, places: Int64Array, smear: float
) -> tuple[float, int, float] | None:
    """(natural logarithm of the chance, band, frequency) of the best place on the grid; None beyond the spectra."""
    count, steps = places.shape
    middle = float(grid[steps // 2])
    widths = [round(smear * k * k * middle / step) for k in range(1, count + 1)]
    beyond = int(places[-1, -1]) + widths[-1] + 2 > total.shape[1] - 1 or int(places[0, 0]) - widths[0] < 1
    if beyond or widths[-1] * step > 0.2 * middle:
        return None
    reach = np.array(widths)[:, None]
    sums = (total.take(places + reach + 1, axis=1) - total.take(places - reach, axis=1)).sum(axis=1)
    band, place = divmod(int(np.argmax(sums)), steps)
    chance = log_chance(float(sums[band, place]), sum(2 * width + 1 for width in widths))
    return chance + math.log(steps), band, float(grid[place])


def log_chance(value: float, lines: int) -> float:
    """Natural logarithm of the chance that a sum of `lines` exponential powers of mean 1 reaches `value`."""
    chance = float(gammaincc(lines, value))
    if chance > 1e-280:
        return math.log(chance)
    return -value + (lines - 1) * math.log(value) - float(gammaln(lines))


def _comb(spectra: WhiteSpectra, best: tuple[float, int, float, int, float], log_p: float) -> Comb:
    _, band, where, count, smear = best
    levels, seen, depth = [], [], 0.0
    for k in range(1, count + 1):
        at, reach = round(k * where / spectra.step), round(smear * k * k * where / spectra.step)
        window = slice(at - reach, at + reach + 1)
        power = spectra.power[band, window]
        capped = float(spectra.total[band, at + reach + 1] - spectra.total[band, at - reach])
        levels.append(float(np.max(power)))
        seen.append(log_chance(capped, 2 * reach + 1) < math.log(_SEEN))
        depth += float(np.sum(spectra.depth[band, window] ** 2 * np.clip(1 - 1 / np.maximum(power, 1e-12), 0, 1)))
    return Comb(band, where, count, smear, log_p, tuple(levels), tuple(seen), math.sqrt(depth))

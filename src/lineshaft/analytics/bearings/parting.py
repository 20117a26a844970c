"""Parts the lines of a bearing from multiples of its shaft, or says that a record is too short to do so."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from lineshaft.analytics.bearings.comb import Comb, WhiteSpectra, best_comb

MOST: Final = 60
"""Multiples of the shaft that are looked at."""
_SURE: Final = math.log(0.01)
_SPARE: Final = 3.0
"""A multiple counts by how far it stands above so many times what the shaft's lower ones make likely."""
_CLEAR: Final = 10.0
"""Power of a line by its noise below which the highest of a few lines of noise may be taken for it."""
_SHOCKS: Final = 15.0
"""Power of a second or third line beyond which they are no noise: something strikes."""
_FEWEST_BANDS: Final = 5
_ALIKE: Final = 0.5
"""Median depth of the bands by that of the deepest fifth, from which they swell alike."""
_SMOOTH: Final = 0.1
_STANDS_OUT: Final = 4.0
"""Power of the median band by its noise, the highest of three lines: noise shows 1.8."""
_PARTED: Final = 3.0
"""Natural logarithm by which the lines must be likelier beside the shaft's multiple than on it."""


def shaft_train(spectra: WhiteSpectra, speed: float) -> float | None:
    """Hz of the shaft where the shaft itself modulates the envelopes: its first two multiples stand out; else None.

    It is looked for within 1 % of `speed` Hz, and stays there unless its lines are clearly higher elsewhere.
    """
    comb = best_comb(spectra, speed, 0.01)
    if comb is None or comb.log_p > _SURE or not all(comb.seen[:2]):
        return None
    row = np.log(np.maximum(spectra.power[comb.band], 1.0))
    multiples = 1 + np.flatnonzero(comb.seen)[:, None]
    places = speed * np.append(1.0, np.linspace(0.99, 1.01, 81))
    heights = np.sum(row[np.rint(multiples * places / spectra.step).astype(np.int64)], axis=0)
    best = int(np.argmax(heights))
    return speed if heights[0] > heights[best] - 2 * len(multiples) else float(places[best])


def without_shaft(spectra: WhiteSpectra, shaft: float) -> WhiteSpectra:
    """The same with the multiples of `shaft` Hz put down to noise as far as the shaft explains them.

    What the shaft modulates (breathing noise, a rub, a knock once a turn) has multiples that fade: none is clearly
    higher than each of the second to the half of it. One that is stands for something that comes a whole number of
    times a turn, and keeps what it has beyond that. The first two are the shaft's own: the load zone of an inner race.
    """
    top = min(MOST, int((spectra.power.shape[1] - 2) * spectra.step / shaft))
    if top < 1:
        return spectra
    at = np.rint(np.arange(1, top + 1) * shaft / spectra.step).astype(np.int64)
    near = np.stack([at - 1, at, at + 1])
    highest = np.max(spectra.power[:, near], axis=1)
    likely = np.full_like(highest, np.inf)
    if top > 2:
        lowest = np.minimum.accumulate(highest[:, 1:], axis=1)  # of the second to the nth multiple
        likely[:, 2:] = _SPARE * np.maximum(1.0, lowest[:, (np.arange(3, top + 1) + 1) // 2 - 2])
    power = spectra.power.copy()
    for place in near:
        rows = power[:, place]
        power[:, place] = np.where(highest > likely, rows / np.where(np.isfinite(likely), likely, 1.0), 1.0)
    return WhiteSpectra.of(power, spectra.depth, spectra.step)


def whole_multiple(spectra: WhiteSpectra, comb: Comb, shaft: float) -> int | None:
    """The multiple of `shaft` Hz that the lines of a comb cannot be parted from; None when they stand beside it.

    k lines of a family drift k times as far from the shaft's as the first one does: their powers on the places of the
    shaft, by those where they were found, say whether the shaft would do as well.
    """
    multiple = round(comb.frequency / shaft)
    if multiple < 2:
        return None
    row, gain = spectra.power[comb.band], 0.0
    for k in range(1, comb.count + 1):
        reach = round(comb.smear * k * k * comb.frequency / spectra.step)
        here, there = (round(k * place / spectra.step) for place in (comb.frequency, multiple * shaft))
        if abs(here - there) <= reach:
            continue
        found = float(np.max(row[here - reach : here + reach + 1]))
        if found < _CLEAR:
            continue  # the highest of several lines of noise
        whole = float(np.max(row[max(0, there - reach) : there + reach + 1], initial=0.0))
        gain += math.log(max(found, 1.0) / max(whole, 1.0))
    return multiple if gain < _PARTED else None


def seconds_to_part(frequency: float, whole: float) -> float:
    """Seconds of a record in which the double of `frequency` Hz stands two lines beside that of `whole` Hz."""
    beside = 2 * abs(frequency - whole)
    return 2 / beside if beside > 1e-9 else math.inf


def swells_everywhere(spectra: WhiteSpectra, comb: Comb) -> bool:
    """Whether most bands of a bank swell and fade alike and smoothly, as noise does when vanes or blades pass.

    A bearing rings in some bands more than in others, and its shocks have multiples wherever they are heard; what
    swells by a part a like a cosine has a second line a / 4 as high as the first, and no third.
    """
    if max(comb.levels[1:]) > max(_SHOCKS, _SMOOTH * comb.levels[0]):
        return False
    places = [round(k * comb.frequency / spectra.step) for k in (1, 2, 3)]
    near = [slice(max(1, at - 1), at + 2) for at in places if at + 2 <= spectra.power.shape[1]]
    if len(spectra.power) < _FEWEST_BANDS or len(near) < 2:
        return False
    first, *higher = (float(np.median(np.max(spectra.power[:, one], axis=1))) for one in near)
    depth = np.max(spectra.depth[:, near[0]], axis=1)
    alike = float(np.median(depth)) > _ALIKE * float(np.quantile(depth, 0.8))
    return first > _STANDS_OUT and alike and max(higher) < max(_STANDS_OUT, _SMOOTH * first)

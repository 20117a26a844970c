"""Cavitation of a pump: broadband noise that swells and fades each time a vane passes."""

from __future__ import annotations

from typing import Final

import numpy as np

from lineshaft.analytics.bearings.envelope_search import Settings, envelope_groups
from lineshaft.analytics.bearings.findings import Finding, MatchedPeak, likelihood
from lineshaft.analytics.bearings.kinematics import FaultOrders
from lineshaft.model.samples import Float64Array

LEAST_SHARE: Final = 0.6
"""Part of the bands that must breathe with the vanes: bubbles are heard everywhere, a bearing where it rings."""
_LEVEL: Final = 10.0
"""Power of the line by the noise around: noise alone shows as much in 1 of 7,000 places."""
_SURE: Final = 0.9


def cavitation_finding(
    wave: Float64Array, rate: float, speed: float, vanes: int, orders: FaultOrders | None, settings: Settings
) -> Finding | None:
    """Cavitation or recirculation in float64[n] m/s2 at `rate` Hz, a shaft of `speed` Hz and an impeller of `vanes`.

    The squared envelopes of bands over the whole spectrum have a line at the passing of the vanes (demodulation of
    noise, the DEMON method of hydroacoustics). Nothing is claimed where a fault frequency of the bearing lies on it.
    """
    passing = vanes * speed
    if orders is not None and any(
        _near(order * k, vanes, settings.tolerance) for order in _lines(orders) for k in (1, 2, 3)
    ):
        return None
    groups = envelope_groups(wave, rate, 1.05 * passing, speed)
    bank = max(groups, key=lambda group: len(group.bands))
    if len(bank.bands) < 5:
        return None
    spectra = bank.spectra
    at = round(passing / spectra.step)
    around = slice(max(1, at - 1), at + 2)
    levels = np.max(spectra.power[:, around], axis=1, initial=0.0)
    depth = np.max(spectra.depth[:, around], axis=1, initial=0.0)
    shows = (levels > _LEVEL) & (depth >= 0.5 * settings.depth)
    share = float(np.mean(shows))
    if share < LEAST_SHARE:
        return None
    low, high = bank.bands[0][0], bank.bands[-1][1]
    level = float(np.median(levels[shows]))
    words = (
        f"The noise of {share:.0%} of the bands from {low:.0f} to {high:.0f} Hz swells and fades {passing:.1f} times a "
        f"second, as {vanes} vanes pass at {speed:.2f} Hz; the line stands {level:.0f} times above the noise.",
        "A bearing rings in one band only. Look at suction pressure, level and flow: recirculation looks alike.",
    )
    sure = min(_SURE, likelihood(-0.5 * float(np.sum(levels[shows])) + np.log(len(bank.bands))))
    return Finding("cavitation", sure, words, (MatchedPeak(f"{vanes} vanes", passing, level),), (low, high))


def _lines(orders: FaultOrders) -> tuple[float, ...]:
    return (orders.outer, orders.inner, 2 * orders.ball)


def _near(order: float, vanes: int, tolerance: float) -> bool:
    return abs(order / vanes - 1) < tolerance

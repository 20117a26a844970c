"""The vibration before and after a repair: medians of the signals that the case was about, and a burst of each side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from lineshaft.hub.historian.base import Historian
from lineshaft.hub.state.catalogue import SqlCatalogue
from lineshaft.model.equipment import SignalKind
from lineshaft.model.samples import GOOD_CLASS

DAY_US: Final = 86_400_000_000
HOUR_US: Final = 3_600_000_000
STOP_US: Final = 6 * HOUR_US
"""So long before the end of the work the machine may have stood for it."""
WARM_US: Final = HOUR_US
"""So long after it the machine runs up and warms."""
RUN_UP_US: Final = HOUR_US // 12
FIRST_US: Final = HOUR_US // 4
"""So long after the work there is a first look, at what came after the run-up."""


def compare(
    historian: Historian, catalogue: SqlCatalogue, asset: str, features: Sequence[str], worked: int, now: int
) -> dict[str, Any] | None:
    """Medians over a day before the work and a day after it, as far as that has passed; None when nothing is known yet.

    It is not `final` until the day has passed, and within the first hour the machine has not warmed up yet.
    features: names below the asset. Blocks. Raises StoreUnavailable.
    """
    before = (worked - STOP_US - DAY_US, worked - STOP_US)
    warm = now >= worked + WARM_US + RUN_UP_US
    after = (worked + (WARM_US if warm else RUN_UP_US), min(now, worked + WARM_US + DAY_US))
    if now < worked + FIRST_US:
        return None
    rows = []
    for name in features:
        signal = catalogue.by_path(f"{asset}/{name}")
        if signal is None:
            continue
        old, new = (_median(historian, signal.id, *span) for span in (before, after))
        if old is not None and new is not None:
            rows.append({"name": name, "unit": signal.born.signal.unit, "before": old, "after": new})
    waves = _bursts(historian, catalogue, asset, worked, after[0])
    if not rows and not waves:
        return None
    final = now >= worked + WARM_US + DAY_US
    return {"before": list(before), "after": list(after), "features": rows, "bursts": waves, "final": final}


def _median(historian: Historian, number: int, start: int, end: int) -> float | None:
    for series in historian.read([number], start, end, before=False):
        good = series.values[(series.qualities >= GOOD_CLASS) & np.isfinite(series.values)]
        if len(good):
            return float(np.median(good))
    return None


def _bursts(historian: Historian, catalogue: SqlCatalogue, asset: str, worked: int, begin: int) -> list[dict[str, Any]]:
    """Of each waveform below the asset the last burst before the work and the first one after it, at a like speed."""
    found = []
    for one in catalogue.signals():
        if one.born.signal.kind is not SignalKind.WAVEFORM or not one.path.startswith(f"{asset}/"):
            continue
        before = historian.waveforms([one.id], worked - STOP_US - 7 * DAY_US, worked - STOP_US, 500)
        after = historian.waveforms([one.id], begin, begin + 7 * DAY_US, 500)
        if not before or not after:
            continue
        last = before[-1]
        first = min(after[:20], key=lambda wave: abs((wave.speed or 0.0) - (last.speed or 0.0)))
        found.append({"signal": one.id, "path": one.path, "before": last.time, "after": first.time})
    return found

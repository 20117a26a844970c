"""What the hub has seen of assets that OEE does not know yet, and the guesses from it; below /api/v1/oee."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from fastapi import APIRouter

from lineshaft.analytics.oee.states import raw_key
from lineshaft.apps.oee.detect import Seen, is_power, is_state, propose, section
from lineshaft.apps.oee.parts import Oee, Parts
from lineshaft.hub.api.services import Parts as HubParts
from lineshaft.hub.api.services import Services, needs
from lineshaft.hub.historian.base import OTHERS, Series
from lineshaft.hub.security.roles import Role
from lineshaft.model.equipment import Level
from lineshaft.model.samples import CLASS_MASK

router = APIRouter(prefix="/oee", tags=["oee"])
_LOOK_US: Final = 2 * 86_400_000_000
_POINTS: Final = 500
_MOST_WORDS: Final = 40


@router.get("/guesses", dependencies=[needs(Role.ENGINEER)])
def guesses(oee: Parts, hub: HubParts) -> dict[str, Any]:
    """Machines that could be measured, guessed from names, kinds and values of signals; and the section for them.

    Nothing is used before it stands in the plant folder.
    """
    found = propose(_seen(oee, hub))
    return {"items": [asdict(one) for one in found], "yaml": section(found) if found else ""}


def _seen(oee: Oee, hub: Services) -> list[Seen]:
    """Assets that OEE does not know, with the values of the last two days of what may tell their state."""
    catalogue, now = hub.state.catalogue, oee.clock.now_us()
    _, nodes = catalogue.equipment()
    root = oee.sender.closing.root + "/"
    found = []
    for node in nodes:
        if node.level is not Level.ASSET or not node.path.startswith(root) or node.path in oee.setup.machines:
            continue
        known = [one for one in catalogue.signals(node.path) if one.born.signal.asset == node.path]
        asked = [one for one in known if is_state(one.born.signal) or is_power(one.born.signal)]
        rows = hub.historian.read([one.id for one in asked], now - _LOOK_US, now, points=_POINTS) if asked else []
        texts, spans = {}, {}
        for one, series in zip(asked, rows, strict=True):
            name = one.born.signal.name
            if is_state(one.born.signal):
                texts[name] = _words(series)
            elif (span := _span(series)) is not None:
                spans[name] = span
        signals = tuple(one.born.signal for one in known)
        found.append(Seen(node.path.removeprefix(root), node.name, node.type, signals, texts, spans))
    return found


def _words(series: Series) -> frozenset[str]:
    texts: Sequence[str | None] = [None] * len(series.times) if series.texts is None else series.texts.tolist()
    good = (series.qualities & CLASS_MASK) != 0
    rows = zip(series.values.tolist(), texts, good.tolist(), strict=True)
    words = {raw_key(value, text) for value, text, ok in rows if ok}
    if series.states is not None:  # each entry is the longest of several
        words |= {name for states in series.states.tolist() for name in states or {} if name != OTHERS}
    return frozenset(sorted(words)[:_MOST_WORDS])


def _span(series: Series) -> tuple[float, float] | None:
    """What it draws idle and at work; None with too few values."""
    values = series.values[((series.qualities & CLASS_MASK) != 0) & ~np.isnan(series.values)]
    if len(values) < 20:
        return None
    low, high = np.quantile(values, [0.05, 0.95]).tolist()
    return float(low), float(high)

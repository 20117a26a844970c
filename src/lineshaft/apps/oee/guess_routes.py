"""What the hub has seen of assets that OEE does not know yet, and the guesses from it; below /api/v1/oee."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from fastapi import APIRouter
from pydantic import Field

from lineshaft.analytics.oee.states import raw_key
from lineshaft.apps.oee.detect import Seen, is_power, is_state, propose, section
from lineshaft.apps.oee.parts import Oee, Parts
from lineshaft.errors import DataError, Unsupported
from lineshaft.hub.api.models import Body
from lineshaft.hub.api.services import Caller, Services, needs
from lineshaft.hub.api.services import Parts as HubParts
from lineshaft.hub.historian.base import OTHERS, Series
from lineshaft.hub.security.roles import Role
from lineshaft.model.equipment import Level
from lineshaft.model.samples import CLASS_MASK

router = APIRouter(prefix="/oee", tags=["oee"])
FILE: Final = "oee.yaml"
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


class Chosen(Body):
    """Guessed machines that shall be measured."""

    assets: list[str] = Field(min_length=1, max_length=1000, description="paths below the site")


@router.post("/guesses", status_code=201, dependencies=[needs(Role.ENGINEER)])
def use_guesses(body: Chosen, oee: Parts, hub: HubParts, caller: Caller) -> dict[str, Any]:
    """Write the section of these machines into the plant folder; they are measured when this answers."""
    if oee.add_file is None:
        raise Unsupported("this hub has no plant folder that it could write", hint="add the section by hand")
    found = propose(_seen(oee, hub))
    unknown = sorted(set(body.assets) - {one.asset for one in found})
    if unknown:
        raise DataError(f"no guess for {', '.join(unknown[:5])}", hint="look at the page again")
    chosen = [one for one in found if one.asset in body.assets]
    oee.add_file(FILE, section(chosen))
    root, now = oee.sender.closing.root, oee.clock.now_us()
    oee.store.note_change("machines", root, caller.name, now, {"after": [one.asset for one in chosen]})
    return {"file": FILE, "machines": len(chosen)}


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

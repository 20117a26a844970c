"""The plant at a glance: figures of the whole, and its assets a few at a time."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Response

from lineshaft.hub.api.catalogue_views import signal_view
from lineshaft.hub.api.columns import as_json
from lineshaft.hub.api.explorer_models import Cards, Overview
from lineshaft.hub.api.explorer_views import View
from lineshaft.hub.api.paging import Cursor, paged
from lineshaft.hub.api.routers.explorer import Search, place_of
from lineshaft.hub.explorer.explorer import Filter
from lineshaft.hub.explorer.index import PlantIndex
from lineshaft.hub.explorer.marks import Marks
from lineshaft.hub.explorer.quantities import Quantity
from lineshaft.hub.explorer.states import STATE_CLASSES
from lineshaft.model.equipment import Level

router = APIRouter(tags=["explorer"])
POINTS_TOLD = 60  # signals that a page can sum and draw by itself
TRUSTED = 64  # smallest quality byte of a value that is not bad


@router.get("/overview", response_model=Overview)
def overview(explorer: Search) -> Response:
    """Figures of the whole plant, and where its assets stand."""
    plant, marks = explorer.plant(), explorer.marks()
    index = marks.index
    holders = _holders(index)
    machines = Counter(
        STATE_CLASSES[marks.state[signal]] if marks.state[signal] >= 0 else "unknown"
        for nodes in holders.values()
        for signal in (int(index.state_signal[node]) for node in nodes)
        if signal >= 0
    )
    groups = [_group(marks, holder, nodes) for holder, nodes in holders.items()]
    groups.sort(key=lambda one: (one["machines"] == 0, one["path"]))
    return as_json(
        {
            "signals": len(index.signals),
            "newest": int(marks.time.max(initial=0)),
            "abnormal": len(marks.groups),
            "abnormal_signals": int((marks.kind > 0).sum()),
            "worst": marks.groups[0].kind if marks.groups else "",
            "machines": machines,
            "quantities": {name: _quantity(marks, one) for name, one in plant.quantities.items()}
            if plant.index is index
            else {},
            "groups": groups,
        }
    )


@router.get("/overview/cards", response_model=Cards)
def cards(
    explorer: Search,
    group: Annotated[str, Query(description="path of the line or area; '' is the top")] = "",
    abnormal: Annotated[bool, Query(description="only those where something is abnormal")] = False,
    start: Annotated[int, Query(ge=0, description="without a cursor: position of the first row")] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 12,
    cursor: Cursor = "",
) -> Response:
    """Assets of a group with their signals."""
    marks = explorer.marks()
    index, view = marks.index, View(marks, Filter())
    nodes = _holders(index).get(place_of(index, group), [])
    if abnormal:
        nodes = [node for node in nodes if marks.by_node[node] > 0]
    page, more = paged(nodes if cursor else nodes[start:], lambda node: index.nodes[node].path, cursor, limit)
    return as_json({"items": [_card(view, node) for node in page], "start": start, "total": len(nodes), "next": more})


def _holders(index: PlantIndex) -> dict[int, list[int]]:
    """Equipment -> what right below it has signals of its own or of its components."""
    holders: dict[int, list[int]] = {}
    for node in np.unique(index.asset[index.node_of]).tolist():
        holders.setdefault(int(index.parent[node]), []).append(node)
    return holders


def _group(marks: Marks, holder: int, nodes: list[int]) -> dict[str, Any]:
    index = marks.index
    above = int(index.parent[holder]) if holder >= 0 else -1
    return {
        "path": index.nodes[holder].path if holder >= 0 else "",
        "name": index.nodes[holder].name if holder >= 0 else "",
        "where": index.nodes[above].name
        if above >= 0 and index.nodes[above].level not in (Level.ENTERPRISE, Level.SITE)
        else "",
        "cards": len(nodes),
        "machines": int((index.state_signal[nodes] >= 0).sum()),
        "abnormal": int((marks.by_node[nodes] > 0).sum()),
    }


def _card(view: View, node: int) -> dict[str, Any]:
    index, marks = view.index, view.marks
    span = index.span(node)
    own = [i for i in range(span.start, span.stop) if index.asset[index.node_of[i]] == node]
    state = int(index.state_signal[node])
    worst = None
    if marks.by_node[node]:
        touching = (one for one in marks.groups if ((one.signals >= span.start) & (one.signals < span.stop)).any())
        worst = view.group(next(touching))
    return {
        "node": view.row(node),
        "signals": [signal_view(index.signals[i]) for i in own],
        "state": int(index.ids[state]) if state >= 0 else None,
        "worst": worst,
    }


def _quantity(marks: Marks, quantity: Quantity) -> dict[str, Any]:
    at = np.array([point.at for point in quantity.points])
    factor = np.array([point.factor for point in quantity.points])
    value = marks.value[at] * factor
    good = (marks.time[at] > 0) & (marks.quality[at] >= TRUSTED) & np.isfinite(value)
    ids = marks.index.ids[at].tolist()
    return {
        "unit": quantity.unit,
        "basis": quantity.basis,
        "value": float(value[good].sum()) if good.any() else None,
        "count": len(ids),
        "points": list(zip(ids, factor.tolist(), strict=True)) if len(ids) <= POINTS_TOLD else [],
    }

"""The asset explorer: children by node, search, what is abnormal."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Depends, Query, Response
from starlette.requests import HTTPConnection

from lineshaft.errors import DataError
from lineshaft.hub.api.catalogue_views import node_view, signal_view
from lineshaft.hub.api.columns import as_json
from lineshaft.hub.api.explorer_models import AbnormalPage, Facets, Found, LookedUp, Lookup, TreePage
from lineshaft.hub.api.explorer_views import View, where
from lineshaft.hub.api.paging import Cursor
from lineshaft.hub.api.problems import NotFound
from lineshaft.hub.explorer.explorer import Explorer, Filter, found_nodes, found_signals, wanted
from lineshaft.hub.explorer.index import PlantIndex
from lineshaft.hub.explorer.marks import QUALITIES
from lineshaft.hub.explorer.states import STATE_CLASSES
from lineshaft.model.equipment import Level

router = APIRouter(tags=["explorer"])
OLD_MARKS = 15.0  # seconds; who searches by words shall not wait for a look at all values
State = Literal["running", "idle", "waiting", "setup", "planned", "down", "off", "other"]
Quality = Literal["none", "good", "uncertain", "bad", "stale"]


async def explorer_of(connection: HTTPConnection) -> Explorer:
    """The explorer of the running app."""
    explorer: Explorer = connection.app.state.explorer
    return explorer


def asked(
    q: Annotated[str, Query(max_length=200, description="words in path, name, alias, type, unit or device")] = "",
    of_type: Annotated[str, Query(alias="type", max_length=100, description="of equipment or what is above")] = "",
    state: Annotated[State | None, Query(description="what the machine does now")] = None,
    quality: Annotated[Quality | None, Query(description="of the newest value")] = None,
    abnormal: Annotated[bool, Query(description="only what is abnormal")] = False,
) -> Filter:
    """The filter of a request."""
    return Filter(q, of_type, state or "", quality or "", abnormal)


Search = Annotated[Explorer, Depends(explorer_of)]
Asked = Annotated[Filter, Depends(asked)]


def place_of(index: PlantIndex, path: str) -> int:
    """Position of a node; -1 for ''. Raises NotFound."""
    if not path:
        return -1
    if path not in index.at:
        raise NotFound(f"there is no equipment {path}")
    return index.at[path]


@router.get("/tree", response_model=TreePage)
def tree(
    explorer: Search,
    only: Asked,
    parent: Annotated[str, Query(description="'' is the top")] = "",
    signals: Annotated[bool, Query(description="signals as rows too, not only equipment")] = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Cursor = "",
    start: Annotated[int, Query(ge=0, description="without a cursor: position of the first row")] = 0,
) -> Response:
    """What stands right below a node, a page at a time; with a filter only what leads to something that passes."""
    marks = explorer.marks()
    index, view = marks.index, View(marks, only, signals)
    node = place_of(index, parent)
    nodes = view.nodes_below(node)
    own = view.signals_of(node).tolist() if signals else []
    start = _position(cursor) if cursor else start
    total = len(nodes) + len(own)
    page = [view.row(i) for i in nodes[start : start + limit]]
    page += [view.signal_row(i) for i in own[max(0, start - len(nodes)) : max(0, start + limit - len(nodes))]]
    more = start + len(page) < total
    return as_json(
        {
            "version": index.version,
            "node": view.row(node) if node >= 0 else None,
            "items": page,
            "start": start,
            "total": total,
            "next": str(start + len(page)) if more else None,
        }
    )


def _position(cursor: str) -> int:
    if not cursor.isdecimal():
        raise DataError("this cursor was not made by this hub")
    return int(cursor)


@router.get("/search", response_model=Found)
def search(
    explorer: Search,
    only: Asked,
    place: Annotated[str, Query(description="only in this equipment")] = "",
    what: Annotated[Literal["all", "equipment", "signals"], Query(description="what is looked for")] = "all",
    limit: Annotated[int, Query(ge=1, le=500)] = 40,
    cursor: Cursor = "",
) -> Response:
    """Equipment and signals that hold all words, the closest first."""
    by_value = bool(only.state or only.quality or only.abnormal)
    marks = explorer.marks() if by_value else explorer.marks(OLD_MARKS)
    index, view = marks.index, View(marks, Filter())
    node, start = place_of(index, place), _position(cursor) if cursor else 0
    nodes = found_nodes(index, only.text, node) if what != "signals" else np.zeros(0, np.int64)
    found = np.zeros(0, np.int64)
    if what != "equipment" and only:
        mask = wanted(marks, only)
        inside = np.zeros_like(mask)
        inside[index.span(node)] = True
        found = found_signals(index, mask & inside, only.text)
    page = found[start : start + limit]
    return as_json(
        {
            "nodes": [
                view.row(i) | {"where": where(index, int(index.parent[i]))}
                for i in (nodes[: min(limit, 40)] if start == 0 else nodes[:0]).tolist()
            ],
            "nodes_total": len(nodes),
            "signals": [
                {"signal": signal_view(index.signals[i]), "where": where(index, int(index.node_of[i]))}
                for i in page.tolist()
            ],
            "signals_total": len(found),
            "next": str(start + len(page)) if start + len(page) < len(found) else None,
        }
    )


@router.get("/tree/facets")
def facets(explorer: Search, place: Annotated[str, Query(description="only of this equipment")] = "") -> Facets:
    """What the filters of the explorer can choose, with counts."""
    marks = explorer.marks()
    index = marks.index
    node = place_of(index, place)
    span, below = index.span(node), index.below(node)
    nodes = range(below.start, below.stop)
    types = Counter(index.nodes[i].type for i in nodes if index.nodes[i].type)
    machines = [i for i in nodes if index.nodes[i].level is not Level.COMPONENT and marks.node_state[i] >= 0]
    qualities = np.bincount(marks.quality_word[span], minlength=len(QUALITIES)).tolist()
    return Facets(
        types=dict(sorted(types.items())),
        states=dict(Counter(STATE_CLASSES[marks.node_state[i]] for i in machines)),
        qualities={word: n for word, n in zip(QUALITIES, qualities, strict=True) if n},
        abnormal=int((marks.kind[span] > 0).sum()),
    )


@router.post("/lookup", response_model=LookedUp)
def lookup(explorer: Search, asked: Lookup) -> Response:
    """What a page needs to know of paths that it has met; changes nothing. Unknown paths are left out."""
    plant = explorer.plant()
    index = plant.index
    nodes: dict[int, None] = {}
    signals = []
    for path in asked.paths:
        at = index.at.get(path)
        if at is None:
            name = path.rpartition("/")
            holder = index.at.get(name[0])
            own = index.own(holder) if holder is not None else slice(0, 0)
            signals += [one for one in index.signals[own] if one.born.signal.name == name[2]]
            at = holder if own.stop > own.start else None
        if at is None:
            continue
        nodes |= dict.fromkeys(index.trail(at))
        if asked.components:
            below = index.below(at)
            nodes |= {i: None for i in range(below.start, below.stop) if index.asset[i] == at}
    return as_json(
        {
            "version": index.version,
            "nodes": [node_view(index.nodes[i]) for i in sorted(nodes)],
            "signals": [signal_view(one) for one in signals],
        }
    )


@router.get("/abnormal", response_model=AbnormalPage)
def abnormal(
    explorer: Search,
    place: Annotated[str, Query(description="only of this equipment")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    cursor: Cursor = "",
) -> Response:
    """What is abnormal now, the most urgent first; signals of one device that are bad or stale together are one."""
    marks = explorer.marks()
    index, view = marks.index, View(marks, Filter())
    span = index.span(place_of(index, place))
    groups = [one for one in marks.groups if not place or _touches(one.signals, span)]
    start = _position(cursor) if cursor else 0
    page = groups[start : start + limit]
    return as_json(
        {
            "items": [view.group(one) for one in page],
            "next": str(start + len(page)) if page and start + len(page) < len(groups) else None,
            "total": len(groups),
            "signals": int((marks.kind[span] > 0).sum()),
            "all": span.stop - span.start,
        }
    )


def _touches(signals: np.ndarray, span: slice) -> bool:
    return bool(((signals >= span.start) & (signals < span.stop)).any())

"""Equipment and signals."""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from bisect import bisect_right
from typing import Annotated, Literal
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Header, Query, Response

from lineshaft.errors import DataError
from lineshaft.hub.api.catalogue_views import node_view, signal_view
from lineshaft.hub.api.columns import as_json, ids_of
from lineshaft.hub.api.models import (
    Changes,
    ChangeView,
    EquipmentTree,
    PipelineView,
    SignalPage,
    SignalView,
    StepView,
    UsesView,
    UseView,
)
from lineshaft.hub.api.paging import Cursor, mark, marked
from lineshaft.hub.api.problems import NotFound
from lineshaft.hub.api.routers.explorer import Search
from lineshaft.hub.api.services import Caller, Parts
from lineshaft.hub.usage import Use

router = APIRouter(tags=["catalogue"])


@router.get("/equipment", response_model=EquipmentTree, responses={304: {"description": "not changed"}})
def equipment(parts: Parts, if_none_match: Annotated[str, Header()] = "") -> Response:
    """The equipment tree; answers 304 to `If-None-Match` with the ETag of an unchanged tree."""
    version, nodes = parts.state.catalogue.equipment()
    headers = {"etag": f'"{version}"', "cache-control": "private, no-cache"}
    known = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    if headers["etag"] in known:
        return Response(status_code=304, headers=headers)
    response = as_json(
        {
            "version": version,
            "nodes": [node_view(node) for node in nodes],
        }
    )
    response.headers.update(headers)
    return response


@router.get("/changes")
def changes(
    parts: Parts,
    path: Annotated[str, Query(description="equipment or signal; it and all below it")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Cursor = "",
) -> Changes:
    """What changed in the descriptions of equipment and signals, newest first."""
    found = parts.state.catalogue.changes(path, limit, marked(cursor))
    return Changes(
        items=[ChangeView(time=c.time, path=c.path, source=c.source, changes=list(c.fields)) for c in found],
        next=mark(found[-1].time, found[-1].id) if len(found) == limit else None,
    )


@router.get("/signals", response_model=SignalPage)
def signals(
    parts: Parts,
    explorer: Search,
    asset: Annotated[str, Query(description="signals of this equipment and all below it")] = "",
    ids: Annotated[str, Query(max_length=20_000, description="only these, separated by commas, in this order")] = "",
    own: Annotated[bool, Query(description="of `asset`: only its own and its components'")] = False,
    q: Annotated[str, Query(max_length=200, description="words in path, description, device or unit")] = "",
    limit: Annotated[int, Query(ge=1, le=5000)] = 200,
    cursor: Cursor = "",
) -> Response:
    """Signals by path."""
    if ids:
        known = (parts.state.catalogue.by_id(one) for one in ids_of(ids, most=1000))
        return as_json({"items": [signal_view(one) for one in known if one is not None], "next": None})
    found = parts.state.catalogue.signals(asset, q)
    if own and asset:
        index = explorer.plant().index
        found = [one for one in found if index.belongs(one.born.signal.asset, asset)]
    start = bisect_right(found, _position(cursor), key=lambda one: one.path) if cursor else 0
    page = found[start : start + limit]
    more = start + limit < len(found)
    return as_json({"items": [signal_view(one) for one in page], "next": _cursor(page[-1].path) if more else None})


@router.get("/signals/{signal}", response_model=SignalView)
def signal(signal: int, parts: Parts) -> Response:
    """One signal."""
    found = parts.state.catalogue.by_id(signal)
    if found is None:
        raise NotFound(f"there is no signal {signal}")
    return as_json(signal_view(found))


@router.get("/signals/{signal}/pipeline")
def pipeline(signal: int, parts: Parts) -> PipelineView:
    """What the gateway's steps did to a signal since its start: raw in, sent out, changed or dropped by which step."""
    found = parts.state.catalogue.by_id(signal)
    if found is None:
        raise NotFound(f"there is no signal {signal}")
    told = parts.pipelines.of(found.path)
    if told is None:
        return PipelineView(time=None, node=found.born.node, rows_in=0, rows_out=0, steps=[])
    figures = told.figures
    names = dict.fromkeys([*figures.changed, *figures.dropped])
    return PipelineView(
        time=told.time,
        node=told.node,
        rows_in=figures.rows_in,
        rows_out=figures.rows_out,
        steps=[
            StepView(step=name, changed=figures.changed.get(name, 0), dropped=figures.dropped.get(name, 0))
            for name in names
        ],
    )


@router.get("/signals/{signal}/uses")
def uses(signal: int, parts: Parts, caller: Caller) -> UsesView:
    """Who uses a signal: operators and models, computed signals and rules of gateways, apps, and the caller's views."""
    found = parts.state.catalogue.by_id(signal)
    if found is None:
        raise NotFound(f"there is no signal {signal}")
    used = list(parts.uses.of(found.path))
    if parts.operators is not None:
        planned = {one.id for one in parts.operators.plan}
        for binding, writes in parts.operators.using(found.path):
            kind: Literal["operator", "model"] = "operator" if binding.planned.id in planned else "model"
            used.append(Use(kind, binding.planned.id, binding.asset.path, "output" if writes else "input"))
    used += [
        Use("view", one.name, one.address) for one in parts.state.views.of(caller.name) if _shows(one.address, signal)
    ]
    return UsesView(items=[UseView(kind=u.kind, name=u.name, where=u.where, role=u.role) for u in used])


def _shows(address: str, signal: int) -> bool:
    """Whether a saved view draws the signal."""
    asked = parse_qs(urlsplit(address).query).get("s", [""])[0]
    return str(signal) in asked.split(",") or urlsplit(address).path == f"/signal/{signal}"


def _cursor(path: str) -> str:
    return urlsafe_b64encode(path.encode()).decode().rstrip("=")


def _position(cursor: str) -> str:
    try:
        return b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise DataError("this cursor was not made by this hub") from error

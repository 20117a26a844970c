"""Equipment and signals."""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from bisect import bisect_right
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from lineshaft.errors import DataError
from lineshaft.hub.api.columns import as_json
from lineshaft.hub.api.models import (
    Changes,
    ChangeView,
    EquipmentTree,
    PipelineView,
    SignalPage,
    SignalView,
    StepView,
)
from lineshaft.hub.api.problems import NotFound
from lineshaft.hub.api.services import Parts
from lineshaft.hub.commands import bounds_of
from lineshaft.hub.state.catalogue import CataloguedSignal

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
            "nodes": [
                {
                    "path": node.path,
                    "name": node.name,
                    "level": node.level,
                    "type": node.type,
                    "parent": node.parent,
                    "description": node.description,
                    "aliases": node.aliases,
                    "attributes": [asdict(one) for one in node.attributes],
                }
                for node in nodes
            ],
        }
    )
    response.headers.update(headers)
    return response


@router.get("/changes")
def changes(
    parts: Parts,
    path: Annotated[str, Query(description="equipment or signal; it and all below it")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Changes:
    """What changed in the descriptions of equipment and signals, newest first."""
    found = parts.state.catalogue.changes(path, limit)
    return Changes(items=[ChangeView(time=c.time, path=c.path, source=c.source, changes=list(c.fields)) for c in found])


@router.get("/signals", response_model=SignalPage)
def signals(
    parts: Parts,
    asset: Annotated[str, Query(description="signals of this equipment and all below it")] = "",
    q: Annotated[str, Query(max_length=200, description="words in path, description, device or unit")] = "",
    limit: Annotated[int, Query(ge=1, le=5000)] = 200,
    cursor: Annotated[str, Query(description="`next` of the page before")] = "",
) -> Response:
    """Signals by path."""
    found = parts.state.catalogue.signals(asset, q)
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


def signal_view(one: CataloguedSignal) -> dict[str, object]:
    """A signal as `SignalView` describes it."""
    signal, born = one.born.signal, one.born
    limits = signal.limits
    return {
        "id": one.id,
        "path": signal.path,
        "asset": signal.asset,
        "name": signal.name,
        "kind": signal.kind,
        "unit": signal.unit,
        "datatype": signal.datatype,
        "decimals": signal.decimals,
        "low": signal.low,
        "high": signal.high,
        "limits": {
            "low_low": limits.low_low,
            "low": limits.low,
            "high": limits.high,
            "high_high": limits.high_high,
        },
        "states": dict(signal.states),
        "description": signal.description,
        "source": {"node": born.node, "device": born.device, "address": born.address},
        "write": bounds_of(one),
    }


def _cursor(path: str) -> str:
    return urlsafe_b64encode(path.encode()).decode().rstrip("=")


def _position(cursor: str) -> str:
    try:
        return b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise DataError("this cursor was not made by this hub") from error

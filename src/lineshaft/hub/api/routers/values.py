"""Latest values and series."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Header, Query, Response

from lineshaft.errors import DataError
from lineshaft.hub.api.columns import ARROW, ids_of, latest_json, series_arrow, series_json
from lineshaft.hub.api.models import LatestColumns, SeriesPage
from lineshaft.hub.api.problems import NotFound
from lineshaft.hub.api.services import Parts

router = APIRouter(tags=["values"])

MOST_SERIES = 100
MOST_LATEST = 20_000


@router.get("/latest", response_model=LatestColumns)
def latest(
    parts: Parts,
    signals: Annotated[str, Query(description="ids with commas between them")] = "",
    asset: Annotated[str, Query(description="signals of this equipment and all below it")] = "",
) -> Response:
    """The latest row of each signal that has one."""
    if not signals and not asset:
        raise DataError("either signals or asset is needed", hint="?signals=1,2 or ?asset=path")
    ids = ids_of(signals, most=MOST_LATEST)
    if asset:
        ids += [one.id for one in parts.state.catalogue.signals(asset)]
    return latest_json(parts.stream.latest(np.array(ids, np.uint32)))


@router.get("/series", response_model=SeriesPage, responses={200: {"content": {ARROW: {"schema": {"type": "string"}}}}})
def series(
    parts: Parts,
    signals: Annotated[str, Query(description="ids with commas between them")],
    start: Annotated[int, Query(description="UTC microseconds")],
    end: Annotated[int, Query(description="UTC microseconds, not included")],
    points: Annotated[int, Query(ge=2, le=20_000, description="width in pixels")] = 800,
    accept: Annotated[str, Header()] = "",
) -> Response:
    """History up to the newest committed row; JSON, or Arrow when the request accepts it."""
    ids = ids_of(signals, most=MOST_SERIES)
    if not ids:
        raise DataError("no signal asked for", hint="?signals=1,2")
    if start >= end:
        raise DataError("start is not before end", hint="both in UTC microseconds")
    for number in ids:
        if parts.state.catalogue.by_id(number) is None:
            raise NotFound(f"there is no signal {number}")
    found = parts.historian.read(ids, start, end, points=points)
    return series_arrow(found) if ARROW in accept else series_json(found)

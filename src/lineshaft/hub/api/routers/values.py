"""Latest values and series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Header, Query, Response

from lineshaft.analytics.oee.calendar import Calendar
from lineshaft.clock import MICROSECONDS
from lineshaft.errors import DataError
from lineshaft.hub.api import aggregation
from lineshaft.hub.api.columns import ARROW, as_json, ids_of, latest_json, series_arrow, series_json
from lineshaft.hub.api.models import AggregatePage, LatestColumns, SeriesPage
from lineshaft.hub.api.problems import NotFound
from lineshaft.hub.api.services import Parts, Services

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
    _known(parts, ids)
    found = parts.historian.read(ids, start, end, points=points)
    return series_arrow(found) if ARROW in accept else series_json(found)


@router.get("/aggregate", response_model=AggregatePage)
def aggregate(
    parts: Parts,
    signals: Annotated[str, Query(description="ids with commas between them")],
    start: Annotated[int, Query(description="UTC microseconds")],
    end: Annotated[int, Query(description="UTC microseconds, not included")],
    bucket: Annotated[
        aggregation.Bucket, Query(description="local unit; whole units that touch the range are given; all: the range")
    ] = "1d",
    tz: Annotated[str, Query(description="IANA time zone; the plant's when empty")] = "",
    functions: Annotated[
        str, Query(description=f"with commas between them: {', '.join([*aggregation.FUNCTIONS, aggregation.STATES])}")
    ] = "mean,min,max",
    gap: Annotated[
        float | None, Query(gt=0, description="seconds that a value is held at most; by the signal's kind when absent")
    ] = None,
) -> Response:
    """Aggregates by local hour, day, week, month or shift, with sample counts and gaps; late data count at once."""
    ids = ids_of(signals, most=MOST_SERIES)
    if not ids:
        raise DataError("no signal asked for", hint="?signals=1,2")
    if start >= end:
        raise DataError("start is not before end", hint="both in UTC microseconds")
    _known(parts, ids)
    zone = aggregation.zone_of(tz or parts.plant.timezone)
    calendar = _calendar(parts, ids) if bucket == "shift" else None
    request = aggregation.Request(start, end, bucket, zone, aggregation.functions_of(functions), calendar)
    buckets = request.spans()
    if not buckets:
        return as_json(aggregation.body(request, (), (), ()))
    found = parts.historian.aggregate(
        ids,
        aggregation.edges_of(buckets),
        until=parts.clock.now_us(),
        gap=None if gap is None else round(gap * MICROSECONDS),
    )
    return as_json(aggregation.body(request, buckets, ids, found))


def _known(parts: Services, ids: Sequence[int]) -> None:
    for number in ids:
        if parts.state.catalogue.by_id(number) is None:
            raise NotFound(f"there is no signal {number}")


def _calendar(parts: Services, ids: Sequence[int]) -> Calendar | None:
    """The shift calendar that all these signals share. Raises DataError when there are several."""
    found = {parts.plant.calendar(one.path) for number in ids if (one := parts.state.catalogue.by_id(number))}
    if len(found) > 1:
        raise DataError("the signals belong to different shift calendars", hint="ask for each calendar by itself")
    return next(iter(found), None)

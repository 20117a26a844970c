"""Comparison of assets, lines and sites by one metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query, Response

from lineshaft.analytics.comparison import (
    Course,
    Matching,
    Ranked,
    Standing,
    common_products,
    load_band,
    ranking,
    standings,
)
from lineshaft.errors import DataError
from lineshaft.hub.api.columns import as_json
from lineshaft.hub.api.compare_models import CompareChoices, ComparedAsset, Comparison, MetricView
from lineshaft.hub.api.explorer_views import where
from lineshaft.hub.api.routers.explorer import Search
from lineshaft.hub.api.services import Parts
from lineshaft.hub.comparing.choices import chosen, group_of, metrics, types_of
from lineshaft.hub.comparing.courses import Asked, Told, courses_of
from lineshaft.hub.comparing.settings import differences
from lineshaft.hub.comparing.usual import usual_type
from lineshaft.hub.explorer.index import PlantIndex
from lineshaft.model.equipment import Level

router = APIRouter(tags=["compare"], prefix="/compare")
POINTS = 80
LEVELS = {"asset": None, "line": Level.LINE, "area": Level.AREA, "site": Level.SITE}
Type = Annotated[str, Query(alias="type", max_length=100, description="all equipment of this type")]
Assets = Annotated[str, Query(max_length=20_000, description="or only these paths, with commas between them")]
Place = Annotated[str, Query(description="of a type only what is at or below this equipment")]


@router.get("/choices")
def choices(
    parts: Parts, explorer: Search, of_type: Type = "", assets: Assets = "", place: Place = ""
) -> CompareChoices:
    """What can be compared, and by which metrics."""
    index = explorer.plant().index
    nodes = chosen(index, of_type, _paths(assets), place)
    return CompareChoices(
        types=types_of(index),
        usual="" if of_type or assets else usual_type(index, parts.assets),
        assets=[
            ComparedAsset(path=index.nodes[i].path, name=index.nodes[i].name, where=where(index, int(index.parent[i])))
            for i in nodes
        ],
        metrics=[MetricView.model_validate(asdict(one)) for one in metrics(index, nodes, parts.assets)],
    )


@router.get("", response_model=Comparison)
def compare(
    parts: Parts,
    explorer: Search,
    metric: Annotated[str, Query(description="id of a metric of the choices")],
    start: Annotated[int, Query(description="UTC microseconds")],
    end: Annotated[int, Query(description="UTC microseconds, not included")],
    of_type: Type = "",
    assets: Assets = "",
    place: Place = "",
    by: Annotated[Literal["asset", "line", "area", "site"], Query(description="what one row is")] = "asset",
    product: Annotated[
        str, Query(description="'' does not match, '*' matches those that all made, else this one")
    ] = "",
    load: Annotated[str, Query(description="id of the metric that is the load; '' does not match by load")] = "",
    low: Annotated[float | None, Query(description="lower end of the band of load; absent: where all were")] = None,
    high: Annotated[float | None, Query(description="upper end")] = None,
    better: Annotated[Literal["low", "high"] | None, Query(description="absent: as the name lets guess")] = None,
) -> Response:
    """Rank assets by a metric over the time in which they made the same under the same load; and what differs at the
    best one. With few hours it says that there is too little to say."""
    index = explorer.plant().index
    nodes = chosen(index, of_type, _paths(assets), place)
    known = {one.id: one for one in metrics(index, nodes, parts.assets)}
    if metric not in known:
        raise DataError(f"{metric!r} is not what at least two of them have", hint="see /compare/choices")
    if load and load not in known:
        raise DataError(f"load: {load!r} is not what at least two of them have", hint="see /compare/choices")
    if start >= end:
        raise DataError("start is not before end", hint="both in UTC microseconds")
    told = courses_of(parts, index, nodes, Asked(metric, start, end, load))
    rows = _joined(index, nodes, told, LEVELS[by])
    courses = [course for _, _, course in rows]
    matching = _matching(told, courses, product, (load, low, high))
    found = standings(courses, matching)
    ranked = ranking(found, better or ("high" if known[metric].better == "high" else "low"))
    best = next((one.course for one in ranked if one.verdict == "best"), None)
    return as_json(
        {
            "metric": asdict(known[metric]),
            "better": better or known[metric].better,
            "step_seconds": float(told.edges[1] - told.edges[0]) / 1e6,
            "rows": [_row(index, told, nodes, rows[one.course], found[one.course], one) for one in ranked],
            "products": _made(told, courses),
            "matched_products": None
            if matching.products is None
            else [told.products[code] for code in matching.products],
            "load": asdict(known[load]) if load else None,
            "band": None if np.isnan(matching.low) else [matching.low, matching.high],
            "best": None if best is None else index.nodes[rows[best][0]].path,
            "settings": _settings(parts, index, told, rows, found, ranked, metric) if by == "asset" else [],
        }
    )


Row = tuple[int, list[int], Course]  # node of the row, places of its assets among the nodes, their course


def _paths(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _joined(index: PlantIndex, nodes: Sequence[int], told: Told, by: Level | None) -> list[Row]:
    groups: dict[int, list[int]] = {}
    for place, node in enumerate(nodes):
        group = group_of(index, node, by)
        if group >= 0:
            groups.setdefault(group, []).append(place)
    return [
        (group, places, Course.joined([told.courses[place] for place in places])) for group, places in groups.items()
    ]


def _matching(
    told: Told, courses: Sequence[Course], product: str, load: tuple[str, float | None, float | None]
) -> Matching:
    products: tuple[int, ...] | None = None
    if product == "*":
        products = common_products(courses)
    elif product:
        if product not in told.products:
            raise DataError(f"nobody made {product!r} in this time", hint=", ".join(told.products))
        products = (list(told.products).index(product),)
    name, low, high = load
    if not name:
        return Matching(products)
    band = load_band(courses)
    band = (band[0] if low is None else low, band[1] if high is None else high)
    if np.isnan(band).any():
        return Matching(products, np.inf, -np.inf)  # there is no load at which all were: nothing matches
    return Matching(products, *band)


def _made(told: Told, courses: Sequence[Course]) -> list[dict[str, Any]]:
    made = []
    for code, name in enumerate(told.products):
        seconds = [float(course.seconds[course.products == code].sum()) for course in courses]
        made.append({"name": name, "hours": sum(seconds) / 3600, "assets": sum(one > 0 for one in seconds)})
    return sorted(made, key=lambda one: -one["hours"])


def _row(index: PlantIndex, told: Told, nodes: Sequence[int], row: Row, one: Standing, place: Ranked) -> dict[str, Any]:
    node, members, course = row
    low, high = one.interval()
    values = course.values[one.used]
    return {
        "path": index.nodes[node].path,
        "name": index.nodes[node].name,
        "where": where(index, int(index.parent[node])) if index.parent[node] >= 0 else [],
        "assets": len(members),
        "value": _number(one.mean),
        "low": _number(low),
        "high": _number(high),
        "spread": _number(one.spread),
        "quantiles": [_number(value) for value in one.quantiles],
        "points": values[:: max(1, -(-len(values) // POINTS))].tolist(),
        "hours": one.seconds / 3600,
        "hours_known": float(course.seconds[np.isfinite(course.values)].sum()) / 3600,
        "independent": one.independent,
        "verdict": place.verdict,
        "probability": _number(place.probability),
        "signals": [signal for member in members if (signal := told.signals[member]) is not None],
    }


def _settings(
    parts: Parts,
    index: PlantIndex,
    told: Told,
    rows: Sequence[Row],
    found: Sequence[Standing],
    ranked: Sequence[Ranked],
    metric: str,
) -> list[dict[str, Any]]:
    order = [one.course for one in ranked if one.verdict != "too little"]
    if len(order) < 2:
        return []
    best, *others = [rows[course][0] for course in order]
    used = [found[course].used for course in order]
    found_ones = differences(parts, index, best, others, told.edges, used)
    return [asdict(one) for one in found_ones if one.name != metric]


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None

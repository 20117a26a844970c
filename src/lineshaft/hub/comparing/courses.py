"""Courses of a metric out of the history, in buckets that fit the period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from lineshaft.analytics.buckets import Buckets
from lineshaft.analytics.comparison import NO_PRODUCT, Course
from lineshaft.errors import DataError
from lineshaft.hub.api.services import Services
from lineshaft.hub.comparing.choices import FIGURE, signals_of
from lineshaft.hub.explorer.index import PlantIndex
from lineshaft.hub.state.catalogue import CataloguedSignal
from lineshaft.model.equipment import SignalKind
from lineshaft.model.samples import Float64Array, Int64Array

MINUTE: Final = 60_000_000  # microseconds
_STEPS: Final = tuple(minutes * MINUTE for minutes in (5, 15, 60, 240, 1440))
_MOST_BUCKETS: Final = 1_000
_HOUR_STEP: Final = 60 * MINUTE
_ALL_OF_IT: Final = 0.9  # share of a bucket that one product must fill to be its product


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """Courses of some nodes, and the names behind their product codes."""

    edges: Int64Array
    courses: Sequence[Course]
    products: Sequence[str]
    signals: Sequence[int | None]  # of the metric, one for each node; None for figures and where it is missing


def edges_of(start: int, end: int, *, hours: bool = False) -> Int64Array:
    """Buckets of five minutes to a day, so that there are at most a thousand; at least an hour for figures of apps."""
    step = next((step for step in _STEPS if (end - start) / step <= _MOST_BUCKETS), _STEPS[-1])
    step = max(step, _HOUR_STEP) if hours else step
    first = start // step * step
    return np.arange(first, end + step, step, dtype=np.int64)


def courses_of(parts: Services, index: PlantIndex, nodes: Sequence[int], what: Asked) -> Told:
    """Read the metric, the load and the products of each node. Raises DataError for a metric that none has."""
    figure = what.metric.removeprefix(FIGURE) if what.metric.startswith(FIGURE) else ""
    edges = edges_of(what.start, what.end, hours=bool(figure))
    own = [signals_of(index, node) for node in nodes]
    paths = [index.nodes[node].path for node in nodes]
    if figure:
        read = [_figure(parts, path, figure, edges) for path in paths]
        signals: list[int | None] = [None] * len(nodes)
    else:
        read, signals = _signal(parts, own, what.metric, edges)
    unknown = np.full(len(edges) - 1, np.nan)
    loads = _signal(parts, own, what.load, edges)[0] if what.load else [(unknown, unknown)] * len(own)
    names: dict[str, int] = {}
    products = [_products(parts, path, have, edges, names) for path, have in zip(paths, own, strict=True)]
    courses = [
        Course(values, seconds, load, product)
        for (values, seconds), (load, _), product in zip(read, loads, products, strict=True)
    ]
    return Told(edges, courses, list(names), signals)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is compared, over which time."""

    metric: str
    start: int
    end: int
    load: str = ""


def _figure(parts: Services, asset: str, figure: str, edges: Int64Array) -> tuple[Float64Array, Float64Array]:
    source = parts.assets.source(asset, figure)
    if source is None:
        return np.full(len(edges) - 1, np.nan), np.zeros(len(edges) - 1)
    return source.values(asset, figure, edges)


def _signal(
    parts: Services, own: Sequence[Mapping[str, CataloguedSignal]], name: str, edges: Int64Array
) -> tuple[list[tuple[Float64Array, Float64Array]], list[int | None]]:
    """(values, seconds) of each node, and the signals."""
    found = [have.get(name) for have in own]
    known = [one for one in found if one is not None]
    if not known:
        raise DataError(f"none of these assets has the signal {name}", hint="choose one of the list")
    buckets = parts.historian.aggregate([one.id for one in known], edges, until=parts.clock.now_us())
    by_id = {one.id: (one, bucket) for one, bucket in zip(known, buckets, strict=True)}
    missing = np.full(len(edges) - 1, np.nan), np.zeros(len(edges) - 1)
    return [missing if one is None else _values(*by_id[one.id]) for one in found], [
        None if one is None else one.id for one in found
    ]


def _values(one: CataloguedSignal, bucket: Buckets) -> tuple[Float64Array, Float64Array]:
    """A measure is its mean over time, a counter what it grew by in an hour."""
    seconds = bucket.covered / 1e6
    if one.born.signal.kind is SignalKind.COUNTER:
        with np.errstate(invalid="ignore", divide="ignore"):
            values = np.where((bucket.count > 0) & (seconds > 0), bucket.increase / (seconds / 3600), np.nan)
        return values, seconds
    return bucket.time_mean(), seconds


def _products(
    parts: Services, asset: str, own: Mapping[str, CataloguedSignal], edges: Int64Array, names: dict[str, int]
) -> Int64Array:
    """Code of the product that fills a bucket; `names` grows."""
    found = np.full(len(edges) - 1, NO_PRODUCT, np.int64)
    source = parts.assets.source(asset)
    signal = own.get("product")
    if source is not None:
        spans = source.products(asset, int(edges[0]), int(edges[-1]))
        times = _times_of(spans, edges)
    elif signal is not None:
        (bucket,) = parts.historian.aggregate([signal.id], edges, until=parts.clock.now_us())
        times = [dict(one) for one in bucket.states]
    else:
        return found
    width = np.diff(edges)
    for at, one in enumerate(times):
        for product, time in one.items():
            if product and time >= _ALL_OF_IT * width[at]:
                found[at] = names.setdefault(product, len(names))
    return found


def _times_of(spans: Sequence[tuple[int, int, str]], edges: Int64Array) -> list[dict[str, int]]:
    """Time of each product in each bucket."""
    times: list[dict[str, int]] = [{} for _ in range(len(edges) - 1)]
    for start, end, product in spans:
        first = max(int(np.searchsorted(edges, start, side="right")) - 1, 0)
        for at in range(first, len(times)):
            if edges[at] >= end:
                break
            inside = min(end, int(edges[at + 1])) - max(start, int(edges[at]))
            times[at][product] = times[at].get(product, 0) + inside
    return times

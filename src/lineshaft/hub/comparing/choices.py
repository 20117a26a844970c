"""What can be compared: assets of one type or chosen ones, and the metrics that they share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lineshaft.errors import DataError
from lineshaft.hub.asset_figures import AssetFigures
from lineshaft.hub.explorer.index import PlantIndex
from lineshaft.hub.state.catalogue import CataloguedSignal
from lineshaft.model.equipment import Level, SignalKind

MOST_ASSETS = 100
FIGURE = "figure:"  # a metric that an app tells: figure:oee
_MORE = re.compile(r"good|parts|count|yield|rate|throughput|efficien|speed|feed|life|flow|produc|uptime|running")


@dataclass(frozen=True, slots=True)
class Metric:
    """A signal that several assets have at the same place (`spindle/load`), or a figure of an app."""

    id: str
    title: str
    unit: str
    kind: str  # measure, counter or figure
    assets: int  # that have it
    better: str  # low or high, as the name lets guess


def types_of(index: PlantIndex) -> dict[str, int]:
    """Types of which there are at least two with signals, with how many."""
    with_signals = set(index.node_of.tolist()) | set(index.asset[index.node_of].tolist())
    counted = Counter(index.nodes[i].type for i in with_signals if index.nodes[i].type)
    return {name: count for name, count in sorted(counted.items()) if count > 1}


def chosen(index: PlantIndex, of_type: str, paths: Sequence[str], place: str) -> list[int]:
    """Nodes that are compared. Raises DataError for unknown paths and when they are too many."""
    for path in (*paths, *([place] if place else [])):
        if path not in index.at:
            raise DataError(f"there is no equipment {path}", hint="choose from the list")
    if paths:
        found = [index.at[path] for path in dict.fromkeys(paths)]
    else:
        below = index.below(index.at[place] if place else -1)
        found = [i for i in range(below.start, below.stop) if index.nodes[i].type == of_type] if of_type else []
    if len(found) > MOST_ASSETS:
        raise DataError(f"{len(found)} assets of this type, {MOST_ASSETS} can be compared", hint="choose a place")
    return found


def signals_of(index: PlantIndex, node: int) -> dict[str, CataloguedSignal]:
    """Signals of a node and its components by their name below it."""
    path, span = index.nodes[node].path, index.span(node)
    own = index.asset[node]
    return {
        one.path[len(path) + 1 :]: one
        for at, one in zip(range(span.start, span.stop), index.signals[span], strict=True)
        if index.asset[index.node_of[at]] == own
    }


def metrics(index: PlantIndex, nodes: Sequence[int], figures: AssetFigures) -> list[Metric]:
    """What at least two of the nodes have: figures of apps first, then signals by name."""
    numbers: dict[str, list[CataloguedSignal]] = {}
    told: dict[str, list[str]] = {}
    for node in nodes:
        for name, one in signals_of(index, node).items():
            signal = one.born.signal
            if signal.kind in (SignalKind.MEASURE, SignalKind.COUNTER) and not signal.datatype.is_text:
                numbers.setdefault(name, []).append(one)
        for figure in figures.figures(index.nodes[node].path):
            told.setdefault(figure.id, []).append(figure.title)
    found = [
        Metric(FIGURE + name, titles[0], "%", "figure", len(titles), "high")
        for name, titles in told.items()
        if len(titles) > 1
    ]
    for name, signals in sorted(numbers.items()):
        if len(signals) > 1:
            signal = signals[0].born.signal
            counter = signal.kind is SignalKind.COUNTER
            unit = (f"{signal.unit}/h" if signal.unit not in ("", "1") else "1/h") if counter else signal.unit
            better = "high" if _MORE.search(name.rpartition("/")[2]) else "low"
            found.append(Metric(name, name, unit, str(signal.kind), len(signals), better))
    return found


def group_of(index: PlantIndex, node: int, by: Level | None) -> int:
    """The node under which an asset is counted: itself, or what is above it at a level."""
    while by is not None and node >= 0 and index.nodes[node].level is not by:
        node = int(index.parent[node])
    return node

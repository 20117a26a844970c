"""Which type a page of comparison opens with: the one whose assets have the most to tell about why one is better."""

from __future__ import annotations

from collections import Counter

from lineshaft.hub.asset_figures import AssetFigures
from lineshaft.hub.comparing.choices import signals_of, types_of
from lineshaft.hub.comparing.settings import is_setting
from lineshaft.hub.explorer.index import PlantIndex
from lineshaft.model.equipment import Level

MOST_LOOKED_AT = 20  # of each type; enough to know whether they have settings


def usual_type(index: PlantIndex, figures: AssetFigures) -> str:
    """The type with the most machines that share settings or have figures of an app; without any, the one with the most
    machines; '' where there is nothing to compare. Meters have neither, and a main meter holds those below it."""
    counts = types_of(index)
    nodes: dict[str, list[int]] = {name: [] for name in counts}
    for i, node in enumerate(index.nodes):
        if node.type in nodes and node.level is Level.ASSET:
            nodes[node.type].append(i)
    telling = {name: _telling(index, of_type[:MOST_LOOKED_AT], figures) for name, of_type in nodes.items()}
    order = sorted(counts, key=lambda name: (-telling[name], -len(nodes[name]), -counts[name], name))
    return order[0] if order else ""


def _telling(index: PlantIndex, nodes: list[int], figures: AssetFigures) -> int:
    settings = [{name for name, one in signals_of(index, i).items() if is_setting(name, one)} for i in nodes]
    shared = Counter(name for have in settings for name in have)
    return sum(
        bool(figures.figures(index.nodes[i].path)) or any(shared[name] > 1 for name in have)
        for i, have in zip(nodes, settings, strict=True)
    )

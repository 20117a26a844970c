"""Nodes, signals and groups of the explorer as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from lineshaft.hub.api.catalogue_views import signal_view
from lineshaft.hub.explorer.explorer import Filter, wanted
from lineshaft.hub.explorer.index import Mask, PlantIndex
from lineshaft.hub.explorer.marks import KINDS, Group, Marks
from lineshaft.hub.explorer.states import STATE_CLASSES
from lineshaft.model.equipment import Level
from lineshaft.model.samples import Int64Array

IDS_TOLD = 12


def where(index: PlantIndex, node: int) -> list[str]:
    """Names of the nodes down to `node`, without the enterprise and site that all share."""
    names = (index.nodes[i] for i in index.trail(node))
    return [one.name for one in names if one.level not in (Level.ENTERPRISE, Level.SITE)]


@dataclass(frozen=True)
class View:
    """The plant now through a filter."""

    marks: Marks
    filter: Filter
    with_signals: bool = False

    @property
    def index(self) -> PlantIndex:
        """The plant's index."""
        return self.marks.index

    @cached_property
    def mask(self) -> Mask:
        """bool[signals]: what passes."""
        return wanted(self.marks, self.filter)

    @cached_property
    def counts(self) -> Int64Array:
        """int64[nodes]: signals that pass, at or below each node."""
        return self.index.counts(self.mask)

    def nodes_below(self, node: int) -> list[int]:
        """Nodes right below; with a filter those that hold something that passes."""
        children = self.index.children[node]
        return [i for i in children if self.counts[i] > 0] if self.filter else list(children)

    def signals_of(self, node: int) -> Int64Array:
        """Positions of the node's own signals that pass."""
        own = self.index.own(node)
        found: Int64Array = own.start + np.flatnonzero(self.mask[own])
        return found

    def row(self, node: int) -> dict[str, Any]:
        """NodeRow."""
        index, one = self.index, self.index.nodes[node]
        nodes = len(self.nodes_below(node))
        state = int(self.marks.node_state[node])
        return {
            "path": one.path,
            "name": one.name,
            "level": one.level,
            "type": one.type,
            "parent": one.parent,
            "description": one.description,
            "children": nodes + (int(self.mask[index.own(node)].sum()) if self.with_signals else 0),
            "nodes": nodes,
            "assets": int(index.assets[node]),
            "signals": int(self.counts[node]),
            "abnormal": int(self.marks.by_node[node]),
            "state": STATE_CLASSES[state] if state >= 0 and one.level is not Level.COMPONENT else "",
        }

    def signal_row(self, position: int) -> dict[str, Any]:
        """SignalRow."""
        return {
            "signal": signal_view(self.index.signals[position]),
            "abnormal": KINDS[self.marks.kind[position]],
        }

    def group(self, group: Group) -> dict[str, Any]:
        """AbnormalGroup."""
        marks, first = self.marks, int(group.signals[0])
        value = float(marks.value[first])
        return {
            "kind": group.kind,
            "signal": signal_view(self.index.signals[first]),
            "time": int(marks.time[first]),
            "value": value if np.isfinite(value) else None,
            "text": marks.text[first],
            "quality": int(marks.quality[first]),
            "signals": len(group.signals),
            "ids": self.index.ids[group.signals[:IDS_TOLD]].tolist(),
        }

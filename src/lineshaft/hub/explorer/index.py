"""The catalogue in the order of the tree: what is below a node is one range, so a count is one subtraction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lineshaft.hub.explorer.states import state_of
from lineshaft.hub.explorer.text import Lines
from lineshaft.hub.state.catalogue import CataloguedSignal, node_from_path
from lineshaft.model.equipment import Equipment, Level, SignalKind
from lineshaft.model.samples import Int64Array, UInt32Array

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class PlantIndex:
    """Nodes in preorder and signals in the order of their nodes.

    parent, end, depth, asset: int64[nodes]; the node above (-1 at the top), the first node after its subtree, how
    deep it stands, and the nearest node that is no component. first: int64[nodes + 1], where the own signals of a
    node begin. node_of, ids: [signals], the node of a signal and its id in the historian.
    """

    version: int
    nodes: Sequence[Equipment]
    signals: Sequence[CataloguedSignal]
    at: dict[str, int]
    children: Sequence[Sequence[int]]  # the last one: those at the top
    parent: Int64Array
    end: Int64Array
    depth: Int64Array
    asset: Int64Array
    first: Int64Array
    node_of: Int64Array
    ids: UInt32Array

    def span(self, node: int) -> slice:
        """Signals of a node and of all below it; -1 is the whole plant."""
        return (
            slice(0, len(self.signals)) if node < 0 else slice(int(self.first[node]), int(self.first[self.end[node]]))
        )

    def own(self, node: int) -> slice:
        """Signals that stand at the node itself."""
        return slice(0, 0) if node < 0 else slice(int(self.first[node]), int(self.first[node + 1]))

    def below(self, node: int) -> slice:
        """Nodes of a subtree, itself included; -1 is the whole plant."""
        return slice(0, len(self.nodes)) if node < 0 else slice(node, int(self.end[node]))

    def counts(self, mask: Mask) -> Int64Array:
        """int64[nodes]: how many signals of the mask are at or below each node."""
        total = np.concatenate([[0], np.cumsum(mask)])
        counted: Int64Array = total[self.first[self.end]] - total[self.first[:-1]]
        return counted

    def belongs(self, path: str, asset: str) -> bool:
        """Whether `path` is `asset` or one of its components."""
        at = self.at.get(path)
        if at is None or not (path + "/").startswith(asset + "/"):
            return False
        return bool(self.asset[at] == self.asset[self.at[asset]])

    def trail(self, node: int) -> list[int]:
        """Nodes from the top down to `node`, it included."""
        found: list[int] = []
        while node >= 0:
            found.append(node)
            node = int(self.parent[node])
        return found[::-1]

    @cached_property
    def assets(self) -> Int64Array:
        """int64[nodes]: assets at or below each node."""
        is_asset = np.array([node.level is Level.ASSET for node in self.nodes], np.bool_)
        total = np.concatenate([[0], np.cumsum(is_asset)])
        counted: Int64Array = total[self.end] - total[:-1]
        return counted

    @cached_property
    def state_signal(self) -> Int64Array:
        """int64[nodes]: which signal says what the node does, of a component that of its asset; -1 where none does."""
        by_asset: dict[int, list[int]] = {}
        for position, one in enumerate(self.signals):
            if one.born.signal.kind is SignalKind.STATE:
                by_asset.setdefault(int(self.asset[self.node_of[position]]), []).append(position)
        found = np.full(len(self.nodes), -1, np.int64)
        for asset, positions in by_asset.items():
            below = [self.signals[p].born.signal for p in positions]
            own = [s for s, p in zip(below, positions, strict=True) if self.node_of[p] == asset]
            chosen = state_of(own, below)
            if chosen is not None:
                found[asset] = positions[below.index(chosen)]
        has_asset = self.asset >= 0
        found[has_asset] = found[self.asset[has_asset]]
        return found

    @cached_property
    def node_text(self) -> Lines:
        """A line for each node: its path, name, type, aliases and data sheet."""
        return Lines(
            " ".join([n.path, n.name, n.type, n.description, *n.aliases, *(str(one.value) for one in n.attributes)])
            for n in self.nodes
        )

    @cached_property
    def node_names(self) -> Lines:
        """A line for each node: the name alone."""
        return Lines(node.name for node in self.nodes)

    @cached_property
    def signal_text(self) -> Lines:
        """A line for each signal: name, unit, kind, description and device; what is above it is in `node_text`."""
        return Lines(
            f"{one.path} {s.unit} {s.kind} {s.description} {one.born.device} {one.born.address}"
            for one in self.signals
            for s in (one.born.signal,)
        )

    @cached_property
    def signal_names(self) -> Lines:
        """A line for each signal: the name alone."""
        return Lines(one.born.signal.name for one in self.signals)


def build(version: int, equipment: Iterable[Equipment], signals: Sequence[CataloguedSignal]) -> PlantIndex:
    """Put a catalogue in the order of its tree; equipment that only signals name is made of its path."""
    known = {node.path: node for node in equipment}
    for path in {one.born.signal.asset for one in signals}:
        at = path
        while at and at not in known:
            known[at] = node_from_path(at)
            at = at.rpartition("/")[0]
    nodes = sorted(known.values(), key=lambda node: node.path.split("/"))
    at_path = {node.path: i for i, node in enumerate(nodes)}
    size = len(nodes)
    parent, end, depth = np.full(size, -1, np.int64), np.arange(1, size + 1), np.zeros(size, np.int64)
    asset = np.full(size, -1, np.int64)
    children: list[list[int]] = [[] for _ in range(size + 1)]
    for i, node in enumerate(nodes):
        above = at_path.get(node.parent, -1)
        parent[i] = above
        depth[i] = depth[above] + 1 if above >= 0 else 0
        asset[i] = asset[above] if node.level is Level.COMPONENT and above >= 0 else i
        children[above].append(i)
    for i in range(size - 1, -1, -1):
        if parent[i] >= 0:
            end[parent[i]] = max(end[parent[i]], end[i])
    places = np.fromiter((at_path[one.born.signal.asset] for one in signals), np.int64, len(signals))
    order = np.lexsort((np.array([one.born.signal.name for one in signals]), places)) if len(signals) else places
    node_of: Int64Array = places[order]
    ordered = [signals[i] for i in order.tolist()]
    first = np.searchsorted(node_of, np.arange(size + 1))
    ids = np.fromiter((one.id for one in ordered), np.uint32, len(ordered))
    return PlantIndex(version, nodes, ordered, at_path, children, parent, end, depth, asset, first, node_of, ids)

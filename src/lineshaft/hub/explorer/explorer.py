"""What the explorer answers from: the index of the newest catalogue and the marks of a moment ago."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lineshaft.clock import Clock
from lineshaft.hub.explorer.index import Mask, PlantIndex, build
from lineshaft.hub.explorer.marks import QUALITIES, Marks, Rules, marks_of
from lineshaft.hub.explorer.quantities import Quantity, quantities
from lineshaft.hub.explorer.states import STATE_CLASSES
from lineshaft.hub.state.catalogue import SqlCatalogue
from lineshaft.hub.stream import LiveStream
from lineshaft.model.samples import Int64Array

MARKS_AGE = 1.0  # seconds after which values are looked at again
INDEX_AGE = 2.0  # seconds between two indexes while the catalogue changes all the time


@dataclass(frozen=True)
class Filter:
    """Which signals are wanted; empty parts let all through."""

    text: str = ""
    type: str = ""  # of the equipment or one above it
    state: str = ""  # of STATE_CLASSES: what the machine does now
    quality: str = ""  # of QUALITIES
    abnormal: bool = False

    def __bool__(self) -> bool:
        return bool(self.text or self.type or self.state or self.quality or self.abnormal)


@dataclass(frozen=True)
class Plant:
    """The index with what is derived of it once."""

    index: PlantIndex
    rules: Rules

    @cached_property
    def quantities(self) -> dict[str, Quantity]:
        """See quantities.quantities."""
        return quantities(self.index)


class Explorer:
    """Answers for one hub; thread-safe. The index is built when the catalogue has changed, the marks each second."""

    def __init__(self, catalogue: SqlCatalogue, stream: LiveStream, clock: Clock) -> None:
        self._catalogue = catalogue
        self._stream = stream
        self._clock = clock
        self._lock = threading.Lock()
        self._plant: Plant | None = None
        self._built = -1e9
        self._marks: Marks | None = None
        self._looked = -1e9

    def plant(self) -> Plant:
        """The index of the catalogue as it is now, or was two seconds ago."""
        with self._lock:
            return self._current()

    def marks(self, age: float = MARKS_AGE) -> Marks:
        """The plant at most `age` seconds ago."""
        with self._lock:
            plant, now = self._current(), self._clock.monotonic()
            if self._marks is None or self._marks.index is not plant.index or now - self._looked > age:
                latest = self._stream.latest(plant.index.ids)
                self._marks, self._looked = marks_of(plant.rules, latest), now
            return self._marks

    def _current(self) -> Plant:
        now, version = self._clock.monotonic(), self._catalogue.version
        known = self._plant
        if known is None or (known.index.version != version and now - self._built > INDEX_AGE):
            version, equipment = self._catalogue.equipment()
            index = build(version, equipment, self._catalogue.signals())
            known = self._plant = Plant(index, Rules(index))
            self._built = self._clock.monotonic()
        return known


def wanted(marks: Marks, asked: Filter) -> Mask:
    """bool[signals]: those that pass the filter."""
    index = marks.index
    mask = np.ones(len(index.signals), np.bool_)
    for word in asked.text.lower().split():
        mask &= index.signal_text.holding(word) | inherited(index, index.node_text.holding(word))[index.node_of]
    if asked.type:
        of_type = np.array([node.type == asked.type for node in index.nodes], np.bool_)
        mask &= inherited(index, of_type)[index.node_of]
    if asked.state:
        mask &= (marks.node_state == STATE_CLASSES.index(asked.state))[index.node_of]
    if asked.quality:
        mask &= marks.quality_word == QUALITIES.index(asked.quality)
    if asked.abnormal:
        mask &= marks.kind > 0
    return mask


def inherited(index: PlantIndex, nodes: Mask) -> Mask:
    """bool[nodes]: the node or one above it is among `nodes`."""
    found = nodes.copy()
    for depth in range(1, int(index.depth.max(initial=0)) + 1):
        (at,) = np.nonzero(index.depth == depth)
        found[at] |= found[index.parent[at]]
    return found


def found_signals(index: PlantIndex, mask: Mask, text: str) -> Int64Array:
    """Positions of the mask's signals: those whose name holds most of the words first, then as the tree has them."""
    (positions,) = np.nonzero(mask)
    score = np.zeros(len(positions), np.int64)
    for word in text.lower().split():
        score += index.signal_names.holding(word)[positions]
    return positions[np.argsort(-score, kind="stable")]


def found_nodes(index: PlantIndex, text: str, place: int = -1) -> Int64Array:
    """Nodes of a place that hold all words of `text`: those whose name begins with the first word first, then those
    that have it, then the higher ones."""
    words = text.lower().split()
    mask = np.zeros(len(index.nodes), np.bool_)
    mask[index.below(place)] = bool(words)
    for word in words:
        mask &= index.node_text.holding(word)
    (found,) = np.nonzero(mask)
    if not len(found):
        return found
    named = index.node_names.holding(words[0])[found]
    begins = np.array([index.nodes[i].name.lower().startswith(words[0]) for i in found.tolist()], np.bool_)
    return found[np.lexsort((index.depth[found], ~named, ~begins))]

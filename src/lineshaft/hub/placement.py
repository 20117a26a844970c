"""Proposes a place in the equipment tree for a signal of which only the words of a foreign edge node are known."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lineshaft.model.equipment import Equipment, Level

_WORD: Final = re.compile(r"[a-z]+|\d+")
_PLACES: Final = (Level.LINE, Level.ASSET, Level.COMPONENT)
LEAST: Final = 0.34
"""Share of the words' weight that must be found for a proposal."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Where a signal may belong. `score` is 0 to 1; `words` are those that both sides have."""

    asset: str
    score: float
    words: tuple[str, ...]


class Places:
    """The places of a tree, ready to be compared with many signals."""

    def __init__(self, equipment: Iterable[Equipment]) -> None:
        nodes = list(equipment)
        by_path = {node.path: node for node in nodes}
        own = {
            node.path: words_of(f"{node.path.rpartition('/')[2]} {node.name} {' '.join(node.aliases)}")
            for node in nodes
        }
        self._own = {node.path: own[node.path] for node in nodes if node.level in _PLACES}
        self._with_above = {path: frozenset().union(*(own[up] for up in _trail(path, by_path))) for path in self._own}
        self._spread = Counter(word for words in self._own.values() for word in words)

    def propose(self, text: str, *, below: str = "", without: str = "") -> Proposal | None:
        """The best place for a signal that its source calls `text`, or None when too little fits.

        below: only places below this path; without: not at or below this one, where the signal stands now. A word that
        few places have weighs more. A place must have a word of its own in common, not only words of what is above it.
        """
        wanted = words_of(text)
        weights = {word: self._weight(word) for word in wanted if word in self._spread}
        whole = sum(weights.values())
        best: Proposal | None = None
        for path, own in self._own.items():
            if (below and not path.startswith(below)) or (without and f"{path}/".startswith(f"{without}/")):
                continue
            if not own & weights.keys():
                continue
            common = self._with_above[path] & weights.keys()
            extra = 0.02 * len(own - wanted)  # of two that fit alike, the plainer one
            score = sum(weights[word] for word in common) / whole - extra
            if best is None or score > best.score:
                best = Proposal(path, score, tuple(sorted(common)))
        return best if best is not None and best.score >= LEAST else None

    def _weight(self, word: str) -> float:
        return math.log(1 + len(self._own) / self._spread[word])


def words_of(text: str) -> frozenset[str]:
    """Words and numbers of a text in small letters: 'CNC-101/Spindle_2' -> cnc, 101, spindle, 2."""
    return frozenset(_WORD.findall(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower()))


def _trail(path: str, by_path: Mapping[str, Equipment]) -> Sequence[str]:
    """The path and those above it below the site."""
    trail = []
    while path in by_path and by_path[path].level not in (Level.ENTERPRISE, Level.SITE):
        trail.append(path)
        path = path.rpartition("/")[0]
    return trail

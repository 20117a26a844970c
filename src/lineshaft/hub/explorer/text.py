"""Which of many lines hold a word: one search over all of them, not one per line."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray


class Lines:
    """Lines in small letters, ready to be searched."""

    def __init__(self, lines: Iterable[str]) -> None:
        parts = [line.lower().replace("\n", " ") for line in lines]
        self._text = "\n".join(parts)
        self._ends = list(accumulate(len(part) + 1 for part in parts))

    def __len__(self) -> int:
        return len(self._ends)

    def holding(self, word: str) -> NDArray[np.bool_]:
        """bool[lines]: the line has `word`, given in small letters, not empty and without a line break."""
        found = np.zeros(len(self._ends), np.bool_)
        find, ends, line = self._text.find, self._ends, 0
        hit = find(word)
        while hit >= 0:
            if hit >= ends[line]:
                line = bisect_right(ends, hit, line)
            found[line] = True
            hit = find(word, ends[line])
            line += 1
        return found

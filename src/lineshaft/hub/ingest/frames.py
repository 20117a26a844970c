"""Which buffer frames are committed, per edge node and buffer epoch: ranges that stay small and survive kill -9."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterable
from enum import Enum
from typing import Any, Final

from lineshaft.errors import DataError

MAX_HOLES: Final = 10_000
"""Holes remembered per epoch. What a gateway dropped leaves holes; beyond this the oldest hole is closed."""
MAX_EPOCHS: Final = 16
"""Epochs remembered per node; a node gets a new one only when its buffer folder is made anew."""


class FrameState(Enum):
    """What the hub knows of a frame that has just arrived."""

    NEW = "new"
    PENDING = "pending"  # came before and is not committed yet: its acknowledgement is still to come
    COMMITTED = "committed"


class Ranges:
    """A set of frame ids as sorted ranges [first, last]."""

    def __init__(self, ranges: Iterable[Iterable[int]] = ()) -> None:
        pairs = [tuple(pair) for pair in ranges]
        self._firsts = [int(first) for first, _ in pairs]
        self._lasts = [int(last) for _, last in pairs]

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._firsts, number) - 1
        return at >= 0 and number <= self._lasts[at]

    def add(self, number: int) -> None:
        """Put an id into the set."""
        at = bisect_right(self._firsts, number) - 1
        if at >= 0 and number <= self._lasts[at]:
            return
        joins_left = at >= 0 and self._lasts[at] == number - 1
        joins_right = at + 1 < len(self._firsts) and self._firsts[at + 1] == number + 1
        if joins_left and joins_right:
            self._lasts[at] = self._lasts[at + 1]
            del self._firsts[at + 1], self._lasts[at + 1]
        elif joins_left:
            self._lasts[at] = number
        elif joins_right:
            self._firsts[at + 1] = number
        else:
            self._firsts.insert(at + 1, number)
            self._lasts.insert(at + 1, number)
            if len(self._firsts) > MAX_HOLES:
                self._lasts[0] = self._lasts[1]
                del self._firsts[1], self._lasts[1]

    def pairs(self) -> list[tuple[int, int]]:
        """The ranges in order."""
        return list(zip(self._firsts, self._lasts, strict=True))


class FrameLog:
    """Committed and pending frames of all nodes. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._committed: dict[tuple[str, bytes], Ranges] = {}  # the most recently used epoch of a node is the last
        self._pending: set[tuple[str, bytes, int]] = set()

    def claim(self, node: str, epoch: bytes, frame: int) -> FrameState:
        """Look a frame up; a new one is pending from now on."""
        with self._lock:
            ranges = self._committed.get((node, epoch))
            if ranges is not None and frame in ranges:
                return FrameState.COMMITTED
            key = (node, epoch, frame)
            if key in self._pending:
                return FrameState.PENDING
            self._pending.add(key)
            return FrameState.NEW

    def release(self, node: str, epoch: bytes, frames: Iterable[int]) -> None:
        """These frames were not taken after all; they will be sent again."""
        with self._lock:
            self._pending.difference_update((node, epoch, frame) for frame in frames)

    def commit(self, node: str, epoch: bytes, frames: Iterable[int]) -> None:
        """These frames are in the journal or in the historian for good."""
        with self._lock:
            ranges = self._committed.pop((node, epoch), None) or Ranges()
            self._committed[node, epoch] = ranges
            for frame in frames:
                ranges.add(frame)
                self._pending.discard((node, epoch, frame))
            epochs = [key for key in self._committed if key[0] == node]
            for key in epochs[:-MAX_EPOCHS]:
                del self._committed[key]

    def to_json(self) -> list[list[Any]]:
        """For the journal's snapshot."""
        with self._lock:
            return [[node, epoch.hex(), ranges.pairs()] for (node, epoch), ranges in self._committed.items()]

    def load(self, items: list[list[Any]]) -> None:
        """The reverse of `to_json`. Raises DataError."""
        try:
            with self._lock:
                self._committed = {(node, bytes.fromhex(epoch)): Ranges(pairs) for node, epoch, pairs in items}
        except (ValueError, TypeError) as error:
            raise DataError(f"malformed list of committed frames: {error}") from error

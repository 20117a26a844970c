"""Looking through what a disk buffer holds: the next frame that is open, and the signals that wait."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from lineshaft.gateway.cursor import Cursor
from lineshaft.gateway.overflow import Overflow
from lineshaft.gateway.segment import Segment, find


def first_open(segments: list[Segment], memory: Overflow, cursor: Cursor, after: int, end: int) -> int | None:
    """Id of the first frame behind `after` and before `end` that is there and not delivered; None when none is."""
    number = cursor.next_open(after + 1)
    while number < end:
        if find(segments, number) is not None or memory.get(number) is not None:
            return number
        behind = [segment.first for segment in segments if segment.first > number and segment.count]
        if memory.first is not None and memory.first > number:
            behind.append(memory.first)
        if not behind:
            return None
        number = cursor.next_open(min(behind))
    return None


def signals_in(segments: Iterable[Segment]) -> set[int]:
    """Ids of the signals of which there are samples; reads all of them."""
    found: set[int] = set()
    for segment in segments:
        for frame in segment.frames():
            if frame is not None and frame.batch is not None:
                found.update(np.unique(frame.batch.signals).tolist())
    return found

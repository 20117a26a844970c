"""Which part of a range is read from which level: the coarsest roll-ups that fit, and raw rows for the rest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lineshaft.hub.historian.base import Level
from lineshaft.hub.historian.rollups import WIDTHS, Range
from lineshaft.model.samples import Int64Array

COARSE_FIRST: tuple[Level, ...] = ("day", "hour", "minute")


def cover(
    edges: Int64Array, unsure: Sequence[Range], levels: Sequence[Level] = COARSE_FIRST
) -> tuple[dict[Level, list[Range]], list[Range]]:
    """(ranges of each level, ranges of raw rows) that together are edges[0] <= time < edges[-1], without overlap.

    edges   UTC microseconds, ascending; no roll-up that is used lies over one of them
    unsure  where roll-ups are not up to date
    levels  coarsest first
    """
    rest: list[Range] = [(int(edges[0]), int(edges[-1]))]
    chosen: dict[Level, list[Range]] = {}
    for level in levels:
        width = WIDTHS[level]
        cut = edges[edges % width != 0] // width
        dirty = [np.arange(start // width, -(-end // width)) for start, end in unsure]
        bad = np.unique(np.concatenate([cut, *dirty]))
        taken: list[Range] = []
        left: list[Range] = []
        for start, end in rest:
            first, stop = -(-start // width), end // width
            if first >= stop:
                left.append((start, end))
                continue
            holes = bad[(bad >= first) & (bad < stop)].tolist()
            at = start
            for hole in [*holes, stop]:
                if hole > first:
                    taken.append((first * width, hole * width))
                    if at < first * width:
                        left.append((at, first * width))
                    at = hole * width
                first = hole + 1
            if at < end:
                left.append((at, end))
        chosen[level] = taken
        rest = left
    return chosen, [one for one in rest if one[0] < one[1]]


def gaps_joined(ranges: Sequence[Range]) -> list[Range]:
    """Ranges in order, neighbours that touch put together."""
    found: list[Range] = []
    for start, end in sorted(ranges):
        if found and found[-1][1] >= start:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found

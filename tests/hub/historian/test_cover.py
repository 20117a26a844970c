"""Which level answers for which part of a range."""

from __future__ import annotations

import numpy as np
import pytest

from lineshaft.hub.historian.cover import cover, gaps_joined
from lineshaft.hub.historian.rollups import WIDTHS

HOUR, DAY = WIDTHS["hour"], WIDTHS["day"]


@pytest.mark.parametrize("seed", range(20))
def test_every_microsecond_is_read_once(seed: int) -> None:
    """Whatever the edges and the unsure ranges: no overlap, no hole, no roll-up over an edge or an unsure range."""
    random = np.random.default_rng(seed)
    scale = (1, 60_000_000, HOUR, DAY)[seed % 4]
    edges = np.unique(random.integers(0, 40 * DAY // scale, 2 + seed) * scale)
    unsure = [(start, start + 60_000_000) for start in (random.integers(0, 40 * 1440, seed) * 60_000_000).tolist()]
    chosen, raw = cover(edges, unsure)
    ranges = sorted([*raw, *(one for level in chosen.values() for one in level)])
    assert gaps_joined(ranges) == [(edges[0], edges[-1])]
    assert sum(end - start for start, end in ranges) == edges[-1] - edges[0]
    for level, found in chosen.items():
        width = WIDTHS[level]
        for start, end in found:
            assert start % width == end % width == 0
            assert not any(left < end and start < right for left, right in unsure)
            inside = edges[(edges > start) & (edges < end)]
            assert (inside % width == 0).all()


def test_local_days_of_half_hour_zones_need_minutes_only_at_their_edges() -> None:
    """Days that begin at half an hour are 23 whole hours and 60 minutes each."""
    edges = np.arange(4) * DAY + HOUR // 2
    chosen, raw = cover(edges, [])
    assert raw == []
    assert chosen["day"] == []
    assert sum(end - start for start, end in chosen["hour"]) == 3 * 23 * HOUR
    assert sum(end - start for start, end in chosen["minute"]) == 3 * HOUR

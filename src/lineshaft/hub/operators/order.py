"""Rows of history in the order of their times, a piece at a time: what every operator is fed with, live or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from lineshaft.hub.historian.base import Historian
from lineshaft.model.samples import SampleBatch

WANTED_ROWS: Final = 100_000
_FIRST: Final = 3_600_000_000  # microseconds of the first piece
_LONGEST: Final = 31 * 86_400_000_000


def in_order(batch: SampleBatch) -> SampleBatch:
    """By time, then signal, value and quality: one order, however the rows came."""
    return batch.take(np.lexsort((batch.qualities, batch.values, batch.signals, batch.times)))


def between(historian: Historian, ids: Sequence[int], after: int, until: int) -> SampleBatch:
    """All rows with after < time <= until, in order. Raises StoreUnavailable."""
    found = historian.read(sorted(set(ids)), after + 1, until + 1, before=False)
    return in_order(
        SampleBatch.concat(
            SampleBatch.of(np.full(len(one.times), one.signal), one.times, one.values, one.qualities, one.texts)
            for one in found
        )
    )


def pieces(historian: Historian, ids: Sequence[int], after: int, until: int) -> Iterator[tuple[int, SampleBatch]]:
    """(end of the piece, its rows) one after the other, about WANTED_ROWS each; the last ends at `until`.

    A time is never split over two pieces. Raises StoreUnavailable.
    """
    width = _FIRST
    while after < until:
        end = min(until, after + width)
        batch = between(historian, ids, after, end)
        yield end, batch
        after = end
        grow = WANTED_ROWS / max(len(batch), 1)
        width = int(min(max(width * min(max(grow, 0.1), 4.0), 1_000_000), _LONGEST))


def as_inputs(batch: SampleBatch, ids: Sequence[int]) -> SampleBatch:
    """Rows of these signals only, `signals` being places in `ids`."""
    size = max([*ids, int(batch.signals.max(initial=0))]) + 1
    place = np.full(size, -1, np.int64)
    place[list(ids)] = np.arange(len(ids))
    found = place[batch.signals]
    rows = batch.take(found >= 0)
    return SampleBatch(found[found >= 0].astype(np.uint32), rows.times, rows.values, rows.qualities, rows.texts)

"""Retention: old rows go, and what went is told to whoever counts rows."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from lineshaft.hub.historian.base import Historian
from lineshaft.model.samples import Int64Array, UInt32Array

_log = structlog.get_logger(__name__)


def remove_before(historian: Historian, time: int, removed: Callable[[UInt32Array, Int64Array], None]) -> int:
    """Remove every row older than `time` (UTC microseconds); called once an hour or a day, in a thread.

    removed: gets signals and rows that went (the gap ledger's `removed`). Gives their sum. Raises StoreUnavailable.
    """
    counts = historian.counts(None, None, time)
    if not len(counts.signals):
        return 0
    historian.delete_before(time)
    removed(counts.signals, counts.rows)
    total = int(counts.rows.sum())
    _log.info("historian: old rows removed", rows=total, signals=len(counts.signals))
    return total

"""What ingest counts, for the health page, the benchmark and the tests."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

_LATENCIES: Final = 256


@dataclass(frozen=True, slots=True)
class IngestFigures:
    """Totals since the start, and how it goes now."""

    connected: bool
    messages: int
    message_bytes: int
    rows: int  # committed
    blocks: int
    duplicates: int  # rows that came a second time and were left out
    rejected: Mapping[str, int]  # messages by reason
    rejected_by_node: Mapping[str, Mapping[str, int]]
    unsupported: int  # metrics that are no samples and no notes: data sets, templates, bytes
    dropped_messages: int  # not taken because a queue was full; an acknowledging gateway sends them again
    dropped_foreign_rows: int  # the same, of nodes that will not send again: lost
    rebirths: int  # asked for
    sequence_gaps: int
    sequence_repeats: int
    queued_bytes: int
    pending_rows: int
    store_failures: int
    store_error: str  # words of the last failure while it stands
    latency_p50: float  # seconds from receiving a message to its commit, of the last blocks
    latency_p95: float
    latency_max: float


class Counters:
    """Thread-safe counters; names are those of IngestFigures."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals: Counter[str] = Counter()
        self._rejected: Counter[tuple[str, str]] = Counter()
        self._latencies: deque[float] = deque(maxlen=_LATENCIES)
        self._store_error = ""
        self._connected = False

    def add(self, **amounts: int) -> None:
        """Count."""
        with self._lock:
            for name, amount in amounts.items():
                self._totals[name] += amount

    def reject(self, node: str, reason: str) -> int:
        """Count a message that cannot be used; gives how many this node has had for this reason."""
        with self._lock:
            self._rejected[node, reason] += 1
            return self._rejected[node, reason]

    def committed(self, rows: int, latency: float) -> None:
        """Count a block; `latency` in seconds."""
        with self._lock:
            self._totals["rows"] += rows
            self._totals["blocks"] += 1
            self._latencies.append(latency)

    def store_failed(self, words: str) -> bool:
        """Count a failure of the historian or the journal; True when it is the first of a series."""
        with self._lock:
            first = not self._store_error
            self._store_error = words
            self._totals["store_failures"] += 1
            return first

    def store_recovered(self) -> bool:
        """True when it had failed before."""
        with self._lock:
            failed, self._store_error = bool(self._store_error), ""
            return failed

    def connected(self, is_connected: bool) -> None:
        """Whether the broker connection stands."""
        with self._lock:
            self._connected = is_connected

    def figures(self, queued_bytes: int, pending_rows: int) -> IngestFigures:
        """All of it at this moment."""
        with self._lock:
            latencies = np.array(self._latencies or [0.0])
            reasons: Counter[str] = Counter()
            nodes: dict[str, dict[str, int]] = {}
            for (node, reason), count in self._rejected.items():
                reasons[reason] += count
                nodes.setdefault(node, {})[reason] = count
            total = self._totals
            return IngestFigures(
                connected=self._connected,
                messages=total["messages"],
                message_bytes=total["message_bytes"],
                rows=total["rows"],
                blocks=total["blocks"],
                duplicates=total["duplicates"],
                rejected=dict(reasons),
                rejected_by_node=nodes,
                unsupported=total["unsupported"],
                dropped_messages=total["dropped_messages"],
                dropped_foreign_rows=total["dropped_foreign_rows"],
                rebirths=total["rebirths"],
                sequence_gaps=total["sequence_gaps"],
                sequence_repeats=total["sequence_repeats"],
                queued_bytes=queued_bytes,
                pending_rows=pending_rows,
                store_failures=total["store_failures"],
                store_error=self._store_error,
                latency_p50=float(np.percentile(latencies, 50)),
                latency_p95=float(np.percentile(latencies, 95)),
                latency_max=float(latencies.max()),
            )

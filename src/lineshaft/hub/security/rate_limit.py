"""Bounds how many requests one user or token makes, so that a script in a loop takes the page from nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lineshaft.clock import Clock

BURST_SECONDS: Final = 5.0
"""So many seconds of the rate may come at once: a page that opens asks for many things."""
MOST_CALLERS: Final = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class RateLimit:
    """A token bucket for each caller; used from the event loop only.

    `per_second` requests are allowed in the long run, five seconds of them at once; 0 means no bound.
    """

    def __init__(self, clock: Clock, per_second: float) -> None:
        self._clock = clock
        self._rate = per_second
        self._buckets: dict[str, _Bucket] = {}

    def take(self, caller: str) -> float:
        """Count one request of `caller`. Returns 0.0 when it may go on, else the seconds until the next one may."""
        if self._rate <= 0:
            return 0.0
        now = self._clock.monotonic()
        most = self._rate * BURST_SECONDS
        bucket = self._buckets.get(caller)
        if bucket is None:
            if len(self._buckets) >= MOST_CALLERS:
                self._forget_full(now, most)
            bucket = self._buckets[caller] = _Bucket(most, now)
        bucket.tokens = min(most, bucket.tokens + (now - bucket.at) * self._rate)
        bucket.at = now
        if bucket.tokens < 1.0:
            return (1.0 - bucket.tokens) / self._rate
        bucket.tokens -= 1.0
        return 0.0

    def _forget_full(self, now: float, most: float) -> None:
        """Callers whose bucket is full again are as good as new; if none is, the oldest half goes."""
        full = [name for name, one in self._buckets.items() if one.tokens + (now - one.at) * self._rate >= most]
        oldest = sorted(self._buckets, key=lambda name: self._buckets[name].at)[: MOST_CALLERS // 2]
        for name in full or oldest:
            del self._buckets[name]

"""Sparkplug sequence numbers of one edge node: what is missing, and since when."""

from __future__ import annotations

from enum import Enum


class Order(Enum):
    """How a message stands in the sequence."""

    NEXT = "next"
    AHEAD = "ahead"  # messages before it have not come (yet)
    LATE = "late"  # one of those that were missing
    REPEATED = "repeated"  # neither expected nor missing


class Sequence:
    """`seq` runs 0..255 and wraps; a birth sets it."""

    def __init__(self) -> None:
        self._expected: int | None = None
        self._missing: set[int] = set()
        self.gap_since: float | None = None
        """Monotonic seconds since when messages are missing; None when all have come."""

    def begin(self, seq: int | None) -> None:
        """A node birth: what was before does not count."""
        self._expected = None if seq is None else (seq + 1) % 256
        self.forgive()

    def forgive(self) -> None:
        """Stop waiting for what is missing."""
        self._missing.clear()
        self.gap_since = None

    def resume(self) -> None:
        """Messages were left out by ourselves: take the next number as it comes."""
        self._expected = None
        self.forgive()

    def see(self, seq: int | None, now: float) -> Order:
        """Take note of a message; `now` in monotonic seconds. A message without number changes nothing."""
        if seq is None:
            return Order.NEXT
        if self._expected is None or seq == self._expected:
            self._expected = (seq + 1) % 256
            return Order.NEXT
        if seq in self._missing:
            self._missing.discard(seq)
            if not self._missing:
                self.gap_since = None
            return Order.LATE
        ahead = (seq - self._expected) % 256
        if ahead >= 128:
            return Order.REPEATED
        self._missing.update((self._expected + step) % 256 for step in range(ahead))
        self._expected = (seq + 1) % 256
        if self.gap_since is None:
            self.gap_since = now
        return Order.AHEAD

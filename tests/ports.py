"""Ports for servers that a test starts later, which nobody takes by chance in the meantime."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack

RANGE = range(10_000, 32_000)
"""Below the ports that Linux gives to outgoing connections and to servers on port 0: tests that run side by side open
hundreds of those each second, and one that was free a moment ago may be taken when its server comes to listen."""
_chance = random.SystemRandom()
_given: set[int] = set()


def free_port() -> int:
    """A port that is free now."""
    return free_row(1)


def free_row(count: int) -> int:
    """The first of `count` ports in a row that are free now."""
    for _ in range(10_000):
        first = _chance.randrange(RANGE.start, RANGE.stop - count)
        row = range(first, first + count)
        if _given.isdisjoint(row) and _are_free(row):
            _given.update(row)
            return first
    raise AssertionError(f"no {count} free ports in a row in {RANGE}")


def _are_free(row: range) -> bool:
    with ExitStack() as held:
        for port in row:
            probe = held.enter_context(socket.socket())
            try:
                probe.bind(("", port))
            except OSError:
                return False
    return True

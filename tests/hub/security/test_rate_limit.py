"""The bound on requests of one caller."""

from __future__ import annotations

from lineshaft.clock import VirtualClock
from lineshaft.hub.security.rate_limit import BURST_SECONDS, MOST_CALLERS, RateLimit


async def test_a_burst_then_the_rate() -> None:
    """Five seconds of the rate at once, then one request for each that time brings; others are not touched."""
    clock = VirtualClock()
    limit = RateLimit(clock, 10.0)
    assert [limit.take("script") for _ in range(round(10 * BURST_SECONDS))] == [0.0] * 50
    assert limit.take("script") == 0.1
    assert limit.take("page") == 0.0
    await clock.advance(1.0)
    assert [limit.take("script") > 0 for _ in range(11)] == [False] * 10 + [True]


def test_no_bound() -> None:
    """0 means no bound."""
    limit = RateLimit(VirtualClock(), 0.0)
    assert not any(limit.take("a") for _ in range(10_000))


def test_memory_is_bounded() -> None:
    """Ever new callers cannot fill the memory, and the one that overdoes it is not forgotten among them."""
    limit = RateLimit(VirtualClock(), 1.0)
    for number in range(3 * MOST_CALLERS):
        limit.take(str(number))
    assert len(limit._buckets) <= MOST_CALLERS

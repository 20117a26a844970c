"""Quotas and slowing down, with a clock that the test moves."""

from __future__ import annotations

import asyncio

from lineshaft.clock import VirtualClock
from lineshaft.gateway.uplinks.rate import RECOVERY, Rate


async def sent_in(rate: Rate, clock: VirtualClock, seconds: float, size: int = 1) -> int:
    """Messages that go in so many seconds when there is always one more."""
    count = 0

    async def pump() -> None:
        nonlocal count
        while True:
            await rate.take(size)
            count += 1

    task = asyncio.create_task(pump())
    await asyncio.sleep(0)
    await clock.advance(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return count


async def test_messages_keep_the_rate() -> None:
    """Over any time not more than the rate and a quarter second of it."""
    clock = VirtualClock()
    assert 975 <= await sent_in(Rate(clock, 100.0), clock, 10.0) <= 1_026


async def test_bytes_keep_the_rate() -> None:
    """Large messages go as often as their bytes allow."""
    clock = VirtualClock()
    assert 9 <= await sent_in(Rate(clock, 100.0, 100_000.0), clock, 10.0, 100_000) <= 12


async def test_a_complaint_halves_the_rate_for_a_while() -> None:
    """Half, a quarter, never less than a sixteenth; after some minutes the full rate again."""
    clock = VirtualClock()
    rate = Rate(clock, 160.0)
    rate.slow_down()
    assert rate.messages == 80.0
    for _ in range(10):
        rate.slow_down()
    assert rate.messages == 10.0
    assert await sent_in(rate, clock, 10.0) < 200
    await clock.advance(RECOVERY)
    await rate.take(1)
    assert rate.messages == 160.0


async def test_no_bound_waits_for_nothing() -> None:
    """Without a rate messages go at once."""
    clock = VirtualClock()
    rate = Rate(clock, None)
    for _ in range(10_000):
        await rate.take(1_000_000)
    assert rate.messages is None

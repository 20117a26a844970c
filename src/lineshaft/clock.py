"""The only way to read time: a real clock, and one that tests and the simulator move by hand."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

MICROSECONDS = 1_000_000


class Clock(Protocol):
    """Wall time in UTC microseconds, monotonic time in seconds, and a way to wait."""

    def now_us(self) -> int:
        """UTC microseconds since 1970."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back; the zero is arbitrary."""
        ...

    async def sleep_until(self, deadline: float) -> None:
        """Wait until `monotonic()` reaches `deadline`."""
        ...


class SystemClock:
    """The computer's clock."""

    def now_us(self) -> int:
        """UTC microseconds since 1970."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    async def sleep_until(self, deadline: float) -> None:
        """Wait until `monotonic()` reaches `deadline`; yields once even when that is past."""
        await asyncio.sleep(max(0.0, deadline - time.monotonic()))


class VirtualClock:
    """A clock that stands still until it is advanced; sleepers wake in the order of their deadlines."""

    def __init__(self, start_us: int = 1_700_000_000 * MICROSECONDS) -> None:
        self._start_us = start_us
        self._elapsed = 0.0
        self._offset_us = 0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now_us(self) -> int:
        """UTC microseconds since 1970 on this clock."""
        return self._start_us + self._offset_us + round(self._elapsed * MICROSECONDS)

    def monotonic(self) -> float:
        """Seconds advanced so far."""
        return self._elapsed

    async def sleep_until(self, deadline: float) -> None:
        """Wait until somebody advances the clock to `deadline`."""
        if deadline <= self._elapsed:
            await asyncio.sleep(0)
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((deadline, waiter))
        await waiter

    def step_wall(self, seconds: float) -> None:
        """Set the wall clock forward or back without time passing, as an operator or NTP would."""
        self._offset_us += round(seconds * MICROSECONDS)

    async def advance(self, seconds: float) -> None:
        """Let `seconds` pass, waking each sleeper at its own time and letting it run before going on."""
        end = self._elapsed + seconds
        while True:
            self._sleepers = [item for item in self._sleepers if not item[1].done()]
            due = min((item for item in self._sleepers if item[0] <= end), key=lambda item: item[0], default=None)
            if due is None:
                break
            self._elapsed = max(self._elapsed, due[0])
            self._sleepers.remove(due)
            due[1].set_result(None)
            for _ in range(20):  # lets the woken task and what it wakes run to their next wait
                await asyncio.sleep(0)
        self._elapsed = end

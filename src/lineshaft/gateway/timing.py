"""Waiting with an injected clock: a bound on one action, back-off, an event or a deadline, and a turn on a line."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager, nullcontext
from random import Random
from typing import Any, TypeVar

from lineshaft.clock import Clock
from lineshaft.drivers.base import TakesTurns

T = TypeVar("T")


async def within(clock: Clock, seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`; raises TimeoutError (and cancels it) after `seconds`."""
    action = asyncio.ensure_future(work)
    timer = asyncio.ensure_future(clock.sleep_until(clock.monotonic() + seconds))
    try:
        await asyncio.wait((action, timer), return_when=asyncio.FIRST_COMPLETED)
        if action.done():
            return action.result()
        raise TimeoutError
    finally:
        timer.cancel()
        if not action.done():
            action.cancel()
            await asyncio.wait((action,))


async def beside(main: Coroutine[Any, Any, None], work: Coroutine[Any, Any, None]) -> None:
    """Run both until `main` ends; the error of either is raised at once and cancels the other."""
    tasks = (asyncio.ensure_future(main), asyncio.ensure_future(work))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def event_or(clock: Clock, event: asyncio.Event, deadline: float | None) -> bool:
    """Wait until `event` is set (True) or the clock reaches `deadline` (False; None: never)."""
    if deadline is None:
        return await event.wait()
    waiting = asyncio.ensure_future(event.wait())
    timer = asyncio.ensure_future(clock.sleep_until(deadline))
    try:
        await asyncio.wait((waiting, timer), return_when=asyncio.FIRST_COMPLETED)
        return event.is_set()
    finally:
        waiting.cancel()
        timer.cancel()


def turn_of(driver: object) -> AbstractAsyncContextManager[None]:
    """The turn on a line that several devices share; nothing to wait for where none is shared."""
    return driver.turn() if isinstance(driver, TakesTurns) else nullcontext()


class Backoff:
    """Growing pauses: doubled each time up to a cap, and spread so that many gateways do not come back at once."""

    def __init__(self, first: float = 1.0, cap: float = 30.0, spread: float = 0.2, seed: int | None = None) -> None:
        self._first, self._cap, self._spread = first, cap, spread
        self._random = Random(seed)  # noqa: S311 - spreads pauses, protects nothing
        self._tries = 0

    def reset(self) -> None:
        """It worked: the next pause is the first one again."""
        self._tries = 0

    def next(self, *, at_least: float = 0.0) -> float:
        """Seconds to wait before the next try."""
        pause: float = max(at_least, min(self._cap, self._first * 2.0 ** min(self._tries, 30)))
        self._tries += 1
        return pause * (1.0 + self._spread * (2.0 * self._random.random() - 1.0))

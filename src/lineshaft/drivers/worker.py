"""A thread of its own for a library whose calls block: they run one after the other, also those that were cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Worker:
    """Started by the first call of `run`. A cancelled call goes on in the thread, and the next one waits for it, so
    that a connection never has two requests under way."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread: ThreadPoolExecutor | None = None

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` in the thread; raises what it raises."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix=self._name)
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def end(self, last: Callable[[], object]) -> None:
        """Let `last` run when what is under way has ended, then end the thread. Does not wait."""
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.submit(last)
            thread.shutdown(wait=False)

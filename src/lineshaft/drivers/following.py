"""The task in which a driver listens to its device; drivers that keep a subscription of their own share it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from lineshaft.errors import ConnectionFailed


class Following:
    """At most one task, from `start` until it fails or is stopped."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Listen in a task of that name."""
        self._task = asyncio.create_task(work, name=name)

    async def wait_closed(self, where: str) -> None:
        """Wait until the connection to `where` is lost, then raise the reason; ConnectionFailed when there is none."""
        if self._task is None:
            raise ConnectionFailed(f"{where}: not connected")
        await asyncio.shield(self._task)

    async def stop(self) -> None:
        """End the task; never raises, because what it failed of was told by `wait_closed`."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

"""How one process ends: on SIGTERM, on SIGINT, or when its supervisor is gone."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable

from lineshaft.server.messages import SUPERVISED

GRACE = 12.0
"""Seconds after which a process without a supervisor ends the hard way."""


async def until_stopped(serve: Callable[[asyncio.Event, asyncio.Event], Awaitable[None]]) -> None:
    """Run `serve(stop, asked)`.

    `stop` is set by SIGTERM, SIGINT or the end of the supervisor; `asked` by SIGHUP: read the plant again.
    """
    loop, stop, asked = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if hasattr(signal, "SIGHUP"):
        loop.add_signal_handler(signal.SIGHUP, asked.set)
    if os.environ.get(SUPERVISED):
        threading.Thread(target=_watch_supervisor, name="watch-supervisor", daemon=True).start()
    await serve(stop, asked)


def _watch_supervisor() -> None:
    """The supervisor holds our standard input open and never writes; its end is the supervisor's end."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(GRACE)
    os._exit(1)

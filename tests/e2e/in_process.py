"""A hub in a thread of this process, for pages over data that a test has made."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI

from lineshaft.hub.api.app import server_config


@dataclass(frozen=True)
class Served:
    """`url` is all that a page needs."""

    url: str


@contextmanager
def served(app: FastAPI) -> Iterator[Served]:
    """The app on a free port until the end."""
    server = uvicorn.Server(server_config(app, "127.0.0.1", 0))
    ready = threading.Event()
    started = server.startup

    async def startup(sockets: object = None) -> None:
        await started(sockets)  # type: ignore[arg-type]
        ready.set()

    server.startup = startup  # type: ignore[method-assign,assignment]
    thread = threading.Thread(target=server.run, name="hub")
    thread.start()
    try:
        assert ready.wait(60)
        yield Served(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}")
    finally:
        server.should_exit = True
        thread.join(30)

"""A machine that sends its values by itself: it posts a document to a webhook, and keeps it until that was taken."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import httpx

from lineshaft.simulator.channels import Channel
from lineshaft.simulator.devices import endpoint, option
from lineshaft.simulator.servers.base import OneMachine, Shown
from lineshaft.simulator.servers.documents import document

_KEPT = 360
_AGAIN_S = 2.0


class Poster:
    """Posts documents in their order; while nobody takes them the newest `_KEPT` wait."""

    def __init__(self, url: str, token_file: Path) -> None:
        self.url = url
        self._token_file = token_file
        self._waiting: deque[bytes] = deque(maxlen=_KEPT)
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """True between start and stop."""
        return self._task is not None

    async def start(self) -> None:
        """Begin to post; makes the token that both sides need when there is none yet."""
        if self._task is None:
            make_token_file(self._token_file)
            self._task = asyncio.create_task(self._run(), name="poster")

    async def stop(self) -> None:
        """Post no more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def put(self, body: bytes) -> None:
        """One more document to post."""
        self._waiting.append(body)
        self._news.set()

    async def _run(self) -> None:
        token = self._token_file.read_text().strip()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        async with httpx.AsyncClient(headers=headers, timeout=5.0, trust_env=False) as client:
            while True:
                await self._news.wait()
                while self._waiting:
                    if await self._posted(client, self._waiting[0]):
                        self._waiting.popleft()
                    else:
                        await asyncio.sleep(_AGAIN_S)
                self._news.clear()

    async def _posted(self, client: httpx.AsyncClient, body: bytes) -> bool:
        try:
            return (await client.post(self.url, content=body)).is_success
        except httpx.HTTPError:
            return False  # nobody listens yet, or not any more


def make_token_file(path: Path) -> None:
    """A random token in a file that only its owner can read; one that exists stays."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(24))


def posting_machine(channels: Sequence[Channel]) -> OneMachine:
    """A machine that posts every `poll` seconds of its device."""
    device = channels[0].device
    host, port = endpoint(device)
    poster = Poster(f"http://{host}:{port}{option(device, 'path') or '/'}", Path(str(option(device, "token_file"))))
    pause_us = round(device.poll * 1e6)
    told = 0

    def write(shown: Shown) -> None:
        nonlocal told
        now = int(shown.frame.times[-1])
        if now // pause_us > told:
            told = now // pause_us
            poster.put(document(channels, shown))

    return OneMachine(channels, poster, write)

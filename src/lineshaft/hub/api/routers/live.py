"""The live WebSocket: what is watched is sent when it changes, at most once per interval."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import numpy as np
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from lineshaft.hub.api.services import Caller, Parts, People
from lineshaft.hub.stream import LiveSession, Update, encode

router = APIRouter()

MOST_WATCHED = 20_000
SHORTEST_INTERVAL_MS = 20
CHECK_EVERY = 10.0  # seconds after which something is sent only when the session still stands
NOT_ALLOWED = 1008  # WebSocket close code: policy


class Subscription(BaseModel):
    """What the client wants to see."""

    model_config = ConfigDict(extra="forbid")

    subscribe: list[int] = Field(max_length=MOST_WATCHED)
    interval_ms: int = Field(100, ge=SHORTEST_INTERVAL_MS, le=60_000)


@router.websocket("/live")
async def live(socket: WebSocket, parts: Parts, people: People, caller: Caller) -> None:
    """See docs/guide/architecture.md, Live WebSocket."""
    await socket.accept()
    page = _Page(socket, lambda: people.still_valid(caller), watches=caller.via != "screen")
    with parts.stream.session() as session:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(page.listen(session), name="live-listen")
                tasks.create_task(page.send(session), name="live-send")
        except* WebSocketDisconnect:
            pass
        except* _NoMore as stops:
            reason = str(stops.exceptions[0])
            await socket.close(NOT_ALLOWED, reason)


class _NoMore(Exception):
    """The hub ends the connection; the text is the reason."""


class _Page:
    """One open page: what it asks for and what it gets."""

    def __init__(self, socket: WebSocket, may_stay: Callable[[], bool], *, watches: bool) -> None:
        self._socket = socket
        self._watches = watches  # a wall screen is told of changes and sees no signals
        self._may_stay = may_stay
        self._interval = 0.1

    async def listen(self, session: LiveSession) -> None:
        """Take subscriptions until the page goes."""
        while True:
            text = await self._socket.receive_text()
            try:
                wanted = Subscription.model_validate_json(text)
                ids = np.array(wanted.subscribe, np.uint32)
            except (ValidationError, OverflowError, KeyError) as error:
                raise _NoMore("a subscription is {subscribe:[ids],interval_ms:n}") from error
            self._interval = wanted.interval_ms / 1000
            session.subscribe(ids if self._watches else ids[:0])

    async def send(self, session: LiveSession) -> None:
        """Send what is new, and wait for the page to take it before looking for more."""
        loop = asyncio.get_running_loop()
        checked = loop.time()
        while True:
            await session.woken.wait()
            sent = loop.time()
            if sent - checked > CHECK_EVERY:
                if not await run_in_threadpool(self._may_stay):
                    raise _NoMore("signed out")
                checked = sent
            answer_due, session.answer_due = session.answer_due, False
            await self._send(session.take(), answer_due)
            rest = sent + self._interval - loop.time()
            if rest > 0:
                await asyncio.sleep(rest)  # the pace that the page asked for

    async def _send(self, update: Update, answer_due: bool) -> None:
        if len(update.numbers) or answer_due:
            await self._socket.send_bytes(encode(update.numbers))
        if len(update.texts):
            texts = update.texts
            columns = (texts.signals, texts.times, texts.texts, texts.qualities)
            rows = zip(*(column.tolist() for column in columns if column is not None), strict=True)
            await self._send_json({"type": "texts", "items": list(rows)})
        if update.events:
            await self._send_json({"type": "events", "items": list(update.events)})
        if update.catalogue is not None:
            await self._send_json({"type": "catalogue", "version": update.catalogue})
        if update.sources:
            await self._send_json({"type": "sources"})
        for topic, items in update.topics.items():
            await self._send_json({"type": "changed", "topic": topic, "items": items})

    async def _send_json(self, message: dict[str, Any]) -> None:
        await self._socket.send_text(json.dumps(message, separators=(",", ":"), ensure_ascii=False))

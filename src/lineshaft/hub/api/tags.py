"""ETags on everything that the API answers as JSON, and If-Match on what can be read and changed (RFC 9110, 13)."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lineshaft.hub.api.problems import problem

_CHANGES: Final = frozenset({"PUT", "PATCH", "POST", "DELETE"})
_JSON: Final = b"application/json"


@dataclass(slots=True)
class _Answer:
    """An answer that is held back until it is whole, when it is JSON; everything else goes on at once."""

    send: Send
    held: Message | None = None
    body: list[bytes] = field(default_factory=list)

    async def take(self, message: Message) -> None:
        """Part of ASGI."""
        if message["type"] == "http.response.start" and _is_tagged(message):
            self.held = message
        elif self.held is None:
            await self.send(message)
        else:
            self.body.append(message.get("body", b""))


class Tags:
    """ASGI middleware behind the gate: who may ask was judged before.

    `If-None-Match` on a GET answers 304 without the body when nothing has changed. `If-Match` on a change is compared
    with what a GET of the same path answers; when somebody else was faster it is refused with 412. Changes with
    `If-Match` are made one after the other, so that of two with the same tag one is refused.
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix
        self._changing = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not scope["path"].startswith(self._prefix):
            await self._app(scope, receive, send)
        elif scope["method"] == "GET":
            await self._read(scope, receive, send)
        elif scope["method"] in _CHANGES and (wanted := Headers(scope=scope).get("if-match")) is not None:
            async with self._changing:
                await self._change(wanted, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _read(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _Answer(send)
        await self._app(scope, receive, answer.take)
        if answer.held is None:
            return
        body = b"".join(answer.body)
        headers = MutableHeaders(raw=answer.held["headers"])
        if "etag" not in headers:
            headers["etag"] = _tag(body)
            headers.setdefault("cache-control", "private, no-cache")
        if _names(Headers(scope=scope).get("if-none-match", ""), headers["etag"]):
            del headers["content-length"]
            await send({"type": "http.response.start", "status": 304, "headers": headers.raw})
            await send({"type": "http.response.body", "body": b""})
            return
        await send(answer.held)
        await send({"type": "http.response.body", "body": body})

    async def _change(self, wanted: str, scope: Scope, receive: Receive, send: Send) -> None:
        there = await self._present(scope)
        if there is None or not _names(wanted, there):
            words = "it cannot be read" if there is None else "somebody has changed it since it was read"
            refusal = problem(412, "Changed meanwhile", words, "read it again, then repeat what you wanted to change")
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _present(self, scope: Scope) -> str | None:
        """The tag of what a GET of this path answers now; None when it has none."""
        found: list[str] = []

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                found.append(Headers(raw=message["headers"]).get("etag", ""))

        async def nothing() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        kept = [(name, value) for name, value in scope["headers"] if name in (b"host", b"accept")]
        asked = {**scope, "method": "GET", "headers": kept, "state": dict(scope.get("state", {}))}
        await self._read(asked, nothing, keep)
        return found[0] if found and found[0] else None


def _is_tagged(message: Message) -> bool:
    return message["status"] == 200 and any(
        name == b"content-type" and value.startswith(_JSON) for name, value in message["headers"]
    )


def _tag(body: bytes) -> str:
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def _names(condition: str, tag: str) -> bool:
    """Whether the list of a condition holds the tag; '*' holds all."""
    return any(one.strip().removeprefix("W/") in (tag, "*") for one in condition.split(",") if one.strip())

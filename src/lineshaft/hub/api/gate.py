"""The gate before every route: who is asking, does the request come from our own page, is it too big; and headers."""

from __future__ import annotations

import math
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lineshaft.errors import StoreUnavailable
from lineshaft.hub.api.problems import of_error, problem
from lineshaft.hub.security.identity import SCREEN_PREFIX, Identity, Principal
from lineshaft.hub.security.rate_limit import RateLimit

COOKIE = "lineshaft_session"
API = "/api"
OPEN = frozenset(
    {
        ("GET", "/api/v1/alive"),
        ("GET", "/api/v1/setup"),
        ("POST", "/api/v1/setup"),
        ("POST", "/api/v1/session"),
        ("POST", "/api/v1/session/screen"),
    }
)
"""What the API answers without credentials; everything else below /api needs them. Outside of /api there is only the
static shell of the page, which holds no data."""

SCREEN = frozenset({("GET", "/api/v1/session"), ("DELETE", "/api/v1/session"), ("GET", "/api/v1/live")})
"""What a wall screen may ask, beside what an app serves for it at /api/v1/<app>/screen."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LARGEST_BODY = 1 << 20  # bytes; an import has its own bound
TOO_LARGE = f"the body may have {LARGEST_BODY} bytes"
LARGE_BODIES = frozenset({"/api/v1/import"})

HEADERS = {
    # uPlot and React set styles through the CSSOM, which needs no exception; data: is for small icons.
    "content-security-policy": (
        "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "geolocation=(), payment=()",
}


class Gate:
    """ASGI middleware. Default is no: only `OPEN` and the static shell are served to strangers."""

    def __init__(self, app: ASGIApp, identity: Identity, limit: RateLimit) -> None:
        self._app = app
        self._identity = identity
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        send = _with_headers(send, secure=scope["scheme"] in ("https", "wss"), api=scope["path"].startswith(API))
        connection = HTTPConnection(scope)
        refusal, principal = await self._check(connection)
        if refusal is not None:
            await _refuse(refusal, scope, receive, send)
            return
        scope.setdefault("state", {})["principal"] = principal
        if scope["type"] == "http" and scope["path"] not in LARGE_BODIES:
            length = connection.headers.get("content-length", "0")
            if length.isdigit() and int(length) > LARGEST_BODY:
                await _refuse(_too_large(), scope, receive, send)
                return
            receive = _bounded(receive)
        await self._app(scope, receive, send)

    async def _check(self, connection: HTTPConnection) -> tuple[Response | None, Principal | None]:
        is_socket = connection.scope["type"] == "websocket"
        method = "GET" if is_socket else connection.scope["method"]
        path = connection.scope["path"]
        is_api = path == API or path.startswith(API + "/")
        if not is_api and not is_socket and method in SAFE_METHODS:
            return None, None
        changes = is_socket or method not in SAFE_METHODS
        try:
            principal = await self._principal(connection)
        except StoreUnavailable as error:
            return of_error(error), None
        bearer = principal is not None and principal.via == "token"
        if principal is not None and principal.via == "screen" and is_api and not _may_screen(method, path):
            return problem(403, "Not allowed", "a wall screen only looks at its own page"), None
        if changes and not bearer and not _same_origin(connection, required=principal is not None):
            return problem(403, "Not allowed", "the request does not come from this hub's own page"), None
        if principal is None and (is_socket or (method, path) not in OPEN):
            header = {"www-authenticate": 'Bearer realm="lineshaft"'}
            return problem(401, "Not signed in", "sign in, or send an API token", headers=header), None
        wait = 0.0 if principal is None else self._limit.take(principal.secret_hash)
        if wait > 0:
            header = {"retry-after": str(math.ceil(wait))}
            hint = "ask less often, ask for many signals at once, or raise hub.rate_limit"
            return problem(429, "Too many requests", "more requests than hub.rate_limit allows", hint, header), None
        return None, principal

    async def _principal(self, connection: HTTPConnection) -> Principal | None:
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            return await run_in_threadpool(self._identity.of_token, token.strip())
        if cookie := connection.cookies.get(COOKIE):
            is_screen = cookie.startswith(SCREEN_PREFIX)
            return await run_in_threadpool(self._identity.of_screen if is_screen else self._identity.of_cookie, cookie)
        return None


def _may_screen(method: str, path: str) -> bool:
    return (method, path) in SCREEN or (method == "GET" and path.count("/") == 4 and path.endswith("/screen"))


def _same_origin(connection: HTTPConnection, *, required: bool) -> bool:
    """Whether the Origin header names the host that was asked. Browsers always send it where it matters."""
    origin = connection.headers.get("origin")
    if origin is None:
        return not required
    return urlsplit(origin).netloc.lower() == connection.headers.get("host", "").lower()


async def _refuse(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await response(scope, receive, send)
        return
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": "not allowed"})
        return
    await send(
        {"type": "websocket.http.response.start", "status": response.status_code, "headers": response.raw_headers}
    )
    await send({"type": "websocket.http.response.body", "body": response.body})


def _too_large() -> Response:
    return problem(413, HTTPStatus.REQUEST_ENTITY_TOO_LARGE.phrase, TOO_LARGE, headers={"connection": "close"})


def _bounded(receive: Receive) -> Receive:
    received = 0

    async def bounded() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > LARGEST_BODY:
            raise HTTPException(413, TOO_LARGE)
        return message

    return bounded


def _with_headers(send: Send, *, secure: bool, api: bool) -> Send:
    async def sender(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if api:
                headers.setdefault("cache-control", "no-store")
            if secure:
                headers.setdefault("strict-transport-security", "max-age=31536000")
        await send(message)

    return sender

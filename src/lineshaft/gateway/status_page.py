"""Serves the gateway's own page: a few lines of HTTP/1.1 for looking, without any other package and without the hub."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final, Protocol
from urllib.parse import parse_qs, urlsplit

import numpy as np
import structlog

from lineshaft.clock import Clock
from lineshaft.config.status_page import StatusPageConfig, is_loopback
from lineshaft.gateway.plan import Plan
from lineshaft.gateway.status_html import STYLE_HASH, Shown, Snapshot, as_json, number_text, page
from lineshaft.model.events import Event
from lineshaft.model.samples import SampleBatch, UInt32Array
from lineshaft.wire.notes import SignalPipeline, StatusNote

log = structlog.get_logger(__name__)

_HEAD: Final = 8_192
_PATIENCE: Final = 10.0
"""Seconds that one request may take."""
_MOST: Final = 20
"""Connections at once."""
_HEADERS: Final = (
    f"Content-Security-Policy: default-src 'none'; style-src '{STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options: nosniff",
    "Referrer-Policy: no-referrer",
    "Cache-Control: no-store",
    "Connection: close",
)


class View(Protocol):
    """What the page asks the running gateway."""

    @property
    def last_status(self) -> StatusNote | None:
        """The last status that was told to the uplinks."""
        ...

    @property
    def recent(self) -> Sequence[Event]:
        """The last events, oldest first."""
        ...

    def last(self, handles: UInt32Array) -> SampleBatch:
        """The last reported row of each signal."""
        ...

    def pipeline_of(self, path: str) -> SignalPipeline:
        """What the steps did to a signal."""
        ...


class StatusPage:
    """`run` serves until it is cancelled. A port that is taken is told and tried again: the gateway goes on."""

    def __init__(self, config: StatusPageConfig, token: str, plan: Plan, view: View, clock: Clock) -> None:
        """token: '' when none is asked for."""
        self._config = config
        self._token = token.encode()
        self._plan = plan
        self._view = view
        self._clock = clock
        self._clients: set[asyncio.Task[None]] = set()
        self.port = 0
        self.listening = asyncio.Event()

    async def run(self) -> None:
        """See the class; a config without a port ends at once."""
        if self._config.port is None:
            return
        host, told = self._config.host, False
        while True:
            try:
                server = await asyncio.start_server(self._serve, host, self._config.port, limit=_HEAD)
                break
            except OSError as error:
                if not told:
                    log.warning("status_page.no_port", host=host, port=self._config.port, error=str(error))
                told = True
                await self._clock.sleep_until(self._clock.monotonic() + 30.0)
        self.port = server.sockets[0].getsockname()[1]
        self.listening.set()
        log.info("status_page.ready", host=host, port=self.port)
        try:
            await asyncio.Event().wait()
        finally:
            server.close()
            for client in list(self._clients):
                client.cancel()
            await asyncio.gather(*self._clients, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._clients.add(task)
        try:
            async with asyncio.timeout(_PATIENCE):
                status, kind, body = HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", "too many look at once"
                if len(self._clients) <= _MOST:
                    status, kind, body = self._answer(await reader.readuntil(b"\r\n\r\n"))
                writer.write(_response(status, kind, body.encode()))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass  # it went away, was too slow or too long, or we are closed
        finally:
            self._clients.discard(task)
            writer.close()

    def _answer(self, head: bytes) -> tuple[HTTPStatus, str, str]:
        first, *lines = head.decode("latin-1").split("\r\n")
        parts = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if len(parts) != 3:
            return HTTPStatus.BAD_REQUEST, "text/plain", "no HTTP/1.1"
        if not self._allowed(headers):
            return HTTPStatus.UNAUTHORIZED, "text/plain", "the token is needed: as the password, with any name"
        if parts[0] not in ("GET", "HEAD"):
            return HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", "this page only shows"
        url = urlsplit(parts[1])
        snapshot = self._snapshot()
        if snapshot is None:
            return HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", "the gateway is starting"
        if url.path == "/status.json":
            return HTTPStatus.OK, "application/json", json.dumps(as_json(snapshot), ensure_ascii=False)
        if url.path != "/":
            return HTTPStatus.NOT_FOUND, "text/plain", "there are / and /status.json"
        device = parse_qs(url.query).get("device", [""])[0]
        return HTTPStatus.OK, "text/html", page(snapshot, device)

    def _allowed(self, headers: dict[str, str]) -> bool:
        """The token as Bearer or as the password of Basic; without one, only a page of this very computer may ask."""
        if not self._token:
            return is_loopback(urlsplit("//" + headers.get("host", "")).hostname or "")
        kind, _, shown = headers.get("authorization", "").partition(" ")
        given = shown.strip().encode("latin-1")
        if kind.lower() == "basic":
            try:
                given = base64.b64decode(given, validate=True).partition(b":")[2]
            except ValueError:
                return False
        return kind.lower() in ("basic", "bearer") and hmac.compare_digest(given, self._token)

    def _snapshot(self) -> Snapshot | None:
        status = self._view.last_status
        if status is None:
            return None
        signals = self._plan.signals
        last = self._view.last(np.arange(len(signals), dtype=np.uint32))
        texts = [None] * len(signals) if last.texts is None else last.texts.tolist()
        columns = zip(
            signals, last.times.tolist(), last.values.tolist(), last.qualities.tolist(), texts, strict=True
        )  # fmt: skip
        values = []
        for item, time, value, quality, text in columns:
            did = self._view.pipeline_of(item.signal.path)
            shown = number_text(value, text)
            values.append(
                Shown(
                    item.device,
                    item.metric,
                    shown,
                    item.signal.unit,
                    quality,
                    time,
                    did.rows_in,
                    did.rows_out,
                    did.dropped,
                )
            )
        return Snapshot(self._plan.node_path, self._clock.now_us(), status, tuple(reversed(self._view.recent)), values)


def _response(status: HTTPStatus, kind: str, body: bytes) -> bytes:
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"Content-Type: {kind}; charset=utf-8",
        f"Content-Length: {len(body)}",
        *_HEADERS,
    ]
    if status is HTTPStatus.UNAUTHORIZED:
        lines.append('WWW-Authenticate: Basic realm="Lineshaft gateway"')
    return "\r\n".join([*lines, "", ""]).encode() + body

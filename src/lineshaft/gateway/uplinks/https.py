"""HTTPS: each batch is a POST request, delivered when the answer is 2xx."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import httpx
import structlog

from lineshaft import __version__
from lineshaft.config.uplinks import HttpsUplink as HttpsConfig
from lineshaft.errors import AccessDenied, ConnectionFailed, LineshaftError, PeerTimeout, PermanentError
from lineshaft.gateway.frames import Frame
from lineshaft.gateway.uplinks.access import Files
from lineshaft.gateway.uplinks.base import Deliveries, NodeContext, Refused, Throttled
from lineshaft.gateway.uplinks.messages import TOO_LARGE, Message, MessageMaker
from lineshaft.gateway.uplinks.mqtt import BrokerAccess, tls_context
from lineshaft.wire.notes import StatusNote

log = structlog.get_logger(__name__)

BAD_BATCH: Final = frozenset({400, 413, 415, 422})
"""Answers that name the batch itself as the fault."""
MAX_REFUSED: Final = 20
"""Batches refused one after the other, with none accepted between, after which the fault is not in the batches."""
MAX_PAUSE: Final = 300.0
_DETAIL: Final = 80


@dataclass(frozen=True, slots=True)
class _Unanswered:
    """Frames whose request failed; it is sent again before anything else."""

    frames: tuple[int, ...]
    messages: tuple[Message, ...]
    too_large: dict[int, list[int]]


class HttpsUplink:
    """One endpoint; implements Uplink. There is one request at a time, so batches arrive in order.

    A connection of HTTP says nothing about whether batches are welcome. So after a failure `connect` first repeats the
    request that failed, and the uplink is offline until that is answered.
    """

    def __init__(self, config: HttpsConfig, node: NodeContext, files: Files) -> None:
        self.id = config.id
        self.waiting = False
        self.deliveries: Deliveries
        """Set by the runtime before the first connect."""
        self._config = config
        self._node = node
        self._files = files
        parts = urlsplit(config.url)
        self._access = BrokerAccess(parts.hostname or "", parts.port or 443, tls=True, **files.tls(config.tls))
        lines = config.format == "ndjson"
        self._maker = MessageMaker(
            config, node, "lines" if lines else "batch", config.max_body, retain=False
        )  # fmt: skip
        self._headers = {
            "content-type": "application/x-ndjson" if lines else "application/json",
            "user-agent": f"lineshaft/{__version__}",
            **{name.lower(): value for name, value in config.headers.items()},
        }
        self._client: httpx.AsyncClient | None = None
        self._unanswered: _Unanswered | None = None
        self._refused = 0
        self._closed = asyncio.Event()

    # -- session

    async def connect(self) -> int:
        """See Uplink.connect."""
        self._closed.clear()
        context = tls_context(self._access)
        headers = dict(self._headers)
        token = self._files.secret(self._config.token_file, "token file")
        if token:
            headers["authorization"] = f"Bearer {token}"
        timeout = httpx.Timeout(self._config.timeout)
        self._client = httpx.AsyncClient(verify=context, headers=headers, timeout=timeout, trust_env=False)
        if self._unanswered is None:
            await self._reach(context)
        else:
            await self._again(self._unanswered)
        return self._node.last_frame()

    async def _reach(self, context: ssl.SSLContext) -> None:
        """Only a TLS handshake: tells a wrong address or certificate before there is anything to send."""
        where = f"{self._access.host}:{self._access.port}"
        try:
            async with asyncio.timeout(self._config.timeout):
                _, writer = await asyncio.open_connection(self._access.host, self._access.port, ssl=context)
        except ssl.SSLCertVerificationError as error:
            raise AccessDenied(f"{where} is not trusted: {error}", hint="Check tls.ca_file.") from error
        except TimeoutError:
            raise PeerTimeout(f"{where} does not answer") from None
        except OSError as error:
            raise ConnectionFailed(f"cannot reach {where}: {error}") from error
        writer.transport.abort()

    async def _again(self, request: _Unanswered) -> None:
        try:
            await self._post(request)
        except Refused:
            self._unanswered = None  # the frames come again, one by one

    async def wait_closed(self) -> None:
        """See Uplink.wait_closed: only `send` finds out."""
        await self._closed.wait()
        raise ConnectionFailed("closed")

    async def close(self) -> None:
        """See Uplink.close."""
        client, self._client = self._client, None
        self._closed.set()
        if client is not None:
            await client.aclose()

    def idle(self) -> None:
        """See Uplink.idle."""

    def device_changed(self, device: str) -> None:
        """See Uplink.device_changed."""

    def tell(self, status: StatusNote) -> None:
        """See Uplink.tell: an endpoint takes data only."""

    # -- data

    async def send(self, frames: Sequence[Frame], *, historical: bool) -> None:
        """See Uplink.send. Returns when the frames are delivered."""
        messages = self._maker.make(frames, historical=historical)
        numbers = tuple(frame.id for frame in frames)
        await self._post(_Unanswered(numbers, tuple(messages.made), messages.too_large))

    async def _post(self, request: _Unanswered) -> None:
        """All requests of some frames. Raises Refused, RetryableError or PermanentError."""
        try:
            for message in request.messages:
                await self._request(message)
        except Refused:
            if len(request.frames) == 1:
                self._count_refusal()
            raise
        except LineshaftError:
            self._unanswered = request
            raise
        self._unanswered = None
        for frame, rows in request.too_large.items():
            self.deliveries.refused(frame, rows, TOO_LARGE)
        self.deliveries.delivered([frame for frame in request.frames if frame not in request.too_large])

    def _count_refusal(self) -> None:
        """An endpoint that refuses everything is wrong itself: then samples are kept, not dropped."""
        self._refused += 1
        if self._refused > MAX_REFUSED:
            raise PermanentError(
                f"the endpoint refuses every batch, {self._refused} so far; nothing more is dropped",
                hint="Check url, format and what the endpoint says it wants.",
            )

    async def _request(self, message: Message) -> None:
        if self._client is None:
            raise ConnectionFailed("not connected")
        headers = {"idempotency-key": message.name, "lineshaft-kind": message.kind}
        body = message.payload
        if self._config.compress:
            body = gzip.compress(body, 5)
            headers["content-encoding"] = "gzip"
        try:
            answer = await self._client.post(self._config.url, content=body, headers=headers)
        except httpx.TimeoutException as error:
            raise PeerTimeout(f"{self._config.url} does not answer: {type(error).__name__}") from error
        except ssl.SSLError as error:  # an alert in place of an answer: httpx leaves it as it is
            raise AccessDenied(
                f"{self._config.url} ends the TLS session: {error}",
                hint="Does it want a certificate of the gateway (tls.cert_file)?",
            ) from error
        except httpx.TransportError as error:
            raise ConnectionFailed(f"cannot reach {self._config.url}: {str(error) or type(error).__name__}") from error
        _judge(answer, self._config.url, self._node.clock.now_us())
        self._refused = 0


def _judge(answer: httpx.Response, url: str, now_us: int) -> None:
    """Turn an answer that is not 2xx into the error that tells the forwarder what to do."""
    status = answer.status_code
    if answer.is_success:
        return
    words = f"{url} answers {status}{_detail(answer)}"
    if status in BAD_BATCH:
        raise Refused(f"refused with {status}{_detail(answer)}")
    if status in (401, 403):
        raise AccessDenied(words, hint="Check token_file and the right to send.")
    if status in (408, 409, 425, 429) or status >= 500:
        raise Throttled(words, retry_after(answer.headers.get("retry-after", ""), now_us))
    raise PermanentError(words, hint="Check the url; batches are kept.")


def _detail(answer: httpx.Response) -> str:
    """What the endpoint says about it, in a few words: the usual keys of a JSON problem, else nothing."""
    try:
        document = answer.json()
    except ValueError:
        return ""
    if not isinstance(document, dict):
        return ""
    texts = [document.get(key) for key in ("title", "detail", "message", "error")]
    text = next((" ".join(text.split()) for text in texts if isinstance(text, str) and text.strip()), "")
    return f": {text[:_DETAIL]}" if text else ""


def retry_after(header: str, now_us: int) -> float:
    """Seconds to wait, from a number of seconds or an HTTP date; 0 for neither, bounded by MAX_PAUSE."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(MAX_PAUSE, float(text[:6]))
    try:
        moment = parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return min(MAX_PAUSE, max(0.0, moment - now_us / 1e6))

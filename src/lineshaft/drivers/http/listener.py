"""A small HTTP/1.1 server that takes documents by POST: one path, a token, and bounds on everything."""

from __future__ import annotations

import asyncio
import hmac
import ssl
from collections.abc import Callable
from typing import Final

from lineshaft.drivers.http.options import WebhookConnection
from lineshaft.errors import AccessDenied, ConnectionFailed, DataError

_HEAD: Final = 16_384
"""Most bytes of a request's head."""
_WORDS: Final = {
    204: "No Content", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed",
    411: "Length Required", 413: "Content Too Large", 415: "Unsupported Media Type",
    500: "Internal Server Error", 503: "Service Unavailable",
}  # fmt: skip
_ENDS: Final = (400, 401, 411, 413, 503)
"""After these the rest of the connection cannot be trusted or is not wanted."""


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, words: str = "") -> None:
        super().__init__(words)
        self.status = status


class Listener:
    """`take` gets each body in the event loop; a DataError of it is answered with 400."""

    def __init__(self, options: WebhookConnection, token: str, take: Callable[[bytes], None]) -> None:
        self._options = options
        self._token = token.encode()
        self._take = take
        self._server: asyncio.Server | None = None
        self._senders: set[asyncio.Task[None]] = set()
        self.fault: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        """What `take` raised that it should not."""

    async def open(self) -> None:
        """Listen. Raises ConnectionFailed when the port is taken, AccessDenied when the certificate is none."""
        options = self._options
        context = None
        if options.cert_file:
            try:
                context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
                context.load_cert_chain(options.cert_file, options.key_file)
            except OSError as error:
                raise AccessDenied(f"the certificate cannot be used: {error}", hint="check the files") from error
        try:
            self._server = await asyncio.start_server(self._serve, options.host, options.port, limit=_HEAD, ssl=context)
        except OSError as error:
            raise ConnectionFailed(
                f"cannot listen on {options.host}:{options.port}: {error}", hint="another program uses this port"
            ) from error

    async def close(self) -> None:
        """Close the port and every connection; never raises."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            for sender in list(self._senders):
                sender.cancel()
            await asyncio.gather(*self._senders, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._senders.add(task)
        try:
            if len(self._senders) > self._options.max_senders:
                await _answer(writer, 503, "", close=True)
                return
            close = False
            while not close:
                async with asyncio.timeout(self._options.timeout):
                    close = await self._one(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the sender went away, was too slow, or we are closed
        finally:
            self._senders.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; True when the connection ends with it."""
        close = False
        try:
            method, path, headers = await _head(reader)
            close = headers.get("connection", "").lower() == "close"
            body = await self._body(reader, writer, method, path, headers)
            self._take(body)
        except Refusal as refusal:
            close = close or refusal.status in _ENDS
            await _answer(writer, refusal.status, str(refusal), close=close)
        except DataError as error:
            await _answer(writer, 400, str(error), close=close)
        except (OSError, asyncio.IncompleteReadError):
            raise
        except Exception as error:  # noqa: BLE001 - the boundary: `fault` is told to whoever waits for the end
            close = True
            if not self.fault.done():
                self.fault.set_result(error)
            await _answer(writer, 500, "a fault in the gateway; its log says more", close=close)
        else:
            await _answer(writer, 204, "", close=close)
        return close

    async def _body(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        method: str,
        path: str,
        headers: dict[str, str],
    ) -> bytes:
        kind, _, shown = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not hmac.compare_digest(shown.strip().encode("latin-1"), self._token):
            raise Refusal(401)
        if "transfer-encoding" in headers:
            raise Refusal(411, "send a Content-Length")
        length = headers.get("content-length", "0" if method != "POST" else "")
        if not (length.isascii() and length.isdecimal() and len(length) < 16):
            raise Refusal(411, "send a Content-Length")
        if int(length) > self._options.max_body:
            raise Refusal(413, f"a body has at most {self._options.max_body} bytes")
        if headers.get("expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await reader.readexactly(int(length))
        if path.partition("?")[0] != self._options.path:
            raise Refusal(404)
        if method != "POST":
            raise Refusal(405)
        return body


async def _head(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str]]:
    """Method, path and headers. Raises Refusal."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.LimitOverrunError as error:
        raise Refusal(400, "the head is too long") from error
    first, *lines = head.split("\r\n")[:-2]
    parts = first.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise Refusal(400, "no HTTP/1.1")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.lower()
        if not colon or not name or name != name.strip() or (name in headers and name == "content-length"):
            raise Refusal(400, "a header is malformed")
        headers[name] = value.strip()
    return parts[0], parts[1], headers


async def _answer(writer: asyncio.StreamWriter, status: int, words: str, *, close: bool) -> None:
    body = words.encode()[:1000]
    lines = [f"HTTP/1.1 {status} {_WORDS[status]}"]
    if status != 204:
        lines += ["Content-Type: text/plain; charset=utf-8", f"Content-Length: {len(body)}"]
    if status == 401:
        lines.append("WWW-Authenticate: Bearer")
    if status == 405:
        lines.append("Allow: POST")
    if close:
        lines.append("Connection: close")
    writer.write("\r\n".join([*lines, "", ""]).encode() + (body if status != 204 else b""))
    await writer.drain()

"""A device with a small web server: its values as JSON documents, asked for by GET."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from urllib.parse import urlsplit

from lineshaft.errors import ConnectionFailed
from lineshaft.simulator.channels import Channel
from lineshaft.simulator.devices import endpoint, option
from lineshaft.simulator.servers.base import OneMachine, Shown
from lineshaft.simulator.servers.documents import document, grouped

_MOST_HEAD = 16_384


class JsonServer:
    """Answers GET for `documents[path]`, and 304 when the asker has it already."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.documents: dict[str, bytes] = {}
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> bool:
        """True between start and stop."""
        return self._server is not None

    async def start(self) -> None:
        """Listen. Raises ConnectionFailed when the port is taken."""
        if self._server is not None:
            return
        try:
            self._server = await asyncio.start_server(self._serve, self.host, self.port, limit=_MOST_HEAD)
        except OSError as error:
            raise ConnectionFailed(
                f"cannot listen on {self.host}:{self.port}", hint="another program uses this port"
            ) from error
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and every connection."""
        server, self._server = self._server, None
        if server is not None:
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
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                writer.write(self._answer(head))
                await writer.drain()
        except (asyncio.CancelledError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass  # the client went away, or speaks no HTTP
        finally:
            self._clients.discard(task)
            writer.close()

    def _answer(self, head: str) -> bytes:
        first, *lines = head.split("\r\n")
        method, _, rest = first.partition(" ")
        body = self.documents.get(rest.partition(" ")[0].partition("?")[0])
        etag = f'"{hashlib.sha256(body or b"").hexdigest()[:16]}"'
        known = any(line.lower().startswith("if-none-match:") and etag in line for line in lines)
        status = "405 Method Not Allowed" if method != "GET" else "404 Not Found" if body is None else "200 OK"
        if status == "200 OK" and known:
            status = "304 Not Modified"
        content = body if status == "200 OK" and body is not None else b""
        return (
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nETag: {etag}\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        ).encode() + content


def json_machine(channels: Sequence[Channel]) -> OneMachine:
    """A device whose documents are at the paths that the addresses name."""
    device = channels[0].device
    server = JsonServer(*endpoint(device))
    root = urlsplit(str(option(device, "url"))).path.rstrip("/")
    groups = {f"{root}/{path}".rstrip("/") or "/": group for path, group in grouped(channels, "path").items()}

    def write(shown: Shown) -> None:
        server.documents = {path: document(group, shown) for path, group in groups.items()}

    return OneMachine(channels, server, write)

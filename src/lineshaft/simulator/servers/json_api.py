"""A device with a small web server: its values as JSON documents, asked for by GET."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from lineshaft.simulator.channels import Channel
from lineshaft.simulator.devices import endpoint, option
from lineshaft.simulator.servers.base import OneMachine, Shown
from lineshaft.simulator.servers.documents import document, grouped
from lineshaft.simulator.servers.tcp import TcpServer


class JsonServer(TcpServer):
    """Answers GET for `documents[path]`, and 304 when the asker has it already."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self.documents: dict[str, bytes] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """See TcpServer."""
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            writer.write(self._answer(head))
            await writer.drain()

    def _answer(self, head: str) -> bytes:
        first, *lines = head.split("\r\n")
        method, _, rest = first.partition(" ")
        body = self.documents.get(unquote(rest.partition(" ")[0].partition("?")[0]))
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

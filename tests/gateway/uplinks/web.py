"""An HTTPS endpoint in process: keeps what it accepts, and answers as it is told."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.gateway.uplinks.line import Sample, batch_samples


@dataclass
class Request:
    """What came, and what was answered."""

    headers: dict[str, str]
    body: bytes
    status: int

    @property
    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.body.splitlines()]


@dataclass
class Endpoint:
    """`answers` are used up first, each (status, headers, body); then only `refuses` and `token` count."""

    url: str = ""
    token: str = ""
    requests: list[Request] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], str]] = field(default_factory=list)
    refuses: str = ""  # a text in the body that makes it bad
    down: bool = False

    def answer(self, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], str]:
        if self.token and headers.get("authorization") != f"Bearer {self.token}":
            return 401, {}, '{"title": "unknown token"}'
        if self.answers:
            return self.answers.pop(0)
        if self.refuses and self.refuses.encode() in body:
            return 422, {}, '{"title": "value out of range"}'
        return 200, {}, ""

    def accepted(self) -> list[Request]:
        return [request for request in list(self.requests) if request.status < 300]

    def statuses(self) -> list[int]:
        return [request.status for request in list(self.requests)]

    def samples(self) -> dict[Sample, int]:
        """Every accepted sample, and how often it came."""
        return dict(batch_samples(document for request in self.accepted() for document in request.documents))


def refuse(wire: socket.socket) -> None:
    """End after a failed handshake as a good server does: what is still unread must not reset the alert away."""
    with suppress(OSError):
        wire.shutdown(socket.SHUT_WR)
        while wire.recv(4096):
            pass


@contextmanager
def endpoint(context: ssl.SSLContext, port: int = 0) -> Iterator[Endpoint]:
    """A server on localhost; gone afterwards."""
    made = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def do_POST(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers["content-length"]))
            if headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            if made.down:
                self.close_connection = True
                return
            status, more, text = made.answer(headers, body)
            made.requests.append(Request(headers, body, status))
            self.send_response(status)
            for name, value in {"content-length": str(len(text)), **more}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def finish_request(self, request: Any, client: Any) -> None:
            request.settimeout(10)
            wire = request.dup()
            wire.settimeout(10)
            try:
                tls = context.wrap_socket(request, server_side=True)
            except OSError:
                refuse(wire)  # or a client that only looks
                return
            finally:
                wire.close()
            try:
                super().finish_request(tls, client)
            except OSError:
                pass
            finally:
                tls.close()

        def handle_error(self, request: Any, client: Any) -> None:
            pass

    with Server(("127.0.0.1", port), Handler) as server:
        made.url = f"https://localhost:{server.server_port}/batches"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()

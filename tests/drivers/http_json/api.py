"""A JSON API for the tests, and certificates for it."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import json
import ssl
import time
from collections import Counter
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Api:
    """Answers GET for `documents[path]`; counts what it answered."""

    def __init__(self, authorization: str = "", context: ssl.SSLContext | None = None) -> None:
        self.documents: dict[str, bytes] = {}
        self.statuses: dict[str, int] = {}  # path -> status in place of 200
        self.authorization = authorization
        self.answers: Counter[int] = Counter()
        self.silent = False
        self.port = 0
        self._context = context
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for client in list(self._clients):
                client.cancel()
            await asyncio.gather(*self._clients, return_exceptions=True)
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            while True:
                first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
                if self.silent:
                    await asyncio.Event().wait()
                writer.write(self._answer(first.split(" ")[1], headers))
        except (asyncio.CancelledError, asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._clients.discard(task)
            writer.close()

    def _answer(self, path: str, headers: dict[str, str]) -> bytes:
        body = self.documents.get(path, b"")
        etag = f'"{hash(body)}"'
        status = self.statuses.get(path, 200 if path in self.documents else 404)
        if self.authorization and headers.get("authorization") != self.authorization:
            status, body = 401, b""
        elif headers.get("if-none-match") == etag and status == 200:
            status, body = 304, b""
        self.answers[status] += 1
        return f"HTTP/1.1 {status} x\r\nETag: {etag}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def document() -> bytes:
    return json.dumps(
        {"ts": time.time(), "values": {"power": 1234.5, "on": True, "energy": 2**53 + 1}, "id": "0042"}
    ).encode()


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_file, key_file

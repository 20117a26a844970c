"""The other side of what the hub sends: a web server that checks signatures, and a mail server."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import uvicorn
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from fastapi import FastAPI, Request, Response
from standardwebhooks.webhooks import Webhook


@dataclass
class Web:
    """Takes webhooks whose signature another author's library finds right; answers 503 while `down`."""

    secret: str
    url: str = ""
    down: bool = False
    taken: list[tuple[str, bytes, str]] = field(default_factory=list)  # id, body, content type
    refused: int = 0


@asynccontextmanager
async def web_server(web: Web) -> AsyncIterator[Web]:
    """Listens until the block ends."""
    app = FastAPI()

    @app.post("/hook")
    async def hook(request: Request) -> Response:
        body = await request.body()
        if web.down:
            web.refused += 1
            return Response("closed for lunch", 503)
        if request.headers["content-type"] == "application/json":
            Webhook(web.secret).verify(body, dict(request.headers))
        web.taken.append((request.headers["webhook-id"], body, request.headers["content-type"]))
        return Response(status_code=204)

    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", 0, log_level="warning"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        assert not task.done(), task.result()
        await asyncio.sleep(0.01)
    web.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/hook"
    try:
        yield web
    finally:
        server.should_exit = True
        await task


@dataclass
class Mailbox:
    """Mails that were taken."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    down: bool = False

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - its name there
        """Called by the server for each mail."""
        if self.down:
            return "451 try later"
        content: Any = envelope.content
        found = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(found, EmailMessage)
        self.mails.append(found)
        return "250 OK"


@asynccontextmanager
async def mail_server() -> AsyncIterator[Mailbox]:
    """A real SMTP server on a port of its own."""
    box = Mailbox()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(box), "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
        await server.wait_closed()


class Login:
    """Lets one user in."""

    def __init__(self, user: str, password: str) -> None:
        self._known = LoginPassword(user.encode(), password.encode())

    def __call__(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        """Called by the server for each attempt."""
        return AuthResult(success=data == self._known, handled=False)


@asynccontextmanager
async def guarded_mail_server(folder: Path, login: Login) -> AsyncIterator[Mailbox]:
    """One that takes mail only after STARTTLS and a login; the certificate to trust is in `folder`/ca.pem."""
    box = Mailbox()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*_certificate(folder))

    def made() -> SMTP:
        return SMTP(box, tls_context=context, require_starttls=True, authenticator=login, auth_required=True)

    server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
        await server.wait_closed()


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail of the test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate, key = folder / "ca.pem", folder / "mail.key"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate, key

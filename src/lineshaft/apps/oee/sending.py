"""Sends what is in the outbox: signed webhooks, and reports by mail with the PDF."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import smtplib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Final

import httpx
import structlog

from lineshaft.apps.oee.closing import Closing
from lineshaft.apps.oee.deliveries import Delivery, Outbox
from lineshaft.apps.oee.report_pdf import report_pdf
from lineshaft.apps.oee.shift_report import FACTORS
from lineshaft.apps.oee.targets import Targets
from lineshaft.clock import Clock, SystemClock
from lineshaft.config.results import MailConfig, ShiftReportConfig
from lineshaft.errors import ConfigError, LineshaftError

log = structlog.get_logger(__name__)
LOOK_S: Final = 5.0
_ANSWER_S: Final = 15.0
_REFUSED: Final = (400, 401, 403, 404, 405, 410, 413, 415, 422)
"""Answers that another attempt with the same message does not change soon; it is tried on, but said at once."""


class NotTaken(LineshaftError):
    """The other side did not take a message."""


@dataclass(frozen=True)
class Sender:
    """`run` until it is cancelled; `step` does what is due once."""

    outbox: Outbox
    closing: Closing
    targets: Targets
    server: MailConfig | None
    folder: Path  # secrets are in it
    clock: Clock
    told: Callable[[], None] = lambda: None
    wall: Clock = field(default_factory=SystemClock)  # when a message leaves, for receivers that refuse old ones
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Look for what has ended, and send."""
        failing = False
        while True:
            try:
                await self.step()
                failing = False
            except Exception as error:  # the boundary: what is in the outbox stays there
                if not failing:
                    log.error("oee.not_reported", error=str(error), kind=type(error).__name__, exc_info=True)
                failing = True
            self.wake.clear()
            try:
                await asyncio.wait_for(self.wake.wait(), LOOK_S)
            except TimeoutError:
                continue

    async def step(self) -> int:
        """Put what has ended into the outbox, and try all that is due; gives how many were taken."""
        new = await asyncio.to_thread(self.closing.close, self.clock.now_us())
        due = await asyncio.to_thread(self.outbox.due, self.clock.now_us())
        taken = 0
        for one in due:
            taken += await self._try(one)
        if new or due:
            self.told()
        return taken

    async def _try(self, one: Delivery) -> bool:
        try:
            if one.kind == "webhook":
                await self._post(one)
            else:
                await asyncio.to_thread(self._mail, one)
        except (NotTaken, ConfigError, httpx.HTTPError, OSError, smtplib.SMTPException) as error:
            words = f"{error}" or type(error).__name__
            state = await asyncio.to_thread(self.outbox.failed, one, self.clock.now_us(), words)
            if one.attempts == 0 or state == "failed":
                log.warning("oee.delivery_failed", delivery=one.id, error=words, state=state)
            return False
        await asyncio.to_thread(self.outbox.sent, one, self.clock.now_us())
        if one.attempts:
            log.info("oee.delivered_after_all", delivery=one.id, attempts=one.attempts + 1)
        return True

    async def _post(self, one: Delivery) -> None:
        hook = self.targets.webhook(one.target)
        if hook is None:
            raise ConfigError(f"the plant has no webhook {one.target} any more")
        body = str(one.payload["body"]).encode()
        headers = signed(_secret(self.folder / hook.secret_file), one.id, self.wall.now_us() // 1_000_000, body)
        trust = _trusting(self.folder, hook.ca_file)
        async with httpx.AsyncClient(timeout=_ANSWER_S, follow_redirects=False, verify=trust) as client:
            answer = await client.post(
                hook.url, content=body, headers={**headers, "content-type": str(one.payload["type"])}
            )
        if not answer.is_success:
            why = "refused" if answer.status_code in _REFUSED else "answered"
            raise NotTaken(f"{hook.url} {why} {answer.status_code}: {answer.text[:200]}")

    def _mail(self, one: Delivery) -> None:
        config, server = self.targets.mail(one.target), self.server
        if config is None or server is None:
            raise ConfigError(f"the plant has no report {one.target} any more, or no mail server")
        message = mail_of(one, config, server)
        password = _secret(self.folder / server.password_file).decode() if server.password_file else ""
        context = _trusting(self.folder, server.ca_file)
        if server.security == "tls":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(server.server, server.port, timeout=_ANSWER_S, context=context)
        else:
            connection = smtplib.SMTP(server.server, server.port, timeout=_ANSWER_S)
        with connection as smtp:
            if server.security == "starttls":
                smtp.starttls(context=context)
            if server.user:
                smtp.login(server.user, password)
            refused = smtp.send_message(message)
        if refused:
            raise NotTaken(f"the mail server refused {', '.join(refused)}")


def _trusting(folder: Path, ca_file: str) -> ssl.SSLContext:
    """What a server's certificate is checked against. Raises ConfigError when the file cannot be used."""
    try:
        return ssl.create_default_context(cafile=str(folder / ca_file) if ca_file else None)
    except OSError as error:  # a file that is not there, and one that holds no certificate (SSLError)
        raise ConfigError(f"ca_file {ca_file} cannot be used: {error}") from error


def signed(secret: bytes, delivery: str, seconds: int, body: bytes) -> dict[str, str]:
    """Headers by the Standard Webhooks specification: HMAC-SHA256 over id, time and body, with a full stop between."""
    content = b".".join((_message_id(delivery).encode(), str(seconds).encode(), body))
    digest = base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": _message_id(delivery), "webhook-timestamp": str(seconds), "webhook-signature": f"v1,{digest}",
        "user-agent": "Lineshaft",
    }  # fmt: skip


def _message_id(delivery: str) -> str:
    """The same for every attempt; letters that any header may hold."""
    return "msg_" + hashlib.sha256(delivery.encode()).hexdigest()[:32]


def _secret(path: Path) -> bytes:
    """The first line of a file; after `whsec_` it is base64. Raises ConfigError when it is not there or empty."""
    try:
        text = path.read_text(encoding="utf-8").split("\n", 1)[0].strip()
    except OSError as error:
        raise ConfigError(
            f"the secret in {path} cannot be read: {error.strerror}", hint="put the file there"
        ) from error
    if not text:
        raise ConfigError(f"the secret in {path} is empty")
    if not text.startswith("whsec_"):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise ConfigError(f"the secret in {path} is no base64 after whsec_") from error


def mail_of(one: Delivery, config: ShiftReportConfig, server: MailConfig) -> EmailMessage:
    """The mail with the PDF; its Message-ID is the same for every attempt."""
    report: Mapping[str, Any] = one.payload["report"]
    kpis = report["whole"]["kpis"]
    message = EmailMessage()
    message["Subject"] = f"{report['name']}: {one.subject}, OEE {_percent(kpis['oee'])}".replace("\n", " ")
    message["From"], message["To"] = server.sender, ", ".join(config.to)
    message["Date"] = format_datetime(datetime.fromtimestamp(one.created / 1e6, UTC))
    message["Message-ID"] = f"<{_message_id(one.id)}@{server.sender.rpartition('@')[2]}>"
    target = f" of {report['target']:,.0f}" if report["target"] is not None else ""
    losses = [
        f"  {row['name'] or 'no reason given'}: {row['time'] / 60e6:,.0f} min, {row['stops']} stops"
        + (f", {row['money']:,.0f} {report['currency']}" if row["money"] else "")
        for row in report["losses"][:5]
    ]
    lines = [
        f"{report['name']}, {one.subject}", "",
        *(f"{name.capitalize() if name != 'oee' else 'OEE'}: {_percent(kpis[name])}" for name in FACTORS),
        f"Good parts: {report['good']:,.0f}{target}, scrap: {report['scrap']:,.0f}",
        f"Stops without a reason: {report['missing']['stops']}", "", "Top losses:", *losses, "",
        "The whole report is attached. What is corrected later is on the page OEE, Reports.",
    ]  # fmt: skip
    message.set_content("\n".join(lines))
    name = "".join(char if char.isalnum() else "-" for char in f"{report['name']}-{one.subject}").strip("-")
    message.add_attachment(report_pdf(report), maintype="application", subtype="pdf", filename=f"{name}.pdf")
    return message


def _percent(value: float | None) -> str:
    return "unknown" if value is None else f"{100 * value:.1f} %"

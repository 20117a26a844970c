"""Results that leave the plant: mail server, webhooks and shift reports."""

from __future__ import annotations

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import field_validator, model_validator

from lineshaft.config.section import Section, key
from lineshaft.config.status_page import is_loopback
from lineshaft.config.values import Id


class MailConfig(Section):
    """The mail server that takes what the hub sends."""

    server: str = key(..., "Host name of the SMTP server.", min_length=1)
    port: int = key(587, "Its port.", ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = key("starttls", "How the connection is protected.")
    user: str = key("", "User at the server; without one nobody signs in.")
    password_file: str = key("", "File that holds the password, relative to the data folder.")
    ca_file: str = key("", "Authority to trust (PEM), relative to the data folder; the system's when empty.")
    sender: str = key(..., "Address that mails come from.", pattern=r"^[^@\s<>]+@[^@\s<>]+$")

    @model_validator(mode="after")
    def _not_in_the_clear(self) -> Self:
        if self.user and self.security == "none" and not is_loopback(self.server):
            raise ValueError("a password is not sent without protection: security must be starttls or tls")
        if bool(self.user) != bool(self.password_file):
            raise ValueError("user and password_file belong together")
        return self


class WebhookConfig(Section):
    """A system that is told when a shift or an order has ended."""

    id: Id = key(..., "Unique among the webhooks.")
    url: str = key(..., "Where the message is posted.")
    secret_file: str = key(
        ..., "File with the secret that signs each message, relative to the data folder.", min_length=1
    )
    ca_file: str = key("", "Authority to trust (PEM), relative to the data folder; the system's when empty.")
    on: tuple[Literal["shift", "order"], ...] = key(("shift", "order"), "What is told.", min_length=1)
    path: str = key("", "Part of the plant, below the site; the whole of it when empty.")
    format: Literal["json", "b2mml"] = key("json", "Form of the message; b2mml: a ProductionPerformance (ISA-95).")

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("is no http or https address")
        if parts.username or parts.password:
            raise ValueError("user and password do not belong in the address; messages are signed")
        return value


class ShiftReportConfig(Section):
    """A report that is sent by mail when a shift has ended."""

    id: Id = key(..., "Unique among the reports.")
    to: tuple[str, ...] = key(..., "Addresses that get it.", min_length=1)
    path: str = key("", "Part of the plant, below the site; the whole of it when empty.")

    @field_validator("to")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            if one.count("@") != 1 or any(char.isspace() or char in "<>,;" for char in one):
                raise ValueError(f"{one!r} is no mail address")
        return value

"""What a plant file says about a JSON API, about a webhook, and about a value in their documents."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import field_validator, model_validator

from lineshaft.config.models import key
from lineshaft.config.values import Duration, Size
from lineshaft.drivers.mapping import JsonAddress, JsonForm, places, without_bits


class HttpConnection(JsonForm):
    """Which API, how to sign in, and how its documents are built."""

    url: str = key(..., "Address that paths of signals are relative to, like https://meter.example/api.")
    auth: Literal["none", "basic", "bearer"] = key("none", "How to sign in: basic with user, bearer with a token.")
    user: str = key("", "User name, for basic.")
    secret_file: str = key("", "File whose first line is the password or the token.")
    headers: dict[str, str] = key({}, "More headers to send, none of them secret.")
    ca_file: str = key("", "Certificates that the server's is checked against (PEM); the system's when empty.")
    timeout: Duration = key(5.0, "How long to wait for an answer; the device's timeout when absent.", unit="s", gt=0)
    max_answer: Size = key(8 * 2**20, "A longer answer is refused.", ge=2)

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("an address looks like https://host/api, without a query")
        if parts.username or parts.password:
            raise ValueError("user and password belong in user and secret_file, not in the url")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _complete(self) -> HttpConnection:
        if (self.auth == "none") == bool(self.secret_file):
            raise ValueError("auth and secret_file belong together")
        if (self.auth == "basic") != bool(self.user):
            raise ValueError("user belongs to auth: basic")
        if "authorization" in {name.lower() for name in self.headers}:
            raise ValueError("a secret stands in secret_file, not in headers")
        return self


class HttpAddress(JsonAddress):
    """A value in a document: `/pointer`, or `path /pointer` with a path below the url, as text, or these keys."""

    path: str = key("", "Path below the connection's url, with its query, like status.json?unit=1; the url when empty.")

    @model_validator(mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value.startswith("/"):
            return places(value)
        text, bits = without_bits(value)
        path, space, pointer = text.partition(" /")
        return {"path": path.strip(), **places(f"/{pointer}" if space else ""), **bits}

    @field_validator("path")
    @classmethod
    def _relative(cls, value: str) -> str:
        if value.startswith("/") or "://" in value or any(ord(one) <= 32 for one in value):
            raise ValueError("a path is relative to the connection's url, like status.json")
        return value


class WebhookConnection(JsonForm):
    """Where others send their documents to."""

    host: str = key("127.0.0.1", "Address to listen on; 0.0.0.0 for all.")
    port: int = key(..., "TCP port.", ge=1, le=65535)
    path: str = key("/", "Path that is posted to.", pattern="^/[!-~]*$")
    token_file: str = key(..., "File whose first line is the token that senders show: Authorization: Bearer <token>.")
    cert_file: str = key("", "Own certificate (PEM), for https.")
    key_file: str = key("", "Private key of the own certificate (PEM).")
    max_body: Size = key(2**20, "A longer body is refused.", ge=2)
    max_senders: int = key(50, "Most connections at a time.", ge=1, le=10_000)
    timeout: Duration = key(10.0, "A sender that does not finish its request in this time is cut.", unit="s", gt=0)

    @model_validator(mode="after")
    def _complete(self) -> WebhookConnection:
        if bool(self.cert_file) != bool(self.key_file):
            raise ValueError("cert_file and key_file belong together")
        return self


class WebhookAddress(JsonAddress):
    """A value in the documents that are posted; its pointer alone may stand for the whole."""

    @model_validator(mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        return places(value) if isinstance(value, str) else value

"""What a plant file says about an OPC UA server and about a node on it."""

from __future__ import annotations

import re
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import field_validator, model_validator

from lineshaft.config.models import Section, key
from lineshaft.config.values import Duration

_NODE = re.compile(r"^(?:(?:nsu=(?P<uri>[^;]+)|ns=(?P<index>\d+));)?(?P<kind>[isgb])=(?P<id>.+)$", re.DOTALL)

SecurityPolicy = Literal["none", "Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"]


class OpcuaConnection(Section):
    """How to reach an OPC UA server."""

    url: str = key(..., "opc.tcp://host:port/path of the server.")
    security: SecurityPolicy = key(
        ..., "Security policy; none sends everything in the clear. Best first: Aes256_Sha256_RsaPss."
    )
    message_mode: Literal["sign", "sign-and-encrypt"] = key(
        "sign-and-encrypt", "What the security policy does to messages; unused when security is none."
    )
    pki_folder: str = key(
        "", "Folder with own, trusted and rejected certificates; pki/opcua in the gateway's data folder when empty."
    )
    cert_file: str = key("", "Own application certificate (PEM or DER); that of pki_folder when empty.")
    key_file: str = key("", "Private key of the own certificate (PEM); that of pki_folder when empty.")
    server_cert_file: str = key(
        "", "Certificate that the server must have (PEM or DER); when empty it must be in trusted of pki_folder."
    )
    accept_any: bool = key(False, "Take any certificate of the server, which protects from no impostor.")
    user: str = key("", "User name at the server; anonymous when empty.")
    password_file: str = key("", "File whose first line is the user's password.")
    user_cert_file: str = key("", "Certificate of the user (PEM or DER), in place of name and password.")
    user_key_file: str = key("", "Private key of the user's certificate (PEM).")
    mode: Literal["subscribe", "poll"] = key("subscribe", "subscribe: the server sends changes; poll: it is asked.")
    sampling_interval: Duration | None = key(
        None, "How often the server looks for a change; the signal's poll interval when empty.", unit="s", ge=0
    )
    publishing_interval: Duration = key(0.25, "How often the server sends what it collected.", unit="s", gt=0)
    queue_size: int = key(10, "Changes that the server keeps per node between two publishings.", ge=1, le=100_000)
    keep_alive: Duration = key(
        2.0, "A silent server sends a sign of life this often; 2.5 times as long without one is a loss.", unit="s", gt=0
    )
    request_timeout: Duration = key(4.0, "How long to wait for the answer to one request.", unit="s", gt=0)
    keep_session: Duration = key(
        120.0, "How long the server is asked to keep session and queues after the line was cut.", unit="s", gt=0
    )
    history_gap: Duration = key(
        7 * 86400.0,
        "After an outage, values that the server recorded meanwhile are read, from so far back; 0s: never.",
        unit="s",
        ge=0,
    )
    alarms: bool = key(False, "Take the server's alarms and conditions as events.")
    alarm_severity: int = key(1, "Least severity (OPC UA, 1 to 1000) of an alarm that is taken.", ge=1, le=1000)
    batch_size: int = key(1000, "Nodes in one request; the server's own lower limit wins.", ge=1, le=100_000)

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme != "opc.tcp" or not parts.hostname:
            raise ValueError("an OPC UA address looks like opc.tcp://host:4840/path")
        if parts.username or parts.password:
            raise ValueError("user and password belong in user and password_file, not in the url")
        return value

    @model_validator(mode="after")
    def _complete(self) -> OpcuaConnection:
        if bool(self.cert_file) != bool(self.key_file):
            raise ValueError("cert_file and key_file belong together")
        if bool(self.user) != bool(self.password_file):
            raise ValueError("user and password_file belong together")
        if bool(self.user_cert_file) != bool(self.user_key_file):
            raise ValueError("user_cert_file and user_key_file belong together")
        if self.user and self.user_cert_file:
            raise ValueError("sign in with user and password_file, or with user_cert_file and user_key_file")
        return self


class OpcuaAddress(Section):
    """A node; the text `nsu=<namespace uri>;s=<id>`, `ns=<index>;s=<id>` or `i=<id>` may stand for the whole."""

    node: str = key(
        ..., "Node id: nsu=<uri>;s=... is safe when the server renumbers its namespaces, ns=2;s=... is not."
    )
    deadband: float | None = key(None, "The server sends a change only when it is greater than this raw value.", gt=0)
    deadband_percent: float | None = key(
        None, "The same in percent of the node's EURange, which it then must have.", gt=0, le=100
    )

    @model_validator(mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        return {"node": value} if isinstance(value, str) else value

    @field_validator("node")
    @classmethod
    def _node(cls, value: str) -> str:
        match = _NODE.match(value)
        if match is None:
            raise ValueError(
                "a node id looks like nsu=urn:maker;s=Tank.Level, ns=2;s=Tank.Level, ns=2;i=1001 or i=2258"
            )
        if match["kind"] == "i" and not (match["id"].isdecimal() and int(match["id"]) < 2**32):
            raise ValueError("the number after i= is a UInt32")
        return value

    @model_validator(mode="after")
    def _one_deadband(self) -> OpcuaAddress:
        if self.deadband is not None and self.deadband_percent is not None:
            raise ValueError("give deadband or deadband_percent, not both")
        return self

    @property
    def namespace_uri(self) -> str:
        """The URI after nsu=, '' when the address has none."""
        match = _NODE.match(self.node)
        return (match["uri"] or "") if match else ""

    @property
    def local_id(self) -> str:
        """The id without its namespace: 's=Tank.Level'."""
        match = _NODE.match(self.node)
        return f"{match['kind']}={match['id']}" if match else self.node

    @property
    def namespace_index(self) -> int:
        """The index after ns=, 0 when the address has none."""
        match = _NODE.match(self.node)
        return int(match["index"] or 0) if match else 0

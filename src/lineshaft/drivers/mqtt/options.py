"""What a plant file says about a broker and about a value in its messages."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import field_validator, model_validator

from lineshaft.config.models import key
from lineshaft.config.values import Duration, Size
from lineshaft.drivers.mapping import JsonAddress, JsonForm, places, without_bits


def topic_filter(value: str) -> str:
    """The filter itself. Raises ValueError when it is none."""
    levels = value.split("/")
    if any(("+" in level or "#" in level) and len(level) > 1 for level in levels) or "#" in levels[:-1]:
        raise ValueError(f"'{value}' is no topic: + stands alone for a level, # alone for the last ones")
    if not value or "\0" in value or len(value.encode()) > 65535:
        raise ValueError("a topic has no NUL, and 1 to 65535 bytes")
    return value


class MqttConnection(JsonForm):
    """Which broker, how to sign in, and how its messages are built."""

    url: str = key(..., "mqtt://host:1883, or mqtts://host:8883 with TLS.")
    user: str = key("", "User name; none when empty.")
    password_file: str = key("", "File whose first line is the user's password.")
    ca_file: str = key("", "Certificates that the broker's is checked against (PEM); the system's when empty.")
    cert_file: str = key("", "Own certificate (PEM), where the broker wants one.")
    key_file: str = key("", "Private key of the own certificate (PEM).")
    client_id: str = key("", "Client id; needed with session. Made up by the broker when empty.")
    version: Literal["auto", "5", "3.1.1"] = key("auto", "Version of MQTT; auto: 5, else 3.1.1.")
    qos: Literal[0, 1] = key(1, "1: messages are acknowledged when the gateway has taken them; 0: they are not.")
    session: Duration = key(
        0.0, "How long the broker keeps messages while the gateway is away (QoS 1, with client_id).", unit="s", ge=0
    )
    retained: Literal["use", "ignore"] = key(
        "use", "use: a retained message counts, as uncertain when it says no time; ignore: only new messages count."
    )
    max_payload: Size = key(2**20, "A longer message is counted as malformed.", ge=1)
    keepalive: Duration = key(15.0, "A silent broker is asked for a sign of life this often.", unit="s", ge=1, le=3600)
    search: str = key("#", "Topics that a search listens to, such as hall/#; # is all that the user may read.")
    listen: Duration = key(2.0, "How long a search listens for topics that are not retained.", unit="s", gt=0, le=45)
    timeout: Duration = key(5.0, "How long to wait for an answer of the broker.", unit="s", gt=0)

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.path.strip("/"):
            raise ValueError("a broker's address looks like mqtt://host:1883 or mqtts://host:8883")
        if parts.username or parts.password:
            raise ValueError("user and password belong in user and password_file, not in the url")
        if parts.port == 0:
            raise ValueError("a port is 1 to 65535")
        return value

    @field_validator("search")
    @classmethod
    def _search(cls, value: str) -> str:
        return topic_filter(value)

    @model_validator(mode="after")
    def _complete(self) -> MqttConnection:
        if self.password_file and not self.user:
            raise ValueError("password_file needs user")
        if bool(self.cert_file) != bool(self.key_file):
            raise ValueError("cert_file and key_file belong together")
        if self.session and not self.client_id:
            raise ValueError("session needs a client_id, by which the broker knows the gateway again")
        if (self.ca_file or self.cert_file) and not self.tls:
            raise ValueError("certificates need an address that begins with mqtts://")
        return self

    @property
    def tls(self) -> bool:
        """True for mqtts."""
        return self.url.startswith("mqtts")

    @property
    def host_port(self) -> tuple[str, int]:
        """Host and port, the usual one when the url has none."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or (8883 if self.tls else 1883)


class MqttAddress(JsonAddress):
    """A value in the messages of a topic: `topic`, `topic /pointer` or `topic /pointer #bits @/time`, or these keys."""

    topic: str = key(..., "Topic; + stands for one level, # at the end for all that follow.", min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        text, bits = without_bits(value)
        topic, space, pointer = text.partition(" /")
        return {"topic": topic.strip(), **places(f"/{pointer}" if space else ""), **bits}

    @field_validator("topic")
    @classmethod
    def _filter(cls, value: str) -> str:
        return topic_filter(value)

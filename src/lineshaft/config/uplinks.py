"""The keys of each kind of uplink, and how `type` chooses between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self, TypeAlias
from urllib.parse import urlsplit

from pydantic import Discriminator, Tag, field_validator, model_validator

from lineshaft.config.section import Section, key
from lineshaft.config.values import Duration, Id, Size

AWS_MAX_MESSAGE: Final = 131_072
AZURE_MAX_MESSAGE: Final = 262_144
PREFIX_PATTERN: Final = r"^[A-Za-z0-9$_.-]+(/[A-Za-z0-9_.-]+)*$|^$"
"""Levels of a topic without wildcards, spaces or an empty level."""
HOST_PATTERN: Final = r"^[A-Za-z0-9.-]+$"


class TlsConfig(Section):
    """Encryption of a connection. Relative paths are below the data folder."""

    ca_file: str = key("", "Certificate authority to trust (PEM); the system's when empty.")
    cert_file: str = key("", "Own certificate (PEM), where the other side wants one.")
    key_file: str = key("", "Private key of the own certificate (PEM).")

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if bool(self.cert_file) != bool(self.key_file):
            raise ValueError("cert_file and key_file belong together")
        return self


class SparkplugUplink(Section):
    """Sends to a Sparkplug B host over MQTT."""

    type: Literal["sparkplug"] = key("sparkplug", "Kind of uplink.")
    id: Id = key("hub", "Name of this uplink; it has its own place in the buffer.")
    broker: str = key("", "mqtt://host:port or mqtts://host:port; the broker of `lineshaft demo` or `up` when empty.")
    user: str = key("", "User at the broker; the gateway's own when empty.")
    password_file: str = key("", "File that holds the password, relative to the data folder.")
    tls: TlsConfig | None = key(None, "Set it for mqtts with an own authority or certificate.")
    primary_host: str = key("lineshaft", "Sparkplug host that must be online before data is sent; '' for none.")
    acknowledge: bool = key(True, "Wait for the hub's commit; false towards a foreign host that knows no such thing.")
    keepalive: Duration = key(15.0, "MQTT keep-alive.", unit="s", ge=1)
    drain_rate: int = key(50_000, "How many stored samples a second are sent beside live ones.", unit="1/s", gt=0)


class JsonUplink(Section):
    """What all uplinks that speak JSON have in common."""

    timestamps: Literal["iso", "ms"] = key(
        "iso", "iso: `timestamp`, RFC 3339 in UTC with microseconds; ms: `timestamp_ms`, whole milliseconds since 1970."
    )
    include: tuple[Literal["quality", "unit", "state"], ...] = key(
        ("quality", "unit"), "What a sample says beside time and value; state: the word of a state signal's value."
    )
    events: bool = key(True, "Send events of the gateway and records of dropped samples too.")
    drain_rate: int = key(50_000, "How many stored samples a second are sent beside live ones.", unit="1/s", gt=0)


class MqttJsonUplink(JsonUplink):
    """Sends JSON over MQTT into a unified namespace: topics that follow the equipment tree."""

    type: Literal["mqtt-json"] = key(..., "Kind of uplink.")
    id: Id = key("uns", "Name of this uplink; it has its own place in the buffer.")
    broker: str = key(..., "mqtt://host:port or mqtts://host:port.")
    user: str = key("", "User at the broker.")
    password_file: str = key("", "File that holds the password, relative to the data folder.")
    tls: TlsConfig | None = key(None, "Set it for mqtts with an own authority or certificate.")
    version: Literal["5", "3.1.1"] = key(
        "5", "MQTT version. With 5 the broker can say that it refuses a message; with 3.1.1 it may drop it silently."
    )
    keepalive: Duration = key(15.0, "MQTT keep-alive.", unit="s", ge=1, le=65535)
    prefix: str = key("", "First levels of every topic, like umh/v1.", pattern=PREFIX_PATTERN)
    layout: Literal["signal", "asset", "batch"] = key(
        "signal",
        "signal: a topic per signal, one value each; asset: a topic per asset, its values of one instant together; "
        "batch: a topic per device, many samples together.",
    )
    retain: bool = key(True, "The broker keeps the newest value of each signal (layout signal, live values only).")
    max_message: Size = key(256_000, "Bytes of one message at most.", unit="B", ge=1_000)
    max_rate: float | None = key(None, "Messages a second at most; none: as fast as the broker takes them.", gt=0)


class HttpsUplink(JsonUplink):
    """Sends batches of samples as HTTPS requests."""

    type: Literal["https"] = key(..., "Kind of uplink.")
    id: Id = key("https", "Name of this uplink; it has its own place in the buffer.")
    url: str = key(..., "https://host/path that takes POST requests.")
    token_file: str = key(
        "", "File that holds the bearer token, relative to the data folder; read again when it is refused."
    )
    headers: dict[str, str] = key({}, "More headers for every request; no secrets, these belong in files.")
    tls: TlsConfig | None = key(None, "Set it for an own authority or a client certificate.")
    format: Literal["json", "ndjson"] = key("json", "json: one document a request; ndjson: one line a sample.")
    compress: bool = key(True, "Send the body with gzip.")
    timeout: Duration = key(30.0, "How long to wait for an answer.", unit="s", gt=0)
    max_body: Size = key(1_000_000, "Bytes of one body at most, before compression.", unit="B", ge=1_000)

    @field_validator("url")
    @classmethod
    def _https(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme != "https" or not parts.hostname:
            raise ValueError("must be https://host/path")
        if parts.username or parts.password:
            raise ValueError("user and password do not belong in the address; use token_file")
        return value


class AwsIotUplink(JsonUplink):
    """Sends JSON to AWS IoT Core over MQTT with an X.509 certificate."""

    type: Literal["aws-iot"] = key(..., "Kind of uplink.")
    id: Id = key("aws", "Name of this uplink; it has its own place in the buffer.")
    endpoint: str = key(..., "Host name, like a1b2c3-ats.iot.eu-central-1.amazonaws.com.", pattern=HOST_PATTERN)
    port: int = key(8883, "8883, or 443 where a firewall lets nothing else out.", ge=1, le=65535)
    alpn: str = key("", "Protocol name in the TLS handshake; when empty x-amzn-mqtt-ca on port 443, else none.")
    thing: str = key("", "Thing name and MQTT client id; the gateway's id when empty.", max_length=128)
    tls: TlsConfig = key(..., "Certificate and key of the thing; ca_file: Amazon Root CA 1.")
    keepalive: Duration = key(60.0, "MQTT keep-alive.", unit="s", ge=30, le=1200)
    prefix: str = key("lineshaft", "First levels of every topic; may be $aws/rules/<rule>.", pattern=PREFIX_PATTERN)
    layout: Literal["signal", "asset", "batch"] = key(
        "batch", "See mqtt-json. batch costs the fewest messages; at most seven slashes fit into a topic."
    )
    max_message: Size = key(
        AWS_MAX_MESSAGE, "Bytes of one message at most; larger batches are split.", unit="B", ge=1_000, le=131_072
    )
    max_rate: float = key(80.0, "Messages a second at most; the service allows 100 for a connection.", gt=0)

    @model_validator(mode="after")
    def _certificate(self) -> Self:
        if not self.tls.cert_file:
            raise ValueError("tls needs cert_file and key_file: the service knows a thing by its certificate")
        return self


class AzureIotUplink(JsonUplink):
    """Sends JSON to an Azure IoT Hub over MQTT, with a shared access key or an X.509 certificate."""

    type: Literal["azure-iot"] = key(..., "Kind of uplink.")
    id: Id = key("azure", "Name of this uplink; it has its own place in the buffer.")
    hub: str = key(..., "Host name of the hub, like contoso.azure-devices.net.", pattern=HOST_PATTERN)
    port: int = key(8883, "Port of MQTT over TLS.", ge=1, le=65535)
    device: str = key("", "Device id at the hub; the gateway's id when empty.", pattern=r"^[A-Za-z0-9._:=@-]{0,128}$")
    key_file: str = key("", "File that holds the device's shared access key, relative to the data folder.")
    token_lifetime: Duration = key(
        3600.0, "For how long an access token is made; a new one is used after 80 % of it.", unit="s", ge=60
    )
    tls: TlsConfig | None = key(None, "Certificate and key in place of key_file; ca_file: DigiCert Global Root G2.")
    api_version: str = key("2021-04-12", "Version of the hub's protocol.", pattern=r"^\d{4}-\d{2}-\d{2}$")
    keepalive: Duration = key(60.0, "MQTT keep-alive.", unit="s", ge=5, le=1177)
    properties: dict[str, str] = key({}, "Application properties of every message, for routing.")
    twin: bool = key(True, "Report version and state in the device twin, and follow its desired properties.")
    max_message: Size = key(
        AZURE_MAX_MESSAGE, "Bytes of one message at most; larger batches are split.", unit="B", ge=2_000, le=262_144
    )
    max_rate: float = key(50.0, "Messages a second at most; the twin's desired max_rate wins.", gt=0)

    @model_validator(mode="after")
    def _one_identity(self) -> Self:
        certificate = self.tls is not None and bool(self.tls.cert_file)
        if bool(self.key_file) == certificate:
            raise ValueError("give either key_file or a certificate in tls")
        return self


def _kind(value: Any) -> Any:
    """The tag of a mapping or of a model; a Sparkplug uplink needs no `type`."""
    kind = value.get("type", "sparkplug") if isinstance(value, Mapping) else getattr(value, "type", "sparkplug")
    return kind if isinstance(kind, str) else str(kind)


JsonMqttConfig: TypeAlias = MqttJsonUplink | AwsIotUplink | AzureIotUplink
UplinkConfig: TypeAlias = Annotated[
    Annotated[SparkplugUplink, Tag("sparkplug")]
    | Annotated[MqttJsonUplink, Tag("mqtt-json")]
    | Annotated[HttpsUplink, Tag("https")]
    | Annotated[AwsIotUplink, Tag("aws-iot")]
    | Annotated[AzureIotUplink, Tag("azure-iot")],
    Discriminator(_kind),
]

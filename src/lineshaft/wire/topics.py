"""The only place where an MQTT topic name is made or taken apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qs, quote

from lineshaft.errors import DataError

NAMESPACE = "spBv1.0"


class Message(StrEnum):
    """Sparkplug B message types."""

    NBIRTH = "NBIRTH"
    NDEATH = "NDEATH"
    NDATA = "NDATA"
    NCMD = "NCMD"
    DBIRTH = "DBIRTH"
    DDEATH = "DDEATH"
    DDATA = "DDATA"
    DCMD = "DCMD"


NODE_MESSAGES = frozenset({Message.NBIRTH, Message.NDEATH, Message.NDATA, Message.NCMD})


@dataclass(frozen=True, slots=True)
class Topic:
    """A Sparkplug topic taken apart; `device` is '' for node messages."""

    group: str
    message: Message
    node: str
    device: str = ""

    def __str__(self) -> str:
        text = f"{NAMESPACE}/{self.group}/{self.message}/{self.node}"
        return f"{text}/{self.device}" if self.device else text


def state(host_id: str) -> str:
    """Topic on which a host application says whether it is online."""
    return f"{NAMESPACE}/STATE/{host_id}"


def all_sparkplug() -> str:
    """Filter for every Sparkplug message."""
    return f"{NAMESPACE}/#"


def node_topics(group: str, node: str) -> tuple[str, ...]:
    """Filters for everything that one edge node may publish."""
    types = ("NBIRTH", "NDEATH", "NDATA")
    device_types = ("DBIRTH", "DDEATH", "DDATA")
    return (
        *(f"{NAMESPACE}/{group}/{kind}/{node}" for kind in types),
        *(f"{NAMESPACE}/{group}/{kind}/{node}/+" for kind in device_types),
    )


def command_topics(group: str, node: str) -> tuple[str, str]:
    """Filters for the commands to one edge node and to its devices."""
    return f"{NAMESPACE}/{group}/NCMD/{node}", f"{NAMESPACE}/{group}/DCMD/{node}/+"


def parse(topic: str) -> Topic:
    """Take a Sparkplug topic apart.

    Raises DataError when it is not one (STATE topics are not parsed here).
    """
    parts = topic.split("/")
    if len(parts) not in (4, 5) or parts[0] != NAMESPACE or not all(parts):
        raise DataError(f"not a Sparkplug topic: {topic!r}")
    try:
        message = Message(parts[2])
    except ValueError:
        raise DataError(f"unknown Sparkplug message type {parts[2]!r} in {topic!r}") from None
    if (message in NODE_MESSAGES) != (len(parts) == 4):
        raise DataError(f"{message} has {'no' if message in NODE_MESSAGES else 'a'} device id: {topic!r}")
    return Topic(parts[1], message, parts[3], parts[4] if len(parts) == 5 else "")


# -- unified namespace


def unified(prefix: str, *parts: str) -> str:
    """Topic below `prefix` that follows a path of the equipment tree; empty parts are left out."""
    return "/".join(part for part in (prefix, *parts) if part)


_BASIC_INGEST: Final = "$aws/rules/"


def aws_problem(topic: str) -> str:
    """What AWS IoT Core has against a topic, '' for nothing: at most seven slashes and 256 bytes.

    Levels of `$aws/rules/<rule>/` do not count.
    """
    counted = topic
    if topic.startswith(_BASIC_INGEST):
        counted = topic.removeprefix(_BASIC_INGEST).partition("/")[2]
    if counted.count("/") > 7:
        return f"{counted.count('/')} slashes, at most 7 are allowed"
    size = len(counted.encode())
    return f"{size} bytes, at most 256 are allowed" if size > 256 else ""


# -- Azure IoT Hub

TWIN_ANSWERS: Final = "$iothub/twin/res/#"
TWIN_DESIRED: Final = "$iothub/twin/PATCH/properties/desired/#"


def azure_username(hub: str, device: str, api_version: str) -> str:
    """The MQTT user name that an IoT hub asks for."""
    return f"{hub}/{device}/?api-version={api_version}"


def azure_events(device: str, properties: Mapping[str, str]) -> str:
    """Topic of a message to the hub with its properties; names that begin with `$.` are system properties."""
    bag = "&".join(f"{_property_name(name)}={quote(value, safe='')}" for name, value in properties.items())
    return f"devices/{device}/messages/events/{bag}"


def _property_name(name: str) -> str:
    return f"$.{quote(name[2:], safe='')}" if name.startswith("$.") else quote(name, safe="")


def twin_get(request: int) -> str:
    """Topic that asks for the device twin."""
    return f"$iothub/twin/GET/?$rid={request}"


def twin_report(request: int) -> str:
    """Topic that changes the reported properties of the twin."""
    return f"$iothub/twin/PATCH/properties/reported/?$rid={request}"


@dataclass(frozen=True, slots=True)
class TwinTopic:
    """What a message about the twin is: the answer to `request` with a status like HTTP, or (status 0) a change."""

    status: int
    request: int = 0
    version: int = 0


def parse_twin(topic: str) -> TwinTopic:
    """Take a topic of the hub about the twin apart. Raises DataError."""
    path, _, query = topic.partition("?")
    words = {name: values[0] for name, values in parse_qs(query).items()}
    parts = path.strip("/").split("/")
    try:
        if parts[:3] == ["$iothub", "twin", "res"]:
            return TwinTopic(int(parts[3]), int(words["$rid"]), int(words.get("$version", "0")))
        if parts == ["$iothub", "twin", "PATCH", "properties", "desired"]:
            return TwinTopic(0, 0, int(words["$version"]))
    except (ValueError, KeyError, IndexError) as error:
        raise DataError(f"malformed twin topic: {topic!r}") from error
    raise DataError(f"not a twin topic: {topic!r}")

"""The only place where an MQTT topic name is made or taken apart."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

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

"""What was heard at a broker while somebody looks for what there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from lineshaft.drivers.base import Browsed
from lineshaft.drivers.json_browse import GENERIC, leaves
from lineshaft.drivers.mapping import parse
from lineshaft.drivers.mqtt.client import Message
from lineshaft.errors import DataError
from lineshaft.model.equipment import Datatype

_MOST: Final = 10_000
_LARGEST: Final = 1 << 18
MOST_BYTES: Final = 64 << 20
"""What all payloads together may take; beyond it no new topic is kept."""
_SPARKPLUG: Final = "spBv1.0/"
"""Its messages are no JSON, and the hub understands them without a driver."""


@dataclass(slots=True)
class Heard:
    """The last message of each topic that has values for people; of too many topics the first."""

    topics: dict[str, Message] = field(default_factory=dict)
    size: int = 0  # bytes of all payloads

    def take(self, messages: Sequence[Message]) -> None:
        """Keep what a person could want."""
        for message in messages:
            known = self.topics.get(message.topic)
            room = known is not None or (len(self.topics) < _MOST and self.size < MOST_BYTES)
            if not message.payload or message.topic.startswith(_SPARKPLUG) or len(message.payload) > _LARGEST:
                continue
            if room and _is_text(message.payload):
                self.size += len(message.payload) - (0 if known is None else len(known.payload))
                self.topics[message.topic] = message

    def messages(self) -> list[Message]:
        """All of them."""
        return list(self.topics.values())

    def members(self, topic: str, time_unit: str) -> tuple[Browsed, ...]:
        """The values in the message of a topic, with the addresses that read them."""
        message = self.topics.get(topic)
        if message is None:
            return ()
        own = topic.rpartition("/")[2] or topic
        try:
            found = tuple(leaves(parse(message.payload), time_unit))
        except DataError:
            text = message.payload[:80].decode("utf-8", "replace")
            return (Browsed(topic, own, Datatype.STRING, description=text),)
        generic = [one for one in found if one.name.lower() in GENERIC]
        return tuple(
            replace(
                one,
                address=f"{topic} {one.address}".strip(),
                name=own if len(generic) == 1 and one is generic[0] else one.name,
            )
            for one in found
        )


def _is_text(payload: bytes) -> bool:
    try:
        return "\0" not in payload.decode("utf-8")
    except UnicodeDecodeError:
        return False

"""A tuple of points compiled once: which tags are asked for, and in which messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lineshaft.drivers.base import Point
from lineshaft.drivers.ethernet_ip.address import TagAddress
from lineshaft.drivers.ethernet_ip.session import multiple_request, read_request

HEAD: Final = 12  # sequence number, service and path, or status, and the count of a multiple-service packet
UNKNOWN_SIZE: Final = 94  # of a reply whose type is not known yet: as long as a string
MOST_IN_ONE: Final = 200
WORD: Final = 32
"""Elements of a BOOL array in one word."""


@dataclass(slots=True)
class Learned:
    """What the controller's replies taught. Tags are named without their bit."""

    arrays: set[str] = field(default_factory=set)  # BOOL arrays
    sizes: dict[str, int] = field(default_factory=dict)  # bytes of a tag's reply
    missing: dict[str, float] = field(default_factory=dict)  # tags that the controller has not -> when to try again

    def target(self, address: TagAddress) -> tuple[str, int | None]:
        """What to ask for, and the bit to pick: elements of BOOL arrays lie 32 in a word."""
        element = address.element
        if element is not None and element[0] in self.arrays:
            return f"{element[0]}[{element[1] // WORD}]", element[1] % WORD
        return address.whole, address.bit


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a read of one tuple of points needs."""

    points: Sequence[Point]
    addresses: tuple[TagAddress, ...]  # per row, with the connection's prefix
    targets: tuple[tuple[str, int | None], ...]  # per row: the tag to ask for and the bit to pick
    tags: tuple[str, ...]  # asked for, each once
    messages: tuple[tuple[bytes, tuple[str, ...]], ...]  # service and the tags that it asks for


def compile_plan(points: Sequence[Point], learned: Learned, size: int, prefix: str = "") -> Plan:
    """Pack the points' tags into messages of at most `size` bytes; missing tags are not asked for."""
    addresses = tuple(point.address.below(prefix) for point in points)
    targets = tuple(learned.target(address) for address in addresses)
    tags = tuple(dict.fromkeys(tag for tag, _ in targets if tag not in learned.missing))
    return Plan(points, addresses, targets, tags, pack(tags, learned.sizes, size))


def pack(tags: Sequence[str], sizes: Mapping[str, int], size: int) -> tuple[tuple[bytes, tuple[str, ...]], ...]:
    """Messages that read all tags, so that neither a message nor its reply is longer than `size` bytes."""
    groups: list[list[tuple[str, bytes]]] = []
    asked = answered = 0
    for tag in tags:
        service = read_request(tag)
        reply = 6 + sizes.get(tag, UNKNOWN_SIZE)
        full = asked + 2 + len(service) > size or answered + reply > size
        if not groups or full or len(groups[-1]) == MOST_IN_ONE:
            groups.append([])
            asked = answered = HEAD
        groups[-1].append((tag, service))
        asked += 2 + len(service)
        answered += reply
    return tuple(
        (
            group[0][1] if len(group) == 1 else multiple_request([service for _, service in group]),
            tuple(tag for tag, _ in group),
        )
        for group in groups
    )

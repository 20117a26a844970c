"""Which bytes are read together: values merged into items, and items packed into requests that the PDU can carry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from lineshaft.drivers.s7.address import Area
from lineshaft.drivers.spans import grouped

ITEM_REQUEST: Final = 12
ITEM_REPLY: Final = 4
REQUEST_HEAD: Final = 12  # 10 of the header, function and number of items
REPLY_HEAD: Final = 14  # 12 of the header, function and number of items
MOST_ITEMS: Final = 20
"""Controllers refuse a request with more items."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Consecutive bytes of one area; `db` is 0 outside of data blocks."""

    area: Area
    db: int
    start: int
    count: int

    @property
    def end(self) -> int:
        """One past the last byte."""
        return self.start + self.count


@dataclass(frozen=True, slots=True)
class Block:
    """Values that are read together. `items` are the bytes to ask for: several for a value longer than a PDU."""

    spans: tuple[Span, ...]
    items: tuple[Span, ...]
    offset: int  # where its bytes begin in the plan's buffer


def longest_item(pdu: int) -> int:
    """Most bytes of one item in a reply."""
    return pdu - REPLY_HEAD - ITEM_REPLY


def merge(spans: Iterable[Span], max_gap: int, pdu: int) -> tuple[Block, ...]:
    """As few blocks as possible, none with more than `max_gap` unused bytes in one place; no value is torn in two
    unless it is longer than a reply."""
    most = longest_item(pdu)

    def joins(group: Sequence[Span], end: int, span: Span) -> bool:
        first = group[0]
        near = (first.area, first.db) == (span.area, span.db) and span.start - end <= max_gap
        return near and max(end, span.end) - first.start <= most

    blocks: list[Block] = []
    offset = 0
    for group in grouped(spans, joins):
        first, last = group[0], max(span.end for span in group)
        items = tuple(
            Span(first.area, first.db, start, min(most, last - start)) for start in range(first.start, last, most)
        )
        blocks.append(Block(group, items, offset))
        offset += last - first.start
    return tuple(blocks)


def pack(items: Sequence[Span], pdu: int) -> tuple[tuple[Span, ...], ...]:
    """Items to requests, in order, so that neither a request nor its reply is longer than the PDU."""
    requests: list[list[Span]] = []
    asked = answered = 0
    for item in items:
        reply = ITEM_REPLY + item.count + item.count % 2
        full = not requests or len(requests[-1]) == MOST_ITEMS or asked + ITEM_REQUEST > pdu or answered + reply > pdu
        if full:
            requests.append([])
            asked, answered = REQUEST_HEAD, REPLY_HEAD
        requests[-1].append(item)
        asked += ITEM_REQUEST
        answered += reply
    return tuple(map(tuple, requests))

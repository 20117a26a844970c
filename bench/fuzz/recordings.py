"""What real devices sent: payloads of TCP segments out of packet captures, as seeds."""

from __future__ import annotations

import gzip
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_PCAP: Final = b"\xd4\xc3\xb2\xa1"
_ETHERNET, _LOOPBACK, _RAW = 1, 0, 101
_LINK_HEAD: Final = {_ETHERNET: 14, _LOOPBACK: 4, _RAW: 0}
_TCP: Final = 6
MOST: Final = 300
"""Seeds of one kind; more make nothing better."""


def folder() -> Path:
    """Where the recordings are, if they are."""
    given = os.environ.get("LINESHAFT_DATA")
    return Path(given) if given else Path(__file__).parents[3] / "shared" / "data"


def payloads(port: int, *patterns: str) -> list[bytes]:
    """Different payloads that came from a server at `port`, out of the captures that match; none where there are
    no recordings."""
    found: dict[bytes, None] = {}
    for pattern in patterns:
        for path in sorted((folder() / "pcap").glob(pattern)):
            for data in _segments(path, port):
                found[data] = None
                if len(found) >= MOST:
                    return list(found)
    return list(found)


def _segments(path: Path, port: int) -> Iterator[bytes]:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if data[:4] != _PCAP:
        return
    head = _LINK_HEAD.get(struct.unpack_from("<I", data, 20)[0])
    at = 24
    while head is not None and at + 16 <= len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        packet = data[at + 16 + head : at + 16 + length]
        at += 16 + length
        if len(packet) < 40 or packet[0] >> 4 != 4 or packet[9] != _TCP:
            continue
        segment = packet[4 * (packet[0] & 15) : struct.unpack_from(">H", packet, 2)[0]]
        payload = segment[4 * (segment[12] >> 4) :] if len(segment) > 12 else b""
        if payload and struct.unpack_from(">H", segment)[0] == port:
            yield payload

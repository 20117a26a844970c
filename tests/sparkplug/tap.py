"""A TCP line between an MQTT client and its broker that writes down every packet, and can be cut."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["CONNECT", "PUBLISH", "SUBSCRIBE", "DISCONNECT", "OPEN", "CLOSED"]
_KINDS: dict[int, Kind] = {1: "CONNECT", 3: "PUBLISH", 8: "SUBSCRIBE", 14: "DISCONNECT"}


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet of the client (or of the broker: `down`); which fields are set depends on its kind.

    A will is in topic, payload, qos and retain of CONNECT; `filters` are (topic filter, qos) of SUBSCRIBE.
    OPEN and CLOSED mark the beginning and the end of a TCP link.
    """

    kind: Kind
    link: int
    at: float
    down: bool = False
    topic: str = ""
    payload: bytes = b""
    qos: int = 0
    retain: bool = False
    filters: tuple[tuple[str, int], ...] = ()
    level: int = 0
    clean: bool = False
    will: bool = False


def _field(body: bytes, at: int) -> tuple[bytes, int]:
    (length,) = struct.unpack_from(">H", body, at)
    return body[at + 2 : at + 2 + length], at + 2 + length


def _connect(body: bytes, link: int) -> Packet:
    _, at = _field(body, 0)
    level, flags = body[at], body[at + 1]
    _, at = _field(body, at + 4)  # client id
    topic = payload = b""
    if flags & 0x04:
        topic, at = _field(body, at)
        payload, at = _field(body, at)
    return Packet(
        "CONNECT", link, time.time(), topic=topic.decode(), payload=payload, qos=flags >> 3 & 3,
        retain=bool(flags & 0x20), level=level, clean=bool(flags & 0x02), will=bool(flags & 0x04),
    )  # fmt: skip


def _packet(first: int, body: bytes, link: int, down: bool) -> Packet | None:
    kind = _KINDS.get(first >> 4)
    if kind == "CONNECT":
        return _connect(body, link)
    if kind == "PUBLISH":
        topic, at = _field(body, 0)
        qos = first >> 1 & 3
        payload = body[at + (2 if qos else 0) :]
        return Packet(
            kind, link, time.time(), down, topic=topic.decode(), payload=payload, qos=qos, retain=bool(first & 1)
        )
    if kind == "SUBSCRIBE":
        filters, at = [], 2
        while at < len(body):
            name, at = _field(body, at)
            filters.append((name.decode(), body[at]))
            at += 1
        return Packet(kind, link, time.time(), filters=tuple(filters))
    return None if kind is None else Packet(kind, link, time.time(), down)


class _Stream:
    """Cuts a byte stream into MQTT packets."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        self._data += data
        found = []
        while (size := self._whole()) is not None:
            head, length = size
            if len(self._data) < head + length:
                break
            found.append((self._data[0], bytes(self._data[head : head + length])))
            del self._data[: head + length]
        return found

    def _whole(self) -> tuple[int, int] | None:
        length = 0
        for place in range(4):
            if len(self._data) < place + 2:
                return None
            byte = self._data[place + 1]
            length |= (byte & 0x7F) << 7 * place
            if not byte & 0x80:
                return place + 2, length
        raise AssertionError("this is not MQTT")


@dataclass(slots=True)
class Tap:
    """Listens on `port` and passes on to `target`; `packets` in the order in which they came."""

    target: int
    port: int = 0
    packets: list[Packet] = field(default_factory=list)
    _listener: socket.socket | None = None
    _open: dict[int, tuple[socket.socket, socket.socket]] = field(default_factory=dict)
    _links: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def start(self) -> Tap:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        return self

    def stop(self) -> None:
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        self.cut()

    def cut(self) -> None:
        """End every link without a word of MQTT, as a dying machine does."""
        for link in list(self._open):
            self._end(link)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                near.close()
                continue
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._links += 1
            self._open[self._links] = (near, far)
            self._note(Packet("OPEN", self._links, time.time()))
            for source, sink, down in ((near, far, False), (far, near, True)):
                threading.Thread(target=self._pump, args=(self._links, source, sink, down), daemon=True).start()

    def _pump(self, link: int, source: socket.socket, sink: socket.socket, down: bool) -> None:
        stream = _Stream()
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                for first, body in stream.feed(data):
                    packet = _packet(first, body, link, down)
                    if packet is not None:
                        self._note(packet)
                sink.sendall(data)
        self._end(link)

    def _end(self, link: int) -> None:
        ends = self._open.pop(link, None)
        if ends is None:
            return
        self._note(Packet("CLOSED", link, time.time()))
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _note(self, packet: Packet) -> None:
        with self._changed:
            self.packets.append(packet)
            self._changed.notify_all()

    # -- asking

    def up(self, *kinds: Kind) -> list[Packet]:
        """Packets of the client."""
        return [packet for packet in list(self.packets) if not packet.down and packet.kind in kinds]

    def links(self) -> list[list[Packet]]:
        """The packets of each link from OPEN to CLOSED; a link without a CONNECT is left out."""
        seen = list(self.packets)
        made = [[packet for packet in seen if packet.link == link] for link in range(1, self._links + 1)]
        return [packets for packets in made if any(packet.kind == "CONNECT" for packet in packets)]

    def wait(self, condition: Callable[[Tap], object], seconds: float = 20.0) -> None:
        """Wait for packets; AssertionError with the last ones when they do not come."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not condition(self):
                left = deadline - time.monotonic()
                assert left > 0, f"waited {seconds} s; {[(p.kind, p.topic) for p in self.packets[-20:]]}"
                self._changed.wait(left)

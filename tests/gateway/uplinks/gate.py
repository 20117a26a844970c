"""A cloud's front door in process: ends TLS and holds every MQTT packet against the contract before it goes on.

What Mosquitto cannot check is checked here: protocol name (ALPN), server name (SNI), user name, token, topics, rate.
Behind it stands a Mosquitto without rules of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE = 1, 2, 3, 4, 8
BAD_ID: Final = 2
NOT_AUTHORIZED: Final = 5


@dataclass(frozen=True)
class Connect:
    client_id: str
    user: str
    password: str
    keepalive: int
    level: int
    has_will: bool


@dataclass(frozen=True)
class Publish:
    topic: str
    payload: bytes
    qos: int
    retain: bool
    number: int


class Contract(Protocol):
    """What a cloud asks for; a text is the reason of a refusal, '' lets pass."""

    alpn: str

    def connect(self, packet: Connect, certificate: str) -> int:
        """Return code of the CONNACK; 0 lets pass."""
        ...

    def publish(self, packet: Publish) -> str: ...

    def subscribe(self, filters: list[str]) -> str: ...

    def answer(self, packet: Publish) -> list[tuple[str, bytes]] | None:
        """Messages for the client, when the cloud itself is meant; None: it goes to the broker."""
        ...

    def until(self, packet: Connect) -> float | None:
        """Seconds after which the session ends."""
        ...


@dataclass
class Rate:
    """A quota of messages in any second."""

    most: int
    times: deque[float] = field(default_factory=deque)

    def exceeded(self) -> bool:
        now = asyncio.get_running_loop().time()
        self.times.append(now)
        while self.times[0] < now - 1.0:
            self.times.popleft()
        return len(self.times) > self.most


class Gate:
    """Open while `gate(...)` runs. `refusals` has a reason for everything that was not let pass."""

    def __init__(self, contract: Contract, context: ssl.SSLContext, broker_port: int) -> None:
        self.contract = contract
        self.port = 0
        self.refusals: list[str] = []
        self.server_names: list[str | None] = []
        self.connects: list[Connect] = []
        self.largest = 0
        self._context = context
        self._broker_port = broker_port
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        context.sni_callback = lambda _socket, name, _context: self.server_names.append(name)
        if contract.alpn:
            context.set_alpn_protocols([contract.alpn])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            reason = await self._client(reader, writer)
            if reason:
                self.refusals.append(reason)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.transport.abort()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        tls = writer.get_extra_info("ssl_object")
        if self.contract.alpn and tls.selected_alpn_protocol() != self.contract.alpn:
            return f"wrong ALPN: {tls.selected_alpn_protocol()}"
        subject = (writer.get_extra_info("peercert") or {}).get("subject", ())
        common_name = next((value for part in subject for key, value in part if key == "commonName"), "")
        _, kind, _, body = await read_packet(reader)
        if kind != CONNECT:
            return "no CONNECT"
        packet = parse_connect(body)
        self.connects.append(packet)
        code = self.contract.connect(packet, common_name)
        if code:
            writer.write(bytes((CONNACK << 4, 2, 0, code)))
            await writer.drain()
            return f"CONNECT refused with {code}"
        broker_reader, broker_writer = await asyncio.open_connection("127.0.0.1", self._broker_port)
        back = asyncio.ensure_future(_copy(broker_reader, writer))
        try:
            broker_writer.write(strip_credentials(packet))
            async with asyncio.timeout(self.contract.until(packet)):
                return await self._packets(reader, writer, broker_writer)
        except TimeoutError:
            return "the token has expired"
        finally:
            back.cancel()
            broker_writer.transport.abort()

    async def _packets(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, broker: asyncio.StreamWriter
    ) -> str:
        while True:
            raw, kind, flags, body = await read_packet(reader)
            if kind == PUBLISH:
                packet = parse_publish(flags, body)
                self.largest = max(self.largest, len(packet.payload))
                reason = self.contract.publish(packet)
                if reason:
                    return reason
                answers = self.contract.answer(packet)
                if answers is not None:
                    if packet.qos:
                        writer.write(struct.pack("!BBH", PUBACK << 4, 2, packet.number))
                    for topic, payload in answers:
                        writer.write(make_publish(topic, payload))
                    await writer.drain()
                    continue
            elif kind == SUBSCRIBE:
                reason = self.contract.subscribe(parse_subscribe(body))
                if reason:
                    return reason
            broker.write(raw)
            await broker.drain()

    def push(self, topic: str, payload: bytes) -> None:
        """A message of the cloud to everyone who is connected."""
        for writer in self._writers:
            writer.write(make_publish(topic, payload))

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def gate(contract: Contract, context: ssl.SSLContext, broker_port: int, port: int = 0) -> AsyncIterator[Gate]:
    """The door is open."""
    made = Gate(contract, context, broker_port)
    server = await asyncio.start_server(made.serve, "127.0.0.1", port, ssl=context)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await made.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                await server.wait_closed()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def read_packet(reader: asyncio.StreamReader) -> tuple[bytes, int, int, bytes]:
    """(all bytes, type, flags, body) of the next packet."""
    head = await reader.readexactly(1)
    length = shift = 0
    while True:
        byte = await reader.readexactly(1)
        head += byte
        length |= (byte[0] & 0x7F) << shift
        shift += 7
        if byte[0] < 0x80:
            break
    body = await reader.readexactly(length)
    return head + body, head[0] >> 4, head[0] & 0x0F, body


def _text(body: bytes, at: int) -> tuple[str, int]:
    (length,) = struct.unpack_from("!H", body, at)
    return body[at + 2 : at + 2 + length].decode(), at + 2 + length


def parse_connect(body: bytes) -> Connect:
    _, at = _text(body, 0)
    level, flags, keepalive = struct.unpack_from("!BBH", body, at)
    client_id, at = _text(body, at + 4)
    if flags & 0x04:
        _, at = _text(body, at)
        _, at = _text(body, at)
    user, at = _text(body, at) if flags & 0x80 else ("", at)
    password, at = _text(body, at) if flags & 0x40 else ("", at)
    return Connect(client_id, user, password, keepalive, level, bool(flags & 0x04))


def strip_credentials(packet: Connect) -> bytes:
    """The CONNECT for the broker behind, which knows no users."""
    name = packet.client_id.encode()
    body = struct.pack("!H4sBBHH", 4, b"MQTT", packet.level, 2, packet.keepalive, len(name)) + name
    assert len(body) < 128
    return bytes((CONNECT << 4, len(body))) + body


def parse_publish(flags: int, body: bytes) -> Publish:
    topic, at = _text(body, 0)
    qos, number = flags >> 1 & 3, 0
    if qos:
        (number,) = struct.unpack_from("!H", body, at)
        at += 2
    return Publish(topic, body[at:], qos, bool(flags & 1), number)


def make_publish(topic: str, payload: bytes) -> bytes:
    name = topic.encode()
    body = struct.pack("!H", len(name)) + name + payload
    length, head = len(body), bytearray([PUBLISH << 4])
    while True:
        length, byte = divmod(length, 128)
        head.append(byte | (0x80 if length else 0))
        if not length:
            return bytes(head) + body


def parse_subscribe(body: bytes) -> list[str]:
    filters, at = [], 2
    while at < len(body):
        one, at = _text(body, at)
        filters.append(one)
        at += 1
    return filters

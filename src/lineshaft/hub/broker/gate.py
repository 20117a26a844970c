"""What stands between the network and amqtt: who may come in, how large a message may be, when a silent client is gone.

amqtt registers a session before it has checked the password, keeps a silent client for ever and takes messages of any
size; so the CONNECT packet is judged here, before amqtt sees it, and its bytes are passed through this reader.
"""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass
from typing import Final

from amqtt.adapters import ReaderAdapter
from amqtt.errors import NoDataError

from lineshaft.errors import DataError

MAX_CONNECT: Final = 65_536 * 2
ACCEPTED, BAD_VERSION, BAD_CREDENTIALS, NOT_AUTHORISED = 0, 1, 4, 5
_WILL, _WILL_RETAIN, _USER, _PASSWORD = 0x04, 0x20, 0x80, 0x40


@dataclass(frozen=True, slots=True)
class Connect:
    """The fields of a CONNECT packet that decide; `raw` is the whole packet."""

    raw: bytes
    level: int
    client_id: str
    keep_alive: int  # seconds, 0: none
    user: str | None
    password: str | None
    will_topic: str | None


async def read_connect(reader: asyncio.StreamReader) -> Connect:
    """The first packet of a connection.

    Raises DataError when it is no CONNECT, asyncio.IncompleteReadError when the peer hangs up.
    """
    head = await reader.readexactly(1)
    if head[0] != 0x10:
        raise DataError(f"first packet has type byte 0x{head[0]:02x}, not CONNECT")
    length = shift = 0
    while True:
        byte = await reader.readexactly(1)
        head += byte
        length |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            break
        shift += 7
        if shift > 21:
            raise DataError("malformed length of a CONNECT packet")
    if length > MAX_CONNECT:
        raise DataError(f"CONNECT packet of {length} bytes")
    body = await reader.readexactly(length)
    return _parse(head + body, body)


def _parse(raw: bytes, body: bytes) -> Connect:
    try:
        name, at = _field(body, 0)
        level, flags, keep_alive = struct.unpack_from("!BBH", body, at)
        at += 4
        if name != b"MQTT" or level != 4:
            return Connect(raw, 0 if name != b"MQTT" else level, "", keep_alive, None, None, None)
        client_id, at = _field(body, at)
        will = user = password = None
        if flags & _WILL:
            will, at = _field(body, at)
            _, at = _field(body, at)
        if flags & _USER:
            user, at = _field(body, at)
        if flags & _PASSWORD:
            password, at = _field(body, at)
        texts = [None if field is None else field.decode() for field in (user, password, will)]
        return Connect(raw, level, client_id.decode(), keep_alive, *texts)
    except (struct.error, UnicodeDecodeError) as error:
        raise DataError(f"malformed CONNECT packet: {error}") from error


def _field(data: bytes, at: int) -> tuple[bytes, int]:
    (length,) = struct.unpack_from("!H", data, at)
    end = at + 2 + length
    if end > len(data):
        raise DataError("CONNECT packet ends in the middle of a field")
    return data[at + 2 : end], end


def connack(code: int) -> bytes:
    """The answer to a CONNECT that is refused with `code`."""
    return bytes((0x20, 2, 0, code))


class GuardedReader(ReaderAdapter):  # type: ignore[misc]  # amqtt is not typed
    """Gives amqtt the CONNECT packet again, then the stream; ends it when a message is too large or the peer silent."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connect: Connect, max_message: int
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._pending = memoryview(connect.raw)
        self._max_message = max_message
        self._silence = connect.keep_alive * 1.5
        self._heard = asyncio.get_running_loop().time()
        self._watch: asyncio.TimerHandle | None = None
        self.refused = 0  # bytes of a message that was too large

    def start(self) -> None:
        """Begin to watch for silence."""
        if self._silence:
            self._watch_at(self._heard + self._silence)

    def stop(self) -> None:
        """End the watch."""
        if self._watch is not None:
            self._watch.cancel()

    def _watch_at(self, deadline: float) -> None:
        self._watch = asyncio.get_running_loop().call_at(deadline, self._check)

    def _check(self) -> None:
        deadline = self._heard + self._silence
        if asyncio.get_running_loop().time() >= deadline:
            self._writer.transport.abort()
        else:
            self._watch_at(deadline)

    async def read(self, n: int = -1) -> bytes:
        """`n` bytes. Raises NoDataError at the end of the stream and when `n` is more than a message may have."""
        if len(self._pending):
            chunk = bytes(self._pending[:n])
            self._pending = self._pending[n:]
            return chunk
        if n > self._max_message and not self.refused:
            self.refused = n
            self._writer.transport.abort()
        if self.refused:
            raise NoDataError("message too large")
        try:
            data = await self._reader.readexactly(n)
        except (asyncio.IncompleteReadError, OSError) as error:
            raise NoDataError("the peer hung up") from error
        self._heard = asyncio.get_running_loop().time()
        return data

    def feed_eof(self) -> None:
        """Part of amqtt's contract."""
        self._reader.feed_eof()

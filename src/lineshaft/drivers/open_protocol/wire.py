"""Open Protocol messages: a 20-byte ASCII header, data and a NUL, cut out of a TCP stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lineshaft.errors import DataError

HEADER: Final = 20
LONGEST: Final = 9999
_MOST_PARTS: Final = 9


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `data` is what follows the header, the NUL left out."""

    mid: int
    revision: int
    data: bytes = b""
    no_ack: bool = False
    station: str = ""
    spindle: str = ""
    parts: int = 1
    part: int = 1

    @property
    def text(self) -> str:
        """The data as characters; every byte is one, so that places in it are those of the specification."""
        return self.data.decode("latin-1")


def encode(message: Message) -> bytes:
    """Bytes to send. Raises DataError when the message is too long for its length field."""
    length = HEADER + len(message.data)
    if length > LONGEST:
        raise DataError(f"MID {message.mid:04} with {length} bytes does not fit in one message")
    flag = "1" if message.no_ack else " "
    linked = f"{message.parts}{message.part}" if message.parts > 1 else "  "
    head = f"{length:04}{message.mid:04}{message.revision:03}{flag}{message.station:2}{message.spindle:2}  {linked}"
    return head.encode("ascii") + message.data + b"\0"


class Framer:
    """Feed bytes, get messages, however the bytes were cut; messages in several parts are joined."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._linked: list[Message] = []

    def feed(self, data: bytes) -> Iterator[Message]:
        """Messages that are complete with these bytes. Raises DataError when the stream makes no sense any more."""
        self._buffer += data
        while True:
            while self._buffer[:1] == b"\0":
                del self._buffer[0]
            if len(self._buffer) < HEADER:
                self._check_start()
                return
            length = _number(self._buffer[:4], "length")
            if not HEADER <= length <= LONGEST:
                raise DataError(f"a message of length {length}")
            if len(self._buffer) < length:
                return
            message = _message(bytes(self._buffer[:length]))
            del self._buffer[:length]
            joined = self._join(message)
            if joined is not None:
                yield joined

    def _check_start(self) -> None:
        """Refuse another protocol at its first bytes, instead of waiting for more of it."""
        if self._buffer and not bytes(self._buffer[:8]).isdigit():
            raise DataError(f"not a message of Open Protocol: {bytes(self._buffer[:HEADER])!r}")

    def _join(self, message: Message) -> Message | None:
        if message.parts <= 1:
            return message
        if message.part == 1:
            self._linked = []
        expected = len(self._linked) + 1
        first = self._linked[0] if self._linked else message
        if message.part != expected or (message.mid, message.parts) != (first.mid, first.parts):
            self._linked = []
            raise DataError(f"MID {message.mid:04}: part {message.part} of {message.parts} instead of {expected}")
        self._linked.append(message)
        if message.part < message.parts:
            return None
        whole = b"".join(part.data for part in self._linked)
        self._linked = []
        return Message(message.mid, message.revision, whole, message.no_ack, message.station, message.spindle)


def _number(field: bytes | bytearray, name: str) -> int:
    if not bytes(field).isdigit():
        raise DataError(f"the {name} of a message is {bytes(field)!r}")
    return int(field)


def _message(raw: bytes) -> Message:
    revision = raw[8:11].strip(b" \0")
    parts = raw[18:19].strip(b" \0")
    part = raw[19:20].strip(b" \0")
    return Message(
        mid=_number(raw[4:8], "MID"),
        revision=(_number(revision, "revision") if revision else 0) or 1,
        data=raw[HEADER:],
        no_ack=raw[11:12] == b"1",
        station=raw[12:14].decode("latin-1").strip(" \0"),
        spindle=raw[14:16].decode("latin-1").strip(" \0"),
        parts=min(_number(parts, "number of parts") if parts else 1, _MOST_PARTS) or 1,
        part=(_number(part, "part number") if part else 1) or 1,
    )

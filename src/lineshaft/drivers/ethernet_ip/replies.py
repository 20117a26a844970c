"""What a controller's replies say: the frame, the answers of a multiple-service packet, and typed values."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from lineshaft.errors import DataError
from lineshaft.model.samples import Quality

READ_TAG: Final = 0x4C
WRITE_TAG: Final = 0x4D
MODIFY_TAG: Final = 0x4E
MULTIPLE_SERVICE: Final = 0x0A
REPLY: Final = 0x80
SUCCESS: Final = 0x00
PARTIAL: Final = 0x06
UNSUPPORTED: Final = 0x08
TOO_LARGE: Final = 0x11
EMBEDDED: Final = 0x1E
_EXTENDED: Final = 0xFF
_BEYOND_END: Final = 0x2105
_ABSENT: Final = (0x04, 0x05, 0x16, 0x26)
_FRAME: Final = 50  # bytes up to the data of a connected reply
_BOOL, _DWORD, STRUCTURE, _STRING, _SHORT_STRING = 0xC1, 0xD3, 0x02A0, 0xD0, 0xDA
LOGIX_STRING: Final = 0x0FCE
_EXACT: Final = 2**53
NUMBERS: Final = {
    0xC2: "<b", 0xC3: "<h", 0xC4: "<i", 0xC5: "<q", 0xC6: "<B", 0xC7: "<H", 0xC8: "<I", 0xC9: "<Q", 0xCA: "<f",
    0xCB: "<d", 0xD1: "<B", 0xD2: "<H", _DWORD: "<I", 0xD4: "<Q",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to one service: its status, and what came with it."""

    status: int
    extended: int = 0
    data: bytes = b""

    @property
    def quality(self) -> Quality:
        """What the status means for a value."""
        if self.status == SUCCESS:
            return Quality.GOOD
        absent = self.status in _ABSENT or (self.status == _EXTENDED and self.extended == _BEYOND_END)
        return Quality.BAD_ADDRESS if absent else Quality.BAD_DEVICE

    @property
    def is_bool_array(self) -> bool:
        """True when the value is 32 elements of a BOOL array: no other tag of a Logix controller has this type."""
        return self.status == SUCCESS and self.data[:2] == struct.pack("<H", _DWORD)


@dataclass(frozen=True, slots=True)
class Value:
    """A number, or a text, or a quality that says why there is neither."""

    number: float = float("nan")
    text: str | None = None
    quality: Quality = Quality.GOOD


NO_VALUE: Final = Value(quality=Quality.BAD_NO_VALUE)
BROKEN: Final = Value(quality=Quality.BAD_DEVICE)


def answer_of(reply: bytes, service: int) -> Answer:
    """One service's reply: service, 0, status, words of additional status, data. Raises DataError."""
    if len(reply) < 4 or reply[0] != service | REPLY:
        raise DataError("the reply does not fit the request")
    end = 4 + 2 * reply[3]
    if end > len(reply):
        raise DataError("the reply ends early")
    extended = int.from_bytes(reply[4:6], "little") if reply[3] else 0
    return Answer(reply[2], extended, bytes(reply[end:]))


def answer_in_frame(frame: bytes, service: int, sequence: int) -> Answer:
    """The answer in an encapsulated connected reply. Raises DataError."""
    if len(frame) < _FRAME - 4:
        raise DataError("the reply ends early")
    if int.from_bytes(frame[44:46], "little") != sequence & 0xFFFF:
        raise DataError("the reply does not fit the request")
    return answer_of(frame[46:], service)


def answers_in(data: bytes, services: Sequence[int]) -> list[Answer]:
    """The answers in the data of a multiple-service reply: count, offsets, replies. Raises DataError."""
    count = int.from_bytes(data[:2], "little")
    if count != len(services) or len(data) < 2 + 2 * count:
        raise DataError(f"{count} answers in place of {len(services)}")
    starts = [int.from_bytes(data[2 + 2 * n : 4 + 2 * n], "little") for n in range(count)]
    ends = [*starts[1:], len(data)][:count]
    if any(start > end for start, end in zip([2 + 2 * count, *starts], [*starts, len(data)], strict=True)):
        raise DataError("answers overlap")
    return [answer_of(data[s:e], service) for s, e, service in zip(starts, ends, services, strict=True)]


def value_of(data: bytes, bit: int | None, *, as_text: bool) -> Value:
    """The value in the data of a Read Tag reply: type code and contents. Never raises.

    bit: the one to pick out of an integer. as_text: take any structure of length and characters for a string.
    """
    if len(data) < 2:
        return BROKEN
    kind, content = int.from_bytes(data[:2], "little"), data[2:]
    if kind == _BOOL and bit is None:
        return Value(float(content[0] != 0)) if content else BROKEN
    if kind in NUMBERS:
        return _number(NUMBERS[kind], content, bit)
    if bit is not None:
        return Value(quality=Quality.BAD_ADDRESS)
    if kind == STRUCTURE:
        handle = int.from_bytes(content[:2], "little")
        return _text(content[2:], 4) if as_text or handle == LOGIX_STRING else NO_VALUE
    if kind in (_STRING, _SHORT_STRING):
        return _text(content, 2 if kind == _STRING else 1)
    return NO_VALUE


def _number(code: str, content: bytes, bit: int | None) -> Value:
    size = struct.calcsize(code)
    if len(content) < size:
        return BROKEN
    raw: Any = struct.unpack_from(code, content)[0]
    if isinstance(raw, float):
        if bit is not None:
            return Value(quality=Quality.BAD_ADDRESS)
        return Value(raw) if raw - raw == 0 else NO_VALUE  # neither NaN nor infinite
    if bit is not None:
        return Value(float(raw >> bit & 1)) if bit < 8 * size else Value(quality=Quality.BAD_ADDRESS)
    return Value(float(raw), str(raw) if abs(raw) > _EXACT else None)


def _text(content: bytes, width: int) -> Value:
    length = int.from_bytes(content[:width], "little")
    if len(content) < width or length > len(content) - width:
        return BROKEN
    return Value(text=content[width : width + length].decode("latin-1"))

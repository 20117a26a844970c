"""One value to a tag: in the type that the controller says the tag has (Logix 5000 Data Access, 1756-PM020)."""

from __future__ import annotations

import struct
from typing import Final

from lineshaft.drivers import numbers
from lineshaft.drivers.base import Point
from lineshaft.drivers.ethernet_ip.address import TagAddress
from lineshaft.drivers.ethernet_ip.plan import WORD
from lineshaft.drivers.ethernet_ip.replies import LOGIX_STRING, NUMBERS, STRUCTURE, SUCCESS, UNSUPPORTED, Answer
from lineshaft.drivers.ethernet_ip.session import Session, modify_request, read_request, write_request
from lineshaft.errors import AddressInvalid, NotWritable, OutOfRange, Unsupported, WriteRefused
from lineshaft.model.equipment import Datatype
from lineshaft.model.samples import Quality

_BOOL, _STRING, _SHORT_STRING = 0xC1, 0xD0, 0xDA
_TRUE: Final = 0xFF
_PRIVILEGE: Final = 0x0F
_INVALID: Final = (0x09, 0x13, 0x15)  # attribute value, not enough or too much data
_TYPE_MISMATCH: Final = 0x2107


async def write(session: Session, point: Point, value: float | str) -> None:
    """See drivers.base.Writes."""
    address: TagAddress = point.address
    found = await _ask(session, address, read_request(address.whole))
    element = address.element
    if found.quality == Quality.BAD_ADDRESS and element is not None:
        found = await _ask(session, address, read_request(f"{element[0]}[{element[1] // WORD}]"))
        if not found.is_bool_array:
            _check(address.tag, Answer(0x04))
    _check(address.tag, found)
    kind = int.from_bytes(found.data[:2], "little")
    if found.is_bool_array and element is not None:
        await _bit(session, address, f"{element[0]}[{element[1] // WORD}]", element[1] % WORD, 4, value)
    elif address.bit is not None:
        code = NUMBERS.get(kind, "<f")
        size = struct.calcsize(code)
        if code[-1] in "fd" or address.bit >= 8 * size:
            raise AddressInvalid(f"{address.whole} has no bit {address.bit}")
        await _bit(session, address, address.whole, address.bit, size, value)
    else:
        as_text = point.datatype is Datatype.STRING
        content = content_of(address.tag, found.data, value, as_text=as_text)
        _check(address.tag, await _ask(session, address, write_request(address.whole, content)))


def content_of(tag: str, present: bytes, value: float | str, *, as_text: bool = False) -> bytes:
    """Type code, count of one and contents, for a tag whose read reply was `present`. Raises OutOfRange, Unsupported.

    as_text: the plant says that a structure which is not the controller's own STRING holds length and characters.
    """
    kind, content = present[:2], present[2:]
    number = int.from_bytes(kind, "little")
    one = b"\x01\x00"
    if number == _BOOL:
        return kind + one + bytes([_TRUE if numbers.switch(value) else 0])
    if number in NUMBERS:
        return kind + one + _number(NUMBERS[number], value)
    own = int.from_bytes(content[:2], "little") == LOGIX_STRING
    if number == STRUCTURE and len(content) > 6 and (own or as_text):
        return kind + content[:2] + one + _text(value, 4, len(content) - 2)
    if number in (_STRING, _SHORT_STRING):
        return kind + one + _text(value, 2 if number == _STRING else 1, None)
    raise Unsupported(f"{tag} has a type that cannot be written")


def _number(code: str, value: float | str) -> bytes:
    if code[-1] in "fd":
        return struct.pack(code, numbers.real(value, code))
    return struct.pack(code, numbers.integer(value, 8 * struct.calcsize(code), signed=code[-1].islower()))


def _text(value: float | str, width: int, size: int | None) -> bytes:
    """Length and characters; `size` is that of the whole in a structure, whose end is padding (LEN, DATA[82], two)."""
    try:
        raw = numbers.text(value).encode("latin-1")
    except UnicodeEncodeError as error:
        raise OutOfRange(f"{value!r} has characters that the controller cannot hold") from error
    room = 2 ** (8 * width) - 1 if size is None else (size - width) // 4 * 4 - 2
    if len(raw) > room:
        raise OutOfRange(f"the text has {len(raw)} characters; {room} have room")
    content = len(raw).to_bytes(width, "little") + raw
    return content if size is None else content.ljust(size, b"\0")


async def _bit(session: Session, address: TagAddress, tag: str, bit: int, size: int, value: float | str) -> None:
    """Change one bit in the controller, where no other change can come between; else write what was read."""
    wanted = numbers.switch(value)
    answer = await _ask(session, address, modify_request(tag, bit, size, wanted))
    if answer.status == UNSUPPORTED:
        found = await _ask(session, address, read_request(tag))
        _check(address.tag, found)
        word = int.from_bytes(found.data[2 : 2 + size], "little") & ~(1 << bit) | wanted << bit
        whole = found.data[:2] + b"\x01\x00" + word.to_bytes(size, "little")
        answer = await _ask(session, address, write_request(tag, whole))
    _check(address.tag, answer)
    found = await _ask(session, address, read_request(tag))
    if found.status != SUCCESS or int.from_bytes(found.data[2 : 2 + size], "little") >> bit & 1 != wanted:
        raise WriteRefused(f"the bit {address.tag} did not take the value")


async def _ask(session: Session, address: TagAddress, service: bytes) -> Answer:
    return (await session.ask([service]))[0]


def _check(tag: str, answer: Answer) -> None:
    if answer.status == SUCCESS:
        return
    words = f"the controller refuses {tag}: status 0x{answer.status:02X}"
    if answer.extended:
        words += f", 0x{answer.extended:04X}"
    if answer.quality == Quality.BAD_ADDRESS:
        raise AddressInvalid(words)
    if answer.status in (_PRIVILEGE, UNSUPPORTED):
        raise NotWritable(words, hint="is the tag's External Access Read/Write?")
    raise OutOfRange(words) if answer.status in _INVALID or answer.extended == _TYPE_MISMATCH else WriteRefused(words)

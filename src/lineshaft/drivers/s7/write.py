"""One value to a Siemens controller: its bytes, and the pieces in which they are sent."""

from __future__ import annotations

import struct
from typing import Final

from lineshaft.drivers import numbers
from lineshaft.drivers.s7.address import S7Address
from lineshaft.drivers.s7.blocks import Span
from lineshaft.drivers.s7.decode import ENCODING
from lineshaft.drivers.s7.link import Link
from lineshaft.drivers.s7.replies import Item
from lineshaft.errors import AddressInvalid, NotWritable, OutOfRange, Unsupported, WriteRefused
from lineshaft.model.samples import Quality

_INTEGERS: Final = {
    "byte": (8, False), "usint": (8, False), "sint": (8, True), "word": (16, False), "uint": (16, False),
    "int": (16, True), "dword": (32, False), "udint": (32, False), "dint": (32, True), "time": (32, True),
    "lword": (64, False), "ulint": (64, False), "lint": (64, True),
}  # fmt: skip
"""Type -> bits, signed."""
_OVERHEAD: Final = 35  # bytes of a write request beside the contents
_FORBIDDEN: Final = 0x03
_UNFIT: Final = (0x06, 0x07)


def number_content(coding: str, value: float | str) -> bytes:
    """The bytes of a number. Raises OutOfRange."""
    if coding in _INTEGERS:
        bits, signed = _INTEGERS[coding]
        return numbers.integer(value, bits, signed=signed).to_bytes(bits // 8, "big", signed=signed)
    form = ">f" if coding == "real" else ">d"
    return struct.pack(form, numbers.real(value, form))


def text_content(address: S7Address, value: float | str, head: bytes) -> tuple[int, bytes]:
    """(first byte within the value, contents) of a text; `head` is the declared length as the controller has it.

    The declared length is never written, nor what is behind the characters in use. Raises OutOfRange.
    """
    text = numbers.text(value)
    wide = address.coding == "wstring"
    try:
        raw = text.encode("utf-16-be" if wide else ENCODING)
    except UnicodeEncodeError as error:
        raise OutOfRange(f"{text!r} has characters that this type cannot hold") from error
    if address.coding in ("char", "chars"):
        if len(raw) > address.size or b"\0" in raw:
            raise OutOfRange(f"the text has {len(raw)} characters; {address.size} have room, none may be NUL")
        return 0, raw.ljust(address.size, b" ")
    used = len(raw) // 2 if wide else len(raw)
    room = min(int.from_bytes(head, "big"), (address.size - 2 * len(head)) // len(head))
    if used > room:
        raise OutOfRange(f"the text has {used} characters; {room} have room")
    return len(head), used.to_bytes(len(head), "big") + raw


async def write(link: Link, address: S7Address, value: float | str) -> None:
    """See drivers.base.Writes."""
    if address.area == "I":
        raise NotWritable("inputs can only be read", hint="write to a data block, memory or outputs")
    if address.coding in ("date_and_time", "dtl"):
        raise Unsupported(f"{address.coding} cannot be written")
    if address.bit is not None:
        await _send(link, Span(address.area, address.db, address.byte, 1), bytes([numbers.switch(value)]), address.bit)
        return
    first, content = 0, b""
    if address.is_text:
        first, content = text_content(address, value, await _declared(link, address))
    else:
        content = number_content(address.coding, value)
    size = link.pdu - _OVERHEAD
    for at in reversed(range(0, len(content), size)):  # a length in use comes last, behind its characters
        part = content[at : at + size]
        await _send(link, Span(address.area, address.db, address.byte + first + at, len(part)), part)


async def _declared(link: Link, address: S7Address) -> bytes:
    width = {"string": 1, "wstring": 2}.get(address.coding, 0)
    if not width:
        return b""
    (item,) = await link.read([[Span(address.area, address.db, address.byte, width)]])
    _check(item)
    return item.content


async def _send(link: Link, span: Span, content: bytes, bit: int | None = None) -> None:
    _check(await link.write(span, content, bit))


def _check(item: Item) -> None:
    if item.quality == Quality.GOOD:
        return
    words = f"the controller refuses: {item.words}"
    if item.code == _FORBIDDEN:
        raise NotWritable(words, hint="allow PUT/GET access in the CPU, and use DBs without optimised access")
    if item.code in _UNFIT:
        raise OutOfRange(words)
    raise AddressInvalid(words) if item.quality == Quality.BAD_ADDRESS else WriteRefused(words)

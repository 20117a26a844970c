"""What a Modbus device says that it is: its identification (function 43/14), and the models of a SunSpec map."""

from __future__ import annotations

from typing import Final

from lineshaft.drivers.base import Identity
from lineshaft.drivers.modbus.blocks import Span
from lineshaft.drivers.modbus.line import Line, Refused
from lineshaft.errors import ConnectionFailed, PeerTimeout

MARK: Final = b"SunS"
PLACES: Final = (40000, 0, 50000)
"""Registers at which a SunSpec map may begin (SunSpec Device Information Model Specification, 2.1)."""
END: Final = 0xFFFF
_MOST_MODELS: Final = 64
_MAKER, _PRODUCT, _VERSION = 0, 1, 2  # object ids; MODBUS Application Protocol 6.21
_MODEL_NAME = 5
_COMMON: Final = 1
_COMMON_TEXTS: Final = ((2, 16), (18, 16), (42, 8))  # maker, product, version: register in the model, registers


async def identify(line: Line, unit: int) -> Identity:
    """Ask; what the device does not know is empty. Raises PeerTimeout or ConnectionFailed."""
    try:
        said = await line.device_information(unit)
    except PeerTimeout:  # devices that do not know the function keep silent about it
        said = {}
    except ConnectionFailed:  # others hang up
        await line.ensure_open()
        said = {}
    maker, product, version = (_words(said.get(number, b"")) for number in (_MAKER, _PRODUCT, _VERSION))
    product = _words(said.get(_MODEL_NAME, b"")) or product
    for place in PLACES:
        if await _registers(line, unit, place, 2) == MARK:
            blocks = await _models(line, unit, place + 2)
            if f"sunspec-{_COMMON}" in blocks:
                at = blocks[f"sunspec-{_COMMON}"]
                texts = [_words(await _registers(line, unit, at + first, count)) for first, count in _COMMON_TEXTS]
                maker, product, version = texts[0] or maker, texts[1] or product, texts[2] or version
            return Identity(maker, product, version, blocks)
    return Identity(maker, product, version)


async def _models(line: Line, unit: int, first: int) -> dict[str, int]:
    """`sunspec-<model>` -> register of its id, along the chain of models."""
    found: dict[str, int] = {}
    at = first
    for _ in range(_MOST_MODELS):
        head = await _registers(line, unit, at, 2)
        if len(head) != 4:
            break
        model, length = int.from_bytes(head[:2], "big"), int.from_bytes(head[2:], "big")
        if model == END or at + 2 + length > 0xFFFF:
            break
        found.setdefault(f"sunspec-{model}", at)
        at += 2 + length
    return found


async def _registers(line: Line, unit: int, first: int, count: int) -> bytes:
    """Raw holding registers; nothing where the device has none there."""
    try:
        return await line.ask(Span(unit, "holding", first, count))
    except (Refused, PeerTimeout):
        return b""


def _words(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("ascii", "replace").strip()

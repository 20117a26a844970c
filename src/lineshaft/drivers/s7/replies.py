"""What a controller's reply to a read says about each item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lineshaft.errors import DataError
from lineshaft.model.samples import Quality

READ: Final = 0x04
GOOD: Final = 0xFF
_IN_BITS: Final = (0x03, 0x04, 0x05)  # transport sizes whose length is in bits
_ABSENT: Final = (0x05, 0x06, 0x07, 0x0A)
_WORDS: Final = {
    0x01: "hardware fault",
    0x03: "access to the object is not allowed",
    0x05: "address is out of range",
    0x06: "type is not supported",
    0x07: "type does not fit",
    0x0A: "object does not exist",
}


@dataclass(frozen=True, slots=True)
class Item:
    """The answer for one item: code 0xFF and its bytes, or another code and none."""

    code: int
    content: bytes = b""

    @property
    def quality(self) -> Quality:
        """What the code means for values."""
        if self.code == GOOD:
            return Quality.GOOD
        return Quality.BAD_ADDRESS if self.code in _ABSENT else Quality.BAD_DEVICE

    @property
    def words(self) -> str:
        """The code for people."""
        return _WORDS.get(self.code, f"code 0x{self.code:02x}")


def items_of(parameters: bytes, data: bytes, sizes: Sequence[int]) -> list[Item]:
    """Split the data of a read's reply; `sizes` are the bytes that were asked for. Raises DataError."""
    if len(parameters) < 2 or parameters[0] != READ or parameters[1] != len(sizes):
        raise DataError("the reply does not fit the request")
    items: list[Item] = []
    at = 0
    for size in sizes:
        if at + 4 > len(data):
            raise DataError("the reply ends early")
        code, transport = data[at], data[at + 1]
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        at += 4
        if code != GOOD:
            items.append(Item(code))
            continue
        count = (length + 7) // 8 if transport in _IN_BITS else length
        if count != size or at + count > len(data):
            raise DataError(f"{count} bytes in place of {size}")
        items.append(Item(code, data[at : at + count]))
        at += count + count % 2
    return items

"""Tags, structures and their layout in a simulated Logix controller."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

ATOMIC: Final[dict[str, tuple[int, str]]] = {
    "BOOL": (0xC1, "<?"), "SINT": (0xC2, "<b"), "INT": (0xC3, "<h"), "DINT": (0xC4, "<i"), "LINT": (0xC5, "<q"),
    "USINT": (0xC6, "<B"), "UINT": (0xC7, "<H"), "UDINT": (0xC8, "<I"), "ULINT": (0xC9, "<Q"), "REAL": (0xCA, "<f"),
    "LREAL": (0xCB, "<d"),
}  # fmt: skip
BOOL_WORD: Final = 0xD3
WORD: Final = 32
BOOL_WORD_TYPE: Final = struct.pack("<H", BOOL_WORD)
STRUCTURE_TYPE: Final = b"\xa0\x02"
_TOO_SHORT: Final = 0x13


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a structure; `count` is above 0 for an array."""

    name: str
    type: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class Placed:
    """A member where it lies; `bit` is set for a BOOL that lives in a hidden byte."""

    member: Member
    offset: int
    bit: int | None = None


@dataclass(frozen=True, slots=True)
class Structure:
    """A data type. `template` is its number in the controller, `handle` what a read reply calls it."""

    name: str
    members: tuple[Member, ...]
    template: int
    handle: int


STRING: Final = Structure("ASCIISTRING82", (Member("LEN", "DINT"), Member("DATA", "SINT", 82)), 0xFCE, 0x0FCE)


@dataclass(slots=True)
class Tag:
    """One tag. `value` is a number, a text, a list of them, or a mapping of members for a structure."""

    name: str  # with Program:<name>. in front when it is not the controller's
    type: str
    value: Any


@dataclass(slots=True)
class Types:
    """The structures of a controller by name; STRING is built in."""

    structures: dict[str, Structure] = field(default_factory=lambda: {"STRING": STRING})

    def add(self, name: str, members: Sequence[Member]) -> None:
        """Define a structure; its members may be of structures that were defined before."""
        number = 0x100 + len(self.structures)
        self.structures[name] = Structure(name, tuple(members), number, 0x8000 | number)

    def layout(self, of: Structure) -> tuple[tuple[Placed, ...], int]:
        """Where each member lies, and the size of the whole. BOOLs in a row share a hidden byte in front of them."""
        placed: list[Placed] = []
        at, host, bit = 0, -1, 8
        for member in of.members:
            if member.type == "BOOL" and not member.count:
                if bit == 8:
                    host, bit = at, 0
                    placed.append(Placed(Member(f"ZZZZZZZZZZ{of.name}{len(placed)}", "SINT"), host))
                    at += 1
                placed.append(Placed(member, host, bit))
                bit += 1
                continue
            bit = 8
            size, alignment = self.size(member.type)
            at += -at % alignment
            placed.append(Placed(member, at))
            at += size * max(member.count, 1)
        return tuple(placed), at + -at % 4

    def size(self, kind: str) -> tuple[int, int]:
        """Bytes of one value, and what it is aligned to."""
        if kind in ATOMIC:
            size = struct.calcsize(ATOMIC[kind][1])
            return size, size
        return self.layout(self.structures[kind])[1], 4

    def symbol_type(self, tag: Tag) -> tuple[int, tuple[int, int, int]]:
        """The type word and the dimensions that the list of tags tells."""
        count = len(tag.value) if isinstance(tag.value, list) else 0
        if tag.type not in ATOMIC:
            code = 0x8000 | self.structures[tag.type].template
        elif tag.type == "BOOL" and count:
            code, count = BOOL_WORD, -(-count // WORD)
        else:
            code = ATOMIC[tag.type][0]
        return code | (0x2000 if count else 0), (count, 0, 0)

    def reply(self, kind: str, value: Any) -> bytes:
        """Type code and contents of one element, as a Read Tag reply has them."""
        if kind in ATOMIC:
            code, layout = ATOMIC[kind]
            return struct.pack("<H", code) + (
                b"\xff" if kind == "BOOL" and value else struct.pack(layout, _fitting(layout, value))
            )
        return STRUCTURE_TYPE + struct.pack("<H", self.structures[kind].handle) + self.contents(kind, value)

    def contents(self, kind: str, value: Any) -> bytes:
        """The bytes of one element."""
        if kind in ATOMIC:
            layout = ATOMIC[kind][1]
            return struct.pack(layout, _fitting(layout, value))
        if kind == "STRING":
            text = str(value).encode("latin-1", "replace")[:82]
            return struct.pack("<i", len(text)) + text.ljust(84, b"\0")
        placed, size = self.layout(self.structures[kind])
        whole = bytearray(size)
        values: Mapping[str, Any] = value
        for place in placed:
            given = values.get(place.member.name)
            if given is None:
                continue
            if place.bit is not None:
                whole[place.offset] |= bool(given) << place.bit
                continue
            for index, one in enumerate(given if place.member.count else [given]):
                content = self.contents(place.member.type, one)
                start = place.offset + index * len(content)
                whole[start : start + len(content)] = content
        return bytes(whole)

    def template(self, number: int) -> tuple[Structure, bytes, int, int] | None:
        """Structure, definition, size and number of members of a template; None when there is none."""
        of = next((one for one in self.structures.values() if one.template == number), None)
        if of is None:
            return None
        placed, size = self.layout(of)
        infos = b"".join(
            struct.pack("<HHI", place.bit or place.member.count, self._member_type(place.member), place.offset)
            for place in placed
        )
        built_in = of is STRING
        names = [of.name if built_in else f"{of.name};n", *(place.member.name for place in placed)]
        return of, infos + b"".join(name.encode() + b"\0" for name in names), size, len(placed)

    def _member_type(self, member: Member) -> int:
        array = 0x2000 if member.count else 0
        if member.type in ATOMIC:
            return ATOMIC[member.type][0] | array
        return 0x8000 | self.structures[member.type].template | array


def _fitting(layout: str, value: Any) -> Any:
    return float(value) if layout[-1] in "fd" else bool(value) if layout[-1] == "?" else int(value)


def bool_word(values: Sequence[Any], index: int) -> bytes | None:
    """Elements 32 * index and on of a BOOL array as a Read Tag reply has them; None beyond its end."""
    part = values[WORD * index : WORD * index + WORD]
    if not part:
        return None
    return struct.pack("<HI", BOOL_WORD, sum(bool(one) << bit for bit, one in enumerate(part)))


@dataclass(slots=True)
class Place:
    """One element that a path leads to: a tag's value, a member, an element of an array, or 32 of a BOOL array."""

    kind: str
    holder: Any
    key: Any
    word: int | None = None

    @property
    def value(self) -> Any:
        """What is there now."""
        return self.holder.value if isinstance(self.holder, Tag) else self.holder[self.key]

    def _put(self, value: Any) -> None:
        if isinstance(self.holder, Tag):
            self.holder.value = value
        else:
            self.holder[self.key] = value

    def write(self, content: bytes) -> int:
        """Take the contents of a Write Tag request; the status."""
        if self.word is not None:
            return self._spread(int.from_bytes(content[:4], "little"))
        if self.kind == "STRING":
            length = int.from_bytes(content[:4], "little")
            self._put(content[4 : 4 + length].decode("latin-1"))
            return 0
        if self.kind not in ATOMIC or len(content) < struct.calcsize(ATOMIC[self.kind][1]):
            return _TOO_SHORT
        self._put(struct.unpack_from(ATOMIC[self.kind][1], content)[0])
        return 0

    def modify(self, on: int, keep: int) -> int:
        """Take the masks of a Read-Modify-Write Tag request; the status."""
        if self.word is not None:
            part = self.holder[WORD * self.word : WORD * self.word + WORD]
            return self._spread((sum(bool(one) << bit for bit, one in enumerate(part)) | on) & keep)
        layout = ATOMIC.get(self.kind, (0, "<f"))[1]
        if layout[-1] in "fd?":
            return _TOO_SHORT
        size = struct.calcsize(layout)
        raw = (int.from_bytes(struct.pack(layout, self.value), "little") | on) & keep
        self._put(struct.unpack(layout, raw.to_bytes(size, "little"))[0])
        return 0

    def _spread(self, bits: int) -> int:
        first = WORD * (self.word or 0)
        for index in range(first, min(first + WORD, len(self.holder))):
            self.holder[index] = bool(bits >> (index - first) & 1)
        return 0

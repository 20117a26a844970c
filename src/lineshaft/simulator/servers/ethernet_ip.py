"""A Logix controller to talk to: sessions, connections, and tags that can be read and listed over EtherNet/IP."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from lineshaft.simulator.servers.ethernet_ip_tags import (
    ATOMIC,
    BOOL_WORD_TYPE,
    STRUCTURE_TYPE,
    Member,
    Place,
    Tag,
    Types,
    bool_word,
)
from lineshaft.simulator.servers.tcp import TcpServer

_REGISTER, _UNREGISTER, _IDENTITY, _UNCONNECTED, _CONNECTED = 0x65, 0x66, 0x63, 0x6F, 0x70
_WRITE, _MODIFY = 0x4D, 0x4E  # of a tag; 0x4E at the connection manager closes a connection
_GET_ALL, _GET_LIST, _MULTIPLE, _READ, _OPEN, _CLOSE, _SEND, _LIST_TAGS, _LARGE_OPEN = (
    0x01, 0x03, 0x0A, 0x4C, 0x54, 0x4E, 0x52, 0x55, 0x5B,
)  # fmt: skip
_OK, _NO_PATH, _PARTIAL, _NO_SERVICE, _EMBEDDED, _BEYOND = 0x00, 0x04, 0x06, 0x08, 0x1E, 0xFF
_BEYOND_CODE: Final = 0x2105
_IDENTITY_CLASS, _ROUTER_CLASS, _MANAGER_CLASS, _PROGRAM_NAME, _SYMBOLS, _TEMPLATES = 0x01, 0x02, 0x06, 0x64, 0x6B, 0x6C
_READ_FRAGMENT: Final = 0x52  # of a tag; at the connection manager it is an unconnected send
_PROGRAM_TYPE: Final = 0x1068
_BASE_TAG: Final = 1 << 26
_PAGE: Final = 3000  # bytes of one page of the list of tags
_WHO: Final = struct.pack("<HHHBBHI", 1, 14, 166, 33, 11, 0x3060, 0x4C534654)
_NAME: Final = b"Lineshaft simulator"

Segment = str | int | tuple[int, int]
"""A part of a path: a name, an index, or a logical segment (type, value)."""
Reply = tuple[int, bytes]
"""Status and data."""


class EthernetIpServer(TcpServer):
    """One controller; `port` is known after start. Tags stay over a stop and a start."""

    def __init__(self, host: str, port: int, slot: int = 0) -> None:
        super().__init__(host, port)
        self.slot = slot
        self.types = Types()
        self.tags: dict[str, Tag] = {}
        self.requests = 0  # services that were asked for
        self.messages = 0  # connected messages

    def put(self, name: str, kind: str, value: Any) -> None:
        """Make or set a tag; see Tag."""
        self.tags[name] = Tag(name, kind, value)

    def define(self, name: str, members: Sequence[Member]) -> None:
        """Define a structure for later tags."""
        self.types.add(name, members)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """See TcpServer."""
        while True:
            header = await reader.readexactly(24)
            command, length = struct.unpack_from("<HH", header)
            body = await reader.readexactly(length)
            if command == _UNREGISTER:
                return
            answer = self._command(command, body)
            session = 0x4C53 if command == _REGISTER else int.from_bytes(header[4:8], "little")
            status = 0 if answer is not None else 1
            writer.write(
                struct.pack("<HHII", command, len(answer or b""), session, status) + header[12:24] + (answer or b"")
            )
            await writer.drain()

    def _command(self, command: int, body: bytes) -> bytes | None:
        if command == _REGISTER:
            return body[:4]
        if command == _IDENTITY:
            address = struct.pack(">HH4s8x", 2, self.port, bytes(map(int, self.host.split("."))))
            item = b"\x01\x00" + address + _WHO + bytes([len(_NAME)]) + _NAME + b"\x03"
            return struct.pack("<HHH", 1, 0x0C, len(item)) + item
        if command == _UNCONNECTED:
            length = int.from_bytes(body[14:16], "little")
            reply = self._service(body[16 : 16 + length])
            return body[:6] + struct.pack("<HHHHH", 2, 0, 0, 0xB2, len(reply)) + reply
        if command == _CONNECTED:
            self.messages += 1
            reply = body[20:22] + self._service(body[22:])
            return body[:6] + struct.pack("<HHHIHH", 2, 0xA1, 4, 0x4C5346, 0xB1, len(reply)) + reply
        return None

    # -- services

    def _service(self, request: bytes) -> bytes:
        service = request[0]
        path, data = _path(request)
        if service == _SEND and path and path[0] == (0x20, _MANAGER_CLASS):
            length = int.from_bytes(data[2:4], "little")
            return self._service(data[4 : 4 + length])  # the inner reply comes in place of ours
        self.requests += 1
        status, reply = self._answer(service, path, data)
        extended = b"\x01" + struct.pack("<H", _BEYOND_CODE) if status == _BEYOND else b"\x00"
        return bytes([service | 0x80, 0, status]) + extended + reply

    def _answer(self, service: int, path: list[Segment], data: bytes) -> Reply:
        logical = [part for part in path if isinstance(part, tuple)]
        kind, number = logical[0][1] if logical else None, logical[1][1] if len(logical) > 1 else 0
        if service in (_OPEN, _LARGE_OPEN):
            return _OK, struct.pack("<II", 0x4C5346, 0x4C5346) + data[10:18] + struct.pack("<IIH", 0x2000, 0x2000, 0)
        if service == _CLOSE and kind == _MANAGER_CLASS:
            return _OK, data[2:10] + b"\0\0"
        if service == _MULTIPLE and kind == _ROUTER_CLASS:
            return self._multiple(data)
        if service == _GET_ALL and kind == _IDENTITY_CLASS:
            return _OK, _WHO + bytes([len(_NAME)]) + _NAME
        if service == _GET_ALL and kind == _PROGRAM_NAME:
            return _OK, struct.pack("<H", len(_NAME)) + _NAME
        if service == _LIST_TAGS and kind == _SYMBOLS:
            return self._list(str(path[0]) if isinstance(path[0], str) else "", number, data)
        if kind == _TEMPLATES and service in (_GET_LIST, _READ):
            return self._template(service, number, data)
        if service in (_READ, _READ_FRAGMENT) and kind is None:  # no element is longer than one reply
            return self._read(path)
        if service in (_WRITE, _MODIFY) and kind is None:
            return self._write(service, path, data)
        return _NO_SERVICE, b""

    def _multiple(self, data: bytes) -> Reply:
        count = int.from_bytes(data[:2], "little")
        offsets = [*struct.unpack_from(f"<{count}H", data, 2), len(data)]
        replies = [self._service(data[start:end]) for start, end in pairwise(offsets)]
        at = 2 + 2 * count
        starts = [at + sum(map(len, replies[:n])) for n in range(count)]
        status = _EMBEDDED if any(reply[2] for reply in replies) else _OK
        return status, struct.pack(f"<{count + 1}H", count, *starts) + b"".join(replies)

    def _read(self, path: list[Segment]) -> Reply:
        found = self._place(path)
        if isinstance(found, int):
            return found, b""
        if found.word is not None:
            return _OK, bool_word(found.holder, found.word) or b""
        return _OK, self.types.reply(found.kind, found.value)

    def _write(self, service: int, path: list[Segment], data: bytes) -> Reply:
        """Write Tag (type, count of one, contents), or Read-Modify-Write Tag (size, OR mask, AND mask)."""
        found = self._place(path)
        if isinstance(found, int):
            return found, b""
        if service == _MODIFY:
            size = int.from_bytes(data[:2], "little")
            on, keep = (int.from_bytes(data[2 + size * n : 2 + size * (n + 1)], "little") for n in (0, 1))
            return found.modify(on, keep), b""
        present = BOOL_WORD_TYPE if found.word is not None else self.types.reply(found.kind, found.value)
        head = 4 if present[:2] == STRUCTURE_TYPE else 2
        if data[:head] != present[:head]:
            return _BEYOND, b""
        return found.write(data[head + 2 :]), b""

    def _place(self, path: list[Segment]) -> Place | int:
        """Where a path leads to, or the status that says why nowhere."""
        names = [part for part in path if isinstance(part, str)]
        if not names:
            return _NO_PATH
        rest = list(path[1:])
        name = names[0]
        if name.startswith("Program:") and rest and isinstance(rest[0], str):
            name = f"{name}.{rest.pop(0)}"
        tag = self.tags.get(name)
        if tag is None:
            return _NO_PATH
        place = Place(tag.type, tag, "value")
        for part in rest:
            value = place.value
            if isinstance(part, str):
                member = self._member(place.kind, value, part)
                if member is None:
                    return _NO_PATH
                place = Place(member, value, part)
            elif not isinstance(value, list) or isinstance(part, tuple):
                return _NO_PATH
            elif place.kind == "BOOL":
                return _BEYOND if bool_word(value, part) is None else Place("BOOL", value, 0, word=part)
            elif part >= len(value):
                return _BEYOND
            else:
                place = Place(place.kind, value, part)
        if isinstance(place.value, list):
            return Place(place.kind, place.value, 0, word=0 if place.kind == "BOOL" else None)
        return place

    def _member(self, kind: str, value: Any, name: str) -> str | None:
        if kind in ATOMIC or not isinstance(value, dict):
            return None
        return next((one.type for one in self.types.structures[kind].members if one.name == name), None)

    def _list(self, program: str, first: int, data: bytes) -> Reply:
        """A page of the tags of the controller or of a program, with the attributes that were asked for."""
        count = int.from_bytes(data[:2], "little")
        wanted = struct.unpack_from(f"<{count}H", data, 2)
        prefix = f"{program}."
        entries: list[tuple[str, int, tuple[int, int, int]]] = []
        if program:
            mine = [tag for tag in self.tags.values() if tag.name.startswith(prefix)]
        else:
            mine = [tag for tag in self.tags.values() if not tag.name.startswith("Program:")]
            programs = dict.fromkeys(name.partition(".")[0] for name in self.tags if name.startswith("Program:"))
            entries = [(name, _PROGRAM_TYPE, (0, 0, 0)) for name in programs]
        entries += [(tag.name.removeprefix(prefix), *self.types.symbol_type(tag)) for tag in mine]
        page = b""
        for number, (name, kind, dimensions) in enumerate(entries, 1):
            if number < first:
                continue
            if len(page) > _PAGE:
                return _PARTIAL, page
            attributes = {
                1: struct.pack("<H", len(name)) + name.encode(),
                2: struct.pack("<H", kind),
                6: struct.pack("<I", _BASE_TAG),
                8: struct.pack("<III", *dimensions),
                10: b"\x00",
            }
            page += struct.pack("<I", number) + b"".join(attributes.get(one, bytes(4)) for one in wanted)
        return _OK, page

    def _template(self, service: int, number: int, data: bytes) -> Reply:
        found = self.types.template(number)
        if found is None:
            return _NO_PATH, b""
        of, definition, size, members = found
        words = -(-(len(definition) + 21) // 4)
        if service == _GET_LIST:
            return _OK, struct.pack("<HHHIHHIHHHHHH", 4, 4, 0, words, 5, 0, size, 2, 0, members, 1, 0, of.handle)
        start, count = struct.unpack_from("<IH", data)
        return _OK, definition[start : start + count]


def _path(request: bytes) -> tuple[list[Segment], bytes]:
    """The path of a service, and what comes behind it."""
    end = 2 + 2 * request[1]
    parts: list[Segment] = []
    at = 2
    while at < end:
        kind = request[at]
        if kind == 0x91:
            length = request[at + 1]
            parts.append(request[at + 2 : at + 2 + length].decode("latin-1"))
            at += 2 + length + length % 2
            continue
        width = 1 << (kind & 0x03)
        start = at + 1 if width == 1 else at + 2
        value = int.from_bytes(request[start : start + width], "little")
        parts.append(value if kind & 0xFC == 0x28 else (kind & 0xFC, value))
        at = start + width
    return parts, request[end:]

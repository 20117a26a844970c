"""One OPC UA variant from its binary form (OPC 10000-6 5.2.2): a number, a text, or a word why it is neither."""

from __future__ import annotations

import math
import struct
import uuid

EXACT = 2**53
"""Integers up to here fit a double."""
FILETIME_EPOCH = 116_444_736_000_000_000
"""1970 in 100 ns ticks since 1601."""

FIXED = {1: "?", 2: "b", 3: "B", 4: "h", 5: "H", 6: "i", 7: "I", 8: "q", 9: "Q", 10: "f", 11: "d", 13: "q", 19: "I"}
"""Built-in types of fixed size -> struct code."""
INT64, UINT64, DATETIME = 8, 9, 13
_STRING, _GUID, _BYTESTRING, _XML, _NODEID, _EXPANDED, _QUALIFIED, _LOCALIZED = 12, 14, 15, 16, 17, 18, 20, 21
_EXTENSION, _DATAVALUE, _VARIANT, _DIAGNOSTIC = 22, 23, 24, 25
_ARRAY, _DIMENSIONS = 0x80, 0x40
_NAMES = (
    "Null",
    "Boolean",
    "SByte",
    "Byte",
    "Int16",
    "UInt16",
    "Int32",
    "UInt32",
    "Int64",
    "UInt64",
    "Float",
    "Double",
    "String",
    "DateTime",
    "Guid",
    "ByteString",
    "XmlElement",
    "NodeId",
    "ExpandedNodeId",
    "StatusCode",
    "QualifiedName",
    "LocalizedText",
    "ExtensionObject",
    "DataValue",
    "Variant",
    "DiagnosticInfo",
)
_I32, _U16, _U32 = struct.Struct("<i"), struct.Struct("<H"), struct.Struct("<I")

Decoded = tuple[float, str | None, str, int]
"""value, text, word why there is no value ('' when there is one), position after it"""


def number(kind: int, raw: float) -> tuple[float, str | None, str]:
    """A fixed-size value as (value, text, word); an integer beyond 2**53 keeps its digits in the text."""
    if kind == DATETIME:
        return (int(raw) - FILETIME_EPOCH) / 10_000, None, ""
    if kind in (INT64, UINT64) and not -EXACT <= raw <= EXACT:
        return float(raw), str(raw), ""
    value = float(raw)
    return value, None, "" if value == value else "NaN"


def variant(data: bytes, at: int) -> Decoded:
    """Read a variant at `at`. Raises struct.error, IndexError or ValueError when it is malformed."""
    encoding = data[at]
    kind = encoding & 0x3F
    if encoding & _ARRAY:
        return _array(data, at + 1, kind, bool(encoding & _DIMENSIONS))
    return _scalar(data, at + 1, kind)


def _array(data: bytes, at: int, kind: int, dimensions: bool) -> Decoded:
    count = _I32.unpack_from(data, at)[0]
    at += 4
    if kind in FIXED:
        at += max(count, 0) * struct.calcsize("<" + FIXED[kind])
    elif kind == 0 or count > len(data) - at:  # each element has at least one byte
        raise ValueError(f"an array of {count} {_name(kind)} does not fit its message")
    else:
        for _ in range(count):
            at = _scalar(data, at, kind)[3]
    if dimensions:
        at += 4 + 4 * max(_I32.unpack_from(data, at)[0], 0)
    if at > len(data):
        raise ValueError("array is longer than its message")
    return math.nan, None, f"an array of {max(count, 0)} {_name(kind)} is not one value", at


def _scalar(data: bytes, at: int, kind: int) -> Decoded:
    if kind in FIXED:
        code = struct.Struct("<" + FIXED[kind])
        return *number(kind, code.unpack_from(data, at)[0]), at + code.size
    if kind in (_STRING, _XML):
        return _maybe(*text_at(data, at))
    if kind == _LOCALIZED:
        return _maybe(*_localized(data, at))
    if kind == _QUALIFIED:
        return _maybe(*text_at(data, at + 2))
    if kind == _GUID:
        return math.nan, str(uuid.UUID(bytes_le=data[at : at + 16])), "", at + 16
    if kind in (_NODEID, _EXPANDED):
        text, end = nodeid_text(data, at)
        return math.nan, text, "", end
    if kind == 0:
        return math.nan, None, "the value is null", at
    return math.nan, None, f"a {_name(kind)} is not one value", _skip(data, at, kind)


def _skip(data: bytes, at: int, kind: int) -> int:
    """The position after a value that has no column."""
    if kind == _EXTENSION:
        at = nodeid_text(data, at)[1]
        return _bytes_end(data, at + 1) if data[at] else at + 1
    if kind == _VARIANT:
        return variant(data, at)[3]
    if kind == _DATAVALUE:
        mask = data[at]
        end = variant(data, at + 1)[3] if mask & 1 else at + 1
        return end + sum(size for bit, size in ((2, 4), (4, 8), (16, 2), (8, 8), (32, 2)) if mask & bit)
    if kind == _DIAGNOSTIC:
        return skip_diagnostic(data, at)
    return _bytes_end(data, at)  # ByteString, and the encoding of types to come (5.2.2.16)


def _name(kind: int) -> str:
    return _NAMES[kind] if kind < len(_NAMES) else f"type {kind}"


def _maybe(text: str | None, end: int) -> Decoded:
    return math.nan, text, "the text is null" if text is None else "", end


def _bytes_end(data: bytes, at: int) -> int:
    end = at + 4 + max(_I32.unpack_from(data, at)[0], 0)
    if end > len(data):
        raise ValueError("text is longer than its message")
    return int(end)


def text_at(data: bytes, at: int) -> tuple[str | None, int]:
    """A String: its text (None when null) and the position after it."""
    end = _bytes_end(data, at)
    if _I32.unpack_from(data, at)[0] < 0:
        return None, end
    return data[at + 4 : end].decode("utf-8", "replace"), end


def _localized(data: bytes, at: int) -> tuple[str | None, int]:
    mask = data[at]
    at += 1
    text: str | None = None
    if mask & 1:
        at = _bytes_end(data, at)
    if mask & 2:
        text, at = text_at(data, at)
    return text, at


def nodeid_text(data: bytes, at: int) -> tuple[str, int]:
    """A NodeId or ExpandedNodeId as text, and the position after it."""
    encoding = data[at]
    form = encoding & 0x3F
    space, at = 0, at + 1
    if form == 0:
        body, at = f"i={data[at]}", at + 1
    elif form == 1:
        space, body, at = data[at], f"i={_U16.unpack_from(data, at + 1)[0]}", at + 3
    elif form in (2, 3, 4, 5):
        space, at = _U16.unpack_from(data, at)[0], at + 2
        if form == 2:
            body, at = f"i={_U32.unpack_from(data, at)[0]}", at + 4
        elif form == 4:
            body, at = f"g={uuid.UUID(bytes_le=data[at : at + 16])}", at + 16
        else:
            end = _bytes_end(data, at)
            raw = data[at + 4 : end]
            body, at = f"s={raw.decode('utf-8', 'replace')}" if form == 3 else f"b={raw.hex()}", end
    else:
        raise ValueError(f"unknown form of a node id: {form}")
    if encoding & 0x80:
        at = _bytes_end(data, at)
    if encoding & 0x40:
        at += 4
    return f"ns={space};{body}" if space else body, at


def skip_diagnostic(data: bytes, at: int) -> int:
    """The position after a DiagnosticInfo."""
    mask = data[at]
    at += 1 + 4 * (mask & 0x0F).bit_count()
    if mask & 16:
        at = _bytes_end(data, at)
    if mask & 32:
        at += 4
    return skip_diagnostic(data, at) if mask & 64 else at

"""Sparkplug B payloads as objects: for births, deaths, commands and whatever is not a stream of rows."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

from google.protobuf.message import DecodeError, EncodeError

from lineshaft.errors import DataError
from lineshaft.model.equipment import Datatype
from lineshaft.wire.schema import message_class

PropertyScalar = str | int | float | bool
COMPRESSED: Final = "SPBV1.0_COMPRESSED"
MAX_INFLATED: Final = 64 * 1024 * 1024
"""A compressed payload may not grow beyond this many bytes."""


class SparkplugType(IntEnum):
    """Datatype numbers of the specification, section 6.4.16."""

    UNKNOWN = 0
    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATETIME = 13
    TEXT = 14
    UUID = 15
    DATASET = 16
    BYTES = 17
    FILE = 18
    TEMPLATE = 19


WIDTH: Final[Mapping[int, int]] = {1: 8, 2: 16, 3: 32, 4: 64, 5: 8, 6: 16, 7: 32, 8: 64, 13: 64}
"""Bits of each integer type."""
SIGNED: Final = frozenset({SparkplugType.INT8, SparkplugType.INT16, SparkplugType.INT32, SparkplugType.INT64})
TEXTUAL: Final = frozenset({SparkplugType.STRING, SparkplugType.TEXT, SparkplugType.UUID})
SCALAR: Final = frozenset(range(1, 16))
"""Types whose metric is one sample."""

_BY_TYPE: Final[Mapping[int, Datatype]] = {
    **{SparkplugType[datatype.name]: datatype for datatype in Datatype},
    SparkplugType.TEXT: Datatype.STRING,
    SparkplugType.UUID: Datatype.STRING,
}


# Implementations disagree on the wire form of these (negative Int8 and Int16; the member that holds a UInt32), so
# our own births announce the next wider type, which all of them read alike.
_ANNOUNCED: Final = {
    Datatype.INT8: SparkplugType.INT32,
    Datatype.INT16: SparkplugType.INT32,
    Datatype.UINT32: SparkplugType.INT64,
}


def type_of(datatype: Datatype) -> SparkplugType:
    """Type under which a signal's datatype is announced in our births."""
    return _ANNOUNCED.get(datatype, SparkplugType[datatype.name])


def datatype_of(number: int) -> Datatype | None:
    """Signal datatype of a number on the wire; None when metrics of this type are no samples."""
    return _BY_TYPE.get(number)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `timestamp` in UTC milliseconds. `properties` holds the scalar ones, by key."""

    name: str = ""
    datatype: int | None = None
    value: Any = None
    alias: int | None = None
    timestamp: int | None = None
    historical: bool = False
    null: bool = False
    properties: Mapping[str, PropertyScalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Payload:
    """One message. `timestamp` in UTC milliseconds; `seq` 0..255, None in deaths and commands."""

    timestamp: int | None
    seq: int | None
    metrics: tuple[Metric, ...]

    def metric(self, name: str) -> Metric | None:
        """The metric of that name."""
        return next((metric for metric in self.metrics if metric.name == name), None)


def to_signed(raw: int, datatype: int) -> int:
    """Two's complement of the datatype's width; accepts both the narrow and the 32-bit form of a negative Int8/16."""
    width = WIDTH[datatype]
    raw &= (1 << width) - 1
    if datatype in SIGNED and raw >> (width - 1):
        raw -= 1 << width
    return raw


# How a Python value goes into a protobuf member, per datatype: (member, conversion).
_PACK: Final[Mapping[int, tuple[str, Callable[[Any], Any]]]] = {
    **{number: ("int_value", lambda value: int(value) & 0xFFFFFFFF) for number in (1, 2, 3, 5, 6, 7)},
    **{number: ("long_value", lambda value: int(value) & 0xFFFFFFFFFFFFFFFF) for number in (4, 8, 13)},
    9: ("float_value", float),
    10: ("double_value", float),
    11: ("boolean_value", bool),
    **dict.fromkeys((12, 14, 15), ("string_value", str)),
    17: ("bytes_value", bytes),
    18: ("bytes_value", bytes),
}


def encode(payload: Payload) -> bytes:
    """Serialise. Raises DataError for a value that its datatype cannot hold."""
    message = message_class("Payload")()
    if payload.timestamp is not None:
        message.timestamp = payload.timestamp
    if payload.seq is not None:
        message.seq = payload.seq
    try:
        for metric in payload.metrics:
            _fill(message.metrics.add(), metric)
        return bytes(message.SerializeToString())
    except (EncodeError, ValueError, TypeError, OverflowError, KeyError) as error:
        raise DataError(f"cannot encode Sparkplug payload: {error}") from error


def _fill(target: Any, metric: Metric) -> None:
    if metric.name:
        target.name = metric.name
    if metric.alias is not None:
        target.alias = metric.alias
    if metric.timestamp is not None:
        target.timestamp = metric.timestamp
    if metric.datatype is not None:
        target.datatype = int(metric.datatype)
    if metric.historical:
        target.is_historical = True
    if metric.null or metric.value is None:
        target.is_null = True
    else:
        if metric.datatype is None:
            raise ValueError(f"metric {metric.name or metric.alias} needs a datatype to be encoded")
        member, convert = _PACK[metric.datatype]
        setattr(target, member, convert(metric.value))
    for key, value in metric.properties.items():
        target.properties.keys.append(key)
        fill_property(target.properties.values.add(), value)


def fill_property(target: Any, value: PropertyScalar) -> None:
    """Set a protobuf PropertyValue to a scalar, with its type."""
    if isinstance(value, bool):
        target.type, target.boolean_value = SparkplugType.BOOLEAN, value
    elif isinstance(value, int):
        if -(1 << 31) <= value < 1 << 31:
            target.type, target.int_value = SparkplugType.INT32, value & 0xFFFFFFFF
        else:
            target.type, target.long_value = SparkplugType.INT64, value & 0xFFFFFFFFFFFFFFFF
    elif isinstance(value, float):
        target.type, target.double_value = SparkplugType.DOUBLE, value
    else:
        target.type, target.string_value = SparkplugType.STRING, value


def decode(data: bytes) -> Payload:
    """Parse any Sparkplug B payload, compressed ones too. Raises DataError when it is malformed."""
    message = parse(data)
    return Payload(
        message.timestamp if message.HasField("timestamp") else None,
        message.seq if message.HasField("seq") else None,
        tuple(read_metric(metric) for metric in message.metrics),
    )


def parse(data: bytes) -> Any:
    """Parse to the protobuf message, inflating a compressed body. Raises DataError."""
    message = message_class("Payload")()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise DataError(f"not a Sparkplug B payload of {len(data)} bytes: {error}") from error
    if message.uuid == COMPRESSED:
        inner = message_class("Payload")()
        try:
            inner.ParseFromString(inflate(message.body))
        except DecodeError as error:
            raise DataError(f"compressed Sparkplug B payload holds no payload: {error}") from error
        return inner
    return message


def inflate(body: bytes) -> bytes:
    """Unpack a zlib or gzip body. Raises DataError when it is damaged or too large."""
    inflater = zlib.decompressobj(wbits=47)  # 47: zlib or gzip header, told apart by itself
    try:
        out = inflater.decompress(body, MAX_INFLATED)
    except zlib.error as error:
        raise DataError(f"compressed Sparkplug B body is damaged: {error}") from error
    if inflater.unconsumed_tail:
        raise DataError(f"compressed Sparkplug B body grows beyond {MAX_INFLATED} bytes")
    return out


def read_metric(metric: Any, datatype: int | None = None) -> Metric:
    """Turn a protobuf Metric into a Metric; `datatype` from the birth interprets integers when it has none.

    Raises DataError for text that is not UTF-8.
    """
    number = metric.datatype if metric.HasField("datatype") else datatype
    member = metric.WhichOneof("value")
    value = None if member is None or metric.is_null else _value(getattr(metric, member), member, number)
    return Metric(
        _text(metric.name),
        number,
        value,
        metric.alias if metric.HasField("alias") else None,
        metric.timestamp if metric.HasField("timestamp") else None,
        metric.is_historical,
        metric.is_null or member is None,
        _properties(metric.properties) if metric.HasField("properties") else {},
    )


def _text(raw: str | bytes) -> str:
    """Protobuf hands out text that is not UTF-8 as bytes. Raises DataError for it."""
    if isinstance(raw, bytes):
        raise DataError(f"Sparkplug B payload holds text that is not UTF-8: {raw[:40]!r}")
    return raw


def _value(raw: Any, member: str, number: int | None) -> Any:
    if member in ("int_value", "long_value") and number is not None:
        if number in WIDTH:  # either member for every integer type: implementations differ
            return to_signed(raw, number)
        if number == SparkplugType.BOOLEAN:
            return bool(raw)
        if number == SparkplugType.FLOAT:
            return struct.unpack("<f", struct.pack("<I", raw & 0xFFFFFFFF))[0]
    return _text(raw) if member == "string_value" else raw


def _properties(properties: Any) -> dict[str, PropertyScalar]:
    found: dict[str, PropertyScalar] = {}
    for name, value in zip(properties.keys, properties.values, strict=False):
        member = value.WhichOneof("value")
        if value.is_null or member is None or member.startswith("propertyset"):
            continue
        raw = getattr(value, member)
        if member in ("int_value", "long_value") and value.type in WIDTH:
            raw = to_signed(raw, value.type)
        found[_text(name)] = _text(raw) if member == "string_value" else raw
    return found

"""One value to a node, in the node's own datatype (OPC 10000-4 5.11.4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from lineshaft.drivers import numbers
from lineshaft.drivers.opcua.options import OpcuaAddress
from lineshaft.drivers.opcua.session import Session
from lineshaft.drivers.opcua.stack import NodeId, ua
from lineshaft.errors import AddressInvalid, NotWritable, OutOfRange, Unsupported, WriteRefused

_CURRENT_WRITE: Final = 2  # bit of AccessLevel (OPC 10000-3 8.57)
_ABSENT: Final = ("BadNodeIdUnknown", "BadNodeIdInvalid", "BadAttributeIdInvalid", "BadIndexRangeInvalid")
_FORBIDDEN: Final = ("BadNotWritable", "BadUserAccessDenied", "BadWriteNotSupported", "BadSecurityModeInsufficient")
_UNFIT: Final = ("BadOutOfRange", "BadTypeMismatch")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _moment(value: float | str) -> datetime:
    milliseconds = numbers.real(value, "<d")
    try:
        return (_EPOCH + timedelta(milliseconds=milliseconds)).replace(tzinfo=None)
    except OverflowError as error:
        raise OutOfRange(f"{value!r} is no moment between the years 1 and 9999") from error


def _integer(bits: int, *, signed: bool) -> Callable[[float | str], int]:
    return lambda value: numbers.integer(value, bits, signed=signed)


_CONTENTS: Final[dict[int, Callable[[float | str], Any]]] = {
    1: numbers.switch,
    2: _integer(8, signed=True),
    3: _integer(8, signed=False),
    4: _integer(16, signed=True),
    5: _integer(16, signed=False),
    6: _integer(32, signed=True),
    7: _integer(32, signed=False),
    8: _integer(64, signed=True),
    9: _integer(64, signed=False),
    10: lambda value: numbers.real(value, "<f"),
    11: lambda value: numbers.real(value, "<d"),
    12: numbers.text,
    13: _moment,
    21: lambda value: ua.LocalizedText(numbers.text(value)),
}
"""Number of a built-in type (OPC 10000-6 5.1.2) -> what the library takes for it."""


async def write(session: Session, address: OpcuaAddress, value: float | str) -> None:
    """See drivers.base.Writes; call it within `typed_errors`."""
    node = session.node_id(address)
    if node is None:
        raise AddressInvalid(f"the server has no namespace of {address.node}")
    variant = await _variant(session, node, address.node, value)
    # Only the value: many servers refuse a write that brings a status or a time (BadWriteNotSupported).
    codes = await session.client.uaclient.session.write_attributes([node], [ua.DataValue(variant)])
    if not codes[0].is_good():
        _refuse(address.node, codes[0].name)


async def _variant(session: Session, node: NodeId, name: str, value: float | str) -> Any:
    """The value as the node has it now; its declared type where it has no value."""
    attributes = session.client.uaclient.session.read_attributes
    kinds = (ua.AttributeIds.Value, ua.AttributeIds.UserAccessLevel, ua.AttributeIds.DataType)
    now, access, declared = [(await attributes([node], kind))[0] for kind in kinds]
    if declared.StatusCode.name in _ABSENT:
        _refuse(name, declared.StatusCode.name)
    level = access.Value.Value if access.Value is not None and access.StatusCode.is_good() else None
    if isinstance(level, int) and not level & _CURRENT_WRITE:
        raise NotWritable(f"{name} cannot be written", hint="does the server's user have the right to write it?")
    present = now.Value
    if present is not None and present.is_array:
        raise Unsupported(f"{name} is an array; only single values can be written")
    kind = present.VariantType.value if present is not None and present.Value is not None else 0
    if not kind and declared.Value is not None:
        kind = _declared(declared.Value.Value)
    contents = _CONTENTS.get(kind)
    if contents is None:
        raise Unsupported(f"{name} has a type that cannot be written")
    return ua.Variant(contents(value), ua.VariantType(kind))


def _declared(datatype: NodeId) -> int:
    """Built-in types are nodes 1 to 25 of namespace 0; others are only known from a value."""
    known = datatype.NamespaceIndex == 0 and isinstance(datatype.Identifier, int) and datatype.Identifier <= 25
    return int(datatype.Identifier) if known else 0


def _refuse(name: str, status: str) -> None:
    words = f"the server does not take the value for {name}: {status}"
    if status in _ABSENT:
        raise AddressInvalid(words)
    if status in _FORBIDDEN:
        raise NotWritable(words, hint="does the server's user have the right to write it?")
    raise OutOfRange(words) if status in _UNFIT else WriteRefused(words)

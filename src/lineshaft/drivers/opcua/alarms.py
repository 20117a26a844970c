"""Alarms and conditions of an OPC UA server as events (OPC 10000-9)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from lineshaft.drivers.opcua.session import Session
from lineshaft.drivers.opcua.stack import Buffer, NodeId, struct_from_binary, ua
from lineshaft.drivers.opcua.subscription import Item
from lineshaft.errors import DataError
from lineshaft.model.events import Event, Severity

log = structlog.get_logger(__name__)

REF: Final = 0xFFFF_FFFF
"""Client handle of the item that brings events."""
_QUEUE: Final = 10_000
_BASE, _CONDITION, _ACKNOWLEDGEABLE, _ALARM = 2041, 2782, 2881, 2915  # event types of namespace 0
_REFRESH, _REFRESH_START, _REFRESH_END = 3875, 2787, 2788
_FIELDS: Final[tuple[tuple[str, int, tuple[str, ...]], ...]] = (
    ("event_id", _BASE, ("EventId",)),
    ("event_type", _BASE, ("EventType",)),
    ("source", _BASE, ("SourceName",)),
    ("time", _BASE, ("Time",)),
    ("severity", _BASE, ("Severity",)),
    ("message", _BASE, ("Message",)),
    ("condition", _CONDITION, ()),
    ("name", _CONDITION, ("ConditionName",)),
    ("branch", _CONDITION, ("BranchId",)),
    ("retain", _CONDITION, ("Retain",)),
    ("enabled", _CONDITION, ("EnabledState", "Id")),
    ("comment", _CONDITION, ("Comment",)),
    ("acknowledged", _ACKNOWLEDGEABLE, ("AckedState", "Id")),
    ("confirmed", _ACKNOWLEDGEABLE, ("ConfirmedState", "Id")),
    ("active", _ALARM, ("ActiveState", "Id")),
    ("suppressed", _ALARM, ("SuppressedOrShelved",)),
)
"""What is asked of each event: our word, the type that declares the field, the path to it (none: the node id)."""
_BANDS: Final = (
    (800, Severity.CRITICAL),
    (600, Severity.HIGH),
    (400, Severity.MEDIUM),
    (0, Severity.LOW),
)
Key = tuple[str, str]


def severity_of(severity: int) -> Severity:
    """The priority that stands for a severity of 1 to 1000.

    >>> severity_of(1000).name, severity_of(601).name, severity_of(401).name, severity_of(400).name
    ('CRITICAL', 'HIGH', 'MEDIUM', 'LOW')
    """
    return next(band for above, band in _BANDS if severity > above or above == 0)


@dataclass(frozen=True, slots=True)
class _Known:
    """A condition that was told and not yet gone."""

    event_id: bytes
    source: str
    message: str
    severity: int


class Alarms:
    """Remembers over reconnects which conditions were told, so that each change is told once."""

    def __init__(self, least_severity: int, emit: Callable[[Event], None], subject: str) -> None:
        self._least = least_severity
        self._emit = emit
        self._subject = subject
        self._known: dict[Key, _Known] = {}
        self._refreshed: set[Key] | None = None

    def item(self) -> Item:
        """What to monitor: the events of the Server object that are conditions."""
        return Item(REF, ua.NodeId(ua.ObjectIds.Server), 0.0, _QUEUE, _filter(), ua.AttributeIds.EventNotifier)

    async def refresh(self, session: Session, subscription: int) -> str:
        """Ask for every condition that still matters; returns the reason when the server refuses.

        The answer comes as events between two marks; what it does not name is gone.
        """
        self._refreshed = None
        request = ua.CallMethodRequest(
            ObjectId=ua.NodeId(_CONDITION),
            MethodId=ua.NodeId(_REFRESH),
            InputArguments=[ua.Variant(subscription, ua.VariantType.UInt32)],
        )
        result = (await session.client.uaclient.session.call([request]))[0]
        return "" if result.StatusCode.is_good() else str(result.StatusCode.name)

    def take(self, bodies: Sequence[bytes], session: Session, now_us: int) -> None:
        """Tell what EventNotificationLists say. Raises DataError when one is malformed."""
        for body in bodies:
            try:
                lists = struct_from_binary(ua.EventNotificationList, Buffer(body))
            except (ua.UaError, ValueError, IndexError, KeyError, TypeError, EOFError) as error:
                raise DataError(f"malformed OPC UA event: {error}") from error
            for event in lists.Events:
                if len(event.EventFields) == len(_FIELDS):  # ours is the only such item; some servers mix handles up
                    values = (variant.Value for variant in event.EventFields)
                    self._one(dict(zip((name for name, _, _ in _FIELDS), values, strict=True)), session, now_us)

    def _one(self, fields: Mapping[str, Any], session: Session, now_us: int) -> None:
        kind = fields["event_type"]
        mark = kind.Identifier if isinstance(kind, ua.NodeId) and kind.NamespaceIndex == 0 else 0
        if mark == _REFRESH_START:
            self._refreshed = set()
        elif mark == _REFRESH_END:
            self._end_refresh(now_us)
        elif _given(fields["condition"]):
            self._condition(fields, session, now_us)

    def _end_refresh(self, now_us: int) -> None:
        refreshed, self._refreshed = self._refreshed, None
        if refreshed is None:
            return
        for key in [key for key in self._known if key not in refreshed]:
            known = self._known.pop(key)
            details: dict[str, str | int | float | bool | None] = {
                "condition": key[0],
                "branch": key[1],
                "source": known.source,
                "severity": known.severity,
            }
            text = f"{_sentence(known.source, known.message)} (gone while there was no connection)"
            self._emit(Event(now_us, "alarm.gone", self._subject, text, Severity.INFO, details))

    def _condition(self, fields: Mapping[str, Any], session: Session, now_us: int) -> None:
        key = (_address(session, fields["condition"]), _address(session, fields["branch"]))
        event_id, severity = bytes(fields["event_id"] or b""), int(fields["severity"] or 0)
        if self._refreshed is not None and fields["retain"]:
            self._refreshed.add(key)
        known = self._known.get(key)
        if known is not None and known.event_id == event_id:
            return
        if not fields["retain"]:
            if self._known.pop(key, None) is None:
                return
            word, band = "alarm.gone", Severity.INFO
        elif severity < self._least and known is None:
            return
        else:
            word = "alarm.inactive" if fields["active"] is False else "alarm.active"
            band = severity_of(severity)
            self._known[key] = _Known(event_id, _text(fields["source"]), _text(fields["message"]), severity)
        details: dict[str, str | int | float | bool | None] = {
            "condition": key[0],
            "branch": key[1],
            "event_id": event_id.hex(),
            "event_type": _address(session, fields["event_type"]),
            "severity": severity,
            **{name: _text(fields[name]) for name in ("source", "name", "comment")},
            **{name: _flag(fields[name]) for name in ("active", "acknowledged", "confirmed", "enabled", "suppressed")},
        }
        text = _sentence(_text(fields["source"]), _text(fields["message"]) or _text(fields["name"]))
        self._emit(Event(_time(fields["time"], now_us), word, self._subject, text, band, details))


def _filter() -> Any:
    selects = [
        ua.SimpleAttributeOperand(
            TypeDefinitionId=ua.NodeId(declared),
            BrowsePath=[ua.QualifiedName(name, 0) for name in path],
            AttributeId=ua.AttributeIds.Value if path else ua.AttributeIds.NodeId,
        )
        for _, declared, path in _FIELDS
    ]
    elements = [
        _either(1, 2),
        _of_type(_CONDITION),
        _either(3, 4),  # some servers do not let the marks pass by themselves
        _of_type(_REFRESH_START),
        _of_type(_REFRESH_END),
    ]
    return ua.EventFilter(SelectClauses=selects, WhereClause=ua.ContentFilter(Elements=elements))


def _of_type(kind: int) -> Any:
    operand = ua.LiteralOperand(Value=ua.Variant(ua.NodeId(kind), ua.VariantType.NodeId))
    return ua.ContentFilterElement(FilterOperator=ua.FilterOperator.OfType, FilterOperands=[operand])


def _either(first: int, second: int) -> Any:
    operands = [ua.ElementOperand(Index=first), ua.ElementOperand(Index=second)]
    return ua.ContentFilterElement(FilterOperator=ua.FilterOperator.Or, FilterOperands=operands)


def _given(node: NodeId | None) -> bool:
    return isinstance(node, ua.NodeId) and not node.is_null()


def _address(session: Session, node: NodeId | None) -> str:
    return session.address_of(node) if _given(node) else ""


def _text(value: Any) -> str:
    return str(getattr(value, "Text", value) or "")


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _sentence(source: str, message: str) -> str:
    return f"{source}: {message}" if source else message


def _time(value: Any, now_us: int) -> int:
    """UTC microseconds of the library's datetime, which has no zone."""
    if not isinstance(value, datetime):
        return now_us
    return math.floor(value.replace(tzinfo=UTC).timestamp() * 1e6 + 0.5)

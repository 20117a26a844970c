"""Our decoder reads what another encoder wrote, and survives what nobody should write."""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest
from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.drivers.opcua.decode import Columns, decode_publish, decode_read, decode_republish
from lineshaft.drivers.opcua.status import quality_of
from lineshaft.errors import DataError
from lineshaft.model.samples import Quality

T = ua.VariantType
NOW = 1_700_000_000_000_000
_INTEGERS = {T.SByte: (-128, 127), T.Byte: (0, 255), T.Int16: (-(2**15), 2**15 - 1), T.UInt16: (0, 2**16 - 1),
             T.Int32: (-(2**31), 2**31 - 1), T.UInt32: (0, 2**32 - 1), T.Int64: (-(2**63), 2**63 - 1),
             T.UInt64: (0, 2**64 - 1)}  # fmt: skip
_TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20)


def _variants() -> st.SearchStrategy[ua.Variant]:
    integers = [
        st.integers(low, high).map(lambda value, kind=kind: ua.Variant(value, kind))  # type: ignore[misc]
        for kind, (low, high) in _INTEGERS.items()
    ]
    doubles = st.floats(allow_nan=True, allow_infinity=False)
    return st.one_of(
        *integers,
        st.booleans().map(lambda value: ua.Variant(value, T.Boolean)),
        doubles.map(lambda value: ua.Variant(value, T.Double)),
        st.floats(width=32, allow_nan=False, allow_infinity=False).map(lambda value: ua.Variant(value, T.Float)),
        _TEXT.map(lambda value: ua.Variant(value, T.String)),
        _TEXT.map(lambda value: ua.Variant(ua.LocalizedText(value), T.LocalizedText)),
        st.lists(doubles, max_size=5).map(lambda value: ua.Variant(value, T.Double)),
        st.lists(_TEXT, max_size=5).map(lambda value: ua.Variant(value, T.String)),
        st.binary(max_size=9).map(lambda value: ua.Variant(value, T.ByteString)),
        st.just(ua.Variant(None, T.Null)),
        st.just(ua.Variant(UUID(int=7), T.Guid)),
        st.just(ua.Variant(ua.NodeId("a;b", 3), T.NodeId)),
        st.just(ua.Variant(ua.QualifiedName("q", 2), T.QualifiedName)),
        st.just(ua.Variant(ua.Argument(Name="x"), T.ExtensionObject)),
    )


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIMES = st.one_of(st.none(), st.integers(10**12, 10**16 // 2).map(lambda us: _EPOCH + timedelta(microseconds=us)))
Row = tuple[ua.Variant, datetime | None, datetime | None, int]
_CODES = st.sampled_from([0, 0x40930000, 0x808C0000, 0x80340000, 0x00000480])
_DATA = st.lists(st.tuples(_variants(), _TIMES, _TIMES, _CODES), max_size=8)


def _values(rows: list[Row]) -> list[ua.DataValue]:
    return [
        ua.DataValue(Value=variant, StatusCode=ua.StatusCode(code), SourceTimestamp=source, ServerTimestamp=server)
        for variant, source, server, code in rows
    ]


def _notification(values: list[ua.DataValue]) -> ua.NotificationMessage:
    items = [ua.MonitoredItemNotification(ClientHandle=row, Value=value) for row, value in enumerate(values)]
    data = ua.DataChangeNotification(MonitoredItems=items)
    return ua.NotificationMessage(SequenceNumber=41, NotificationData=[data])


def publish_response(values: list[ua.DataValue]) -> bytes:
    response = ua.PublishResponse()
    response.Parameters.SubscriptionId = 77
    response.Parameters.AvailableSequenceNumbers = [40, 41]
    response.Parameters.NotificationMessage = _notification(values)
    return bytes(struct_to_binary(response))


def _check(columns: Columns, rows: list[Row]) -> None:
    batch = columns.batch(np.arange(100, 100 + len(rows), dtype=np.uint32), NOW)
    assert batch.signals.tolist() == list(range(100, 100 + len(rows)))
    for index, (variant, source, server, code) in enumerate(rows):
        time, value, text = source or server, variant.Value, None if batch.texts is None else batch.texts[index]
        assert batch.times[index] == (NOW if time is None else (time - _EPOCH) // timedelta(microseconds=1))
        got = float(batch.values[index])
        if code >> 31:
            assert (math.isnan(got), text, batch.qualities[index]) == (True, None, quality_of(code))
            continue
        scalar = not isinstance(value, list)
        if scalar and isinstance(value, int) and abs(value) > 2**53:
            assert (got, text) == (float(value), str(value))
        elif scalar and isinstance(value, int | float) and not math.isnan(value):
            assert (got, text, batch.qualities[index]) == (float(value), None, quality_of(code))
        elif variant.VariantType in (T.String, T.LocalizedText) and scalar:
            assert text == (value if isinstance(value, str) else value.Text)
        elif variant.VariantType in (T.Guid, T.NodeId, T.QualifiedName):
            assert text in (str(UUID(int=7)), "ns=3;s=a;b", "q")
        else:
            assert (batch.qualities[index], text) == (Quality.BAD_NO_VALUE, None)


@given(_DATA)
def test_a_publish_response_is_read_as_it_was_written(
    rows: list[Row],
) -> None:
    """Every built-in type, with and without times, keeps value, status and microsecond."""
    message = decode_publish(publish_response(_values(rows)))
    assert (message.subscription, message.sequence, message.alive_only, message.ended) == (77, 41, False, None)
    _check(message.columns, rows)


@given(_DATA)
def test_a_read_response_is_read_as_it_was_written(
    rows: list[Row],
) -> None:
    """The same values as the answer to a read request."""
    columns = Columns()
    assert decode_read(bytes(struct_to_binary(ua.ReadResponse(Results=_values(rows)))), columns, 0) == len(rows)
    _check(columns, rows)


def test_a_republish_response_is_read() -> None:
    """A message that is sent again has the same content."""
    value = ua.DataValue(ua.Variant(2.5, T.Double))
    response = ua.RepublishResponse(NotificationMessage=_notification([value]))
    message = decode_republish(bytes(struct_to_binary(response)), 5)
    assert (message.subscription, message.sequence, message.columns.values) == (5, 41, [2.5])


def test_a_sign_of_life_and_an_ended_subscription_are_told_apart() -> None:
    """No notification is a sign of life; a status change names its code."""
    alive = ua.PublishResponse()
    assert decode_publish(bytes(struct_to_binary(alive))).alive_only
    ended = ua.PublishResponse()
    status = ua.StatusChangeNotification(Status=ua.StatusCode(0x800A0000))
    ended.Parameters.NotificationMessage = ua.NotificationMessage(SequenceNumber=2, NotificationData=[status])
    assert decode_publish(bytes(struct_to_binary(ended))).ended == 0x800A0000


def test_overflow_bits_are_counted() -> None:
    """The server says so when its queue of a node was too short; the value itself is good."""
    columns = decode_publish(
        publish_response(_values([(ua.Variant(1.0), None, None, 0x480), (ua.Variant(1.0), None, None, 0)]))
    ).columns
    assert columns.overflows == 1
    assert columns.batch(np.zeros(2, np.uint32), NOW).qualities.tolist() == [Quality.GOOD] * 2


_SAMPLE = publish_response(
    _values(
        [
            (ua.Variant(1.0, T.Double), datetime(2020, 1, 1, tzinfo=UTC), None, 0),
            (ua.Variant(["a", "b"], T.String), None, None, 0),
            (ua.Variant(ua.LocalizedText("x", "en"), T.LocalizedText), None, None, 0),
        ]
    )
)


@given(st.integers(0, len(_SAMPLE) - 1))
def test_a_cut_message_is_refused(length: int) -> None:
    """Every beginning of a message is a DataError, never another exception."""
    try:
        decode_publish(_SAMPLE[:length])
    except DataError:
        return
    assert length >= len(_SAMPLE) - 8  # only the results and diagnostics behind the values may be missing


@given(st.data())
def test_a_damaged_message_does_no_harm(data: st.DataObject) -> None:
    """Flipped bytes give values or a DataError, and take no time."""
    message = bytearray(_SAMPLE)
    for position in data.draw(st.lists(st.integers(0, len(message) - 1), max_size=6)):
        message[position] = data.draw(st.integers(0, 255))
    for decode in (decode_publish, lambda raw: decode_republish(raw, 1), lambda raw: decode_read(raw, Columns(), 0)):
        with suppress(DataError):
            decode(bytes(message))


@given(st.binary(max_size=80))
def test_rubbish_is_refused_or_empty(raw: bytes) -> None:
    """Any bytes at all."""
    with suppress(DataError):
        decode_publish(raw)


@pytest.mark.parametrize(
    ("code", "quality"),
    [
        (0x00000000, Quality.GOOD), (0x00A20000, Quality.GOOD), (0x40000000, Quality.UNCERTAIN),
        (0x40940000, Quality.UNCERTAIN_RANGE), (0x40910000, Quality.UNCERTAIN_ESTIMATED), (0x80000000, Quality.BAD),
        (0x80340000, Quality.BAD_ADDRESS), (0x80330000, Quality.BAD_ADDRESS), (0x80310000, Quality.BAD_COMMUNICATION),
        (0x80320000, Quality.BAD_NO_VALUE), (0x808C0400, Quality.BAD_DEVICE),
    ],
)  # fmt: skip
def test_status_codes_become_qualities(code: int, quality: Quality) -> None:
    """Severity decides, and well-known codes say more."""
    assert quality_of(code) == quality

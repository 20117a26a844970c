"""Data values of OPC UA binary messages straight into columns (OPC 10000-6 5.2), without an object per value.

The library's own decoder builds about six Python objects for each changed value. A gateway needs only
four columns of it, so the messages that carry values are read here and all others are left to the library.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from lineshaft.drivers.opcua.status import OVERFLOW, quality_of
from lineshaft.drivers.opcua.variant import (
    DATETIME,
    FILETIME_EPOCH,
    FIXED,
    INT64,
    UINT64,
    nodeid_text,
    number,
    skip_diagnostic,
    text_at,
    variant,
)
from lineshaft.errors import DataError
from lineshaft.model.samples import Int64Array, Quality, SampleBatch, UInt32Array

_VALUE, _STATUS, _SOURCE, _SOURCE_PICO, _SERVER, _SERVER_PICO = 0x01, 0x02, 0x04, 0x10, 0x08, 0x20
_DATA_CHANGE, _STATUS_CHANGE, _EVENTS, _HISTORY = "i=811", "i=820", "i=916", "i=658"  # ids of binary encodings
_U32, _I32, _I64 = struct.Struct("<I"), struct.Struct("<i"), struct.Struct("<q")


@dataclass(slots=True)
class Columns:
    """Rows in the order of the message; `refs` holds client handles, or indexes of the read request."""

    refs: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    ticks: list[int] = field(default_factory=list)  # 100 ns since 1601; 0 where the server sent no time
    texts: dict[int, str] = field(default_factory=dict)  # row -> text
    words: dict[int, str] = field(default_factory=dict)  # row -> why it has no value

    def batch(self, handles: UInt32Array, now_us: int) -> SampleBatch:
        """The rows as a batch; `handles` maps refs to signal handles, `now_us` is used where no time was sent."""
        count = len(self.refs)
        ticks = np.array(self.ticks, np.int64)
        times: Int64Array = np.where(ticks > 0, (ticks - FILETIME_EPOCH) // 10, now_us)
        values = np.array(self.values, np.float64)
        qualities = np.full(count, Quality.GOOD, np.uint8)
        if any(self.statuses):
            codes, inverse = np.unique(np.array(self.statuses, np.uint32), return_inverse=True)
            qualities = np.array([quality_of(int(code)) for code in codes], np.uint8)[inverse]
        valueless = np.isnan(values)
        if self.texts:
            valueless[list(self.texts)] = False
        qualities[valueless & (qualities >= Quality.UNCERTAIN)] = Quality.BAD_NO_VALUE
        bad = qualities < Quality.UNCERTAIN
        values[bad] = math.nan
        texts: list[str | None] | None = None
        if self.texts:
            texts = [None] * count
            for row, text in self.texts.items():
                texts[row] = None if bad[row] else text
        return SampleBatch.of(handles[np.array(self.refs, np.intp)], times, values, qualities, texts)

    @property
    def overflows(self) -> int:
        """Rows before which the server's own queue dropped values."""
        return sum(1 for status in self.statuses if status & OVERFLOW == OVERFLOW)


@dataclass(frozen=True, slots=True)
class Published:
    """One notification message: a PublishResponse, or the answer to a Republish."""

    subscription: int
    sequence: int  # of this message; of a sign of life: the next one
    columns: Columns
    alive_only: bool  # no notifications inside
    ended: int | None = None  # the server ended the subscription with this status code
    events: tuple[bytes, ...] = ()  # undecoded EventNotificationLists
    more: bool = False  # the server has more to send at once


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """One result of a HistoryReadResponse."""

    status: int
    continuation: bytes  # empty: this was the last page


@contextmanager
def _malformed_is_data_error() -> Iterator[None]:
    try:
        yield
    except (struct.error, IndexError, ValueError, OverflowError, RecursionError) as error:
        raise DataError(f"malformed OPC UA message: {error}") from error


def decode_publish(data: bytes) -> Published:
    """Read a PublishResponse. Raises DataError when it is malformed."""
    with _malformed_is_data_error():
        at = _after_header(data)
        subscription = _U32.unpack_from(data, at)[0]
        available = _I32.unpack_from(data, at + 4)[0]
        at += 8 + 4 * max(available, 0)
        return _message(data, at + 1, subscription, more=bool(data[at]))


def decode_republish(data: bytes, subscription: int) -> Published:
    """Read a RepublishResponse. Raises DataError when it is malformed."""
    with _malformed_is_data_error():
        return _message(data, _after_header(data), subscription)


def decode_read(data: bytes, columns: Columns, first: int) -> int:
    """Append the results of a ReadResponse with refs `first`, first + 1 ...; returns how many there were.

    Raises DataError when it is malformed.
    """
    with _malformed_is_data_error():
        at = _after_header(data)
        count = max(_I32.unpack_from(data, at)[0], 0)
        rows = len(columns.refs)
        _values(data, at + 4, count, columns, "")
        columns.refs.extend(range(first, first + count))
        if len(columns.values) != rows + count:
            raise ValueError("rows are missing")
        return int(count)


def decode_history(data: bytes, columns: Columns, ref: int) -> HistoryPage:
    """Append the values of a HistoryReadResponse for one node, all with `ref`.

    Raises DataError when it is malformed.
    """
    with _malformed_is_data_error():
        at = _after_header(data)
        if _I32.unpack_from(data, at)[0] != 1:
            raise ValueError("not one result for one node")
        status, size = _U32.unpack_from(data, at + 4)[0], max(_I32.unpack_from(data, at + 8)[0], 0)
        continuation = bytes(data[at + 12 : at + 12 + size])
        kind, body, _ = _extension(data, at + 12 + size)
        if kind == _HISTORY:
            rows, count = len(columns.values), max(_I32.unpack_from(data, body)[0], 0)
            _values(data, body + 4, count, columns, "")
            if len(columns.values) != rows + count:
                raise ValueError("rows are missing")
            columns.refs.extend([ref] * count)
        return HistoryPage(status, continuation)


def _after_header(data: bytes) -> int:
    """The position after the type id and the response header."""
    at = nodeid_text(data, 0)[1] + 16  # timestamp, request handle, service result
    at = skip_diagnostic(data, at)
    strings = _I32.unpack_from(data, at)[0]
    at += 4
    for _ in range(strings):
        at = text_at(data, at)[1]
    return _extension(data, at)[2]  # additional header


def _extension(data: bytes, at: int) -> tuple[str, int, int]:
    """An extension object: its type id, where its body starts, and the position after it."""
    kind, at = nodeid_text(data, at)
    if data[at] == 0:
        return kind, at + 1, at + 1
    length = _I32.unpack_from(data, at + 1)[0]
    end = at + 5 + max(length, 0)
    if end > len(data):
        raise ValueError("a body is longer than its message")
    return kind, at + 5, end


def _message(data: bytes, at: int, subscription: int, *, more: bool = False) -> Published:
    sequence = _U32.unpack_from(data, at)[0]
    count = _I32.unpack_from(data, at + 12)[0]
    at += 16
    columns, ended, events = Columns(), None, []
    for _ in range(count):
        kind, body, at = _extension(data, at)
        if kind == _DATA_CHANGE:
            _values(data, body + 4, _I32.unpack_from(data, body)[0], columns, "I")
        elif kind == _STATUS_CHANGE:
            ended = _U32.unpack_from(data, body)[0]
        elif kind == _EVENTS:
            events.append(bytes(data[body:at]))
    return Published(subscription, sequence, columns, count <= 0, ended, tuple(events), more)


Layout = tuple[Callable[[bytes, int], tuple[float, ...]], int, int, int, int]
"""unpack, size, index of the value, index of the status (0: none), index of the time (0: none)"""


@cache
def _layout(prefix: str, mask: int, encoding: int) -> Layout | None:
    """How a data value of a fixed-size type lies in the message; None for all others.

    `prefix` is "I" where a client handle comes first, "" where not.
    """
    code = FIXED.get(encoding)
    if code is None or not mask & _VALUE or mask & ~0x3F:
        return None
    form, index = f"<{prefix}BB{code}", len(prefix) + 3
    status = time = 0
    for bit, part in ((_STATUS, "I"), (_SOURCE, "q"), (_SOURCE_PICO, "H"), (_SERVER, "q"), (_SERVER_PICO, "H")):
        if mask & bit:
            form += part
            if bit == _STATUS:
                status = index
            elif part == "q":
                time = time or index
            index += 1
    layout = struct.Struct(form)
    return layout.unpack_from, layout.size, len(prefix) + 2, status, time


def _values(data: bytes, at: int, count: int, columns: Columns, prefix: str) -> None:
    """Append `count` data values; with prefix "I" each is a MonitoredItemNotification and brings its ref."""
    handled = len(prefix)
    skip = 4 * handled
    refs, values, statuses, ticks = columns.refs, columns.values, columns.statuses, columns.ticks
    wide = (INT64, UINT64, DATETIME)
    for _ in range(count):
        mask, encoding = data[at + skip], data[at + skip + 1]
        layout = _layout(prefix, mask, encoding)
        if layout is None:
            at = _odd_value(data, at, columns, handled)
            continue
        unpack, size, index, status, time = layout
        row = unpack(data, at)
        at += size
        if handled:
            refs.append(row[0])  # type: ignore[arg-type]  # the code I gives an int
        if encoding in wide:
            value, text, _ = number(encoding, row[index])
            if text is not None:
                columns.texts[len(values)] = text
            values.append(value)
        else:
            values.append(row[index])
        statuses.append(row[status] if status else 0)  # type: ignore[arg-type]
        ticks.append(row[time] if time else 0)  # type: ignore[arg-type]


def _odd_value(data: bytes, at: int, columns: Columns, handled: int) -> int:
    """Append one data value of any layout; returns the position after it."""
    if handled:
        columns.refs.append(_U32.unpack_from(data, at)[0])
        at += 4
    mask = data[at]
    at += 1
    value, text, word = math.nan, None, "the server sent no value"
    if mask & _VALUE:
        value, text, word, at = variant(data, at)
    row = len(columns.values)
    columns.values.append(value)
    if text is not None:
        columns.texts[row] = text
    if word:
        columns.words[row] = word
    status = source = server = 0
    if mask & _STATUS:
        status, at = _U32.unpack_from(data, at)[0], at + 4
    if mask & _SOURCE:
        source, at = _I64.unpack_from(data, at)[0], at + 8
    if mask & _SOURCE_PICO:
        at += 2
    if mask & _SERVER:
        server, at = _I64.unpack_from(data, at)[0], at + 8
    if mask & _SERVER_PICO:
        at += 2
    columns.statuses.append(status)
    columns.ticks.append(source or server)
    return at

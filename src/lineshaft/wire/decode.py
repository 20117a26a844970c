"""Sparkplug DATA payload to columns, vectorised: the fields of all metrics are walked side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from lineshaft.errors import DataError
from lineshaft.model.samples import (
    Float64Array,
    Int64Array,
    Quality,
    TextArray,
    UInt8Array,
    WaveArray,
)
from lineshaft.model.waveforms import Waveform
from lineshaft.wire import names, uniform
from lineshaft.wire.envelope import Envelope, split
from lineshaft.wire.frames import BatchHeader, UInt64Array, decode_header
from lineshaft.wire.schema import message_class
from lineshaft.wire.sparkplug import (
    SCALAR,
    SIGNED,
    TEXTUAL,
    WIDTH,
    Metric,
    SparkplugType,
    read_metric,
)
from lineshaft.wire.waveforms import WAVEFORM, read_wave

EXACT: Final = 2**53
"""Integers beyond this have no exact double."""
_WIDTHS: Final = np.array([WIDTH.get(number, 0) for number in range(256)], np.int64)
_IS_SIGNED: Final = np.isin(np.arange(256), [int(number) for number in SIGNED])
_PAD: Final = 32
_NOT_SAMPLES: Final = frozenset({names.BATCH, names.NOTE, names.ACK, names.EQUIPMENT, names.VERSION, names.BDSEQ})


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """A decoded message; row i of each column is one sample, in the order of the message.

    aliases     int64[n], -1 where the metric came by name
    names       object[n] of str | None, or None when all came by alias
    times       int64[n] UTC microseconds; the message's time where the metric has none
    values, texts, qualities   as in SampleBatch
    waves       object[n] of Waveform | None, or None when no row has one
    historical  bool[n]
    header      which buffer frames these are, from a Lineshaft gateway
    others      metrics that are no samples: notes, data sets, templates, bytes
    """

    seq: int | None
    timestamp: int | None
    aliases: Int64Array
    names: TextArray | None
    times: Int64Array
    values: Float64Array
    texts: TextArray | None
    qualities: UInt8Array
    waves: WaveArray | None
    historical: NDArray[np.bool_]
    header: BatchHeader | None
    others: tuple[Metric, ...]

    def __len__(self) -> int:
        return len(self.aliases)


def decode_rows(
    data: bytes, types: UInt8Array, header_alias: int | None = None, named_types: Mapping[str, int] | None = None
) -> Rows:
    """Parse a DATA payload.

    types         uint8[m]: SparkplugType number by alias, 0 where the alias is unknown
    header_alias  alias of the names.BATCH metric, when the birth gave it one
    named_types   SparkplugType number by metric name, for edge nodes without aliases

    Raises DataError when the payload or its header is malformed.
    """
    envelope = split(data)
    count = len(envelope.starts)
    walk = _Walk(np.frombuffer(envelope.data + bytes(_PAD), np.uint8), envelope, types)
    walk.run()
    # What the walk did not understand (names, texts, properties, bytes) comes from protobuf itself, one by one.
    texts: dict[int, str] = dict(walk.integers())
    waves: dict[int, Waveform] = {}
    row_names: dict[int, str] = {}
    keep: NDArray[np.bool_] | slice = slice(None)
    others: list[Metric] = []
    header: tuple[BatchHeader, Any, Any] | None = None
    slow = np.flatnonzero(walk.slow)
    if len(slow):
        left_out: list[int] = []
        for index in slow.tolist():
            metric = _parse_metric(envelope, index, types, named_types or {})
            if metric.name == names.BATCH or (metric.alias is not None and metric.alias == header_alias):
                header = decode_header(metric.value if isinstance(metric.value, bytes) else b"")
                left_out.append(index)
            elif _is_sample(metric):
                if metric.datatype == WAVEFORM and isinstance(metric.value, bytes):
                    waves[index] = read_wave(metric.value, metric.properties)
                    metric = replace(metric, value=waves[index].rms())
                text = walk.set_row(index, metric)
                if text is not None:
                    texts[index] = text
                if metric.name:
                    row_names[index] = metric.name
            else:
                others.append(metric)
                left_out.append(index)
        keep = _without(left_out, count)
    times = walk.times
    if not walk.has_time.all():
        times = np.where(walk.has_time, times, np.uint64(envelope.timestamp or 0).astype(np.int64))
    rows = Rows(
        envelope.seq,
        envelope.timestamp,
        walk.aliases[keep],
        _sparse(row_names, count, keep),
        times[keep] * 1000,
        walk.values[keep],
        _sparse(texts, count, keep),
        walk.qualities[keep],
        _sparse(waves, count, keep),
        walk.historical[keep],
        None if header is None else header[0],
        tuple(others),
    )
    return rows if header is None else _refine(rows, header[1], header[2])


def _without(rows: list[int], count: int) -> NDArray[np.bool_] | slice:
    """What picks all rows but these; a slice, which copies nothing, when only the first one goes."""
    if rows == [0]:
        return slice(1, None)
    keep = np.ones(count, np.bool_)
    keep[rows] = False
    return keep


def _sparse(entries: Mapping[int, str | Waveform], count: int, keep: NDArray[np.bool_] | slice) -> TextArray | None:
    """object[n] with the entries at their rows, or None when there is none."""
    if not entries:
        return None
    column: TextArray = np.full(count, None, object)
    for row, entry in entries.items():
        column[row] = entry
    return column[keep]


def _refine(rows: Rows, microseconds: NDArray[np.uint16] | None, qualities: UInt8Array | None) -> Rows:
    """Put back what plain Sparkplug has no place for: microseconds and exact qualities."""
    for column in (microseconds, qualities):
        if column is not None and len(column) != len(rows):
            raise DataError(f"batch header describes {len(column)} rows, the message has {len(rows)}")
    if rows.header is not None and int(rows.header.rows.sum()) != len(rows):
        raise DataError(f"batch header counts {int(rows.header.rows.sum())} rows, the message has {len(rows)}")
    return Rows(
        rows.seq,
        rows.timestamp,
        rows.aliases,
        rows.names,
        rows.times if microseconds is None else rows.times + microseconds,
        rows.values,
        rows.texts,
        rows.qualities if qualities is None else qualities,
        rows.waves,
        rows.historical,
        rows.header,
        rows.others,
    )


def _is_sample(metric: Metric) -> bool:
    if metric.name in _NOT_SAMPLES or metric.name.startswith(("Node Control/", "Device Control/")):
        return False
    return metric.datatype is None or metric.datatype in SCALAR or metric.datatype == WAVEFORM


def _parse_metric(envelope: Envelope, row: int, types: UInt8Array, named_types: Mapping[str, int]) -> Metric:
    start, end = int(envelope.starts[row]), int(envelope.ends[row])
    message = message_class("Metric")()
    try:
        message.ParseFromString(envelope.data[start:end])
        alias = message.alias if message.HasField("alias") else -1
        known = int(types[alias]) or None if 0 <= alias < len(types) else named_types.get(message.name)
        return read_metric(message, known)
    except DecodeError as error:
        raise DataError(f"metric {row} of the payload is malformed: {error}") from error


class _Walk:
    """Columns filled by walking the fields of all metrics side by side; `slow` marks what needs protobuf itself."""

    def __init__(self, data: UInt8Array, envelope: Envelope, types: UInt8Array) -> None:
        n = len(envelope.starts)
        self._data = data
        self._at = envelope.starts.copy()
        self._ends = envelope.ends
        self._runs = envelope.runs
        self._types = types
        self.aliases = np.full(n, -1, np.int64)
        self.times = np.zeros(n, np.int64)
        self.has_time = np.zeros(n, np.bool_)
        self.values = np.full(n, np.nan)
        self.qualities = np.full(n, Quality.BAD_NO_VALUE, np.uint8)
        self.historical = np.zeros(n, np.bool_)
        self.slow = np.zeros(n, np.bool_)
        self.slow[envelope.long] = True
        self._raw = np.zeros(n, np.uint64)
        self._is_integer = np.zeros(n, np.bool_)

    def run(self) -> None:
        """Walk until every metric is read or marked slow."""
        for run in self._runs:
            self._uniform(run)
        active = np.flatnonzero((self._at < self._ends) & ~self.slow)
        while len(active):
            tags = self._data[self._at[active]]
            first = tags[0]
            if (tags == first).all():
                self._field(int(first), active)
            else:
                for tag in np.unique(tags):
                    self._field(int(tag), active[tags == tag])
            active = active[(self._at[active] < self._ends[active]) & ~self.slow[active]]
        self.slow |= (self._at != self._ends) | (self.aliases < 0)
        self.qualities[np.isnan(self.values) & ~self._is_integer] = Quality.BAD_NO_VALUE
        self._is_integer &= ~self.slow

    def _uniform(self, run: uniform.Run) -> None:
        """Take a whole run at once, if its metrics are all of one shape."""
        columns = uniform.columns(self._data, run)
        if columns is None:
            return
        rows = slice(run.index, run.index + run.count)
        for column in columns:
            match column.tag:
                case uniform.ALIAS:
                    self.aliases[rows] = column.values
                case uniform.TIMESTAMP:
                    self.times[rows] = column.values
                    self.has_time[rows] = True
                case uniform.HISTORICAL:
                    self.historical[rows] = column.values != 0
                case uniform.INT | uniform.LONG:
                    self._raw[rows] = column.values
                    self._is_integer[rows] = True
                    self.qualities[rows] = Quality.GOOD
                case uniform.BOOLEAN:
                    self._good(rows, column.values != 0)
                case uniform.FLOAT | uniform.DOUBLE:
                    self._good(rows, column.values)
        self._at[rows] = self._ends[rows]

    def _field(self, tag: int, rows: NDArray[np.int64]) -> None:
        at = self._at[rows] + 1
        if tag == 0x10:
            numbers, at = self._varints(at)
            self.aliases[rows] = numbers.view(np.int64)
        elif tag == 0x18:
            numbers, at = self._varints(at)
            self.times[rows] = numbers.view(np.int64)
            self.has_time[rows] = True
        elif tag == 0x28:
            self.historical[rows] = self._data[at] != 0
            at = at + 1
        elif tag == 0x38:
            at = at + 1
        elif tag == 0x70:
            self._good(rows, self._data[at] != 0)
            at = at + 1
        elif tag in (0x50, 0x58):
            numbers, at = self._varints(at)
            self._raw[rows] = numbers
            self._is_integer[rows] = True
            self.qualities[rows] = Quality.GOOD
        elif tag == 0x69:
            self._good(rows, self._fixed(at, 8).view("<f8")[:, 0])
            at = at + 8
        elif tag == 0x65:
            self._good(rows, self._fixed(at, 4).view("<f4")[:, 0])
            at = at + 4
        else:
            self.slow[rows] = True
            return
        over = at > self._ends[rows]
        if over.any():
            self.slow[rows[over]] = True
        self._at[rows] = at

    def _good(self, rows: NDArray[np.int64] | slice, values: NDArray[Any]) -> None:
        with np.errstate(invalid="ignore"):  # a signalling NaN, as four damaged bytes can be
            self.values[rows] = values
        self.qualities[rows] = Quality.GOOD

    def _fixed(self, at: NDArray[np.int64], width: int) -> UInt8Array:
        at = np.minimum(at, len(self._data) - width)
        return np.ascontiguousarray(self._data[at[:, None] + np.arange(width)])

    def _varints(self, at: NDArray[np.int64]) -> tuple[UInt64Array, NDArray[np.int64]]:
        limit = len(self._data) - 1
        byte = self._data[np.minimum(at, limit)]
        numbers = (byte & 0x7F).astype(np.uint64)
        at = at + 1
        more = byte > 0x7F
        shift = 7
        while more.any():
            if shift > 63:  # longer than protobuf allows: leave it to the slow path, which names the error
                return numbers, np.where(more, limit, at)
            if more.all():
                byte = self._data[np.minimum(at, limit)]
                numbers |= (byte & 0x7F).astype(np.uint64) << np.uint64(shift)
                at = at + 1
                more = byte > 0x7F
            else:
                byte = np.where(more, self._data[np.minimum(at, limit)], 0).astype(np.uint8)
                numbers |= (byte & 0x7F).astype(np.uint64) << np.uint64(shift)
                at = at + more
                more = more & (byte > 0x7F)
            shift += 7
        return numbers, at

    def set_row(self, row: int, metric: Metric) -> str | None:
        """Take a row from protobuf; gives its text, if it is one."""
        self.aliases[row] = -1 if metric.alias is None else metric.alias
        self.has_time[row] = metric.timestamp is not None
        self.times[row] = np.uint64(metric.timestamp or 0).astype(np.int64)
        self.historical[row] = metric.historical
        code = metric.properties.get(names.QUALITY)
        self.qualities[row] = _quality(code, metric.null)
        if metric.null or metric.value is None:
            return None
        if isinstance(metric.value, str) or metric.datatype in TEXTUAL:
            return str(metric.value)
        if isinstance(metric.value, bytes):  # not announced as such, or damaged: no number
            self.qualities[row] = Quality.BAD_NO_VALUE
            return None
        self.values[row] = float(metric.value)
        return str(metric.value) if isinstance(metric.value, int) and abs(metric.value) > EXACT else None

    def integers(self) -> list[tuple[int, str]]:
        """Turn raw integers into values after their types; (row, digits) of those that a double cannot hold."""
        rows = np.flatnonzero(self._is_integer)
        if not len(rows):
            return []
        aliases = self.aliases[rows]
        inside = aliases < len(self._types)
        types = np.where(inside, self._types[np.where(inside, aliases, 0)], 0) if len(self._types) else aliases * 0
        raw = self._raw[rows]
        widths = _WIDTHS[types]
        floats = types == SparkplugType.FLOAT
        widths[widths == 0] = 64
        mask = np.uint64(0xFFFFFFFFFFFFFFFF) >> (64 - widths).astype(np.uint64)
        raw = raw & mask
        negative = _IS_SIGNED[types] & ((raw >> (widths - 1).astype(np.uint64)) != 0)
        signed = np.where(negative, raw | ~mask, raw).view(np.int64)
        values = np.where(negative, signed.astype(np.float64), raw.astype(np.float64))
        if floats.any():
            values[floats] = raw[floats].astype(np.uint32).view(np.float32)
        if (types == SparkplugType.BOOLEAN).any():
            values[types == SparkplugType.BOOLEAN] = raw[types == SparkplugType.BOOLEAN] != 0
        self.values[rows] = values
        large = np.flatnonzero((np.abs(values) > EXACT) & ~floats)
        return [(int(rows[index]), str(int(signed[index]) if negative[index] else int(raw[index]))) for index in large]


def _quality(code: object, null: bool) -> int:
    if code == 500:
        return Quality.STALE
    if code == 0:
        return Quality.BAD_NO_VALUE if null else Quality.BAD
    return Quality.BAD_NO_VALUE if null else Quality.GOOD

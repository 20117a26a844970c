"""Rows to a Sparkplug DATA payload, vectorised: rows of one shape on the wire are written as one byte matrix."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lineshaft.errors import DataError
from lineshaft.model.samples import GOOD_CLASS, Quality, SampleBatch, UInt8Array
from lineshaft.model.waveforms import Waveform
from lineshaft.wire import names
from lineshaft.wire.frames import BatchHeader, UInt64Array, encode_header
from lineshaft.wire.schema import message_class
from lineshaft.wire.sparkplug import TEXTUAL, WIDTH, SparkplugType, fill_property
from lineshaft.wire.waveforms import wave_bytes, wave_properties

_BAD_PROPERTY: Final = b"\x4a\x0f\x0a\x07Quality\x12\x04\x08\x03\x18\x00"  # {Quality: Int32 0}
_STALE_PROPERTY: Final = b"\x4a\x10\x0a\x07Quality\x12\x05\x08\x03\x18\xf4\x03"  # {Quality: Int32 500}
_PROPERTIES: Final = (b"", _BAD_PROPERTY, _STALE_PROPERTY)
_NULL_TAG: Final = 0x38
_INT, _LONG, _FLOAT, _DOUBLE, _BOOL = 0x50, 0x58, 0x65, 0x69, 0x70

_TAGS: Final = np.zeros(256, np.uint8)
for _type in (1, 2, 3, 5, 6, 7):
    _TAGS[_type] = _INT
for _type in (4, 8, 13):
    _TAGS[_type] = _LONG
_TAGS[9], _TAGS[10], _TAGS[11] = _FLOAT, _DOUBLE, _BOOL
_IS_TEXT: Final = np.isin(np.arange(256), [int(number) for number in TEXTUAL])


def encode_rows(
    batch: SampleBatch,
    aliases: UInt64Array,
    types: UInt8Array,
    *,
    timestamp: int,
    seq: int,
    historical: bool = False,
    header: BatchHeader | None = None,
    header_alias: int | None = None,
) -> bytes:
    """Serialise a batch as DDATA or NDATA.

    aliases  uint64[n], types uint8[n] (SparkplugType numbers): of the signal of each row
    timestamp  of the message, UTC milliseconds
    header   put first as the Bytes metric names.BATCH, with microseconds and exact qualities of all rows

    Raises DataError for a row whose type has no place for its value.
    """
    milliseconds = np.floor_divide(batch.times, 1000)
    parts = [b"\x08" + varint(timestamp)]
    if header is not None:
        parts.append(_header_metric(header, header_alias, timestamp, batch, milliseconds))
    if len(batch):
        parts.append(_rows(batch, aliases, types, milliseconds, historical))
    parts.append(b"\x18" + varint(seq))
    return b"".join(parts)


def varint(number: int) -> bytes:
    """Protobuf base-128 varint of an unsigned number."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _header_metric(
    header: BatchHeader,
    alias: int | None,
    timestamp: int,
    batch: SampleBatch,
    milliseconds: NDArray[np.int64],
) -> bytes:
    below = (batch.times - milliseconds * 1000).astype(np.uint16)
    microseconds = below if below.any() else None
    qualities = batch.qualities if (batch.qualities != Quality.GOOD).any() else None
    metric = message_class("Metric")(
        timestamp=timestamp,
        bytes_value=encode_header(header, microseconds, qualities),
    )
    if alias is None:
        metric.name = names.BATCH
        metric.datatype = SparkplugType.BYTES
    else:
        metric.alias = alias
    body = metric.SerializeToString()
    return b"\x12" + varint(len(body)) + bytes(body)


def _rows(
    batch: SampleBatch, aliases: UInt64Array, types: UInt8Array, milliseconds: NDArray[np.int64], historical: bool
) -> bytes:
    n = len(batch)
    times = milliseconds.view(np.uint64)
    tags = _TAGS[types]
    null = np.isnan(batch.values)
    as_text = np.zeros(n, np.bool_)
    if batch.texts is not None:
        as_text = batch.is_text()
        null &= ~as_text
    bytes_ = types == SparkplugType.BYTES
    if bool(((tags == 0) & ~as_text & ~null & ~_IS_TEXT[types] & ~bytes_).any()):
        raise DataError("a row has a datatype that cannot be sent as a sample")
    is_wave = batch.is_wave()
    null |= (_IS_TEXT[types] & ~as_text) | (bytes_ & ~is_wave)
    if bool((is_wave & ~bytes_).any()):
        raise DataError("a waveform belongs to a signal that is announced as something else")
    tags = np.where(null, _NULL_TAG, tags).astype(np.uint8)
    raw = _raw_values(batch.values, types, np.where(as_text | is_wave, 0, tags))
    qualities = np.where(batch.qualities >= GOOD_CLASS, 0, np.where(batch.qualities == Quality.STALE, 2, 1)).astype(
        np.int64
    )
    value_length = np.where(tags == _DOUBLE, 8, np.where(tags == _FLOAT, 4, 1))
    is_varint = (tags == _INT) | (tags == _LONG)
    if is_varint.any():
        value_length[is_varint] = _varint_lengths(raw[is_varint])
    shape = (
        ((_varint_lengths(aliases) * 16 + _varint_lengths(times)) * 256 + tags) * 16 + value_length
    ) * 4 + qualities
    shape[as_text] = -1
    shape[is_wave] = -2
    if (shape == shape[0]).all() and shape[0] >= 0:
        return _block(shape[0], aliases, times, raw, historical).tobytes()
    return _mixed(batch, aliases, types, times, raw, shape, historical)


def _mixed(
    batch: SampleBatch,
    aliases: UInt64Array,
    types: UInt8Array,
    times: UInt64Array,
    raw: UInt64Array,
    shape: NDArray[np.int64],
    historical: bool,
) -> bytes:
    lengths = np.zeros(len(batch), np.int64)
    pieces: list[tuple[NDArray[np.intp], UInt8Array]] = []
    for value in np.unique(shape):
        rows = np.flatnonzero(shape == value)
        if value < 0:
            for row in rows:
                data = _odd_row(batch, row, int(aliases[row]), int(times[row]), int(types[row]), historical)
                pieces.append((np.array([row]), np.frombuffer(data, np.uint8)[None, :]))
                lengths[row] = len(data)
            continue
        block = _block(int(value), aliases[rows], times[rows], raw[rows], historical)
        lengths[rows] = block.shape[1]
        pieces.append((rows, block))
    starts = np.cumsum(lengths) - lengths
    out = np.empty(int(lengths.sum()), np.uint8)
    for rows, block in pieces:
        out[starts[rows][:, None] + np.arange(block.shape[1])] = block
    return out.tobytes()


def _odd_row(batch: SampleBatch, row: np.intp, alias: int, time: int, datatype: int, historical: bool) -> bytes:
    """A row that has text or a burst."""
    quality = int(batch.qualities[row])
    code = 0 if quality >= GOOD_CLASS else 2 if quality == Quality.STALE else 1
    wave = None if batch.waves is None else batch.waves[row]
    if wave is not None:
        return _wave_row(alias, time, wave, (None, int(Quality.BAD), 500)[code], historical)
    text = "" if batch.texts is None else str(batch.texts[row])
    return _text_row(alias, time, datatype, text, code, historical)


def _wave_row(alias: int, time: int, wave: Waveform, quality: int | None, historical: bool) -> bytes:
    metric = message_class("Metric")(alias=alias, timestamp=time, bytes_value=wave_bytes(wave))
    if historical:
        metric.is_historical = True
    properties = wave_properties(wave) | ({} if quality is None else {names.QUALITY: quality})
    for name, value in properties.items():
        metric.properties.keys.append(name)
        fill_property(metric.properties.values.add(), value)
    body = bytes(metric.SerializeToString())
    return b"\x12" + varint(len(body)) + body


def _text_row(alias: int, time: int, datatype: int, text: str, quality: int, historical: bool) -> bytes:
    """A row whose value is text, or an integer that only its digits give exactly."""
    metric = message_class("Metric")(alias=alias, timestamp=time)
    if historical:
        metric.is_historical = True
    if datatype in WIDTH:
        try:
            number = int(text)
        except ValueError as error:
            raise DataError(f"{text!r} is no integer") from error
        member = "long_value" if WIDTH[datatype] == 64 else "int_value"
        setattr(metric, member, number & ((1 << max(32, WIDTH[datatype])) - 1))
    elif datatype in TEXTUAL:
        metric.string_value = text
    else:
        raise DataError(f"{text!r} cannot be sent as Sparkplug type {datatype}")
    body = bytes(metric.SerializeToString()) + _PROPERTIES[quality]
    return b"\x12" + varint(len(body)) + body


def _raw_values(values: NDArray[np.float64], types: UInt8Array, tags: UInt8Array) -> UInt64Array:
    """uint64[n]: the bits that go on the wire for each row."""
    raw = values.view(np.uint64).copy()
    if (tags == _DOUBLE).all():
        return raw
    floats = tags == _FLOAT
    if floats.any():
        raw[floats] = values[floats].astype("<f4").view(np.uint32)
    booleans = tags == _BOOL
    raw[booleans] = values[booleans] != 0
    integers = (tags == _INT) | (tags == _LONG)
    if integers.any():
        numbers = np.rint(np.clip(values[integers], -(2.0**63), 2.0**64 - 2048))
        negative = numbers < 0
        bits = np.where(negative, numbers, 0).astype(np.int64).view(np.uint64)
        bits += np.where(negative, 0, numbers).astype(np.uint64)
        raw[integers] = np.where(tags[integers] == _INT, bits & np.uint64(0xFFFFFFFF), bits)
    return raw


def _varint_lengths(numbers: UInt64Array) -> NDArray[np.int64]:
    lengths = np.ones(len(numbers), np.int64)
    for shift in range(7, 64, 7):
        bigger = numbers >> np.uint64(shift) != 0
        if not bigger.any():
            break
        lengths += bigger
    return lengths


def _block(shape: int, aliases: UInt64Array, times: UInt64Array, raw: UInt64Array, historical: bool) -> UInt8Array:
    """uint8[n, L]: n metrics of one shape, each with its tag and length."""
    rest, quality = divmod(int(shape), 4)
    rest, value_length = divmod(rest, 16)
    rest, tag = divmod(rest, 256)
    alias_length, time_length = divmod(rest, 16)
    properties = _PROPERTIES[quality]
    length = 4 + alias_length + time_length + 2 * historical + 1 + value_length + len(properties)
    block = np.empty((len(aliases), length), np.uint8)
    block[:, 0] = 0x12
    block[:, 1] = length - 2
    block[:, 2] = 0x10
    _put_varint(block, 3, aliases, alias_length)
    at = 3 + alias_length
    block[:, at] = 0x18
    _put_varint(block, at + 1, times, time_length)
    at += 1 + time_length
    if historical:
        block[:, at : at + 2] = (0x28, 1)
        at += 2
    if properties and tag != _NULL_TAG:
        block[:, at : at + len(properties)] = np.frombuffer(properties, np.uint8)
        at += len(properties)
    block[:, at] = tag
    if tag == _NULL_TAG:
        block[:, at + 1] = 1
        if properties:
            block[:, at + 2 : at + 2 + len(properties)] = np.frombuffer(properties, np.uint8)
    elif tag in (_INT, _LONG):
        _put_varint(block, at + 1, raw, value_length)
    else:
        block[:, at + 1 : at + 1 + value_length] = raw.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :value_length]
    return block


def _put_varint(block: UInt8Array, at: int, numbers: UInt64Array, length: int) -> None:
    for index in range(length):
        more = 0x80 if index < length - 1 else 0
        block[:, at + index] = (numbers >> np.uint64(7 * index) & np.uint64(0x7F)).astype(np.uint8) | more

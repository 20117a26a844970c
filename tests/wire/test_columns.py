"""The columnar codec against protobuf itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineshaft.errors import DataError
from lineshaft.model.samples import Quality, SampleBatch
from lineshaft.wire import names
from lineshaft.wire.columns import decode_rows, encode_rows
from lineshaft.wire.frames import BatchHeader, decode_ack, encode_ack
from lineshaft.wire.sparkplug import WIDTH, Metric, Payload, SparkplugType, decode, encode, parse, to_signed

EPOCH = bytes(range(16))
QUALITIES = st.sampled_from([int(quality) for quality in Quality])


def _number(datatype: int) -> st.SearchStrategy[float | int]:
    if datatype in WIDTH:
        width = WIDTH[datatype]
        if datatype in (1, 2, 3, 4):
            return st.integers(-(1 << (width - 1)), (1 << (width - 1)) - 1)
        return st.integers(0, (1 << width) - 1)
    if datatype == SparkplugType.BOOLEAN:
        return st.integers(0, 1)
    if datatype == SparkplugType.FLOAT:
        return st.floats(width=32, allow_nan=False)
    return st.floats(allow_nan=False)


@st.composite
def _row(draw: st.DrawFn) -> tuple[int, int, int, float | int | str | None, int]:
    datatype = draw(st.integers(1, 14))
    value: float | int | str | None
    if datatype in (12, 14):
        value = draw(st.one_of(st.none(), st.text(max_size=300)))
    else:
        value = draw(st.one_of(st.none(), _number(datatype)))
    alias = draw(st.one_of(st.integers(128, 16383), st.integers(0, 40000)))
    quality = draw(QUALITIES)
    if value is None and quality >= 192:  # a row without a value is never good
        quality = Quality.BAD_NO_VALUE
    return alias, datatype, draw(st.integers(0, 2**52)), value, quality


def _batch(rows: list[tuple[int, int, int, float | int | str | None, int]]) -> SampleBatch:
    texts: list[str | None] = []
    values: list[float] = []
    for _, _, _, value, _ in rows:
        exact = isinstance(value, int) and abs(value) > 2**53
        texts.append(value if isinstance(value, str) else str(value) if exact else None)
        values.append(math.nan if value is None or isinstance(value, str) else float(value))
    return SampleBatch.of(
        np.arange(len(rows)), [row[2] for row in rows], values, [row[4] for row in rows],
        texts if any(text is not None for text in texts) else None,
    )  # fmt: skip


def _same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


@settings(max_examples=300, deadline=None)
@given(st.lists(_row(), max_size=40, unique_by=lambda row: row[0]), st.booleans(), st.booleans())
def test_rows_come_back_as_they_were_sent(rows, historical, with_header) -> None:
    """Every datatype, null, text, quality and microsecond survives the wire, in order."""
    batch = _batch(rows)
    aliases = np.array([row[0] for row in rows], np.uint64)
    types = np.array([row[1] for row in rows], np.uint8)
    header = BatchHeader.of(EPOCH, [7, 8], [len(rows), 0]) if with_header else None
    data = encode_rows(
        batch, aliases, types, timestamp=1_700_000_000_000, seq=200, historical=historical, header=header
    )
    table = np.zeros(40001, np.uint8)
    table[aliases] = types
    found = decode_rows(data, table)
    assert found.seq == 200
    assert found.timestamp == 1_700_000_000_000
    assert found.aliases.tolist() == aliases.tolist()
    assert found.historical.tolist() == [historical] * len(rows)
    expected_times = batch.times if with_header else batch.times // 1000 * 1000
    assert found.times.tolist() == expected_times.tolist()
    assert all(_same(a, b) for a, b in zip(found.values, batch.values, strict=True))
    texts = [None] * len(rows) if batch.texts is None else list(batch.texts)
    assert (list(found.texts) if found.texts is not None else [None] * len(rows)) == texts
    if with_header:
        assert found.qualities.tolist() == batch.qualities.tolist()
        assert found.header is not None
        assert found.header.frames.tolist() == [7, 8]


@settings(max_examples=100, deadline=None)
@given(st.lists(_row(), min_size=1, max_size=20, unique_by=lambda row: row[0]))
def test_protobuf_reads_what_we_write(rows) -> None:
    """A foreign host that parses with protobuf sees alias, time, value and Sparkplug quality of every row."""
    batch = _batch(rows)
    aliases = np.array([row[0] for row in rows], np.uint64)
    types = np.array([row[1] for row in rows], np.uint8)
    payload = decode(encode_rows(batch, aliases, types, timestamp=5, seq=0))
    for metric, (alias, datatype, time, value, quality) in zip(payload.metrics, rows, strict=True):
        assert metric.alias == alias
        assert metric.timestamp == time // 1000
        assert metric.null == (value is None)
        seen = metric.value
        if datatype in WIDTH and seen is not None:
            seen = to_signed(seen, datatype)
        assert seen == value
        wanted = 500 if quality == Quality.STALE else None if quality >= 192 else 0
        assert metric.properties.get(names.QUALITY) == wanted


def test_rows_by_name_take_their_type_from_the_birth() -> None:
    """An edge node without aliases keeps the sign of its integers."""
    payload = Payload(1, 3, (Metric("level", SparkplugType.INT32, -12, timestamp=9),))
    parsed = parse(encode(payload))
    parsed.metrics[0].ClearField("datatype")  # DATA messages carry none
    message = parsed.SerializeToString()
    rows = decode_rows(message, np.zeros(0, np.uint8), None, {"level": SparkplugType.INT32})
    assert rows.values.tolist() == [-12.0]
    assert rows.names is not None
    assert list(rows.names) == ["level"]


@pytest.mark.parametrize("form", [0xF4, 0xFFF4, 0xFFFFFFF4])
def test_negative_int8_in_narrow_and_wide_form(form: int) -> None:
    """Implementations differ in how a negative Int8 is sent; all forms mean the same number."""
    assert to_signed(form, SparkplugType.INT8) == -12


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=200))
def test_garbage_is_a_data_error_or_rows(data: bytes) -> None:
    """Random bytes never raise anything but DataError."""
    try:
        decode_rows(data, np.full(300, SparkplugType.DOUBLE, np.uint8))
    except DataError:
        return


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_payloads_are_data_errors_or_rows(data: st.DataObject) -> None:
    """Cut or flipped bytes of a real payload never raise anything but DataError."""
    batch = SampleBatch.of([0, 1, 2], [1_700_000_000_000_123] * 3, [1.0, 2.5, math.nan], [192, 8, 1], ["x", None, None])
    types = np.array([12, 10, 4], np.uint8)
    message = bytearray(
        encode_rows(batch, np.array([128, 129, 130], np.uint64), types, timestamp=1, seq=1,
                    header=BatchHeader.of(EPOCH, [1], [3]))
    )  # fmt: skip
    for _ in range(data.draw(st.integers(1, 4))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    message = message[: data.draw(st.integers(0, len(message)))]
    table = np.zeros(200, np.uint8)
    table[128:131] = types
    try:
        decode_rows(bytes(message), table)
    except DataError:
        return


def test_acknowledgement_round_trip() -> None:
    """Frame ids and epoch survive; a cut one is refused."""
    data = encode_ack(EPOCH, [1, 2**40])
    epoch, frames = decode_ack(data)
    assert (epoch, frames.tolist()) == (EPOCH, [1, 2**40])
    with pytest.raises(DataError):
        decode_ack(data[:-1])


def test_compressed_body_is_read_and_a_bomb_is_refused() -> None:
    """The usual compression of the field is understood; a body that grows without bound is not inflated."""
    import zlib

    inner = encode(Payload(1, 3, (Metric("a", SparkplugType.DOUBLE, 1.5),)))
    from lineshaft.wire.schema import message_class

    outer = message_class("Payload")(uuid="SPBV1.0_COMPRESSED", body=zlib.compress(inner))
    assert decode(outer.SerializeToString()).metrics[0].value == 1.5
    assert decode_rows(outer.SerializeToString(), np.zeros(0, np.uint8)).values.tolist() == [1.5]
    outer.body = zlib.compress(bytes(70 * 1024 * 1024))
    with pytest.raises(DataError, match="grows"):
        decode(outer.SerializeToString())


def test_what_fuzzing_found() -> None:
    """Bytes where a sample is expected are a row without a value; a time beyond all times is no crash."""
    bytes_without_a_type = bytes.fromhex("0805 120a 10c801 1805 8201020102 1800")
    rows = decode_rows(bytes_without_a_type, np.zeros(300, np.uint8), 2)
    assert (rows.aliases.tolist(), rows.qualities.tolist()) == ([200], [Quality.BAD_NO_VALUE])
    assert math.isnan(rows.values[0])
    for tenth in ("01", "31"):  # the second does not even fit into 64 bits
        time_beyond = bytes.fromhex(f"08ffffffffffffffffff{tenth} 120e 10c801 200a 69000000000000f83f 1800")
        assert decode_rows(time_beyond, np.zeros(300, np.uint8), 2).values.tolist() == [1.5]

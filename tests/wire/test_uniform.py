"""Runs of metrics of one shape are read as a matrix; nobody may see a difference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineshaft.errors import DataError
from lineshaft.model.samples import SampleBatch
from lineshaft.wire.columns import Rows, decode_rows, encode_rows
from lineshaft.wire.frames import BatchHeader
from lineshaft.wire.sparkplug import SparkplugType

ROWS = 96
PIECE = 16
"""Metrics of a message that is too short for a run."""
VALUES = {
    SparkplugType.INT32: np.arange(-ROWS, 0),
    SparkplugType.UINT16: np.arange(1_000, 1_000 + ROWS),
    SparkplugType.INT64: np.arange(2.0**40, 2.0**40 + ROWS),
    SparkplugType.UINT64: np.arange(2.0**54, 2.0**54 + 4 * ROWS, 4),
    SparkplugType.FLOAT: np.arange(ROWS) / 4,
    SparkplugType.DOUBLE: np.arange(ROWS) / 100,
    SparkplugType.BOOLEAN: np.arange(ROWS) % 2,
}


def _payload(datatype: SparkplugType, *, historical: bool = False, header: BatchHeader | None = None) -> bytes:
    batch = SampleBatch.of(np.arange(ROWS), 1_767_225_600_000_000 + np.arange(ROWS) * 1_000, VALUES[datatype])
    return encode_rows(
        batch,
        np.arange(200, 200 + ROWS, dtype=np.uint64),
        np.full(ROWS, datatype, np.uint8),
        timestamp=1_767_225_600_000,
        seq=7,
        historical=historical,
        header=header,
        header_alias=1,
    )


def _columns(rows: Rows) -> list[list[object]]:
    texts = [None] * len(rows) if rows.texts is None else rows.texts.tolist()
    values = [repr(value) for value in rows.values.tolist()]  # NaN equals NaN
    return [rows.aliases.tolist(), rows.times.tolist(), values, texts, rows.qualities.tolist(),
            rows.historical.tolist()]  # fmt: skip


def _in_pieces(payload: bytes, types: np.ndarray) -> list[list[object]]:
    """Decoded a few metrics at a time, which is too few for a matrix."""
    head, body = payload[:7], payload[7:-2]
    stride = body[1] + 2
    whole: list[list[object]] = [[] for _ in range(6)]
    for start in range(0, len(body), PIECE * stride):
        rows = decode_rows(head + body[start : start + PIECE * stride], types)
        for column, more in zip(whole, _columns(rows), strict=True):
            column.extend(more)
    return whole


@pytest.mark.parametrize("historical", [False, True])
@pytest.mark.parametrize("datatype", VALUES)
def test_a_run_gives_what_its_pieces_give(datatype: SparkplugType, historical: bool) -> None:
    """Every type of number is read alike in a long run and metric by metric."""
    types = np.full(400, datatype, np.uint8)
    payload = _payload(datatype, historical=historical)
    rows = decode_rows(payload, types)
    assert rows.seq == 7
    assert _columns(rows) == _in_pieces(payload, types)
    assert rows.values.tolist() == VALUES[datatype].astype(np.float64).tolist()


def test_the_batch_header_before_a_run_is_taken_out() -> None:
    """A message of a Lineshaft gateway gives its rows and its frames."""
    frames = BatchHeader.of(bytes(16), range(1, 13), [ROWS // 12] * 12)
    rows = decode_rows(_payload(SparkplugType.DOUBLE, header=frames), np.full(400, 10, np.uint8), 1)
    assert rows.header is not None
    assert rows.header.frames.tolist() == list(range(1, 13))
    assert rows.aliases.tolist() == list(range(200, 200 + ROWS))
    assert rows.values.tolist() == VALUES[SparkplugType.DOUBLE].tolist()


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(VALUES)), st.integers(0, ROWS - 1), st.integers(0, 255), st.data())
def test_one_metric_that_differs_spoils_nothing(
    datatype: SparkplugType, row: int, byte: int, data: st.DataObject
) -> None:
    """Any byte changed in one metric of a run is understood, or refused, as it would be without the run."""
    types = np.full(400, datatype, np.uint8)
    payload = bytearray(_payload(datatype))
    length = payload[8]
    at = data.draw(st.integers(0, length - 1))
    payload[7 + row * (length + 2) + 2 + at] = byte
    try:
        expected = _in_pieces(bytes(payload), types)
    except DataError:
        with pytest.raises(DataError):
            decode_rows(bytes(payload), types)
        return
    assert _columns(decode_rows(bytes(payload), types)) == expected

"""A burst as bytes and as a Sparkplug metric."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests import npm
from tests.wire.test_golden import READ, _node

from lineshaft.errors import DataError
from lineshaft.gateway.frames import decode as decode_frame
from lineshaft.gateway.frames import encode_samples, message_bytes, pieces
from lineshaft.hub.ingest.blocks import Block
from lineshaft.model.samples import SampleBatch
from lineshaft.model.waveforms import Waveform, joined
from lineshaft.wire.columns import decode_rows, encode_rows
from lineshaft.wire.frames import BatchHeader
from lineshaft.wire.sparkplug import SparkplugType
from lineshaft.wire.waveforms import WAVEFORM, pack, unpack

NOW = 1_750_000_000_123_456
WAVES = (
    Waveform.of(np.arange(-300, 300), 25_600.0, 1480.5, scale=0.01),
    Waveform.of(np.sin(np.arange(1000)), 12_800.0),
)


def batch() -> SampleBatch:
    """A number, a text, two bursts and a bad row without a burst."""
    plain = SampleBatch.of([1, 2, 3], NOW, [1.5, np.nan, np.nan], [192, 192, 4], [None, "on", None])
    return SampleBatch.concat([plain, SampleBatch.of_waves([3, 4], [NOW + 7, NOW + 8], WAVES)])


def same(one: SampleBatch, other: SampleBatch) -> None:
    """Every column is equal, and every burst sample by sample."""
    for name in ("signals", "times", "values", "qualities"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.waves is not None
    assert other.waves is not None
    for left, right in zip(one.waves, other.waves, strict=True):
        assert (left is None) == (right is None)
        if left is not None:
            assert pack(left) == pack(right)


def test_a_burst_survives_buffer_and_journal() -> None:
    """A frame of the disk buffer and a block of the hub's journal give back what went in."""
    whole = batch()
    frame = decode_frame(encode_samples(5, NOW, "device", whole, None))
    assert frame.batch is not None
    same(frame.batch, whole)
    block = Block(whole, np.zeros(len(whole), np.bool_), (), (), np.empty(0, np.uint32))
    same(Block.decode(block.encode()).batch, whole)


def test_a_damaged_burst_is_refused() -> None:
    """Bytes that end early or are of another version are no burst."""
    data = pack(WAVES[0])
    for wrong in (data[:-1], data[:10], b"\x09" + data[1:], b""):
        with pytest.raises(DataError):
            unpack(wrong)


def test_a_burst_goes_over_sparkplug_with_exact_time_and_quality() -> None:
    """Numbers, texts, bursts and rows without a value come out of one message as they went in."""
    whole = batch()
    types = np.array([0, 10, 12, 17, 17], np.uint8)
    header = BatchHeader.of(b"e" * 16, [9], [len(whole)])
    aliases = whole.signals.astype(np.uint64) + 128
    data = encode_rows(whole, aliases, types[whole.signals], timestamp=NOW // 1000, seq=3, header=header)
    known = np.zeros(140, np.uint8)
    known[129:133] = (10, 12, WAVEFORM, WAVEFORM)
    rows = decode_rows(data, known)
    assert rows.texts is not None
    assert rows.texts.tolist() == [None, "on", None, None, None]
    same(
        SampleBatch(whole.signals, rows.times, rows.values, rows.qualities, rows.texts, rows.waves),
        whole,
    )
    assert rows.aliases.tolist() == [129, 130, 131, 131, 132]


def test_a_foreign_host_reads_samples_rate_and_scale() -> None:
    """The npm package sparkplug-payload finds plain bytes, and properties that say how to read them."""
    folder: Path = npm.install("sparkplug", "sparkplug-client@3.2.4", "sparkplug-payload@1.0.3")
    rows = SampleBatch.of_waves([0], [NOW], WAVES[:1])
    types = np.array([SparkplugType.BYTES], np.uint8)
    data = encode_rows(rows, np.array([128], np.uint64), types, timestamp=NOW // 1000, seq=0)
    script = READ.replace("v.toString() : v;", "v.toString() : v instanceof Uint8Array ? [...v] : v;")
    seen = json.loads(_node(folder, script.replace("(_, v)", "(k, v)"), data.hex()))
    (metric,) = seen["metrics"]
    properties = {name: one["value"] for name, one in metric["properties"].items()}
    assert properties == {
        "sampleRate": 25_600.0, "encoding": "int16le", "scale": 0.01, "shaftSpeed": 1480.5, "offset": 0, "total": 600,
    }  # fmt: skip


def test_a_long_burst_is_cut_into_messages_that_fit() -> None:
    """Each piece is a row at the time of its own first sample, small enough for the smallest cloud message."""
    wave = Waveform.of(np.arange(200_000) % 30_000, 25_600.0)
    long = SampleBatch.concat([SampleBatch.of([1], NOW, 3.0), SampleBatch.of_waves([2], [NOW], [wave])])
    parts = pieces(long)
    assert max(message_bytes(part) for part in parts) < 190_000
    rows = SampleBatch.concat(parts)
    assert rows.waves is not None
    waves = [one for one in rows.waves if one is not None]
    assert max(one.nbytes for one in waves) <= 90_000
    assert (rows.times[1:] - NOW).tolist() == [round(one.offset / 0.0256) for one in waves]
    np.testing.assert_array_equal(joined(waves).samples, wave.samples)

"""Our payloads against the npm package sparkplug-payload, which shares no code with us."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from tests import npm

from lineshaft.model.equipment import Datatype
from lineshaft.model.samples import Quality, SampleBatch
from lineshaft.wire.columns import decode_rows, encode_rows
from lineshaft.wire.sparkplug import Metric, Payload, SparkplugType, encode, parse, type_of

READ = """
const codec = require('sparkplug-payload').get('spBv1.0');
const fix = (_, v) => typeof v === 'bigint' ? v.toString()
  : v && v.low !== undefined && v.high !== undefined ? v.toString() : v;
const payload = codec.decodePayload(Buffer.from(process.argv[1], 'hex'));
console.log(JSON.stringify(payload, fix));
"""
WRITE = """
const codec = require('sparkplug-payload').get('spBv1.0');
const metrics = [
  {name: 'i8', type: 'Int8', value: -12}, {name: 'i16', type: 'Int16', value: -30000},
  {name: 'i32', type: 'Int32', value: -2147483648}, {name: 'i64', type: 'Int64', value: -5},
  {name: 'u8', type: 'UInt8', value: 250}, {name: 'u16', type: 'UInt16', value: 65535},
  {name: 'u32', type: 'UInt32', value: 4294967295}, {name: 'u64', type: 'UInt64', value: 9007199254740991},
  {name: 'f', type: 'Float', value: 1.5}, {name: 'd', type: 'Double', value: -0.1},
  {name: 'b', type: 'Boolean', value: true}, {name: 's', type: 'String', value: '007 \\u00e9'},
  {name: 'n', type: 'Double', value: null},
];
for (const m of metrics) m.timestamp = 1700000000123;
const out = codec.encodePayload({timestamp: 1700000000456, seq: 7, metrics});
console.log(Buffer.from(out).toString('hex'));
"""
TYPES = {
    "i8": 1, "i16": 2, "i32": 3, "i64": 4, "u8": 5, "u16": 6, "u32": 7, "u64": 8, "f": 9, "d": 10, "b": 11, "s": 12,
    "n": 10,
}  # fmt: skip


@pytest.fixture(scope="module")
def codec() -> Path:
    return npm.install("sparkplug", "sparkplug-client@3.2.4", "sparkplug-payload@1.0.3")


def _node(folder: Path, script: str, *arguments: str) -> str:
    done = subprocess.run(
        [npm.node(), "-e", script, *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_javascript_reads_our_births(codec: Path) -> None:
    """All types that we announce, signs, null and properties of a birth mean the same in JavaScript."""
    announced = {int(type_of(datatype)) for datatype in Datatype}
    values = [
        ("i8", 1, -12), ("i16", 2, -30000), ("i32", 3, -(2**31)), ("i64", 4, -5), ("u8", 5, 250), ("u16", 6, 65535),
        ("u64", 8, 2**64 - 1), ("f", 9, 1.5), ("d", 10, -0.1), ("b", 11, True),
        ("s", 12, "007 é"), ("n", 10, None),
    ]  # fmt: skip
    assert announced - {13} <= {number for _, number, _ in values}
    metrics = tuple(
        Metric(name, number, value, alias=128 + index, timestamp=1700000000123, properties={"engUnit": "kW"})
        for index, (name, number, value) in enumerate(values)
    )
    seen = json.loads(_node(codec, READ, encode(Payload(1700000000456, 0, metrics)).hex()))
    assert seen["timestamp"] == "1700000000456" or seen["timestamp"] == 1700000000456
    by_name = {metric["name"]: metric for metric in seen["metrics"]}
    for name, _, value in values:
        got = by_name[name]["value"]
        assert (int(got) if isinstance(got, str) and name != "s" else got) == value, name
        assert by_name[name]["properties"]["engUnit"]["value"] == "kW"


def test_javascript_reads_our_columns(codec: Path) -> None:
    """Rows written by the columnar encoder are plain Sparkplug to another implementation."""
    batch = SampleBatch.of(
        [0, 1, 2], [1_700_000_000_123_456] * 3, [1.25, np.nan, np.nan],
        [Quality.GOOD, Quality.BAD_COMMUNICATION, Quality.GOOD], [None, None, "ACTIVE"],
    )  # fmt: skip
    data = encode_rows(
        batch, np.array([128, 129, 130], np.uint64), np.array([10, 10, 12], np.uint8), timestamp=1, seq=9
    )
    message = parse(data)
    for metric, number in zip(message.metrics, (10, 10, 12), strict=True):
        metric.datatype = number  # the JavaScript decoder wants in DATA what the birth said
    metrics = json.loads(_node(codec, READ, message.SerializeToString().hex()))["metrics"]
    assert [int(metric["alias"]) for metric in metrics] == [128, 129, 130]
    assert {int(metric["timestamp"]) for metric in metrics} == {1_700_000_000_123}
    assert metrics[0]["value"] == 1.25
    assert metrics[1]["value"] is None
    assert metrics[2]["value"] == "ACTIVE"
    assert metrics[1]["properties"]["Quality"]["value"] == 0


def test_we_read_javascript(codec: Path) -> None:
    """An edge node written in JavaScript delivers every type with its sign (UInt32 in long_value included)."""
    data = bytes.fromhex(_node(codec, WRITE).strip())
    rows = decode_rows(data, np.zeros(0, np.uint8), None, TYPES)
    assert rows.names is not None
    found = dict(zip(rows.names, rows.values, strict=True))
    assert found["i8"] == -12
    assert found["i16"] == -30000
    assert found["i32"] == -(2**31)
    assert found["i64"] == -5
    assert (found["u8"], found["u16"], found["u32"], found["u64"]) == (250, 65535, 2**32 - 1, 2**53 - 1)
    assert (found["f"], found["d"], found["b"]) == (1.5, -0.1, 1.0)
    assert rows.texts is not None
    assert rows.texts[list(rows.names).index("s")] == "007 é"
    assert np.isnan(found["n"])
    assert rows.qualities[list(rows.names).index("n")] == Quality.BAD_NO_VALUE
    assert set(rows.times.tolist()) == {1_700_000_000_123_000}
    assert TYPES["d"] == SparkplugType.DOUBLE

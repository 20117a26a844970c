"""Decoders between gateway and hub, and of the gateway's own disk: Sparkplug, notes, requests and buffer frames."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np

from bench.fuzz.run import Target
from lineshaft.gateway import frames
from lineshaft.model.events import Event
from lineshaft.model.samples import Quality, SampleBatch
from lineshaft.wire import notes, requests
from lineshaft.wire.columns import decode_rows, encode_rows
from lineshaft.wire.frames import BatchHeader, decode_ack, decode_header, encode_ack
from lineshaft.wire.sparkplug import Metric, Payload, SparkplugType, decode, encode

_EPOCH = bytes(range(16))
_TYPES = np.full(300, SparkplugType.DOUBLE, np.uint8)
_TYPES[200:210] = SparkplugType.STRING
_TYPES[210:220] = SparkplugType.INT32


def _batch(texts: list[str | None] | None) -> SampleBatch:
    stamps = 1_700_000_000_000_000 + np.arange(6) * 1_000
    qualities = [Quality.GOOD, Quality.STALE, Quality.BAD_ADDRESS, *[Quality.GOOD] * 3]
    return SampleBatch.of(np.arange(6), stamps, [1.5, np.nan, np.nan, -12.0, 1e300, 0.0], qualities, texts)


def _rows(aliases: list[int], texts: list[str | None] | None) -> bytes:
    alias = np.array(aliases, np.uint64)
    header = BatchHeader.of(_EPOCH, [7, 8], [2, 4])
    return encode_rows(
        _batch(texts), alias, _TYPES[alias.astype(np.int64)], timestamp=1_700_000_000_000, seq=3, header=header,
        header_alias=2,
    )  # fmt: skip


_BIRTH = encode(
    Payload(
        1_700_000_000_000,
        0,
        (
            Metric("bdSeq", SparkplugType.INT64, 3),
            Metric("line/power", SparkplugType.DOUBLE, 1.5, alias=128, properties={"engUnit": "kW", "low": 1}),
            Metric("line/serial", SparkplugType.STRING, "0042", alias=129),
            Metric("line/none", SparkplugType.INT16, null=True, alias=130),
        ),
    )
)
_COLUMNS = (
    _rows([128, 129, 130, 131, 132, 133], None),
    _rows([200, 129, 202, 211, 212, 133], ["0042", None, "x" * 200, None, None, None]),
)


def _columns(data: bytes) -> None:
    rows = decode_rows(data, _TYPES, 2)
    for metric in rows.others:
        repr(metric)


def _header(data: bytes) -> None:
    if data[:1] == b"a":
        decode_ack(data[1:])
    else:
        decode_header(data[1:])


def _frame(data: bytes) -> None:
    for info in frames.walk(data, 0):
        frames.decode(data[info.offset : info.offset + info.size])
    if len(data) > frames.HEAD.size:  # with the checksum made right, so that what is behind it is reached
        body = data[frames.HEAD.size :]
        frames.decode(frames.sealed(body))


_NOTE = notes.encode_notes(
    [
        notes.EventNote(Event(1_700_000_000_000_000, "device.offline", "a/b", "gone", details={"hint": "x"})),
        notes.LedgerNote(_EPOCH.hex(), 7, {"a/b/c": 9}),
        notes.DropNote(_EPOCH.hex(), (notes.DroppedRows("a/b/c", 3, 1, 2, "buffer age"),)),
    ]
)
_FRAMES = (
    frames.encode_samples(7, 1_700_000_000_000_000, "press", _batch(None), "at 7"),
    frames.encode_samples(8, 1_700_000_000_000_000, "press", _batch(["0042", *[None] * 4, "Ω"]), None),
    frames.encode_note(9, 1_700_000_000_000_000, _NOTE, "hub", drops_segment=3),
)
_REQUEST = requests.Request("0" * 32, "ping", 1_700_000_000_000_000, {"a": [1, 2, {"b": None}]}, "ada")
_ANSWER = requests.Answer("0" * 32, "refused", {"a": 1}, "no", "do")


def _request(data: bytes) -> None:
    """The JSON of an answer or a request behind a letter, or a part as it travels."""
    if data[:1] == b"m":
        requests.Assembler().add(data[1:])
    elif data[:1] == b"a":
        requests.decode_answer(data[1:])
    else:
        requests.decode_request(data[1:])


TARGETS = (
    Target("Sparkplug payloads", decode, (_BIRTH, *_COLUMNS)),
    Target("Sparkplug columns", _columns, (*_COLUMNS, _BIRTH)),
    Target("Batch headers and acks", _header, (b"a" + encode_ack(_EPOCH, [1, 2, 9]), b"h" + bytes(range(64)))),
    Target("Notes", lambda data: notes.decode_notes(data.decode("utf-8", "replace")), (_NOTE.encode(),)),
    Target(
        "Requests and answers",
        _request,
        (
            b"m" + requests.encode_request(_REQUEST)[0],
            b"r" + json.dumps(asdict(_REQUEST)).encode(),
            b"a" + json.dumps(asdict(_ANSWER)).encode(),
        ),
    ),
    Target("Frames of the buffer", _frame, _FRAMES),
)

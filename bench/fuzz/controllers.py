"""Decoders of the S7, EtherNet/IP, MQTT, HTTP and file drop drivers, with good replies and documents for them."""

from __future__ import annotations

import json
import struct
from collections import Counter
from datetime import UTC
from functools import lru_cache

import numpy as np

from bench.fuzz.run import Target as Fuzzed
from lineshaft.drivers.base import Point, WavePoint
from lineshaft.drivers.ethernet_ip.replies import READ_TAG, answer_of, answers_in, value_of
from lineshaft.drivers.files.options import FilesConnection
from lineshaft.drivers.mapping import Extractor, JsonAddress, JsonForm, Rows, parse
from lineshaft.drivers.mqtt.client import Message
from lineshaft.drivers.mqtt.heard import Heard
from lineshaft.drivers.mqtt.options import MqttAddress
from lineshaft.drivers.records import Malformed, Target, rows_of
from lineshaft.drivers.replay.bursts import BurstRows
from lineshaft.drivers.replay.options import ReplayAddress
from lineshaft.drivers.replay.shdr import read_shdr
from lineshaft.drivers.s7.address import TYPES, S7Address
from lineshaft.drivers.s7.decode import Columns, Group, group_points
from lineshaft.drivers.s7.replies import items_of
from lineshaft.drivers.tables import read_csv
from lineshaft.simulator.servers.ethernet_ip_tags import Types
from lineshaft.simulator.servers.s7 import encode

_CODINGS = (*(name for name in TYPES if name != "bool"), "string20", "wstring7", "chars9")
_SIZES = [1, 4, 22, 8]
_BATCH = (
    b"\x04\x04"
    + b"".join(b"\xff\x04" + struct.pack(">H", 8 * size) + bytes(size + size % 2) for size in _SIZES[:2])
    + b"\x0a\x00\x00\x00"
    + b"\xff\x04\x00\x40ABCDEFGH"
)
S7_REPLIES = (_BATCH, b"\x04\x04" + b"\x05\x00\x00\x00" * 4)


def s7_reply(data: bytes) -> None:
    """The reply to a read of four items."""
    items_of(data[:2], data[2:], _SIZES)


def _address(coding: str) -> S7Address:
    return S7Address.model_validate({"area": "M", "byte": 0, "type": coding})


@lru_cache
def _group(coding: str) -> tuple[int, tuple[Group, ...]]:
    address = _address(coding)
    return address.size, group_points([(0, address, 0)])


S7_CONTENTS = tuple(
    bytes([number])
    + encode(_address(coding), "Text" if _address(coding).is_text else 5 if _address(coding).size == 1 else 1000)
    for number, coding in enumerate(_CODINGS)
)


def s7_contents(data: bytes) -> None:
    """One value; the first byte picks its type."""
    size, groups = _group(_CODINGS[data[0] % len(_CODINGS)] if data else "byte")
    buffer = np.frombuffer(data[1 : 1 + size].ljust(size, b"\0"), np.uint8)
    out = Columns(np.full(1, np.nan), np.full(1, 192, np.uint8), {})
    for group in groups:
        group.decode(buffer, UTC, out)


def _tag_replies() -> tuple[bytes, ...]:
    types = Types()
    values = [types.reply(kind, value) for kind, value in (("REAL", 1.5), ("DINT", 7), ("BOOL", 1), ("STRING", "abc"))]
    replies = [bytes([READ_TAG | 0x80, 0, 0, 0]) + value for value in values]
    starts = [10 + sum(map(len, replies[:n])) for n in range(4)]
    return struct.pack("<5H", 4, *starts) + b"".join(replies), replies[0], replies[3]


TAG_REPLIES = _tag_replies()


def tag_reply(data: bytes) -> None:
    """A multiple-service reply with four answers, or one answer."""
    answers = answers_in(data, [READ_TAG] * 4) if data[:1] == b"\x04" else [answer_of(data, READ_TAG)]
    for answer in answers:
        for bit in (None, 5):
            value_of(answer.data, bit, as_text=True)


_FORM = JsonForm(time="/t", quality="/q")
_POINTERS = ("/v", "/list/[id=7]/v", "/list/*/v", "/id", "")
_EXTRACTORS = [Extractor(Point(row, JsonAddress(value=value)), _FORM) for row, value in enumerate(_POINTERS)]
DOCUMENTS = (
    json.dumps(
        {"t": 1_700_000_000_000, "q": "good", "v": 1.5e3, "id": "0042", "list": [{"id": 7, "v": -1}, {"v": None}]}
    ).encode(),
    b'{"t": "2023-11-14T22:13:20.5+01:00", "v": 9007199254740993, "list": [[[[1]]], "\\u00e9", true]}',
    b"[" * 2000,
)


def document(data: bytes) -> None:
    """A JSON document and five pointers into it."""
    found, rows = parse(data), Rows()
    for extractor in _EXTRACTORS:
        extractor.add(rows, found, 0)


_TARGETS = {name: [Target(row, row % 2 == 1)] for row, name in enumerate(("a", "b", "speed", "state"))}
_TABLE = FilesConnection(folder="x", delimiter=";", decimal=",")
TABLES = (
    b'time;a;b\n1700000000;1,5;"x;y"\n2023-11-14T22:13:20Z;-2;\n1700000002,25;0042;RUN\n99999999999999999999;1;2\n',
    b"signal;time;value\nspeed;1700000000;12\nstate;1700000001;nan\n",
)


def table(data: bytes) -> None:
    """A CSV in wide or long form."""
    lines = data.decode("utf-8", "replace").splitlines(keepends=True)
    for records in read_csv(lines, _TABLE, Malformed(), ";", ","):
        rows_of(records, 0, _TARGETS, Counter())


def heard(data: bytes) -> None:
    """A message of a topic that nobody knows yet, as a search reads it."""
    topics = Heard()
    topics.take([Message("hall/press", data, True, 1, 0)])
    for found in topics.members("hall/press", "ms"):
        MqttAddress.model_validate(found.address)


LOGS = (
    b"2020-01-01T00:00:00Z|speed|1480.5|temp|40\n2020-01-01T00:00:00Z|vib|3|25600|0.25 -1.5 3\n",
    b"2020-01-01T00:00:01Z|vib|[1, 2, 3]\n2020-01-01T00:00:01Z|system|FAULT|E7|2|LOW|hot\n",
)
_WAVE = WavePoint(0, ReplayAddress(item="vib"), rate=100.0, speed_address=ReplayAddress(item="speed"))


def log_of_bursts(data: bytes) -> None:
    """The log of an MTConnect adapter with a time series."""
    bursts = BurstRows([_WAVE], lambda item, words: None)
    for records in read_shdr(data.decode("utf-8", "replace").splitlines(keepends=True), Malformed(), {"vib"}):
        bursts.rows(records, 0)


TARGETS = (
    Fuzzed("JSON search", heard, DOCUMENTS),
    Fuzzed("Adapter log with bursts", log_of_bursts, LOGS),
    Fuzzed("S7 replies", s7_reply, S7_REPLIES),
    Fuzzed("S7 contents", s7_contents, S7_CONTENTS),
    Fuzzed("EtherNet/IP replies", tag_reply, TAG_REPLIES),
    Fuzzed("JSON mapping", document, DOCUMENTS),
    Fuzzed("CSV", table, TABLES),
)

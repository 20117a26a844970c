"""Decoders of Modbus, OPC UA, MTConnect and Open Protocol, with good messages for them."""

from __future__ import annotations

import struct
from datetime import UTC, datetime

import numpy as np
from asyncua import ua
from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.framer.base import FramerBase
from pymodbus.pdu import DecodePDU
from tests.drivers.modbus.device import crc
from tests.drivers.mtconnect import test_xml as mtconnect
from tests.drivers.opcua.test_decode import publish_response
from tests.drivers.open_protocol import test_wire as open_protocol

from bench.fuzz.recordings import payloads
from bench.fuzz.run import Target
from lineshaft.drivers.base import WavePoint
from lineshaft.drivers.modbus.address import BURST_TYPES, ModbusAddress
from lineshaft.drivers.modbus.blocks import Layout, Span
from lineshaft.drivers.modbus.line import REPLIES, content_of
from lineshaft.drivers.modbus.options import TcpConnection
from lineshaft.drivers.modbus.waveform import registers_of, samples_of
from lineshaft.drivers.mtconnect.multipart import Splitter
from lineshaft.drivers.mtconnect.xml import parse
from lineshaft.drivers.opcua.decode import Columns, decode_history, decode_publish, decode_read, decode_republish
from lineshaft.drivers.open_protocol.fields import decode
from lineshaft.drivers.open_protocol.items import ITEMS, meaning
from lineshaft.drivers.open_protocol.trace import decode_trace
from lineshaft.drivers.open_protocol.wire import Framer, Message, encode
from lineshaft.errors import PeerTimeout

_SPAN = Span(1, "holding", 0, 3)


def _framer(kind: type[FramerBase]) -> FramerBase:
    decoder = DecodePDU(False)
    for reply in REPLIES:
        decoder.register(reply)
    return kind(decoder)


def _modbus(framer: FramerBase, data: bytes) -> None:
    _, reply = framer.handleFrame(data, 0, 0)
    if reply is not None and not reply.isError():
        content_of(reply, _SPAN, "device")


_TCP, _RTU = _framer(FramerSocket), _framer(FramerRTU)
_PDUS = (bytes([1, 3, 6]) + struct.pack(">3H", 1, 2, 3), bytes([1, 0x83, 2]), bytes([1, 1, 1, 5]))
_TCP_REPLIES = [struct.pack(">HHH", 7, 0, len(pdu)) + pdu for pdu in _PDUS]
_TCP_REPLIES += payloads(502, "modbus*/*.pcap", "modbus*/*.pcap.gz")
_MODBUS_REFUSALS = (ModbusException, PeerTimeout)


def _open_protocol(data: bytes) -> None:
    for message in Framer().feed(data):
        if message.mid == 900:
            decode_trace(message)
            continue
        for name, raw in decode(message).items():
            if name in ITEMS:
                meaning(ITEMS[name], raw, as_text=True)


def _opcua(data: bytes) -> None:
    """The first byte picks what the message is taken for."""
    columns, kind, body = Columns(), data[0] % 4 if data else 0, data[1:]
    if kind == 0:
        decode_publish(body)
    elif kind == 1:
        decode_republish(body, 77)
    elif kind == 2:
        decode_read(body, columns, 0)
    else:
        decode_history(body, columns, 0)
    if columns.refs:
        columns.batch(np.zeros(max(columns.refs) + 1, np.uint32), 0)


_VALUES = [
    ua.DataValue(ua.Variant(value), SourceTimestamp=datetime(2026, 1, 1, tzinfo=UTC))
    for value in (1.5, 7, True, "text", [1.0, 2.0], None)
]
_OPCUA = [bytes([kind]) + publish_response(_VALUES) for kind in range(4)]
_OPCUA += [
    bytes([kind]) + body[24:]  # behind the heads of message, security and sequence
    for body in payloads(4840, "opcua/*.pcap")
    for kind in range(4)
    if body[:3] == b"MSG"
]
_PARTS = mtconnect.TestMultipart.wire(mtconnect.TestMultipart.PARTS, lengths=True, end=b"\r\n")
_CURVES = [open_protocol.trace_message(revision) for revision in (1, 2, 3)]


def _modbus_burst(data: bytes) -> None:
    """The first byte picks type and order of the samples."""
    pick = data[0] if data else 0
    coding, order = BURST_TYPES[pick % len(BURST_TYPES)], ("ABCD", "CDAB", "BADC", "DCBA")[pick // 8 % 4]
    address = ModbusAddress.model_validate({"table": "input", "register": 0, "type": coding, "order": order})
    point = WavePoint(0, address, rate=25_600.0, samples=len(data[1:]) // (2 * address.size), scale=0.5)
    registers = registers_of(point, Layout(TcpConnection(host="device")))
    point.row(samples_of(data[1:], registers), None, 0)


_BURST_CONTENTS = (bytes([0]) + struct.pack(">40h", *range(40)), bytes([4]) + struct.pack(">20f", *range(20)))

TARGETS = (
    Target("Modbus bursts", _modbus_burst, _BURST_CONTENTS),
    Target("Modbus TCP replies", lambda data: _modbus(_TCP, data), _TCP_REPLIES, _MODBUS_REFUSALS),
    Target(
        "Modbus RTU replies",
        lambda data: _modbus(_RTU, data),
        [pdu + crc(pdu) for pdu in _PDUS],
        _MODBUS_REFUSALS,
    ),
    Target("OPC UA messages", _opcua, _OPCUA),
    Target("MTConnect XML", parse, (mtconnect.CURRENT, mtconnect.PROBE, mtconnect.ERROR, mtconnect.BOMB)),
    Target("MTConnect multipart", lambda data: list(Splitter("b0", 4096).feed(data)), (_PARTS,)),
    Target(
        "Open Protocol messages",
        _open_protocol,
        (*(text.encode() + b"\0" for text in open_protocol.VECTORS), *map(encode, _CURVES)),
    ),
    Target(
        "Open Protocol curves",
        lambda data: decode_trace(Message(900, data[0] % 3 + 1 if data else 1, data)),
        tuple(curve.data for curve in _CURVES),
    ),
)

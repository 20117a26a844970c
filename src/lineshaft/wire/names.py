"""Names of Lineshaft's own Sparkplug metrics and properties; no other module spells them."""

from __future__ import annotations

from typing import Final

REBIRTH: Final = "Node Control/Rebirth"
BDSEQ: Final = "bdSeq"
ACK: Final = "Node Control/Lineshaft Ack"  # Bytes, host -> edge: frames that are committed
REQUEST: Final = "Node Control/Lineshaft Request"  # Bytes, host -> edge: a part of a request, see wire/requests.py
WRITE: Final = "Node Control/Lineshaft Write"  # String (JSON), host -> edge: see wire.writes
BATCH: Final = "Lineshaft/Batch"  # Bytes, edge -> host: frame ids, microseconds, exact qualities
NOTE: Final = "Lineshaft/Note"  # String (JSON list), edge -> host: events, drop records, ledger reports
EQUIPMENT: Final = (
    "Lineshaft/Equipment"  # String (JSON), in NBIRTH: the part of the equipment tree that the gateway serves
)
VERSION: Final = "Properties/Lineshaft Version"  # String, in NBIRTH

# Properties of a signal's metric in a birth.
PATH: Final = "path"
KIND: Final = "kind"
UNIT: Final = "engUnit"
LOW: Final = "engLow"
HIGH: Final = "engHigh"
DESCRIPTION: Final = "description"
DECIMALS: Final = "decimals"
LIMIT_LOW_LOW: Final = "limitLowLow"
LIMIT_LOW: Final = "limitLow"
LIMIT_HIGH: Final = "limitHigh"
LIMIT_HIGH_HIGH: Final = "limitHighHigh"
STATES: Final = "states"  # JSON object: raw value -> word
WRITABLE: Final = "writable"  # JSON object: bounds within which the value may be set
ADDRESS: Final = "address"  # where the value is on the device, in words
QUALITY: Final = "Quality"  # Sparkplug's own
QUALITY_BYTE: Final = "qualityByte"  # Int32, model.samples.Quality: why a value is not good or not there

# Properties of a burst's metric (type Bytes) in a data message.
WAVE_RATE: Final = "sampleRate"  # Hz
WAVE_ENCODING: Final = "encoding"  # int16le or float32le
WAVE_SCALE: Final = "scale"  # value = sample * scale, in engUnit of the birth
WAVE_SPEED: Final = "shaftSpeed"  # 1/min
WAVE_OFFSET: Final = "offset"  # place of the first sample in its burst
WAVE_TOTAL: Final = "total"  # samples of the whole burst

FIRST_ALIAS: Final = 128
"""Aliases start here: from 128 to 16383 they are two bytes on the wire, so rows have one length."""

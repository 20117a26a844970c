"""A burst as bytes (disk buffer, journal) and as a plain Sparkplug metric of type Bytes with properties."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from lineshaft.errors import DataError
from lineshaft.model.samples import WaveArray
from lineshaft.model.waveforms import MOST_SAMPLES, Waveform
from lineshaft.wire import names
from lineshaft.wire.sparkplug import PropertyScalar

WAVEFORM: Final = 117
"""Stands for Bytes that are a burst in the tables of types by alias; never on the wire."""
_HEAD: Final = struct.Struct("<BBHdddIII")  # version, format, 0, rate, speed (NaN: none), scale, offset, total, samples
_VERSION: Final = 1
_FORMATS: Final = (("int16", "<i2"), ("float32", "<f4"))
ENCODINGS: Final = {"int16": "int16le", "float32": "float32le"}
"""Name of the type in memory -> what messages call it."""
_BY_ENCODING: Final = {ENCODINGS[name]: form for name, form in _FORMATS}


def pack(wave: Waveform) -> bytes:
    """All of a burst but its row."""
    number = 0 if wave.samples.dtype == np.int16 else 1
    speed = math.nan if wave.speed is None else wave.speed
    head = _HEAD.pack(_VERSION, number, 0, wave.rate, speed, wave.scale, wave.offset, wave.total, len(wave))
    return head + wave.samples.astype(_FORMATS[number][1], copy=False).tobytes()


def unpack(data: bytes | memoryview) -> Waveform:
    """The reverse of `pack`. Raises DataError."""
    try:
        version, number, _, rate, speed, scale, offset, total, count = _HEAD.unpack_from(data)
        if version != _VERSION:
            raise DataError(f"a waveform of version {version} is not known")
        samples = np.frombuffer(data, _FORMATS[number][1], count, _HEAD.size)
    except (struct.error, ValueError, IndexError) as error:
        raise DataError(f"damaged waveform of {len(data)} bytes: {error}") from error
    return Waveform(
        samples.astype(np.int16, copy=False) if number == 0 else samples.astype(np.float32, copy=False),
        rate,
        None if math.isnan(speed) else speed,
        scale,
        offset,
        total,
    )


def unpack_column(data: bytes, at: int, rows: int) -> tuple[WaveArray, int]:
    """object[rows] behind their lengths (uint32, 0 for a row without a burst), and the place after it.

    Raises DataError.
    """
    lengths = np.frombuffer(data, "<u4", rows, at).tolist()
    at += 4 * rows
    column: WaveArray = np.full(rows, None, object)
    for row, length in enumerate(lengths):
        if length:
            column[row] = unpack(data[at : at + length])
            at += length
    return column, at


def wave_bytes(wave: Waveform) -> bytes:
    """The samples alone, little endian: the value of the Sparkplug metric."""
    return wave.samples.astype(wave.samples.dtype.newbyteorder("<"), copy=False).tobytes()


def wave_properties(wave: Waveform) -> dict[str, PropertyScalar]:
    """What a foreign host needs to read the bytes: rate in Hz, encoding, scale, speed in 1/min, place in the burst."""
    found: dict[str, PropertyScalar] = {
        names.WAVE_RATE: wave.rate,
        names.WAVE_ENCODING: ENCODINGS[wave.samples.dtype.name],
        names.WAVE_SCALE: wave.scale,
        names.WAVE_OFFSET: wave.offset,
        names.WAVE_TOTAL: wave.total,
    }
    if wave.speed is not None:
        found[names.WAVE_SPEED] = wave.speed
    return found


def read_wave(value: bytes, properties: Mapping[str, Any]) -> Waveform:
    """The reverse of the two above. Raises DataError when properties are missing or do not fit."""
    try:
        encoding = str(properties.get(names.WAVE_ENCODING))
        form = np.dtype(_BY_ENCODING[encoding])
        samples = np.frombuffer(value, form).astype(form.newbyteorder("="), copy=False)
        speed = properties.get(names.WAVE_SPEED)
        rate, scale = float(properties[names.WAVE_RATE]), float(properties.get(names.WAVE_SCALE, 1.0))
        offset = int(properties.get(names.WAVE_OFFSET, 0))
        total = int(properties.get(names.WAVE_TOTAL, len(samples)))
    except (KeyError, ValueError, TypeError) as error:
        raise DataError(
            f"a waveform of {len(value)} bytes without what it needs: {error!r}",
            hint=f"{names.WAVE_RATE} and {names.WAVE_ENCODING} ({', '.join(_BY_ENCODING)}) are needed",
        ) from error
    if not math.isfinite(rate) or rate <= 0 or not 0 <= offset <= offset + len(samples) <= total <= MOST_SAMPLES:
        raise DataError(f"a waveform of {len(samples)} samples at {offset} of {total} with {rate:g} Hz cannot be")
    return Waveform(samples, rate, None if speed is None else float(speed), scale, offset, total)

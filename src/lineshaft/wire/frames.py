"""The two Bytes metrics of the end-to-end acknowledgement: what a message carries, and what the hub has committed."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lineshaft.errors import DataError
from lineshaft.model.samples import UInt8Array, UInt32Array

UInt64Array = NDArray[np.uint64]
EPOCH_BYTES: Final = 16
_VERSION: Final = 1
_HEAD: Final = struct.Struct("<BBH16sI")  # version, flags, frames, epoch, samples
_ACK: Final = struct.Struct("<B3x16sI")  # version, epoch, frames
_MICROSECONDS: Final = 1
_QUALITIES: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class BatchHeader:
    """Which buffer frames a message carries: their ids, and how many of its rows belong to each, in order.

    epoch   16 bytes that name the buffer
    frames  uint64[k] ids
    rows    uint32[k]; their sum is the number of rows in the message (0 for notes)
    """

    epoch: bytes
    frames: UInt64Array
    rows: UInt32Array

    @staticmethod
    def of(epoch: bytes, frames: Iterable[int], rows: Iterable[int]) -> BatchHeader:
        """Build one from plain numbers."""
        return BatchHeader(epoch, np.fromiter(frames, np.uint64), np.fromiter(rows, np.uint32))


def encode_header(header: BatchHeader, microseconds: NDArray[np.uint16] | None, qualities: UInt8Array | None) -> bytes:
    """Header, then the microseconds below the millisecond and the exact qualities of each row, where given."""
    count = len(microseconds) if microseconds is not None else len(qualities) if qualities is not None else 0
    flags = (_MICROSECONDS if microseconds is not None else 0) | (_QUALITIES if qualities is not None else 0)
    parts = [
        _HEAD.pack(_VERSION, flags, len(header.frames), header.epoch, count),
        header.frames.astype("<u8").tobytes(),
        header.rows.astype("<u4").tobytes(),
    ]
    if microseconds is not None:
        parts.append(microseconds.astype("<u2").tobytes())
    if qualities is not None:
        parts.append(qualities.tobytes())
    return b"".join(parts)


def decode_header(data: bytes) -> tuple[BatchHeader, NDArray[np.uint16] | None, UInt8Array | None]:
    """The reverse of `encode_header`. Raises DataError."""
    try:
        version, flags, frames, epoch, count = _HEAD.unpack_from(data)
    except struct.error as error:
        raise DataError(f"batch header of {len(data)} bytes is too short") from error
    expected = _HEAD.size + frames * 12 + count * (2 * bool(flags & _MICROSECONDS) + bool(flags & _QUALITIES))
    if version != _VERSION or len(data) != expected:
        raise DataError(f"batch header version {version} of {len(data)} bytes, expected version 1 of {expected}")
    at = _HEAD.size
    ids = np.frombuffer(data, "<u8", frames, at).astype(np.uint64)
    rows = np.frombuffer(data, "<u4", frames, at + 8 * frames).astype(np.uint32)
    at += 12 * frames
    microseconds = qualities = None
    if flags & _MICROSECONDS:
        microseconds = np.frombuffer(data, "<u2", count, at).astype(np.uint16)
        at += 2 * count
    if flags & _QUALITIES:
        qualities = np.frombuffer(data, np.uint8, count, at)
    return BatchHeader(epoch, ids, rows), microseconds, qualities


def encode_ack(epoch: bytes, frames: Iterable[int] | UInt64Array) -> bytes:
    """Value of the acknowledgement metric: these frames of that buffer are committed."""
    ids = np.asarray(frames if isinstance(frames, np.ndarray) else list(frames), "<u8")
    return _ACK.pack(_VERSION, epoch, len(ids)) + ids.tobytes()


def decode_ack(data: bytes) -> tuple[bytes, UInt64Array]:
    """Epoch and uint64 frame ids. Raises DataError."""
    try:
        version, epoch, count = _ACK.unpack_from(data)
    except struct.error as error:
        raise DataError(f"acknowledgement of {len(data)} bytes is too short") from error
    if version != _VERSION or len(data) != _ACK.size + 8 * count:
        raise DataError(f"acknowledgement version {version} of {len(data)} bytes names {count} frames")
    return epoch, np.frombuffer(data, "<u8", count, _ACK.size).astype(np.uint64)

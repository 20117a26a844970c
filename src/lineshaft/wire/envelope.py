"""The outer form of a Sparkplug payload: where its metrics start and end, and which of them are equally long."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lineshaft.errors import DataError
from lineshaft.wire import uniform
from lineshaft.wire.sparkplug import COMPRESSED, inflate


@dataclass(slots=True, eq=False)
class Envelope:
    """Where the metrics of a payload are (int64[n] offsets), and the payload's own fields."""

    data: bytes
    starts: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    ends: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    runs: list[uniform.Run] = field(default_factory=list)
    long: list[int] = field(default_factory=list)  # rows of 128 bytes and more: never numbers
    timestamp: int | None = None
    seq: int | None = None


def split(data: bytes, *, packed: bool = False) -> Envelope:
    """Find the metrics of a payload; `packed` when it comes out of a compressed one. Raises DataError."""
    envelope = Envelope(data)
    starts = _Starts()
    long: dict[int, int] = {}  # index -> length of the metrics of 128 bytes and more
    uuid = body = b""
    at, end = 0, len(data)
    try:
        while at < end:
            tag = data[at]
            if tag == 0x12 and data[at + 1] < 0x80:
                at = _short_metrics(data, at, starts)
            elif tag & 7 == 2:
                length, at = _varint(data, at + 1)
                if tag == 0x12:
                    long[len(starts)] = length
                    starts.append(at)
                elif tag == 0x22:
                    uuid = data[at : at + length]
                elif tag == 0x2A:
                    body = data[at : at + length]
                at += length
            elif tag == 0x08:
                envelope.timestamp, at = _varint(data, at + 1)
            elif tag == 0x18:
                envelope.seq, at = _varint(data, at + 1)
            else:
                raise DataError(f"unexpected protobuf tag 0x{tag:02x} at byte {at} of the payload")
    except IndexError as error:
        raise DataError(f"payload of {end} bytes ends in the middle of a field") from error
    if at != end:
        raise DataError(f"payload of {end} bytes ends in the middle of a metric")
    if uuid == COMPRESSED.encode() and not packed:
        return split(inflate(body), packed=True)
    envelope.starts, envelope.runs, envelope.long = starts.all(), starts.runs, list(long)
    lengths = np.frombuffer(data, np.uint8)[envelope.starts - 1].astype(np.int64)
    for index, length in long.items():
        lengths[index] = length
    envelope.ends = envelope.starts + lengths
    return envelope


class _Starts:
    """Where metrics start: single ones, and runs of equally long ones."""

    def __init__(self) -> None:
        self.runs: list[uniform.Run] = []
        self._whole: list[NDArray[np.int64]] = []
        self._whole_count = 0
        self._single: list[int] = []

    def __len__(self) -> int:
        return self._whole_count + len(self._single)

    def append(self, start: int) -> None:
        self._single.append(start)

    def extend(self, start: int, count: int, length: int) -> None:
        """A run; a short one is not remembered as such."""
        run = uniform.Run(len(self), count, start, length)
        if count < uniform.SHORTEST:
            self._single.extend(range(start, start + count * run.stride, run.stride))
            return
        self.runs.append(run)
        self._flush()
        self._whole.append(np.arange(start, start + count * run.stride, run.stride))
        self._whole_count += count

    def _flush(self) -> None:
        self._whole.append(np.array(self._single, np.int64))
        self._whole_count += len(self._single)
        self._single = []

    def all(self) -> NDArray[np.int64]:
        """int64[n] offsets in order."""
        self._flush()
        return np.concatenate(self._whole)


def _short_metrics(data: bytes, at: int, starts: _Starts) -> int:
    """Collect the starts of metrics shorter than 128 bytes from byte `at`; gives where they end."""
    end = len(data)
    retry = 0  # plain steps before looking for a run of equally long metrics again
    append = starts.append
    while at < end and data[at] == 0x12:
        length = data[at + 1]
        if length > 0x7F:
            break
        if retry == 0:
            run = _run(data, at, length)
            starts.extend(at + 2, run, length)
            at += run * (length + 2)
            retry = 0 if run >= uniform.SHORTEST else 100
        else:
            append(at + 2)
            at += length + 2
            retry -= 1
    return at


def _run(data: bytes, at: int, length: int) -> int:
    """How many metrics of exactly `length` < 128 bytes follow one another from byte `at`."""
    stride = length + 2
    count = (len(data) - at) // stride
    if length > 0x7F or count < 1:
        return 0
    heads = np.frombuffer(data, np.uint8, count * stride, at).reshape(count, stride)[:, :2]
    wrong = np.flatnonzero((heads[:, 0] != 0x12) | (heads[:, 1] != length))
    return int(wrong[0]) if len(wrong) else count


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number and the place behind it; the bits of the tenth byte beyond 64 are dropped, as protobuf does."""
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return number & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7
        if shift > 63:
            raise DataError(f"varint longer than 10 bytes at byte {at} of the payload")

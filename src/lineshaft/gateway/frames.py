"""How a frame of the disk buffer looks as bytes: length, CRC-32, then samples of one device or a note."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from lineshaft.errors import DataError
from lineshaft.model.samples import SampleBatch, TextArray, WaveArray
from lineshaft.wire.waveforms import pack, unpack_column

FILE_HEAD: Final = struct.Struct("<8sQ")  # magic, id of the first frame
MAGIC: Final = b"LSHBUF1\n"
HEAD: Final = struct.Struct("<II")  # length and CRC-32 of what follows
_BODY: Final = struct.Struct("<QqBBHII")  # id, written, kind, flags, device bytes, extra bytes, rows
_HAS_TEXTS: Final = 1
_HAS_EXTRA: Final = 2
_MORE: Final = 4
_LATE: Final = 8
_HAS_WAVES: Final = 16
_NO_TEXT: Final = 0xFFFFFFFF
ROW_BYTES: Final = 21
MAX_FRAME: Final = 1 << 30
ROW_ON_WIRE: Final = 52
"""Bytes of a row in a message at most, without its text."""
MAX_MESSAGE: Final = 190_000
"""Bytes of the rows in one frame, so that it fits into one message; a single longer text has a frame of its own."""
MAX_PIECE: Final = 90_000
"""Bytes of one piece of a burst: as base64 it still fits into 128 KB, the smallest message of a cloud."""
_WAVE_ON_WIRE: Final = 250
"""What a message says of a burst beside its samples."""
MAX_ROWS: Final = MAX_MESSAGE // ROW_ON_WIRE


class FrameKind(IntEnum):
    """What a frame holds."""

    SAMPLES = 1
    NOTE = 2
    POSITION = 3  # only where a resumable source stands; nothing to send


_KINDS: Final = frozenset(int(kind) for kind in FrameKind)


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. `batch.signals` are the buffer's own signal ids."""

    id: int
    written: int  # UTC microseconds
    kind: FrameKind
    device: str = ""
    rows: int = 0
    batch: SampleBatch | None = None
    position: str | None = None  # where a resumable source stood after these samples
    late: bool = False  # samples of the past: sent as historical, and never shown as the present value
    note: str = ""  # JSON list of notes
    target: str = ""  # the only uplink that this note is for; '' for all
    drops_segment: int | None = None  # this note tells what went with the segment that began with this frame id


@dataclass(frozen=True, slots=True)
class FrameInfo:
    """What the index needs to know of one frame."""

    offset: int
    size: int  # bytes, head included
    id: int
    written: int
    kind: FrameKind
    rows: int
    more: bool  # the next frame belongs to it: without that one it was not written whole


def encode_samples(
    number: int,
    written: int,
    device: str,
    batch: SampleBatch,
    position: str | None,
    *,
    more: bool = False,
    late: bool = False,
) -> bytes:
    """A frame of samples, or of only a position when the batch is empty; `more`: see FrameInfo, `late`: see Frame."""
    parts = [
        batch.signals.astype("<u4", copy=False).tobytes(),
        batch.times.astype("<i8", copy=False).tobytes(),
        batch.values.astype("<f8", copy=False).tobytes(),
        batch.qualities.tobytes(),
    ]
    flags = (_MORE if more else 0) | (_LATE if late else 0)
    if batch.texts is not None:
        flags |= _HAS_TEXTS
        texts = [None if text is None else text.encode("utf-8", "surrogatepass") for text in batch.texts]
        lengths = np.array([_NO_TEXT if text is None else len(text) for text in texts], "<u4")
        parts += [lengths.tobytes(), *(text for text in texts if text is not None)]
    if batch.waves is not None:
        flags |= _HAS_WAVES
        waves = [b"" if wave is None else pack(wave) for wave in batch.waves]
        parts += [np.array([len(wave) for wave in waves], "<u4").tobytes(), *waves]
    kind = FrameKind.SAMPLES if len(batch) else FrameKind.POSITION
    return _pack(number, written, kind, flags, device, position, len(batch), parts)


def sample_frames(
    first: int, written: int, device: str, batch: SampleBatch, position: str | None, *, late: bool = False
) -> tuple[list[Frame], list[bytes]]:
    """Frames with the ids from `first` on, and their bytes, of samples that may have to be cut to fit into messages."""
    parts = pieces(batch)
    end = len(parts) - 1
    kind = FrameKind.SAMPLES if len(batch) else FrameKind.POSITION
    frames = [
        Frame(first + i, written, kind, device, len(part), part, position if i == end else None, late=late)
        for i, part in enumerate(parts)
    ]
    data = [
        encode_samples(frame.id, written, device, part, frame.position, more=i < end, late=late)
        for i, (frame, part) in enumerate(zip(frames, parts, strict=True))
    ]
    return frames, data


def note_frames(
    first: int, written: int, texts: Sequence[tuple[str, str]], drops_segment: int | None = None
) -> tuple[list[Frame], list[bytes]]:
    """Frames with the ids from `first` on, and their bytes, of (text, target) that belong together; `drops_segment`
    goes with the first."""
    frames: list[Frame] = []
    data: list[bytes] = []
    for i, (text, target) in enumerate(texts):
        marker, more = drops_segment if i == 0 else None, i < len(texts) - 1
        frames.append(Frame(first + i, written, FrameKind.NOTE, note=text, target=target, drops_segment=marker))
        data.append(encode_note(first + i, written, text, target, drops_segment=marker, more=more))
    return frames, data


def encode_note(
    number: int,
    written: int,
    text: str,
    target: str = "",
    *,
    drops_segment: int | None = None,
    more: bool = False,
) -> bytes:
    """A frame that holds a JSON list of notes; for the other arguments see Frame and FrameInfo."""
    extra = f"{target}\0{'' if drops_segment is None else drops_segment}"
    return _pack(number, written, FrameKind.NOTE, _MORE if more else 0, "", extra, 0, [text.encode()])


def _pack(
    number: int,
    written: int,
    kind: FrameKind,
    flags: int,
    device: str,
    extra: str | None,
    rows: int,
    parts: list[bytes],
) -> bytes:
    name = device.encode()
    more = b"" if extra is None else extra.encode()
    flags |= 0 if extra is None else _HAS_EXTRA
    body = b"".join((_BODY.pack(number, written, kind, flags, len(name), len(more), rows), name, more, *parts))
    return sealed(body)


def sealed(body: bytes) -> bytes:
    """A frame's body behind its length and checksum."""
    return HEAD.pack(len(body), zlib.crc32(body)) + body


def walk(data: bytes, at: int) -> Iterator[FrameInfo]:
    """Intact frames from offset `at` on; stops at the first that is torn or damaged."""
    view = memoryview(data)
    while at + HEAD.size <= len(data):
        length, crc = HEAD.unpack_from(data, at)
        start, end = at + HEAD.size, at + HEAD.size + length
        if not _BODY.size <= length <= MAX_FRAME or end > len(data) or zlib.crc32(view[start:end]) != crc:
            return
        number, written, kind, flags, _, _, rows = _BODY.unpack_from(data, start)
        if kind not in _KINDS:
            return
        yield FrameInfo(at, end - at, number, written, FrameKind(kind), rows, bool(flags & _MORE))
        at = end


def decode(data: bytes | memoryview) -> Frame:
    """The frame in `data`, head included. Raises DataError when it is damaged."""
    try:
        length, crc = HEAD.unpack_from(data)
        body = bytes(data[HEAD.size : HEAD.size + length])
        if len(body) != length or zlib.crc32(body) != crc:
            raise DataError("a frame of the disk buffer is damaged")
        number, written, kind, flags, name_size, extra_size, rows = _BODY.unpack_from(body)
        at = _BODY.size + name_size + extra_size
        device = body[_BODY.size : _BODY.size + name_size].decode()
        extra = body[at - extra_size : at].decode() if flags & _HAS_EXTRA else None
        if kind == FrameKind.NOTE:
            target, _, segment = (extra or "\0").partition("\0")
            note = body[at:].decode()
            return Frame(
                number, written, FrameKind.NOTE, note=note, target=target,
                drops_segment=int(segment) if segment else None,
            )  # fmt: skip
        batch = _columns(body, at, rows, flags)
        return Frame(number, written, FrameKind(kind), device, rows, batch, extra, bool(flags & _LATE))
    except (struct.error, ValueError, IndexError) as error:
        raise DataError(f"a frame of the disk buffer is damaged: {error}") from error


def _columns(body: bytes, at: int, rows: int, flags: int) -> SampleBatch:
    signals = np.frombuffer(body, "<u4", rows, at)
    times = np.frombuffer(body, "<i8", rows, at + 4 * rows)
    values = np.frombuffer(body, "<f8", rows, at + 12 * rows)
    qualities = np.frombuffer(body, np.uint8, rows, at + 20 * rows)
    texts: TextArray | None = None
    waves: WaveArray | None = None
    at += ROW_BYTES * rows
    if flags & _HAS_TEXTS:
        lengths = np.frombuffer(body, "<u4", rows, at).tolist()
        at += 4 * rows
        texts = np.full(rows, None, object)
        for row, length in enumerate(lengths):
            if length != _NO_TEXT:
                texts[row] = body[at : at + length].decode("utf-8", "surrogatepass")
                at += length
    if flags & _HAS_WAVES:
        waves, at = unpack_column(body, at, rows)
    return SampleBatch(
        signals.astype(np.uint32, copy=False),
        times.astype(np.int64, copy=False),
        values.astype(np.float64, copy=False),
        qualities,
        texts,
        waves,
    )


def message_bytes(batch: SampleBatch | None) -> int:
    """Upper bound of what the rows take in a message; UTF-8 needs at most three bytes for each unit of text."""
    if batch is None:
        return 0
    texts = 0 if batch.texts is None else sum(3 * len(text) for text in batch.texts if text is not None)
    waves = 0 if batch.waves is None else batch.wave_bytes + _WAVE_ON_WIRE * int(batch.is_wave().sum())
    return ROW_ON_WIRE * len(batch) + texts + waves


def pieces(batch: SampleBatch) -> list[SampleBatch]:
    """Cut a batch so that each piece fits into one message; an empty batch stays one piece."""
    if message_bytes(batch) <= MAX_MESSAGE and batch.waves is None:
        return [batch]
    batch = cut_waves(batch, MAX_PIECE)
    texts = [None] * len(batch) if batch.texts is None else batch.texts.tolist()
    waves = [None] * len(batch) if batch.waves is None else batch.waves.tolist()
    cuts, size = [0], 0
    for row, (text, wave) in enumerate(zip(texts, waves, strict=True)):
        length = ROW_ON_WIRE + (3 * len(text) if text else 0)
        length += wave.nbytes + _WAVE_ON_WIRE if wave is not None else 0
        if size + length > MAX_MESSAGE and row > cuts[-1]:
            cuts.append(row)
            size = 0
        size += length
    return [batch.take(slice(start, end)) for start, end in zip(cuts, [*cuts[1:], len(batch)], strict=True)]


def cut_waves(batch: SampleBatch, most: int) -> SampleBatch:
    """The batch with bursts of more than `most` bytes in several rows, each at the time of its own first sample."""
    if batch.waves is None or all(wave is None or wave.nbytes <= most for wave in batch.waves):
        return batch
    parts = []
    for row, wave in enumerate(batch.waves):
        if wave is None or wave.nbytes <= most:
            parts.append(batch.take(slice(row, row + 1)))
            continue
        cut = list(wave.pieces(most))
        signal, quality = int(batch.signals[row]), int(batch.qualities[row])
        times = [int(batch.times[row]) + part.lag - wave.lag for part in cut]
        parts.append(SampleBatch.of_waves([signal] * len(cut), times, cut, quality))
    return SampleBatch.concat(parts)

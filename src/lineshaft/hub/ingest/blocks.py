"""A block: what is stored by one insert and acknowledged together, and its form in the journal."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lineshaft.errors import DataError
from lineshaft.model.samples import SampleBatch, TextArray, UInt32Array
from lineshaft.wire.waveforms import pack, unpack_column

_SIZES: Final = struct.Struct("<II")  # bytes of the JSON head, rows
_ROW_BYTES: Final = 4 + 8 + 8 + 1


@dataclass(frozen=True, slots=True)
class FrameRef:
    """Frames of one buffer that a part carries."""

    node: str  # group/edge node
    epoch: bytes
    frames: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NoteRef:
    """Notes of a node, as the JSON text in which they came."""

    node: str
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What one message adds to a block.

    batch       rows with historian ids
    live        bool[n]: False for historical rows, which are never shown as the current value
    duplicates  uint32[m]: signal of each row that came a second time and was left out
    received    monotonic seconds
    """

    batch: SampleBatch
    live: NDArray[np.bool_]
    received: float
    frames: FrameRef | None = None
    notes: NoteRef | None = None
    duplicates: UInt32Array = field(default_factory=lambda: np.empty(0, np.uint32))

    @property
    def weight(self) -> int:
        """Rows, and for bursts as many rows as would take their memory."""
        return len(self.batch) + self.batch.wave_bytes // _ROW_BYTES


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Parts put together. `duplicates` as in Part; they are counted, not stored."""

    batch: SampleBatch
    live: NDArray[np.bool_]
    frames: tuple[FrameRef, ...]
    notes: tuple[NoteRef, ...]
    duplicates: UInt32Array

    @staticmethod
    def of(parts: Sequence[Part]) -> Block:
        """Join parts in their order; frames of one buffer become one reference."""
        merged: dict[tuple[str, bytes], list[int]] = {}
        for part in parts:
            if part.frames is not None:
                merged.setdefault((part.frames.node, part.frames.epoch), []).extend(part.frames.frames)
        return Block(
            SampleBatch.concat([part.batch for part in parts]),
            np.concatenate([part.live for part in parts]),
            tuple(FrameRef(node, epoch, tuple(frames)) for (node, epoch), frames in merged.items()),
            tuple(part.notes for part in parts if part.notes is not None),
            np.concatenate([part.duplicates for part in parts]),
        )

    @property
    def holds_anything(self) -> bool:
        """False when there are only repetitions to be counted."""
        return bool(len(self.batch) or self.notes or any(ref.frames for ref in self.frames))

    def encode(self) -> bytes:
        """For the journal: what is needed to store the block and to remember its frames, nothing for the live view."""
        batch = self.batch
        texts: list[list[object]] = []
        if batch.texts is not None:
            texts = [[row, batch.texts[row]] for row in np.flatnonzero(batch.is_text()).tolist()]
        waves: list[bytes] = []
        if batch.waves is not None:
            waves = [b"" if wave is None else pack(wave) for wave in batch.waves]
        head = json.dumps(
            {
                "frames": [[ref.node, ref.epoch.hex(), ref.frames] for ref in self.frames],
                "notes": [[note.node, note.text] for note in self.notes],
                "texts": texts,
                "waves": sum(map(len, waves)) if waves else None,
            }
        ).encode()
        columns = (
            batch.signals.astype("<u4", copy=False),
            batch.times.astype("<i8", copy=False),
            batch.values.astype("<f8", copy=False),
            batch.qualities,
        )
        tail = [np.array([len(wave) for wave in waves], "<u4").tobytes(), *waves] if waves else []
        return b"".join((_SIZES.pack(len(head), len(batch)), head, *(column.tobytes() for column in columns), *tail))

    @staticmethod
    def decode(data: bytes) -> Block:
        """The reverse of `encode`. Raises DataError."""
        try:
            size, rows = _SIZES.unpack_from(data)
            head = json.loads(data[_SIZES.size : _SIZES.size + size])
            at = _SIZES.size + size
            waves = head.get("waves")
            if len(data) != at + rows * _ROW_BYTES + (0 if waves is None else 4 * rows + waves):
                raise DataError(f"block of {len(data)} bytes does not hold {rows} rows")
            signals = np.frombuffer(data, "<u4", rows, at).astype(np.uint32)
            times = np.frombuffer(data, "<i8", rows, at + 4 * rows).astype(np.int64)
            values = np.frombuffer(data, "<f8", rows, at + 12 * rows).astype(np.float64)
            qualities = np.frombuffer(data, np.uint8, rows, at + 20 * rows)
            texts: TextArray | None = None
            if head["texts"]:
                texts = np.full(rows, None, object)
                for row, text in head["texts"]:
                    texts[row] = text
            column = None if waves is None else unpack_column(data, at + rows * _ROW_BYTES, rows)[0]
            return Block(
                SampleBatch(signals, times, values, qualities, texts, column),
                np.zeros(rows, np.bool_),
                tuple(FrameRef(node, bytes.fromhex(epoch), tuple(ids)) for node, epoch, ids in head["frames"]),
                tuple(NoteRef(node, text) for node, text in head["notes"]),
                np.empty(0, np.uint32),
            )
        except (struct.error, ValueError, KeyError, TypeError, IndexError) as error:
            raise DataError(f"malformed block in the journal: {error!r}") from error

"""The disk buffer: every frame is on disk before anything is sent, and stays until each uplink has delivered it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import close, dup, fsync
from pathlib import Path
from typing import Final

import numpy as np
import structlog

from lineshaft.clock import Clock
from lineshaft.errors import ConfigError, DataError
from lineshaft.gateway.cursor import Cursor, replace_file
from lineshaft.gateway.frames import ROW_BYTES, Frame, FrameKind, encode_note, encode_samples
from lineshaft.gateway.keys import SignalKey, SignalKeys
from lineshaft.gateway.losses import Losses
from lineshaft.gateway.segment import SUFFIX, Segment, find
from lineshaft.gateway.store import Checkpoint, EndMark, load_epoch
from lineshaft.model.events import Event, Severity
from lineshaft.model.samples import Int64Array, SampleBatch, UInt32Array
from lineshaft.wire.notes import BufferStatus, DropNote, EventNote, Note, decode_notes, encode_notes

log = structlog.get_logger(__name__)

MAX_ROWS: Final = 4000
"""Rows in one frame, so that it fits into one message."""
MAX_TEXT: Final = 100_000
"""Bytes of text in one frame, for the same reason; a single longer text has a frame of its own."""
ID_GAP: Final = 1_000_000
"""Ids left out when frames may have been sent that are not in the files any more."""
_KEPT_EVENTS: Final = 200


@dataclass(frozen=True, slots=True)
class BufferOptions:
    """Bounds of a buffer."""

    max_bytes: int = 1_000_000_000
    max_age: float | None = None  # seconds
    segment_bytes: int = 8 << 20
    memory_bytes: int = 32 << 20  # while the disk takes nothing
    subject: str = ""  # path that events are about


class Buffer:
    """Frames of one gateway. All calls come from one thread, except the function that `syncing` returns."""

    def __init__(self, folder: Path, clock: Clock, uplinks: Sequence[str], options: BufferOptions) -> None:
        self._folder = folder
        self._clock = clock
        self._options = options
        self._segment_bytes = min(options.segment_bytes, max(16_384, options.max_bytes // 8))
        self._keys = SignalKeys(folder / "signals.jsonl")
        self._mark = EndMark(folder / "state")
        self._cursors = {name: Cursor() for name in uplinks}
        self._pending = dict.fromkeys(uplinks, 0)
        self._segments: list[Segment] = []
        self._memory: OrderedDict[int, Frame] = OrderedDict()  # what the disk did not take; consecutive ids
        self._memory_data: dict[int, bytes] = {}
        self._memory_bytes = 0
        self._memory_losses = {name: Losses() for name in uplinks}
        self._retry_at = 0.0
        self._event_at = -float("inf")
        self._announce: Event | None = None
        self.ledger_lost = False
        """A ledger note was dropped: the next one must name every signal."""
        self._checkpoint = Checkpoint()
        self._next = 1
        self._unsynced: list[int] = []
        self.disk_full = False
        self.on_append: Callable[[], None] = lambda: None
        """Called after something was added."""

    # -- opening and closing

    def open(self) -> None:
        """Read the folder, made when absent; cuts a torn end. Raises OSError or ConfigError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self.epoch = load_epoch(self._folder / "epoch")
        lost = self._mark.open()
        self._keys.open()
        self._checkpoint = Checkpoint.load(self._folder / "checkpoint")
        self._grow_totals()
        for name in self._cursors:
            self._cursors[name] = Cursor.load(self._cursor_path(name))
        half_dropped = self._load_segments()
        last = max([self._checkpoint.frame, *(segment.last for segment in self._segments)])
        self._next = last + 1 + (ID_GAP if lost else 0)
        for number in half_dropped:
            segment = find(self._segments, number)
            if segment is not None and segment.first == number:
                self._forget(segment)
        for name, cursor in self._cursors.items():
            self._close_holes(cursor)
            self._pending[name] = sum(_open_rows(segment, cursor) for segment in self._segments)
        self._remove_delivered()

    def _load_segments(self) -> list[int]:
        """Index all segments; returns the first ids of segments whose removal was begun."""
        half_dropped: list[int] = []

        def visit(frame: Frame) -> None:
            if frame.id <= self._checkpoint.frame:
                return
            if frame.drops_segment is not None:
                half_dropped.append(frame.drops_segment)
            self._count(frame)

        paths = sorted(self._folder.glob(f"*{SUFFIX}"))
        for path in paths:
            try:
                segment = Segment(path, int(path.stem))
            except ValueError:
                raise ConfigError(f"{path}: not a segment of the disk buffer") from None
            newest = path == paths[-1]
            if newest or not segment.load():
                torn = segment.scan(visit, cut=newest)
                if torn:
                    log.warning("buffer.torn_end", segment=path.name, bytes=torn)
            self._segments.append(segment)
        return half_dropped

    def _close_holes(self, cursor: Cursor) -> None:
        """Ids that no file holds need not be delivered any more."""
        expected = 1
        for segment in self._segments:
            cursor.add(expected, segment.first - 1)
            expected = segment.last + 1
        cursor.add(expected, self._next - 1)

    def close(self) -> None:
        """Make all durable and release the files. What only fits into memory is lost with a log line."""
        self._flush_memory(force=True)
        try:
            self.syncing()()
            if not self._memory:
                self._checkpoint.frame = self._next - 1
                self._checkpoint.write(self._folder / "checkpoint")
                self._mark.set("closed")
        except OSError as error:
            log.error("buffer.close_failed", error=str(error))
        for segment in self._segments:
            segment.close()

    # -- writing

    def register(self, keys: Sequence[SignalKey]) -> UInt32Array:
        """uint32 id of each signal in this buffer; the same ever after. Raises OSError."""
        ids = self._keys.register(keys)
        self._grow_totals()
        return ids

    @property
    def keys(self) -> Sequence[SignalKey]:
        """All signals that ever were in this buffer; the index is the id."""
        return self._keys.keys

    def position(self, device: str) -> str | None:
        """Where a resumable source stood after its newest frame."""
        for frame in reversed(self._memory.values()):
            if frame.device == device and frame.position is not None:
                return frame.position
        return self._checkpoint.positions.get(device)

    def append(self, device: str, batch: SampleBatch, position: str | None = None) -> None:
        """Keep samples of one device (signals: ids of `register`), with the position of a resumable source.

        Nothing is written for no rows and no position. Never raises for a full disk: see `disk_full`.
        """
        if not len(batch) and position is None:
            return
        self._make_room(ROW_BYTES * len(batch) + 256)
        now = self._clock.now_us()
        parts = _pieces(batch)
        end = len(parts) - 1
        frames = [
            Frame(self._next + i, now, _kind(part), device, len(part), part, position if i == end else None)
            for i, part in enumerate(parts)
        ]
        data = [
            encode_samples(frame.id, now, device, part, frame.position, more=i < end)
            for i, (frame, part) in enumerate(zip(frames, parts, strict=True))
        ]
        self._put(frames, data)

    def append_note(self, note: Note, *, target: str = "") -> None:
        """Keep a note for one uplink, or for all."""
        self._put_notes([(note, target)])

    def _put_notes(self, notes: Sequence[tuple[Note, str]], drops_segment: int | None = None) -> None:
        """Write notes in one go; `drops_segment` is kept with the first."""
        now = self._clock.now_us()
        frames: list[Frame] = []
        data: list[bytes] = []
        for i, (note, target) in enumerate(notes):
            text, marker = encode_notes([note]), drops_segment if i == 0 else None
            frames.append(Frame(self._next + i, now, FrameKind.NOTE, note=text, target=target, drops_segment=marker))
            more = i < len(notes) - 1
            data.append(encode_note(self._next + i, now, text, target, drops_segment=marker, more=more))
        self._put(frames, data)

    def _put(self, frames: Sequence[Frame], data: Sequence[bytes]) -> None:
        """Write frames that have the next ids; what the disk does not take is held in memory."""
        self._next += len(frames)
        for name in self._pending:
            self._pending[name] += sum(frame.rows for frame in frames)
        if self._memory or not self._write(frames, data):
            for frame, piece in zip(frames, data, strict=True):
                self._memory[frame.id] = frame
                self._memory_data[frame.id] = piece
                self._memory_bytes += len(piece)
            self._flush_memory()
            self._bound_memory()
        self.on_append()

    def _write(self, frames: Sequence[Frame], data: Sequence[bytes]) -> bool:
        """Append to the newest segment; False when the disk does not take it."""
        first, size = frames[0].id, sum(map(len, data))
        try:
            segment = self._segments[-1] if self._segments else None
            if segment is None or segment.last + 1 != first or segment.bytes + size > self._segment_bytes:
                segment = self._roll(first)
            rows = [(len(piece), frame.rows) for frame, piece in zip(frames, data, strict=True)]
            segment.append(b"".join(data), frames[-1].written, rows)
        except OSError as error:
            self._disk_failed(error)
            return False
        for frame in frames:
            self._count(frame)
        return True

    def _roll(self, first: int) -> Segment:
        """Begin a new segment with frame `first`, all frames before it being on disk or gone. Raises OSError."""
        if self._segments:
            newest = self._segments[-1]
            if not newest.count:
                if newest.first == first:
                    return newest
                self._segments.pop().remove()
            else:
                self._checkpoint.frame = first - 1
                self._checkpoint.write(self._folder / "checkpoint")
                newest.write_index()
                self._unsynced.append(dup(newest.handle()))
                newest.close()
        segment = Segment(self._folder / Segment.name(first), first)
        segment.create()
        self._segments.append(segment)
        self._remove_delivered()
        return segment

    def _count(self, frame: Frame) -> None:
        """Take a frame that is on disk (or dropped) into the totals."""
        if frame.batch is not None and frame.rows:
            np.add.at(self._checkpoint.totals, frame.batch.signals, 1)
        if frame.position is not None:
            self._checkpoint.positions[frame.device] = frame.position

    def _grow_totals(self) -> None:
        missing = len(self._keys.keys) - len(self._checkpoint.totals)
        if missing > 0:
            self._checkpoint.totals = np.concatenate((self._checkpoint.totals, np.zeros(missing, np.int64)))

    # -- bounds

    def tidy(self) -> None:
        """Called about once a second: tries a full disk again, and drops what is older than the bound."""
        self._flush_memory()
        age = self._options.max_age
        if age is None:
            return
        limit = self._clock.now_us() - round(age * 1e6)
        step = round(age * 1e6 / 8)
        try:
            newest = self._segments[-1] if self._segments else None
            if newest is not None and newest.count and newest.oldest < self._clock.now_us() - step and not self._memory:
                self._roll(self._next)
            while len(self._segments) > 1 and self._segments[0].newest < limit:
                self._drop(self._segments[0], "buffer age")
        except OSError as error:
            self._disk_failed(error)

    def _make_room(self, size: int) -> None:
        """Drop the oldest segments until `size` more bytes fit into the bound."""
        try:
            while self._segments and self.bytes + size > self._options.max_bytes:
                if len(self._segments) == 1:
                    if self._memory or not self._segments[0].count:
                        return
                    self._roll(self._next)
                self._drop(self._segments[0], "buffer size")
        except OSError as error:
            self._disk_failed(error)

    def _drop(self, segment: Segment, reason: str) -> None:
        """Tell what goes, then remove a segment. Raises OSError."""
        losses = {name: Losses() for name in self._cursors}
        events: list[tuple[Note, str]] = []
        undelivered = {name: list[SampleBatch]() for name in self._cursors}
        for number, frame in enumerate(segment.frames(), segment.first):
            for name, cursor in self._cursors.items():
                if frame is None or number in cursor:
                    continue
                if frame.batch is not None and frame.rows:
                    undelivered[name].append(frame.batch)
                elif frame.note and frame.target in ("", name):
                    carried = self._carry(frame.note, losses[name])
                    events += [(note, frame.target) for note in carried if (note, frame.target) not in events]
        for name, batches in undelivered.items():
            losses[name].add_batches(batches, self.keys, reason)
        self._tell(losses, reason, events[-_KEPT_EVENTS:], segment.first)
        self._forget(segment)

    def _carry(self, text: str, losses: Losses) -> list[Note]:
        """What of an undelivered note must survive: events, and the counts of earlier drops."""
        try:
            notes = decode_notes(text)
        except DataError:
            return []
        for note in notes:
            if isinstance(note, DropNote):
                losses.add_drops(note.drops)
        self.ledger_lost = True
        return [note for note in notes if isinstance(note, EventNote)]

    def _tell(
        self, losses: Mapping[str, Losses], reason: str, events: list[tuple[Note, str]], segment: int | None
    ) -> None:
        """Write drop notes and, now and then, an event about them."""
        notes = [(note, name) for name, found in losses.items() for note in found.notes(self.epoch.hex())]
        rows = max((found.rows for found in losses.values()), default=0)
        self._checkpoint.dropped_rows += rows
        now = self._clock.monotonic()
        if rows and now >= self._event_at + 60.0:
            self._event_at = now
            first, last = max(losses.values(), key=lambda found: found.rows).span()
            events.append((EventNote(self._dropped_event(rows, first, last, reason)), ""))
        everything: list[tuple[Note, str]] = [*notes, *events]
        if everything:
            self._put_notes(everything, segment)

    def _dropped_event(self, rows: int, first: int, last: int, reason: str) -> Event:
        log.warning("buffer.dropped", rows=rows, reason=reason)
        return Event(
            self._clock.now_us(),
            "buffer.dropped",
            self._options.subject,
            f"{rows} samples were removed before they could be delivered ({reason}).",
            Severity.HIGH,
            {"rows": rows, "first": first, "last": last, "reason": reason, "bound_bytes": self._options.max_bytes},
        )

    def _forget(self, segment: Segment) -> None:
        """Remove a segment and count what it held as no longer pending. Raises OSError."""
        if segment not in self._segments:  # delivered and removed meanwhile
            return
        segment.remove()
        self._segments.remove(segment)
        for name, cursor in self._cursors.items():
            self._pending[name] -= _open_rows(segment, cursor)
            cursor.add(segment.first, segment.last)

    # -- a disk that takes nothing

    def _disk_failed(self, error: OSError) -> None:
        self._retry_at = self._clock.monotonic() + 1.0
        if self.disk_full:
            return
        self.disk_full = True
        log.error("buffer.disk_full", error=str(error))
        try:
            self._mark.set("full")
        except OSError as again:
            log.error("buffer.mark_failed", error=str(again))
        self._announce = Event(
            self._clock.now_us(),
            "buffer.disk_full",
            self._options.subject,
            f"The disk takes no more samples ({error.strerror}); the newest are held in memory.",
            Severity.HIGH,
            {"error": str(error), "memory_bytes": self._options.memory_bytes},
        )

    def _flush_memory(self, *, force: bool = False) -> None:
        """Move held frames to the disk, some at a time, as far as it takes them."""
        if self._memory and self._announce is not None:
            event, self._announce = self._announce, None
            self._put_notes([(EventNote(event), "")])
        while self._memory and (force or self._clock.monotonic() >= self._retry_at):
            frames = list(self._memory.values())[:64]
            if not self._write(frames, [self._memory_data[frame.id] for frame in frames]):
                return
            for frame in frames:
                self._memory_bytes -= len(self._memory_data.pop(frame.id))
                del self._memory[frame.id]
        if self._memory or not self.disk_full or (self._clock.monotonic() < self._retry_at and not force):
            return
        self.disk_full = False
        self._announce = None
        losses, self._memory_losses = self._memory_losses, {name: Losses() for name in self._cursors}
        log.info("buffer.disk_recovered")
        event = Event(
            self._clock.now_us(), "buffer.disk_recovered", self._options.subject, "The disk takes samples again."
        )
        self._tell(losses, "disk full", [(EventNote(event), "")], None)
        try:
            self._mark.set("open")
        except OSError as error:
            self._disk_failed(error)

    def _bound_memory(self) -> None:
        """Drop the oldest frames held in memory beyond the bound, counted."""
        while self._memory_bytes > self._options.memory_bytes and len(self._memory) > 1:
            number, frame = self._memory.popitem(last=False)
            self._memory_bytes -= len(self._memory_data.pop(number))
            self._count(frame)
            for name, cursor in self._cursors.items():
                if number in cursor:
                    continue
                self._pending[name] -= frame.rows
                cursor.add(number, number)
                if frame.batch is not None:
                    self._memory_losses[name].add_batches([frame.batch], self.keys, "disk full")
                elif frame.target in ("", name):
                    self._carry(frame.note, self._memory_losses[name])

    # -- reading and delivery

    def next_open(self, uplink: str, after: int) -> int | None:
        """Id of the first frame behind `after` that this uplink has not delivered; None when there is none."""
        cursor = self._cursors[uplink]
        number = cursor.next_open(after + 1)
        while number < self._next:
            if number in self._memory or find(self._segments, number) is not None:
                return number
            behind = [segment.first for segment in self._segments if segment.first > number and segment.count]
            behind += [first for first in [next(iter(self._memory), 0)] if first > number]
            if not behind:
                return None
            number = cursor.next_open(min(behind))
        return None

    def read(self, number: int) -> Frame | None:
        """A frame by its id; None when it is gone or damaged (then it counts as delivered, with an event)."""
        if number in self._memory:
            return self._memory[number]
        segment = find(self._segments, number)
        if segment is None:
            return None
        try:
            return segment.read(number)
        except DataError as error:
            rows = segment.rows_of(number)
            log.error("buffer.damaged", frame=number, rows=rows, error=str(error))
            for name in self._cursors:
                self.acknowledge(name, [number])
            text = f"A frame of {rows} samples in the disk buffer is damaged and cannot be sent."
            details = {"frame": number, "rows": rows}
            self.append_note(
                EventNote(
                    Event(
                        self._clock.now_us(),
                        "buffer.damaged",
                        self._options.subject,
                        text,
                        Severity.HIGH,
                        details,
                    )
                )
            )
            return None

    def acknowledge(self, uplink: str, numbers: Iterable[int]) -> int:
        """These frames are delivered; returns the samples that were pending in them. Unknown ids are ignored."""
        cursor = self._cursors[uplink]
        rows = 0
        for number in numbers:
            if number in cursor or not 0 < number < self._next:
                continue
            segment = None if number in self._memory else find(self._segments, number)
            if segment is not None:
                rows += segment.rows_of(number)
            elif number in self._memory:
                rows += self._memory[number].rows
            cursor.add(number, number)
        self._pending[uplink] -= rows
        self._remove_delivered()
        return rows

    def _remove_delivered(self) -> None:
        """Remove closed segments that every uplink has delivered."""
        for segment in self._segments[:-1]:
            if all(cursor.covers(segment.first, segment.last) for cursor in self._cursors.values()):
                try:
                    segment.remove()
                except OSError as error:
                    log.error("buffer.remove_failed", segment=segment.path.name, error=str(error))
                self._segments.remove(segment)

    # -- figures

    @property
    def last(self) -> int:
        """Id of the newest frame; 0 when there never was one."""
        return self._next - 1

    @property
    def bytes(self) -> int:
        """Bytes of all segments and of what is held in memory."""
        return sum(segment.bytes for segment in self._segments) + self._memory_bytes

    def pending(self, uplink: str) -> int:
        """Samples that this uplink has not delivered."""
        return self._pending[uplink]

    def totals(self) -> tuple[int, Int64Array]:
        """Newest frame id, and int64 count per signal id of all samples that ever entered the buffer."""
        totals = self._checkpoint.totals.copy()
        for frame in self._memory.values():
            if frame.batch is not None:
                np.add.at(totals, frame.batch.signals, 1)
        return self.last, totals

    def undelivered_keys(self) -> set[int]:
        """Ids of the signals that have undelivered samples; reads all of them, for the start."""
        found: set[int] = set()
        for segment in self._segments:
            if all(cursor.covers(segment.first, segment.last) for cursor in self._cursors.values()):
                continue
            for frame in segment.frames():
                if frame is not None and frame.batch is not None:
                    found.update(np.unique(frame.batch.signals).tolist())
        return found

    def status(self) -> BufferStatus:
        """How full the buffer is, for the uplink that is furthest behind."""
        firsts = [number for name in self._cursors if (number := self.next_open(name, 0)) is not None]
        frame = self.read(min(firsts)) if firsts else None
        return BufferStatus(
            rows=max(self._pending.values(), default=0),
            bytes=self.bytes if firsts else 0,
            max_bytes=self._options.max_bytes,
            oldest=None if frame is None else frame.written,
            dropped_rows=self._checkpoint.dropped_rows,
            disk_full=self.disk_full,
        )

    def syncing(self) -> Callable[[], None]:
        """What must be forced to the disk now, as a function that another thread may run; it raises OSError."""
        handles, self._unsynced = self._unsynced, []
        if self._segments and self._segments[-1].count:
            handles.append(dup(self._segments[-1].handle()))
        files = []
        for name, cursor in self._cursors.items():
            if cursor.changed:
                cursor.changed = False
                files.append((self._cursor_path(name), cursor.encode()))

        def work() -> None:
            try:
                for handle in handles:
                    fsync(handle)
            finally:
                for handle in handles:
                    close(handle)
            for path, data in files:
                replace_file(path, data)

        return work

    def _cursor_path(self, uplink: str) -> Path:
        return self._folder / f"delivered-{uplink}.json"


def _open_rows(segment: Segment, cursor: Cursor) -> int:
    """Samples of a segment that are not delivered."""
    delivered = cursor.overlap(segment.first, segment.last)
    return segment.rows - sum(segment.rows_of(number) for numbers in delivered for number in numbers)


def _kind(batch: SampleBatch) -> FrameKind:
    return FrameKind.SAMPLES if len(batch) else FrameKind.POSITION


def _pieces(batch: SampleBatch) -> list[SampleBatch]:
    """Cut a batch so that each piece fits into one message; an empty batch stays one piece."""
    if len(batch) <= MAX_ROWS and batch.texts is None:
        return [batch]
    cuts = [0]
    size = 0
    lengths = [0] * len(batch) if batch.texts is None else [len(text) * 3 if text else 0 for text in batch.texts]
    for row, length in enumerate(lengths):
        if row - cuts[-1] >= MAX_ROWS or (size + length > MAX_TEXT and row > cuts[-1]):
            cuts.append(row)
            size = 0
        size += length
    return [batch.take(slice(a, b)) for a, b in zip(cuts, [*cuts[1:], len(batch)], strict=True)] or [batch]

"""The disk buffer: every frame is on disk before anything is sent, and stays until each uplink has delivered it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from os import dup
from pathlib import Path
from typing import Final

import numpy as np
import structlog

from lineshaft.clock import Clock
from lineshaft.errors import DataError
from lineshaft.gateway.delivery import Delivery
from lineshaft.gateway.frames import ROW_BYTES, Frame, note_frames, sample_frames
from lineshaft.gateway.keys import SignalKey, SignalKeys
from lineshaft.gateway.lookup import first_open, signals_in
from lineshaft.gateway.losses import Losses, survey
from lineshaft.gateway.overflow import Overflow
from lineshaft.gateway.segment import Segment, find, load_segments
from lineshaft.gateway.store import BufferOptions, Checkpoint, EndMark, forcing, load_epoch
from lineshaft.model.events import Event, Severity
from lineshaft.model.samples import Int64Array, SampleBatch, UInt32Array
from lineshaft.wire.notes import BufferStatus, EventNote, Note, encode_notes

log = structlog.get_logger(__name__)

ID_GAP: Final = 1_000_000
"""Ids left out when frames may have been sent that are not in the files any more."""
EVENT_PAUSE: Final = 60.0
"""Seconds between two events about drops; every drop has its note."""
_FLUSHED_AT_ONCE: Final = 64


class Buffer:
    """Frames of one gateway. All calls come from one thread, except the function that `syncing` returns."""

    def __init__(self, folder: Path, clock: Clock, uplinks: Sequence[str], options: BufferOptions) -> None:
        self._folder = folder
        self._clock = clock
        self._options = options
        self._segment_bytes = min(options.segment_bytes, max(16_384, options.max_bytes // 8))
        self._keys = SignalKeys(folder / "signals.jsonl")
        self._mark = EndMark(folder / "state")
        self._delivery = Delivery(folder, uplinks)
        self._segments: list[Segment] = []
        self._memory = Overflow()
        self._memory_losses = {name: Losses() for name in uplinks}
        self._announce = False
        self._retry_at = 0.0
        self._event_at = -float("inf")
        self._checkpoint = Checkpoint()
        self._next = 1
        self._unsynced: list[int] = []
        self.disk_full = False
        self.ledger_lost = False
        """A ledger note was dropped: the next one must name every signal."""
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
        self._delivery.load()
        half_dropped: list[int] = []

        def visit(frame: Frame) -> None:
            if frame.id > self._checkpoint.frame:
                if frame.drops_segment is not None:
                    half_dropped.append(frame.drops_segment)
                self._count(frame)

        self._segments = load_segments(self._folder, visit)
        last = max([self._checkpoint.frame, *(segment.last for segment in self._segments)])
        self._next = last + 1 + (ID_GAP if lost else 0)
        for segment in [segment for segment in self._segments if segment.first in half_dropped]:
            segment.remove()
            self._segments.remove(segment)
        self._delivery.count(self._segments, self._next)
        self._remove_delivered()

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
        held = [frame.position for frame in self._memory if frame.device == device and frame.position is not None]
        return held[-1] if held else self._checkpoint.positions.get(device)

    def append(self, device: str, batch: SampleBatch, position: str | None = None, *, late: bool = False) -> None:
        """Keep samples of one device (signals: ids of `register`), with the position of a resumable source.

        late: the samples are of the past, see Frame. Nothing is written for no rows and no position.
        Never raises for a full disk: see `disk_full`.
        """
        if not len(batch) and position is None:
            return
        self._make_room(ROW_BYTES * len(batch) + batch.wave_bytes + 256)
        self._put(*sample_frames(self._next, self._clock.now_us(), device, batch, position, late=late))

    def append_note(self, note: Note, *, target: str = "") -> None:
        """Keep a note for one uplink, or for all."""
        self._put_notes([(note, target)])

    def _event(self, kind: str, message: str, severity: Severity = Severity.INFO, **details: str | int) -> EventNote:
        return EventNote(Event(self._clock.now_us(), kind, self._options.subject, message, severity, details))

    def _put_notes(self, notes: Sequence[tuple[Note, str]], drops_segment: int | None = None) -> None:
        """Write notes in one go; `drops_segment` is kept with the first."""
        texts = [(encode_notes([note]), target) for note, target in notes]
        self._put(*note_frames(self._next, self._clock.now_us(), texts, drops_segment))

    def _put(self, frames: Sequence[Frame], data: Sequence[bytes]) -> None:
        """Write frames that have the next ids; what the disk does not take is held in memory."""
        self._next += len(frames)
        self._delivery.added(sum(frame.rows for frame in frames))
        if self._memory or not self._write(frames, data):
            self._memory.add(frames, data)
            self._hold()
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
        if self._options.max_age is None or self._memory:
            return
        age_us, now = round(self._options.max_age * 1e6), self._clock.now_us()
        try:
            newest = self._segments[-1] if self._segments else None
            if newest is not None and newest.count and newest.oldest < now - age_us // 8:
                self._roll(self._next)
            while len(self._segments) > 1 and self._segments[0].newest < now - age_us:
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
        frames = enumerate(segment.frames(), segment.first)
        self._tell(survey(frames, self._delivery.cursors, self.keys, reason), reason, segment.first)
        if segment in self._segments:  # else it was delivered and removed meanwhile
            segment.remove()
            self._segments.remove(segment)
            self._delivery.removed(segment)

    def _tell(self, losses: Mapping[str, Losses], reason: str, segment: int | None) -> None:
        """Write drop notes, the events that were among what goes, and now and then an event about the drop."""
        notes: list[tuple[Note, str]] = []
        for name, found in losses.items():
            notes += [(note, name) for note in found.notes(self.epoch.hex())]
            notes += [pair for pair in found.events if pair not in notes]
            self.ledger_lost = self.ledger_lost or found.ledger
        worst = max(losses.values(), key=lambda found: found.rows, default=Losses())
        self._checkpoint.dropped_rows += worst.rows
        now = self._clock.monotonic()
        if worst.rows and now >= self._event_at + EVENT_PAUSE:
            self._event_at = now
            log.warning("buffer.dropped", rows=worst.rows, reason=reason)
            first, last = worst.span()
            text = f"{worst.rows} samples were removed before they could be delivered ({reason})."
            details = {"rows": worst.rows, "first": first, "last": last, "bound_bytes": self._options.max_bytes}
            notes.append((self._event("buffer.dropped", text, Severity.HIGH, reason=reason, **details), ""))
        if notes:
            self._put_notes(notes, segment)

    # -- a disk that takes nothing

    def _disk_failed(self, error: OSError) -> None:
        self._retry_at = self._clock.monotonic() + 1.0
        if self.disk_full:
            return
        self.disk_full = self._announce = True
        log.error("buffer.disk_full", error=str(error))
        try:
            self._mark.set("full")
        except OSError as again:
            log.error("buffer.mark_failed", error=str(again))

    def _flush_memory(self, *, force: bool = False) -> None:
        """Move held frames to the disk, some at a time, as far as it takes them."""
        while self._memory and (force or self._clock.monotonic() >= self._retry_at):
            frames, data = self._memory.oldest(_FLUSHED_AT_ONCE)
            if not self._write(frames, data):
                return
            self._memory.pop(len(frames))
        if self._memory or not self.disk_full or (self._clock.monotonic() < self._retry_at and not force):
            return
        self.disk_full = False
        log.info("buffer.disk_recovered")
        losses, self._memory_losses = self._memory_losses, {name: Losses() for name in self._memory_losses}
        self._tell(losses, "disk full", None)
        self.append_note(self._event("buffer.disk_recovered", "The disk takes samples again."))
        try:
            self._mark.set("open")
        except OSError as error:
            self._disk_failed(error)

    def _hold(self) -> None:
        """Try the disk again; say once that it is full; drop the oldest held frames beyond the bound, counted."""
        self._flush_memory()
        if self._announce:
            self._announce = False
            text = "The disk takes no more samples; the newest are held in memory."
            event = self._event("buffer.disk_full", text, Severity.HIGH, memory_bytes=self._options.memory_bytes)
            self.append_note(event)
        while self._memory.bytes > self._options.memory_bytes and len(self._memory) > 1:
            (frame,) = self._memory.pop()
            self._count(frame)
            for name, cursor in self._delivery.cursors.items():
                if frame.id not in cursor:
                    self._memory_losses[name].add_frames([frame], self.keys, "disk full", name)
                    self._delivery.done(name, frame.id, frame.rows)

    # -- reading and delivery

    def next_open(self, uplink: str, after: int) -> int | None:
        """Id of the first frame behind `after` that this uplink has not delivered; None when there is none."""
        return first_open(self._segments, self._memory, self._delivery.cursors[uplink], after, self._next)

    def read(self, number: int) -> Frame | None:
        """A frame by its id; None when it is gone or damaged (then it counts as delivered, with an event)."""
        segment = find(self._segments, number)
        if segment is None:
            return self._memory.get(number)
        try:
            return segment.read(number)
        except DataError as error:
            rows = segment.rows_of(number)
            log.error("buffer.damaged", frame=number, rows=rows, error=str(error))
            for name in self._delivery.cursors:
                self.acknowledge(name, [number])
            text = f"A frame of {rows} samples in the disk buffer is damaged and cannot be sent."
            self.append_note(self._event("buffer.damaged", text, Severity.HIGH, frame=number, rows=rows))
            return None

    def acknowledge(self, uplink: str, numbers: Iterable[int]) -> int:
        """These frames are delivered; returns the samples that were pending in them. Unknown ids are ignored."""
        cursor = self._delivery.cursors[uplink]
        rows = 0
        for number in numbers:
            if number in cursor or not 0 < number < self._next:
                continue
            segment, held = find(self._segments, number), self._memory.get(number)
            waiting = segment.rows_of(number) if segment is not None else held.rows if held is not None else 0
            self._delivery.done(uplink, number, waiting)
            rows += waiting
        self._remove_delivered()
        return rows

    def discard(self, uplink: str, number: int, reason: str, rows: Sequence[int] | None = None) -> None:
        """Give up a frame that can never be sent, with a drop note about all of its samples or only about `rows`."""
        frame = self.read(number)
        if frame is not None and frame.batch is not None and rows is not None:
            frame = replace(frame, batch=frame.batch.take(np.array(rows, np.int64)), rows=len(rows))
        if frame is not None and frame.rows:
            cursors = {uplink: self._delivery.cursors[uplink]}
            self._tell(survey([(number, frame)], cursors, self.keys, reason), reason, None)
        self.acknowledge(uplink, [number])

    def _remove_delivered(self) -> None:
        """Remove closed segments that every uplink has delivered."""
        for segment in self._segments[:-1]:
            if self._delivery.has_all_of(segment):
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
        return sum(segment.bytes for segment in self._segments) + self._memory.bytes

    def pending(self, uplink: str) -> int:
        """Samples that this uplink has not delivered."""
        return self._delivery.pending[uplink]

    def totals(self) -> tuple[int, Int64Array]:
        """Newest frame id, and int64 count per signal id of all samples that ever entered the buffer."""
        totals = self._checkpoint.totals.copy()
        for frame in self._memory:
            if frame.batch is not None:
                np.add.at(totals, frame.batch.signals, 1)
        return self.last, totals

    def undelivered_keys(self) -> set[int]:
        """Ids of the signals that have undelivered samples; reads all of them, for the start."""
        return signals_in(segment for segment in self._segments if not self._delivery.has_all_of(segment))

    def status(self) -> BufferStatus:
        """How full the buffer is, for the uplink that is furthest behind."""
        firsts = [number for name in self._delivery.pending if (number := self.next_open(name, 0)) is not None]
        frame = self.read(min(firsts)) if firsts else None
        return BufferStatus(
            rows=max(self._delivery.pending.values(), default=0),
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
        return forcing(handles, self._delivery.changed_files())

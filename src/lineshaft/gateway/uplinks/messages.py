"""Turns frames of the disk buffer into JSON messages, by the layout of an uplink and below a bound of bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from lineshaft.config.uplinks import JsonUplink
from lineshaft.errors import DataError
from lineshaft.gateway.frames import Frame, FrameKind, cut_waves
from lineshaft.gateway.uplinks.base import NodeContext
from lineshaft.model.samples import Int64Array, SampleBatch
from lineshaft.wire.json import JsonForm, SampleWriter, chunks, dump
from lineshaft.wire.notes import decode_notes

Layout: TypeAlias = Literal["signal", "asset", "batch", "lines"]
TOO_LARGE: Final = "too large for a message"
_SMALLEST_PIECE: Final = 64
_BESIDE_PIECE: Final = 1_000
"""Bytes of a message beside the samples of a burst."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message and the frames whose samples are in it.

    place   the equipment path that a topic is made of: of a signal, an asset or a device of the gateway
    name    the same for the same content: epoch, first and last frame, first row
    retain  the broker is to keep it
    """

    place: str
    payload: bytes
    frames: tuple[int, ...]
    name: str
    kind: Literal["samples", "events"] = "samples"
    retain: bool = False


@dataclass(slots=True)
class Messages:
    """All messages of some frames, and the rows of each frame that fit into none."""

    made: list[Message] = field(default_factory=list)
    too_large: dict[int, list[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Row:
    frame: int
    row: int
    handle: int
    time: int
    sample: dict[str, Any]
    part: int = 0  # place of the first sample of a piece of a burst


class MessageMaker:
    """Makes the messages of one uplink. `max_bytes` may be lowered when the other side takes less."""

    def __init__(self, config: JsonUplink, node: NodeContext, layout: Layout, max_bytes: int, *, retain: bool) -> None:
        self.max_bytes = max_bytes
        self._events = config.events
        self._node = node
        self._layout = layout
        self._retain = retain and layout == "signal"
        self._signals = [planned.signal for planned in node.plan.signals]
        self.writer = SampleWriter(self._signals, json_form(config))
        self._epoch = node.epoch.hex()

    def make(self, frames: Sequence[Frame], *, historical: bool) -> Messages:
        """Messages of consecutive frames of one device, or of one note. Raises DataError for an unknown signal."""
        if frames[0].kind is FrameKind.NOTE:
            return self._notes(frames[0])
        rows = [row for frame in frames if frame.batch is not None for row in self._rows(frame, frame.batch)]
        if self._layout in ("batch", "lines"):
            return self._batches(frames[0].device, rows, historical)
        return self._per_signal(rows, historical) if self._layout == "signal" else self._per_asset(rows)

    def _rows(self, frame: Frame, batch: SampleBatch) -> Iterator[_Row]:
        handles = self._node.handles_of(frame, batch)
        if batch.waves is not None:
            yield from self._waves(frame, batch, handles)
            return
        samples = self.writer.objects(batch, handles)
        columns = zip(handles.tolist(), batch.times.tolist(), samples, strict=True)
        for row, (handle, time, sample) in enumerate(columns):
            yield _Row(frame.id, row, handle, time, sample)

    def _waves(self, frame: Frame, batch: SampleBatch, handles: Int64Array) -> Iterator[_Row]:
        """Rows of which some have bursts, these in pieces that fit into a message as base64."""
        most = max(_SMALLEST_PIECE, (self.max_bytes - _BESIDE_PIECE) * 3 // 4)
        for row, handle in enumerate(handles.tolist()):
            cut = cut_waves(batch.take(slice(row, row + 1)), most)
            parts = [0] * len(cut) if cut.waves is None else [wave.offset for wave in cut.waves]
            samples = self.writer.objects(cut, np.full(len(cut), handle, np.int64))
            for time, part, sample in zip(cut.times.tolist(), parts, samples, strict=True):
                yield _Row(frame.id, row, handle, time, sample, part)

    def _name(self, first: _Row, last: _Row) -> str:
        part = f"-{first.part}" if first.part else ""
        return f"{self._epoch}-{first.frame}-{last.frame}-{first.row}{part}"

    def _per_signal(self, rows: Sequence[_Row], historical: bool) -> Messages:
        messages = Messages()
        newest = {row.handle: (row.frame, row.row) for row in rows} if self._retain and not historical else {}
        for row in rows:
            payload = dump(row.sample)
            if len(payload) > self.max_bytes:
                _too_large(messages, row)
                continue
            keep = newest.get(row.handle) == (row.frame, row.row)
            path = self._signals[row.handle].path
            messages.made.append(Message(path, payload, (row.frame,), self._name(row, row), retain=keep))
        return messages

    def _per_asset(self, rows: Sequence[_Row]) -> Messages:
        """Rows of one asset and instant together; a signal that comes twice begins the next message."""
        messages = Messages()
        groups: list[list[_Row]] = []
        open_: dict[tuple[str, int], list[_Row]] = {}
        for row in rows:
            key = (self._signals[row.handle].asset, row.time)
            group = open_.get(key)
            if group is None or any(other.handle == row.handle for other in group):
                group = open_[key] = []
                groups.append(group)
            group.append(row)
        for group in groups:
            self._asset(group, messages)
        return messages

    def _asset(self, group: Sequence[_Row], messages: Messages) -> None:
        time = self.writer.time(group[0].time)
        (time_name,) = time
        items = []
        for row in group:
            sample = {key: value for key, value in row.sample.items() if key != time_name}
            items.append(dump(self._signals[row.handle].name) + b":" + dump(sample))
        head = dump(time)[:-1] + b',"signals":{'
        parts, too_large = chunks(items, self.max_bytes - len(head) - 2)
        for part in parts:
            inside = group[part.first : part.first + part.count]
            frames = tuple(dict.fromkeys(row.frame for row in inside))
            place = self._signals[inside[0].handle].asset
            payload = head + part.body + b"}}"
            messages.made.append(Message(place, payload, frames, self._name(inside[0], inside[-1])))
        _note_too_large(messages, [group[position] for position in too_large])

    def _batches(self, device: str, rows: Sequence[_Row], historical: bool) -> Messages:
        messages = Messages()
        node = self._node.place
        head = {"gateway": node, "device": device, "epoch": self._epoch, "historical": historical}
        start, end = dump(head)[:-1] + b',"samples":[', b"]}"
        if self._layout == "lines":
            start, end = b"", b"\n"
        parts, too_large = chunks(self._lines(rows), self.max_bytes - len(start) - 2, b"\n" if not start else b",")
        for part in parts:
            inside = rows[part.first : part.first + part.count]
            frames = tuple(dict.fromkeys(row.frame for row in inside))
            place = f"{node}/{device}"
            messages.made.append(
                Message(place, start + part.body + end, frames, self._name(inside[0], inside[-1]))
            )  # fmt: skip
        _note_too_large(messages, [rows[position] for position in too_large])
        return messages

    def _lines(self, rows: Sequence[_Row]) -> Iterator[bytes]:
        """Each row as an object; where it stands alone it names the epoch too."""
        alone = {"epoch": self._epoch} if self._layout == "lines" else {}
        for row in rows:
            path = self._signals[row.handle].path
            yield dump({**alone, "frame": row.frame, "row": row.row, "signal": path, **row.sample})

    def _notes(self, frame: Frame) -> Messages:
        messages = Messages()
        if not self._events:
            return messages
        node = self._node.place
        head, end = dump({"gateway": node, "epoch": self._epoch, "frame": frame.id})[:-1] + b',"events":[', b"]}"
        if self._layout == "lines":
            head, end = b"", b"\n"
        items = (dump(item) for item in self.writer.notes(decode_notes(frame.note)))
        parts, too_large = chunks(items, self.max_bytes - len(head) - 2, b"\n" if not head else b",")
        for part in parts:
            name = f"{self._epoch}-{frame.id}-{frame.id}-{part.first}"
            messages.made.append(Message(node, head + part.body + end, (frame.id,), name, "events"))
        if too_large and not parts:
            raise DataError(f"an event is {TOO_LARGE}")
        return messages


def _note_too_large(messages: Messages, rows: Sequence[_Row]) -> None:
    for row in rows:
        _too_large(messages, row)


def _too_large(messages: Messages, row: _Row) -> None:
    found = messages.too_large.setdefault(row.frame, [])
    if row.row not in found:
        found.append(row.row)


def json_form(config: JsonUplink) -> JsonForm:
    """The part of the keys that says how a sample is written."""
    include = config.include
    return JsonForm(config.timestamps, "quality" in include, "unit" in include, "state" in include)

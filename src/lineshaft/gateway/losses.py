"""Counts per signal what is about to be removed from the disk buffer, and turns the counts into drop notes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from lineshaft.errors import DataError
from lineshaft.gateway.cursor import Cursor
from lineshaft.gateway.frames import Frame
from lineshaft.gateway.keys import SignalKey
from lineshaft.model.samples import SampleBatch
from lineshaft.wire.notes import DropNote, DroppedRows, EventNote, LedgerNote, decode_notes

PER_NOTE: Final = 400
"""Signals in one drop note, so that it stays well below the size of a message."""
_KEPT_EVENTS: Final = 200


@dataclass(slots=True)
class Losses:
    """Rows, first and last time per signal and reason, of what one uplink did not deliver."""

    rows: int = 0  # counted now; those of earlier drop notes were counted then
    events: list[tuple[EventNote, str]] = field(default_factory=list)  # that must survive, with their uplink
    ledger: bool = False  # a ledger note was among it
    _found: dict[tuple[str, str], tuple[int, int, int]] = field(default_factory=dict)

    def span(self) -> tuple[int, int]:
        """First and last time in UTC microseconds; (0, 0) when nothing was counted."""
        if not self._found:
            return 0, 0
        return min(first for _, first, _ in self._found.values()), max(last for _, _, last in self._found.values())

    def add_frames(self, frames: Iterable[Frame], keys: Sequence[SignalKey], reason: str, uplink: str) -> None:
        """Count samples; what an undelivered drop note says counts again, because the note itself is about to go."""
        batches: list[SampleBatch] = []
        for frame in frames:
            if frame.batch is not None and frame.rows:
                batches.append(frame.batch)
            elif frame.note and frame.target in ("", uplink):
                self._add_note(frame)
        if batches:
            self._add_batches(batches, keys, reason)

    def _add_note(self, frame: Frame) -> None:
        try:
            notes = decode_notes(frame.note)
        except DataError:  # of a version that is not known here
            return
        for note in notes:
            if isinstance(note, DropNote):
                for drop in note.drops:
                    self._add(drop.signal, drop.reason, drop.rows, drop.first, drop.last)
            elif isinstance(note, EventNote):
                self.events = [*self.events[-_KEPT_EVENTS:], (note, frame.target)]
            elif isinstance(note, LedgerNote):
                self.ledger = True

    def _add_batches(self, batches: Sequence[SampleBatch], keys: Sequence[SignalKey], reason: str) -> None:
        self.rows += sum(map(len, batches))
        signals = np.concatenate([batch.signals for batch in batches])
        times = np.concatenate([batch.times for batch in batches])
        ids, inverse, counts = np.unique(signals, return_inverse=True, return_counts=True)
        first = np.full(len(ids), np.iinfo(np.int64).max, np.int64)
        last = np.full(len(ids), np.iinfo(np.int64).min, np.int64)
        np.minimum.at(first, inverse, times)
        np.maximum.at(last, inverse, times)
        for number, rows, begin, end in zip(ids.tolist(), counts.tolist(), first.tolist(), last.tolist(), strict=True):
            self._add(keys[number].path, reason, rows, begin, end)

    def _add(self, path: str, reason: str, rows: int, first: int, last: int) -> None:
        known = self._found.get((path, reason))
        if known is not None:
            rows, first, last = rows + known[0], min(first, known[1]), max(last, known[2])
        self._found[path, reason] = (rows, first, last)

    def notes(self, epoch: str) -> list[DropNote]:
        """All counts, some hundred signals to a note."""
        drops = [DroppedRows(path, *figures, reason) for (path, reason), figures in self._found.items()]
        return [DropNote(epoch, tuple(drops[at : at + PER_NOTE])) for at in range(0, len(drops), PER_NOTE)]


def survey(
    frames: Iterable[tuple[int, Frame | None]], cursors: Mapping[str, Cursor], keys: Sequence[SignalKey], reason: str
) -> dict[str, Losses]:
    """What each uplink loses when `frames` go. A damaged frame (None) cannot be counted."""
    undelivered: dict[str, list[Frame]] = {name: [] for name in cursors}
    for number, frame in frames:
        if frame is None:
            continue
        for name, cursor in cursors.items():
            if number not in cursor:
                undelivered[name].append(frame)
    losses = {name: Losses() for name in cursors}
    for name, found in undelivered.items():
        losses[name].add_frames(found, keys, reason, name)
    return losses

"""Counts per signal what is about to be removed from the disk buffer, and turns the counts into drop notes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from lineshaft.gateway.keys import SignalKey
from lineshaft.model.samples import SampleBatch
from lineshaft.wire.notes import DropNote, DroppedRows

PER_NOTE: Final = 400
"""Signals in one drop note, so that it stays well below the size of a message."""


@dataclass(slots=True)
class Losses:
    """Rows, first and last time per signal and reason."""

    rows: int = 0  # counted now; those of earlier drop notes were counted then
    _found: dict[tuple[str, str], tuple[int, int, int]] = field(default_factory=dict)

    def span(self) -> tuple[int, int]:
        """First and last time in UTC microseconds; (0, 0) when nothing was counted."""
        if not self._found:
            return 0, 0
        return min(first for _, first, _ in self._found.values()), max(last for _, _, last in self._found.values())

    def add_batches(self, batches: Sequence[SampleBatch], keys: Sequence[SignalKey], reason: str) -> None:
        """Count every row of `batches`, whose signals are indexes of `keys`."""
        if not batches:
            return
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

    def add_drops(self, drops: Iterable[DroppedRows]) -> None:
        """Count what an undelivered drop note says, because the note itself is about to go."""
        for drop in drops:
            self._add(drop.signal, drop.reason, drop.rows, drop.first, drop.last)

    def _add(self, path: str, reason: str, rows: int, first: int, last: int) -> None:
        known = self._found.get((path, reason))
        if known is not None:
            rows, first, last = rows + known[0], min(first, known[1]), max(last, known[2])
        self._found[path, reason] = (rows, first, last)

    def notes(self, epoch: str) -> list[DropNote]:
        """All counts, some hundred signals to a note."""
        drops = [DroppedRows(path, *figures, reason) for (path, reason), figures in self._found.items()]
        return [DropNote(epoch, tuple(drops[at : at + PER_NOTE])) for at in range(0, len(drops), PER_NOTE)]

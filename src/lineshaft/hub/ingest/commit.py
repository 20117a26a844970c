"""The commit thread: parts become blocks; a block goes to the journal, the historian, the ledger and the live view."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
import structlog

from lineshaft.errors import DataError, StoreUnavailable
from lineshaft.hub.historian.base import Historian
from lineshaft.hub.ingest.blocks import Block, FrameRef, NoteRef, Part
from lineshaft.hub.ingest.counters import Counters
from lineshaft.hub.ingest.journal import Journal
from lineshaft.hub.ports import Drop, EventStore, Ledger, LiveSink, WriteLog
from lineshaft.model.events import Severity
from lineshaft.model.samples import Int64Array, SampleBatch, UInt32Array
from lineshaft.wire.notes import DropNote, EventNote, LedgerNote, Note, WriteNote, decode_notes

_FIRST_WAIT: Final = 0.1  # seconds before the first new try
_LONGEST_WAIT: Final = 10.0
_log = structlog.get_logger(__name__)

Mark: TypeAlias = Callable[[], None]
"""Something to do when all parts before it are committed."""


@dataclass(frozen=True, slots=True)
class CommitLimits:
    """How parts are joined, and how many rows may wait."""

    block_rows: int = 400_000
    linger: float = 0.2  # seconds that a part waits for others: each insert costs about 20 ms of a core
    pending_rows: int = 2_000_000


class Newest:
    """Greatest time of each signal that has been seen, by historian id."""

    def __init__(self) -> None:
        self._times: Int64Array = np.full(1024, np.iinfo(np.int64).min)
        self._lock = threading.Lock()

    def raise_to(self, batch: SampleBatch) -> None:
        """Take note of rows."""
        if len(batch):
            with self._lock:
                self._grow(int(batch.signals.max()))
                np.maximum.at(self._times, batch.signals, batch.times)

    def of(self, signals: UInt32Array) -> Int64Array:
        """int64[n] times; the smallest integer where nothing is known."""
        with self._lock:
            if len(signals):
                self._grow(int(signals.max()))
            times: Int64Array = self._times[signals]
            return times

    def _grow(self, highest: int) -> None:
        if highest >= len(self._times):
            more = max(len(self._times), highest + 1 - len(self._times))
            self._times = np.pad(self._times, (0, more), constant_values=np.iinfo(np.int64).min)


def last_rows(batch: SampleBatch) -> SampleBatch:
    """One row per signal: the one that came last."""
    if not len(batch):
        return batch
    last = np.full(int(batch.signals.max()) + 1, -1)
    last[batch.signals] = np.arange(len(batch))  # where a signal stands in several rows, numpy keeps the last one
    return batch.take(np.sort(last[last >= 0]))


class Committer:
    """Everything after decoding. `put` from the intake thread; `run` is the commit thread."""

    def __init__(
        self,
        journal: Journal,
        historian: Historian,
        ledger: Ledger,
        events: EventStore,
        live: LiveSink,
        counters: Counters,
        limits: CommitLimits,
        acknowledge: Callable[[FrameRef], None],
        writes: WriteLog | None = None,
        ready: Callable[[], None] = lambda: None,
        tell: Callable[[str, str, Severity], None] = lambda reason, words, severity: None,
    ) -> None:
        self._writes = writes
        self._ready = ready  # raises StoreUnavailable when nothing should be stored now
        self._tell = tell
        self._journal = journal
        self._historian = historian
        self._ledger = ledger
        self._events = events
        self._live = live
        self._counters = counters
        self._limits = limits
        self._acknowledge = acknowledge
        self._queue: deque[Part | Mark] = deque()
        self._rows = 0
        self._closing = False
        self._abandoned = threading.Event()
        self._changed = threading.Condition()
        self.newest = Newest()

    @property
    def pending_rows(self) -> int:
        """Rows that wait for their block."""
        return self._rows

    def put(self, part: Part) -> bool:
        """Queue a part; False when too much waits already (parts without acknowledgement may use twice the bound)."""
        with self._changed:
            bound = self._limits.pending_rows * (1 if part.frames is not None else 2)
            if self._rows and self._rows + part.weight > bound:
                return False
            self._queue.append(part)
            self._rows += part.weight
            self._changed.notify()
            return True

    def mark(self, action: Mark) -> None:
        """Do something in order with the parts."""
        with self._changed:
            self._queue.append(action)
            self._changed.notify()

    def publish(self, batch: SampleBatch) -> None:
        """Show rows as current values. What came last counts, so that a source's clock may go back."""
        if len(batch):
            self._live.publish(replace(last_rows(batch), waves=None))

    def recover(self) -> int:
        """Finish what a kill interrupted; gives the rows. Raises StoreUnavailable."""
        rows = 0
        for number, block in self._journal.open():
            self._store(number, block)
            self._journal.done(number, block)
            rows += len(block.batch)
        self.newest.raise_to(self._historian.latest())
        return rows

    def run(self) -> None:
        """Commit until `close`; what is queued then is still committed."""
        while True:
            parts, actions = self._take()
            if parts and not self._commit(parts):
                return
            for action in actions:
                action()
            if not parts and not actions:
                return

    def close(self) -> None:
        """Commit what is queued, then end `run`."""
        with self._changed:
            self._closing = True
            self._changed.notify()

    def abandon(self) -> None:
        """End `run` even while the historian is down; what was not committed was not acknowledged."""
        self._abandoned.set()
        self.close()

    def _take(self) -> tuple[list[Part], list[Mark]]:
        """Parts of the next block and what follows them; both empty at the end."""
        with self._changed:
            while True:
                if self._closing or self._rows >= self._limits.block_rows:
                    break
                if not self._queue:
                    self._changed.wait()
                    continue
                first = self._queue[0]
                if not isinstance(first, Part) or not isinstance(self._queue[-1], Part):
                    break
                wait = first.received + self._limits.linger - time.monotonic()
                if wait <= 0:
                    break
                self._changed.wait(wait)
            parts: list[Part] = []
            actions: list[Mark] = []
            rows = 0
            while self._queue:
                item = self._queue[0]
                if isinstance(item, Part):
                    if actions or (parts and rows + item.weight > self._limits.block_rows):
                        break
                    parts.append(item)
                    rows += item.weight
                else:
                    actions.append(item)
                self._queue.popleft()
            self._rows -= rows
            return parts, actions

    def _commit(self, parts: list[Part]) -> bool:
        """Commit one block however long it takes; False when it was abandoned."""
        block = Block.of(parts)
        self._counters.add(duplicates=len(block.duplicates))
        if not block.holds_anything:
            self._count(block)
            return True
        number: int | None = None
        stored = False
        wait = _FIRST_WAIT
        while True:
            try:
                if number is None:
                    self._ready()
                    number = self._journal.append(block)
                if not stored:
                    self._store(number, block)
                    stored = True
                self._journal.done(number, block)
                break
            except StoreUnavailable as error:
                if self._counters.store_failed(str(error)):
                    _log.error("ingest: cannot store, trying again", error=str(error))
                    self._tell("not-stored", f"nothing is stored or acknowledged: {error}", Severity.HIGH)
                if self._abandoned.wait(wait):
                    return False
                wait = min(wait * 2, _LONGEST_WAIT)
        if self._counters.store_recovered():
            _log.info("ingest: stores again")
            self._tell("stores-again", "rows are stored and acknowledged again", Severity.INFO)
        for ref in block.frames:
            self._acknowledge(ref)
        self._counters.committed(len(block.batch), time.monotonic() - parts[0].received)
        self.publish(block.batch.take(block.live))
        self.newest.raise_to(block.batch)
        return True

    def _store(self, number: int, block: Block) -> None:
        if len(block.batch):
            self._historian.append(block.batch, self._journal.token(number))
        for ref in block.notes:
            self._apply(ref)
        self._count(block)

    def _count(self, block: Block) -> None:
        size = int(max(block.batch.signals.max(initial=0), block.duplicates.max(initial=0))) + 1
        rows = np.bincount(block.batch.signals, minlength=size)
        duplicates = np.bincount(block.duplicates, minlength=size)
        signals = np.flatnonzero(rows + duplicates)
        if len(signals):
            self._ledger.arrived(signals.astype(np.uint32), rows[signals], duplicates[signals])

    def _apply(self, ref: NoteRef) -> None:
        """Pass notes on; they were checked when they came."""
        try:
            notes = decode_notes(ref.text)
        except DataError as error:
            _log.error("ingest: note lost", node=ref.node, error=str(error))
            return
        for note in notes:
            self._apply_one(ref.node, note)
        events = [note.event for note in notes if isinstance(note, EventNote)]
        if events:
            self._events.add(events)

    def _apply_one(self, node: str, note: Note) -> None:
        match note:
            case LedgerNote(epoch, frame, totals):
                self._ledger.expected(node, epoch, totals, frame)
            case DropNote(epoch, drops):
                found = [Drop(drop.signal, drop.rows, drop.first, drop.last, drop.reason) for drop in drops]
                self._ledger.dropped(node, epoch, found)
            case WriteNote() if self._writes is not None:
                self._writes.settle(node, note)

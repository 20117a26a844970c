"""Latest values of all signals in arrays, and their fan-out to open pages.

Every publish stamps the touched signals with a growing number. A page's session remembers up to which number it has
seen, so what it must send is one comparison over the ids it watches: latest wins by itself, and a slow page costs
nothing but its own delay.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lineshaft.clock import Clock, SystemClock
from lineshaft.model.samples import Quality, SampleBatch, TextArray, UInt32Array

FRAME_VALUES = 1
EVENTS_KEPT = 500
RATE_WINDOW = 10.0  # seconds over which rates are counted


@dataclass(frozen=True, slots=True)
class Update:
    """What a session has to send: numbers, texts, and what has changed besides."""

    numbers: SampleBatch
    texts: SampleBatch
    events: Sequence[Any]
    catalogue: int | None  # new version
    sources: bool
    topics: dict[str, list[str]] = field(default_factory=dict)  # topic -> what has changed, as an app says it

    def __bool__(self) -> bool:
        news = len(self.numbers) or len(self.texts) or self.events or self.topics
        return bool(news) or self.catalogue is not None or self.sources


class LiveStream:
    """Implements ports.LiveSink; thread-safe. Sessions live in the event loop that `attach` names."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._times = np.zeros(1024, np.int64)  # index: signal id; 0 = no value known
        self._values = np.zeros(1024, np.float64)
        self._qualities = np.zeros(1024, np.uint8)
        self._texts = np.full(1024, None, object)
        self._is_text = np.zeros(1024, np.bool_)
        self._stamps = np.zeros(1024, np.int64)
        self._counts = np.zeros((2, 1024), np.int64)  # rows in this window and the one before
        self._window_start = self._clock.monotonic()
        self._window_length = 0.0
        self._stamp = 1
        self._events: deque[tuple[int, Any]] = deque(maxlen=EVENTS_KEPT)
        self._catalogue = (0, 0)  # stamp, version
        self._sources = 0
        self._topics: dict[str, dict[str, int]] = {}  # topic -> what -> stamp of its last change
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sessions: set[LiveSession] = set()
        self._waking = False

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """The event loop in which sessions wait."""
        self._loop = loop

    def detach(self) -> None:
        """The loop is about to end."""
        self._loop = None

    def seed(self, batch: SampleBatch) -> None:
        """Last known values from the historian, marked stale until their sources are heard again."""
        self._take(batch, np.where(batch.qualities == 0, batch.qualities, np.uint8(Quality.STALE)))

    def publish(self, batch: SampleBatch) -> None:
        """See ports.LiveSink."""
        self._take(batch, batch.qualities, count=True)

    def stale(self, signals: NDArray[np.uint32], time: int) -> None:
        """See ports.LiveSink."""
        with self._lock:
            known = signals[signals < len(self._times)]
            known = known[(self._times[known] != 0) & (self._qualities[known] != Quality.STALE)]
            if not len(known):
                return
            self._qualities[known] = Quality.STALE
            self._stamp += 1
            self._stamps[known] = self._stamp
        self._wake()

    def events(self, items: Iterable[Any]) -> None:
        """Events for all pages, as JSON values; called from any thread."""
        with self._lock:
            self._stamp += 1
            self._events.extend((self._stamp, item) for item in items)
        self._wake()

    def catalogue_changed(self, version: int) -> None:
        """Pages shall load equipment and signals again."""
        with self._lock:
            self._stamp += 1
            self._catalogue = (self._stamp, version)
        self._wake()

    def sources_changed(self) -> None:
        """Pages shall load sources again."""
        with self._lock:
            self._stamp += 1
            self._sources = self._stamp
        self._wake()

    def changed(self, topic: str, items: Iterable[str]) -> None:
        """Pages that show `items` of an app's topic shall ask again; called from any thread."""
        with self._lock:
            self._stamp += 1
            self._topics.setdefault(topic, {}).update(dict.fromkeys(items, self._stamp))
        self._wake()

    def latest(self, signals: UInt32Array) -> SampleBatch:
        """The latest row of each of these signals that has one, in the given order."""
        with self._lock:
            known = self._known(signals)
            return self._rows(known, self._texts[known])

    def known(self) -> UInt32Array:
        """Ids of all signals that have a value."""
        with self._lock:
            return np.flatnonzero(self._times).astype(np.uint32)

    def rates(self, signals: UInt32Array) -> float:
        """Rows a second of these signals together, over the last ten seconds or so."""
        with self._lock:
            self._roll()
            known = signals[signals < self._counts.shape[1]]
            now, before = self._counts[:, known].sum(axis=1).tolist()
            elapsed = self._clock.monotonic() - self._window_start + self._window_length
        return float((now + before) / elapsed) if elapsed > 1.0 else float(now + before)

    def session(self) -> LiveSession:
        """A new page; use it with `with`."""
        return LiveSession(self)

    @property
    def sessions(self) -> int:
        """How many pages are open."""
        return len(self._sessions)

    def _take(self, batch: SampleBatch, qualities: NDArray[np.uint8], *, count: bool = False) -> None:
        if not len(batch):
            return
        ids = batch.signals
        with self._lock:
            self._grow(int(ids.max()))
            # Where a signal stands in several rows, numpy keeps the last one, which is the newest.
            self._times[ids] = batch.times
            self._values[ids] = batch.values
            self._qualities[ids] = qualities
            self._texts[ids] = None if batch.texts is None else batch.texts
            self._is_text[ids] = batch.is_text()
            self._stamp += 1
            self._stamps[ids] = self._stamp
            if count:
                self._roll()
                np.add.at(self._counts[0], ids, 1)
        self._wake()

    def _roll(self) -> None:
        elapsed = self._clock.monotonic() - self._window_start
        if elapsed < RATE_WINDOW:
            return
        self._counts[1] = self._counts[0] if elapsed < 2 * RATE_WINDOW else 0
        self._counts[0] = 0
        self._window_start += elapsed
        self._window_length = elapsed

    def _grow(self, highest: int) -> None:
        size = len(self._times)
        if highest < size:
            return
        more = max(size, highest + 1 - size)
        self._times = np.pad(self._times, (0, more))
        self._values = np.pad(self._values, (0, more))
        self._qualities = np.pad(self._qualities, (0, more))
        self._texts = np.concatenate([self._texts, np.full(more, None, object)])
        self._is_text = np.pad(self._is_text, (0, more))
        self._stamps = np.pad(self._stamps, (0, more))
        self._counts = np.pad(self._counts, ((0, 0), (0, more)))

    def _known(self, ids: UInt32Array) -> UInt32Array:
        inside: UInt32Array = ids[ids < len(self._times)]
        known: UInt32Array = inside[self._times[inside] != 0]
        return known

    def _rows(self, ids: UInt32Array, texts: TextArray | None = None) -> SampleBatch:
        return SampleBatch(ids, self._times[ids], self._values[ids], self._qualities[ids], texts)

    def _wake(self) -> None:
        loop = self._loop
        if loop is None or self._waking or not self._sessions:
            return
        self._waking = True
        try:
            loop.call_soon_threadsafe(self._wake_sessions)
        except RuntimeError:  # the loop has been closed: nobody is there to be woken
            self._waking = False

    def _wake_sessions(self) -> None:
        self._waking = False
        for session in self._sessions:
            session.woken.set()

    def changes(self, ids: UInt32Array, seen: int, notices_seen: int) -> tuple[int, Update]:
        """What happened to `ids` after the stamp `seen`, and notices after `notices_seen`; the new stamp first."""
        with self._lock:
            inside = ids[ids < len(self._stamps)]
            new = inside[self._stamps[inside] > seen]
            is_text = self._is_text[new]
            numbers = self._rows(new[~is_text])
            texts = self._rows(new[is_text], self._texts[new[is_text]])
            events = [item for stamp, item in self._events if stamp > notices_seen]
            changed, version = self._catalogue
            stamp = self._stamp
            sources = self._sources > notices_seen
            topics = {
                topic: found
                for topic, items in self._topics.items()
                if (found := [item for item, at in items.items() if at > notices_seen])
            }
        update = Update(
            numbers=numbers,
            texts=texts,
            events=events,
            catalogue=version if changed > notices_seen else None,
            sources=sources,
            topics=topics,
        )
        return stamp, update

    def add(self, session: LiveSession) -> int:
        """Open a session; returns the stamp from which its notices count."""
        with self._lock:
            self._sessions.add(session)
            return self._stamp

    def remove(self, session: LiveSession) -> None:
        """Close a session."""
        with self._lock:
            self._sessions.discard(session)


class LiveSession:
    """What one page watches and has seen; lives in the event loop."""

    def __init__(self, stream: LiveStream) -> None:
        self._stream = stream
        self._ids: UInt32Array = np.empty(0, np.uint32)
        self._seen = 0
        self._notices_seen = 0
        self.woken = asyncio.Event()
        self.answer_due = False  # a subscription was taken and not yet answered

    def __enter__(self) -> LiveSession:
        self._notices_seen = self._stream.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.remove(self)

    def subscribe(self, ids: UInt32Array) -> None:
        """Watch these signals in place of those before; the latest value of each comes first."""
        self._ids = np.unique(ids)
        self._seen = 0
        self.answer_due = True
        self.woken.set()

    def take(self) -> Update:
        """What is new since the last call; empty when there is nothing."""
        self.woken.clear()
        self._seen, update = self._stream.changes(self._ids, self._seen, self._notices_seen)
        self._notices_seen = self._seen
        return update


def encode(batch: SampleBatch) -> bytes:
    """The binary frame of docs/guide/architecture.md: type, count, then one column after the other."""
    n = len(batch)
    return b"".join(
        (
            bytes((FRAME_VALUES, 0, 0, 0)),
            np.uint32(n).astype("<u4").tobytes(),
            (batch.times / 1000.0).astype("<f8").tobytes(),
            batch.values.astype("<f8").tobytes(),
            batch.signals.astype("<u4").tobytes(),
            batch.qualities.tobytes(),
        )
    )

"""Committed rows on their way to operators: in memory while that is small, and word of rows that came late."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from lineshaft.model.samples import SampleBatch

NEVER: Final = -(2**62)
Key = tuple[str, str]


@dataclass(slots=True)
class Place:
    """Where one run is. Changed under the feed's lock only.

    released  time up to which rows were given to the operator
    overflow  rows were let go because too many waited; they are read from history
    late      earliest row not later than `released` that was not asked for with `late_of` yet

    Each committed row of the run's inputs after its position is in `waiting`, or is read from history before any row
    after it is given: `overflow` stays until history was read up to `newest`. Each row that comes when later ones may
    have been given is in `late`; `released` never goes back while the hub lives, so that none is missed.
    """

    ids: tuple[int, ...]
    began: int
    released: int
    newest: int = NEVER
    waiting: list[tuple[float, SampleBatch]] = field(default_factory=list)
    rows: int = 0
    overflow: bool = True
    late: int | None = None


class Feed:
    """Told of each append, from the thread that made it; asked by lanes. Thread-safe.

    An append costs one look-up in an array; only rows of operators' inputs are kept, and at most `most` of them.
    """

    def __init__(self, late: Callable[[Sequence[Key], Sequence[int]], None], most: int = 500_000) -> None:
        self._late = late
        self._most = most
        self._lock = threading.Lock()
        self._places: dict[Key, Place] = {}
        self._users: dict[int, list[Key]] = {}
        self._watched = np.zeros(1024, np.bool_)
        self._rows = 0
        self.told_of = threading.Event()

    def put(self, key: Key, place: Place) -> None:
        """A run begins."""
        with self._lock:
            self._remove(key)
            self._places[key] = place
            for signal in place.ids:
                self._users.setdefault(signal, []).append(key)
            highest = max(place.ids)
            if highest >= len(self._watched):
                self._watched = np.pad(self._watched, (0, highest + 1))
            self._watched[list(place.ids)] = True

    def again(self, key: Key, position: int) -> None:
        """A run begins again from an earlier state: rows after `position` are read from history.

        What came late, or comes late to what it was given before, is still late: a state may have been made without it.
        """
        with self._lock:
            place = self._places[key]
            self._let_go(place)
            place.released = max(place.released, position)

    def remove(self, key: Key) -> None:
        """A run ends."""
        with self._lock:
            self._remove(key)

    def _remove(self, key: Key) -> None:
        place = self._places.pop(key, None)
        if place is None:
            return
        self._rows -= place.rows
        for signal in place.ids:
            self._users[signal].remove(key)
            if not self._users[signal]:
                del self._users[signal]
                self._watched[signal] = False

    def told(self, batch: SampleBatch) -> None:
        """Rows were committed. Raises StoreUnavailable when late ones cannot be noted; then the append is repeated."""
        with self._lock:
            inside = batch.signals < len(self._watched)
            mine = inside & self._watched[np.where(inside, batch.signals, 0)]
            if not mine.any():
                return
            rows = batch.take(mine)
            late: dict[Key, int] = {}
            kept: list[tuple[Place, SampleBatch]] = []
            arrived = time.monotonic()
            for key in {key for signal in np.unique(rows.signals).tolist() for key in self._users[signal]}:
                place = self._places[key]
                own = rows.take(np.isin(rows.signals, place.ids) & (rows.times > place.began))
                if not len(own):
                    continue
                behind = own.times <= place.released
                if behind.any():
                    late[key] = int(own.times[behind].min())
                kept.append((place, own.take(~behind)))
            if late:  # before any row is kept: when this fails, all of them are told again
                self._late(list(late), list(late.values()))
            for key, earliest in late.items():
                place = self._places[key]
                place.late = earliest if place.late is None else min(earliest, place.late)
            for place, rows in kept:
                self._keep(place, rows, arrived)
        self.told_of.set()

    def _keep(self, place: Place, rows: SampleBatch, arrived: float) -> None:
        if not len(rows):
            return
        place.newest = max(place.newest, int(rows.times.max()))
        if place.overflow:
            return
        if self._rows + len(rows) > self._most:
            self._let_go(place)
            return
        place.waiting.append((arrived, rows))
        place.rows += len(rows)
        self._rows += len(rows)

    def _let_go(self, place: Place) -> None:
        self._rows -= place.rows
        place.waiting, place.rows, place.overflow = [], 0, True

    def take(self, key: Key, before: float) -> SampleBatch:
        """Rows up to the time of the newest one that arrived before `before` (monotonic seconds), not yet in order."""
        with self._lock:
            place = self._places[key]
            ripe = [int(rows.times.max()) for arrived, rows in place.waiting if arrived <= before]
            if not ripe:
                return SampleBatch.empty()
            limit = max(ripe)
            found = SampleBatch.concat(rows.take(rows.times <= limit) for _, rows in place.waiting)
            left = [(arrived, rows.take(rows.times > limit)) for arrived, rows in place.waiting]
            place.waiting = [(arrived, rows) for arrived, rows in left if len(rows)]
            place.rows -= len(found)
            self._rows -= len(found)
            place.released = limit
            return found

    def begin_reading(self, key: Key, newest: int) -> int:
        """History is about to be read up to the time that is returned: what comes for it from now on is late."""
        with self._lock:
            place = self._places[key]
            place.newest = max(place.newest, newest)
            place.released = max(place.released, place.newest)
            return place.released

    def caught_up(self, key: Key) -> None:
        """History was read. Rows come from memory from now on, unless newer ones were let go meanwhile."""
        with self._lock:
            place = self._places[key]
            place.overflow = place.newest > place.released

    def stirred(self) -> Set[Key]:
        """Runs that have something to do: rows wait, were let go, or came late."""
        with self._lock:
            return {key for key, at in self._places.items() if at.waiting or at.overflow or at.late is not None}

    def late_of(self, key: Key) -> int | None:
        """The earliest row that came late since the last call."""
        with self._lock:
            place = self._places[key]
            late, place.late = place.late, None
            return late

    def worked_in(self, key: Key, late: int, note: Callable[[Key, int, int | None], None]) -> None:
        """Rows from `late` on are in the state. `note` is told that, and which row has come late meanwhile."""
        with self._lock:
            note(key, late, self._places[key].late)

    def place(self, key: Key) -> Place:
        """For looking at."""
        return self._places[key]

    def waiting(self) -> Mapping[Key, int]:
        """Rows in memory of each run."""
        with self._lock:
            return {key: place.rows for key, place in self._places.items()}

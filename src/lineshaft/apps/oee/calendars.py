"""The calendars that hold: what the plant folder says with what people said above it; a change counts at once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

from lineshaft.apps.oee.calendar_store import CalendarStore
from lineshaft.apps.oee.exceptions import (
    Entry,
    changed_spans,
    crews_of,
    layered,
    mistakes,
    new_machines,
    rebased_spans,
    with_entries,
)
from lineshaft.apps.oee.recorder import Recorder
from lineshaft.apps.oee.setup import Facts, OeeSetup
from lineshaft.errors import DataError
from lineshaft.hub.configuration import Conflict
from lineshaft.hub.shift_calendars import ShiftCalendars


class Calendars:
    """Thread-safe. When a change returns, every KPI that holds its days is the new one."""

    def __init__(self, setup: OeeSetup, store: CalendarStore, recorder: Recorder, shown: ShiftCalendars) -> None:
        self._setup = setup
        self._store = store
        self._recorder = recorder
        self._changing = threading.Lock()
        self._base = setup.facts
        self._entries = store.entries()
        setup.take(with_entries(self._base, self._entries))
        shown.above = lambda path, calendar: layered(calendar, path, self._entries)

    @property
    def base(self) -> Facts:
        """What the plant folder says alone."""
        return self._base

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What people said above it."""
        return self._entries

    def check(self, entry: Entry) -> None:
        """Raises DataError that names every mistake."""
        others = [one for one in self._entries if one.id != entry.id]
        wrong = list(dict.fromkeys(mistakes(entry, self._base, others, crews_of(self._base))))
        if wrong:
            more = f"; and {len(wrong) - 4} more" if len(wrong) > 4 else ""
            raise DataError("; ".join(wrong[:4]) + more, hint="nothing was changed")

    def put(self, entry: Entry, seen: int = 0) -> Entry:
        """Add an entry (id 0) or change one. seen: `at` of the entry that was changed. Raises DataError, Conflict."""
        with self._changing:
            before = self._known(entry.id, seen) if entry.id else None
            self.check(entry)
            kept = replace(entry, id=self._store.put(entry, before))
            self._take([one for one in (before, kept) if one is not None])
        return kept

    def remove(self, number: int, seen: int, by: str, at: int, why: str) -> Entry:
        """Take an entry back. Raises DataError, Conflict."""
        with self._changing:
            before = self._known(number, seen)
            self._store.remove(before, by, at, why)
            self._take([before])
        return before

    def rebase(self, base: Facts, now: int) -> None:
        """The plant folder says something else from now on."""
        with self._changing:
            before, self._base = self._base, base
            after = with_entries(base, self._entries)
            if before != base:
                self._recorder.setup_changed(after, rebased_spans(before, base, now), new_machines(before, base))

    def _known(self, number: int, seen: int) -> Entry:
        found = next((one for one in self._entries if one.id == number), None)
        if found is None:
            raise DataError(f"there is no entry {number}", hint="somebody has removed it; look at the page again")
        if found.at != seen:
            raise Conflict(f"{found.by} has changed this entry since", hint="look at the page again")
        return found

    def _take(self, changed: Sequence[Entry]) -> None:
        before = self._setup.facts
        self._entries = self._store.entries()
        after = with_entries(self._base, self._entries)
        self._recorder.setup_changed(after, changed_spans(before, after, changed))

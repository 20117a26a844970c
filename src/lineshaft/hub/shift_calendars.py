"""Which shifts hold for equipment or a signal: what the plant folder says, and what people laid above it."""

from __future__ import annotations

from collections.abc import Callable

from lineshaft.analytics.oee.calendar import Calendar


class ShiftCalendars:
    """Full path -> its calendar, None where none holds. `base` and `above` are replaced while the hub runs."""

    def __init__(self, base: Callable[[str], Calendar | None] = lambda path: None) -> None:
        self.base = base
        self.above: Callable[[str, Calendar], Calendar] = lambda path, calendar: calendar

    def __call__(self, path: str) -> Calendar | None:
        """The calendar of equipment or a signal by its full path."""
        found = self.base(path)
        return None if found is None else self.above(path, found)

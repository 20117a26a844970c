"""When a part of the plant works: the shifts of its calendar in the plant's time zone, with a break in each."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from lineshaft.config import calendars
from lineshaft.config.models import CalendarConfig, Plant, ShiftConfig
from lineshaft.model.samples import Int64Array

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
BREAK_S = 20 * 60
"""Length of the break in the middle of a shift of at least six hours that names none."""


class WorkTime:
    """Open intervals [start, end) in UTC microseconds, made day by day as they are asked for.

    No calendar means open day and night. `break_shift_s` moves the break, so that not every line stops at once.
    """

    def __init__(self, calendar: CalendarConfig | None, timezone: str, first_us: int, break_shift_s: float = 0) -> None:
        self._calendar = calendar
        self._zone = ZoneInfo(timezone)
        self._break_shift_s = break_shift_s
        self._day = datetime.fromtimestamp(first_us / 1e6, self._zone).date() - timedelta(days=2)
        self._edges: list[int] = []  # start, end, start, end ...

    def _instant(self, day: date, text: str) -> int:
        hour, minute = map(int, text.split(":"))
        local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self._zone)
        return int(local.astimezone(UTC).timestamp()) * 1_000_000

    def _shift(self, day: date, shift: ShiftConfig) -> list[tuple[int, int]]:
        start = self._instant(day, shift.start)
        end = self._instant(day if shift.end > shift.start else day + timedelta(days=1), shift.end)
        if shift.breaks:
            return self._between_breaks(day, shift, start, end)
        if end - start < 6 * 3_600_000_000:
            return [(start, end)]
        pause = (start + end) // 2 + round(self._break_shift_s * 1e6)
        return [(start, pause), (pause + BREAK_S * 1_000_000, end)]

    def _between_breaks(self, day: date, shift: ShiftConfig, start: int, end: int) -> list[tuple[int, int]]:
        spans = []
        for pause in sorted(shift.breaks, key=lambda one: (one.start < shift.start, one.start)):
            begin = self._instant(day + timedelta(days=pause.start < shift.start), pause.start)
            spans.append((start, min(begin, end)))
            start = self._instant(day + timedelta(days=pause.end < shift.start), pause.end)
        return [*spans, (start, end)]

    def _extend(self, until: int) -> None:
        while not self._edges or self._edges[-1] <= until:
            if self._calendar is None:
                self._edges += [self._instant(self._day, "00:00"), 2**62]
                return
            if (self._day - datetime.fromtimestamp(until / 1e6, self._zone).date()).days > 400:
                self._edges += [2**61, 2**62]  # nothing in more than a year: this calendar never opens again
                return
            if self._day.isoformat() not in self._calendar.holidays:
                name = _DAYS[self._day.weekday()]
                spans = [
                    span
                    for shift in self._calendar.shifts
                    if name in shift.days
                    for span in self._shift(self._day, shift)
                ]
                for start, end in sorted(spans):
                    if self._edges and start <= self._edges[-1]:
                        self._edges[-1] = max(end, self._edges[-1])
                    else:
                        self._edges += [start, end]
            self._day += timedelta(days=1)

    def is_open(self, time: int) -> bool:
        """True when the part works at `time`."""
        self._extend(time + 3 * 86_400_000_000)
        return bisect_right(self._edges, time) % 2 == 1

    def next_edge(self, time: int) -> int:
        """The next opening or closing after `time`."""
        self._extend(time + 3 * 86_400_000_000)
        return self._edges[bisect_right(self._edges, time)]

    def next_open(self, time: int) -> int:
        """`time` itself when open, else the next opening."""
        return time if self.is_open(time) else self.next_edge(time)

    def after(self, time: int, seconds: float) -> int:
        """The instant at which so many open seconds have passed since `time`."""
        left, now = round(seconds * 1e6), self.next_open(time)
        while (edge := self.next_edge(now)) - now < left:
            left -= edge - now
            now = self.next_open(edge)
        return now + left

    def open_at(self, times: Int64Array) -> NDArray[np.bool_]:
        """bool[n]: where the part works."""
        self._extend(int(times[-1]) + 3 * 86_400_000_000)
        return np.asarray(np.searchsorted(np.asarray(self._edges), times, side="right") % 2 == 1)


def calendar_for(plant: Plant, path: str) -> CalendarConfig | None:
    """The calendar of a part of the plant; None when there is none."""
    return calendars.calendar_for(plant.calendars, path)


def any_open(times: Int64Array, parts: Sequence[WorkTime]) -> NDArray[np.bool_]:
    """bool[n]: where at least one of `parts` works."""
    result = np.zeros(len(times), np.bool_)
    for part in parts:
        result |= part.open_at(times)
    return result

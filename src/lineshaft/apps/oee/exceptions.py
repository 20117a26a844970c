"""Days that are not as the plant folder has them: entries of people above its calendars, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from lineshaft.analytics.oee.calendar import Calendar, Pattern, Pause, Shift, Special, instant, shifts_between
from lineshaft.apps.oee.recorder import Span
from lineshaft.apps.oee.setup import Facts, MachineSetup
from lineshaft.config.calendars import minutes

Kind = Literal["closed", "shifts", "overtime", "stop"]
LONGEST_DAYS: Final = 62
_DAY_US: Final = 86_400_000_000


@dataclass(frozen=True, slots=True)
class EntryShift:
    """A shift of such a day: local times HH:MM, an end not after the start is the next day."""

    id: str
    start: str
    end: str
    crew: str = ""
    breaks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """What a person said about days of a part of the plant.

    closed: nobody works. shifts: these in place of the usual ones. overtime: these on top of the usual ones.
    stop: planned beforehand, within shifts. `first` and `last` are local dates, both included; of a stop local dates
    with times, the end not included.
    """

    path: str
    kind: Kind
    first: str
    last: str
    shifts: tuple[EntryShift, ...] = ()
    reason: str = ""
    id: int = 0
    by: str = ""
    at: int = 0

    def holds_for(self, path: str) -> bool:
        """Whether it is about the machine with this path."""
        return path == self.path or path.startswith(self.path + "/")

    def days(self) -> Iterator[date]:
        """Its local dates."""
        day, last = date.fromisoformat(self.first[:10]), date.fromisoformat(self.last[:10])
        while day <= last:
            yield day
            day += timedelta(days=1)

    def covers(self, day: date) -> bool:
        """Whether it is about this date."""
        return self.first[:10] <= day.isoformat() <= self.last[:10]


def layered(base: Calendar, path: str, entries: Sequence[Entry]) -> Calendar:
    """The calendar of a machine with the entries that hold for it.

    `closed` and `shifts` take the place of all that the files say about a date; of several the one for the smallest
    part of the plant counts, and overtime of a larger part is dropped then.
    """
    mine = [one for one in entries if one.holds_for(path)]
    if not mine:
        return base
    winners: dict[date, Entry] = {}
    for one in sorted(mine, key=lambda entry: len(entry.path)):
        if one.kind in ("closed", "shifts"):
            winners |= dict.fromkeys(one.days(), one)
    specials = tuple(Special(day, _patterns(one), one.reason) for day, one in sorted(winners.items()))
    overtime = [
        Special(day, _patterns(one), one.reason)
        for one in mine
        if one.kind == "overtime"
        for day in one.days()
        if day not in winners or len(one.path) >= len(winners[day].path)
    ]
    stops = tuple(span_of(one, base.zone) for one in mine if one.kind == "stop")
    return replace(
        base,
        specials=(*specials, *base.specials),
        overtime=(*(one for one in base.overtime if one.day not in winners), *overtime),
        planned_stops=(*base.planned_stops, *stops),
    )


def with_entries(facts: Facts, entries: Sequence[Entry]) -> Facts:
    """The facts of the files with what people said above them."""

    def made(machine: MachineSetup) -> Calendar | None:
        return None if machine.calendar is None else layered(machine.calendar, machine.path, entries)

    return facts.with_calendars(made)


def _patterns(entry: Entry) -> tuple[Pattern, ...]:
    return tuple(
        Pattern(
            one.id, minutes(one.start), minutes(one.end), (),
            tuple(Pause(minutes(start), minutes(end)) for start, end in one.breaks), (one.crew,) if one.crew else (),
        )
        for one in entry.shifts
    )  # fmt: skip


def span_of(entry: Entry, zone: str) -> Span:
    """UTC microseconds in which an entry can change anything."""
    where = ZoneInfo(zone)
    if entry.kind == "stop":
        start, end = (datetime.fromisoformat(text) for text in (entry.first, entry.last))
        return _instant(start, where), _instant(end, where)
    days = list(entry.days())
    return instant(days[0] - timedelta(days=1), 0, where), instant(days[-1] + timedelta(days=2), 0, where)


def _instant(moment: datetime, zone: ZoneInfo) -> int:
    return instant(moment.date(), moment.hour * 60 + moment.minute, zone)


def mistakes(entry: Entry, base: Facts, others: Sequence[Entry], crews: frozenset[str]) -> Iterator[str]:
    """What is wrong with an entry, in words. base: what the files say; others: entries beside this one."""
    machines = base.below(entry.path)
    if not machines:
        yield f"no machine of OEE is at or below {entry.path}"
        return
    planned = [one for one in machines if one.calendar is not None]
    if not planned:
        yield (
            f"no calendar holds for {entry.path}: without one every hour counts as work; "
            "give it shifts in the section `calendars` of the plant folder first"
        )
        return
    wrong = list(_own_mistakes(entry, crews))
    yield from wrong
    if wrong:
        return
    zones = {one.zone: one for one in planned}
    for zone in zones:
        yield from _skipped(entry, ZoneInfo(zone))
    yield from _twice(entry, others)
    seen: set[Calendar] = set()
    for machine in planned:
        calendar = layered(machine.calendar, machine.path, others) if machine.calendar else None
        if calendar is not None and calendar not in seen:
            seen.add(calendar)
            yield from _overlaps(entry, calendar, base.names.get(machine.path, machine.path))


def _own_mistakes(entry: Entry, crews: frozenset[str]) -> Iterator[str]:
    if entry.kind == "stop" and entry.first >= entry.last:
        yield "the planned stop does not end after it begins"
    elif entry.first > entry.last:
        yield f"the last day {entry.last} is before the first {entry.first}"
    elif len(list(entry.days())) > LONGEST_DAYS:
        yield f"more than {LONGEST_DAYS} days at once: enter a change of the usual shifts in the plant folder"
    if entry.kind in ("shifts", "overtime") and not entry.shifts:
        yield "there is no shift: give one, or say that nobody works"
    if entry.kind in ("closed", "stop") and entry.shifts:
        yield "a day without work and a planned stop have no shifts"
    for one in entry.shifts:
        if one.crew and one.crew not in crews:
            known = f"; known are {', '.join(sorted(crews))}" if crews else "; the calendars of the plant name no crew"
            yield f"shift {one.id}: there is no crew {one.crew}{known}"
        for start, end in one.breaks:
            if not _inside(one, start, end):
                yield f"shift {one.id}: the break {start}-{end} is not within {one.start}-{one.end}"
    for place, one in enumerate(entry.shifts):
        for other in entry.shifts[:place]:
            if one.id == other.id:
                yield f"two shifts are called {one.id}"
            if _minutes(one)[0] < _minutes(other)[1] and _minutes(other)[0] < _minutes(one)[1]:
                yield f"the shifts {other.id} ({other.start}-{other.end}) and {one.id} ({one.start}-{one.end}) overlap"


def _minutes(shift: EntryShift) -> tuple[int, int]:
    start, end = minutes(shift.start), minutes(shift.end)
    return start, end if end > start else end + 1440


def _inside(shift: EntryShift, start: str, end: str) -> bool:
    low, high = _minutes(shift)
    begin = minutes(start) + (1440 if minutes(start) < low else 0)
    until = minutes(end) + (1440 if minutes(end) < low or minutes(end) < begin % 1440 else 0)
    return low <= begin < until <= high


def _skipped(entry: Entry, zone: ZoneInfo) -> Iterator[str]:
    """Local times that a clock change skips."""
    if entry.kind == "stop":
        moments = [datetime.fromisoformat(text) for text in (entry.first, entry.last)]
    else:
        moments = [
            datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute)
            for day in entry.days()
            for one in entry.shifts
            for minute in _minutes(one)
        ]
    for moment in moments:
        local = moment.replace(tzinfo=zone)
        back = local.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
        if back != moment:
            yield (
                f"{moment:%H:%M} does not exist on {moment:%Y-%m-%d} in {zone.key}: the clocks jump over it, "
                f"to {back:%H:%M}"
            )


def _twice(entry: Entry, others: Sequence[Entry]) -> Iterator[str]:
    if entry.kind not in ("closed", "shifts"):
        return
    for other in others:
        same = other.path == entry.path and other.kind in ("closed", "shifts")
        if same and other.first <= entry.last and entry.first <= other.last:
            yield (
                f"{max(other.first, entry.first)} has an entry already: {other.reason}, by {other.by}; "
                "change or remove that one"
            )


def _overlaps(entry: Entry, calendar: Calendar, name: str) -> Iterator[str]:
    """Shifts of the entry that would overlap one that stays."""
    zone = ZoneInfo(calendar.zone)
    if entry.kind not in ("shifts", "overtime"):
        return
    for day in entry.days():
        low, high = instant(day - timedelta(days=1), 0, zone), instant(day + timedelta(days=2), 0, zone)
        stay = [
            one for one in shifts_between(calendar, low, high) if entry.kind == "overtime" or not entry.covers(one.day)
        ]
        for one in entry.shifts:
            start, end = (instant(day, minute, zone) for minute in _minutes(one))
            hit = next((shift for shift in stay if shift.start < end and start < shift.end), None)
            if hit is not None:
                yield (
                    f"{day}: {one.id} ({one.start}-{one.end}) overlaps the shift {hit.id} ({_clock(hit, zone)}) "
                    f"of {name}"
                )


def _clock(shift: Shift, zone: ZoneInfo) -> str:
    start, end = (datetime.fromtimestamp(time / 1e6, zone) for time in (shift.start, shift.end))
    return f"{start:%H:%M}-{end:%H:%M}"


def crews_of(facts: Facts) -> frozenset[str]:
    """Crews that the calendars of the files name."""
    calendars = {one.calendar for one in facts.machines.values() if one.calendar is not None}
    patterns = [
        pattern
        for one in calendars
        for pattern in (*one.shifts, *(shift for day in (*one.specials, *one.overtime) for shift in day.shifts))
    ]
    return frozenset(crew for pattern in patterns for crew in pattern.crews)


def changed_spans(before: Facts, after: Facts, entries: Sequence[Entry]) -> Mapping[str, Sequence[Span]]:
    """Machine -> UTC microseconds that these entries, there before or after, can have changed."""
    found: dict[str, list[Span]] = {}
    for path, machine in after.machines.items():
        old, calendar = before.machines.get(path), machine.calendar
        if old is not None and calendar is not None and old.calendar != calendar:
            found[path] = [span_of(one, calendar.zone) for one in entries if one.holds_for(path)]
    return found


def dated_spans(before: Calendar | None, after: Calendar | None) -> Sequence[Span]:
    """UTC microseconds of the dates about which two calendars of the files differ."""
    if before is None or after is None or before == after:
        return ()
    days = {day for one in (before, after) for day in one.holidays if day not in (before.holidays & after.holidays)}
    for name in ("specials", "overtime"):
        old, new = (frozenset(getattr(one, name)) for one in (before, after))
        days |= {special.day for special in old ^ new}
    zone = ZoneInfo(after.zone)
    spans = [(instant(day - timedelta(days=1), 0, zone), instant(day + timedelta(days=2), 0, zone)) for day in days]
    return [*spans, *(set(before.planned_stops) ^ set(after.planned_stops))]


def rebased_spans(before: Facts, after: Facts, now: int) -> Mapping[str, Sequence[Span]]:
    """Machine -> what is summed up anew when the files change: the last day, and the dates about which they differ."""
    lines = {one.path: [machine.path for machine in one.machines] for one in before.lines}
    found: dict[str, Sequence[Span]] = {}
    for line in after.lines:
        same_flow = lines.get(line.path) == [one.path for one in line.machines]
        for one in line.machines:
            old = before.machines.get(one.path)
            if old is not None and (old != one or not same_flow):
                found[one.path] = [(now - _DAY_US, now), *dated_spans(old.calendar, one.calendar)]
    return found


def new_machines(before: Facts, after: Facts) -> frozenset[str]:
    """Machines that were not measured before."""
    return frozenset(after.machines.keys() - before.machines.keys())

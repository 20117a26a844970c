"""What people did in the factory's past: they saw a bearing wear, spoke about it, and changed it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lineshaft.simulator.machines.utilities import Wear

DAY_US: Final = 86_400_000_000
HOUR_US: Final = 3_600_000_000
_ONSET_DAYS, _PACE_DAYS, _REPAIR_DAY = 7.5, 2.9, 17.0
_SHORTEST_DAYS: Final = 20.0
PUMP_1: Final = "utilities/cooling-water/pump-1"
PUMP_2: Final = "utilities/cooling-water/pump-2"


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that a person said or did. Time: UTC microseconds; subject: path below the site.

    action  acknowledge, assign, comment or work, as the maintenance app knows them
    """

    time: int
    subject: str
    action: str
    by: str
    words: str
    details: Mapping[str, str | float] = field(default_factory=dict)


def repaired_wear(begin_us: int, history_us: int) -> Wear | None:
    """Wear of pump 1: from its first sign to the repair on a working day; None where the past is too short."""
    if history_us < _SHORTEST_DAYS * DAY_US:
        return None
    day = (begin_us + round(_REPAIR_DAY * DAY_US)) // DAY_US
    weekday = (day + 3) % 7  # day 0 was a Thursday; 0 is Monday
    start = (day + (7 - weekday if weekday > 4 else 0)) * DAY_US + 7 * HOUR_US
    return Wear(_ONSET_DAYS, _PACE_DAYS, (start, start + 3 * HOUR_US))


def deeds(wear: Wear | None, begin_us: int) -> tuple[Deed, ...]:
    """All that people did, in order."""
    if wear is None or wear.repaired is None:
        return ()
    start, end = wear.repaired
    found = [
        Deed(start - 3 * DAY_US, PUMP_1, "acknowledge", "J. Kern", "Seen. I listened: a light rumble, driven end."),
        Deed(start - 3 * DAY_US + HOUR_US, PUMP_1, "assign", "J. Kern", "M. Okafor", {"to": "M. Okafor"}),
        Deed(start - 2 * DAY_US, PUMP_1, "comment", "M. Okafor", "Bearing 209K is on stock. Planned for this week."),
        Deed(
            end,
            PUMP_1,
            "work",
            "M. Okafor",
            "Driven-end bearing changed. Outer race pitted over a third of its width, grease dark.",
            {"found": "confirmed", "cost": 1180.0, "hours": 3.0},
        ),
        Deed(begin_us + 28 * DAY_US, PUMP_2, "comment", "J. Kern", "Audible at the driven end. Bearing 209K ordered."),
    ]  # fmt: skip
    return tuple(found)


def between(all_deeds: Sequence[Deed], after: int, until: int) -> Iterator[Deed]:
    """Those with after < time <= until."""
    return (one for one in all_deeds if after < one.time <= until)

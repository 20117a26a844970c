"""Severity zones of broadband vibration as data that can be edited, each table with its edition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Zone = Literal["A", "B", "C", "D"]
MEANING: Mapping[Zone, str] = {
    "A": "as of a new machine",
    "B": "fit for unrestricted running",
    "C": "not fit for long; mend it at the next chance",
    "D": "severe enough to do damage",
}


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Where the zones of one group of machines on one kind of support meet: A/B, B/C, C/D.

    velocity      mm/s RMS
    displacement  micrometres RMS; None where the edition has none
    """

    group: str
    support: str
    velocity: tuple[float, float, float]
    displacement: tuple[float, float, float] | None
    edition: str

    def zone(self, velocity: float, displacement: float | None = None) -> Zone:
        """The worse zone of velocity (mm/s RMS) and displacement (micrometres RMS)."""
        worst = _place(velocity, self.velocity)
        if displacement is not None and self.displacement is not None:
            worst = max(worst, _place(displacement, self.displacement))
        return ("A", "B", "C", "D")[worst]

    def changed(self, velocity: float, reference: float) -> bool:
        """Whether the velocity moved by more than a quarter of B/C, in either direction (criterion II)."""
        return abs(velocity - reference) > 0.25 * self.velocity[1]

    def alarm(self, baseline: float) -> float:
        """Alarm limit in mm/s: the baseline and a quarter of B/C, at most 1.25 times B/C."""
        return min(baseline + 0.25 * self.velocity[1], 1.25 * self.velocity[1])


def zone_name(one: Boundaries) -> str:
    """What people and plant files call the zones of a group of machines: '2: 15 to 300 kW, rigid'."""
    return f"{one.group}, {one.support}"


def zone_tables(document: Mapping[str, Any]) -> tuple[Boundaries, ...]:
    """The tables of a document `editions` -> `groups`. Raises ValueError with the edition and group of a wrong row."""
    found = []
    for edition in document["editions"]:
        for group in edition["groups"]:
            where = f"{edition['edition']}, {group['group']} {group['support']}"
            velocity = _three(group["velocity_mm_s"], where)
            micro = group.get("displacement_um")
            moved = None if micro is None else _three(micro, where)
            found.append(Boundaries(group["group"], group["support"], velocity, moved, edition["edition"]))
    return tuple(found)


def _three(values: Any, where: str) -> tuple[float, float, float]:
    a, b, c = (float(value) for value in values)
    if not 0 < a < b < c:
        raise ValueError(f"{where}: the boundaries A/B, B/C, C/D must ascend above 0, not {values}")
    return a, b, c


def _place(value: float, limits: tuple[float, float, float]) -> int:
    return sum(value > limit for limit in limits)

"""What a diagnosis says: findings with their evidence, and what could not be judged and why."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final, Literal

FaultKind = Literal[
    "outer_race",
    "inner_race",
    "rolling_element",
    "cage",
    "unbalance",
    "misalignment",
    "looseness",
    "gear_mesh",
    "electrical",
    "cavitation",
    "rotor_bar",
    "eccentricity",
]
TITLES: Final[dict[FaultKind, str]] = {
    "outer_race": "damage of the outer race",
    "inner_race": "damage of the inner race",
    "rolling_element": "damage of a rolling element",
    "cage": "damage of the cage",
    "unbalance": "unbalance",
    "misalignment": "misalignment of the coupling",
    "looseness": "mechanical looseness",
    "gear_mesh": "damage or wear of a gear",
    "electrical": "electrical cause in the motor",
    "cavitation": "cavitation or recirculation in the pump",
    "rotor_bar": "broken or cracked rotor bars",
    "eccentricity": "uneven air gap of the motor",
}
BEARING_FAULTS: Final[tuple[FaultKind, ...]] = ("outer_race", "inner_race", "rolling_element", "cage")


@dataclass(frozen=True, slots=True)
class MatchedPeak:
    """A line that speaks for a finding: what it is, where it stands (Hz), and how far above the noise (powers)."""

    name: str
    frequency: float
    over_noise: float


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault that the waveform shows.

    likelihood  0 to 1, from the chance that noise alone does the same (see `likelihood`)
    words       why, in sentences      peaks  the lines behind it      band  Hz whose envelope showed it, for bearings
    not_parted  what explains the same lines as well in this record; empty when the fault is named
    """

    kind: FaultKind
    likelihood: float
    words: tuple[str, ...]
    peaks: tuple[MatchedPeak, ...] = ()
    band: tuple[float, float] | None = None
    not_parted: tuple[str, ...] = ()

    @property
    def sure_of_damage(self) -> bool:
        """Whether something is damaged whatever explains the lines: only then anybody is told who did not ask."""
        return not self.not_parted or self.kind == "cage"

    @property
    def title(self) -> str:
        """The fault in words, with what it could not be parted from."""
        return " or ".join((TITLES[self.kind], *self.not_parted))


@dataclass(frozen=True, slots=True)
class NotDiagnosable:
    """What was not judged ('all', 'bearing', 'shaft' ...), a short reason for programs, and the words for people."""

    what: str
    reason: str
    words: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that one waveform says: findings, most likely first, and what could not be judged.

    speed  Hz that was used, None when unknown    estimated  whether the speed was read out of the vibration
    velocity_rms  mm/s, None when not measurable    zone  severity A to D    edition  of the zones
    """

    findings: tuple[Finding, ...] = ()
    not_diagnosable: tuple[NotDiagnosable, ...] = ()
    speed: float | None = None
    estimated: bool = False
    velocity_rms: float | None = None
    zone: str | None = None
    edition: str | None = None
    features: dict[str, float] = field(default_factory=dict)

    @property
    def bearing_verdict(self) -> str:
        """'outer_race' ... of the most likely bearing fault, 'not parted', 'healthy', or 'not diagnosable'."""
        found = [finding for finding in self.findings if finding.kind in BEARING_FAULTS]
        for finding in found:
            if not finding.not_parted:
                return finding.kind
        if found:
            return "not parted"
        judged = not any(entry.what in ("all", "bearing") for entry in self.not_diagnosable)
        return "healthy" if judged else "not diagnosable"


def likelihood(log_chance: float, prior: float = 0.05) -> float:
    """0 to 1: how likely a fault is, when noise shows its evidence with the chance exp(`log_chance`).

    The bound -e p ln p on the Bayes factor of a p value (Sellke, Bayarri and Berger 2001), with a prior of a fault.
    """
    if log_chance >= -1:
        return prior
    bound = -math.exp(1 + log_chance) * log_chance
    return 1 / (1 + bound * (1 - prior) / prior)

"""What a case is: a fault of an asset from its first sign on, with all that was found, said and done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Details = Mapping[str, Any]
STAGES: Final = ("normal", "watch", "alarm", "danger")
HEALTH: Final = "maintenance.health."
LIFE: Final = "maintenance.life"
FINDING: Final = "maintenance.finding"
GONE: Final = "maintenance.finding.gone"
ACTION: Final = "maintenance.case."
ANOMALY: Final = "anomaly."
KINDS: Final = (HEALTH, LIFE, FINDING, ACTION, ANOMALY)
"""How the kinds of events begin that a case is told by."""
ACTIONS: Final = ("acknowledge", "assign", "comment", "work", "close", "reopen")
OUTCOMES: Final = ("confirmed", "none", "failed")
"""What somebody found who looked: the fault, nothing, or that it has failed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing of a case's story.

    kind  opened, stage, finding, gone, life, anomaly, named, escalated, reopened, closed, or one of ACTIONS
    by    '' for the hub
    """

    time: int
    kind: str
    words: str
    by: str = ""
    details: Details = field(default_factory=dict)


@dataclass(slots=True)
class Case:
    """One fault of one asset; made by `cases.tell` from events.

    asset  path of the machine    part  path of the part that a finding is about, '' for the whole
    fault  kind of a finding, or '' while nobody knows    stage, worst  of the health    active  what speaks for it now
    worked  when the last repair was done    outcome  one of OUTCOMES, or ''    why  of the end, in a word
    """

    asset: str
    fault: str
    opened: int
    part: str = ""
    closed: int | None = None
    stage: str = "normal"
    worst: str = "normal"
    left_normal: str = ""
    active: set[str] = field(default_factory=set)
    acknowledged: str = ""
    assigned: str = ""
    worked: int | None = None
    outcome: str = ""
    why: str = ""
    life: Details = field(default_factory=dict)
    finding: Details = field(default_factory=dict)
    cost: float = 0.0
    entries: list[Entry] = field(default_factory=list)

    @property
    def open(self) -> bool:
        """Until it is closed."""
        return self.closed is None

    def add(self, time: int, kind: str, words: str, by: str = "", details: Details | None = None) -> None:
        """The next thing of its story."""
        self.entries.append(Entry(time, kind, words, by, details or {}))

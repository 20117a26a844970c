"""Events: something that happened at an instant, with words that say what, where and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How much an event matters; the four alarm priorities of ISA-18.2 and plain information."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `subject` is an equipment, signal, device or gateway path.

    `kind` is a stable dotted word for programs ('buffer.dropped', 'device.offline', 'device.recovered');
    `message` is one sentence for people; `details` holds figures that support it.
    """

    time: int  # UTC microseconds
    kind: str
    subject: str
    message: str
    severity: Severity = Severity.INFO
    details: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)

"""What an agent's XML documents say, in plain types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

UNAVAILABLE = "UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class DataItem:
    """One data item of the device model."""

    id: str
    name: str
    category: str  # SAMPLE, EVENT or CONDITION
    type: str
    sub_type: str
    units: str
    representation: str  # VALUE, TIME_SERIES, DATA_SET, TABLE or DISCRETE
    sample_rate: float | None  # Hz
    component: str  # id of the component that it belongs to


@dataclass(frozen=True, slots=True)
class Component:
    """One component of the device model; `parent` is the id of the one that it is in, '' for a device."""

    id: str
    kind: str  # Device, Linear, Controller ...
    name: str
    parent: str
    uuid: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """Where the agent stands; sequence numbers are 0 in a probe."""

    instance: str
    version: str  # of the schema: '1.3', '2.0'
    created: int  # UTC microseconds
    first: int = 0
    last: int = 0
    next: int = 0


@dataclass(frozen=True, slots=True)
class Probe:
    """The device model."""

    header: Header
    components: tuple[Component, ...]
    items: tuple[DataItem, ...]


@dataclass(slots=True)
class Observations:
    """Parallel columns in document order; `text` is the value losslessly, None when it is unavailable."""

    items: list[str] = field(default_factory=list)
    sequences: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)  # UTC microseconds
    texts: list[str | None] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)  # '' a value, 'series', or 'text' that is never a number
    rates: list[float] = field(default_factory=list)  # Hz, of a series; 0 when the document does not say
    doubtful: set[int] = field(default_factory=set)  # rows without a timestamp that can be read

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True)
class Streams:
    """A current or a sample document."""

    header: Header
    observations: Observations


@dataclass(frozen=True, slots=True)
class AgentError:
    """The agent refused the request: (code, text) of each reason."""

    header: Header | None
    reasons: Sequence[tuple[str, str]]

    def has(self, code: str) -> bool:
        """True when one of the reasons has this code."""
        return any(found == code for found, _ in self.reasons)

    def __str__(self) -> str:
        return "; ".join(f"{code}: {text}" if text else code for code, text in self.reasons) or "refused"


Document = Probe | Streams | AgentError

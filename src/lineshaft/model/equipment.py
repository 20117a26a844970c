"""The ISA-95 equipment tree and the signals that hang on it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

ID_PATTERN = r"^[a-z0-9][a-z0-9_.-]*$"
"""What an id may look like: it becomes part of a path, a topic and a URL."""


class Level(StrEnum):
    """Levels of the equipment hierarchy (IEC 62264-1); a component is a part of an asset."""

    ENTERPRISE = "enterprise"
    SITE = "site"
    AREA = "area"
    LINE = "line"
    ASSET = "asset"
    COMPONENT = "component"


class SignalKind(StrEnum):
    """What a signal's samples mean, and so how they may be aggregated."""

    MEASURE = "measure"  # a continuous quantity; a mean over time has a meaning
    COUNTER = "counter"  # only grows, apart from reset and rollover; its increase has a meaning
    STATE = "state"  # a discrete state or text, valid until the next one
    WAVEFORM = "waveform"  # a burst of fast samples
    EVENT = "event"  # something that happened at an instant


class Datatype(StrEnum):
    """Type of a value at its source; names as in Sparkplug B."""

    BOOLEAN = "Boolean"
    INT8 = "Int8"
    INT16 = "Int16"
    INT32 = "Int32"
    INT64 = "Int64"
    UINT8 = "UInt8"
    UINT16 = "UInt16"
    UINT32 = "UInt32"
    UINT64 = "UInt64"
    FLOAT = "Float"
    DOUBLE = "Double"
    STRING = "String"
    DATETIME = "DateTime"

    @property
    def is_text(self) -> bool:
        """True when samples of this type are text."""
        return self is Datatype.STRING


@dataclass(frozen=True, slots=True)
class Limits:
    """Alarm limits of a measure in the signal's unit; None where there is none."""

    low_low: float | None = None
    low: float | None = None
    high: float | None = None
    high_high: float | None = None


@dataclass(frozen=True, slots=True)
class Attribute:
    """One line of an asset's data sheet."""

    name: str
    value: float | str
    unit: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Equipment:
    """One node of the equipment tree. `path` joins the ids from the enterprise down with '/'."""

    path: str
    name: str
    level: Level
    type: str = ""  # asset type: cnc, pump, meter ...
    description: str = ""
    aliases: tuple[str, ...] = ()  # other names under which people look for it
    attributes: tuple[Attribute, ...] = ()

    @property
    def parent(self) -> str:
        """Path of the node above, '' at the top."""
        return self.path.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class Signal:
    """A named series on an asset. `path` is `<asset path>/<name>` and unique in the enterprise."""

    asset: str
    name: str
    kind: SignalKind = SignalKind.MEASURE
    datatype: Datatype = Datatype.DOUBLE
    unit: str = ""  # UCUM-like text that pint understands: kW, degC, mm/s, bar, 1/min; '' for none
    low: float | None = None  # range that the source can deliver
    high: float | None = None
    limits: Limits = field(default_factory=Limits)
    decimals: int | None = None  # digits after the point that people see; None: chosen by the page
    states: tuple[tuple[str, str], ...] = ()  # raw value -> word, for kind state
    description: str = ""

    @property
    def path(self) -> str:
        """Unique name: equipment path and signal name."""
        return f"{self.asset}/{self.name}"


def valid_id(text: str) -> bool:
    """True when `text` may be an id of equipment, a device, a gateway or a signal."""
    return re.match(ID_PATTERN, text) is not None

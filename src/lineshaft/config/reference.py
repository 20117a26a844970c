"""Reference data that comes with the package: bearings, severity zones and templates of machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from lineshaft.analytics.bearings.kinematics import Bearing, bearing_library
from lineshaft.analytics.vibration.severity import Boundaries, zone_tables


@cache
def bearings() -> Mapping[str, Bearing]:
    """Name -> bearing of the library that comes with Lineshaft."""
    return bearing_library(_document("bearings.yaml"))


@cache
def severity_zones() -> tuple[Boundaries, ...]:
    """Zone tables that come with Lineshaft, each with its edition."""
    return zone_tables(_document("severity.yaml"))


@dataclass(frozen=True, slots=True)
class HealthTemplate:
    """What the health of assets of some types is made of; names may hold '*'. See analytics/data/health.yaml."""

    types: tuple[str, ...]
    features: tuple[str, ...]
    operating: tuple[tuple[str, ...], ...]  # of each line the first that exists
    failure_index: float


@cache
def health_templates() -> tuple[HealthTemplate, ...]:
    """Templates that come with Lineshaft."""
    return tuple(
        HealthTemplate(
            tuple(one["types"]),
            tuple(one["features"]),
            tuple(tuple(line) for line in one["operating"]),
            float(one["failure_index"]),
        )
        for one in _document("health.yaml")["templates"]
    )


@dataclass(frozen=True, slots=True)
class MachineTemplate:
    """What is usual for a kind of machine: the asset types that it is of, its zones, its faults to look for in words.

    asks  what else of the machine helps: teeth, mains
    """

    id: str
    title: str
    types: tuple[str, ...]
    zones: str
    speeds: tuple[float, float]  # 1/min
    asks: tuple[str, ...]
    words: str


@cache
def machine_templates() -> Mapping[str, MachineTemplate]:
    """Id -> template of a kind of machine."""
    return {
        one["id"]: MachineTemplate(
            id=one["id"],
            title=one["title"],
            types=tuple(one["types"]),
            zones=one["zones"],
            speeds=(float(one["speeds"][0]), float(one["speeds"][1])),
            asks=tuple(one["asks"]),
            words=one["words"],
        )
        for one in _document("machines.yaml")["machines"]
    }


def _document(name: str) -> Mapping[str, Any]:
    text = (files("lineshaft") / "analytics" / "data" / name).read_text(encoding="utf-8")
    document: Mapping[str, Any] = yaml.safe_load(text)
    return document

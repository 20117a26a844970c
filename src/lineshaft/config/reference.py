"""Reference data that comes with the package: the bearing library and the severity zones."""

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


def _document(name: str) -> Mapping[str, Any]:
    text = (files("lineshaft") / "analytics" / "data" / name).read_text(encoding="utf-8")
    document: Mapping[str, Any] = yaml.safe_load(text)
    return document

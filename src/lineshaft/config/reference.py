"""Reference data that comes with the package: the bearing library and the severity zones."""

from __future__ import annotations

from collections.abc import Mapping
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


def _document(name: str) -> Mapping[str, Any]:
    text = (files("lineshaft") / "analytics" / "data" / name).read_text(encoding="utf-8")
    document: Mapping[str, Any] = yaml.safe_load(text)
    return document

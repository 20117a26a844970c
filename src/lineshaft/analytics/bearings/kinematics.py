"""Fault orders of rolling bearings from their geometry, and the library of known ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Geometry:
    """Inside of a bearing whose outer ring stands still.

    elements   rolling elements in one row
    element    their diameter, in the unit of `pitch`
    pitch      diameter of the circle through their centres
    angle      contact angle in degrees
    """

    elements: int
    element: float
    pitch: float
    angle: float = 0.0

    def __post_init__(self) -> None:
        if self.elements < 3 or not 0 < self.element < self.pitch or not 0 <= self.angle < 90:
            raise ValueError(
                "a bearing has 3 or more elements, an element diameter below the pitch diameter "
                f"and a contact angle within 0 and 90 degrees, not {self}"
            )


@dataclass(frozen=True, slots=True)
class FaultOrders:
    """What the shaft's speed is multiplied with to get the frequency of each fault.

    outer  BPFO, pass of the elements over the outer race     inner  BPFI, over the inner race
    ball   BSF, spin of an element (a defect on it strikes both races: twice the BSF)     cage   FTF
    """

    outer: float
    inner: float
    ball: float
    cage: float

    def __post_init__(self) -> None:
        if not all(math.isfinite(x) and x > 0 for x in (self.outer, self.inner, self.ball, self.cage)):
            raise ValueError(f"fault orders are numbers above 0, not {self}")
        if self.cage >= 1 or self.inner <= self.outer:
            raise ValueError("the order of the cage is below 1 and that of the inner race above that of the outer")

    @property
    def elements(self) -> int:
        """Number of rolling elements: BPFO and BPFI add up to it."""
        return round(self.outer + self.inner)


@dataclass(frozen=True, slots=True)
class Bearing:
    """A bearing of the library: its name, its orders and where they are published."""

    name: str
    orders: FaultOrders
    source: str
    geometry: Geometry | None = None


def fault_orders(geometry: Geometry) -> FaultOrders:
    """Orders by the kinematics of rolling without slip: r = d / D cos(angle).

    FTF = (1 - r) / 2, BPFO = n (1 - r) / 2, BPFI = n (1 + r) / 2, BSF = (1 - r^2) D / 2 d. Real bearings slip: their
    frequencies are 1 to 2 % lower (Randall and Antoni 2011).
    """
    r = geometry.element / geometry.pitch * math.cos(math.radians(geometry.angle))
    return FaultOrders(
        outer=geometry.elements * (1 - r) / 2,
        inner=geometry.elements * (1 + r) / 2,
        ball=geometry.pitch / (2 * geometry.element) * (1 - r * r),
        cage=(1 - r) / 2,
    )


def slipped(orders: FaultOrders, part: float) -> FaultOrders:
    """Orders of a bearing whose cage slips behind kinematics by a `part` (0.01 = 1 %).

    FTF and BPFO fall by it. BPFI rises, because BPFO and BPFI add up to the number of elements whatever the cage does
    (the n elements pass both races). The spin of the elements falls as the cage does when they roll on the outer race.
    """
    lost = orders.outer * part
    return FaultOrders(orders.outer - lost, orders.inner + lost, orders.ball * (1 - part), orders.cage * (1 - part))


def bearing_library(document: Mapping[str, Any]) -> Mapping[str, Bearing]:
    """Name -> bearing of a library document (`sources`, `bearings`). Raises ValueError with the bearing's name."""
    sources: Mapping[str, str] = document["sources"]
    found: dict[str, Bearing] = {}
    for entry in document["bearings"]:
        name = str(entry["name"])
        try:
            geometry = (
                Geometry(int(entry["geometry"][0]), *map(float, entry["geometry"][1:])) if "geometry" in entry else None
            )
            orders = fault_orders(geometry) if geometry is not None else FaultOrders(*map(float, entry["orders"]))
            found[name] = Bearing(name, orders, sources[entry["source"]], geometry)
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"bearing {name}: {error}") from error
    return found


def find_bearing(library: Mapping[str, Bearing], text: str) -> Bearing:
    """The bearing that `text` names: the whole name, or a part that only one name has. Raises ValueError."""
    wanted = _plain(text)
    exact = [bearing for name, bearing in library.items() if _plain(name) == wanted]
    near = exact or [bearing for name, bearing in library.items() if wanted and wanted in _plain(name)]
    if len(near) == 1:
        return near[0]
    if near:
        raise ValueError(f"{text!r} names several bearings: {', '.join(bearing.name for bearing in near)}")
    raise ValueError(
        f"no bearing {text!r} in the library; give its geometry or its orders, or one of {', '.join(library)}"
    )


def _plain(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())

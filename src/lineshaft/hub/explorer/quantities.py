"""Which signals together give a figure of the whole plant, told from their names, kinds and units alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lineshaft.hub.explorer.index import PlantIndex
from lineshaft.model.equipment import Equipment, Signal, SignalKind

_POWER = {"W": 0.001, "kW": 1.0, "MW": 1000.0}
_ENERGY = {
    "Wh": 0.001,
    "kWh": 1.0,
    "MWh": 1000.0,
    "W*h": 0.001,
    "kW*h": 1.0,
    "MW*h": 1000.0,
    "MJ": 1 / 3.6,
    "GJ": 1000 / 3.6,
}
_VOLUME = {
    "m3": 1.0,
    "m**3": 1.0,
    "m^3": 1.0,
    "m³": 1.0,
    "Nm3": 1.0,
    "Nm³": 1.0,
    "l": 0.001,
    "L": 0.001,
    "liter": 0.001,
}
_FLOW = {
    "m3/h": 1.0,
    "m**3/h": 1.0,
    "m^3/h": 1.0,
    "m³/h": 1.0,
    "Nm3/h": 1.0,
    "Nm³/h": 1.0,
    "m3/min": 60.0,
    "m**3/min": 60.0,
    "m³/min": 60.0,
    "l/min": 0.06,
    "L/min": 0.06,
    "l/s": 3.6,
    "L/s": 3.6,
    "l/h": 0.001,
    "m3/s": 3600.0,
}
_MEDIA = (
    ("air", re.compile(r"compressed|(^|[^a-z])air([^a-z]|$)|compressor|pneumat")),
    ("gas", re.compile(r"(^|[^a-z])gas([^a-z]|$)|natural_?gas|propane|methane")),
    ("water", re.compile(r"water|cooling|coolant")),
)
_MAIN = re.compile(r"(^|[^a-z])(main|mains|incomer|incoming|grid|utility|supply|site|total|feed-in)([^a-z]|$)")
_PART = re.compile(
    r"(^|[_.-])(l[123]|phase|ph[123abc]|[abc]|peak|max|min|avg|demand|set_?point|limit|nominal|rated)([_.-]|$)"
)
_NO_POWER = re.compile(r"reactive|apparent|thermal|heat|cool")
_NO_COUNTER = re.compile(r"reactive|apparent|export")
_PREFER_POWER = re.compile(r"^(active_)?power(_total|_active)?$|^total_(active_)?power$")
_PREFER_COUNTER = re.compile(
    r"^(active_)?energy(_total|_import|_active)?$|^import|^volume(_total)?$|^total",
)
_PREFER_FLOW = re.compile(r"^(volume_)?flow(_rate)?$")


@dataclass(frozen=True, slots=True)
class Point:
    """A signal and what turns its value into the quantity's unit."""

    at: int  # position in the index
    factor: float


@dataclass(frozen=True, slots=True)
class Quantity:
    """Signals that are summed, and whether they are meters of the whole or of its parts."""

    points: Sequence[Point]
    unit: str
    basis: Literal["meter", "sum"]


def quantities(index: PlantIndex) -> dict[str, Quantity]:
    """power (kW), electricity (kWh), and of air, water and gas `<medium>` (m³) and `<medium>_flow` (m³/h); only those
    for which there are signals."""
    power: list[Point] = []
    counters: dict[str, list[Point]] = {}
    flows: dict[str, list[Point]] = {}
    for at, one in enumerate(index.signals):
        signal, node = one.born.signal, index.nodes[index.node_of[at]]
        if signal.kind is SignalKind.MEASURE:
            if signal.unit in _POWER and not _NO_POWER.search(signal.name):
                power.append(Point(at, _POWER[signal.unit]))
            elif signal.unit in _FLOW:
                flows.setdefault(_medium(signal, node), []).append(Point(at, _FLOW[signal.unit]))
        elif signal.kind is SignalKind.COUNTER and not _NO_COUNTER.search(signal.name):
            medium = _medium(signal, node)
            factor = (_ENERGY if medium == "electricity" else _VOLUME).get(signal.unit)
            if factor is not None:
                counters.setdefault(medium, []).append(Point(at, factor))
    found: dict[str, Quantity | None] = {"power": _settled(index, power, _PREFER_POWER, "kW")}
    for medium, points in counters.items():
        found[medium] = _settled(index, points, _PREFER_COUNTER, "kWh" if medium == "electricity" else "m³")
    for medium, points in flows.items():
        if medium != "electricity":
            found[f"{medium}_flow"] = _settled(index, points, _PREFER_FLOW, "m³/h")
    return {name: one for name, one in found.items() if one is not None}


def _settled(index: PlantIndex, points: Iterable[Point], prefer: re.Pattern[str], unit: str) -> Quantity | None:
    """Of several candidates one per node; then the main meters where there are any, otherwise all of the same sort."""
    best: dict[int, tuple[float, Point]] = {}
    for point in points:
        name = index.signals[point.at].born.signal.name
        if _PART.search(name):
            continue
        score = (2 if prefer.search(name.lower().replace("-", "_")) else 0) - len(name) / 100
        node = int(index.node_of[point.at])
        if node not in best or score > best[node][0]:
            best[node] = (score, point)
    chosen: Mapping[int, Point] = {node: point for node, (_, point) in best.items()}
    if not chosen:
        return None
    main = [
        point
        for node, point in chosen.items()
        if _MAIN.search(f"{index.nodes[node].path.rpartition('/')[2]} {index.nodes[node].name}".lower())
    ]
    if main:
        return Quantity(main, unit, "meter")
    meters = [point for node, point in chosen.items() if "meter" in index.nodes[node].type]
    if len(meters) == 1:
        return Quantity(meters, unit, "meter")
    return Quantity(meters or list(chosen.values()), unit, "sum")


def _medium(signal: Signal, node: Equipment) -> str:
    below = signal.path.split("/", 2)[-1]
    text = f"{below} {node.type} {node.name} {signal.description}".lower()
    return next((medium for medium, pattern in _MEDIA if pattern.search(text)), "electricity")

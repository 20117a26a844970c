"""The data sheet of a vibration sensor: written by the plant, read at the gateway and in the hub."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lineshaft.analytics.bearings.diagnosis import Machine, diagnose
from lineshaft.analytics.bearings.findings import Diagnosis
from lineshaft.analytics.bearings.kinematics import FaultOrders, fault_orders, find_bearing
from lineshaft.analytics.motor_current import Motor, diagnose_current
from lineshaft.analytics.vibration.severity import Boundaries, zone_name
from lineshaft.analytics.vibration.units import CURRENT
from lineshaft.config.reference import bearings, machine_templates, severity_zones
from lineshaft.config.vibration import VibrationSensorConfig, geometry_of
from lineshaft.model.equipment import Attribute
from lineshaft.model.samples import Float64Array

BEARING_LINES: Final = ("designation", "bearing", "bearing_drive_end")
"""Lines of an asset's data sheet that name its bearing, where the sensor itself says nothing."""
_WORDS: Final = {
    "machine": "Kind of machine behind the vibration sensor.",
    "bearing": "Bearing at the vibration sensor, as the bearing library calls it.",
    "fault_orders": "BPFO, BPFI, BSF, FTF of the bearing at the vibration sensor, as multiples of the speed.",
    "zones": "Severity zones that hold for the vibration sensor.",
    "boundaries": "Own zone boundaries A/B, B/C, C/D of the vibration velocity.",
    "edition": "Where the own zone boundaries come from.",
    "teeth": "Teeth of the gear on the shaft at the vibration sensor.",
    "mains": "Frequency of the supply of the motor.",
    "poles": "Poles of the motor.",
    "vanes": "Vanes of the impeller.",
    "speed_range": "Speeds among which that of the shaft is looked for in the vibration, 1/min.",
}
_UNITS: Final = {"mains": "Hz", "boundaries": "mm/s"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is known of the machine behind a vibration sensor; `problem` says what of it cannot be understood."""

    machine: str = ""
    bearing: str = ""
    orders: FaultOrders | None = None
    zones: Boundaries | None = None
    teeth: int | None = None
    mains: float | None = None
    poles: int | None = None
    vanes: int | None = None
    speed_range: tuple[float, float] | None = None  # Hz
    problem: str = ""

    def at(self, speed: float | None) -> Machine:
        """The machine at a shaft speed in 1/min, None when unknown."""
        turns = None if speed is None else speed / 60
        return Machine(turns, self.speed_range, self.orders, self.teeth, self.mains, self.zones, self.vanes)

    def judge(
        self, values: Float64Array, rate: float, unit: str, speed: float | None, *, expected: int | None = None
    ) -> Diagnosis:
        """What a burst in `unit` says at a shaft speed in 1/min: of the motor for a current, else of the machine."""
        if unit in CURRENT:
            known = self.mains is not None and self.poles is not None
            turns = None if speed is None else speed / 60
            motor = Motor(self.mains or 0.0, (self.poles or 0) // 2, turns) if known else None
            return diagnose_current(values, rate, motor, unit=unit, expected=expected)
        return diagnose(values, rate, self.at(speed), unit=unit, expected=expected)


def sheet_lines(config: VibrationSensorConfig) -> tuple[Attribute, ...]:
    """Lines of the data sheet of the sensor's asset, by which the hub knows what the plant says of the sensor."""
    orders = config.orders
    if config.geometry is not None:
        found = fault_orders(geometry_of(config.geometry))
        orders = (found.outer, found.inner, found.ball, found.cage)
    values: dict[str, float | str | None] = {
        "machine": config.machine,
        "bearing": config.bearing,
        "fault_orders": None if orders is None else ", ".join(f"{order:.6g}" for order in orders),
        "zones": config.zones,
        "boundaries": None if config.boundaries is None else ", ".join(f"{one:g}" for one in config.boundaries),
        "edition": config.edition,
        "teeth": config.teeth,
        "mains": config.mains,
        "poles": config.poles,
        "vanes": config.vanes,
        "speed_range": None if config.speed_range is None else "{:g} to {:g}".format(*config.speed_range),
    }
    before = _prefix(config.signal.rpartition("/")[2])
    return tuple(
        Attribute(before + name, value, _UNITS.get(name, ""), _WORDS[name])
        for name, value in values.items()
        if value is not None and value != ""
    )


def read_sheet(signal: str, attributes: Mapping[str, float | str]) -> Sheet:
    """What a data sheet says of the waveform called `signal`; its own lines before those of the asset."""
    before = _prefix(signal)

    def line(name: str) -> str:
        return str(attributes.get(before + name, ""))

    problems: list[str] = []
    bearing, orders = line("bearing"), None
    try:
        if line("fault_orders"):
            orders = FaultOrders(*(float(part) for part in line("fault_orders").split(",")))
        else:
            bearing = bearing or next((str(attributes[name]) for name in BEARING_LINES if attributes.get(name)), "")
            if bearing:
                known = find_bearing(bearings(), bearing)
                bearing, orders = known.name, known.orders
    except (ValueError, TypeError) as error:
        problems.append(str(error))
    template = machine_templates().get(line("machine"))
    wanted = line("zones") or (template.zones if template is not None else "")
    zones = next((one for one in severity_zones() if zone_name(one) == wanted), None)
    if wanted and zones is None:
        problems.append(f"there are no severity zones '{wanted}'")
    own = [float(part) for part in re.findall(r"[\d.]+", line("boundaries"))]
    if len(own) == 3:
        label = line("edition") or "own boundaries of the plant"
        zones = Boundaries(line("machine") or "own", "own", (own[0], own[1], own[2]), None, label)
    between = [float(part) / 60 for part in re.findall(r"[\d.]+", line("speed_range"))]
    return Sheet(
        machine=line("machine"),
        bearing=bearing,
        orders=orders,
        zones=zones,
        teeth=int(float(line("teeth"))) if line("teeth") else None,
        mains=float(line("mains")) if line("mains") else None,
        poles=int(float(line("poles"))) if line("poles") else None,
        vanes=_vanes(line("vanes") or str(attributes.get("vanes", ""))),
        speed_range=(between[0], between[1]) if len(between) == 2 else None,
        problem="; ".join(problems),
    )


def _vanes(text: str) -> int | None:
    return int(float(text)) if re.fullmatch(r"\d+(\.0*)?", text) and float(text) >= 2 else None


def _prefix(signal: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", signal.lower()) + "_"

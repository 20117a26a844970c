"""Which machines the simulated factory consists of, in the order in which they depend on each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lineshaft.config.models import EquipmentConfig, Plant, SimulatorConfig
from lineshaft.simulator.deeds import PUMP_1, PUMP_2, Deed, deeds, repaired_wear
from lineshaft.simulator.devices import simulated
from lineshaft.simulator.faults import CATALOGUE
from lineshaft.simulator.machines.air import AirSystem, AirTreatment, Compressor, CompressorPlan
from lineshaft.simulator.machines.assembly import Conveyor, LeakTester, Press, Screwdriver
from lineshaft.simulator.machines.base import Machine
from lineshaft.simulator.machines.climate import CoolantDelivery, CoolantSupply, EnduranceBench, HallAir, WeatherStation
from lineshaft.simulator.machines.cnc import Cnc
from lineshaft.simulator.machines.labels import Label
from lineshaft.simulator.machines.line import Line, Product, StationPlan
from lineshaft.simulator.machines.meters import GasMeter, Grid, MainMeter, SubMeter, WaterMeter
from lineshaft.simulator.machines.nutrunner import SCREW_302, TOOL_RIG, RigNutrunner, StationNutrunner
from lineshaft.simulator.machines.utilities import Boiler, CoolingWater, Pump, Wear, Weather
from lineshaft.simulator.worktime import WorkTime, calendar_for

_HOUSINGS = (Product("HS-40", 0.9, 90), Product("HS-63", 1.0, 70), Product("HS-80", 1.18, 45))
_IMPELLERS = (Product("IM-40", 0.92, 130), Product("IM-63", 1.0, 100), Product("IM-80", 1.12, 60))
_PUMPS = (Product("PU-40", 0.95, 420), Product("PU-63", 1.0, 300), Product("PU-80", 1.1, 180))
_CNC_MICRO = ("chip jam", "door interlock", "part not clamped", "coolant low")
_CNC_DOWN = ("spindle drive fault", "tool breakage", "axis overload", "hydraulics fault")


def _cnc(path: str, cycle_s: float, tool_units: int) -> StationPlan:
    number = path.rpartition("-")[2]
    return StationPlan(
        path,
        cycle_s,
        0.018,
        55,
        _CNC_MICRO,
        0.0016,
        2400,
        _CNC_DOWN,
        changeover_s=1500,
        tool_units=tool_units,
        tool_change_s=170,
        scrap_rate=0.009,
        warm_up_s=420,
        program=f"O{number}0-{{product}}.NC",
    )


_LINES: Mapping[str, tuple[tuple[Product, ...], tuple[StationPlan, ...]]] = {
    "machining/line-1": (
        _HOUSINGS,
        (
            _cnc("machining/line-1/cnc-101", 236, 62),
            _cnc("machining/line-1/cnc-102", 252, 48),
            _cnc("machining/line-1/cnc-103", 228, 75),
        ),
    ),
    "machining/line-2": (
        _IMPELLERS,
        (
            _cnc("machining/line-2/cnc-201", 168, 90),
            _cnc("machining/line-2/cnc-202", 186, 55),
            _cnc("machining/line-2/cnc-203", 154, 110),
        ),
    ),
    "assembly/line-3": (
        _PUMPS,
        (
            StationPlan("assembly/line-3/press-301", 39, 0.010, 40, ("bearing tilted", "light curtain"), 0.0004, 1500,
                        ("hydraulic pressure low", "force sensor fault"), 600, scrap_rate=0.004),
            StationPlan("assembly/line-3/screw-302", 42, 0.016, 30, ("screw feed jam", "screw missing"), 0.0005, 1200,
                        ("spindle fault", "feeder empty"), 420, scrap_rate=0.007, warm_up_s=90),
            StationPlan("assembly/line-3/leak-303", 37, 0.008, 35, ("seal not closed",), 0.0003, 1800,
                        ("reference leak failed", "valve fault"), 480, scrap_rate=0.011, warm_up_s=240),
        ),
    ),
}  # fmt: skip
_STATIONS = {"cnc": Cnc, "press": Press, "screw": Screwdriver, "leak": LeakTester}
_COMPRESSORS = (CompressorPlan(4.6, 31.0, 9.0, 6.9, 7.5), CompressorPlan(3.4, 23.5, 7.0, 6.6, 7.3))
_SUBMETERS = (
    ("line-1", "machining/line-1", 0.84),
    ("line-2", "machining/line-2", 0.83),
    ("line-3", "assembly/line-3", 0.80),
    ("compressed-air", "compressed-air", 0.88),
    ("cooling", "cooling", 0.90),
    ("heating", "heating", 0.95),
)
OWN_CLOCK = ("opcua", "mtconnect")
"""Drivers of devices whose source timestamps a fault can shift."""
DEFECT_ONSET_DAYS, DEFECT_PACE_DAYS = 11.0, 5.5
"""When the driven-end bearing of cooling-water pump 2 begins to go, and how fast: factor e in so many days."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Lines, and all machines in the order of their dependence."""

    lines: tuple[Line, ...]
    machines: tuple[Machine, ...]
    deeds: tuple[Deed, ...] = ()  # what people did in the past


def build(plant: Plant, begin_us: int, seed: int) -> Layout:
    """Make the factory as it is at `begin_us`, before its first step."""
    zone = plant.plant.timezone
    works = {
        path: WorkTime(calendar_for(plant, path), zone, begin_us, 1200.0 * (row - 1)) for row, path in enumerate(_LINES)
    }
    parts = (works["machining/line-1"], works["assembly/line-3"])  # where people are
    lines = tuple(
        Line(path, seed, works[path], products, plans, begin_us) for path, (products, plans) in _LINES.items()
    )
    machines: list[Machine] = [Weather("site", seed, parts), Grid("grid", seed)]
    for line in lines:
        for station in line.stations:
            kind = station.plan.path.rpartition("/")[2].partition("-")[0]
            machine = _STATIONS[kind](station, line, seed)
            machines.append(machine)
            if isinstance(machine, Screwdriver):
                machines.append(StationNutrunner(SCREW_302, seed, machine))
    machines.append(RigNutrunner(TOOL_RIG, seed))
    machines.append(Conveyor("assembly/line-3/conveyor-304", lines[2], seed))
    room = "utilities/compressed-air"
    machines.append(AirSystem(room, seed, _COMPRESSORS, tuple(_LINES)))
    machines += [Compressor(f"{room}/compressor-{i + 1}", seed, i, plan) for i, plan in enumerate(_COMPRESSORS)]
    machines.append(AirTreatment(room, seed))
    water = "utilities/cooling-water"
    machines.append(CoolingWater(f"{water}/loop", seed))
    repaired = repaired_wear(begin_us, round((plant.simulator or SimulatorConfig()).history * 1e6))
    machines.append(Pump(PUMP_1, seed, 0.54, repaired, optimised=False))
    machines.append(Pump(PUMP_2, seed, 0.46, Wear(DEFECT_ONSET_DAYS, DEFECT_PACE_DAYS)))
    machines.append(Boiler("utilities/heating/boiler-1", seed, works["assembly/line-3"]))
    machines.append(Label("utilities/heating/boiler-1", {"model": "Kessel K200", "firmware": "2.07.1"}))
    machines.append(WeatherStation("utilities/climate/weather-station", seed))
    machines.append(HallAir("utilities/climate/machining-hall", seed, (works["machining/line-2"],), 1.8))
    machines.append(HallAir("utilities/climate/assembly-hall", seed, (works["assembly/line-3"],), 0.6))
    machines.append(CoolantSupply("utilities/coolant-supply/mixer-1", seed))
    delivery = "utilities/coolant-supply/delivery-1"
    machines += [CoolantDelivery(delivery, seed), Label(delivery, {"port-1-product": "FM100"})]
    machines.append(EnduranceBench("assembly/test-bay/bench-1", seed))
    meters = "utilities/metering"
    machines += [SubMeter(f"{meters}/meter-{name}", seed, group, pf) for name, group, pf in _SUBMETERS]
    machines.append(MainMeter(f"{meters}/main-meter", seed, parts))
    machines.append(WaterMeter(f"{meters}/water-meter", seed, parts))
    machines.append(GasMeter(f"{meters}/gas-meter", seed))
    return Layout(lines, tuple(machines), deeds(repaired, begin_us))


def _nodes(nodes: Sequence[EquipmentConfig], above: str = "") -> Iterator[tuple[str, EquipmentConfig]]:
    for node in nodes:
        path = f"{above}/{node.id}" if above else node.id
        yield path, node
        yield from _nodes(node.children, path)


def fault_targets(plant: Plant, signals: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Fault kind -> what it can hit in this plant: assets of the fitting type, signals, or simulated devices."""
    nodes = [(path, node.type) for path, node in _nodes(plant.equipment)]
    devices = tuple(device.id for device in plant.devices if simulated(plant, device))
    own_clock = tuple(device.id for device in plant.devices if device.driver in OWN_CLOCK)
    result = {}
    for kind in CATALOGUE:
        by_target = {
            "asset": tuple(path for path, type_ in nodes if type_ in kind.types),
            "signal": tuple(signals),
            "device": own_clock if kind.id == "clock-wrong" else devices,
        }
        result[kind.id] = by_target[kind.target]
    return result

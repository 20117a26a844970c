"""Faults change the physics while they last."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from tests.simulator.helpers import DAY, HOUR, MONDAY, Run, demo, run

from lineshaft.config.models import Plant
from lineshaft.errors import ConfigError
from lineshaft.simulator.factory import Factory
from lineshaft.simulator.faults import CATALOGUE

PLANT = demo()
WORK = MONDAY + 5 * HOUR  # 07:00 in the plant: the early shift runs
PUMP = "utilities/cooling-water/pump-1"
CNC = "machining/line-2/cnc-202"
SCREW = "assembly/line-3/screw-302"
AIR = "utilities/compressed-air"


def pair(kind: str, asset: str, start: int = WORK, hours: float = 3) -> tuple[Run, Run, Run, Run]:
    """(healthy, with the fault) for some hours, and the same again for two hours after it was taken back."""
    runs = []
    for faulty in (False, True):
        factory = Factory(PLANT, MONDAY)
        factory.advance_to(start)
        number = factory.faults.inject(kind, asset, start).id if faulty else 0
        during = run(factory, start + round(hours * HOUR))
        if faulty:
            factory.faults.take_back(number, factory.now_us)
        runs.append((during, run(factory, factory.now_us + 2 * HOUR)))
    (healthy, healthy_after), (sick, after) = runs
    return healthy, sick, healthy_after, after


def higher(healthy: Run, sick: Run, paths: Iterable[str], factor: float = 1.0) -> None:
    for path in paths:
        assert sick[path].mean() > factor * healthy[path].mean(), path


def test_bearing_wear_of_a_pump() -> None:
    """Vibration, acceleration, bearing temperature and power rise, and fall back when the fault is taken back."""
    healthy, sick, before, after = pair("bearing-wear", PUMP)
    higher(healthy, sick, [f"{PUMP}/bearing-de/vibration", f"{PUMP}/bearing-de/acceleration"], 3)
    higher(healthy, sick, [f"{PUMP}/bearing-de/temperature", f"{PUMP}/bearing-nde/vibration", f"{PUMP}/power"])
    assert np.allclose(after[f"{PUMP}/bearing-de/vibration"], before[f"{PUMP}/bearing-de/vibration"])
    assert after[f"{PUMP}/bearing-de/temperature"][-1] < sick[f"{PUMP}/bearing-de/temperature"][-1] - 5


def test_bearing_wear_of_a_spindle() -> None:
    """A worn spindle shakes and warms."""
    healthy, sick, *_ = pair("bearing-wear", CNC)
    for name, factor in (("vibration", 1.8), ("acceleration", 1.8), ("temperature", 1.05)):
        level = [
            series[f"{CNC}/spindle/{name}"][series[f"{CNC}/spindle/speed"] > 3000].mean() for series in (healthy, sick)
        ]
        assert level[1] > factor * level[0], name


def test_cavitation() -> None:
    """Suction pressure and flow fall, the bearings feel it."""
    healthy, sick, *_ = pair("cavitation", PUMP, hours=1)
    higher(sick, healthy, [f"{PUMP}/suction-pressure", f"{PUMP}/flow"], 1.2)
    higher(healthy, sick, [f"{PUMP}/bearing-de/acceleration"], 1.5)


def test_coolant_leak() -> None:
    """The level falls within the hour, and a mended machine is filled up."""
    healthy, sick, _, after = pair("coolant-leak", CNC, hours=1)
    level = f"{CNC}/coolant-pump/level"
    assert sick[level][-1] < healthy[level][-1] - 30
    assert after[level][0] > 90
    higher(sick, healthy, [f"{CNC}/coolant-pump/flow"], 1.2)


def test_coolant_blocked() -> None:
    """Pressure up, flow down."""
    healthy, sick, *_ = pair("coolant-blocked", CNC, hours=1)
    higher(healthy, sick, [f"{CNC}/coolant-pump/pressure", f"{CNC}/spindle/temperature"])
    higher(sick, healthy, [f"{CNC}/coolant-pump/flow"], 1.5)


def test_air_leak() -> None:
    """Air flow, compressor energy and the main meter rise, at night as well."""
    healthy, sick, before, after = pair("air-leak", "machining/line-1", start=MONDAY + 22 * HOUR)
    higher(healthy, sick, [f"{AIR}/air-meter/flow"], 1.5)
    higher(healthy, sick, [f"{AIR}/compressor-1/power", "utilities/metering/main-meter/power"], 1.1)
    assert after[f"{AIR}/air-meter/flow"].mean() == pytest.approx(before[f"{AIR}/air-meter/flow"].mean(), rel=0.02)


def test_loose_fasteners() -> None:
    """Torque falls, angle rises, more units are bad."""
    healthy, sick, *_ = pair("loose-fasteners", SCREW)
    higher(sick, healthy, [f"{SCREW}/torque-peak"], 1.05)
    higher(healthy, sick, [f"{SCREW}/angle-peak"], 1.1)
    bad = [series[f"{SCREW}/parts-bad"][-1] - series[f"{SCREW}/parts-bad"][0] for series in (healthy, sick)]
    assert bad[1] > bad[0] + 10


def test_tool_wear() -> None:
    """Load, vibration and cycle time rise."""
    healthy, sick, *_ = pair("tool-wear", CNC)
    running = [series[f"{CNC}/spindle/load"] > 10 for series in (healthy, sick)]
    loads = [series[f"{CNC}/spindle/load"][on].mean() for series, on in zip((healthy, sick), running, strict=True)]
    assert loads[1] > 1.2 * loads[0]
    assert sick[f"{CNC}/cycle-time"][-1] > 1.05 * healthy[f"{CNC}/cycle-time"][-1]


def test_idle_overnight() -> None:
    """The machine draws idle power at night, and is off when the fault is taken back."""
    cnc = "machining/line-1/cnc-102"
    healthy, sick, _, after = pair("idle-overnight", cnc, start=MONDAY + 21 * HOUR)
    assert healthy[f"{cnc}/power"][-100:].mean() < 0.3
    assert sick[f"{cnc}/power"].mean() > 2
    assert set(sick[f"{cnc}/state"]) == {1.0}
    assert after[f"{cnc}/power"][10:].mean() < 0.3


def test_stuck_sensor() -> None:
    """A stuck sensor shows one value; the machine goes on."""
    path = f"{PUMP}/discharge-pressure"
    healthy, sick, before, after = pair("stuck-sensor", path, hours=1)
    assert len(set(sick[path])) == 1
    assert np.array_equal(sick[f"{PUMP}/power"], healthy[f"{PUMP}/power"])
    assert np.array_equal(before[path], after[path])


def test_sensor_noise() -> None:
    """A noisy sensor shakes; the machine does not."""
    path = f"{PUMP}/motor/temperature"
    healthy, sick, *_ = pair("sensor-noise", path, hours=1)
    assert np.std(sick[path]) > 5 * np.std(healthy[path])
    assert np.array_equal(sick[f"{PUMP}/motor/current"], healthy[f"{PUMP}/motor/current"])


def test_severity_matters() -> None:
    """Twice the severity, more of the effect."""
    means = []
    for severity in (0.5, 2.0):
        factory = Factory(PLANT, WORK)
        factory.faults.inject("bearing-wear", PUMP, WORK, severity)
        means.append(run(factory, WORK + HOUR)[f"{PUMP}/bearing-de/vibration"].mean())
    assert means[1] > 2 * means[0]


def test_every_kind_can_hit_something(plant: Plant) -> None:
    """The demo plant has a target for each fault of the catalogue."""
    faults = Factory(plant, MONDAY).faults
    for kind in CATALOGUE:
        assert faults.targets(kind.id), kind.id
        assert kind.description.endswith("."), kind.id


@pytest.mark.parametrize(
    ("kind", "asset", "severity", "words"),
    [
        ("earthquake", PUMP, 1, "unknown fault"),
        ("cavitation", CNC, 1, "cannot hit"),
        ("cavitation", PUMP, 9, "not in 0..5"),
        ("cavitation", PUMP, float("nan"), "not in 0..5"),
    ],
)
def test_wrong_faults_are_refused(plant: Plant, kind: str, asset: str, severity: float, words: str) -> None:
    """An unknown fault, target or severity is refused in words."""
    faults = Factory(plant, MONDAY).faults
    with pytest.raises(ConfigError, match=words):
        faults.inject(kind, asset, MONDAY, severity)
    with pytest.raises(ConfigError, match="no active fault"):
        faults.take_back(1, MONDAY + DAY)

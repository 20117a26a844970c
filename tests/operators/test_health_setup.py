"""Signals of a machine's health: named, or found by the type of the machine."""

from __future__ import annotations

from lineshaft.config.models import Plant
from lineshaft.config.operators import OperatorConfig
from lineshaft.config.reference import health_templates
from lineshaft.hub.operators.plan import bindings, kinds_of, planned
from lineshaft.model.equipment import Equipment, Level, Signal, SignalKind
from lineshaft.operators.base import Asset
from lineshaft.operators.health_setup import HealthConfig, setup_of

PATH = "acme/north/pump-1"


def asset(type_: str, *names: str) -> Asset:
    signals = [Signal(f"{PATH}/{name}".rpartition("/")[0], name.rpartition("/")[2]) for name in names]
    wave = Signal(PATH, "vibration-burst", SignalKind.WAVEFORM)
    return Asset(Equipment(PATH, "Pump 1", Level.ASSET, type_), (*signals, wave))


def test_a_pump_needs_one_line() -> None:
    """A pump's vibration, acceleration and bearing temperatures are taken by themselves, its speed as operation."""
    names = ("flow", "motor/speed", "bearing-de/vibration", "bearing-nde/vibration", "bearing-de/temperature")
    found = setup_of(HealthConfig(), asset("pump", *names))
    assert found is not None
    assert [one.path.removeprefix(f"{PATH}/") for one in found.features] == [
        "bearing-de/vibration",
        "bearing-nde/vibration",
        "bearing-de/temperature",
    ]
    assert [one.name for one in found.operating] == ["speed"]
    assert found.failure_index == 40


def test_types_with_a_template() -> None:
    """Pumps, fans, spindles, compressors, conveyors; another type, or one without a fitting signal, has none."""
    types = {one for template in health_templates() for one in template.types}
    assert types >= {"pump", "fan", "spindle", "compressor", "conveyor", "motor", "gearbox"}
    for type_ in types:
        assert setup_of(HealthConfig(), asset(type_, "vibration", "speed")) is not None
    assert setup_of(HealthConfig(), asset("meter", "vibration")) is None
    assert setup_of(HealthConfig(), asset("pump", "flow")) is None


def test_a_type_follows_what_it_extends() -> None:
    """A plant's own type gets the template of the nearest type that it extends, and an operator for pumps takes it."""
    types = [{"id": "acid-pump", "extends": "pump"}, {"id": "dosing-pump", "extends": "acid-pump"}]
    plant = Plant.model_validate(
        {"plant": {"enterprise": "acme", "site": "north", "name": "N", "timezone": "UTC"}, "types": types}
    )
    health = OperatorConfig(id="health", operator="machine-health", types=("pump",))
    plan = [planned(health, "acme/north", kinds_of(plant))]
    found = asset("dosing-pump", "vibration", "speed", "flow")
    taken = list(bindings(plan, [found.equipment], found.signals, len))
    assert [[one.name for one in binding.inputs] for binding in taken] == [["vibration", "speed"]]
    assert not list(bindings(plan, [asset("fan").equipment], found.signals, len))


def test_what_is_named_must_be_there() -> None:
    """Named features win over the template; one that is missing means that the operator does not run there."""
    named = HealthConfig(features=("flow",), operating=("speed",), failure_index=9)
    found = setup_of(named, asset("pump", "flow", "speed", "vibration"))
    assert found is not None
    assert [one.name for one in (*found.features, *found.operating)] == ["flow", "speed"]
    assert found.failure_index == 9
    assert setup_of(named, asset("pump", "flow")) is None
    assert setup_of(HealthConfig(operating=("load",)), asset("pump", "vibration")) is None

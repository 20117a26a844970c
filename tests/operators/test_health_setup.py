"""Signals of a machine's health: named, or found by the type of the machine."""

from __future__ import annotations

from lineshaft.config.reference import health_templates
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


def test_what_is_named_must_be_there() -> None:
    """Named features win over the template; one that is missing means that the operator does not run there."""
    named = HealthConfig(features=("flow",), operating=("speed",), failure_index=9)
    found = setup_of(named, asset("pump", "flow", "speed", "vibration"))
    assert found is not None
    assert [one.name for one in (*found.features, *found.operating)] == ["flow", "speed"]
    assert found.failure_index == 9
    assert setup_of(named, asset("pump", "flow")) is None
    assert setup_of(HealthConfig(operating=("load",)), asset("pump", "vibration")) is None

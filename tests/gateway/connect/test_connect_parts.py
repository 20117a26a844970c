"""The parts of connecting a device that need no device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lineshaft.config.bundle import check_bundle
from lineshaft.config.load import builtin_profiles, load_plant
from lineshaft.config.models import Plant, ProfileConfig
from lineshaft.config.write import device_file, flow
from lineshaft.config.yamlfile import parse
from lineshaft.drivers.base import Identity
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.errors import ConfigError
from lineshaft.gateway.connect import propose
from lineshaft.gateway.connect.address import EXAMPLES, parse_address
from lineshaft.gateway.connect.draft import draft
from lineshaft.gateway.connect.guess import beside, common_path, guess, unique
from lineshaft.gateway.connect.visit import options_of
from lineshaft.model.equipment import Datatype, SignalKind
from lineshaft.model.samples import SampleBatch


@pytest.mark.parametrize(
    ("text", "driver", "connection"),
    [
        ("opc.tcp://10.0.0.5:4840/a", "opcua", {"url": "opc.tcp://10.0.0.5:4840/a"}),
        ("modbus-tcp://10.0.0.5", "modbus-tcp", {"host": "10.0.0.5"}),
        (
            "modbus-tcp://10.0.0.5:503/7?framing=rtu",
            "modbus-tcp",
            {"host": "10.0.0.5", "port": 503, "unit": 7, "framing": "rtu"},
        ),
        ("modbus-rtu:///dev/ttyUSB0?baudrate=9600", "modbus-rtu", {"port": "/dev/ttyUSB0", "baudrate": 9600}),
        ("mtconnect http://cnc:5000", "mtconnect", {"url": "http://cnc:5000"}),
        ("s7://10.0.0.5/0/2", "s7", {"host": "10.0.0.5", "rack": 0, "slot": 2}),
        ("ethernet-ip://plc/3", "ethernet-ip", {"host": "plc", "slot": 3}),
        ("mqtts://broker:8883?user=ada", "mqtt", {"url": "mqtts://broker:8883", "user": "ada"}),
    ],
)
def test_an_address_says_driver_and_connection(text: str, driver: str, connection: dict[str, Any]) -> None:
    """One line as people write it gives the options of the driver."""
    assert parse_address(text) == (driver, connection)


@pytest.mark.parametrize("text", ["", "10.0.0.5", "ftp://x", "modbus-tcp://", "s7://x/a", "opc.tcp://ada:secret@x"])
def test_an_address_that_cannot_be_says_why(text: str) -> None:
    """What is missing or wrong is told, with examples."""
    with pytest.raises(ConfigError) as wrong:
        parse_address(text)
    assert wrong.value.hint or "numbers" in str(wrong.value)


def test_every_example_is_an_address() -> None:
    """What is shown to people works, and its options are those of the driver."""
    for driver, text in EXAMPLES.items():
        found, connection = parse_address(text)
        assert found == driver
        options_of(DRIVERS[driver], {**connection, **({"security": "none"} if driver == "opcua" else {})})


@pytest.mark.parametrize(
    ("name", "datatype", "unit", "kind", "guessed"),
    [
        ("OilTemp_C", Datatype.FLOAT, "°C", SignalKind.MEASURE, "degC"),
        ("spindle rpm", Datatype.DOUBLE, "", SignalKind.MEASURE, "1/min"),
        ("EnergyTotal", Datatype.DOUBLE, "kWh", SignalKind.COUNTER, "kWh"),
        ("PartsGood", Datatype.UINT32, "", SignalKind.COUNTER, ""),
        ("MachineState", Datatype.INT32, "", SignalKind.STATE, ""),
        ("Door", Datatype.BOOLEAN, "", SignalKind.STATE, ""),
        ("Program", Datatype.STRING, "°C", SignalKind.STATE, ""),
        ("pressure", Datatype.DOUBLE, "furlong/jiffy", SignalKind.MEASURE, ""),
    ],
)
def test_kind_and_unit_are_guessed(name: str, datatype: Datatype, unit: str, kind: SignalKind, guessed: str) -> None:
    """By the device's own unit first, then by type and words; a unit that nobody knows is left out and told."""
    found = guess(name, datatype, unit)
    assert (found.kind, found.unit) == (kind, guessed)
    assert ("not known" in found.why) == (unit == "furlong/jiffy")


def test_a_row_of_numbers_is_a_waveform_with_its_rate_and_speed_beside_it() -> None:
    """An array is a waveform; what one name beside it says is taken, what several say is not."""
    found = guess("Burst", Datatype.INT16, "m/s²", array=True)
    assert (found.kind, found.unit, found.decimals) == (SignalKind.WAVEFORM, "m/s2", None)
    assert guess("names", Datatype.STRING, array=True).kind is SignalKind.STATE
    names = ["SampleRate", "Shaft speed", "Temperature", "Heart rate of the fitter"]
    assert beside(names[:3], "rate") == 0
    assert beside(names, "rate") is None
    assert beside(names, "speed") == 1


def test_names_are_ids_and_unique() -> None:
    """Letters of other alphabets, blanks and repetitions make ids; what is above stands in front where needed."""
    assert [guess(name, None).name for name in ("Öl Druck", "a/b", "°")] == ["ol-druck", "a-b", "signal"]
    assert unique(["speed", "speed", "load"], ["cnc/Spindle 1", "cnc/Spindle 2", "cnc"]) == [
        "spindle-1-speed",
        "spindle-2-speed",
        "load",
    ]
    assert unique(["x", "x"], ["same", "same"]) == ["same-x", "same-x-2"]
    assert common_path(["Hall/Line 1/Press", "Hall/Line 1/Press/Ram"]) == "hall/line-1/press"
    assert common_path([]) == ""


def test_what_is_written_is_read_as_the_same(tmp_path: Path) -> None:
    """Text that looks like something else, numbers and nesting come back from the YAML as they were."""
    values = ["on", "1e5", "0o17", "06:00", "", "a: b", 'say "x"', "#x", "Ölstand", "12.5", "null", "-", "1s", "plain"]
    document = {"texts": values, "numbers": [1, 2.0, -0.5, 1e-9], "flag": True, "deep": {"0": {"x": "y"}}}
    parsed = parse(f"data: {flow(document)}", "x.yaml")
    assert not parsed.problems
    assert parsed.data["data"] == {**document, "numbers": [1, 2, -0.5, 1e-9]}
    assert device_file({"id": "a", "signals": [{"name": "x"}]}, [], "two\nlines").startswith("# two lines\n")


PLANT = """plant: {enterprise: acme, site: north, name: North, timezone: UTC}
equipment:
  - {id: hall, level: area, children: [{id: press, level: asset}]}
"""
DEVICE = {
    "id": "plc",
    "driver": "modbus-tcp",
    "connection": {"host": "10.0.0.5"},
    "asset": "hall/line-2/saw",
    "signals": [{"name": "speed", "address": "holding:1"}],
}


def checked(files: dict[str, str], place: Path) -> Plant:
    return check_bundle(files, lambda folder: load_plant(folder, DRIVERS), place / "staged")


@pytest.mark.parametrize("main", ["plant.yaml", "a.yaml"])
def test_a_device_gets_its_place_in_the_tree(tmp_path: Path, main: str) -> None:
    """New nodes hang below those of another file, whichever of the two is read first."""
    files = {main: PLANT}
    plant = checked(files, tmp_path)
    made = draft(plant, files, DEVICE, {"hall/line-2/saw": {"name": "Saw 2", "type": "saw"}}, "Saw 2")
    assert list(made) == ["plc.yaml"]
    plant = checked({**files, **made}, tmp_path)
    (hall,) = plant.equipment
    assert (hall.level, {child.id for child in hall.children}) == ("area", {"press", "line-2"})
    line = next(child for child in hall.children if child.id == "line-2")
    saw = line.children[0]
    assert (line.level, saw.level, saw.name, saw.type) == ("line", "asset", "Saw 2", "saw")
    assert plant.devices[0].signals[0].asset == "hall/line-2/saw"
    with pytest.raises(ConfigError) as taken:
        draft(plant, files, DEVICE, {}, "again")
    assert taken.value.problems[0].value == "plc"


def test_two_files_cannot_describe_one_node(tmp_path: Path) -> None:
    """A file may add below a node; describing it a second time is a mistake with file and line."""
    more = "equipment:\n  - {id: hall, name: Another, children: [{id: oven}]}\n"
    with pytest.raises(ConfigError) as wrong:
        checked({"plant.yaml": PLANT, "z.yaml": more}, tmp_path)
    assert (wrong.value.problems[0].file, wrong.value.problems[0].line) == ("z.yaml", 2)
    broken = "equipment:\n  - {id: hall, children: [{id: oven, levl: asset}]}\n"
    with pytest.raises(ConfigError) as wrong:
        checked({"plant.yaml": PLANT, "z.yaml": broken}, tmp_path)
    assert (wrong.value.problems[0].file, wrong.value.problems[0].line) == ("z.yaml", 2)
    assert "levl" in wrong.value.problems[0].key


def test_a_device_that_says_what_it_is_gets_its_profile() -> None:
    """A SunSpec model gives the profile and its register; a product name gives the profile of that name."""
    profiles = builtin_profiles().values()
    (meter,) = propose.by_identity(profiles, "modbus-tcp", Identity("ACME", "X", "", {"sunspec-203": 40070}))
    assert (meter.profile, meter.sure, meter.connection) == ("sunspec-meter-203", True, {"offset": 40070})
    named = propose.by_identity(profiles, "modbus-tcp", Identity("Eastron", "SDM630-Modbus"))
    assert [one.profile for one in named] == ["eastron-sdm630"]
    assert propose.by_identity(profiles, "opcua", Identity("Eastron", "SDM630")) == ()
    assert propose.by_identity(profiles, "modbus-tcp", Identity("ACME", "PLC")) == ()


def rows(profile: ProfileConfig, values: list[float]) -> SampleBatch:
    numbers = np.arange(len(values), dtype=np.uint32)
    return SampleBatch.of(numbers, 1, np.array(values, np.float64))


def test_a_profile_is_proposed_only_for_values_that_can_be() -> None:
    """Volts, amperes and hertz of a meter fit; noise, zeros alone and a device without the registers do not."""
    profile = builtin_profiles()["eastron-sdm630"]
    signals = propose.samples_of(profile)
    usual = {"V": 231.0, "A": 4.2, "W": 900.0, "Hz": 50.0, "kWh": 1234.5}
    good = [usual.get(one.unit, 0.9) for one in signals]
    fits = propose.by_reading(profile, signals, rows(profile, good), {})
    assert fits is not None
    assert not fits.sure
    assert propose.by_reading(profile, signals, rows(profile, [1e30] * len(good)), {}) is None
    assert propose.by_reading(profile, signals, rows(profile, [0.0] * len(good)), {}) is None
    assert propose.by_reading(profile, signals, rows(profile, good[: len(good) // 2]), {}) is None

"""A plant folder is either loaded whole or refused with every mistake named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lineshaft.config.load import builtin_profiles, load_plant
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.drivers.modbus.address import ModbusAddress
from lineshaft.drivers.modbus.options import TcpConnection
from lineshaft.errors import ConfigError

CASES = Path(__file__).parent / "cases"
KNOWN = {name: DRIVERS[name] for name in ("modbus-tcp", "modbus-rtu", "opcua", "replay", "s7")}
"""Fixed, so that a new driver or profile changes no message that a case expects."""
PLANTS = Path(__file__).parents[2] / "plants"


def outcome(case: Path) -> str:
    """What loading says, with paths relative to the case."""
    try:
        load_plant(case / "plant", KNOWN, {})
    except ConfigError as error:
        return str(error).replace(f"{case}{os.sep}", "") + "\n"
    return "ok\n"


@pytest.mark.parametrize("name", sorted(path.name for path in CASES.iterdir()))
def test_case(name: str) -> None:
    """Each mistake is reported with its file, line, key, value and what would be right."""
    expected = CASES / name / "expected.txt"
    found = outcome(CASES / name)
    if os.environ.get("ACCEPT"):  # ACCEPT=1 writes what was found, to be read and committed
        expected.write_text(found)
    assert found == expected.read_text()


def test_no_folder_and_empty_folder(tmp_path: Path) -> None:
    """A folder that is missing, a file or empty is refused in words."""
    file = tmp_path / "plant.yaml"
    with pytest.raises(ConfigError, match="does not exist"):
        load_plant(tmp_path / "nowhere", DRIVERS)
    with pytest.raises(ConfigError, match="no YAML file"):
        load_plant(tmp_path, DRIVERS)
    file.write_text("plant: {}\n")
    with pytest.raises(ConfigError, match="is a file"):
        load_plant(file, DRIVERS)


def test_not_text_and_bomb(tmp_path: Path) -> None:
    """Bytes that are no text, and a small file that expands without end, are problems like any other."""
    (tmp_path / "a.yaml").write_bytes(b"plant: \xff\xfe\n")
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    (tmp_path / "b.yaml").write_text("\n".join(lines))
    (tmp_path / "c.yaml").write_text("[" * 100_000)
    with pytest.raises(ConfigError) as caught:
        load_plant(tmp_path, DRIVERS)
    words = str(caught.value)
    assert "is not UTF-8 text" in words
    assert "expands to too many values" in words
    assert "c.yaml" in words


def test_result_is_typed() -> None:
    """Options and addresses are the driver's own models, and text that looks like a number or a time stays text."""
    plant = load_plant(CASES / "good" / "plant", DRIVERS)
    device = plant.devices[0]
    assert isinstance(device.connection, TcpConnection)
    assert isinstance(device.signals[0].address, ModbusAddress)
    assert device.signals[0].asset == "hall/pump-1"
    assert device.signals[1].states == {"0": "off", "1": "on", "2": "010"}
    assert [shift.start for shift in plant.calendars[0].shifts] == ["06:00", "14:00", "22:00"]


def test_profile_brings_signals(tmp_path: Path) -> None:
    """A device has the signals of its profile, those it asked for, and the profile's options under its own."""
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "meter.yaml").write_text(
        "id: meter\ntitle: Meter\ndrivers: [modbus-tcp]\nsource: manual\nconnection: {order: CDAB, unit: 7}\n"
        "signals:\n  - {name: power, address: 'input:0:float32', unit: kW}\n  - {name: volts, address: 'input:2'}\n"
    )
    (tmp_path / "plant.yaml").write_text(
        "plant: {enterprise: acme, site: works, name: Works, timezone: UTC}\nequipment: [{id: meter-1}]\n"
        "devices:\n  - {id: d, driver: modbus-tcp, asset: meter-1, profile: meter, signals_of_profile: [power],\n"
        "     connection: {host: h, unit: 9}, signals: [{name: extra, address: 'coil:1'}]}\n"
    )
    device = load_plant(tmp_path, DRIVERS).devices[0]
    assert [(signal.asset, signal.name) for signal in device.signals] == [("meter-1", "power"), ("meter-1", "extra")]
    assert (device.connection.order, device.connection.unit) == ("CDAB", 9)


@pytest.mark.parametrize(
    ("device", "connection", "seconds"),
    [("", "", 3.0), ("timeout: 700ms", "", 0.7), ("timeout: 1s", "timeout: 2s", 2.0)],
)
def test_timeout_of_a_device_holds_for_its_driver(tmp_path: Path, device: str, connection: str, seconds: float) -> None:
    """A driver waits as long as the device says, unless its connection says something else."""
    (tmp_path / "plant.yaml").write_text(f"""
plant: {{enterprise: acme, site: here, name: Here, timezone: UTC}}
equipment: [{{id: pump, level: asset}}]
devices:
  - id: plc
    driver: modbus-tcp
    asset: pump
    connection: {{host: 127.0.0.1{"," if connection else ""} {connection}}}
    signals: [{{name: flow, address: {{table: holding, register: 1, type: uint16}}}}]
    {device}
""")
    loaded = load_plant(tmp_path, DRIVERS).devices[0].connection
    assert isinstance(loaded, TcpConnection)
    assert loaded.timeout == pytest.approx(seconds)


def test_merge_keys(tmp_path: Path) -> None:
    """Anchors and merge keys of YAML work, and own keys win."""
    (tmp_path / "plant.yaml").write_text(
        "plant: {enterprise: acme, site: works, name: Works, timezone: UTC}\nequipment: [{id: m}]\n"
        "devices:\n  - &base {id: a, driver: modbus-tcp, asset: m, poll: 5s, connection: {host: h}}\n"
        "  - {<<: *base, id: b, poll: 1s}\n"
    )
    first, second = load_plant(tmp_path, DRIVERS).devices
    assert (first.poll, second.poll, second.connection.host) == (5.0, 1.0, "h")


def test_builtin_profiles_are_right() -> None:
    """Every device profile that comes along names its source, and each of its addresses suits each of its drivers."""
    for profile in builtin_profiles().values():
        assert profile.source
        for driver in profile.drivers:
            for signal in profile.signals:
                DRIVERS[driver].address.model_validate(signal.address)


@pytest.mark.parametrize("name", sorted(path.name for path in PLANTS.iterdir() if any(path.glob("*.yaml"))))
def test_plants_that_come_along(name: str) -> None:
    """Each plant that comes along loads without a problem."""
    assert load_plant(PLANTS / name, DRIVERS).plant.site

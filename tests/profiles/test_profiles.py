"""The device profiles that come with Lineshaft, each served by the simulator and read back by its driver."""

from __future__ import annotations

import asyncio
import math
from urllib.parse import quote

import pytest
from tests.drivers.http_json.api import Api
from tests.drivers.modbus.device import FieldDevice
from tests.profiles.served import addresses_of, raw_of, served

from lineshaft.config.load import builtin_profiles
from lineshaft.config.models import DeviceConfig, PipelineConfig, Plant, PlantConfig, ProfileConfig, SignalConfig
from lineshaft.config.units import factor, unit_known
from lineshaft.drivers.base import Point
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.gateway.plan import Plan, make_plan
from lineshaft.gateway.steps.pipeline import Pipeline
from lineshaft.model.samples import Quality, SampleBatch

PROFILES = list(builtin_profiles().values())
WHERE = {
    "modbus-tcp": {"host": "meter"},
    "modbus-rtu": {"port": "/dev/ttyUSB0"},
    "s7": {"host": "plc"},
    "ethernet-ip": {"host": "plc"},
    "mtconnect": {"url": "http://cnc:5000"},
    "opcua": {"url": "opc.tcp://machine:4840", "security": "none"},
    "http": {"url": "http://master"},
}


@pytest.fixture(params=PROFILES, ids=lambda profile: profile.id)
def profile(request: pytest.FixtureRequest) -> ProfileConfig:
    return request.param


def _plan(profile: ProfileConfig, driver: str, options: dict[str, object]) -> Plan:
    spec = DRIVERS[driver]
    signals = tuple(
        signal.model_copy(update={"address": address})
        for signal, address in zip(profile.signals, addresses_of(profile), strict=True)
    )
    device = DeviceConfig(
        id="device", driver=driver, connection=spec.connection.model_validate(options), signals=signals, asset="a"
    )
    about = PlantConfig(enterprise="e", site="s", name="S", timezone="UTC")
    return make_plan(Plant(plant=about, devices=(device,), pipeline=PipelineConfig(report="all")))


async def _read(plan: Plan, driver: str) -> SampleBatch:
    device = plan.devices[0]
    made = DRIVERS[driver].create(device.connection)
    await made.connect()
    try:
        batch = await made.read(device.points)
        async with asyncio.timeout(30):
            while len(batch) < len(device.points):  # an agent that is polled may have nothing new at once
                batch = SampleBatch.concat((batch, await made.read(device.points)))
    finally:
        await made.close()
    return Pipeline(plan.table).update(batch)


def _expected(signal: SignalConfig, raw: float) -> float:
    value = raw * signal.scale + signal.offset
    scale, offset = factor(signal.source_unit, signal.unit) if signal.source_unit else (1.0, 0.0)
    return value * scale + offset


async def test_every_signal_reads_back(profile: ProfileConfig) -> None:
    """The simulator serves the profile from its data; each number comes back with sign, scale and unit, each text and
    each word as it was."""
    driver = profile.drivers[0].replace("-rtu", "-tcp")
    raw = raw_of(profile, addresses_of(profile))
    async with served(profile, raw) as options:
        plan = _plan(profile, driver, options)
        batch = await _read(plan, driver)
    rows = {int(handle): row for row, handle in enumerate(batch.signals)}
    for handle, signal in enumerate(profile.signals):
        row, wanted = rows[handle], raw[signal.name]
        assert batch.qualities[row] == Quality.GOOD, signal.name
        if isinstance(wanted, str):
            assert batch.texts is not None
            assert batch.texts[row] == wanted, signal.name
            continue
        assert math.isclose(batch.values[row], _expected(signal, wanted), rel_tol=1e-6, abs_tol=1e-9), signal.name
        if signal.states:
            words = dict(plan.signals[handle].signal.states)
            assert words[f"{batch.values[row]:g}"] == signal.states[f"{wanted:g}"]


def test_profiles_fit_their_drivers(profile: ProfileConfig) -> None:
    """Its options are options of each driver that it names; its names are unique, its units known, its source named."""
    for name in profile.drivers:
        DRIVERS[name].connection.model_validate({**profile.connection, **WHERE[name]})
        for signal in profile.signals:
            DRIVERS[name].address.model_validate(signal.address)
    names = [signal.name for signal in profile.signals]
    assert len(names) == len(set(names))
    assert all(unit_known(signal.unit) for signal in profile.signals)
    assert all(signal.description for signal in profile.signals)
    assert len(profile.source) > 20


TELEGRAMS = {
    # Registers as they are numbered in a message, and what they say by the maker's document.
    "abb-b23": ("holding", 0x5B14, [0xFFFF, 0xFF9C], "power", -1.0),
    "banner-qm42vt2": ("holding", 5201, [2540], "velocity-rms-z", 2.54),
    "bitzer-cm-rc-01": ("input", 12009, [0xFFCE], "discharge-temperature", -5.0),
    "carlo-gavazzi-em340": ("input", 0x28, [0x86A0, 0x0001], "power", 10_000.0),
    "daikin-microtech-iii": ("holding", 14, [3], "state", 3.0),
    "danfoss-vlt-fc102": ("holding", 16139, [0, 524], "current", 5.24),
    "eastron-sdm120": ("input", 0x000C, [0x4348, 0x0000], "power", 200.0),
    "eastron-sdm630": ("input", 0x0034, [0x4348, 0x0000], "power", 200.0),
    "janitza-umg96rm": ("holding", 19026, [0x4348, 0x0000], "power", 200.0),
    "pixsys-atr144": ("holding", 1000, [215], "temperature", 21.5),
    "schneider-iem3155": ("holding", 3059, [0x4148, 0x0000], "power", 12.5),
    "siemens-sentron-pac3200": ("holding", 65, [0x4348, 0x0000], "power", 200.0),
    "siemens-sinamics-g120x": ("holding", 341, [1234], "frequency", 12.34),
    "sunspec-inverter-103": ("holding", 40069 + 14, [0x0064, 0x0001], "power", 1000.0),
    "sunspec-meter-203": ("holding", 40069 + 18, [0xFF9C, 0, 0, 0, 0x0001], "power", -1000.0),
}


def test_each_register_map_has_a_telegram_of_its_document() -> None:
    """No profile with registers is believed without a message that was written down by hand."""
    assert TELEGRAMS.keys() == {profile.id for profile in PROFILES if "modbus-tcp" in profile.drivers}


@pytest.mark.parametrize("name", TELEGRAMS)
async def test_a_telegram_means_what_the_document_says(name: str) -> None:
    """Registers at their place in a message, in the device's order of bytes, give the value that they stand for."""
    profile = builtin_profiles()[name]
    table, first, words, signal_name, value = TELEGRAMS[name]
    position = [signal.name for signal in profile.signals].index(signal_name)
    signal, address = profile.signals[position], addresses_of(profile)[position]
    async with FieldDevice() as device:
        unit = int(profile.connection.get("unit", 1))
        device.put(table, first, words, unit)
        options = {**profile.connection, "host": "127.0.0.1", "port": device.port}
        driver = DRIVERS["modbus-tcp"].create(DRIVERS["modbus-tcp"].connection.model_validate(options))
        await driver.connect()
        batch = await driver.read((Point(0, address),))
        await driver.close()
    assert batch.qualities.tolist() == [Quality.GOOD]
    assert _expected(signal, batch.values[0]) == pytest.approx(value)


async def test_process_data_of_an_io_link_device_mean_what_its_document_says() -> None:
    """Nine bytes by the table of the flow meter, as the master's getdata gives them."""
    profile = builtin_profiles()["siemens-fm100-io-link"]
    place = "/iolinkmaster/port[1]/iolinkdevice/pdin/getdata"
    api = Api()
    body = b'{"cid":-1,"data":{"value":"003039449A5000FCC0"},"code":200}'
    api.documents = {place: body, quote(place): body}
    await api.start()
    driver = DRIVERS["http"].create(DRIVERS["http"].connection.model_validate({"url": f"http://127.0.0.1:{api.port}"}))
    try:
        await driver.connect()
        batch = await driver.read([Point(i, address) for i, address in enumerate(addresses_of(profile))])
    finally:
        await driver.close()
        await api.stop()
    found = {
        signal.name: _expected(signal, value)
        for signal, value, quality in zip(profile.signals, batch.values, batch.qualities, strict=True)
        if quality == Quality.GOOD
    }
    assert found == pytest.approx({"flow": 12.345, "volume": 1234.5, "temperature": -5.2})


def test_there_are_the_promised_kinds_of_devices() -> None:
    """At least 15 devices: meters, drives, a compressor, a chiller, a vibration sensor, controllers, a CNC, an OPC UA
    server and an IO-Link master come with Lineshaft."""
    promised = {
        "eastron-sdm630", "schneider-iem3155", "siemens-sentron-pac3200", "sunspec-meter-203",
        "siemens-sinamics-g120x", "danfoss-vlt-fc102", "bitzer-cm-rc-01", "daikin-microtech-iii", "banner-qm42vt2",
        "siemens-logo-8", "packml-ethernet-ip", "mazak-vrx-c600", "opcua-server-status", "ifm-al1350",
        "siemens-fm100-io-link",
    }  # fmt: skip
    assert promised <= builtin_profiles().keys()
    assert len(PROFILES) >= 15

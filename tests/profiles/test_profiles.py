"""The device profiles that come with Lineshaft, each served by a device and read back."""

from __future__ import annotations

import math
import struct

import pytest
from tests.drivers.modbus.device import FieldDevice

from lineshaft.config.load import builtin_profiles
from lineshaft.config.models import ProfileConfig
from lineshaft.config.units import unit_known
from lineshaft.drivers.base import Point
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.drivers.modbus.address import ModbusAddress
from lineshaft.drivers.modbus.options import TcpConnection
from lineshaft.model.samples import Quality

PACK = {"float32": ">f", "int16": ">h", "uint16": ">H", "acc32": ">I", "enum": ">H", "bool": ">H", "bit": ">H"}
SCALE_POWER = -2
MODBUS = [profile for profile in builtin_profiles().values() if "modbus-tcp" in profile.drivers]


@pytest.fixture(params=MODBUS, ids=lambda profile: profile.id)
def profile(request: pytest.FixtureRequest) -> ProfileConfig:
    return request.param


def _raw(number: int, address: ModbusAddress) -> float:
    """What the device holds for signal `number`: different for each, small enough for every type."""
    if address.coding in ("bit", "bool"):
        return number % 2
    return number + 0.5 if address.coding == "float32" else 100 + number


def _fill(device: FieldDevice, options: TcpConnection, addresses: list[ModbusAddress]) -> None:
    for number, address in enumerate(addresses):
        first = address.register_ - options.base + options.offset
        raw = _raw(number, address)
        if address.coding == "bit":
            held = device.units.get(1, {}).get(address.table, {}).get(first, 0)
            device.put(address.table, first, [held | int(raw) << (address.bit or 0)])
            continue
        packed = struct.pack(PACK[address.coding], raw)
        device.put(address.table, first, struct.unpack(f">{len(packed) // 2}H", packed))
        if address.scale_from is not None:
            device.put(address.table, address.scale_from + options.offset, [SCALE_POWER & 0xFFFF])


async def test_every_signal_reads_back(profile: ProfileConfig) -> None:
    """A device that holds the registers of the profile gives the value of each of its signals."""
    addresses = [ModbusAddress.model_validate(signal.address) for signal in profile.signals]
    points = tuple(Point(row, address) for row, address in enumerate(addresses))
    async with FieldDevice() as device:
        given = {"host": "127.0.0.1", "port": device.port}
        options = TcpConnection.model_validate({**profile.connection, **given})
        _fill(device, options, addresses)
        driver = DRIVERS["modbus-tcp"].create(options)
        await driver.connect()
        batch = await driver.read(points)
        await driver.close()
    assert batch.qualities.tolist() == [Quality.GOOD] * len(points)
    for number, (signal, address) in enumerate(zip(profile.signals, addresses, strict=True)):
        power = 0 if address.scale_from is None else SCALE_POWER
        expected = _raw(number, address) * 10.0**power * signal.scale + signal.offset
        got = batch.values[number] * signal.scale + signal.offset
        assert math.isclose(got, expected, rel_tol=1e-6), signal.name


def test_profiles_fit_their_drivers(profile: ProfileConfig) -> None:
    """Its options are options of each driver that it names; its names are unique and its units known."""
    where = {"modbus-tcp": {"host": "meter"}, "modbus-rtu": {"port": "/dev/ttyUSB0"}}
    for name in profile.drivers:
        DRIVERS[name].connection.model_validate({**profile.connection, **where[name]})
    names = [signal.name for signal in profile.signals]
    assert len(names) == len(set(names))
    assert all(signal.unit == "" or unit_known(signal.unit) for signal in profile.signals)


def test_there_are_the_promised_kinds_of_devices() -> None:
    """A meter by published register map, a SunSpec meter, a drive and a temperature controller come with Lineshaft."""
    promised = {"eastron-sdm630", "sunspec-meter-203", "siemens-sinamics-g120x", "pixsys-atr144"}
    assert promised <= builtin_profiles().keys()

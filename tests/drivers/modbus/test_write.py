"""How single values are written over Modbus: which functions, and what happens where a device knows fewer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from lineshaft.drivers.base import Point
from lineshaft.drivers.modbus.address import ModbusAddress
from lineshaft.drivers.modbus.driver import ModbusDriver
from lineshaft.drivers.modbus.options import TcpConnection
from lineshaft.errors import NotWritable, OutOfRange

from .bank import SCALED, tables
from .device import FieldDevice


@asynccontextmanager
async def connected(**device: Any) -> AsyncIterator[tuple[FieldDevice, ModbusDriver]]:
    async with FieldDevice(units={1: tables()}, **device) as served:
        options = {
            "host": "127.0.0.1",
            "port": served.port,
            "forbidden": [{"table": "holding", "first": 70, "last": 79}],
        }
        driver = ModbusDriver(TcpConnection.model_validate(options))
        await driver.connect()
        try:
            yield served, driver
        finally:
            await driver.close()


def point(address: object) -> Point:
    return Point(0, ModbusAddress.model_validate(address))


def writes(device: FieldDevice) -> list[str]:
    return [table for _, table, _, _ in device.requests if table.startswith("write")]


async def test_each_place_has_its_function() -> None:
    """A coil by function 5, one register by 6, several by 16, a bit by 22."""
    async with connected() as (device, driver):
        for address, value in (("coil:3", 0), ("holding:1", 5), ("holding:2:int32", 5), ("holding:53.6", 1)):
            await driver.write(point(address), value)
        assert writes(device) == ["write 5", "write 6", "write 16", "write 22"]


async def test_a_device_that_knows_fewer_functions() -> None:
    """Without 6 a register goes by 16; without 22 a bit is changed in what was read, and no other bit with it."""
    async with connected(unknown={6, 22}) as (device, driver):
        await driver.write(point("holding:1"), 5)
        assert writes(device) == ["write 6", "write 16"]
        before = device.units[1]["holding"][53]
        await driver.write(point("holding:53.6"), 1)
        assert device.units[1]["holding"][53] == before | 1 << 6
        await driver.write(point("holding:53.4-7"), 0b0101)
        assert device.units[1]["holding"][53] & 0xF0 == 0b0101 << 4
        assert writes(device).count("write 22") == 1  # asked once, then known


async def test_a_power_of_ten_in_another_register() -> None:
    """The value is divided by it; one that is no multiple is refused, and so is what means 'no value'."""
    async with connected() as (device, driver):
        await driver.write(point(SCALED), 231.5)
        assert device.units[1]["holding"][50] == 2315
        with pytest.raises(OutOfRange, match="no multiple"):
            await driver.write(point(SCALED), 231.55)
        with pytest.raises(OutOfRange, match="no value"):
            await driver.write(point(SCALED), -3276.8)


async def test_a_forbidden_range_is_never_written() -> None:
    """What must not be read must not be written either."""
    async with connected() as (device, driver):
        with pytest.raises(NotWritable, match="forbidden"):
            await driver.write(point("holding:75"), 1)
        assert not device.requests

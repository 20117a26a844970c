"""What a Modbus device says that it is."""

from __future__ import annotations

import struct

import pytest
from tests.drivers.modbus.device import FieldDevice

from lineshaft.drivers.modbus.driver import ModbusDriver
from lineshaft.drivers.modbus.options import TcpConnection


def words(text: str, registers: int) -> list[int]:
    data = text.encode().ljust(2 * registers, b"\0")
    return list(struct.unpack(f">{registers}H", data))


def sunspec_map(common: int = 66) -> list[int]:
    """The common model and a three-phase meter, as the SunSpec Alliance lays them out."""
    texts = [*words("ACME", 16), *words("Meter 7", 16), *words("", 8), *words("1.4", 8), *words("S/N 1", 16)]
    head = [0x5375, 0x6E53, 1, common, *texts, *([0] * (common - len(texts)))]
    return [*head, 203, 105, *([0] * 105), 0xFFFF, 0]


@pytest.mark.parametrize(("start", "common"), [(40000, 66), (0, 65)])
async def test_a_sunspec_map_is_followed(start: int, common: int) -> None:
    """Maker, product and the register of each model are found at every place where a map may begin."""
    device = FieldDevice()
    device.put("holding", start, sunspec_map(common))
    await device.start()
    driver = ModbusDriver(TcpConnection(host="127.0.0.1", port=device.port, timeout=0.5))
    try:
        await driver.connect()
        found = await driver.identify()
    finally:
        await driver.close()
        await device.stop()
    assert (found.maker, found.product, found.version) == ("ACME", "Meter 7", "1.4")
    assert found.blocks == {"sunspec-1": start + 2, "sunspec-203": start + 4 + common}


async def test_a_device_that_says_nothing_is_nothing() -> None:
    """A device that hangs up on the question and has no map gives an empty identity."""
    device = FieldDevice()
    device.put("holding", 1, [7])
    await device.start()
    driver = ModbusDriver(TcpConnection(host="127.0.0.1", port=device.port, timeout=0.5))
    try:
        await driver.connect()
        found = await driver.identify()
    finally:
        await driver.close()
        await device.stop()
    assert (found.maker, found.product, found.blocks) == ("", "", {})

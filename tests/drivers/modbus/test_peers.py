"""The driver reads servers by other authors: libmodbus over TCP and a serial line, and modbus-serial over TCP."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.npm import install, node

from lineshaft.drivers.base import DriverSpec, Point, WavePoint
from lineshaft.drivers.modbus import RTU, TCP
from lineshaft.drivers.modbus.address import ModbusAddress
from lineshaft.drivers.modbus.driver import ModbusDriver
from lineshaft.drivers.modbus.options import TcpConnection
from lineshaft.errors import ConnectionFailed
from lineshaft.testing import expect_values, expect_written

from . import peers
from .bank import EXPECTED, WRITING, tables

Require = Callable[..., str]
POINTS = tuple(Point(row, ModbusAddress.model_validate(address)) for row, (address, _) in enumerate(EXPECTED))


@pytest.fixture(scope="session")
def libmodbus(tmp_path_factory: pytest.TempPathFactory, require: Require) -> Path:
    return peers.build(tmp_path_factory.mktemp("libmodbus"), require)


async def _read_and_write_all(spec: DriverSpec, **connection: Any) -> None:
    driver = spec.create(spec.connection.model_validate(connection))
    await driver.connect()
    try:
        for _ in range(3):
            expect_values(await driver.read(POINTS), EXPECTED)
        for address, value in WRITING.values:
            await expect_written(driver, Point(900, ModbusAddress.model_validate(address)), value)
    finally:
        await driver.close()


async def test_libmodbus_tcp(libmodbus: Path) -> None:
    """Every type, order and table reads right from, and is written to, a libmodbus server."""
    async with peers.process([libmodbus, "tcp"], peers.image(tables())) as port:
        await _read_and_write_all(TCP, host="127.0.0.1", port=port)


async def test_a_burst_from_libmodbus(libmodbus: Path) -> None:
    """4,096 counts in its input registers come as one burst, exactly."""
    counts = [round(9000 * math.sin(0.05 * at)) for at in range(4096)]
    bank = dict(enumerate((count & 0xFFFF for count in counts), 3000))
    async with peers.process([libmodbus, "tcp"], peers.image({"input": bank})) as port:
        driver = ModbusDriver(TcpConnection(host="127.0.0.1", port=port))
        await driver.connect()
        try:
            address = ModbusAddress.model_validate("input:3000:int16")
            batch = await driver.read_waveform(WavePoint(0, address, rate=25_600.0, samples=4096))
        finally:
            await driver.close()
    assert batch.waves is not None
    assert batch.waves[0].samples.tolist() == counts


@pytest.mark.usefixtures("many_files")
async def test_libmodbus_rtu(libmodbus: Path, tmp_path: Path, require: Require) -> None:
    """Every type, order and table is read and written right over a serial line, above the reach of select() too."""
    async with (
        peers.serial_pair(require("socat"), tmp_path) as (near, far),
        peers.process([libmodbus, "rtu", far, "9"], peers.image(tables())),
    ):
        await _read_and_write_all(RTU, port=str(near), unit=9, parity="N")


async def test_modbus_serial(require: Require) -> None:
    """Every type, order and table reads right from, and is written to, a modbus-serial server."""
    folder = install("modbus-serial", "modbus-serial@8.0.25")
    program = peers.HERE / "modbus_serial_server.js"
    copy = folder / program.name  # node looks for packages beside the script
    copy.write_bytes(program.read_bytes())
    async with peers.process([node(), copy], json.dumps(tables()).encode() + b"\n") as port:
        await _read_and_write_all(TCP, host="127.0.0.1", port=port)


async def test_missing_serial_port_is_explained(tmp_path: Path) -> None:
    """A serial port that is not there gives an error that names it."""
    driver = RTU.create(RTU.connection.model_validate({"port": str(tmp_path / "ttyNone")}))
    with pytest.raises(ConnectionFailed, match="ttyNone") as caught:
        await driver.connect()
    assert "check that the port exists" in caught.value.hint
    await driver.close()

"""Tags a second that the Modbus driver reads and decodes from a server in another process, and what they cost."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from pymodbus.client import AsyncModbusTcpClient
from tests.drivers.modbus import peers

from lineshaft.drivers.base import Point
from lineshaft.drivers.modbus import TCP
from lineshaft.drivers.modbus.address import ModbusAddress

TARGET_TAGS_PER_S = 50_000
TAGS = 10_000
TYPES = ("float32", "uint16", "int32", "int16")


def points(tags: int = TAGS) -> tuple[Point, ...]:
    """A mix of types in one dense map of holding registers."""
    made = []
    register = 0
    for row in range(tags):
        address = ModbusAddress.model_validate(f"holding:{register}:{TYPES[row % len(TYPES)]}")
        made.append(Point(row, address))
        register += address.size
    return tuple(made)


async def _measure(seconds: float) -> Mapping[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        program = peers.build(
            Path(folder), lambda tool, package="": shutil.which(tool) or sys.exit(f"{tool} is missing")
        )
        async with peers.process([program, "tcp"], b"go\n") as port:
            driver = TCP.create(TCP.connection.model_validate({"host": "127.0.0.1", "port": port}))
            await driver.connect()
            wanted = points()
            await driver.read(wanted)  # compiles the plan
            rounds = 0
            began, cpu_began = time.perf_counter(), time.process_time()
            while (elapsed := time.perf_counter() - began) < seconds:
                await driver.read(wanted)
                rounds += 1
            cpu = time.process_time() - cpu_began
            await driver.close()
            stock = await _stock_cost(port, seconds / 4)
    requests = rounds * -(-sum(point.address.size for point in wanted) // 125)
    tags = rounds * len(wanted)
    return {
        "modbus_tags_per_s": tags / elapsed,
        "modbus_tags_per_cpu_s": tags / cpu,
        "modbus_cpu_ms_per_1000_tags": cpu / tags * 1e6,
        "modbus_ms_per_read_of_10000": elapsed / rounds * 1e3,
        "modbus_cpu_us_per_request": cpu / requests * 1e6,
        "modbus_cpu_us_per_request_of_plain_pymodbus": stock,
    }


async def _stock_cost(port: int, seconds: float) -> float:
    """CPU microseconds of pymodbus' own read of 125 registers, which unpacks each register in Python."""
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    await client.connect()
    requests = 0
    began, cpu_began = time.perf_counter(), time.process_time()
    while time.perf_counter() - began < seconds:
        await client.read_holding_registers(0, count=125)
        requests += 1
    client.close()
    return (time.process_time() - cpu_began) / requests * 1e6


def measure(seconds: float = 10.0) -> Mapping[str, float]:
    """Read 10,000 tags over and over for `seconds`; the driver alone, without the gateway's pipeline."""
    return asyncio.run(_measure(seconds))


if __name__ == "__main__":
    figures = measure(2.0 if os.environ.get("QUICK") else 10.0)
    for name, figure in figures.items():
        print(f"{name:46} {figure:12,.2f}")
    print(f"{'target tags/s':46} {TARGET_TAGS_PER_S:12,}")
    sys.exit(0 if figures["modbus_tags_per_s"] >= TARGET_TAGS_PER_S else 1)

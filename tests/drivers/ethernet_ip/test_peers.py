"""Against another author: our driver reads cpppo's server, and cpppo's client reads the simulated controller."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests import pypi

from lineshaft.drivers.ethernet_ip.driver import EthernetIpDriver
from lineshaft.drivers.ethernet_ip.options import EthernetIpConnection
from lineshaft.errors import RetryableError
from lineshaft.model.samples import Quality
from lineshaft.testing import expect_values, expect_written

from .plc import points, server

TAGS = ("SCADA=DINT[100]", "TEMP=REAL", "Flag=BOOL", "Text=SSTRING", "Big=LINT", "Level=INT[3]")
WRITES = ("SCADA[3]=(DINT)-99", "TEMP=(REAL)21.5", "Big=(LINT)-9007199254740993", "Level[2]=(INT)77")
EXPECTED: tuple[tuple[str, float | str], ...] = (
    ("SCADA[3]", -99),
    ("SCADA[4]", 0),
    ("SCADA[3].1", 0),
    ("SCADA[3].0", 1),
    ("TEMP", 21.5),
    ("Flag", 0),
    ("Big", "-9007199254740993"),
    ("Level[2]", 77),
)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(pypi.install("cpppo", "cpppo==5.2.5"))}


async def client(port: int, *operations: str) -> str:
    """What cpppo's client prints about these reads and writes."""
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cpppo.server.enip.client", "-p", "-a", f"127.0.0.1:{port}", *operations,
        env=environment(), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd="/",
    )  # fmt: skip
    async with asyncio.timeout(60):
        out, errors = await running.communicate()
    assert running.returncode == 0, errors.decode()
    return out.decode()


@asynccontextmanager
async def cpppo(port: int = 0) -> AsyncIterator[int]:
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cpppo.server.enip", "--no-config", "--no-udp", "-A", "-a", f"127.0.0.1:{port}", *TAGS,
        env={**environment(), "PYTHONUNBUFFERED": "1"}, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL, cwd="/",
    )  # fmt: skip
    assert running.stdout is not None
    try:
        async with asyncio.timeout(60):
            line = (await running.stdout.readline()).decode()
        yield int(line.rpartition(",")[2].strip(" )\n"))
    finally:
        running.kill()
        await running.communicate()


async def test_cpppo_server_and_its_restart() -> None:
    """Types, indexes and bits of cpppo's server are read; killed and started again, it is read again and written."""
    wanted = (*points(*(tag for tag, _ in EXPECTED)), *points("Nothing", "SCADA[100]", first=900))

    async def read_all(driver: EthernetIpDriver) -> None:
        for _ in range(2):
            batch = await driver.read(wanted)
            expect_values(batch.take(slice(0, -2)), EXPECTED)
            assert batch.qualities[-2:].tolist() == [Quality.BAD_ADDRESS] * 2

    async with cpppo() as port:
        await client(port, *WRITES)
        driver = EthernetIpDriver(EthernetIpConnection(host="127.0.0.1", port=port))
        await driver.connect()
        await read_all(driver)
    try:
        await driver.read(wanted)
    except RetryableError:
        await driver.close()
    else:
        raise AssertionError("a killed server answered")
    async with cpppo(port):
        await client(port, *WRITES)
        await driver.connect()
        await read_all(driver)
        for tag, value in (
            ("SCADA[4]", 5.0),
            ("TEMP", -1.5),
            ("Big", "9007199254740995"),
            ("Level[0]", -7.0),
        ):
            await expect_written(driver, points(tag)[0], value)
        assert "[5]" in await client(port, "SCADA[4]")
        assert all(finding.passed for finding in await driver.test_connection())
        await driver.close()


async def test_cpppo_client_reads_the_simulated_controller() -> None:
    """cpppo's client gets from our simulated controller what was put into it."""
    plc = server()
    await plc.start()
    try:
        out = await client(plc.port, "Count", "Speed", "Temperatures[49]", "Small")
    finally:
        await plc.stop()
    for value in ("[123456]", "[1450.5]", "[69.0]", "[-7]"):
        assert value in out, out

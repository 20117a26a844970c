"""Against other authors: our driver reads the C++ snap7 server, and nodes7 reads the simulated controller."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests import npm, pypi
from tests.ports import free_port

from lineshaft.drivers.s7.driver import S7Driver
from lineshaft.drivers.s7.options import S7Connection
from lineshaft.errors import AddressInvalid
from lineshaft.model.samples import Quality
from lineshaft.testing import expect_values, expect_written

from .plc import EXPECTED, WRITING, points, server

HERE = Path(__file__).parent


@asynccontextmanager
async def c_server() -> AsyncIterator[int]:
    folder = pypi.install("snap7-c", "python-snap7==2.0.2", dependencies=False)
    image = {f"{area}{number or ''}": content.hex() for (area, number), content in server().memory.items()}
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        HERE / "c_server.py",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(folder)},
    )
    assert running.stdin is not None
    assert running.stdout is not None
    try:
        running.stdin.write(json.dumps({"port": free_port(), **image}).encode() + b"\n")
        async with asyncio.timeout(30):
            word, _, port = (await running.stdout.readline()).decode().partition(" ")
        assert word == "ready"
        yield int(port)
    finally:
        running.kill()
        await running.communicate()


@pytest.mark.parametrize("pdu", [240, 480, 960])
async def test_snap7_server_in_c(pdu: int) -> None:
    """The C++ snap7 server gives and takes every type at each PDU length; a missing DB marks only itself."""
    async with c_server() as port:
        driver = S7Driver(S7Connection(host="127.0.0.1", port=port, pdu=pdu))
        await driver.connect()
        try:
            wanted = (*points(), *points("DB99.DBD0:real", "DB10.DBW159:int", first=900))
            for _ in range(3):
                batch = await driver.read(wanted)
                expect_values(batch.take(slice(0, -2)), EXPECTED)
                assert batch.qualities[-2:].tolist() == [Quality.BAD_ADDRESS] * 2
            for place, value in WRITING.values:
                await expect_written(driver, points(place)[0], value)
            with pytest.raises(AddressInvalid):
                await driver.write(points("DB99.DBD0:real")[0], 1.0)
        finally:
            await driver.close()


async def test_connection_test_passes_on_the_server_in_c() -> None:
    """Port, session and memory are found in order."""
    async with c_server() as port:
        findings = await S7Driver(S7Connection(host="127.0.0.1", port=port)).test_connection()
        assert [finding.passed for finding in findings] == [True, True, True], findings


async def test_nodes7_reads_the_simulated_controller() -> None:
    """The nodes7 client reads from our simulated controller what was put into it."""
    folder = npm.install("nodes7", "nodes7@0.3.18")
    copy = folder / "nodes7_client.js"
    copy.write_bytes((HERE / copy.name).read_bytes())  # node looks for packages beside the script
    wanted = {
        "DB10,X0.3": True,
        "DB10,X0.4": False,
        "DB10,BYTE1": 200,
        "DB10,REAL4": 21.5,
        "DB10,INT8": -1234,
        "DB10,DINT10": -123456,
        "DB10,DWORD14": 4_000_000_000,
        "DB10,LREAL18": -2.5e-300,
        "DB10,S100.20": "Schraube M8x20 ü",
        "DB10,DTLZ50": "2024-12-31T23:59:59.250Z",
        "DB10,DTZ62": "2024-12-31T23:59:59.250Z",
        "MW20": 4711,
        "IW64": 65531,
    }
    plc = server()
    await plc.start()
    try:
        running = await asyncio.create_subprocess_exec(
            npm.node(), copy, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        request = json.dumps({"port": plc.port, "addresses": list(wanted)}).encode() + b"\n"
        async with asyncio.timeout(30):
            out, _ = await running.communicate(request)
    finally:
        await plc.stop()
    answer = json.loads(out.decode().strip().splitlines()[-1])
    assert not answer["bad"]
    assert answer["values"] == wanted

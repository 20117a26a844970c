"""The chain's first part: a whole gateway up to its disk buffer, on one core, with Modbus and with OPC UA."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.drivers.modbus import peers

from bench import drivers_opcua
from bench.gateway.worker import GatewayFigures, run

MODBUS_DEVICES = 4
MODBUS_TAGS = 10_000  # over all devices


def modbus(seconds: float) -> GatewayFigures:
    """Several devices that are read without a pause."""
    return asyncio.run(_modbus(seconds))


def opcua(seconds: float, publishing: Sequence[str]) -> list[GatewayFigures]:
    """2,000 monitored items, each changed in every publish; one gateway for each publishing interval."""
    return asyncio.run(_opcua(seconds, publishing))


async def _modbus(seconds: float) -> GatewayFigures:
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        program = peers.build(folder, lambda tool, package="": shutil.which(tool) or sys.exit(f"{tool} is missing"))
        ports = [
            await stack.enter_async_context(peers.process([program, "tcp"], b"go\n")) for _ in range(MODBUS_DEVICES)
        ]
        tags = MODBUS_TAGS // MODBUS_DEVICES
        what = {"driver": "modbus-tcp", "ports": ports, "tags": tags, "poll": 0.001}
        return await asyncio.to_thread(run, folder, seconds, **what)


async def _opcua(seconds: float, publishing: Sequence[str]) -> list[GatewayFigures]:
    async with drivers_opcua.server() as url:
        found = []
        for interval in publishing:
            with tempfile.TemporaryDirectory() as folder:
                what = {"driver": "opcua", "url": url, "publishing": interval}
                found.append(await asyncio.to_thread(run, Path(folder), seconds, **what))
    return found

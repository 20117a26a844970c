"""A whole gateway up to its disk buffer, on one core: tags a second and what they cost.

Run as a worker it is the gateway; `measure` runs device servers and gateways as processes and gives their figures.
Every sample is kept (`report: all`), the broker cannot be reached: the buffer takes everything, as in an outage.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.drivers.modbus import peers

from bench import drivers_modbus, drivers_opcua
from bench.chain.process import Worker, options, peak_mib, say, word
from bench.peers import free_port
from lineshaft.config.models import (
    BufferConfig,
    DeviceConfig,
    GatewayConfig,
    PipelineConfig,
    Plant,
    PlantConfig,
    SignalConfig,
    SparkplugUplink,
)
from lineshaft.drivers.base import DriverSpec
from lineshaft.drivers.modbus import TCP
from lineshaft.drivers.opcua import SPEC as OPCUA
from lineshaft.gateway.plan import make_plan
from lineshaft.gateway.runtime import Gateway, GatewayOptions

MODBUS_DEVICES = 4
MODBUS_TAGS = 10_000  # over all devices
PACED_CHANGES = 20_000  # a second
_WARM_UP = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class GatewayFigures:
    """What one run of a gateway gave. `tags_per_core`: tags for each second of CPU time."""

    tags_per_s: float
    tags_per_core: float
    cpu_ms_per_1000: float
    cpu_share: float
    peak_mib: float


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
        return await asyncio.to_thread(_run, folder, seconds, driver="modbus-tcp", ports=ports)


async def _opcua(seconds: float, publishing: Sequence[str]) -> list[GatewayFigures]:
    async with drivers_opcua.server() as url:
        found = []
        for interval in publishing:
            with tempfile.TemporaryDirectory() as folder:
                what = {"driver": "opcua", "url": url, "publishing": interval}
                found.append(await asyncio.to_thread(_run, Path(folder), seconds, **what))
    return found


def _run(folder: Path, seconds: float, **what: Any) -> GatewayFigures:
    with Worker("bench.chain.gateway", core=0, folder=str(folder / "data"), seconds=seconds, **what) as worker:
        found = worker.answer()
    tags, wall, cpu = found["kept"], found["wall"], found["cpu"]
    return GatewayFigures(tags / wall, tags / cpu, cpu / tags * 1e6, cpu / wall, found["peak_mib"])


# --- the worker -------------------------------------------------------------------------------------------------------


def _devices(what: Mapping[str, Any]) -> tuple[Sequence[DeviceConfig], Mapping[str, DriverSpec]]:
    if what["driver"] == "opcua":
        connection = {"url": what["url"], "security": "none", "publishing_interval": what["publishing"]}
        signals = tuple(
            SignalConfig(name=f"t{n}", address=OPCUA.address.model_validate(f"nsu={drivers_opcua.URI};s=t{n}"))
            for n in range(drivers_opcua.TAGS)
        )
        device = DeviceConfig(
            id="server", driver="opcua", connection=OPCUA.connection.model_validate(connection), signals=signals
        )
        return (device,), {"opcua": OPCUA}
    points = drivers_modbus.points(MODBUS_TAGS // MODBUS_DEVICES)
    signals = tuple(SignalConfig(name=f"t{point.handle}", address=point.address) for point in points)
    made = [
        DeviceConfig(
            id=f"meter{number}",
            driver="modbus-tcp",
            connection=TCP.connection.model_validate({"host": "127.0.0.1", "port": port}),
            asset=f"line{number}",
            poll=0.001,
            signals=signals,
        )
        for number, port in enumerate(what["ports"])
    ]
    return made, {"modbus-tcp": TCP}


async def _gateway(what: Mapping[str, Any]) -> None:
    devices, drivers = _devices(what)
    config = GatewayConfig(
        buffer=BufferConfig(max_size=4_000_000_000),
        uplinks=(SparkplugUplink(broker=f"mqtt://127.0.0.1:{free_port()}"),),
    )
    plant = Plant(
        plant=PlantConfig(enterprise="bench", site="works", name="Works", timezone="UTC"),
        devices=tuple(devices),
        pipeline=PipelineConfig(report="all"),
        gateway=config,
    )
    gateway = Gateway(make_plan(plant), drivers, GatewayOptions(config, Path(what["folder"])))
    async with _running(gateway):
        await _first_rows(gateway)
        await asyncio.sleep(_WARM_UP)
        before, began, cpu = _rows(gateway), time.perf_counter(), time.process_time()
        await asyncio.sleep(what["seconds"])
        after, wall, used = _rows(gateway), time.perf_counter() - began, time.process_time() - cpu
        states = {device.state for device in gateway.status().devices}
        if states != {"online"} or after[0] - before[0] != after[1] - before[1]:
            raise RuntimeError(
                f"devices {states}; {after[0] - before[0]} rows in, {after[1] - before[1]} in the buffer"
            )
        say(kept=after[1] - before[1], wall=wall, cpu=used, peak_mib=peak_mib())
        await word()


async def _first_rows(gateway: Gateway) -> None:
    async with asyncio.timeout(30):
        while not gateway.status().buffer.rows:  # noqa: ASYNC110 - the gateway has no event for it, nor need of one
            await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def _running(gateway: Gateway) -> AsyncIterator[None]:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(gateway.run(stop))
        await gateway.started.wait()
        yield
        stop.set()


def _rows(gateway: Gateway) -> tuple[int, int]:
    """Rows from the drivers, and rows in the buffer."""
    status = gateway.status()
    return sum(device.rows for device in status.devices), status.buffer.rows


if __name__ == "__main__":
    asyncio.run(_gateway(options()))

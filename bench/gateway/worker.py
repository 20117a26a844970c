"""A whole gateway as a worker: real drivers, pipeline, disk buffer and uplink; it says what a stretch of time cost it.

`report: all` keeps every sample. Without a broker the uplink cannot connect, as in an outage, and the buffer takes all.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import drivers_modbus, drivers_opcua
from bench.peers import free_port
from bench.process import Worker, options, peak_mib, say, word
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
from lineshaft.gateway.options import GatewayOptions
from lineshaft.gateway.plan import make_plan
from lineshaft.gateway.runtime import Gateway

_WARM_UP = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class GatewayFigures:
    """What one run of a gateway gave. `tags_per_core`: tags for each second of CPU time."""

    tags_per_s: float
    tags_per_core: float
    cpu_ms_per_1000: float
    cpu_share: float
    peak_mib: float
    late: int  # polls that were left out because the one before took too long
    pending: int  # values that waited for the uplink at the end


def run(folder: Path, seconds: float, **what: Any) -> GatewayFigures:
    """One gateway on one core. what: driver, and `ports`, `tags`, `poll` (Modbus) or `url`, `publishing` (OPC UA);
    `broker` is the port of an MQTT broker that takes everything."""
    with Worker("bench.gateway.worker", core=0, folder=str(folder / "data"), seconds=seconds, **what) as worker:
        found = worker.answer()
    tags, wall, cpu = found["kept"], found["wall"], found["cpu"]
    return GatewayFigures(
        tags / wall, tags / cpu, cpu / tags * 1e6, cpu / wall, found["peak_mib"], found["late"], found["pending"]
    )


# --- the worker -------------------------------------------------------------------------------------------------------


def _opcua(what: Mapping[str, Any]) -> DeviceConfig:
    connection = {"url": what["url"], "security": "none", "publishing_interval": what["publishing"]}
    signals = tuple(
        SignalConfig(name=f"t{n}", address=OPCUA.address.model_validate(f"nsu={drivers_opcua.URI};s=t{n}"))
        for n in range(drivers_opcua.TAGS)
    )
    return DeviceConfig(
        id="server", driver="opcua", connection=OPCUA.connection.model_validate(connection), signals=signals
    )


def _modbus(number: int, port: int, signals: tuple[SignalConfig, ...], poll: float) -> DeviceConfig:
    return DeviceConfig(
        id=f"meter{number}",
        driver="modbus-tcp",
        connection=TCP.connection.model_validate({"host": "127.0.0.1", "port": port}),
        asset=f"line{number}",
        poll=poll,
        signals=signals,
    )


def _devices(what: Mapping[str, Any]) -> tuple[Sequence[DeviceConfig], Mapping[str, DriverSpec]]:
    if what["driver"] == "opcua":
        return [_opcua(what)], {"opcua": OPCUA}
    points = drivers_modbus.points(what["tags"])
    signals = tuple(SignalConfig(name=f"t{point.handle}", address=point.address) for point in points)
    made = [_modbus(number, port, signals, what["poll"]) for number, port in enumerate(what["ports"])]
    return made, {"modbus-tcp": TCP}


def gateway_of(what: Mapping[str, Any]) -> Gateway:
    """The gateway, not yet running."""
    devices, drivers = _devices(what)
    broker = what.get("broker")
    uplink = SparkplugUplink(
        broker=f"mqtt://127.0.0.1:{broker or free_port()}", primary_host="", acknowledge=broker is None
    )
    config = GatewayConfig(buffer=BufferConfig(max_size=4_000_000_000), uplinks=(uplink,))
    plant = Plant(
        plant=PlantConfig(enterprise="bench", site="works", name="Works", timezone="UTC"),
        devices=tuple(devices),
        pipeline=PipelineConfig(report="all"),
        gateway=config,
    )
    return Gateway(make_plan(plant), drivers, GatewayOptions(config, Path(what["folder"])))


async def _main(what: Mapping[str, Any]) -> None:
    gateway = gateway_of(what)
    async with _running(gateway):
        await _settled(gateway, published="broker" in what)
        await asyncio.sleep(_WARM_UP)
        before, began, cpu = _counts(gateway), time.perf_counter(), time.process_time()
        await asyncio.sleep(what["seconds"])
        after, wall, used = _counts(gateway), time.perf_counter() - began, time.process_time() - cpu
        states = {device.state for device in gateway.status().devices}
        rows, kept, late = after.rows - before.rows, after.kept - before.kept, after.late - before.late
        if states != {"online"} or rows != kept or after.lost:
            raise RuntimeError(f"devices {states}; {rows} rows in, {kept} kept, {after.lost} lost")
        say(kept=kept, wall=wall, cpu=used, peak_mib=peak_mib(), late=late, pending=after.pending)
        await word()


async def _settled(gateway: Gateway, *, published: bool) -> None:
    """Wait until every device is read and, with a broker, all births are out and the uplink has caught up."""

    def ready() -> bool:
        status = gateway.status()
        sent = not published or (status.uplinks[0].state == "online" and status.buffer.rows < len(status.devices))
        return sent and all(device.state == "online" for device in status.devices)

    async with asyncio.timeout(120):
        while not ready():  # noqa: ASYNC110 - no event says it
            await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def _running(gateway: Gateway) -> AsyncIterator[None]:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(gateway.run(stop))
        await gateway.started.wait()
        yield
        stop.set()


@dataclass(frozen=True, slots=True)
class _Counts:
    rows: int  # from the drivers
    kept: int  # into the buffer
    late: int
    lost: int
    pending: int


def _counts(gateway: Gateway) -> _Counts:
    status = gateway.status()
    devices = status.devices
    return _Counts(
        sum(device.rows for device in devices),
        sum(device.kept for device in devices),
        sum(device.late for device in devices),
        status.buffer.dropped_rows,
        status.buffer.rows,
    )


if __name__ == "__main__":
    asyncio.run(_main(options()))

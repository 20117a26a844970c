"""Several devices on one RS-485 line, read by the engine through one connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.drivers.modbus.device import FieldDevice
from tests.gateway.live import Seen

from lineshaft.clock import SystemClock
from lineshaft.config.load import load_plant
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.gateway.engine import Engine
from lineshaft.gateway.plan import make_plan

SLAVES = range(1, 11)
DEAD = 4
PLANT = """
plant: {enterprise: acme, site: north, name: North, timezone: UTC}
equipment: [{id: hall, level: area}]
devices:
"""
SLAVE = """
  - id: slave-{n}
    driver: modbus-tcp
    connection: {{host: 127.0.0.1, port: {port}, framing: {framing}, unit: {n}}}
    asset: hall
    poll: 50ms
    timeout: 400ms
    signals: [{{name: level-{n}, address: "holding:0"}}]
"""


@asynccontextmanager
async def line_of_ten(folder: Path, framing: str) -> AsyncIterator[tuple[FieldDevice, Seen, Engine]]:
    """Ten slaves at one port, each a device of the plant; register 0 has the slave's number."""
    line = FieldDevice(framing=framing)
    for number in SLAVES:
        line.put("holding", 0, [number], unit=number)
    async with line:
        (folder / "plant.yaml").write_text(
            PLANT + "".join(SLAVE.format(n=n, port=line.port, framing=framing) for n in SLAVES)
        )
        plan = make_plan(load_plant(folder, DRIVERS))
        seen = Seen()
        engine = Engine(plan.devices, DRIVERS, seen, SystemClock(), plan.device_path)
        running = asyncio.create_task(engine.run())
        try:
            yield line, seen, engine
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def counts(seen: Seen) -> dict[str, int]:
    return {f"slave-{n}": len(seen.good.get(f"slave-{n}", ())) for n in SLAVES}


def grown(seen: Seen, before: dict[str, int], by: int, but: int = 0) -> bool:
    """Every slave but one has got so many more values."""
    now = counts(seen)
    return all(now[name] >= count + by for name, count in before.items() if name != f"slave-{but}")


@pytest.mark.parametrize("framing", ["tcp", "rtu"])
async def test_devices_at_one_port_share_a_connection(tmp_path: Path, framing: str) -> None:
    """Ten devices that name the same gateway use one connection, and never ask before the other has its answer."""
    async with line_of_ten(tmp_path, framing) as (line, seen, _):
        line.delay = lambda count: 0.002
        await seen.until(lambda: grown(seen, counts(Seen()), 5))
        assert line.connections == 1
        assert line.most_pending == 1
    for number in SLAVES:
        assert set(seen.good[f"slave-{number}"]) == {float(number)}


@pytest.mark.parametrize("framing", ["tcp", "rtu"])
async def test_e_one_dead_slave_among_ten_stops_no_other(tmp_path: Path, framing: str) -> None:
    """Field lesson e: a slave that never answers is offline alone; the nine others stay online and keep their values
    coming, however often it is tried again; and it comes back by itself."""
    async with line_of_ten(tmp_path, framing) as (line, seen, engine):
        line.silent = {DEAD}
        await seen.until(lambda: [event.kind for event in seen.events] == ["device.offline"])
        tries = sum(unit == DEAD for unit, *_ in line.requests)
        await seen.until(lambda: sum(unit == DEAD for unit, *_ in line.requests) > tries)  # it is tried again
        before = counts(seen)
        await seen.until(lambda: grown(seen, before, 10, DEAD))
        states = {status.id: status.state for status in engine.status()}
        assert states.pop(f"slave-{DEAD}") == "offline"
        assert set(states.values()) == {"online"}
        assert [event.subject.rpartition("/")[2] for event in seen.events] == [f"slave-{DEAD}"]
        line.silent = set()
        await seen.until(lambda: [event.kind for event in seen.events] == ["device.offline", "device.recovered"])
        await seen.until(lambda: bool(seen.good.get(f"slave-{DEAD}")))
    assert set(seen.good[f"slave-{DEAD}"]) == {float(DEAD)}


async def test_waiting_for_the_line_is_no_timeout(tmp_path: Path) -> None:
    """A slow line, on which a round takes longer than each device's timeout, makes no device fail."""
    async with line_of_ten(tmp_path, "tcp") as (line, seen, _):
        line.delay = lambda count: 0.06  # ten of these are longer than the timeout of 400 ms
        await seen.until(lambda: grown(seen, counts(Seen()), 3))
    assert not seen.events


async def test_d_all_on_a_line_come_back_with_its_gateway(tmp_path: Path) -> None:
    """Field lesson d: when the serial gateway restarts every device on its line is back by itself."""
    async with line_of_ten(tmp_path, "rtu") as (line, seen, engine):
        await seen.until(lambda: grown(seen, counts(Seen()), 1))
        await line.stop()
        await seen.until(lambda: len(seen.events) == 10)
        await line.start()
        before = counts(seen)
        await seen.until(lambda: grown(seen, before, 3))
        assert {status.state for status in engine.status()} == {"online"}

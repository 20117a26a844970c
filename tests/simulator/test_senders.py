"""Machines that send by themselves: a sensor on MQTT, one that posts, and a bench that writes files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.simulator.helpers import HOUR, MONDAY, demo_elsewhere

from lineshaft.config.check_broker import SENSORS
from lineshaft.config.models import DeviceConfig, Plant
from lineshaft.drivers.base import Point
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.hub.broker import PASSWORDS, BrokerSettings, EmbeddedBroker, edge_account, ensure_credentials
from lineshaft.hub.broker.accounts import sensor_account
from lineshaft.model.equipment import Datatype
from lineshaft.model.samples import SampleBatch
from lineshaft.server.context import local_topics
from lineshaft.simulator.factory import Factory, Frame
from lineshaft.simulator.servers.bench_files import FILE_US
from lineshaft.simulator.servers.fleet import Fleet

SECOND = 1_000_000


@dataclass
class Sent:
    """One device of the demo behind its server, and what its driver got."""

    device: DeviceConfig
    factory: Factory
    fleet: Fleet
    driver: Any
    batches: list[SampleBatch]
    news: asyncio.Event

    def take(self, batch: SampleBatch) -> None:
        self.batches.append(batch)
        self.news.set()

    async def step(self, seconds: int) -> Frame:
        frame = self.factory.advance_to(self.factory.now_us + seconds * SECOND)
        await self.fleet.show(frame)
        return frame

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not done():
                self.news.clear()
                await self.news.wait()

    def last(self) -> dict[str, tuple[int, float]]:
        """Path -> time and value of its newest row."""
        found = {}
        for batch in self.batches:
            for row, handle in enumerate(batch.signals.tolist()):
                signal = self.device.signals[handle]
                found[f"{signal.asset}/{signal.name}"] = int(batch.times[row]), float(batch.values[row])
        return found

    def check(self, frame: Frame) -> None:
        """Every signal has the model's value and time."""
        expected = {f"{one.asset}/{one.name}" for one in self.device.signals}
        last = self.last()
        assert last.keys() == expected
        for path, (time, value) in last.items():
            assert time == frame.times[-1], path
            assert value == pytest.approx(frame[path][-1]), path


async def sent(plant: Plant, name: str) -> Sent:
    """The device `name` alone, its server started, its driver subscribed."""
    device = next(one for one in plant.devices if one.id == name)
    factory = Factory(plant.model_copy(update={"devices": (device,)}), MONDAY)
    factory.advance_to(MONDAY + 8 * HOUR)
    fleet = Fleet(factory)
    await fleet.__aenter__()
    found = Sent(device, factory, fleet, DRIVERS[device.driver].create(device.connection), [], asyncio.Event())
    points = tuple(
        Point(row, signal.address, signal.datatype or Datatype.DOUBLE) for row, signal in enumerate(device.signals)
    )
    await found.driver.connect()
    await found.driver.subscribe(points, found.take)
    return found


async def ended(found: Sent) -> None:
    await found.driver.close()
    await found.fleet.__aexit__(None, None, None)


async def test_a_machine_posts_its_values(tmp_path: Path) -> None:
    """The coolant mixer posts to the gateway with the token that it made, each value with its own time."""
    found = await sent(demo_elsewhere(tmp_path), "coolant-mixer")
    try:
        frame = await found.step(10)
        await found.until(lambda: bool(found.batches))
        found.check(frame)
    finally:
        await ended(found)


async def test_sensors_publish_to_the_own_broker(tmp_path: Path) -> None:
    """The halls' sensors sign in at the built-in broker with a right of their own, and the gateway hears them."""
    plant = demo_elsewhere(tmp_path)
    topics, node = local_topics(plant), plant.gateway.id
    assert len(topics) == 2
    ensure_credentials(tmp_path, (SENSORS, node))
    accounts = (sensor_account(SENSORS, topics), edge_account(node, plant.plant.site, node, topics))
    broker = EmbeddedBroker(BrokerSettings(accounts, port=plant.hub.broker_port), tmp_path / PASSWORDS)
    broker.start()
    try:
        found = await sent(plant, "hall-sensors")
        try:
            frame = await found.step(10)
            await found.until(lambda: len(found.last()) == len(found.device.signals))
            found.check(frame)
        finally:
            await ended(found)
    finally:
        await asyncio.to_thread(broker.stop)


async def test_a_bench_writes_files(tmp_path: Path) -> None:
    """The endurance bench writes a file each minute with a row every ten seconds, whole under its name."""
    plant = demo_elsewhere(tmp_path)
    fast = [
        one.model_copy(update={"connection": one.connection.model_copy(update={"settle": 0.0, "scan": 0.05})})
        if one.id == "endurance-bench"
        else one
        for one in plant.devices
    ]
    found = await sent(plant.model_copy(update={"devices": tuple(fast)}), "endurance-bench")
    try:
        for _ in range(2 * FILE_US // SECOND // 10):
            await found.step(10)
        await found.until(lambda: sum(map(len, found.batches)) >= 6 * len(found.device.signals))
        times = {int(time) for batch in found.batches for time in batch.times}
        assert all(time % 10_000_000 == 0 for time in times)
        assert len(list((tmp_path / "simulated" / "endurance-bench").glob("*.csv"))) == 2
        await found.fleet.server_of("endurance-bench").stop()
        with pytest.raises(Exception, match="endurance-bench"):
            async with asyncio.timeout(30):
                await found.driver.wait_closed()
    finally:
        await ended(found)

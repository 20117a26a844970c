"""Field lesson d, for every driver: the other side goes away and comes back, and data are back by themselves.

All happens at once, in one engine: first every device brings values, then all that serves them ends, then it
starts again. What each device went through is judged by a test of its own.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.gateway.live import Seen
from tests.simulator.helpers import DEMO, HOUR, MONDAY, demo_elsewhere

from lineshaft.clock import SystemClock
from lineshaft.config.check_broker import SENSORS
from lineshaft.config.models import Plant
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.gateway.engine import Engine
from lineshaft.gateway.plan import make_plan
from lineshaft.hub.broker import (
    PASSWORDS,
    BrokerSettings,
    EmbeddedBroker,
    edge_account,
    ensure_credentials,
    sensor_account,
)
from lineshaft.server.context import local_topics
from lineshaft.simulator.factory import Factory
from lineshaft.simulator.servers.fleet import Fleet

DEVICES = {
    "modbus-tcp": "main-meter", "modbus-rtu": "gas-meter", "opcua": "cnc-101", "s7": "press-301",
    "ethernet-ip": "leak-303", "mtconnect": "cnc-203", "open-protocol": "tool-rig", "http": "weather-station",
    "webhook": "coolant-mixer", "mqtt": "hall-sensors", "files": "endurance-bench", "replay": "parts-washer",
}  # fmt: skip
WAITS = ("webhook",)
"""Drivers to whose devices nobody connects: while the sender is away there is nothing to be noticed."""
pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Story:
    """How many good values each device had brought, and how it did, by device."""

    at_first: dict[str, int] = field(default_factory=dict)
    while_away: dict[str, str] = field(default_factory=dict)
    afterwards: dict[str, int] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    events: dict[str, list[str]] = field(default_factory=dict)


def _fast(plant: Plant, recording: Path) -> Plant:
    """One device for each driver, with short waits; the recording is where it can be taken away."""
    own: dict[str, dict[str, Any]] = {
        "endurance-bench": {"settle": 0.0, "scan": 0.05},
        "parts-washer": {"path": str(recording), "speed": 4000.0},
    }
    devices = []
    for device in plant.devices:
        if device.id in DEVICES.values():
            connection = device.connection.model_copy(update=own.get(device.id, {}))
            devices.append(device.model_copy(update={"connection": connection, "poll": min(device.poll, 0.2)}))
    sections = {"devices": tuple(devices), "derived": (), "edge_rules": ()}
    return plant.model_copy(update=sections)


class Broker:
    """The embedded broker at a port that it keeps."""

    def __init__(self, plant: Plant, data: Path) -> None:
        topics, node = local_topics(plant), plant.gateway.id
        ensure_credentials(data, (SENSORS, node))
        accounts = (sensor_account(SENSORS, topics), edge_account(node, plant.plant.site, node, topics))
        self._settings = BrokerSettings(accounts, port=plant.hub.broker_port)
        self._data = data
        self._running: EmbeddedBroker | None = None

    async def start(self) -> None:
        self._running = EmbeddedBroker(self._settings, self._data / PASSWORDS)
        await asyncio.to_thread(self._running.start)

    async def stop(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            await asyncio.to_thread(running.stop)


async def _days_go_by(factory: Factory, fleet: Fleet) -> None:
    """Ten seconds of the factory, again and again, much faster than they are."""
    while True:
        await fleet.show(factory.advance_to(factory.now_us + 10_000_000))
        await asyncio.sleep(0.05)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Story]:
    data = tmp_path_factory.mktemp("data")
    recording = data / "washer.csv"
    plant = _fast(demo_elsewhere(data), recording)
    factory = Factory(plant, MONDAY)
    fleet = Fleet(factory)
    await fleet.show(factory.advance_to(MONDAY + 8 * HOUR))
    others = [*fleet.servers, Broker(plant, data)]
    plan, seen, found = make_plan(plant), Seen(), Story()
    engine = Engine(plan.devices, DRIVERS, seen, SystemClock(), lambda device: device)
    shutil.copy(DEMO / "recordings" / "parts-washer.csv", recording)
    for one in others:
        await one.start()
    tasks = [asyncio.create_task(_days_go_by(factory, fleet)), asyncio.create_task(engine.run())]
    try:
        await seen.until(lambda: all(seen.good.get(device) for device in DEVICES.values()))
        found.at_first = {device: len(values) for device, values in seen.good.items()}
        recording.rename(data / "away.csv")
        await engine_notices(engine, seen, others)
        found.while_away = {status.id: status.state for status in engine.status()}
        for one in others:
            await one.start()
        (data / "away.csv").rename(recording)
        before = {device: len(values) for device, values in seen.good.items()}
        await seen.until(lambda: all(len(seen.good[device]) > count for device, count in before.items()))
        found.afterwards = {device: len(seen.good[device]) - count for device, count in before.items()}
        await seen.until(lambda: all(status.state == "online" for status in engine.status()))
        found.states = {status.id: status.state for status in engine.status()}
        for event in seen.events:
            found.events.setdefault(event.subject, []).append(event.kind)
        yield found
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for one in others:
            await one.stop()


async def engine_notices(engine: Engine, seen: Seen, others: list[Any]) -> None:
    """End all servers, and wait until every device that has a connection is offline."""
    for one in others:
        await one.stop()
    waiting = {DEVICES[driver] for driver in WAITS}
    await seen.until(lambda: all(status.state == "offline" for status in engine.status() if status.id not in waiting))


async def test_every_driver_is_here() -> None:
    """A driver that is added has to show that it comes back."""
    assert set(DEVICES) == set(DRIVERS)


@pytest.mark.parametrize("driver", DEVICES)
async def test_d_data_are_back_by_themselves(story: Story, driver: str) -> None:
    """Values came, the other side was gone and that was noticed, and after its return new values came by themselves."""
    device = DEVICES[driver]
    assert story.at_first[device] > 0
    assert story.while_away[device] == ("online" if driver in WAITS else "offline")
    assert story.afterwards[device] > 0
    assert story.states[device] == "online"
    if driver not in WAITS:
        assert story.events[device][:2] == ["device.offline", "device.recovered"]

"""Setpoints of the simulated factory: written like on a real machine, and followed by its physics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lineshaft.config.models import Plant
from lineshaft.drivers.base import Point, Writes
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.model.samples import SampleBatch
from lineshaft.simulator.factory import Factory
from lineshaft.simulator.faults import Faults
from lineshaft.simulator.machines.base import Step
from lineshaft.simulator.machines.utilities import Pump, Wear
from lineshaft.simulator.servers.fleet import Fleet

from .helpers import HOUR, MONDAY, demo, demo_elsewhere

SETPOINTS = {
    "utilities/cooling-water/loop/supply-setpoint": (17.0, 21.5),
    "assembly/line-3/screw-302/speed-setpoint": (620.0, 450.0),
    "utilities/cooling-water/pump-1/motor/flux-mode": (0.0, 1.0),
}
PUMP = "utilities/cooling-water/pump-2"


@pytest.mark.parametrize("path", SETPOINTS)
async def test_a_written_setpoint_stays_and_reaches_the_machine(path: str, tmp_path: Path) -> None:
    """The device holds what was written, over further instants, and the machine's model knows it."""
    factory = Factory(demo_elsewhere(tmp_path), MONDAY)
    before, after = SETPOINTS[path]
    fleet = Fleet(factory)
    await fleet.show(factory.advance_to(MONDAY + 1_000_000))
    channel = next(one for one in factory.channels if one.path == path)
    server = fleet.server_of(channel.device.id)
    await server.start()
    try:
        driver: Any = DRIVERS[channel.device.driver].create(channel.device.connection)
        assert isinstance(driver, Writes)
        await driver.connect()
        point = Point(0, channel.address)
        assert await _value(driver, point, channel.signal.scale) == pytest.approx(before)
        await driver.write(point, round(after / channel.signal.scale))
        for second in (2, 3):
            await fleet.show(factory.advance_to(MONDAY + second * 1_000_000))
            assert await _value(driver, point, channel.signal.scale) == pytest.approx(after)
        await driver.close()
    finally:
        await server.stop()
    assert factory.setpoints == {path: pytest.approx(after)}
    assert Factory.from_snapshot(factory.plant, factory.snapshot()).setpoints == factory.setpoints


async def test_a_new_bearing_is_told_by_the_service_hours(tmp_path: Path) -> None:
    """Who sets the hours of a drive back to zero has changed the bearing: they count on from there, and wear that
    somebody injected is gone."""
    factory = Factory(demo_elsewhere(tmp_path), MONDAY)
    factory.faults.inject("bearing-wear", PUMP, MONDAY)
    fleet = Fleet(factory)
    await fleet.show(factory.advance(np.array([MONDAY + HOUR])))
    channel = next(one for one in factory.channels if one.path == f"{PUMP}/service-hours")
    server = fleet.server_of(channel.device.id)
    await server.start()
    try:
        driver: Any = DRIVERS[channel.device.driver].create(channel.device.connection)
        await driver.connect()
        point = Point(0, channel.address)
        assert await _value(driver, point, channel.signal.scale) > 3000
        await driver.write(point, 0)
        assert await _value(driver, point, channel.signal.scale) == 0
        for hour, shown in ((2, 0.0), (3, 1.0)):
            await fleet.show(factory.advance(np.array([MONDAY + hour * HOUR])))
            assert await _value(driver, point, channel.signal.scale) == pytest.approx(shown)
        await driver.close()
    finally:
        await server.stop()
    assert not list(factory.faults)


def test_a_new_bearing_does_not_shake() -> None:
    """A pump whose bearing has worn for a month runs smoothly from the moment on at which its service hours were set
    back, also when it is restored from its kept state; without that it goes on shaking."""
    pump, untouched = (Pump(PUMP, 7, 0.46, Wear(11.0, 5.5)) for _ in range(2))
    assert _shake(pump, 30) > 4.0
    assert _shake(pump, 31, {f"{PUMP}/service-hours": 0.0}) < 2.5
    again = Pump(PUMP, 7, 0.46, Wear(11.0, 5.5))
    again.restore(pump.snapshot())
    assert _shake(again, 60) < 2.5
    assert _shake(untouched, 31) > 4.0


def _shake(pump: Pump, day: int, setpoints: dict[str, float] | None = None) -> float:
    """Mean vibration over ten minutes, so many days into the story, in mm/s."""
    times = np.arange(1, 600, dtype=np.int64) * 1_000_000 + MONDAY + 24 * day * HOUR
    step = Step(times, MONDAY + 24 * day * HOUR, Faults({}), MONDAY, {} if setpoints is None else setpoints)
    step.shared |= {"cooling-share": step.full(0.6), "hall-temperature": step.full(21.0)}
    pump.advance(step)
    return float(np.mean(step.values[f"{PUMP}/bearing-de/vibration"]))


async def _value(driver: Any, point: Point, scale: float) -> float:
    batch: SampleBatch = await driver.read((point,))
    return float(batch.values[0]) * scale


def supply(plant: Plant, setpoint: float | None) -> float:
    """The supply temperature three hours later, in degC."""
    factory = Factory(plant, MONDAY)
    if setpoint is not None:
        factory.setpoints["utilities/cooling-water/loop/supply-setpoint"] = setpoint
    frame = factory.advance_to(MONDAY + 3 * HOUR)
    return float(np.mean(np.asarray(frame["utilities/cooling-water/loop/supply-temperature"], np.float64)[-10:]))


def test_the_water_follows_its_setpoint() -> None:
    """Five degrees more are asked for, and the water is about so much warmer three hours later."""
    plant = demo()
    assert 3.5 < supply(plant, 22.0) - supply(plant, None) < 5.5

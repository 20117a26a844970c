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
from lineshaft.simulator.servers.fleet import Fleet

from .helpers import HOUR, MONDAY, demo, demo_elsewhere

SETPOINTS = {
    "utilities/cooling-water/loop/supply-setpoint": (17.0, 21.5),
    "assembly/line-3/screw-302/speed-setpoint": (620.0, 450.0),
    "utilities/cooling-water/pump-1/motor/flux-mode": (0.0, 1.0),
}


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

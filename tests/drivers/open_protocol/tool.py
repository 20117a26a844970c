"""A tightening controller's client for the tests, and what it was told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np

from lineshaft.drivers.base import Point
from lineshaft.drivers.open_protocol import SPEC
from lineshaft.drivers.open_protocol.driver import OpenProtocolDriver
from lineshaft.drivers.open_protocol.options import OpenProtocolAddress
from lineshaft.model.equipment import Datatype
from lineshaft.model.samples import SampleBatch
from lineshaft.simulator.servers.tightening import Tightening

START_US = 1_767_225_600_000_000  # 2026-01-01 00:00:00 UTC
TEXTS = {
    "vin",
    "status",
    "torque-status",
    "angle-status",
    "errors",
    "alarm",
    "trace-result",
    "torque-unit",
    "controller",
}


def points(*items: str) -> tuple[Point, ...]:
    return tuple(
        Point(row, OpenProtocolAddress(item=item), Datatype.STRING if item in TEXTS else Datatype.DOUBLE)
        for row, item in enumerate(items)
    )


def screws(numbers: range) -> list[Tightening]:
    """One screw every three seconds; the torque tells its number."""
    return [Tightening(START_US + n * 3_000_000, n / 100, 400.0, vin=f"{n:08}") for n in numbers]


class Listener:
    def __init__(self, driver: OpenProtocolDriver) -> None:
        self.driver = driver
        self.batches: list[SampleBatch] = []
        self._arrived = asyncio.Event()

    def sink(self, batch: SampleBatch) -> None:
        self.batches.append(batch)
        self._arrived.set()

    def column(self, handle: int) -> list[Any]:
        found: list[Any] = []
        for batch in self.batches:
            for row in np.flatnonzero(batch.signals == handle):
                text = None if batch.texts is None else batch.texts[row]
                found.append(float(batch.values[row]) if text is None else text)
        return found

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not done():
                self._arrived.clear()
                await self._arrived.wait()


def make(port: int, **options: Any) -> OpenProtocolDriver:
    settings = {"host": "127.0.0.1", "port": port, "timezone": "UTC", "timeout": "1s", **options}
    return OpenProtocolDriver(SPEC.connection.model_validate(settings))


@asynccontextmanager
async def listening(port: int, wanted: Sequence[Point], position: str = "", **options: Any) -> AsyncIterator[Listener]:
    driver = make(port, **options)
    listener = Listener(driver)
    if position:
        driver.resume(position)
    await driver.connect()
    try:
        await driver.subscribe(wanted, listener.sink)
        yield listener
    finally:
        await driver.close()

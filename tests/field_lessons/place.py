"""A gateway whose days pass in a moment: time leaps, the broker and the network are real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.gateway.helpers import Host, plant, running, until
from tests.hub.mqtt import Mosquitto

from lineshaft.gateway.runtime import Gateway
from lineshaft.testing import FieldDevice

PATH = "acme/north/hall/press/force"


class LeapClock:
    """Stands still, and leaps: whoever waits for a moment of the leap wakes once, at its end."""

    def __init__(self, start_us: int = 1_700_000_000_000_000) -> None:
        self._start_us = start_us
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def now_us(self) -> int:
        return self._start_us + round(self._elapsed * 1_000_000)

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep_until(self, deadline: float) -> None:
        if deadline <= self._elapsed:
            await asyncio.sleep(0)
            return
        woken = asyncio.Event()
        self._sleepers.append((deadline, woken))
        await woken.wait()

    async def leap(self, seconds: float) -> None:
        self._elapsed += seconds
        due = [sleeper for sleeper in self._sleepers if sleeper[0] <= self._elapsed]
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > self._elapsed]
        for _, woken in due:
            woken.set()
        for _ in range(20):
            await asyncio.sleep(0)

    async def run_free(self, free: asyncio.Event) -> None:
        """Once `free` is set, let time run by itself, so that whoever waits comes to an end."""
        await free.wait()
        while True:
            await self.leap(0.5)
            await asyncio.sleep(0.01)


class Place:
    """A press whose force counts its readings, at a gateway with a broker that can be taken away."""

    def __init__(self, gateway: Gateway, device: FieldDevice, clock: LeapClock, host: Host, broker: Mosquitto) -> None:
        self.gateway, self.device, self.clock, self.host, self.broker = gateway, device, clock, host, broker
        self.given: list[int] = []  # UTC microseconds of each reading; its value is its place in this list

    async def readings(self, count: int, step: float) -> None:
        """Let `count` polls happen, `step` seconds apart; each has its own value."""
        for _ in range(count):
            self.device.values["force"] = float(len(self.given))
            before = self.device.reads
            if self.given:
                await self.clock.leap(step)
            await until(lambda before=before: self.device.reads > before or not self.given)
            self.given.append(self.clock.now_us())

    async def passes(self, condition: Callable[[], object], step: float = 0.5) -> None:
        """Let time pass, less than a poll's interval at once, until something is so."""
        for _ in range(6_000):
            if condition():
                return
            await self.clock.leap(step)
            await asyncio.sleep(0.01)
        raise AssertionError("waited in vain")

    async def again(self) -> None:
        """The broker and the host are back."""
        self.broker.start()
        await until(self.host.client.is_connected)
        self.host.state(True)

    def arrived(self) -> dict[int, float | None]:
        """Time -> value of what the host has, in the order in which it entered the buffer."""
        return {time: value for _, time, value, _, _ in self.host.samples("force")}


@asynccontextmanager
async def place(broker: Mosquitto, host: Host, folder: Path, *, poll: str, **gateway_keys: Any) -> AsyncIterator[Place]:
    """The gateway at work, its first reading done."""
    clock, device = LeapClock(), FieldDevice(force=0.0)
    site = plant({"press": ["force"]}, poll=poll, pipeline={"report": "all"}, gateway=gateway_keys)
    free = asyncio.Event()
    ticking = asyncio.create_task(clock.run_free(free))
    try:
        async with running(site, {"press": device}, broker.port, folder, clock=clock) as gateway:
            try:
                made = Place(gateway, device, clock, host, broker)
                await until(lambda: device.reads)
                made.given.append(clock.now_us())
                await made.passes(made.arrived, 0.001)
                yield made
            finally:
                free.set()
    finally:
        ticking.cancel()


@asynccontextmanager
async def at_work(gateway: Gateway) -> AsyncIterator[Gateway]:
    """A gateway that was made by the test, running."""
    stop = asyncio.Event()
    life = asyncio.create_task(gateway.run(stop))
    try:
        async with asyncio.timeout(30):
            await gateway.started.wait()
        yield gateway
    finally:
        stop.set()
        await life

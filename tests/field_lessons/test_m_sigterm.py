"""Lesson m: elsewhere a stop is a hard kill."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from tests.field_lessons.place import LeapClock
from tests.gateway.helpers import Host, plant
from tests.hub.mqtt import Mosquitto

from lineshaft.gateway.options import GatewayOptions
from lineshaft.gateway.plan import make_plan
from lineshaft.gateway.runtime import Gateway
from lineshaft.gateway.uplinks.mqtt import BrokerAccess
from lineshaft.testing import FieldDevice, ScriptedDriver


async def passes(clock: LeapClock, condition: Callable[[], object]) -> None:
    """Let time pass until something is so."""
    for _ in range(6_000):
        if condition():
            return
        await clock.leap(0.01)
        await asyncio.sleep(0.01)
    raise AssertionError("waited in vain")


async def test_sigterm_ends_within_ten_seconds_even_if_the_sink_takes_nothing(
    broker: Mosquitto, host: Host, folder: Path
) -> None:
    """What is told to stop goes on sending for some seconds, is gone before ten have passed, and has kept the rest."""
    host.acknowledge = False
    clock, device = LeapClock(), FieldDevice(force=1.0)
    site = plant({"press": ["force"]}, poll="1s", pipeline={"report": "all"})
    options = GatewayOptions(site.gateway, folder, BrokerAccess("127.0.0.1", broker.port), clock)
    gateway = Gateway(make_plan(site), {"scripted": ScriptedDriver.spec({"press": device}, clock)}, options)
    stop = asyncio.Event()
    life = asyncio.create_task(gateway.run(stop))
    await asyncio.wait_for(gateway.started.wait(), 20)
    await passes(clock, lambda: host.samples("force"))
    stop.set()
    began = clock.monotonic()
    while not life.done():
        assert clock.monotonic() < began + 10.0
        await clock.leap(0.25)
        await asyncio.sleep(0.02)
    await life
    assert host.log.of("NDEATH"), "it said that it goes"
    host.acknowledge = True
    again = Gateway(make_plan(site), {"scripted": ScriptedDriver.spec({"press": device}, clock)}, options)
    host.frames.clear()
    stop.clear()
    life = asyncio.create_task(again.run(stop))
    await asyncio.wait_for(again.started.wait(), 20)
    await passes(clock, lambda: host.samples("force"))
    stop.set()
    await passes(clock, life.done)

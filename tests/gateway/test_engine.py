"""The poll engine, with a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from tests.gateway.helpers import plan_of

from lineshaft.clock import VirtualClock
from lineshaft.drivers.base import DriverSpec, Point
from lineshaft.errors import AccessDenied, ConnectionFailed, DataError
from lineshaft.gateway.engine import Engine
from lineshaft.gateway.plan import Plan, PlannedDevice
from lineshaft.gateway.steps.pipeline import Pipeline
from lineshaft.model.events import Event
from lineshaft.model.samples import Quality, SampleBatch
from lineshaft.testing import FieldDevice, ScriptedDriver


@dataclass
class Kept:
    """Keeps what the engine gives."""

    plan: Plan
    clock: VirtualClock
    rows: list[tuple[str, int, float, int]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    positions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pipeline = Pipeline(self.plan.table)

    def accept(self, device: PlannedDevice, batch: SampleBatch, position: str | None) -> int:
        kept = self.pipeline.update(batch)
        if position is not None:
            self.positions[device.id] = position
        self._keep(kept)
        return len(kept)

    def late(self, device: PlannedDevice, batch: SampleBatch) -> int:
        self._keep(self.pipeline.past(batch))
        return len(batch)

    def _keep(self, kept: SampleBatch) -> None:
        for s, t, v, q in zip(kept.signals, kept.times, kept.values, kept.qualities, strict=True):
            self.rows.append((self.plan.signals[s].signal.name, int(t), float(v), int(q)))

    def lost(self, device: PlannedDevice) -> None:
        handles = np.arange(device.first, device.first + len(device.points), dtype=np.uint32)
        self._keep(self.pipeline.lost(handles, self.clock.now_us()))

    def position(self, device: PlannedDevice) -> str | None:
        return self.positions.get(device.id)

    def event(self, event: Event) -> None:
        self.events.append(event)

    def changed(self, device: PlannedDevice) -> None:
        pass

    def of(self, name: str) -> list[tuple[float, int]]:
        return [(value, quality) for signal, _, value, quality in self.rows if signal == name]


async def settled() -> None:
    """Let every task run to its next wait."""
    for _ in range(30):
        await asyncio.sleep(0)


@asynccontextmanager
async def engine(plan: Plan, spec_of: Any, clock: VirtualClock) -> AsyncIterator[tuple[Engine, Kept]]:
    kept = Kept(plan, clock)
    made = Engine(plan.devices, {"scripted": spec_of}, kept, clock, plan.device_path)
    task = asyncio.create_task(made.run())
    await settled()
    try:
        yield made, kept
    finally:
        task.cancel()
        while not task.done():
            await clock.advance(1.0)
            await asyncio.sleep(0)
        assert task.cancelled() or task.exception() is None


async def test_the_schedule_is_absolute_and_a_late_poll_is_counted() -> None:
    """Ten polls in ten intervals whatever a read takes; a read that takes 2.5 intervals costs two polls."""
    clock, device = VirtualClock(), FieldDevice(force=1.0)
    plan = plan_of({"press": ["force"]}, poll="100ms", pipeline={"report": "all"})
    async with engine(plan, ScriptedDriver.spec({"press": device}, clock), clock) as (made, kept):
        device.read_seconds = 0.03
        await clock.advance(1.0)
        assert device.reads == 11
        times = [time for _, time, _, _ in kept.rows]
        assert {(b - a) for a, b in pairwise(times[1:])} == {100_000}
        device.read_seconds = 0.25
        await clock.advance(0.35)
        assert made.status()[0].late == 2
        device.read_seconds = 0.0
        await clock.advance(1.0)
        assert {(time - times[1]) % 100_000 for _, time, _, _ in kept.rows[-5:]} == {70_000}


async def test_groups_keep_their_interval_and_their_tuple() -> None:
    """Each signal is read at its own interval, with the identical tuple every time."""
    clock, device = VirtualClock(), FieldDevice(fast=1.0, slow=2.0)
    plan = plan_of({"press": ["fast", {"name": "slow", "poll": "500ms"}]}, poll="100ms", pipeline={"report": "all"})
    seen: list[Sequence[Point]] = []

    class Watching(ScriptedDriver):
        async def read(self, points: Sequence[Point]) -> SampleBatch:
            seen.append(points)
            return await super().read(points)

    base = ScriptedDriver.spec({}, clock)
    spec = DriverSpec("scripted", "", base.connection, base.address, lambda _: Watching(device, clock))
    async with engine(plan, spec, clock) as (_, kept):
        await clock.advance(1.95)
        assert len(kept.of("fast")) == 20
        assert len(kept.of("slow")) == 4
        assert len({id(points) for points in seen}) == 2


async def test_a_device_that_fails_is_stale_at_once_and_comes_back_by_itself() -> None:
    """One stale row per signal, one event each way, growing pauses, and one bad device disturbs no other."""
    clock = VirtualClock()
    devices = {"press": FieldDevice(force=1.0), "pump": FieldDevice(flow=2.0)}
    plan = plan_of({"press": ["force"], "pump": ["flow"]}, poll="100ms")
    async with engine(plan, ScriptedDriver.spec(devices, clock), clock) as (made, kept):
        await clock.advance(1.0)
        devices["press"].fault = ConnectionFailed("cable cut", hint="Look at the cable.")
        await clock.advance(0.2)
        assert kept.of("force") == [(1.0, 192), (1.0, Quality.STALE)]
        status = made.status()[0]
        assert (status.state, status.error, status.hint) == ("offline", "cable cut", "Look at the cable.")
        before = devices["press"].connections
        await clock.advance(300.0)
        assert 10 <= devices["press"].connections - before <= 20
        devices["press"].fault = None
        await clock.advance(40.0)
        assert kept.of("force") == [(1.0, 192), (1.0, Quality.STALE), (1.0, 192)]
        assert [(event.kind, event.subject) for event in kept.events] == [
            ("device.offline", "north/gw/press"),
            ("device.recovered", "north/gw/press"),
        ]
        assert made.state("press") == made.state("pump") == "online"
        assert made.status()[0].error == ""
        assert all(quality == 192 for _, quality in kept.of("flow"))
        assert devices["press"].open == 1


async def test_a_device_that_hangs_times_out() -> None:
    """No answer within the timeout is a failure; the connection is closed and made again."""
    clock, device = VirtualClock(), FieldDevice(force=1.0)
    plan = plan_of({"press": ["force"]}, poll="100ms")
    async with engine(plan, ScriptedDriver.spec({"press": device}, clock), clock) as (made, kept):
        await clock.advance(0.3)
        device.hang = True
        await clock.advance(1.0)
        assert made.state("press") == "offline"
        assert "did not answer in 0.5 s" in made.status()[0].error
        assert device.open == 0
        device.hang = False
        await clock.advance(30.0)
        assert made.state("press") == "online"
        assert kept.of("force")[-1] == (1.0, 192)


async def test_errors_tell_the_engine_what_to_do() -> None:
    """Refused access waits long, a malformed reply keeps the connection, a driver's bug stays with its device."""
    clock = VirtualClock()
    devices = {"press": FieldDevice(force=1.0), "pump": FieldDevice(flow=2.0)}
    plan = plan_of({"press": ["force"], "pump": ["flow"]}, poll="100ms")
    async with engine(plan, ScriptedDriver.spec(devices, clock), clock) as (made, _):
        await clock.advance(0.3)
        devices["press"].fault = DataError("garbage")
        await clock.advance(0.5)
        assert (devices["press"].connections, made.status()[0].error) == (1, "garbage")
        devices["press"].fault = AccessDenied("wrong password")
        await clock.advance(0.2)
        await clock.advance(45.0)
        assert devices["press"].connections == 1
        devices["press"].fault = None
        await clock.advance(30.0)
        assert (devices["press"].connections, made.state("press")) == (2, "online")
        devices["pump"].fault = ZeroDivisionError("bug")
        await clock.advance(0.2)
        assert made.state("pump") == "offline"
        devices["pump"].fault = None
        await clock.advance(5.0)
        assert made.state("pump") == made.state("press") == "online"


async def test_a_bad_point_degrades_only_itself() -> None:
    """One address that does not exist is a bad signal on a device that is well."""
    clock, device = VirtualClock(), FieldDevice(force=1.0)
    plan = plan_of({"press": ["force", "ghost"]}, poll="100ms")
    async with engine(plan, ScriptedDriver.spec({"press": device}, clock), clock) as (made, kept):
        await clock.advance(0.3)
        assert made.state("press") == "degraded"
        assert kept.of("force") == [(1.0, 192)]
        assert [quality for _, quality in kept.of("ghost")] == [Quality.BAD_ADDRESS]


@pytest.mark.parametrize("push", [False, True], ids=["polled", "pushed"])
async def test_a_machine_lost_behind_its_server_is_told(push: bool) -> None:
    """A server that answers but calls every signal bad makes one event and a degraded device; one each way."""
    clock, device = VirtualClock(), FieldDevice(force=1.0, stroke=2.0)
    plan = plan_of({"press": ["force", "stroke"]}, poll="100ms")
    bad, good = [Quality.BAD_COMMUNICATION] * 2, [Quality.GOOD] * 2

    async def told(qualities: list[Quality]) -> None:
        device.qualities = {"force": qualities[0], "stroke": qualities[1]}
        if push:
            device.push(lambda p: SampleBatch.of([one.handle for one in p], clock.now_us(), [1.0, 2.0], qualities))
        await clock.advance(0.3)

    async with engine(plan, ScriptedDriver.spec({"press": device}, clock, push=push), clock) as (made, kept):
        await told(good)
        assert (made.state("press"), kept.events) == ("online", [])
        await told([Quality.GOOD, Quality.BAD_DEVICE])
        assert (made.state("press"), made.status()[0].error) == ("degraded", "1 of 2 signals are bad")
        assert kept.events == []
        await told(bad)
        await told(bad)
        assert (made.state("press"), made.status()[0].error) == ("degraded", "2 of 2 signals are bad")
        assert "behind" in made.status()[0].hint
        await told(good)
        assert (made.state("press"), made.status()[0].error) == ("online", "")
        assert [event.kind for event in kept.events] == ["device.silent", "device.recovered"]


@pytest.mark.parametrize(("plant", "driver", "after"), [(None, 600.0, 600), ("90s", 600.0, 90), ("0s", 600.0, 0)])
async def test_a_sender_that_falls_silent_is_told(plant: str | None, driver: float, after: int) -> None:
    """After the driver's time, or the plant's own (0: never), a sender is degraded with one event, until it sends."""
    clock, device = VirtualClock(), FieldDevice(force=1.0)
    plan = plan_of({"press": ["force"]}, silence=plant)
    spec = ScriptedDriver.spec({"press": device}, clock, push=True)
    async with engine(plan, replace(spec, silence=driver), clock) as (made, kept):

        def send() -> None:
            device.push(lambda points: SampleBatch.of([points[0].handle], clock.now_us(), 2.0))

        for _ in range(3):
            await clock.advance(50)
            send()
            await settled()
        assert (made.state("press"), kept.events) == ("online", [])
        await clock.advance(after - 1 if after else 86_400)
        assert (made.state("press"), kept.events) == ("online", [])
        if not after:
            return
        await clock.advance(2)
        status = made.status()[0]
        assert (made.state("press"), [event.kind for event in kept.events]) == ("degraded", ["device.silent"])
        assert status.error.startswith("press has sent nothing for ")
        assert "silence: 0" in status.hint
        await clock.advance(3 * after)
        assert len(kept.events) == 1
        assert kept.of("force")[-1] == (2.0, Quality.GOOD)  # its values only get old
        send()
        await settled()
        assert (made.state("press"), made.status()[0].error) == ("online", "")
        assert [event.kind for event in kept.events] == ["device.silent", "device.recovered"]
        await clock.advance(after + 1)
        assert [event.kind for event in kept.events] == ["device.silent", "device.recovered", "device.silent"]


async def test_a_signal_without_a_value_degrades_nothing() -> None:
    """A device may say of a signal that it has no value just now; it is well, unless it says so of all."""
    clock, device = VirtualClock(), FieldDevice(force=1.0, stroke=2.0)
    device.qualities = {"stroke": Quality.BAD_NO_VALUE}
    plan = plan_of({"press": ["force", "stroke"]}, poll="100ms")
    async with engine(plan, ScriptedDriver.spec({"press": device}, clock), clock) as (made, kept):
        await clock.advance(0.3)
        assert made.state("press") == "online"
        device.qualities["force"] = Quality.BAD_NO_VALUE
        await clock.advance(0.3)
        assert made.state("press") == "degraded"
        assert [event.kind for event in kept.events] == ["device.silent"]


async def test_pushed_values_arrive_and_a_hang_up_is_mended() -> None:
    """A subscription is made again after it ended, and its values were stale between."""
    clock, device = VirtualClock(), FieldDevice(force=1.0)
    plan = plan_of({"press": ["force"]})
    async with engine(plan, ScriptedDriver.spec({"press": device}, clock, push=True), clock) as (made, kept):
        now = clock.now_us()
        device.push(lambda points: SampleBatch.of([points[0].handle] * 3, now + np.arange(3) * 10, [2.0, 3.0, 4.0]))
        device.hang_up(ConnectionFailed("gone"))
        await settled()
        assert made.state("press") == "offline"
        device.fault = None
        await clock.advance(30.0)
        assert made.state("press") == "online"
        assert kept.of("force") == [
            (1.0, 192), (2.0, 192), (3.0, 192), (4.0, 192), (4.0, Quality.STALE), (1.0, 192)
        ]  # fmt: skip


async def test_a_driver_that_could_push_is_polled_when_it_does_not() -> None:
    """A protocol that pushes as a rule is polled on a connection whose driver cannot subscribe."""
    clock, device = VirtualClock(), FieldDevice(force=1.0)
    plan = plan_of({"press": ["force"]}, poll="100ms", pipeline={"report": "all"})
    base = ScriptedDriver.spec({"press": device}, clock)
    spec = DriverSpec("scripted", "", base.connection, base.address, base.create, push=True)
    async with engine(plan, spec, clock) as (made, kept):
        await clock.advance(0.45)
        assert made.state("press") == "online"
        assert len(kept.of("force")) == 5


async def test_a_device_clock_that_jumps_back_is_marked() -> None:
    """Samples keep the device's time; the first one that is older than the one before is uncertain."""
    clock, device = VirtualClock(), FieldDevice(force=1.0)
    plan = plan_of({"press": ["force"]}, poll="100ms", pipeline={"report": "all"})
    device.time_us = clock.now_us()
    async with engine(plan, ScriptedDriver.spec({"press": device}, clock), clock) as (_, kept):
        device.time_us -= 3_600_000_000
        await clock.advance(0.1)
        device.time_us += 100_000
        await clock.advance(0.1)
        assert [quality for _, quality in kept.of("force")] == [192, Quality.UNCERTAIN_CLOCK, 192]
        assert kept.rows[1][1] == clock.now_us() - 200_000 - 3_600_000_000


async def test_a_resumable_source_goes_on_where_it_stood() -> None:
    """The position that was kept with the rows is given back before the next connection."""
    clock = VirtualClock()
    plan = plan_of({"press": ["force"]}, poll="100ms", pipeline={"report": "all"})

    class Tape(ScriptedDriver):
        at = 0

        async def read(self, points: Sequence[Point]) -> SampleBatch:
            await self._answer()
            self.at += 1
            return SampleBatch.of([points[0].handle], clock.now_us(), [float(self.at)])

        def position(self) -> str:
            return str(self.at)

        def resume(self, position: str) -> None:
            self.at = int(position)

    device = FieldDevice()
    base = ScriptedDriver.spec({}, clock)
    spec = DriverSpec("scripted", "", base.connection, base.address, lambda _: Tape(device, clock))
    async with engine(plan, spec, clock) as (_, kept):
        await clock.advance(0.45)
        device.fault = ConnectionFailed("gone")
        await clock.advance(0.1)
        device.fault = None
        await clock.advance(5.0)
        values = [value for value, quality in kept.of("force") if quality == 192]
        assert values == [float(i + 1) for i in range(len(values))]
        assert kept.positions["press"] == str(len(values))

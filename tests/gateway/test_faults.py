"""What should not happen ends in words and in a new beginning of the part where it happened, and of nothing else."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.gateway.helpers import Host, plan_of, plant, until
from tests.gateway.test_engine import Kept, engine
from tests.gateway.test_forward import Chain, Wire, settled
from tests.hub.mqtt import Mosquitto

from lineshaft.clock import SystemClock, VirtualClock
from lineshaft.config.uplinks import HttpsUplink
from lineshaft.errors import ConnectionFailed
from lineshaft.gateway.engine import Engine
from lineshaft.gateway.faults import Faults, GaveUp, fault_of
from lineshaft.gateway.frames import Frame
from lineshaft.gateway.options import GatewayOptions
from lineshaft.gateway.plan import PlannedDevice, make_plan
from lineshaft.gateway.runtime import Gateway
from lineshaft.gateway.uplinks.base import NodeContext
from lineshaft.gateway.uplinks.builtin import UPLINKS
from lineshaft.gateway.uplinks.forward import MOST_FAULTS
from lineshaft.gateway.uplinks.mqtt import BrokerAccess
from lineshaft.model.events import Event
from lineshaft.testing import FieldDevice, ScriptedDriver
from lineshaft.wire.notes import EventNote, StatusNote

UNEXPECTED: tuple[BaseException, ...] = (
    ZeroDivisionError("bug"),
    struct.error("unpack requires 4 bytes"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    asyncio.IncompleteReadError(b"", 4),
    asyncio.CancelledError(),
    ExceptionGroup("several", [OSError("gone"), KeyError("x")]),
)


async def test_a_driver_comes_back_from_whatever_its_library_raises() -> None:
    """Also from a cancellation that nobody asked for: the device is offline with words, the others go on, and it is
    connected again."""
    clock = VirtualClock()
    devices = {"press": FieldDevice(force=1.0), "pump": FieldDevice(flow=2.0)}
    plan = plan_of({"press": ["force"], "pump": ["flow"]}, poll="100ms")
    async with engine(plan, ScriptedDriver.spec(devices, clock), clock) as (made, kept):
        for unexpected in UNEXPECTED:
            await clock.advance(40.0)
            assert made.state("press") == "online"
            devices["press"].fault = unexpected
            await clock.advance(0.3)
            status = made.status()[0]
            assert status.state == "offline"
            assert status.error.startswith("a fault of the driver: ")
            assert "report" in status.hint
            reads = devices["pump"].reads
            await clock.advance(0.3)
            assert devices["pump"].reads > reads
            devices["press"].fault = None
        await clock.advance(40.0)
        assert made.state("press") == made.state("pump") == "online"
        kinds = [event.kind for event in kept.events if event.subject.endswith("press")]
        assert kinds == ["device.offline", "device.recovered"] * len(UNEXPECTED)


async def test_a_fault_beside_a_driver_stays_with_its_device() -> None:
    """What fails where rows are kept is an event, and the device begins anew while the other one goes on."""

    class Faulty(Kept):
        faults = 2

        def lost(self, device: PlannedDevice) -> None:
            if self.faults:
                self.faults -= 1
                raise KeyError(device.id)
            super().lost(device)

    clock = VirtualClock()
    devices = {"press": FieldDevice(force=1.0), "pump": FieldDevice(flow=2.0)}
    plan = plan_of({"press": ["force"], "pump": ["flow"]}, poll="100ms")
    kept = Faulty(plan, clock)
    made = Engine(plan.devices, {"scripted": ScriptedDriver.spec(devices, clock)}, kept, clock, plan.device_path)
    task = asyncio.create_task(made.run())
    await settled()
    await clock.advance(1.0)
    devices["press"].fault = ConnectionFailed("cut")
    await clock.advance(0.3)
    (told,) = kept.events
    assert (told.kind, told.subject) == ("gateway.fault", "north/gw/press")
    assert "KeyError('press')" in told.message
    assert not task.done()
    devices["press"].fault = None
    await clock.advance(30.0)
    assert made.state("press") == made.state("pump") == "online"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


class Mishap(Wire):
    """An uplink that raises what is laid into it, once each."""

    def __init__(self, buffer: Any) -> None:
        super().__init__(buffer)
        self.in_connect: BaseException | None = None
        self.in_send: dict[int, BaseException] = {}
        self.in_close: BaseException | None = None

    async def connect(self) -> int:
        error, self.in_connect = self.in_connect, None
        if error is not None:
            raise error
        return await super().connect()

    async def send(self, frames: Sequence[Frame], *, historical: bool) -> None:
        for frame in frames:
            if frame.id in self.in_send:
                raise self.in_send[frame.id]
        await super().send(frames, historical=historical)

    async def close(self) -> None:
        error, self.in_close = self.in_close, None
        if error is not None:
            raise error

    def tell(self, status: StatusNote) -> None:
        raise KeyError("status")


async def test_an_uplink_begins_anew_after_whatever_is_raised(tmp_path: Path) -> None:
    """In connect, while sending, while closing and when it is told something: seen in its status, told, and mended."""
    chain = Chain(tmp_path, drain_rate=100_000)
    wire = chain.wire = chain.forwarder.uplink = Mishap(chain.buffer)
    told: list[Exception] = []
    chain.forwarder.on_fault = told.append
    wire.in_connect = UNEXPECTED[0]
    async with chain.running():
        assert chain.forwarder.status().state == "offline"
        assert "a fault in the gateway, begins anew: ZeroDivisionError('bug')" in chain.forwarder.status().error
        for unexpected in UNEXPECTED:
            await chain.clock.advance(40.0)
            assert (chain.forwarder.status().state, chain.forwarder.status().error) == ("online", "")
            wire.in_connect, wire.in_close = unexpected, unexpected
            wire.lost.set()
            await settled()
            await chain.clock.advance(0.6)  # to the connect that fails
            assert chain.forwarder.status().state == "offline"
        await chain.clock.advance(40.0)
        assert len(told) == 1 + 2 * len(UNEXPECTED)
        assert any(isinstance(error, GaveUp) for error in told)
        chain.forwarder.pass_on(lambda uplink: uplink.tell(None))  # type: ignore[arg-type]
        await settled()
        assert chain.forwarder.status().state == "offline"
        assert repr(told[-1]) == "KeyError('status')"
        await chain.clock.advance(40.0)
        assert chain.forwarder.status().state == "online"


async def test_a_frame_that_is_a_fault_each_time_is_given_up(tmp_path: Path) -> None:
    """After some tries it counts as one that cannot be sent, and all others get through; but nothing is given up while
    nothing goes at all."""
    chain = Chain(tmp_path, drain_rate=100_000)
    wire = chain.wire = chain.forwarder.uplink = Mishap(chain.buffer)
    told: list[Exception] = []
    chain.forwarder.on_fault = told.append
    chain.write(5)
    wire.in_send = dict.fromkeys(range(1, 6), ZeroDivisionError("cannot be encoded"))
    async with chain.running():
        for _ in range(20):
            await chain.clock.advance(10.0)
        assert wire.numbers() == []
        assert chain.buffer.pending("hub") == 50
        wire.in_send = {3: ZeroDivisionError("cannot be encoded")}
        for _ in range(12):
            await chain.clock.advance(10.0)
        assert {1, 2, 4, 5} <= set(wire.numbers())
        chain.forwarder.delivered([1, 2, 4, 5, 6, 7])  # the drop note and its event too
        assert chain.forwarder.done
        dropped = chain.buffer.read(6)
        assert dropped is not None
        assert "cannot be sent" in dropped.note
        assert chain.forwarder.status().state == "online"
    assert len(told) > MOST_FAULTS


async def test_a_part_of_the_gateway_is_kept_at_work() -> None:
    """Told once for the same fault, begun anew with growing pauses, ended by its own end or by cancelling alone."""
    clock, events = VirtualClock(), list[Event]()
    faults = Faults(clock, events.append)
    begun: list[float] = []

    async def part() -> None:
        begun.append(clock.monotonic())
        if len(begun) < 4:
            raise KeyError("x")

    task = asyncio.create_task(faults.keep("tidy", "north/gw", part))
    await settled()
    for _ in range(40):
        await clock.advance(0.5)
    assert task.done()
    pauses = [after - before for before, after in pairwise(begun)]
    assert pauses == sorted(pauses)
    assert len(begun) == 4
    (event,) = events
    assert event.message == "A fault in the gateway: tidy ended with KeyError('x') and begins anew."

    def untold(event: Event) -> None:
        raise OSError("the disk is full")

    Faults(clock, untold).tell("tidy", "north/gw", KeyError("x"))
    waiting = asyncio.create_task(fault_of(asyncio.Event().wait()))
    await settled()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert waiting.cancelled()


async def test_a_fault_in_one_uplink_leaves_the_gateway_and_the_other_at_work(
    broker: Mosquitto, host: Host, folder: Path
) -> None:
    """An event tells it at the hub over the other uplink, whose samples go on; the faulty one is online again by
    itself."""
    faulty: list[Mishap] = []

    def make(config: HttpsUplink, node: NodeContext, files: object) -> Mishap:
        made = Mishap(gateway._buffer)
        made.id, made.in_connect = config.id, struct.error("unpack requires 4 bytes")
        faulty.append(made)
        return made

    uplinks = [{"id": "hub"}, {"id": "cloud", "type": "https", "url": "https://cloud.example/in"}]
    one = plant({"press": ["force"]}, gateway={"uplinks": uplinks})
    device, clock = FieldDevice(force=1.0), SystemClock()
    options = GatewayOptions(one.gateway, folder, BrokerAccess("127.0.0.1", broker.port), clock)
    spec = ScriptedDriver.spec({"press": device}, clock)
    gateway = Gateway(make_plan(one), {"scripted": spec}, options, {**UPLINKS, HttpsUplink: make})
    stop = asyncio.Event()
    running = asyncio.create_task(gateway.run(stop))
    await until(lambda: gateway.started.is_set() and faulty)

    def told() -> list[Event]:
        return [n.event for n in host.notes if isinstance(n, EventNote) and n.event.kind == "gateway.fault"]

    await until(told)
    assert "the uplink cloud ended with error('unpack requires 4 bytes')" in told()[0].message
    await until(lambda: faulty[0].connections)
    device.values["force"] = 2.0
    await until(lambda: any(row[2] == 2.0 for row in host.samples("force")))
    assert not running.done()

    async def broken() -> None:
        raise KeyError("ledger")

    keeping = asyncio.create_task(gateway.keep("ledger", broken))
    await until(lambda: any("ledger" in event.message for event in told()))
    keeping.cancel()
    stop.set()
    await running

"""Lines that are cut while a machine goes on: what the server kept or recorded arrives afterwards, each value once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lineshaft.clock import SystemClock
from lineshaft.drivers.base import Point
from lineshaft.drivers.opcua import SPEC
from lineshaft.drivers.opcua.driver import OpcuaDriver
from lineshaft.drivers.opcua.history import read_history
from lineshaft.errors import RetryableError
from lineshaft.gateway.engine import Engine
from lineshaft.gateway.plan import PlannedDevice
from lineshaft.model.events import Event
from lineshaft.model.samples import Quality, SampleBatch

from .servers import PEER_URI, FieldServer, Line, Peer, connected, options_of, peer_modules, points
from .test_driver import VALUES, Inbox


@pytest.fixture
async def peer(tmp_path: Path) -> AsyncIterator[Peer]:
    async with Peer(peer_modules(), tmp_path / "pki") as running:
        yield running


class Kept:
    """Keeps what the engine gives, live and late, with the signal's index."""

    def __init__(self) -> None:
        self.live: list[SampleBatch] = []
        self.past: list[SampleBatch] = []
        self.events: list[Event] = []
        self.losses = 0
        self._news = asyncio.Event()

    def accept(self, device: PlannedDevice, batch: SampleBatch, position: str | None) -> int:
        self.live.append(batch)
        self._news.set()
        return len(batch)

    def late(self, device: PlannedDevice, batch: SampleBatch) -> int:
        self.past.append(batch)
        self._news.set()
        return len(batch)

    def lost(self, device: PlannedDevice) -> None:
        self.losses += 1
        self._news.set()

    def position(self, device: PlannedDevice) -> str | None:
        return None

    def event(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    def changed(self, device: PlannedDevice) -> None:
        pass

    async def until(self, ready: Callable[[], Any], seconds: float = 30) -> None:
        async with asyncio.timeout(seconds):
            while not ready():
                self._news.clear()
                await self._news.wait()

    def rows(self, signal: int) -> list[tuple[int, float]]:
        """Times and values of one signal by time, late ones in their place."""
        batch = SampleBatch.concat([*self.live, *self.past])
        batch = batch.take(batch.signals == signal)
        return sorted(zip(batch.times.tolist(), batch.values.tolist(), strict=True))


@asynccontextmanager
async def engine(url: str, *names: str, uri: str = PEER_URI, **options: Any) -> AsyncIterator[tuple[Engine, Kept]]:
    kept = Kept()
    read = tuple(Point(i, point.address, interval=0.02) for i, point in enumerate(points(*names, uri=uri)))
    device = PlannedDevice("press", "Press", "opcua", options_of(url, **options), read, (), 0, 5.0, 1, size=len(read))
    made = Engine([device], {"opcua": SPEC}, kept, SystemClock(), lambda name: f"north/gw/{name}")
    task = asyncio.create_task(made.run())
    try:
        yield made, kept
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def url_of(line: Line) -> str:
    return f"opc.tcp://127.0.0.1:{line.port}"


async def cut(line: Line, kept: Kept, seconds: float) -> None:
    before = kept.losses
    line.cut()
    await kept.until(lambda: kept.losses > before)
    await asyncio.sleep(seconds)  # the machine goes on meanwhile
    line.mend()


async def test_a_cut_of_three_seconds_loses_nothing(peer: Peer) -> None:
    """The session is taken up: every value of a counter that changes each 50 ms arrives once and in order."""
    async with Line(peer.port) as line:
        options = {"queue_size": 1000, "history_gap": "0s", "sampling_interval": "0s"}
        async with engine(url_of(line), "Machine.Counter", "Machine.Pressure", **options) as (made, kept):
            await kept.until(lambda: len(kept.rows(0)) > 20)
            await cut(line, kept, 3.0)
            await kept.until(lambda: made.state("press") == "online" and len(kept.rows(0)) > 140)
            await kept.until(lambda: len(kept.rows(1)) > 1)
        values = [value for _, value in kept.rows(0)]
        assert values == np.arange(values[0], values[0] + len(values)).tolist()
        live = SampleBatch.concat(kept.live)
        arrived = live.values[live.signals == 0]
        assert (np.diff(arrived) == 1).all(), "out of order"
        first, again = kept.rows(1)[:2]
        assert first[1] == again[1] == 6.5
        assert again[0] > first[0], "an unchanged value holds again from the reconnection on"


async def test_a_driver_takes_up_its_session(peer: Peer) -> None:
    """close after a cut and connect: the same session and subscription, shown by the statistics."""
    async with Line(peer.port) as line, connected(url_of(line), queue_size=1000, sampling_interval="0s") as driver:
        wanted, inbox = points("Machine.Counter", "Machine.Absent", uri=PEER_URI), Inbox()
        for round_ in range(3):
            await driver.subscribe(wanted, inbox)
            seen = len(inbox.rows())
            await inbox.until(lambda rows, seen=seen: len(rows) > seen + 10)  # type: ignore[misc]
            assert driver.statistics.taken_up == round_
            line.cut()
            with pytest.raises(RetryableError):
                await driver.wait_closed()
            await driver.close()
            line.mend()
            await driver.connect()
        steps = np.diff([row[1] for row in inbox.rows() if row[0] == 10])
        assert set(steps.tolist()) <= {0.0, 1.0}
        assert (steps == 0).sum() <= 3, "only a value that still holds after a cut comes again"
        assert {row[2] for row in inbox.rows() if row[0] == 11} == {Quality.BAD_ADDRESS}


async def test_a_server_that_forgot_the_session_gets_a_new_one() -> None:
    """A restarted server, or one that keeps nothing: a fresh subscription brings the present values."""
    async with FieldServer(VALUES) as server, connected(server.url) as driver:
        inbox, wanted = Inbox(), points("a", "b")
        await driver.subscribe(wanted, inbox)
        await inbox.until(lambda rows: len(rows) == 2)
        await server.stop()
        with pytest.raises(RetryableError):
            await driver.wait_closed()
        await driver.close()
        server.padding = 1  # a new server: it knows of nothing, and numbers its namespaces in another way
        await server.start()
        await driver.connect()
        await driver.subscribe(wanted, inbox)
        await inbox.until(lambda rows: len(rows) == 4)
        times = SampleBatch.concat(inbox.batches).times
        assert times[2:].min() > times[:2].max()
        assert driver.statistics.taken_up == 0
        await server.write("a", 5.0)
        await inbox.until(lambda rows: rows[-1][1] == 5.0)


async def test_a_gap_is_filled_from_the_history_of_the_server(peer: Peer) -> None:
    """Queues overflow in an outage; history closes the gap: nothing is missing, nothing is there twice."""
    async with Line(peer.port) as line:
        async with engine(
            url_of(line), "Machine.Counter", "Machine.Recorded", keep_session="1s", sampling_interval="0s"
        ) as (_, kept):
            await kept.until(lambda: len(kept.rows(1)) > 20)
            for _ in range(2):
                late = len(kept.past)
                await cut(line, kept, 2.0)
                await kept.until(lambda late=late: len(kept.past) > late)  # type: ignore[misc]
                count = len(kept.rows(1))
                await kept.until(lambda count=count: len(kept.rows(1)) > count + 10)  # type: ignore[misc]
        values = [value for _, value in kept.rows(1)]
        assert values == np.arange(values[0], values[0] + len(values)).tolist()
        past = SampleBatch.concat(kept.past)
        assert set(past.signals.tolist()) == {1}
        assert set(past.qualities.tolist()) == {Quality.GOOD}
        assert len(past) > 60


async def test_history_comes_page_by_page(peer: Peer) -> None:
    """Continuation points are followed; both bounds are excluded; a node without history is passed over."""
    async with connected(peer.url, queue_size=1000, sampling_interval="0s") as driver:
        wanted, inbox = points("Machine.Recorded", "Machine.Counter", uri=PEER_URI), Inbox()
        await driver.subscribe(wanted, inbox)
        await inbox.until(lambda rows: len([row for row in rows if row[0] == 10]) > 60)
        live = SampleBatch.concat(inbox.batches)
        live = live.take(live.signals == 10)
        since, until = np.full(2, live.times[5]), np.full(2, live.times[50])
        for page in (7, 5000):
            got = Inbox()
            session = driver._open_session()
            await read_history(session, wanted, since, until, got, page=page)
            batch = SampleBatch.concat(got.batches)
            assert batch.values.tolist() == live.values[6:50].tolist()
            assert batch.times.tolist() == live.times[6:50].tolist()
            assert len(got.batches) == (7 if page == 7 else 1)


async def test_a_deadband_is_kept_by_the_server(peer: Peer) -> None:
    """Absolute and percent of the range; where the server refuses one, every change comes, and an event says so."""
    addresses = [
        {"node": f"nsu={PEER_URI};s=Machine.Ramp", "deadband": 4.5},
        {"node": f"nsu={PEER_URI};s=Machine.Ramp", "deadband_percent": 10},
        {"node": f"nsu={PEER_URI};s=Machine.Counter", "deadband_percent": 10},
    ]
    wanted = tuple(Point(10 + i, SPEC.address.model_validate(a), interval=0.02) for i, a in enumerate(addresses))
    events: list[Event] = []
    driver = OpcuaDriver(options_of(peer.url, queue_size=1000))
    driver.emit_events("north/gw/press", events.append)
    await driver.connect()
    try:
        inbox = Inbox()
        await driver.subscribe(wanted, inbox)
        await inbox.until(lambda rows: len([row for row in rows if row[0] == 11]) > 5)
    finally:
        await driver.close()
    steps = [np.abs(np.diff([row[1] for row in inbox.rows() if row[0] == handle])) for handle in (10, 11, 12)]
    assert steps[0].min() > 4.5
    assert steps[1].min() > 10
    assert steps[2].max() < 4
    assert [event.kind for event in events] == ["opcua.deadband_refused"]

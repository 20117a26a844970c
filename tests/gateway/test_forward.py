"""The forwarder: order, window, repetition and reconnection, with a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np

from lineshaft.clock import VirtualClock
from lineshaft.errors import AccessDenied, ConnectionFailed, DataError
from lineshaft.gateway.buffer import Buffer
from lineshaft.gateway.frames import Frame
from lineshaft.gateway.keys import SignalKey
from lineshaft.gateway.store import BufferOptions
from lineshaft.gateway.uplinks.forward import RESEND_AFTER, WINDOW_ROWS, Forwarder
from lineshaft.model.samples import SampleBatch
from lineshaft.wire.notes import LedgerNote, StatusNote


class Wire:
    """An uplink that keeps what it is given."""

    def __init__(self, buffer: Buffer) -> None:
        self.id = "hub"
        self.waiting = False
        self.buffer = buffer
        self.sent: list[tuple[list[int], bool]] = []
        self.connections = self.idles = 0
        self.refuse: Exception | None = None
        self.poison: set[int] = set()
        self.lost = asyncio.Event()

    async def connect(self) -> int:
        self.connections += 1
        if self.refuse is not None:
            raise self.refuse
        self.lost.clear()
        return self.buffer.last

    async def send(self, frames: Sequence[Frame], *, historical: bool) -> None:
        numbers = [frame.id for frame in frames]
        if self.poison & set(numbers):
            raise DataError("cannot be encoded")
        self.sent.append((numbers, historical))

    def idle(self) -> None:
        self.idles += 1

    def device_changed(self, device: str) -> None:
        pass

    def tell(self, status: StatusNote) -> None:
        pass

    async def wait_closed(self) -> None:
        await self.lost.wait()
        raise ConnectionFailed("cut")

    async def close(self) -> None:
        pass

    def numbers(self) -> list[int]:
        return [number for group, _ in self.sent for number in group]


async def settled() -> None:
    for _ in range(200):
        await asyncio.sleep(0)


class Chain:
    """A buffer, a wire and the forwarder between them."""

    def __init__(self, folder: Path, drain_rate: int) -> None:
        self.clock = VirtualClock()
        self.buffer = Buffer(folder, self.clock, ["hub"], BufferOptions())
        self.buffer.open()
        self.buffer.register([SignalKey(device, "a/b", "x", "measure", "Double") for device in ("press", "pump")])
        self.wire = Wire(self.buffer)
        self.forwarder = Forwarder(self.wire, self.buffer, self.clock, drain_rate)
        self.buffer.on_append = self.forwarder.wake

    def write(self, count: int, device: str = "press", rows: int = 10) -> None:
        signal = 0 if device == "press" else 1
        for _ in range(count):
            self.buffer.append(device, SampleBatch.of(np.full(rows, signal), np.arange(rows), np.zeros(rows)))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.forwarder.run())
        await settled()
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        self.buffer.close()


async def test_live_goes_first_and_the_backlog_keeps_its_rate(tmp_path: Path) -> None:
    """New samples never wait behind old ones; old ones go as history, no faster than the drain rate."""
    chain = Chain(tmp_path, drain_rate=10_000)
    chain.write(100, rows=1000)
    async with chain.running():
        await chain.clock.advance(2.0)
        await settled()
        drained = chain.wire.numbers()
        assert all(historical for _, historical in chain.wire.sent)
        assert 18 <= len(drained) <= 28
        chain.write(1)
        await settled()
        assert chain.wire.sent[-1] == ([101], False)
        for _ in range(100):
            chain.forwarder.delivered(chain.wire.numbers())
            await chain.clock.advance(0.1)
            await settled()
        assert sorted(chain.wire.numbers()) == list(range(1, 102))
        assert chain.forwarder.done
        assert chain.wire.idles


async def test_small_frames_of_one_device_share_a_message(tmp_path: Path) -> None:
    """Consecutive frames of one device go together, a note and another device go alone."""
    chain = Chain(tmp_path, drain_rate=10**9)
    chain.write(3)
    chain.write(2, "pump")
    chain.buffer.append_note(LedgerNote("00", 1, {}))
    chain.buffer.append_note(LedgerNote("00", 1, {}), target="another")
    chain.write(2, "pump")
    async with chain.running():
        await chain.clock.advance(1.0)
        await settled()
        assert [group for group, _ in chain.wire.sent] == [[1, 2, 3], [4, 5], [6], [8, 9]]


async def test_what_is_not_acknowledged_in_time_goes_again(tmp_path: Path) -> None:
    """After the timeout exactly the missing frames are repeated, as history, with growing patience."""
    chain = Chain(tmp_path, drain_rate=10**9)
    async with chain.running():
        chain.write(4)
        await settled()
        chain.forwarder.delivered([1, 3])
        await chain.clock.advance(RESEND_AFTER - 1)
        assert sorted(chain.wire.numbers()) == [1, 2, 3, 4]
        await chain.clock.advance(2)
        await settled()
        assert chain.wire.sent[-2:] == [([2], True), ([4], True)]
        repeated = len(chain.wire.sent)
        await chain.clock.advance(RESEND_AFTER + 1)
        await settled()
        assert len(chain.wire.sent) == repeated
        await chain.clock.advance(RESEND_AFTER + 1)
        await settled()
        assert len(chain.wire.sent) == repeated + 2
        assert chain.forwarder.status().resent_frames == 4


async def test_the_window_bounds_what_is_under_way(tmp_path: Path) -> None:
    """A hub that is slow to commit is not flooded; an acknowledgement opens the window again."""
    chain = Chain(tmp_path, drain_rate=10**9)
    async with chain.running():
        chain.write(400, rows=1000)
        await settled()
        under_way = len(chain.wire.numbers())
        assert WINDOW_ROWS // 1000 <= under_way <= WINDOW_ROWS // 1000 + 4
        chain.forwarder.delivered(chain.wire.numbers())
        await settled()
        assert len(chain.wire.numbers()) == 400


async def test_a_lost_connection_sends_everything_open_again(tmp_path: Path) -> None:
    """After a reconnect, and after a rebirth, all frames without an acknowledgement go once more."""
    chain = Chain(tmp_path, drain_rate=10**9)
    async with chain.running():
        chain.write(3)
        await settled()
        chain.forwarder.delivered([1])
        chain.wire.refuse = ConnectionFailed("no route")
        chain.wire.lost.set()
        await settled()
        assert chain.forwarder.status().state == "offline"
        await chain.clock.advance(60.0)
        assert 4 <= chain.wire.connections <= 12
        chain.wire.refuse = None
        chain.wire.sent.clear()
        for _ in range(20):
            if chain.forwarder.online:
                break
            await chain.clock.advance(1.0)
            await settled()
        assert chain.wire.sent == [([2, 3], True)]
        assert chain.forwarder.status().state == "online"
        chain.wire.sent.clear()
        chain.forwarder.reborn(chain.buffer.last)
        await chain.clock.advance(0.1)
        await settled()
        assert chain.wire.sent == [([2, 3], True)]


async def test_refused_access_is_not_hammered(tmp_path: Path) -> None:
    """With a wrong password there are only a few tries a minute."""
    chain = Chain(tmp_path, drain_rate=1)
    chain.wire.refuse = AccessDenied("wrong password")
    async with chain.running():
        await chain.clock.advance(60.0)
        assert chain.wire.connections <= 8


async def test_a_frame_that_can_never_be_sent_stands_in_nobodys_way(tmp_path: Path) -> None:
    """It is left out alone, with a drop note; its neighbours in the same message arrive."""
    chain = Chain(tmp_path, drain_rate=10**9)
    chain.write(5)
    chain.wire.poison = {3}
    async with chain.running():
        await chain.clock.advance(1.0)
        await settled()
        assert chain.wire.numbers()[:5] == [1, 2, 4, 5, 6]
        assert chain.buffer.pending("hub") == 40
        dropped = chain.buffer.read(6)
        assert dropped is not None
        assert "cannot be sent" in dropped.note

"""The live WebSocket against a real server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import struct
import time
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from hub.api.conftest import ASSET, Hub
from lineshaft.hub.ports import BornSignal
from lineshaft.hub.security.roles import Role
from lineshaft.hub.stream import encode
from lineshaft.model.equipment import Signal
from lineshaft.model.events import Event
from lineshaft.model.samples import Quality, SampleBatch

T0 = 1_760_000_000_000_000


def decode(frame: bytes) -> list[tuple[int, float, float, int]]:
    """(id, time in ms, value, quality) of each row, read as the contract says it."""
    kind, count = struct.unpack_from("<B3xI", frame)
    assert kind == 1
    assert len(frame) == 8 + count * 21
    times = struct.unpack_from(f"<{count}d", frame, 8)
    values = struct.unpack_from(f"<{count}d", frame, 8 + 8 * count)
    ids = struct.unpack_from(f"<{count}I", frame, 8 + 16 * count)
    return list(zip(ids, times, values, frame[8 + 20 * count :], strict=True))


async def told(socket: ClientConnection, kind: str) -> Any:
    """The next message of this kind: 'values' for a binary frame."""
    async with asyncio.timeout(30):
        while True:
            message = await socket.recv()
            if isinstance(message, bytes):
                if kind == "values":
                    return decode(message)
            elif json.loads(message)["type"] == kind:
                return json.loads(message)


async def subscribe(socket: ClientConnection, ids: Any, interval_ms: int = 20) -> None:
    await socket.send(json.dumps({"subscribe": [int(one) for one in ids], "interval_ms": interval_ms}))


async def test_first_the_latest_then_changes(hub: Hub) -> None:
    """A subscription is answered with the latest value of each, then only what is watched comes, texts as JSON."""
    flow, pressure, mode = hub.ids.tolist()
    hub.put([flow, pressure], [T0, T0 + 1], [1.25, 2.5])
    hub.put([mode], [T0], [math.nan], ["RUN"])
    async with hub.live() as socket:
        await subscribe(socket, [flow, mode, 4_000_000_000])
        assert await told(socket, "values") == [(flow, T0 / 1000, 1.25, 192)]
        assert (await told(socket, "texts"))["items"] == [[mode, T0, "RUN", 192]]
        hub.put([pressure, flow, flow], [T0 + 2, T0 + 2, T0 + 3], [9.0, 8.0, 7.5])
        assert await told(socket, "values") == [(flow, (T0 + 3) / 1000, 7.5, 192)]
        await subscribe(socket, [pressure])
        assert await told(socket, "values") == [(pressure, (T0 + 2) / 1000, 9.0, 192)]
        await subscribe(socket, [])
        assert await told(socket, "values") == []


async def test_stale_values_keep_their_time(hub: Hub) -> None:
    """A signal without a living source becomes stale with the time of its last value, and good again with the next."""
    flow, pressure, _ = hub.ids.tolist()
    hub.put([flow], [T0], [1.0])
    async with hub.live() as socket:
        await subscribe(socket, hub.ids)
        await told(socket, "values")
        hub.stream.stale(np.array([flow, pressure], np.uint32), T0 + 99)
        assert await told(socket, "values") == [(flow, T0 / 1000, 1.0, Quality.STALE)]
        hub.put([flow], [T0 + 5], [1.0])
        assert (await told(socket, "values"))[0][3] == 192


async def test_values_of_the_last_run_are_stale_until_heard_again(hub: Hub) -> None:
    """After a restart the latest stored values are shown as stale."""
    hub.put([int(hub.ids[0])], [T0], [1.0])
    hub.stream.seed(hub.historian.latest())
    async with hub.client(Role.VIEWER) as client:
        latest = (await client.get("/api/v1/latest", params={"asset": ASSET})).json()
        assert latest["quality"] == [Quality.STALE]


async def test_pages_hear_of_events_catalogue_and_sources(hub: Hub) -> None:
    """New events are sent as they are; catalogue and sources say only that there is something to load."""
    async with hub.live() as socket:
        await subscribe(socket, [])
        await told(socket, "values")
        hub.state.events.add([Event(T0, "device.offline", ASSET, "plc-1 is gone", details={"tries": 3})])
        event = (await told(socket, "events"))["items"][0]
        assert event["message"] == "plc-1 is gone"
        assert event["details"] == {"tries": 3}
        hub.state.register([BornSignal(Signal(ASSET, "power"), "north/gateway-1", "plc-1")])
        assert (await told(socket, "catalogue"))["version"] == hub.state.catalogue.version
        hub.state.source("north/gateway-1", "plc-1", "offline", T0)
        await told(socket, "sources")


async def test_an_interval_bounds_the_frames_and_the_last_value_wins(hub: Hub) -> None:
    """However fast values come, a page gets at most one frame per interval, and in the end the newest value."""
    flow = int(hub.ids[0])
    async with hub.live() as socket:
        await subscribe(socket, [flow], 100)
        await told(socket, "values")
        start = time.monotonic()
        frames = 0
        newest = -1.0
        publisher = asyncio.create_task(publish(hub, flow, 300, 0.002))
        while newest < 299:
            (row,) = await told(socket, "values")
            newest = row[2]
            frames += 1
        elapsed = time.monotonic() - start
        await publisher
    assert frames <= elapsed / 0.1 + 2


async def publish(hub: Hub, signal: int, count: int, pause: float) -> None:
    for number in range(count):
        hub.put([signal], [T0 + number], [float(number)], token=f"{number}")
        await asyncio.sleep(pause)


async def test_a_page_that_does_not_read_disturbs_nobody(hub: Hub) -> None:
    """A page that stops reading gets the newest values when it goes on; another page is served all the time."""
    ids = hub.state.register([BornSignal(Signal(ASSET, f"s{number}"), "n", "d") for number in range(2000)])
    async with hub.live(max_queue=1) as slow, hub.live() as fast:
        for socket in (slow, fast):
            await subscribe(socket, ids)
        newest = 0.0
        for number in range(1, 300):
            hub.put(ids, T0 + number, float(number), token=str(number))
            await asyncio.sleep(0.005)
        while newest < 299:
            rows = await told(fast, "values")
            newest = rows[0][2] if rows else newest
        got = 0
        newest = 0.0
        while newest < 299:
            rows = await told(slow, "values")
            newest = rows[0][2] if rows else newest
            got += 1
        assert got < 250


@pytest.mark.parametrize("text", ["x", "[]", '{"subscribe":[-1]}', '{"subscribe":[1],"interval_ms":1}', '{"a":1}'])
async def test_nonsense_closes_the_connection_with_a_reason(hub: Hub, text: str) -> None:
    """A message that is no subscription ends the connection and says why."""
    async with hub.live() as socket:
        await socket.send(text)
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 5)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
        assert "subscribe" in closed.value.rcvd.reason


async def test_a_closed_page_leaves_nothing_behind(hub: Hub) -> None:
    """Pages that go, politely or not, are forgotten."""
    async with hub.live() as first, hub.live() as second:
        await subscribe(first, hub.ids)
        await subscribe(second, hub.ids)
        await told(first, "values")
        await told(second, "values")
        assert hub.stream.sessions == 2
        second.transport.abort()
    async with asyncio.timeout(30):
        while hub.stream.sessions:
            hub.put([1], [T0], [1.0], token=str(time.monotonic()))
            await asyncio.sleep(0.05)


@pytest.mark.slow
async def test_a_page_whose_token_is_gone_is_closed(hub: Hub) -> None:
    """Within some ten seconds after its token was removed, an open page gets nothing more and is closed."""
    async with hub.live() as socket:
        await subscribe(socket, hub.ids)
        await told(socket, "values")
        for token in hub.state.accounts.tokens():
            hub.state.accounts.remove_token(token.id)
        with pytest.raises(ConnectionClosed) as closed:
            await read_on(hub, socket)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.reason == "signed out"


async def read_on(hub: Hub, socket: ClientConnection) -> None:
    """Values come and are read until the connection ends."""
    async with asyncio.timeout(30):
        while True:
            hub.put([1], [T0], [1.0], token=str(time.monotonic()))
            await socket.recv()
            await asyncio.sleep(0.2)


async def test_fifty_pages_cost_little(hub: Hub) -> None:
    """A second of 50 pages with 500 signals each at 10 Hz is put together in a tenth of a second of work."""
    ids = hub.state.register([BornSignal(Signal(ASSET, f"s{number}"), "n", "d") for number in range(5000)])
    choice = np.random.default_rng(1)
    with contextlib.ExitStack() as pages:
        sessions = [pages.enter_context(hub.stream.session()) for _ in range(50)]
        for session in sessions:
            session.subscribe(choice.choice(ids, 500, replace=False))
            session.take()
        worked = []
        for turn in range(10):
            hub.stream.publish(SampleBatch.of(ids, T0 + turn, float(turn)))
            start = time.thread_time()
            for session in sessions:
                assert len(encode(session.take().numbers)) == 8 + 500 * 21
            worked.append(time.thread_time() - start)
    print(f"{sum(worked) * 1000:.0f} ms for 500 frames")  # noqa: T201 - shown with -s
    assert 10 * min(worked) < 0.1

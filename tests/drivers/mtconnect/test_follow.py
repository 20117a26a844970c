"""The driver follows the agent's sequence numbers through cuts, restarts and overruns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from lineshaft.drivers.base import Point
from lineshaft.drivers.mtconnect import SPEC
from lineshaft.drivers.mtconnect.driver import MtconnectDriver
from lineshaft.errors import DataError, PeerTimeout, RetryableError
from lineshaft.model.equipment import Datatype
from lineshaft.model.samples import Quality, SampleBatch
from lineshaft.simulator.servers.mtconnect import MtconnectAgent
from lineshaft.simulator.servers.mtconnect_model import AgentObservation

from .machine import DEVICE, Cnc, now_us, points, rows

GONE = Quality.BAD_COMMUNICATION


class Listener:
    """A subscribed driver and what it delivered."""

    def __init__(self, driver: MtconnectDriver, batches: list[SampleBatch], arrived: asyncio.Event) -> None:
        self.driver, self.batches, self._arrived = driver, batches, arrived

    async def until(self, done: Callable[[list[tuple[int, int, Any, int]]], bool]) -> list[tuple[int, int, Any, int]]:
        async with asyncio.timeout(30):
            while not done(rows(self.batches)):
                self._arrived.clear()
                await self._arrived.wait()
        return rows(self.batches)

    def values(self, handle: int) -> list[Any]:
        return [row[2] for row in rows(self.batches) if row[0] == handle]


@asynccontextmanager
async def listening(
    agent: MtconnectAgent, wanted: Sequence[Point], position: str = "", **options: Any
) -> AsyncIterator[Listener]:
    settings = {"url": agent.url, "timeout": "2s", "interval": "10ms", "heartbeat": "200ms", **options}
    driver = MtconnectDriver(SPEC.connection.model_validate(settings))
    batches: list[SampleBatch] = []
    arrived = asyncio.Event()

    def sink(batch: SampleBatch) -> None:
        batches.append(batch)
        arrived.set()

    if position:
        driver.resume(position)
    await driver.connect()
    try:
        await driver.subscribe(wanted, sink)
        yield Listener(driver, batches, arrived)
    finally:
        await driver.close()


def parts(numbers: range, at: int = 0) -> list[AgentObservation]:
    start = at or now_us()
    return [AgentObservation("pcount", start + n, str(n)) for n in numbers]


@pytest.mark.parametrize("mode", ["stream", "poll"])
class TestDelivery:
    async def test_first_values_and_then_each_change(self, mode: str) -> None:
        """The values that the agent has come first, then every observation, with the source's microseconds."""
        async with Cnc() as agent, listening(agent, points("pcount", "execution"), mode=mode) as listener:
            assert {row[0]: row[2] for row in rows(listener.batches)} == {0: "9007199254740993", 1: "ACTIVE"}
            agent.observe([AgentObservation("execution", 1_700_000_000_123_456, "FEED_HOLD")])
            agent.observe(parts(range(1, 40), 1_700_000_001_000_000))
            found = await listener.until(lambda seen: seen[-1][2] == 39)
        assert found[2] == (1, 1_700_000_000_123_456, "FEED_HOLD", Quality.GOOD)
        assert [row[2] for row in found[3:]] == list(range(1, 40))
        assert [row[1] for row in found[3:]] == [1_700_000_001_000_000 + n for n in range(1, 40)]

    async def test_documents_smaller_than_the_backlog(self, mode: str) -> None:
        """More observations than fit in one document come in order and once."""
        async with Cnc() as agent, listening(agent, points("pcount"), mode=mode, count=7) as listener:
            agent.observe(parts(range(500)))
            await listener.until(lambda seen: seen[-1][2] == 499)
            assert listener.values(0)[1:] == list(range(500))
            assert listener.driver.statistics.repeated == 0

    async def test_nothing_is_lost_or_repeated_by_cuts(self, mode: str) -> None:
        """Cut after cut, a new driver goes on at the stored position; each observation arrives exactly once."""
        position, seen = "", []
        async with Cnc() as agent:
            for turn in range(6):
                async with listening(agent, points("pcount"), position, mode=mode) as listener:
                    agent.observe(parts(range(turn * 10, turn * 10 + 5)))
                    await listener.until(lambda found, last=turn * 10 + 4: found and found[-1][2] == last)
                    position = listener.driver.position()
                    if mode == "stream":
                        agent.drop_connections()
                        with pytest.raises(RetryableError):
                            async with asyncio.timeout(30):
                                await listener.driver.wait_closed()
                    seen += listener.values(0)
                agent.observe(parts(range(turn * 10 + 5, turn * 10 + 10)))  # while nobody listens
        assert seen[1:] == list(range(55))

    async def test_what_did_not_change_is_confirmed(self, mode: str) -> None:
        """After a cut a state that stayed as it was is told again with the time of now; a message is not."""
        async with Cnc() as agent:
            async with listening(agent, points("execution", "message"), mode=mode) as listener:
                position = listener.driver.position()
            before = now_us()
            async with listening(agent, points("execution", "message", "pcount"), position, mode=mode) as listener:
                found = await listener.until(lambda seen: len(seen) >= 2)
        assert [(row[0], row[2]) for row in found] == [(0, "ACTIVE"), (2, "9007199254740993")]
        assert before <= found[0][1] <= now_us()

    async def test_a_restarted_agent_is_read_from_its_beginning(self, mode: str) -> None:
        """A new instance begins with sequence 1: all that it observed is taken, although numbers are lower."""
        cnc = Cnc()
        async with cnc as agent:
            agent.observe(parts(range(100)))
            async with listening(agent, points("pcount"), mode=mode) as listener:
                position = listener.driver.position()
                await agent.stop()
                with pytest.raises(RetryableError):
                    async with asyncio.timeout(30):
                        await listener.driver.wait_closed()
            await cnc.start()
            agent.observe(parts(range(200, 220)))
            async with listening(agent, points("pcount"), position, mode=mode) as listener:
                found = await listener.until(lambda seen: bool(seen) and seen[-1][2] == 219)
                assert listener.driver.statistics.restarts == 1
        assert [row[2] for row in found] == [None, "9007199254740993", *range(200, 220)]
        assert found[0][3] == Quality.BAD_NO_VALUE

    async def test_an_overrun_buffer_leaves_a_marked_gap(self, mode: str) -> None:
        """What left the agent's buffer unread is a bad row and a count; the rest follows, nothing twice."""
        async with Cnc(buffer_size=64) as agent:
            async with listening(agent, points("pcount", "execution"), mode=mode) as listener:
                agent.observe(parts(range(10)))
                await listener.until(lambda seen: seen[-1][2] == 9)
                position = listener.driver.position()
            agent.observe(parts(range(10, 200)))
            async with listening(agent, points("pcount", "execution"), position, mode=mode) as listener:
                found = await listener.until(lambda seen: any(row[:1] + row[2:3] == (1, "ACTIVE") for row in seen))
                statistics = listener.driver.statistics
                assert (statistics.gaps, statistics.lost) == (1, 126)
        assert [row[3] for row in found[:2]] == [GONE, GONE]
        assert found[0][1] < found[2][1]
        assert [row[2] for row in found if row[0] == 0][1:] == list(range(136, 200))

    async def test_one_unreadable_observation_costs_only_itself(self, mode: str) -> None:
        """A character that XML forbids is skipped with its observation; the others around it arrive."""
        async with Cnc() as agent, listening(agent, points("pcount", "message"), mode=mode) as listener:
            agent.observe(parts(range(20)))
            agent.observe([AgentObservation("message", now_us(), "tool \x01 broken")])
            agent.observe(parts(range(20, 40)))
            await listener.until(lambda seen: seen[-1][2] == 39)
            assert listener.values(0)[1:] == list(range(40))
            assert listener.driver.statistics.skipped == 1
            assert listener.driver.statistics.malformed >= 1


async def test_an_agent_that_does_not_stream_is_polled() -> None:
    """When the answer is one document the driver polls by itself."""
    async with Cnc(streams=False) as agent, listening(agent, points("pcount")) as listener:
        agent.observe(parts(range(30)))
        await listener.until(lambda seen: seen[-1][2] == 29)
        assert listener.values(0)[1:] == list(range(30))


async def test_a_silent_agent_is_lost_and_a_quiet_one_is_not() -> None:
    """Empty documents keep the connection; without them it counts as lost after two heartbeats and the timeout."""
    async with Cnc() as agent, listening(agent, points("pcount"), heartbeat="50ms", timeout="100ms") as listener:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.6):
                await listener.driver.wait_closed()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"interval=" in head:
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=b\r\n\r\n"
                b"--b\r\nContent-length: 99999\r\n\r\n<MTConnect"
            )
            await reader.read()
        else:
            forward = await asyncio.open_connection("127.0.0.1", real.port)
            forward[1].write(head)
            answer = await forward[0].readuntil(b"\r\n\r\n")
            length = int(answer.lower().partition(b"content-length:")[2].partition(b"\r")[0])
            writer.write(answer + await forward[0].readexactly(length))
            forward[1].close()
        writer.close()

    async with Cnc() as real:
        server = await asyncio.start_server(mute, "127.0.0.1", 0)
        fake = MtconnectAgent("127.0.0.1", server.sockets[0].getsockname()[1], DEVICE)
        async with listening(fake, points("pcount"), heartbeat="50ms", timeout="200ms") as listener:
            with pytest.raises(PeerTimeout):
                async with asyncio.timeout(30):
                    await listener.driver.wait_closed()
        server.close()


async def test_text_items_keep_their_zeros() -> None:
    """A program number as text stays as it is written, as a number it is one."""
    async with Cnc() as agent:
        async with listening(agent, points("program", datatype=Datatype.STRING)) as listener:
            assert listener.values(0) == ["0042"]
        async with listening(agent, points("program")) as listener:
            assert listener.values(0) == [42]


async def test_conditions_come_one_by_one_and_read_together() -> None:
    """Two active faults are two rows when subscribed and one text, the worst first, when read."""
    async with Cnc() as agent:
        agent.observe([AgentObservation("system", now_us(), "Filter", level="Warning", native_code="W3")])
        wanted = points("system")
        async with listening(agent, wanted) as listener:
            texts = ["FAULT|E\\|7|2|LOW|Öl <low> | 5", "WARNING|W3|||Filter"]
            assert listener.values(0) == texts
            batch = await listener.driver.read(wanted)
            assert batch.texts is not None
            assert batch.texts[0] == "\n".join(texts)
            agent.observe([AgentObservation("system", now_us(), "", level="Normal")])
            await listener.until(lambda seen: seen[-1][2] == "NORMAL")


@pytest.mark.parametrize(("which", "times"), [("first", (0, 1000, 2000)), ("last", (-2000, -1000, 0))])
async def test_time_series_become_rows(which: str, times: tuple[int, ...]) -> None:
    """Each value of a time series has its own time, by its rate; which one has the timestamp is an option."""
    async with Cnc() as agent, listening(agent, points("Svib"), time_series=which) as listener:
        at = now_us()
        agent.observe([AgentObservation("Svib", at, (1.5, 2.5, 3.5))])
        found = await listener.until(lambda seen: seen[-1][2] == 3.5)
    assert [row[1:3] for row in found[-3:]] == [(at + t, v) for t, v in zip(times, (1.5, 2.5, 3.5), strict=True)]


async def test_unknown_items_are_bad_addresses() -> None:
    """A data item that the device has not gets one bad row; the others are right."""
    async with Cnc() as agent, listening(agent, points("nothing", "mode", "never")) as listener:
        found = {row[0]: row[2:] for row in rows(listener.batches)}
    assert found == {0: (None, Quality.BAD_ADDRESS), 1: ("AUTOMATIC", Quality.GOOD), 2: (None, Quality.BAD_NO_VALUE)}


@pytest.mark.parametrize("text", ["7", "x:y", "1:-2", "1:0", "a:99999999999999999999999"])
def test_a_foreign_position_is_refused(text: str) -> None:
    """resume takes only what position gave."""
    with pytest.raises(DataError):
        MtconnectDriver(SPEC.connection.model_validate({"url": "http://127.0.0.1:1"})).resume(text)

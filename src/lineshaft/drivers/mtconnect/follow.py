"""Follows an agent's sequence numbers, so that no observation is skipped and none is taken twice."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

import structlog

from lineshaft.clock import Clock
from lineshaft.drivers.base import Sink
from lineshaft.drivers.mtconnect.agent import Agent
from lineshaft.drivers.mtconnect.documents import AgentError, DataItem, Streams
from lineshaft.drivers.mtconnect.rows import Converter, Rows
from lineshaft.errors import ConnectionFailed, DataError
from lineshaft.model.samples import Quality

log = structlog.get_logger(__name__)

OUT_OF_RANGE = "OUT_OF_RANGE"
_RESYNC_TRIES = 5
_BAD_STREAMS = 3
_EVENTS = frozenset({"MESSAGE", "ASSET_CHANGED", "ASSET_REMOVED", "ALARM"})
"""Types whose observation is something that happened, not a state that lasts."""


@dataclass(slots=True)
class Statistics:
    """What happened on the way of the observations."""

    observations: int = 0
    documents: int = 0
    repeated: int = 0  # observations that the agent sent twice
    malformed: int = 0  # documents that could not be read
    skipped: int = 0  # observations given up because no document with them could be read
    lost: int = 0  # observations that had left the agent's buffer before they were read
    gaps: int = 0  # times that this happened
    restarts: int = 0  # of the agent


@dataclass(frozen=True, slots=True)
class Position:
    """The agent's instance and the next sequence number that is wanted."""

    instance: str
    next: int

    def __str__(self) -> str:
        return f"{self.instance}:{self.next}"

    @staticmethod
    def of(text: str) -> Position:
        """Raises DataError when `text` is no position."""
        instance, _, number = text.rpartition(":")
        if not instance or not number.isdecimal() or not 0 < int(number) < 2**64:
            raise DataError(f"not a position at an MTConnect agent: {text[:100]}")
        return Position(instance, int(number))


class Follower:
    """Reads on from a position until the connection is lost. `moved` is told each new position before the sink."""

    def __init__(
        self,
        agent: Agent,
        converter: Converter,
        sink: Sink,
        moved: Callable[[Position], None],
        statistics: Statistics,
        clock: Clock,
    ) -> None:
        self._agent = agent
        self._converter = converter
        self._sink = sink
        self._moved = moved
        self._statistics = statistics
        self._clock = clock
        self._instance = ""
        self._next = 0
        self._latest = 0  # newest time that was delivered
        self._unseen: set[str] = set()  # items to confirm, because the engine may have marked them stale
        self._streaming = agent.options.mode == "stream"

    async def start(self, resumed: Position | None) -> None:
        """Begin after `resumed`, or with what the agent has now. Raises RetryableError or DataError."""
        wanted = self._converter.targets
        document = await self._agent.current(wanted)
        if isinstance(document, AgentError):
            raise ConnectionFailed(f"{self._agent.options.url}: {document}")
        header = document.header
        self._instance = header.instance
        if resumed is None:
            self._deliver(document, 0, header.next)
        elif resumed.instance == header.instance and resumed.next <= header.next:
            self._next = resumed.next
            self._unseen = set(wanted)
        else:
            self._statistics.restarts += 1
            log.info("the agent was restarted", url=self._agent.options.url, first=header.first)
            self._next = 1 if header.first <= 1 else 0
            if not self._next:
                await self._resync(header.first, 0)

    async def run(self) -> None:
        """Deliver until the connection is lost. Ends only by a RetryableError or by cancelling."""
        bad_streams = 0
        while True:
            await self._catch_up()
            if not self._streaming:
                await self._clock.sleep_until(self._clock.monotonic() + self._agent.options.interval)
                continue
            before = self._statistics.documents
            try:
                await self._stream()
            except DataError as error:
                self._count_malformed(error)
                bad_streams = bad_streams + 1 if self._statistics.documents == before else 1
                if bad_streams >= _BAD_STREAMS:
                    self._poll_from_now_on("its stream cannot be read")

    async def _stream(self) -> None:
        """Take documents of one stream; returns when it has to be asked for anew."""
        async with aclosing(self._agent.stream(self._next, self._converter.targets)) as documents:
            async for document in documents:
                if document is None:
                    self._poll_from_now_on("it does not stream")
                    return
                if isinstance(document, AgentError):
                    await self._refused(document)
                    return
                await self._take(document)

    def _poll_from_now_on(self, reason: str) -> None:
        self._streaming = False
        log.warning("the agent is polled", url=self._agent.options.url, reason=reason)

    async def _catch_up(self) -> None:
        """Read until there is nothing newer. What cannot be read is narrowed down to one observation and skipped."""
        most = count = self._agent.options.count
        while True:
            before = self._next
            try:
                document = await self._agent.sample(self._next, count, self._converter.targets)
            except DataError as error:
                self._count_malformed(error)
                if count > 1:
                    count //= 2
                    continue
                self._statistics.skipped += 1
                self._next += 1
                count = most
                continue
            if isinstance(document, AgentError):
                await self._refused(document)
                continue
            await self._take(document)
            count = min(most, 2 * count)
            if self._next > document.header.last or self._next == before:
                break
        if self._unseen:
            await self._confirm()

    async def _refused(self, error: AgentError) -> None:
        if not error.has(OUT_OF_RANGE):
            raise ConnectionFailed(f"{self._agent.options.url}: {error}")
        document = await self._agent.current(self._converter.targets)
        if isinstance(document, AgentError):
            raise ConnectionFailed(f"{self._agent.options.url}: {document}")
        self._check_instance(document)
        if document.header.first <= self._next <= document.header.next:
            raise ConnectionFailed(f"{self._agent.options.url}: {error}")
        await self._resync(document.header.first, self._next)

    async def _resync(self, first: int, since: int) -> None:
        """Observations from `since` up to `first` are gone: say so, and go on with what the agent still has."""
        for _ in range(_RESYNC_TRIES):
            document = await self._agent.current(self._converter.targets, at=first)
            if isinstance(document, Streams):
                break
            latest = await self._agent.current(self._converter.targets)
            if isinstance(latest, AgentError):
                raise ConnectionFailed(f"{self._agent.options.url}: {latest}")
            first = latest.header.first + (latest.header.next - latest.header.first) // 8  # it is being overrun
        else:
            raise ConnectionFailed(f"{self._agent.options.url}: its buffer is overrun faster than it is read")
        self._check_instance(document)
        self._report_gap(first, since, document)
        self._deliver(document, since, first + 1)
        self._unseen = set(self._converter.targets)

    def _report_gap(self, first: int, since: int, document: Streams) -> None:
        self._statistics.gaps += 1
        self._statistics.lost += max(0, first - since) if since else 0
        log.warning("observations left the agent's buffer unread", url=self._agent.options.url, lost=first - since)
        times = [
            time
            for time, sequence in zip(document.observations.times, document.observations.sequences, strict=True)
            if sequence >= since
        ]
        moment = self._latest + 1 if self._latest else min(times, default=document.header.created) - 1
        rows = Rows()
        for points in self._converter.targets.values():
            for point in points:
                if point.address.item in self._converter.items:
                    rows.add(point.handle, moment, math.nan, Quality.BAD_COMMUNICATION)
        self._send(rows)

    async def _take(self, document: Streams) -> None:
        self._check_instance(document)
        self._statistics.documents += 1
        self._deliver(document, self._next, max(self._next, document.header.next))

    def _deliver(self, document: Streams, since: int, next_: int) -> None:
        """Hand on the observations from sequence number `since` on, and stand at `next_` then."""
        observations, rows = document.observations, Rows()
        order = sorted(range(len(observations)), key=observations.sequences.__getitem__)
        for row in order:
            if observations.sequences[row] < since:
                self._statistics.repeated += 1
                continue
            self._converter.add(rows, observations, row)
            self._unseen.discard(observations.items[row])
            self._latest = max(self._latest, observations.times[row])
        self._statistics.observations += len(rows)
        self._next = next_
        self._moved(Position(self._instance, next_))
        self._send(rows)

    def _send(self, rows: Rows) -> None:
        if len(rows):
            self._sink(rows.batch())

    async def _confirm(self) -> None:
        """Say of each item that did not change while the connection was away that it still has its value, now.

        The moment is that of the gateway's clock, as that of the mark that the engine may have made.
        """
        document = await self._agent.current(self._unseen)
        if isinstance(document, AgentError):
            raise ConnectionFailed(f"{self._agent.options.url}: {document}")
        self._check_instance(document)
        observations, rows = document.observations, Rows()
        now = self._clock.now_us()
        for row in range(len(observations)):
            item = self._converter.items.get(observations.items[row])
            if item is not None and observations.sequences[row] < self._next and _lasts(item):
                self._converter.add(rows, observations, row, time=now)
        self._unseen = set()
        self._send(rows)

    def _check_instance(self, document: Streams) -> None:
        if document.header.instance != self._instance:
            raise ConnectionFailed(f"{self._agent.options.url}: the agent was restarted")

    def _count_malformed(self, error: DataError) -> None:
        self._statistics.malformed += 1
        log.warning("a document of the agent cannot be read", url=self._agent.options.url, reason=str(error))


def _lasts(item: DataItem) -> bool:
    return item.type not in _EVENTS and item.representation not in ("DISCRETE", "TIME_SERIES")

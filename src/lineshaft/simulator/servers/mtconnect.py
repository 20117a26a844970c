"""An MTConnect agent over HTTP: probe, current and sample, the latter as a stream too, from a bounded buffer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from urllib.parse import parse_qs, unquote, urlsplit

from lineshaft.clock import Clock, SystemClock
from lineshaft.simulator.servers.mtconnect_model import (
    AgentDevice,
    AgentHeader,
    AgentObservation,
    devices_document,
    error_document,
    streams_document,
)
from lineshaft.simulator.servers.tcp import TcpServer

Provider = Callable[[int], Iterable[AgentObservation]]
"""Gives what was observed up to a time (UTC microseconds), since it was asked last."""
Row = tuple[int, AgentObservation]
_LEVELS = ("Warning", "Fault")
_BOUNDARY = "a2c5f09e7b"
_STATUS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed"}


class Refused(Exception):
    """The request cannot be answered."""

    def __init__(self, status: int, code: str, words: str) -> None:
        super().__init__(words)
        self.status, self.code, self.words = status, code, words


class MtconnectAgent(TcpServer):
    """One agent with one device. A restart gives it a new instance id and an empty buffer, as agents do.

    buffer_size: observations. streams: False for one that answers every request once.
    """

    def __init__(
        self,
        host: str,
        port: int,
        device: AgentDevice,
        *,
        provider: Provider | None = None,
        version: str = "2.0",
        buffer_size: int = 131_072,
        streams: bool = True,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(host, port)
        self.device = device
        self.requests: list[str] = []
        self._provider = provider
        self._version = version
        self._size = buffer_size
        self._streams = streams
        self._clock: Clock = clock or SystemClock()
        self._instance = 0
        self._started_us = 0
        self._rows: deque[Row] = deque(maxlen=buffer_size)
        self._before: dict[str, list[Row]] = {}  # what held just before the first row of the buffer
        self._now: dict[str, list[Row]] = {}
        self._next = 1
        self._grown = asyncio.Event()

    @property
    def instance(self) -> int:
        """Number of this run of the agent."""
        return self._instance

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self.host}:{self.port}"

    async def start(self) -> None:
        """Listen, as a new instance. Raises ConnectionFailed when the port is taken."""
        if self.running:
            return
        await super().start()
        now = self._clock.now_us()
        self._instance = max(now // 1_000_000, self._instance + 1)
        self._started_us = now
        self._rows.clear()
        self._before, self._now, self._next = {}, {}, 1
        self.observe(AgentObservation(item.id, now) for item in self.device.items)

    def observe(self, observations: Iterable[AgentObservation]) -> None:
        """Take observations into the buffer, and let streams know."""
        for seen in observations:
            row = (self._next, seen)
            if len(self._rows) == self._size:
                oldest = self._rows.popleft()
                _apply(self._before, oldest)
            self._rows.append(row)
            _apply(self._now, row)
            self._next += 1
        self._grown.set()
        self._grown = asyncio.Event()

    def advance(self, now_us: int) -> None:
        """Ask the provider what was observed up to `now_us`."""
        if self._provider is not None and self.running:
            self.observe(self._provider(now_us))

    @property
    def first(self) -> int:
        """Sequence number of the oldest observation in the buffer."""
        return self._rows[0][0] if self._rows else self._next

    def _header(self, next_: int | None = None) -> AgentHeader:
        header = AgentHeader(
            self._version, self._instance, self._clock.now_us(), self._size, self.first, self._next - 1,
            changed_us=self._started_us,
        )  # fmt: skip
        return header if next_ is None else replace(header, extra=str(next_))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """See TcpServer."""
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            await self._answer(head.decode("latin-1"), writer)

    async def _answer(self, head: str, writer: asyncio.StreamWriter) -> None:
        method, _, rest = head.partition(" ")
        target = rest.partition(" ")[0]
        self.requests.append(target)
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        way = [unquote(part) for part in parts.path.split("/") if part]
        status = 200
        try:
            if method != "GET":
                raise Refused(405, "UNSUPPORTED", f"{method} is not supported")
            if len(way) == 2 and way[0] in (self.device.name, self.device.uuid):
                way = way[1:]
            elif len(way) == 2:
                raise Refused(404, "NO_DEVICE", f"Could not find the device '{way[0]}'")
            what = way[0] if way else "probe"
            if what == "sample" and "interval" in query and self._streams:
                await self._stream(query, writer)
                return
            body = self._document(what, query)
        except Refused as refusal:
            status, body = refusal.status, error_document(self._header(), refusal.code, refusal.words)
        writer.write(
            f"HTTP/1.1 {status} {_STATUS[status]}\r\nContent-Type: text/xml\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        await writer.drain()

    def _document(self, what: str, query: Mapping[str, str]) -> bytes:
        if what == "probe":
            return devices_document(self._header(), self.device)
        if what == "current":
            rows = self._held(_number(query, "at", 0))
            return streams_document(self._header(), self.device, rows)
        if what == "sample":
            return self._sample(_number(query, "from", self.first), _number(query, "count", 100))[0]
        raise Refused(404, "INVALID_URI", f"no such request: {what}")

    def _held(self, at: int) -> list[Row]:
        """The latest observation of each item, and every condition that is active, now (0) or at a sequence number."""
        if not at:
            held = self._now
        else:
            self._check_range(at, self._next - 1)
            held = {item: list(rows) for item, rows in self._before.items()}
            for row in self._rows:
                if row[0] > at:
                    break
                _apply(held, row)
        return sorted((row for rows in held.values() for row in rows), key=lambda row: row[0])

    def _sample(self, start: int, count: int) -> tuple[bytes, int]:
        """A document of observations from `start` on, and the sequence number after the last of them."""
        self._check_range(start, self._next)
        if count < 1:
            raise Refused(400, "OUT_OF_RANGE", "'count' must be greater than 0")
        offset = start - self.first
        rows = list(islice(self._rows, offset, offset + count))
        next_ = rows[-1][0] + 1 if rows else self._next
        return streams_document(self._header(next_), self.device, rows), next_

    def _check_range(self, number: int, highest: int) -> None:
        if not self.first <= number <= highest:
            side = "greater" if number < self.first else "less"
            bound = self.first if number < self.first else highest
            raise Refused(404, "OUT_OF_RANGE", f"the sequence number must be {side} than or equal to {bound}")

    async def _stream(self, query: Mapping[str, str], writer: asyncio.StreamWriter) -> None:
        count, heartbeat = _number(query, "count", 100), _number(query, "heartbeat", 10_000) / 1000
        interval = _number(query, "interval", 0) / 1000
        at = _number(query, "from", self.first)
        document, at = self._sample(at, count)
        writer.write(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
            b"Content-Type: multipart/x-mixed-replace;boundary=" + _BOUNDARY.encode() + b"\r\n\r\n"
        )
        while True:
            await _send_part(writer, document)
            await asyncio.sleep(interval)
            if at >= self._next:
                with suppress(TimeoutError):
                    async with asyncio.timeout(heartbeat):
                        await self._grown.wait()
            try:
                document, at = self._sample(at, count)
            except Refused as refusal:  # the reader was too slow: say so and hang up
                await _send_part(writer, error_document(self._header(), refusal.code, refusal.words))
                writer.close()
                return


async def _send_part(writer: asyncio.StreamWriter, document: bytes) -> None:
    head = f"--{_BOUNDARY}\r\nContent-type: text/xml\r\nContent-length: {len(document)}\r\n\r\n"
    writer.write(head.encode() + document + b"\r\n")
    await writer.drain()


def _apply(held: dict[str, list[Row]], row: Row) -> None:
    """What holds after one observation: several conditions of one item can be active at once."""
    seen = row[1]
    others = [
        old for old in held.get(seen.item, ()) if old[1].level in _LEVELS and old[1].native_code != seen.native_code
    ]
    if seen.level in _LEVELS:
        held[seen.item] = [*others, row]
    elif seen.level == "Normal" and seen.native_code and others:  # clears this one alone
        held[seen.item] = others
    else:
        held[seen.item] = [row]


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not text.lstrip("-").isdecimal():
        raise Refused(400, "INVALID_REQUEST", f"'{name}' is no number: {text[:50]}")
    return int(text)

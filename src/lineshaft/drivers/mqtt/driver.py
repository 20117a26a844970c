"""The MQTT driver: subscribes to the signals' topics and takes their values out of the messages."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog
from paho.mqtt.client import topic_matches_sub

from lineshaft.clock import Clock, SystemClock
from lineshaft.drivers.base import Browsed, Finding, Point, RefusedBurst, Sink, WavePoint, unheard
from lineshaft.drivers.json_bursts import BurstExtractor
from lineshaft.drivers.mapping import Cell, Extractor, Rows, parse
from lineshaft.drivers.mqtt.client import Client, Message
from lineshaft.drivers.mqtt.heard import Heard
from lineshaft.drivers.mqtt.options import MqttConnection
from lineshaft.errors import ConnectionFailed, DataError, LineshaftError
from lineshaft.model.samples import Quality, SampleBatch

log = structlog.get_logger(__name__)
_TOPICS_KEPT: Final = 10_000


@dataclass(slots=True)
class Statistics:
    """What came in."""

    messages: int = 0
    rows: int = 0
    malformed: Counter[str] = field(default_factory=Counter)  # topic -> messages that could not be read
    last_error: str = ""


class Mapper:
    """Messages to rows of the points whose topics they match."""

    def __init__(
        self,
        points: Sequence[Point],
        options: MqttConnection,
        statistics: Statistics,
        clock: Clock,
        waves: Sequence[WavePoint] = (),
        refused: RefusedBurst = unheard,
    ) -> None:
        self._options = options
        self._refused = refused
        self._bursts = [BurstExtractor(point, options) for point in waves]
        self._statistics = statistics
        self._clock = clock
        self._extractors = [Extractor(point, options) for point in points]
        self._of_topic: dict[str, list[Extractor]] = {}
        topics = [point.address.topic for point in points] + [point.address.topic for point in waves]
        self.filters = tuple(dict.fromkeys(topics))

    def _matching(self, topic: str) -> list[Extractor]:
        found = self._of_topic.get(topic)
        if found is None:
            if len(self._of_topic) >= _TOPICS_KEPT:
                self._of_topic.clear()
            found = [one for one in self._extractors if topic_matches_sub(one.point.address.topic, topic)]
            self._of_topic[topic] = found
        return found

    def rows(self, messages: Sequence[Message]) -> Rows:
        """All rows, in the order of the messages; a malformed message gives none and is counted."""
        rows = Rows()
        now_us = self._clock.now_us()
        for message in messages:
            self._statistics.messages += 1
            if message.retained and self._options.retained == "ignore":
                continue
            found = Rows()
            try:
                self._add(found, message, now_us)
            except DataError as error:
                self._malformed(message, error)
                continue
            rows.extend(found)
        self._statistics.rows += len(rows)
        return rows

    def bursts(self, messages: Sequence[Message]) -> SampleBatch:
        """The bursts in the messages; what is no burst is counted, and its waveform is bad."""
        now_us = self._clock.now_us()
        parts = []
        for message in messages if self._bursts else ():
            if message.retained and self._options.retained == "ignore":
                continue
            quality = Quality.UNCERTAIN_CLOCK if message.retained else Quality.GOOD
            for one in self._bursts:
                if not topic_matches_sub(one.point.address.topic, message.topic):
                    continue
                try:
                    if len(message.payload) > self._options.max_payload:
                        raise DataError(f"{len(message.payload)} bytes are more than max_payload")
                    parts.append(one.row(parse(message.payload), now_us, quality))
                except DataError as error:
                    self._malformed(message, error)
                    self._refused(one.point, error)
                    parts.append(SampleBatch.of([one.point.handle], now_us, math.nan, Quality.BAD_DEVICE))
        return SampleBatch.concat(part for part in parts if part is not None)

    def _add(self, rows: Rows, message: Message, now_us: int) -> None:
        wanted = self._matching(message.topic)
        if not wanted:
            return
        if len(message.payload) > self._options.max_payload:
            raise DataError(f"{len(message.payload)} bytes are more than max_payload")
        unknown = Quality.UNCERTAIN_CLOCK if message.retained else Quality.GOOD  # nobody knows how old it is
        words = [one for one in wanted if one.point.address.bits and not one.point.address.value]
        try:  # 1234 as bytes is no number: such a payload is never looked at as JSON
            document = parse(message.payload) if len(words) < len(wanted) else None
        except DataError:
            if any(one.point.address.value for one in wanted):
                raise
            words = wanted
        for one in words:
            cell = plain(message.payload, one)
            good = cell.quality == Quality.GOOD
            rows.add(one.point.handle, now_us, Cell(cell.number, cell.text, unknown) if good else cell)
        wanted = [one for one in wanted if one not in words]
        for one in wanted:
            one.add(rows, document, now_us, unknown)

    def _malformed(self, message: Message, error: DataError) -> None:
        self._statistics.last_error = f"{message.topic}: {error}"
        if not self._statistics.malformed[message.topic]:
            log.warning("mqtt.malformed", topic=message.topic, error=str(error))
        self._statistics.malformed[message.topic] += 1


def plain(payload: bytes, extractor: Extractor) -> Cell:
    """A payload that is a bare word or number, like 0042 or RUNNING. Raises DataError when it is no text."""
    try:
        text = payload.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise DataError("neither JSON nor text") from error
    if extractor.point.address.bits:
        text = text.strip('"')
    return extractor.cell(text) if text else Cell(quality=Quality.BAD_NO_VALUE)


class MqttDriver:
    """One session with one broker."""

    def __init__(self, options: MqttConnection, clock: Clock | None = None) -> None:
        self.options = options
        self.statistics = Statistics()
        self._clock: Clock = clock or SystemClock()
        self._client: Client | None = None
        self._sink: Sink | None = None
        self._mapper: Mapper | None = None
        self._read_points: Sequence[Point] | None = None
        self._last: dict[int, tuple[int, Cell]] = {}
        self._heard: Heard | None = None  # since the first search
        self._news = asyncio.Event()
        self._waves: Sequence[WavePoint] = ()
        self._refused: RefusedBurst = unheard

    def expect_waveforms(self, points: Sequence[WavePoint], refused: RefusedBurst = unheard) -> None:
        """See BringsWaveforms."""
        self._waves, self._refused = points, refused

    async def connect(self) -> None:
        """Sign in. Raises ConnectionFailed, PeerTimeout or AccessDenied."""
        await self.close()
        client = Client(self.options, self._take)
        try:
            await client.open()
        except BaseException:
            await client.close()
            raise
        self._client = client

    async def close(self) -> None:
        """Sign off; never raises."""
        client, self._client = self._client, None
        self._sink = self._mapper = self._read_points = self._heard = None
        self._last.clear()
        if client is not None:
            await client.close()

    async def subscribe(self, points: Sequence[Point], sink: Sink) -> None:
        """Subscribe to the points' topics; retained messages come at once. Raises AccessDenied or RetryableError."""
        client = self._opened()
        self._sink = sink
        await self._listen(client, points)

    async def wait_closed(self) -> None:
        """Wait until the session is lost, then raise ConnectionFailed."""
        await self._opened().wait_ended()

    async def read(self, points: Sequence[Point]) -> SampleBatch:
        """The last value of each point. The first read subscribes, and waits a moment for retained messages; what
        none of them has is BAD_ADDRESS."""
        client = self._opened()
        client.check()
        if self._read_points is not points:
            self._read_points = None
            self._last.clear()
            await self._listen(client, points)
            self._read_points = points
        await self._settled(points)
        client.check()
        rows = Rows()
        absent = (self._clock.now_us(), Cell(math.nan, None, Quality.BAD_ADDRESS))
        for point in points:
            rows.add(point.handle, *self._last.get(point.handle, absent))
        return rows.batch()

    async def _settled(self, points: Sequence[Point]) -> None:
        """Wait until every point has a value, or nothing has come for a tenth of the timeout."""
        while any(point.handle not in self._last for point in points):
            self._news.clear()
            try:
                async with asyncio.timeout(self.options.timeout / 10):
                    await self._news.wait()
            except TimeoutError:
                return

    async def browse(self, parent: str = "") -> Sequence[Browsed]:
        """Topics that are heard, retained ones at once and others within `listen`; below a topic what its message has.

        Asked again over the same connection it knows all that was heard meanwhile.
        """
        client = self._opened()
        if self._heard is None:
            self._heard = Heard()
            await client.subscribe([self.options.search])
        if parent in self._heard.topics:
            return self._heard.members(parent, self.options.time_unit)
        await asyncio.sleep(self.options.listen)  # nobody says when the last topic was heard
        if parent:
            return self._heard.members(parent, self.options.time_unit)
        return tuple(Browsed(topic, topic, has_children=True) for topic in sorted(self._heard.topics))

    async def test_connection(self) -> Sequence[Finding]:
        """Reach the broker, sign in and subscribe."""
        check, client = "broker takes the session", Client(self.options, lambda _: None)
        findings: list[Finding] = []
        try:
            await client.open()
            findings.append(Finding(check, True, client.where))
            check = "topics can be subscribed to"
            await client.subscribe([self.options.search])
            findings.append(Finding(check, True, self.options.search))
        except LineshaftError as error:
            findings.append(Finding(check, False, str(error), error.hint))
        finally:
            await client.close()
        return findings

    async def _listen(self, client: Client, points: Sequence[Point]) -> None:
        self._mapper = Mapper(points, self.options, self.statistics, self._clock, self._waves, self._refused)
        if self._heard is not None:
            self._take(self._heard.messages())  # what a search has heard need not come again
        await client.subscribe(self._mapper.filters)

    def _take(self, messages: Sequence[Message]) -> None:
        if self._heard is not None:
            self._heard.take(messages)
        if self._mapper is None:
            return
        rows, bursts = self._mapper.rows(messages), self._mapper.bursts(messages)
        if len(bursts) and self._sink is not None:
            self._sink(bursts)
        if not len(rows):
            return
        if self._sink is not None:
            self._sink(rows.batch())
        for row, handle in enumerate(rows.signals):
            self._last[handle] = rows.times[row], Cell(rows.values[row], rows.texts[row], rows.qualities[row])
        self._news.set()

    def _opened(self) -> Client:
        if self._client is None:
            raise ConnectionFailed(f"{self.options.url}: not connected")
        return self._client

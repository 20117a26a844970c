"""The webhook driver: others post JSON documents, the signals' values are taken out of them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lineshaft.clock import Clock, SystemClock
from lineshaft.drivers.base import Browsed, Finding, Point, RefusedBurst, Sink, WavePoint, unheard
from lineshaft.drivers.http.listener import Listener, Refusal
from lineshaft.drivers.http.options import WebhookConnection
from lineshaft.drivers.json_browse import leaves
from lineshaft.drivers.json_bursts import BurstExtractor
from lineshaft.drivers.mapping import Cell, Extractor, Rows, parse
from lineshaft.drivers.secrets import first_line
from lineshaft.errors import ConnectionFailed, DataError, LineshaftError
from lineshaft.model.samples import Quality, SampleBatch


@dataclass(slots=True)
class Statistics:
    """What came in."""

    documents: int = 0
    rows: int = 0
    malformed: int = 0
    last_error: str = ""


class WebhookDriver:
    """Listens while it is connected. A document is answered with 204 when its rows are taken, with 400 when it is
    malformed; a list of documents counts as several."""

    def __init__(self, options: WebhookConnection, clock: Clock | None = None) -> None:
        self.options = options
        self.statistics = Statistics()
        self._clock: Clock = clock or SystemClock()
        self._listener: Listener | None = None
        self._extractors: list[Extractor] = []
        self._sink: Sink | None = None
        self._read_points: Sequence[Point] | None = None
        self._last: dict[int, tuple[int, Cell]] = {}
        self._document: object = None
        self._news = asyncio.Event()
        self._bursts: list[BurstExtractor] = []
        self._refused: RefusedBurst = unheard

    def expect_waveforms(self, points: Sequence[WavePoint], refused: RefusedBurst = unheard) -> None:
        """See BringsWaveforms. A document whose burst is none is refused as a whole, with the reason."""
        self._bursts, self._refused = [BurstExtractor(point, self.options) for point in points], refused

    async def connect(self) -> None:
        """Listen. Raises ConnectionFailed when the port is taken, AccessDenied for a bad token file or certificate."""
        await self.close()
        listener = Listener(self.options, first_line(self.options.token_file), self._take)
        await listener.open()
        self._listener = listener

    async def close(self) -> None:
        """Stop to listen; never raises."""
        listener, self._listener = self._listener, None
        self._sink, self._read_points = None, None
        self._last.clear()
        if listener is not None:
            await listener.close()

    async def subscribe(self, points: Sequence[Point], sink: Sink) -> None:
        """Take what comes from now on."""
        self._opened()
        self._extractors = [Extractor(point, self.options) for point in points]
        self._sink = sink

    async def wait_closed(self) -> None:
        """Wait for ever, for a listening port does not get lost; raises what taking a body failed of."""
        raise await asyncio.shield(self._opened().fault)

    async def read(self, points: Sequence[Point]) -> SampleBatch:
        """The last value of each point; the first read waits for a document. What it has not is BAD_ADDRESS."""
        self._opened()
        if self._read_points is not points:
            self._last.clear()
            self._extractors = [Extractor(point, self.options) for point in points]
            self._news.clear()
            self._read_points = points
        try:
            async with asyncio.timeout(self.options.timeout):
                await self._news.wait()
        except TimeoutError:
            pass  # nobody has posted anything yet
        absent = (self._clock.now_us(), Cell(math.nan, None, Quality.BAD_ADDRESS))
        rows = Rows()
        for point in points:
            rows.add(point.handle, *self._last.get(point.handle, absent))
        return rows.batch()

    async def browse(self, parent: str = "") -> Sequence[Browsed]:
        """The values of the last document that came."""
        self._opened()
        return () if parent or self._document is None else tuple(leaves(self._document, self.options.time_unit))

    async def test_connection(self) -> Sequence[Finding]:
        """Try the token file, the certificate and the port."""
        check = "port can be listened on"
        if self._listener is not None:
            return (Finding(check, True, f"{self.statistics.documents} documents came"),)
        try:
            await self.connect()
        except LineshaftError as error:
            return (Finding(check, False, str(error), error.hint),)
        await self.close()
        return (Finding(check, True, f"{self.options.host}:{self.options.port}{self.options.path}"),)

    def _take(self, body: bytes) -> None:
        """Rows of one body, none when it is malformed. Raises DataError for that, Refusal before subscribe."""
        if self._sink is None and self._read_points is None:
            raise Refusal(503, "not ready yet")
        try:
            document = self._parsed(body)
            rows, bursts = Rows(), []
            now_us = self._clock.now_us()
            several = isinstance(document, list) and all(isinstance(one, dict) for one in document)
            for one in document if several else [document]:
                for extractor in self._extractors:
                    extractor.add(rows, one, now_us)
                bursts += [made for burst in self._bursts if (made := self._burst(burst, one, now_us)) is not None]
        except DataError as error:
            self.statistics.malformed += 1
            self.statistics.last_error = str(error)
            raise
        self.statistics.documents += 1
        self.statistics.rows += len(rows) + len(bursts)
        self._document = document
        if self._sink is not None and (len(rows) or bursts):
            self._sink(SampleBatch.concat([rows.batch(), *bursts]))
        for row, handle in enumerate(rows.signals):
            self._last[handle] = rows.times[row], Cell(rows.values[row], rows.texts[row], rows.qualities[row])
        self._news.set()

    def _parsed(self, body: bytes) -> Any:
        try:
            return parse(body)
        except DataError as error:  # NaN is no JSON: nobody knows whether it stood in a burst
            for burst in self._bursts:
                self._refused(burst.point, error)
            raise

    def _burst(self, burst: BurstExtractor, document: object, now_us: int) -> SampleBatch | None:
        try:
            return burst.row(document, now_us)
        except DataError as error:
            self._refused(burst.point, error)
            raise

    def _opened(self) -> Listener:
        if self._listener is None:
            raise ConnectionFailed(f"{self.options.host}:{self.options.port}: not listening")
        return self._listener

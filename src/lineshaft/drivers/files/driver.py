"""The file drop driver: reads each complete file of a folder once, and goes on where it stood after a restart."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

import structlog

from lineshaft.clock import Clock, SystemClock
from lineshaft.drivers.base import Browsed, Finding, Point, RefusedBurst, Sink, WavePoint, unheard
from lineshaft.drivers.files.bursts import bursts_of
from lineshaft.drivers.files.folder import Folder, Found, Position
from lineshaft.drivers.files.options import FilesConnection
from lineshaft.drivers.records import Chunks, Malformed, Records, rows_of, targets_of
from lineshaft.errors import ConnectionFailed, DataError, LineshaftError
from lineshaft.model.equipment import Datatype
from lineshaft.model.samples import Quality, SampleBatch

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Statistics:
    """What came in."""

    files: int = 0
    failed: int = 0
    rows: int = 0
    unnamed: Counter[str] = field(default_factory=Counter)  # item that no signal names -> records
    malformed: int = 0  # lines that could not be read
    last_error: str = ""


class FilesDriver:
    """One folder. `position()` already stands after a batch when the sink gets it."""

    def __init__(self, options: FilesConnection, clock: Clock | None = None) -> None:
        self.options = options
        self.statistics = Statistics()
        self._clock: Clock = clock or SystemClock()
        self._folder: Folder | None = None
        self._position = Position()
        self._seen: dict[str, tuple[Found, float]] = {}  # name -> how it was seen first like this, and when
        self._running: asyncio.Task[None] | None = None
        self._waves: Sequence[WavePoint] = ()
        self._refused: RefusedBurst = unheard

    def expect_waveforms(self, points: Sequence[WavePoint], refused: RefusedBurst = unheard) -> None:
        """A file whose name fits the address of a waveform is one burst, and nothing else is read from it."""
        self._waves, self._refused = points, refused

    def position(self) -> str:
        """File, records of it that were passed, and the last file that was finished."""
        return str(self._position)

    def resume(self, position: str) -> None:
        """Go on after `position`; called before connect. Raises DataError when it is none of this driver."""
        self._position = Position.of(position)

    async def connect(self) -> None:
        """Look whether the folder is there. Raises ConnectionFailed."""
        await self.close()
        folder = Folder(self.options)
        await asyncio.to_thread(folder.check)
        self._folder = folder

    async def close(self) -> None:
        """Stop reading; never raises."""
        running, self._running = self._running, None
        self._folder = None
        self._seen.clear()
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)  # what it failed of was told by `wait_closed`

    async def subscribe(self, points: Sequence[Point], sink: Sink) -> None:
        """Begin to read files."""
        self._running = asyncio.create_task(self._run(self._opened(), points, sink), name="files")

    async def wait_closed(self) -> None:
        """Wait until the folder cannot be read, then raise ConnectionFailed."""
        self._opened()
        if self._running is not None:
            await asyncio.shield(self._running)

    async def read(self, points: Sequence[Point]) -> SampleBatch:
        """The last value of each point in the files that lie there; moves nothing."""
        return await asyncio.to_thread(self._look, self._opened(), points)

    def _look(self, folder: Folder, points: Sequence[Point]) -> SampleBatch:
        absent = SampleBatch.of([0], self._clock.now_us(), math.nan, Quality.BAD_ADDRESS)
        last = {point.handle: absent for point in points}
        for found in folder.files():
            with suppress(DataError):
                for records in folder.chunks(found.name, Malformed()):
                    _, batch = rows_of(records, 0, targets_of(_of_file(points, found.name)), Counter())
                    last |= {int(handle): batch.take(slice(row, row + 1)) for row, handle in enumerate(batch.signals)}
        rows = SampleBatch.concat(last[point.handle] for point in points)
        handles = [point.handle for point in points]
        return SampleBatch.of(handles, rows.times, rows.values, rows.qualities, rows.texts)

    async def browse(self, parent: str = "") -> Sequence[Browsed]:
        """The items in the first records of each file that lies there; there is only one level."""
        folder = self._opened()
        return () if parent else await asyncio.to_thread(_items, folder)

    async def test_connection(self) -> Sequence[Finding]:
        """Look at the folder, and into the newest file of it."""
        folder = Folder(self.options)
        check = "folder can be read"
        findings: list[Finding] = []
        try:
            await asyncio.to_thread(folder.check)
            files = await asyncio.to_thread(folder.files)
            findings.append(Finding(check, True, f"{len(files)} files"))
            if files:
                check = f"{files[-1].name} can be read"
                malformed = Malformed()
                count = await asyncio.to_thread(lambda: sum(map(len, folder.chunks(files[-1].name, malformed))))
                findings.append(Finding(check, True, f"{count} values, {malformed.count} malformed lines"))
        except LineshaftError as error:
            findings.append(Finding(check, False, str(error), error.hint or "check format, delimiter and encoding"))
        return findings

    # -- reading

    async def _run(self, folder: Folder, points: Sequence[Point], sink: Sink) -> None:
        while True:
            for found in await asyncio.to_thread(self._complete, folder):
                await self._take(folder, found, points, sink)
            await self._clock.sleep_until(self._clock.monotonic() + self.options.scan)

    def _complete(self, folder: Folder) -> list[Found]:
        """Files that have not changed for the settling time and are not read yet, oldest first.

        A younger file waits for an older one that is still written, where reading follows the order of times.
        """
        now = self._clock.monotonic()
        remember = self.options.finished == "remember"
        there = folder.files()
        before, self._seen = self._seen, {}
        complete: list[Found] = []
        waiting = False
        for found in there:
            if remember and (found.modified_ns, found.name) <= self._position.finished:
                continue
            seen, since = before.get(found.name, (found, now))
            if (seen.modified_ns, seen.size) != (found.modified_ns, found.size):
                since = now
            self._seen[found.name] = found, since
            if now - since < self.options.settle:
                waiting = remember
            elif not waiting:
                complete.append(found)
        return complete

    async def _take(self, folder: Folder, found: Found, points: Sequence[Point], sink: Sink) -> None:
        """Read one file to its end and put it away."""
        malformed = Malformed()
        failed = False
        waves = [point for point in self._waves if fnmatchcase(found.name, point.address.file)]
        try:
            if waves:
                await self._burst(folder, found, waves, sink)
            else:
                await self._records(folder, found, points, sink, malformed)
            self.statistics.files += 1
        except DataError as error:
            failed = True
            self.statistics.failed += 1
            self.statistics.last_error = str(error)
            log.warning("files.failed", file=found.name, error=str(error), hint=error.hint)
        if malformed.count:
            self.statistics.malformed += malformed.count
            lines = malformed.examples[:3]
            log.warning("files.malformed", file=found.name, count=malformed.count, first=lines)
        self._seen.pop(found.name, None)
        if self.options.finished == "move":
            await asyncio.to_thread(folder.put_away, found.name, failed=failed)
            self._position = Position()
        else:
            self._position = replace(self._position, finished=(found.modified_ns, found.name))
        sink(SampleBatch.empty())  # so that the position is kept

    async def _burst(self, folder: Folder, found: Found, waves: Sequence[WavePoint], sink: Sink) -> None:
        """Deliver a file that is a burst, unless it was delivered before a restart. Raises DataError."""
        if self._position.records and await asyncio.to_thread(folder.is_same, found.name, self._position):
            return
        head, length = await asyncio.to_thread(folder.head, found.name)
        try:
            batch = await asyncio.to_thread(bursts_of, folder, found, waves)
        except DataError as error:
            for point in waves:
                self._refused(point, DataError(f"{found.name}: {error}", hint=error.hint))
            handles = [point.handle for point in waves]
            sink(SampleBatch.of(handles, found.modified_ns // 1000, math.nan, Quality.BAD_DEVICE))
            raise
        self._position = Position(found.name, head, length, len(batch), self._position.finished)
        self.statistics.rows += len(batch)
        sink(batch)

    async def _records(
        self, folder: Folder, found: Found, points: Sequence[Point], sink: Sink, malformed: Malformed
    ) -> None:
        """Deliver the records of a file that were not delivered yet. Raises DataError."""
        skip = 0
        if await asyncio.to_thread(folder.is_same, found.name, self._position):
            skip = self._position.records
        else:
            head, length = await asyncio.to_thread(folder.head, found.name)
            self._position = Position(found.name, head, length, 0, self._position.finished)
        targets = targets_of(_of_file(points, found.name))
        chunks = folder.chunks(found.name, malformed)
        passed = 0
        while (records := await asyncio.to_thread(_next, chunks)) is not None:
            start = min(max(skip - passed, 0), len(records))
            passed += len(records)
            if start == len(records):
                continue
            _, batch = rows_of(records, start, targets, self.statistics.unnamed)
            self._position = replace(self._position, records=passed)
            self.statistics.rows += len(batch)
            sink(batch)

    def _opened(self) -> Folder:
        if self._folder is None:
            raise ConnectionFailed(f"{self.options.folder}: not connected")
        return self._folder


def _of_file(points: Sequence[Point], name: str) -> list[Point]:
    return [point for point in points if fnmatchcase(name, point.address.file)]


def _next(chunks: Chunks) -> Records | None:
    return next(chunks, None)


def _items(folder: Folder) -> tuple[Browsed, ...]:
    """Items of the first records of each file."""
    items: dict[str, Browsed] = {}
    for found in folder.files():
        with suppress(DataError):
            records = next(folder.chunks(found.name, Malformed()), Records())
            for row, item in enumerate(records.items):
                if item not in items:
                    kind = Datatype.STRING if records.texts[row] is not None else Datatype.DOUBLE
                    items[item] = Browsed(item, item, kind, description=f"{found.name}: {records.raw[row]}")
    return tuple(items.values())

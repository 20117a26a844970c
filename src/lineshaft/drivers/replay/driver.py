"""The replay driver: delivers the records of a file at their own pace, N times faster, or as fast as possible."""

from __future__ import annotations

import asyncio
import json
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import structlog

from lineshaft.clock import MICROSECONDS, Clock, SystemClock
from lineshaft.drivers.base import Browsed, Finding, Point, RefusedBurst, Sink, WavePoint, unheard
from lineshaft.drivers.records import Chunks, Malformed, Records, Targets, rows_of, targets_of
from lineshaft.drivers.replay.bursts import BurstRows
from lineshaft.drivers.replay.options import ReplayConnection
from lineshaft.drivers.replay.pace import Pace
from lineshaft.drivers.replay.recording import First, Overview, Recording
from lineshaft.errors import ConnectionFailed, DataError, LineshaftError
from lineshaft.model.equipment import Datatype
from lineshaft.model.samples import Quality, SampleBatch

log = structlog.get_logger(__name__)

_BATCH = 5_000
_TICK_S = 0.02
_NAMES_IN_LOG = 10
_OVERVIEW_S = 3.0  # a longer recording is known by its beginning only


@dataclass(slots=True)
class ReplayStatistics:
    """What happened to the records that were read."""

    delivered: int = 0
    unnamed: Counter[str] = field(default_factory=Counter)  # item that no signal names -> records
    malformed: Malformed = field(default_factory=Malformed)
    finished: asyncio.Event = field(default_factory=asyncio.Event)  # the recording was played to its end


class ReplayDriver:
    """Plays one recording. `position()` already stands after a batch when the sink gets it."""

    def __init__(self, options: ReplayConnection, clock: Clock | None = None) -> None:
        self.options = options
        self.statistics = ReplayStatistics()
        self._clock: Clock = clock or SystemClock()
        self._recording: Recording | None = None
        self._overview = Overview()
        self._file = ""
        self._ordinal = 0
        self._origin_us: int | None = None  # times: shifted only: where the recording's start lies
        self._resumed: Mapping[str, object] = {}
        self._playing: asyncio.Task[None] | None = None
        self._waves: Sequence[WavePoint] = ()
        self._refused: RefusedBurst = unheard

    def expect_waveforms(self, points: Sequence[WavePoint], refused: RefusedBurst = unheard) -> None:
        """Records of these items are bursts, each a row of many numbers."""
        self._waves, self._refused = points, refused

    def position(self) -> str:
        """Number of records that were passed, the file they are of, and where shifted times begin."""
        return json.dumps({"record": self._ordinal, "file": self._file, "origin": self._origin_us})

    def resume(self, position: str) -> None:
        """Go on after `position`; of another file it is ignored at connect. Raises DataError when it is malformed."""
        try:
            found = json.loads(position)
            if not isinstance(found["record"], int) or found["record"] < 0 or not isinstance(found["file"], str):
                raise ValueError("record and file are needed")
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"not a position in a recording: {position[:100]}") from error
        self._resumed = found

    async def connect(self) -> None:
        """Find the recording and look through it, for some seconds at most. Raises ConnectionFailed."""
        await self.close()
        recording = Recording(self.options, {point.address.item for point in self._waves})
        try:
            self._file = await asyncio.to_thread(recording.fingerprint)
            self._overview = await asyncio.to_thread(recording.overview, _OVERVIEW_S)
        except DataError as error:
            raise ConnectionFailed(str(error), hint=error.hint) from error
        if self._resumed:
            if self._resumed["file"] == self._file:
                self._ordinal = int(str(self._resumed["record"]))
                origin = self._resumed.get("origin")
                self._origin_us = origin if isinstance(origin, int) else None
            else:
                log.warning("another recording than last time, it starts from its beginning", path=str(recording.path))
            self._resumed = {}
        if self._overview.malformed.count:
            log.warning(
                "malformed lines in the recording",
                path=str(recording.path),
                count=self._overview.malformed.count,
                first=self._overview.malformed.examples[:3],
            )
        self._recording = recording

    async def read(self, points: Sequence[Point]) -> SampleBatch:
        """The first record of each item, as a machine answers that was just switched on; moves nothing."""
        self._opened()
        rows = [self._first_row(point) for point in points]
        return SampleBatch.of(
            [point.handle for point in points],
            [row.time for row in rows],
            [row.value for row in rows],
            [row.quality for row in rows],
            [row.text for row in rows],
        )

    async def subscribe(self, points: Sequence[Point], sink: Sink) -> None:
        """Start to play. A point whose item is not in a recording that is known whole gets one BAD_ADDRESS row."""
        recording = self._opened()
        self.statistics = ReplayStatistics()
        targets = targets_of(points)
        known = self._overview.counts
        every: tuple[Point | WavePoint, ...] = (*points, *self._waves)
        missing = [point for point in every if point.address.item not in known and self._overview.complete]
        bursts: Targets = {item: [] for item in BurstRows(self._waves, self._no_burst).items}
        targets = {**bursts, **targets}
        unnamed = {item: count for item, count in known.items() if item not in targets}
        if unnamed:
            log.warning(
                "items of the recording that no signal names are left out",
                items=len(unnamed),
                records=sum(unnamed.values()),
                first=sorted(unnamed)[:_NAMES_IN_LOG],
            )
        if missing:
            log.warning("items that are not in the recording", items=[p.address.item for p in missing][:_NAMES_IN_LOG])
            sink(SampleBatch.of([p.handle for p in missing], self._clock.now_us(), math.nan, Quality.BAD_ADDRESS))
        self._playing = asyncio.create_task(self._play_all(recording, targets, sink), name="replay")

    async def wait_closed(self) -> None:
        """Wait until playing fails; a recording that was played to its end stays open and silent."""
        if self._playing is not None:
            await asyncio.shield(self._playing)
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Stop playing; never raises."""
        playing, self._playing = self._playing, None
        self._recording = None
        if playing is not None:
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)  # what it failed of was told by `wait_closed`

    async def browse(self, parent: str = "") -> Sequence[Browsed]:
        """The items of the recording; there is only one level."""
        self._opened()
        return () if parent else tuple(self._browsed(item) for item in self._overview.counts)

    async def test_connection(self) -> Sequence[Finding]:
        """Try to find and to read the recording."""
        try:
            overview = await asyncio.to_thread(lambda: Recording(self.options).overview())
        except LineshaftError as error:
            return (Finding("recording can be read", False, str(error), error.hint),)
        bad = overview.malformed
        lines = "".join(f", line {number}" for number, _ in bad.examples[:_NAMES_IN_LOG])
        return (
            Finding("recording can be read", True, f"{overview.records} records of {len(overview.counts)} items"),
            Finding("every line can be read", not bad.count, f"{bad.count} malformed{lines}"),
        )

    def _no_burst(self, point: WavePoint, error: DataError) -> None:
        """Count what is no burst, and say it."""
        self.statistics.malformed.add(self._ordinal, f"{point.address.item}: {error}")
        self._refused(point, error)

    def _opened(self) -> Recording:
        if self._recording is None:
            raise ConnectionFailed(f"recording {self.options.path}: not connected")
        return self._recording

    def _first_row(self, point: Point) -> First:
        first = self._overview.first.get(point.address.item)
        if first is None:
            why = Quality.BAD_ADDRESS if self._overview.complete else Quality.BAD_NO_VALUE
            return First(self._clock.now_us(), math.nan, why, None, None)
        if point.datatype is Datatype.STRING:
            return First(first.time, math.nan, first.quality, first.raw, first.raw)
        return first

    def _browsed(self, item: str) -> Browsed:
        first, count = self._overview.first[item], self._overview.counts[item]
        text = first.text is not None
        return Browsed(item, item, Datatype.STRING if text else Datatype.DOUBLE, description=f"{count} records")

    async def _play_all(self, recording: Recording, targets: Targets, sink: Sink) -> None:
        """Play to the end, or round after round."""
        while True:
            length_us = await self._play(recording, targets, sink)
            if not self.options.repeat or not length_us or self._origin_us is None:
                break
            self._origin_us += round(length_us / float(self.options.speed))
            self._ordinal = 0
        self.statistics.finished.set()
        log.info("recording played to its end", path=str(recording.path), records=self._ordinal)

    async def _play(self, recording: Recording, targets: Targets, sink: Sink) -> int:
        """Play once; returns the recorded microseconds after which it can begin again: a step after the end."""
        overview, options = self._overview, self.options
        last = before = 0
        pace = Pace(overview.start, overview.opening, round(options.max_gap * MICROSECONDS))
        schedule = _Schedule(self._clock, options)
        bursts = BurstRows(self._waves, self._no_burst)
        passed = 0
        chunks = recording.chunks(self.statistics.malformed)
        while (records := await asyncio.to_thread(_next, chunks)) is not None:
            offsets = pace.offsets(records.times) if options.speed != "max" else []
            if offsets and offsets[-1] > last:
                before = max((one for one in offsets if one < offsets[-1]), default=last)
                last = offsets[-1]
            skip = min(max(self._ordinal - passed, 0), len(records))
            passed += len(records)
            if skip == len(records):
                bursts.rows(records, skip)  # it keeps rates and speeds
                continue
            if not schedule.started:
                self._origin_us = schedule.start(offsets[skip] if offsets else 0, self._origin_us)
            rows = _Rows(*rows_of(records, skip, targets, self.statistics.unnamed)).joined(bursts.rows(records, skip))
            if options.times == "shifted":
                rows = rows.shifted(overview.start, self._origin_us or 0, float(options.speed))
            base = passed - len(records)
            at = skip
            while at < len(records):
                end = await schedule.due(offsets, at, len(records))
                self._ordinal = base + end
                batch = rows.between(at, end)
                at = end
                if len(batch):
                    self.statistics.delivered += len(batch)
                    sink(batch)
        step = last - before
        opened = max((first.time for first in overview.first.values() if first.time < overview.start), default=None)
        return last + step + (min(overview.start - opened, step) if opened is not None else 0)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of one chunk, and the place in the chunk that each comes from."""

    places: np.ndarray[tuple[int], np.dtype[np.int64]]
    batch: SampleBatch

    def joined(self, more: tuple[np.ndarray[tuple[int], np.dtype[np.int64]], SampleBatch]) -> _Rows:
        """With more rows, in the order of their places."""
        places, batch = more
        if not len(batch):
            return self
        order = np.argsort(whole := np.concatenate([self.places, places]), kind="stable")
        return _Rows(whole[order], SampleBatch.concat([self.batch, batch]).take(order))

    def between(self, start: int, end: int) -> SampleBatch:
        first, last = np.searchsorted(self.places, (start, end))
        return self.batch.take(slice(int(first), int(last)))

    def shifted(self, start_us: int, origin_us: int, speed: float) -> _Rows:
        old = self.batch
        times = origin_us + np.round((old.times - start_us) / speed).astype(np.int64)
        return _Rows(self.places, replace(old, times=times))


class _Schedule:
    """Turns offsets into moments of the clock, and waits for them."""

    def __init__(self, clock: Clock, options: ReplayConnection) -> None:
        self._clock = clock
        self._speed = options.speed
        self._shifted = options.times == "shifted"
        self._zero = 0.0
        self.started = False

    def start(self, offset_us: int, origin_us: int | None) -> int | None:
        """The record at `offset_us` is the first to play; returns where shifted times begin (None: not shifted).

        A shifted replay that goes on after a restart catches up with the clock; an original one goes on at its pace.
        """
        self.started = True
        now = self._clock.monotonic()
        if self._speed == "max":
            return None
        self._zero = now - offset_us / MICROSECONDS / self._speed
        if not self._shifted:
            return None
        if origin_us is None:
            return self._clock.now_us() - round(offset_us / self._speed)
        self._zero = now - (self._clock.now_us() - origin_us) / MICROSECONDS
        return origin_us

    async def due(self, offsets: Sequence[int], at: int, end: int) -> int:
        """Wait until record `at` is due; returns the place after the last one that is due with it."""
        end = min(end, at + _BATCH)
        if self._speed == "max":
            await asyncio.sleep(0)
            return end
        moment = self._zero + offsets[at] / MICROSECONDS / self._speed
        if moment > self._clock.monotonic():  # not before the next tick, so that a fast replay makes few batches
            await self._clock.sleep_until(max(moment, self._clock.monotonic() + _TICK_S))
        else:
            await asyncio.sleep(0)
        limit = (self._clock.monotonic() - self._zero) * MICROSECONDS * self._speed
        return max(bisect_right(offsets, limit, at, end), at + 1)


def _next(chunks: Chunks) -> Records | None:
    return next(chunks, None)

"""One device: read on its schedule, and brought back by itself when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any, Final, NoReturn, Protocol, TypeVar

import numpy as np
import structlog

from lineshaft.clock import Clock
from lineshaft.drivers.base import (
    BringsWaveforms,
    Driver,
    DriverSpec,
    EmitsEvents,
    KeepsFiles,
    Point,
    ReadsHistory,
    ReadsWaveforms,
    Resumable,
    Subscribes,
    WavePoint,
)
from lineshaft.errors import AccessDenied, ConnectionFailed, DataError, LineshaftError, PeerTimeout
from lineshaft.gateway.bursts import BurstReader
from lineshaft.gateway.faults import REPORT, fault_of
from lineshaft.gateway.gaps import Gaps
from lineshaft.gateway.health import Health, quiet_verdict
from lineshaft.gateway.plan import PlannedDevice
from lineshaft.gateway.silence import Silence
from lineshaft.gateway.timing import Backoff, beside, turn_of, within
from lineshaft.model.events import Event, Severity
from lineshaft.model.samples import SampleBatch, UInt32Array
from lineshaft.wire.notes import DeviceState, DeviceStatus

log = structlog.get_logger(__name__)
T = TypeVar("T")

CONNECT_TIMEOUT: Final = 10.0
CLOSE_TIMEOUT: Final = 3.0
LONG_PAUSE: Final = 60.0
"""Seconds before a device is asked again that refused access."""


class Output(Protocol):
    """Where the engine's rows go."""

    def accept(self, device: PlannedDevice, batch: SampleBatch, position: str | None) -> int:
        """Filter and keep rows of a device; returns how many were kept. `position`: see Resumable."""
        ...

    def late(self, device: PlannedDevice, batch: SampleBatch) -> int:
        """Keep rows of the past that the device recorded itself; returns how many were kept."""
        ...

    def lost(self, device: PlannedDevice) -> None:
        """Mark all signals of the device as stale."""
        ...

    def position(self, device: PlannedDevice) -> str | None:
        """Where a resumable source stood."""
        ...

    def event(self, event: Event) -> None:
        """Keep an event."""
        ...

    def changed(self, device: PlannedDevice) -> None:
        """The device's state changed."""
        ...


@dataclass(slots=True)
class DeviceCounters:
    """What the engine counts for one device."""

    state: DeviceState = "starting"
    since: int = 0
    last_value: int | None = None
    polls: int = 0
    late: int = 0
    failures: int = 0
    rows: int = 0
    kept: int = 0
    duration: float = 0.0
    error: str = ""
    hint: str = ""
    broken_bursts: int = 0
    burst_error: str = ""
    told_rows: int = field(default=0, repr=False)
    told_at: float = field(default=0.0, repr=False)


class DeviceRunner:
    """Schedule, connection and counters of one device."""

    def __init__(
        self, device: PlannedDevice, spec: DriverSpec, output: Output, clock: Clock, path: str, folder: Path | None
    ) -> None:
        self.device = device
        self._folder = folder
        state: DeviceState = "starting" if device.enabled else "disabled"
        self.counters = DeviceCounters(state, clock.now_us(), told_at=clock.monotonic())
        self._spec = spec
        self._output = output
        self._clock = clock
        self.path = path
        self._backoff = Backoff()
        self._last_handle = device.first + device.size
        self._handles: UInt32Array = np.arange(device.first, self._last_handle, dtype=np.uint32)
        self._health = Health(device.first, len(device.points), len(device.waves))
        self._silent = self._lost = False
        self._spoken = asyncio.Event()
        self._silence = Silence(spec.silence if device.silence is None else device.silence, clock)
        self._resumable: Resumable | None = None
        self._gaps: Gaps | None = None
        self._reader = BurstReader(device, path, output, clock)
        self._turn = asyncio.Lock()  # a poll and a waveform are not asked for at once
        self._driver: Driver | None = None
        self.live: Driver | None = None
        """The driver while it is connected."""

    async def run(self) -> None:
        """Read the device for as long as the task lives."""
        while True:
            try:
                fault = await fault_of(self._life())
            finally:
                self.live = None
                if self._driver is not None:
                    await self._close(self._driver)
            failure = fault or ConnectionFailed(f"{self.device.name} ended the connection")
            if not isinstance(failure, LineshaftError):
                if self.counters.state != "offline":
                    log.error("device.driver_fault", device=self.device.id, driver=self.device.driver, exc_info=failure)
                self._driver = None  # what it remembers may be wrong
            self._failed(failure)
            pause = self._backoff.next(at_least=LONG_PAUSE if isinstance(failure, AccessDenied) else 0.0)
            await self._clock.sleep_until(self._clock.monotonic() + pause)

    async def _life(self) -> None:
        self._driver = self._driver or self._create()
        await self._session(self._driver)

    def _create(self) -> Driver:
        driver = self._spec.create(self.device.connection)
        if isinstance(driver, KeepsFiles) and self._folder is not None:
            driver.keep_files(self._folder)
        if isinstance(driver, EmitsEvents):
            driver.emit_events(self.path, self._output.event)
        if isinstance(driver, BringsWaveforms) and self.device.waves:
            driver.expect_waveforms(self.device.waves, self._no_burst)
        if isinstance(driver, ReadsHistory) and self._gaps is None:
            self._gaps = Gaps(self.device.id, self.device.points, self.device.first, self._clock)
        return driver

    async def _session(self, driver: Driver) -> NoReturn:
        self._resumable = driver if isinstance(driver, Resumable) else None
        self._health.forget()
        if isinstance(driver, Resumable):
            position = self._output.position(self.device)
            if position is not None:
                driver.resume(position)
        try:
            await within(self._clock, max(CONNECT_TIMEOUT, self.device.timeout), driver.connect())
        except TimeoutError:
            raise PeerTimeout(f"{self.device.name} did not answer the connection in time") from None
        self.live = driver
        if self.device.waves and isinstance(driver, ReadsWaveforms):
            await beside(self._values(driver), self._bursts(driver))
        await self._values(driver)

    async def _values(self, driver: Driver) -> NoReturn:
        if self._spec.push and isinstance(driver, Subscribes):  # one whose connection says poll does not subscribe
            await self._listen(driver)
        await self._poll(driver)

    async def _bursts(self, driver: ReadsWaveforms) -> NoReturn:
        """Ask for each waveform on its schedule; a burst that cannot be one is told of and counted."""
        reader = self._reader
        while True:
            point = await reader.next_due()
            try:
                async with self._turn:
                    batch = await reader.read(driver, point)
                self._accept(batch)
            except DataError as error:
                self._broken_burst(error)
                self._accept(reader.failed(point, error))
            if not self.device.points:
                self._worked(self.counters.error)

    async def _close(self, driver: Driver) -> None:
        """A driver whose close raises, which it may not, ends nothing but itself."""
        error = await fault_of(within(self._clock, CLOSE_TIMEOUT, driver.close()))
        if isinstance(error, TimeoutError):
            log.warning("device.close_timeout", device=self.device.id)
        elif error is not None:
            log.warning("device.close_failed", device=self.device.id, error=repr(error))

    # -- reading

    async def _listen(self, driver: Subscribes) -> NoReturn:
        def sink(batch: SampleBatch) -> None:
            try:
                self._accept(batch)
            except DataError as error:
                self._malformed(error)
                return
            if listening:
                self._worked()

        listening = False
        seconds = max(CONNECT_TIMEOUT, self.device.timeout)
        try:
            await within(self._clock, seconds, driver.subscribe(self.device.points, sink))
        except TimeoutError:
            raise PeerTimeout(f"{self.device.name} did not answer the subscription in time") from None
        listening = True
        self._silence.heard()
        self._worked()
        await beside(self._until_closed(driver), self._notice_silence())
        raise ConnectionFailed(f"{self.device.name} ended the connection")

    async def _until_closed(self, driver: Subscribes) -> None:
        if self._gaps is not None and isinstance(driver, ReadsHistory):
            self._gaps.connected()
            await beside(driver.wait_closed(), self._gaps.fill(driver, self._accept_late))
        await driver.wait_closed()
        raise ConnectionFailed(f"{self.device.name} ended the connection")

    async def _notice_silence(self) -> None:
        """Degrade a device that is connected and sends nothing; what it sends ends that (see `_accept`)."""
        while True:
            await self._silence.fall()
            self._worked()
            self._spoken.clear()
            await self._spoken.wait()

    async def _poll(self, driver: Driver) -> NoReturn:
        start = self._clock.monotonic()
        due = [start] * len(self.device.groups)
        if not due:
            await asyncio.Event().wait()
        while True:
            at = min(range(len(due)), key=due.__getitem__)
            interval, points = self.device.groups[at]
            await self._clock.sleep_until(due[at])
            began = self._clock.monotonic()
            await self._read(driver, points)
            self.counters.duration = (now := self._clock.monotonic()) - began
            due[at] += interval
            missed = max(0, ceil((now - due[at]) / interval - 1e-6))
            self.counters.late += missed
            due[at] += missed * interval

    async def _read(self, driver: Driver, points: Sequence[Point]) -> None:
        self.counters.polls += 1
        try:
            batch = await self.timed(lambda: driver.read(points))
            self._accept(batch)
        except DataError as error:  # one reply is malformed: the connection is good
            self._malformed(error)
            return
        self._worked()

    def _no_burst(self, point: WavePoint, error: DataError) -> None:
        """What came by itself is no burst; the driver gives its bad row."""
        self._broken_burst(error)
        self._reader.tell(point, error)

    def _broken_burst(self, error: DataError) -> None:
        self.counters.broken_bursts += 1
        self.counters.burst_error = str(error)
        self._malformed(error)

    def _malformed(self, error: DataError) -> None:
        self.counters.failures += 1
        self.counters.error, self.counters.hint = str(error), error.hint

    def _accept(self, batch: SampleBatch) -> None:
        n = len(batch)
        position = self._resumable.position() if self._resumable is not None else None
        if n and not self.device.first <= int(batch.signals.min()) <= int(batch.signals.max()) < self._last_handle:
            raise DataError(f"driver {self._spec.name} gave rows for signals that are not of {self.device.id}")
        counters = self.counters
        counters.rows += n
        counters.kept += self._output.accept(self.device, batch, position)
        if n:
            counters.last_value = self._clock.now_us()
            self._silence.heard()
            self._spoken.set()
            self._lost = False
            self._health.note(batch)
            self._reader.good(batch)
            if self._gaps is not None:
                self._gaps.accepted(batch)

    def _accept_late(self, batch: SampleBatch) -> None:
        self.counters.rows += len(batch)
        self.counters.kept += self._output.late(self.device, batch)

    async def timed(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of one request to the device, behind the one under way. Raises PeerTimeout."""
        try:
            async with self._turn, turn_of(self.live):
                return await within(self._clock, self.device.timeout, work())
        except TimeoutError:
            raise PeerTimeout(f"{self.device.name} did not answer in {self.device.timeout:g} s") from None

    # -- states

    def _worked(self, why: str = "") -> None:
        """The device answers; `why`: what is wrong with it all the same."""
        counters, quiet = self.counters, self._silence.words if self._silence.quiet else ""
        verdict = quiet_verdict(f"{self.device.name} {quiet}") if quiet else self._health.verdict(why)
        silent, was_silent, self._silent = verdict.silent, self._silent, verdict.silent
        before, counters.error, counters.hint = counters.state, verdict.error, verdict.hint
        self._backoff.reset()
        if before == verdict.state and silent == was_silent:
            return
        if before != verdict.state:
            counters.state, counters.since = verdict.state, self._clock.now_us()
        if silent and not was_silent:
            behind = f"{self.device.name} answers, but has no value for any of its signals."
            self._tell("device.silent", f"{self.device.name} {quiet}." if quiet else behind)
        elif not silent and (was_silent or before == "offline"):
            self._tell("device.recovered", f"{self.device.name} is back.")
        self._output.changed(self.device)

    def _tell(self, kind: str, text: str) -> None:
        back = kind == "device.recovered"
        details = {} if back else {"error": self.counters.error, "hint": self.counters.hint}
        (log.info if back else log.warning)(kind, device=self.device.id, **details)
        severity = Severity.INFO if back else Severity.MEDIUM
        self._output.event(Event(self._clock.now_us(), kind, self.path, text, severity, details))

    def _failed(self, failure: Exception) -> None:
        counters = self.counters
        counters.failures += 1
        if isinstance(failure, LineshaftError):
            counters.error, counters.hint = str(failure) or type(failure).__name__, failure.hint
        else:
            counters.error, counters.hint = f"a fault of the driver: {failure!r}", REPORT
        if not self._lost:
            self._lost = True
            self._output.lost(self.device)
        if counters.state == "offline":
            return
        counters.state, counters.since = "offline", self._clock.now_us()
        self._tell("device.offline", f"{self.device.name} does not answer: {counters.error}")
        self._output.changed(self.device)

    def status(self) -> DeviceStatus:
        """Counters for the status note; the rate is since the last call."""
        counters, now = self.counters, self._clock.monotonic()
        seconds = now - counters.told_at
        rate = (counters.rows - counters.told_rows) / seconds if seconds > 0 else 0.0
        counters.told_rows, counters.told_at = counters.rows, now
        return DeviceStatus(
            id=self.device.id,
            state=counters.state,
            since=counters.since,
            last_value=counters.last_value,
            rate=round(rate, 3),
            polls=counters.polls,
            late=counters.late,
            failures=counters.failures,
            rows=counters.rows,
            kept=counters.kept,
            duration=round(counters.duration, 6),
            error=counters.error,
            hint=counters.hint,
            broken_bursts=counters.broken_bursts,
            burst_error=counters.burst_error,
            name=self.device.name,
            protocol=self._spec.title,
        )

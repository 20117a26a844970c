"""The forwarder: takes frames from the disk buffer to an uplink until they are delivered, live ones first."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal

import structlog

from lineshaft.clock import Clock
from lineshaft.errors import DataError, LineshaftError, RetryableError
from lineshaft.gateway.buffer import Buffer
from lineshaft.gateway.faults import fault_of
from lineshaft.gateway.frames import MAX_MESSAGE, MAX_ROWS, Frame, FrameKind, message_bytes
from lineshaft.gateway.timing import Backoff, event_or
from lineshaft.gateway.uplinks.base import Refused, Renewal, Throttled, Uplink
from lineshaft.wire.notes import UplinkStatus

log = structlog.get_logger(__name__)

WINDOW_ROWS: Final = 200_000
"""Samples that may be sent and not yet delivered."""
WINDOW_FRAMES: Final = 4_000
RESEND_AFTER: Final = 15.0
"""Seconds without an acknowledgement after which a frame is sent again; doubled each time up to eight times."""
MOST_FAULTS: Final = 3
"""Faults of the gateway while one frame is sent, after which it is given up."""
_FRAME_BYTES: Final = 12
"""What each frame adds to the header of a message."""
STEADY_AFTER: Final = 60.0
"""Seconds of a session after which the next failure counts as the first one."""
_BURST: Final = 0.1
"""Seconds of the drain rate that may go at once."""
_TURN_GROUPS: Final = 16
_TURN_ROWS: Final = MAX_ROWS
"""What is handed over in one go before the devices have their turn again: many small groups, or one large one."""


class Forwarder:
    """One uplink's way through the buffer; implements Deliveries."""

    def __init__(self, uplink: Uplink, buffer: Buffer, clock: Clock, drain_rate: int) -> None:
        self.uplink = uplink
        self.on_online: Callable[[], None] = lambda: None
        """Called whenever the uplink is online again."""
        self._buffer = buffer
        self._clock = clock
        self._drain_rate = drain_rate
        self.on_fault: Callable[[Exception], None] = lambda error: None
        """Called with what should not have happened; the uplink begins anew."""
        self._broken: asyncio.Future[None] | None = None
        self._mishaps: dict[int, tuple[int, bool]] = {}  # frame -> faults while it was sent, whether others went since
        self._wake = asyncio.Event()
        self._backoff = Backoff(0.5, 15.0)
        self._in_flight: OrderedDict[int, tuple[int, float]] = OrderedDict()  # id -> (rows, resend at)
        self._rows_in_flight = 0
        self._patience = RESEND_AFTER
        self._live_at = 0
        self._old_at = 0
        self._old_until = 0
        self._tokens = 0.0
        self._tokens_at = 0.0
        self._online = False
        self._connected_at = 0.0
        self._since = clock.now_us()
        self._error = ""
        self._sent_rows = self._acknowledged_rows = self._resent = 0

    # -- life

    async def run(self) -> None:
        """Connect, send, and connect again for as long as the task lives, whatever goes wrong."""
        while True:
            pause = 0.0
            try:
                error = await fault_of(self._session())
                if isinstance(error, Renewal):
                    log.debug("uplink.renewal", uplink=self.uplink.id, reason=str(error))
                elif error is not None:
                    pause = self._pause(error)
                    self._failed(error)
            finally:
                self._set_online(False)
                wrong = await fault_of(self.uplink.close())
            if wrong is not None:
                self.on_fault(wrong)
            await self._clock.sleep_until(self._clock.monotonic() + pause)

    def _pause(self, error: Exception) -> float:
        if self._online and self._clock.monotonic() > self._connected_at + STEADY_AFTER:
            self._backoff.reset()
        if isinstance(error, Throttled):
            return self._backoff.next(at_least=error.seconds)
        person = isinstance(error, LineshaftError) and not isinstance(error, RetryableError)  # has to mend it
        return self._backoff.next(at_least=10.0 if person else 0.0)

    async def _session(self) -> None:
        self._broken = asyncio.get_running_loop().create_future()
        self._restart(await self.uplink.connect())
        self._connected_at = self._clock.monotonic()
        if self._error:
            log.info("uplink.recovered", uplink=self.uplink.id)
        self._error = ""
        self._set_online(True)
        pump = asyncio.ensure_future(self._pump())
        closed = asyncio.ensure_future(self.uplink.wait_closed())
        try:
            await asyncio.wait((pump, closed, self._broken), return_when=asyncio.FIRST_COMPLETED)
            for task in (closed, pump, self._broken):
                if task.done():
                    task.result()
        finally:
            pump.cancel()
            closed.cancel()
            await asyncio.gather(pump, closed, return_exceptions=True)

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, LineshaftError):
            self.on_fault(error)
            self._error = f"a fault in the gateway, begins anew: {error!r}"
            return
        if not self._error:
            log.warning("uplink.offline", uplink=self.uplink.id, error=str(error), hint=error.hint)
        self._error = str(error)

    def pass_on(self, call: Callable[[Uplink], None]) -> None:
        """Tell the uplink something on the side; a fault in it ends its session and nothing else."""
        try:
            call(self.uplink)
        except Exception as error:  # noqa: BLE001 - the boundary: `run` tells it
            if self._broken is None:
                self.on_fault(error)
            elif not self._broken.done():
                self._broken.set_exception(error)

    def _set_online(self, online: bool) -> None:
        before, self._online = self._online, online
        if online != before:
            self._since = self._clock.now_us()
            if online:
                self.on_online()

    def _restart(self, live_after: int) -> None:
        self._in_flight.clear()
        self._rows_in_flight = 0
        self._old_at = 0
        self._live_at = self._old_until = live_after
        self._tokens, self._tokens_at = 0.0, self._clock.monotonic()
        self._wake.set()

    # -- told by the uplink and the buffer

    def wake(self) -> None:
        """Something was added to the buffer."""
        self._wake.set()

    def delivered(self, frames: Iterable[int]) -> None:
        """See Deliveries."""
        numbers = list(frames)
        self._acknowledged_rows += self._buffer.acknowledge(self.uplink.id, numbers)
        for number in numbers:
            self._forget(number)
        if numbers:
            self._backoff.reset()
        self._patience = RESEND_AFTER
        self._wake.set()

    def refused(self, frame: int, rows: Sequence[int], reason: str) -> None:
        """See Deliveries."""
        log.error("uplink.cannot_send", uplink=self.uplink.id, frames=1, rows=len(rows), error=reason)
        self._buffer.discard(self.uplink.id, frame, reason, rows)
        self._forget(frame)
        self._wake.set()

    def reborn(self, live_after: int) -> None:
        """See Deliveries."""
        self._resent += len(self._in_flight)
        self._restart(live_after)

    def _forget(self, number: int) -> None:
        rows, _ = self._in_flight.pop(number, (0, 0.0))
        self._rows_in_flight -= rows

    # -- sending

    async def _pump(self) -> None:
        groups = rows = 0
        while True:
            self._wake.clear()
            self._expire()
            if self._rows_in_flight < WINDOW_ROWS and len(self._in_flight) < WINDOW_FRAMES:
                historical = False
                group = self._group(self._live_at, self._buffer.last)
                if group:
                    self._live_at = group[-1].id
                elif self._old_at < self._old_until and self._may_drain():
                    historical = True
                    group = self._group(self._old_at, self._old_until)
                    self._old_at = group[-1].id if group else self._old_until
                    self._tokens -= sum(frame.rows for frame in group)
                if group:
                    await self._send(group, historical)
                    groups, rows = groups + 1, rows + sum(frame.rows for frame in group)
                    if groups >= _TURN_GROUPS or rows >= _TURN_ROWS:
                        groups = rows = 0
                        await asyncio.sleep(0)  # lets the devices be read while a long backlog goes out
                    continue
                if self._old_at >= self._old_until:
                    self.uplink.idle()
            await event_or(self._clock, self._wake, self._next_moment())

    async def _send(self, group: list[Frame], historical: bool) -> None:
        deadline = self._clock.monotonic() + self._patience
        for frame in group:
            self._in_flight[frame.id] = (frame.rows, deadline)
            self._rows_in_flight += frame.rows
            self._sent_rows += frame.rows
        try:
            await self._hand_over(group, historical)
        except DataError as error:
            log.error("uplink.cannot_send", uplink=self.uplink.id, frames=len(group), error=str(error))
            if len(group) == 1:  # kept, it would stand in the way of all others
                self._forget(group[0].id)
                self._mishaps.pop(group[0].id, None)
                reason = str(error) if isinstance(error, Refused) else "cannot be sent"
                self._buffer.discard(self.uplink.id, group[0].id, reason)
                return
            for frame in group:
                self._forget(frame.id)
            for frame in group:
                await self._send([frame], historical)
            return
        deadline = self._clock.monotonic() + self._patience  # handing over may have taken long
        for frame in group:
            if frame.id in self._in_flight:
                self._in_flight[frame.id] = (frame.rows, deadline)

    async def _hand_over(self, group: list[Frame], historical: bool) -> None:
        """Send. A frame that alone is a fault each time, while others go, counts as one that cannot be sent.

        When nothing goes, the fault is elsewhere and all frames are kept.
        """
        first = group[0].id
        if len(group) > 1 and self._mishaps.keys() & {frame.id for frame in group}:
            raise DataError("a fault in the gateway while it was sent; its frames are sent alone")
        try:
            await self.uplink.send(group, historical=historical or group[0].late)
        except LineshaftError:
            raise
        except Exception as error:
            faults, others_went = self._mishaps.get(first, (0, False))
            self._mishaps[first] = faults + 1, others_went
            if len(group) > 1 or faults + 1 < MOST_FAULTS or not others_went:
                raise
            self.on_fault(error)
            raise DataError(f"a fault in the gateway: {error!r}") from error
        if self._mishaps:
            self._mishaps.pop(first, None)
            self._mishaps = {number: (faults, True) for number, (faults, _) in self._mishaps.items()}

    def _group(self, after: int, until: int) -> list[Frame]:
        """The next frames that may go in one message: one note, or consecutive frames of one device."""
        group: list[Frame] = []
        bytes_in_message = 0
        while True:
            number = self._buffer.next_open(self.uplink.id, group[-1].id if group else after)
            if number is None or number > until or (group and number != group[-1].id + 1):
                return group
            if number in self._in_flight:
                if group:
                    return group
                after = number
                continue
            frame = self._buffer.read(number)
            if frame is None or self._nothing_to_send(frame):
                self._buffer.acknowledge(self.uplink.id, [number])
                if group:
                    return group
                after = number
                continue
            size = message_bytes(frame.batch) + _FRAME_BYTES
            other = group and _sort_of(frame) != _sort_of(group[0])
            if group and (other or bytes_in_message + size > MAX_MESSAGE):
                return group
            group.append(frame)
            bytes_in_message += size
            if frame.kind is FrameKind.NOTE:
                return group

    def _nothing_to_send(self, frame: Frame) -> bool:
        return frame.kind is FrameKind.POSITION or frame.target not in ("", self.uplink.id)

    def _expire(self) -> None:
        """Offer frames again that were not acknowledged in time."""
        now = self._clock.monotonic()
        expired = False
        while self._in_flight:
            number, (_, deadline) = next(iter(self._in_flight.items()))
            if deadline > now:
                break
            self._forget(number)
            expired = True
            self._resent += 1
            self._old_at = min(self._old_at, number - 1)
            self._old_until = max(self._old_until, number)
        if expired:
            self._patience = min(self._patience * 2, RESEND_AFTER * 8)

    def _may_drain(self) -> bool:
        now = self._clock.monotonic()
        most = max(float(MAX_ROWS), self._drain_rate * _BURST)
        self._tokens = min(most, self._tokens + (now - self._tokens_at) * self._drain_rate)
        self._tokens_at = now
        return self._tokens > 0

    def _next_moment(self) -> float | None:
        """When something is due without anybody telling."""
        moments = [deadline for _, (_, deadline) in zip(range(1), self._in_flight.values(), strict=False)]
        if self._old_at < self._old_until and self._tokens <= 0:
            moments.append(self._clock.monotonic() + max(0.002, -self._tokens / self._drain_rate))
        return min(moments, default=None)

    # -- figures

    def status(self) -> UplinkStatus:
        """How this way out does."""
        state: Literal["connecting", "waiting", "online", "offline"] = "offline" if self._error else "connecting"
        if self._online:
            state = "online"
        elif self.uplink.waiting:
            state = "waiting"
        return UplinkStatus(
            id=self.uplink.id,
            state=state,
            since=self._since,
            pending_rows=self._buffer.pending(self.uplink.id),
            sent_rows=self._sent_rows,
            acknowledged_rows=self._acknowledged_rows,
            resent_frames=self._resent,
            error=self._error,
        )

    @property
    def done(self) -> bool:
        """True when everything in the buffer is delivered."""
        return self._buffer.next_open(self.uplink.id, 0) is None

    @property
    def online(self) -> bool:
        """True while frames can be sent."""
        return self._online


def _sort_of(frame: Frame) -> tuple[str, FrameKind, bool]:
    """Frames that differ in this cannot share a message."""
    return frame.device, frame.kind, frame.late

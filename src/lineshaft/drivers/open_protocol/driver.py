"""The Open Protocol driver: every tightening becomes rows, and is acknowledged when they are taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import numpy as np
import structlog

from lineshaft.clock import Clock, SystemClock
from lineshaft.drivers.base import Browsed, Finding, Point, Sink
from lineshaft.drivers.following import Following
from lineshaft.drivers.open_protocol.diagnose import diagnose
from lineshaft.drivers.open_protocol.fields import LAYOUTS, decode, layout_of
from lineshaft.drivers.open_protocol.items import ITEMS, TRACES
from lineshaft.drivers.open_protocol.options import OpenProtocolConnection
from lineshaft.drivers.open_protocol.results import Position, Result, bad_rows, field_rows, result_rows
from lineshaft.drivers.open_protocol.session import MID_UNKNOWN, NOT_FOUND, REVISION_UNSUPPORTED, Refused, Session
from lineshaft.drivers.open_protocol.times import to_us
from lineshaft.drivers.open_protocol.trace import decode_trace
from lineshaft.drivers.open_protocol.wire import Message
from lineshaft.errors import ConnectionFailed, DataError
from lineshaft.model.samples import Quality, SampleBatch

log = structlog.get_logger(__name__)

_ALARM_ITEMS = frozenset({"alarm", "controller-ready", "tool-ready"})
_ACKNOWLEDGE = {61: (62, b""), 71: (72, b""), 74: (75, b""), 76: (77, b""), 900: (5, b"0900")}
"""MID -> what acknowledges it."""


@dataclass(slots=True)
class Statistics:
    """What happened on the way of the results."""

    results: int = 0
    fetched: int = 0  # results that were missed and asked for afterwards
    repeated: int = 0  # results that the controller sent twice
    missing: int = 0  # results that the controller no longer has
    malformed: int = 0
    unknown: dict[int, int] = field(default_factory=dict)  # MID that nobody asked for -> how often


class OpenProtocolDriver:
    """One controller. `position()` is `tightening id:time` and stands after a batch when the sink gets it."""

    def __init__(self, options: OpenProtocolConnection, clock: Clock | None = None) -> None:
        self.options = options
        self.statistics = Statistics()
        self._clock: Clock = clock or SystemClock()
        self._zone = ZoneInfo(options.timezone)
        self._session: Session | None = None
        self._position: Position | None = None
        self._live_revision = 0  # of MID 0061, once it is agreed
        self._old_revision = 0  # of MID 0065; 0 before it is agreed, -1 when the controller tells no old results
        self._points: Sequence[Point] = ()
        self._sink: Sink | None = None
        self._following = Following()

    async def connect(self) -> None:
        """Start the communication. Raises ConnectionFailed, PeerTimeout or AccessDenied."""
        await self.close()
        session = Session(self.options)
        try:
            await session.open()
        except BaseException:
            await session.close()
            raise
        self._session = session
        self._live_revision = self._old_revision = 0

    async def close(self) -> None:
        """Stop and hang up; never raises."""
        session, self._session = self._session, None
        await self._following.stop()
        if session is not None:
            await session.close()

    async def read(self, points: Sequence[Point]) -> SampleBatch:
        """The last tightening that the controller has; items that an old result lacks have no value."""
        session, now = self._opened(), self._clock.now_us()
        result = await self._old(session, 0)
        fields = dict(session.controller)
        if result is not None:
            fields |= result.fields
        known = self._known(session)
        rows = []
        for point in points:
            item = point.address.item
            if item in session.controller:
                rows.append(field_rows((point,), session.controller, now))
            elif result is not None and item in result.fields:
                rows.append(result_rows((point,), result, result.time_us))
            else:
                rows.append(bad_rows((point,), now, Quality.BAD_NO_VALUE if item in known else Quality.BAD_ADDRESS))
        return SampleBatch.concat(rows)

    async def subscribe(self, points: Sequence[Point], sink: Sink) -> None:
        """Deliver what was missed since the position, or the last tightening, and then each one as it comes."""
        session = self._opened()
        self._points, self._sink = points, sink
        wanted = {point.address.item for point in points}
        try:
            revisions = (999, 1) if self.options.revision == 999 else tuple(range(self.options.revision, 0, -1))
            self._live_revision = await session.subscribe(60, revisions)
            newest = await self._old(session, 0)
            refused = await self._subscribe_extras(session, wanted)
        except Refused as refusal:
            raise ConnectionFailed(f"{session.where}: {refusal}", hint="check the controller's settings") from refusal
        known = self._known(session) - refused
        unknown = [point for point in points if point.address.item not in known]
        now = self._clock.now_us()
        if unknown:
            sink(bad_rows(unknown, now, Quality.BAD_ADDRESS))
        first = field_rows(points, session.controller, now)
        if len(first):
            sink(first)
        self._following.start(self._run(session, newest), "open-protocol")

    async def wait_closed(self) -> None:
        """Wait until the connection is lost, then raise the reason."""
        await self._following.wait_closed(f"{self.options.host}:{self.options.port}")

    def position(self) -> str:
        """Number and time of the last result; '' before there was one."""
        return "" if self._position is None else str(self._position)

    def resume(self, position: str) -> None:
        """Go on after `position`. Raises DataError when it is none of this driver."""
        self._position = Position.of(position) if position else None

    async def browse(self, parent: str = "") -> Sequence[Browsed]:
        """The items that the controller can give; there is only one level."""
        known = self._known(self._opened())
        if parent:
            return ()
        return tuple(
            Browsed(item.name, item.name, item.datatype, item.unit, description=item.description)
            for item in ITEMS.values()
            if item.name in known
        )

    async def test_connection(self) -> Sequence[Finding]:
        """Say step by step why the controller cannot be used."""
        return await diagnose(self.options)

    def _opened(self) -> Session:
        if self._session is None:
            raise ConnectionFailed(f"{self.options.host}:{self.options.port}: not connected")
        return self._session

    def _known(self, session: Session) -> set[str]:
        """Items that this controller can give, as far as that is agreed."""
        live = self._live_revision or min(self.options.revision, max(LAYOUTS[61]))
        known = {name for name, _ in layout_of(61, live)} | set(session.controller) | set(TRACES) | {"trace-result"}
        if self._old_revision > 0:
            known |= {name for name, _ in layout_of(65, self._old_revision)}
        return (known | (_ALARM_ITEMS if self.options.alarms else set())) & set(ITEMS)

    async def _subscribe_extras(self, session: Session, wanted: set[str]) -> set[str]:
        """Alarms and curves, where points ask for them; returns the items that the controller refuses."""
        refused: set[str] = set()
        if self.options.alarms and wanted & _ALARM_ITEMS:
            try:
                await session.subscribe(70, (2, 1))
            except Refused as refusal:
                log.warning("the controller tells no alarms", where=session.where, reason=str(refusal))
                refused |= _ALARM_ITEMS
        kinds = sorted(TRACES[item] for item in wanted & set(TRACES))
        if kinds:
            extra = f"{0:029}{len(kinds):03}" + "".join(f"{kind:03}" for kind in kinds)
            try:
                await session.subscribe(8, (1,), f"0900001{len(extra):02}{extra}".encode())
            except Refused as refusal:
                log.warning("the controller gives no curves", where=session.where, reason=str(refusal))
                refused |= set(TRACES) | {"trace-result"}
        return refused

    async def _old(self, session: Session, number: int) -> Result | None:
        """A result by its number, the last one for 0; None when the controller has none."""
        if self._old_revision < 0:
            return None
        if not self._old_revision:
            most = max(LAYOUTS[65]) if self.options.revision == 999 else self.options.revision
            revisions: tuple[int, ...] = tuple(range(most, 0, -1))
        else:
            revisions = (self._old_revision,)
        try:
            begins = f"01{number:010}" if number else ""
            answer = await session.newest(64, revisions, {65}, f"{number:010}".encode(), begins)
            self._old_revision = answer.revision
            return Result.of(decode(answer), self._zone, self._position, self._clock.now_us())
        except Refused as refusal:
            if refusal.code in (MID_UNKNOWN, REVISION_UNSUPPORTED):
                self._old_revision = -1
                log.warning("the controller tells no old results", where=session.where, reason=str(refusal))
            elif refusal.code != NOT_FOUND:
                log.info("an old result is refused", where=session.where, number=number, reason=str(refusal))
            return None
        except DataError as error:
            self._malformed(session, error)
            return None

    async def _take_result(self, session: Session, result: Result) -> bool:
        """Deliver a result and those before it that were missed; False when it was delivered already."""
        if not result.is_new(self._position):
            return False
        await self._fetch_before(session, result)
        self._deliver(result)
        return True

    async def _fetch_before(self, session: Session, result: Result) -> None:
        """Ask for the results between the last delivered one and this."""
        numbers = result.missing_before(self._position, self.options.history)
        between = max(0, result.id - self._position.id - 1) if self._position else 0
        self.statistics.missing += between - len(numbers)
        for number in numbers:
            old = await self._old(session, number)
            if old is None:
                self.statistics.missing += 1
                continue
            self.statistics.fetched += 1
            self._deliver(old)

    def _deliver(self, result: Result) -> None:
        time_us = result.after(self._position)
        self._position = Position(result.id, time_us)
        self.statistics.results += 1
        if self._sink is not None:
            self._sink(result_rows(self._points, result, time_us))

    async def _run(self, session: Session, newest: Result | None) -> None:
        """Deliver up to the newest result that there was when the subscription began, then what comes."""
        if newest is not None:
            await self._take_result(session, newest)
        while True:
            message = await session.receive()
            try:
                await self._take(session, message)
            except DataError as error:
                self._malformed(session, error, message)
            if message.mid in _ACKNOWLEDGE and not message.no_ack:
                mid, data = _ACKNOWLEDGE[message.mid]
                session.send(mid, 1, data)

    async def _take(self, session: Session, message: Message) -> None:
        if message.mid == 61:
            result = Result.of(decode(message), self._zone, self._position, self._clock.now_us())
            if not await self._take_result(session, result):
                self.statistics.repeated += 1
        elif message.mid in (71, 76):
            self._take_alarm(decode(message))
        elif message.mid == 900:
            self._take_trace(message)
        elif message.mid != 74:
            self.statistics.unknown[message.mid] = self.statistics.unknown.get(message.mid, 0) + 1

    def _take_alarm(self, fields: Mapping[str, str]) -> None:
        moment = to_us(fields["alarm-time"], self._zone)
        words = f"{fields['alarm-code'].strip()} {fields.get('alarm-text', '').strip()}".strip()
        said = {**fields, "alarm": words if fields.get("alarm-active", "1") == "1" and words else "none"}
        rows = field_rows(self._points, said, moment or self._clock.now_us(), clock=moment is not None)
        if len(rows) and self._sink is not None:
            self._sink(rows)

    def _take_trace(self, message: Message) -> None:
        trace = decode_trace(message)
        moment = to_us(trace.time, self._zone)
        start = self._clock.now_us() if moment is None else moment
        quality = Quality.GOOD if moment is not None else Quality.UNCERTAIN_CLOCK
        rows = [field_rows(self._points, {"trace-result": trace.result}, start, clock=moment is not None)]
        times = start + np.round(trace.offsets).astype(np.int64)
        for point in self._points:
            if TRACES.get(point.address.item) == trace.kind:
                handles = np.full(len(times), point.handle, np.uint32)
                rows.append(SampleBatch.of(handles, times, trace.values, quality))
        batch = SampleBatch.concat(rows)
        if len(batch) and self._sink is not None:
            self._sink(batch)

    def _malformed(self, session: Session, error: DataError, message: Message | None = None) -> None:
        self.statistics.malformed += 1
        content = "" if message is None else message.text[:400]
        log.warning("a message cannot be read", where=session.where, reason=str(error), content=content)

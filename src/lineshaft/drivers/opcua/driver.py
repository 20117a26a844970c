"""The OPC UA drivers: one that polls, and one that is sent the changes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from lineshaft.clock import Clock, SystemClock
from lineshaft.drivers.base import Browsed, Driver, EventSink, Finding, Point, Sink, WavePoint
from lineshaft.drivers.opcua.alarms import REF as ALARMS
from lineshaft.drivers.opcua.alarms import Alarms
from lineshaft.drivers.opcua.browse import browse
from lineshaft.drivers.opcua.decode import Columns, decode_read
from lineshaft.drivers.opcua.diagnose import diagnose
from lineshaft.drivers.opcua.history import read_history
from lineshaft.drivers.opcua.options import OpcuaAddress, OpcuaConnection
from lineshaft.drivers.opcua.session import Session, SessionGone, typed_errors
from lineshaft.drivers.opcua.stack import ua
from lineshaft.drivers.opcua.status import BAD_NODE_ID_UNKNOWN
from lineshaft.drivers.opcua.subscription import Item, Subscription, SubscriptionStatistics
from lineshaft.drivers.opcua.trust import PKI, CertificateUnknown, TrustList
from lineshaft.drivers.opcua.watch import Watch
from lineshaft.drivers.opcua.waveform import read_waveform
from lineshaft.drivers.opcua.write import write
from lineshaft.errors import ConnectionFailed, DataError, PermanentError, Unsupported
from lineshaft.model.events import Event, Severity
from lineshaft.model.samples import Int64Array, SampleBatch, UInt32Array

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Points compiled against one session: the requests that read them, and the rows that no request asks for."""

    points: Sequence[Point]
    session: Session
    handles: UInt32Array
    requests: tuple[tuple[int, Any], ...]  # (place of its first row in `order`, request)
    order: tuple[int, ...]  # place in the requests -> index of the point
    unknown: tuple[int, ...]  # points whose namespace or id this server cannot have


class OpcuaPollingDriver:
    """Reads nodes in batches when it is asked."""

    def __init__(self, options: OpcuaConnection, clock: Clock | None = None) -> None:
        self.options = options
        self._clock: Clock = clock or SystemClock()
        self._session: Session | None = None
        self._plan: _Plan | None = None
        self._words: dict[int, str] = {}
        self._trust = TrustList(Path(options.pki_folder)) if options.pki_folder else None
        self._subject = ""
        self._emit: EventSink = lambda event: None
        self._told: set[str] = set()

    def keep_files(self, folder: Path) -> None:
        """Certificates are in pki/opcua below the data folder, unless the options name a folder."""
        if self._trust is None:
            self._trust = TrustList(folder / PKI)

    def emit_events(self, subject: str, sink: EventSink) -> None:
        """Unknown certificates, and with alarms: true the server's alarms, become events."""
        self._subject, self._emit = subject, sink

    async def connect(self) -> None:
        """Open the session. Raises ConnectionFailed, PeerTimeout or AccessDenied."""
        await self.close()
        self._session = await self._open()

    async def _open(self) -> Session:
        session = Session(self.options, self._trust)
        try:
            await session.open()
        except CertificateUnknown as error:
            self._tell_certificate(error)
            raise
        except BaseException:
            await session.close()
            raise
        return session

    async def close(self) -> None:
        """Close the session; never raises."""
        session, self._session, self._plan = self._session, None, None
        if session is not None:
            await session.close()

    async def read(self, points: Sequence[Point]) -> SampleBatch:
        """Read `points` once, times from the source."""
        session = self._open_session()
        plan = self._plan
        if plan is None or plan.points is not points or plan.session is not session:
            plan = self._plan = _compile(session, points)
        columns = await self._ask(plan)
        batch = columns.batch(plan.handles, self._clock.now_us())
        return batch.take(np.argsort(columns.refs)) if plan.unknown else batch

    async def _ask(self, plan: _Plan) -> Columns:
        """Rows of all points of a plan, refs being their indexes."""
        columns = Columns()
        async with typed_errors(self.options.url):
            for first, request in plan.requests:
                try:
                    count = decode_read(await plan.session.call(request), columns, first)
                except DataError as error:
                    raise ConnectionFailed(f"{self.options.url}: {error}") from error
                if count != len(request.Parameters.NodesToRead):
                    raise ConnectionFailed(
                        f"{self.options.url}: {count} values for {len(request.Parameters.NodesToRead)} nodes"
                    )
        columns.refs = [plan.order[ref] for ref in columns.refs]
        _add_unknown(columns, plan.unknown)
        self._tell_words(columns, plan.points)
        return columns

    async def read_waveform(self, point: WavePoint) -> SampleBatch:
        """See ReadsWaveforms."""
        async with typed_errors(self.options.url):
            return await read_waveform(self._open_session(), point, self._clock.now_us())

    async def write(self, point: Point, value: float | str) -> None:
        """Write one value (drivers.base.Writes)."""
        async with typed_errors(self.options.url):
            await write(self._open_session(), point.address, value)

    async def browse(self, parent: str = "") -> Sequence[Browsed]:
        """Objects and variables below `parent`; '' is the server's Objects folder."""
        async with typed_errors(self.options.url):
            return await browse(self._open_session(), parent)

    async def test_connection(self) -> Sequence[Finding]:
        """Say step by step why the server cannot be reached or read."""
        return await diagnose(self.options, self._trust)

    def _open_session(self) -> Session:
        session = self._session
        if session is None:
            raise ConnectionFailed(f"{self.options.url}: not connected")
        if session.lost.done():
            raise session.lost.result()
        return session

    def _tell_certificate(self, error: CertificateUnknown) -> None:
        """One event for each unknown certificate."""
        entry = error.entry
        if entry.thumbprint not in self._told:
            self._told.add(entry.thumbprint)
            details = {"thumbprint": entry.thumbprint, "certificate": entry.subject, "mend": error.hint}
            self._tell("opcua.certificate_unknown", str(error), Severity.HIGH, details)

    def _tell(self, kind: str, message: str, severity: Severity, details: Mapping[str, Any]) -> None:
        self._emit(Event(self._clock.now_us(), kind, self._subject, message, severity, details))

    def _tell_words(self, columns: Columns, points: Sequence[Point]) -> None:
        """Log why a node has no value, once per node and reason."""
        for row, word in columns.words.items():
            ref = columns.refs[row]
            if columns.statuses[row] >> 31 == 0 and self._words.get(points[ref].handle) != word:
                self._words[points[ref].handle] = word
                log.warning("node has no usable value", node=points[ref].address.node, reason=word)


class OpcuaDriver(OpcuaPollingDriver):
    """Is sent the changes of its nodes, also those that the server kept while the line was cut; can also be asked."""

    def __init__(self, options: OpcuaConnection, clock: Clock | None = None) -> None:
        super().__init__(options, clock)
        self.statistics = SubscriptionStatistics()
        self._running: asyncio.Task[None] | None = None
        self._watch: Watch | None = None
        self._alarms: Alarms | None = None
        self._subscription: Subscription | None = None
        self._parked: Session | None = None
        self._parked_until = 0.0

    def emit_events(self, subject: str, sink: EventSink) -> None:
        """See OpcuaPollingDriver."""
        super().emit_events(subject, sink)
        if self.options.alarms:
            self._alarms = Alarms(self.options.alarm_severity, sink, subject)

    async def connect(self) -> None:
        """Open a session, or take up the one that a cut line left. Raises as OpcuaPollingDriver.connect."""
        await self.close()
        parked = self._parked
        if parked is not None and self._clock.monotonic() > self._parked_until:
            parked = self._parked = None
        if parked is not None:
            try:
                await parked.reactivate()
            except (SessionGone, PermanentError):
                await parked.park()
                self._parked = None
            except BaseException:
                await parked.park()
                raise
            else:
                self._session, self._parked = parked, None
                return
        self._session = await self._open()

    async def subscribe(self, points: Sequence[Point], sink: Sink) -> None:
        """Watch `points`; a node that the server refuses gets one bad row and disturbs no other."""
        session, watch = self._open_session(), self._watch
        if watch is None or watch.points != points:
            watch, self._subscription = Watch(points, self._clock), None
        self._watch = watch
        watch.begin(sink)
        async with typed_errors(self.options.url):
            subscription = self._subscription
            if subscription is None or not await subscription.take_up(session):
                self._subscription = None
                subscription = Subscription(session, self, self.statistics)
                await subscription.create()
                await self._fill(subscription, watch)
                self._subscription = subscription
            if self._alarms is not None:
                refused = await self._alarms.refresh(session, subscription.id)
                if refused:
                    self._tell_once("opcua.alarms_refused", f"the server does not list its alarms: {refused}")
        self._running = session.needs(asyncio.create_task(subscription.run(), name="opcua-subscription"))

    async def _fill(self, subscription: Subscription, watch: Watch) -> None:
        """Add the items, and tell which the server refuses."""
        session, options, points = self._open_session(), self.options, watch.points
        items, unknown = [], []
        for ref, point in enumerate(points):
            node = session.node_id(point.address)
            if node is None:
                unknown.append(ref)
                continue
            wanted = point.interval if options.sampling_interval is None else options.sampling_interval
            items.append(Item(ref, node, wanted * 1000, options.queue_size, _deadband(point.address)))
        if self._alarms is not None:
            items.append(self._alarms.item())
        codes, plain = await subscription.watch(items)
        refused = Columns()
        _add_unknown(refused, unknown)
        for item, code in zip(items, codes, strict=True):
            if code and item.ref == ALARMS:
                self._tell_once("opcua.alarms_refused", f"the server gives no alarms: status 0x{code:08X}")
            elif code:
                _add_row(refused, item.ref, code)
        if refused.refs:
            log.warning(
                "nodes refused by the server",
                url=options.url,
                count=len(refused.refs),
                first=points[refused.refs[0]].address.node,
            )
            watch.take(refused)
        if plain:
            first = points[items[plain[0]].ref].address.node
            text = f"the server refuses the deadband of {len(plain)} nodes and sends every change; the first is {first}"
            self._tell_once("opcua.deadband_refused", text)

    def _tell_once(self, kind: str, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            log.warning(text, url=self.options.url)
            self._tell(kind, f"{self.options.url}: {text}", Severity.LOW, {})

    # -- what the subscription gives (subscription.Receiver)

    def take(self, columns: Columns) -> None:
        """See Receiver."""
        if self._watch is not None:
            if columns.words:
                self._tell_words(columns, self._watch.points)
            self._watch.take(columns)

    def take_events(self, bodies: Sequence[bytes]) -> None:
        """See Receiver."""
        if self._alarms is not None and self._session is not None:
            try:
                self._alarms.take(bodies, self._session, self._clock.now_us())
            except DataError as error:
                self.statistics.malformed += 1
                log.warning("event dropped", url=self.options.url, error=str(error))

    async def caught_up(self) -> None:
        """A subscription that was taken up sends nothing of what did not change: ask for that."""
        watch = self._watch
        refs = watch.silent() if watch is not None else []
        if watch is None or not refs:
            return
        plan = _compile(self._open_session(), [watch.points[ref] for ref in refs])
        columns = await self._ask(plan)
        columns.refs = [refs[ref] for ref in columns.refs]
        watch.take(columns)

    async def read_history(self, points: Sequence[Point], since: Int64Array, until: Int64Array, sink: Sink) -> None:
        """See ReadsHistory."""
        gap = self.options.history_gap
        if not gap:
            raise Unsupported("history_gap is 0")
        earliest = self._clock.now_us() - round(gap * 1e6)
        async with typed_errors(self.options.url):
            await read_history(self._open_session(), points, np.maximum(since, earliest), until, sink)

    async def wait_closed(self) -> None:
        """Wait until the connection is lost, then raise the reason."""
        session = self._session
        if session is None:
            raise ConnectionFailed(f"{self.options.url}: not connected")
        raise await asyncio.shield(session.lost)

    async def close(self) -> None:
        """Stop receiving; end the session, or leave it at the server when the line is cut. Never raises."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        session = self._session
        if session is not None and self._subscription is not None and session.lost.done():
            self._session, self._plan = None, None
            await session.park()
            self._parked, self._parked_until = session, self._clock.monotonic() + self.options.keep_session
            return
        if session is not None:
            self._subscription = None
        await super().close()


def create(options: OpcuaConnection) -> Driver:
    """The driver that the options ask for; only that of mode subscribe has `subscribe`."""
    return OpcuaDriver(options) if options.mode == "subscribe" else OpcuaPollingDriver(options)


def _deadband(address: OpcuaAddress) -> Any:
    """The filter of an item that has a deadband, else None."""
    if address.deadband is not None:
        kind, width = 1, address.deadband
    elif address.deadband_percent is not None:
        kind, width = 2, address.deadband_percent
    else:
        return None
    return ua.DataChangeFilter(Trigger=ua.DataChangeTrigger.StatusValue, DeadbandType=kind, DeadbandValue=width)


def _handles(points: Sequence[Point]) -> UInt32Array:
    return np.array([point.handle for point in points], np.uint32)


def _compile(session: Session, points: Sequence[Point]) -> _Plan:
    order, nodes, unknown = [], [], []
    for index, point in enumerate(points):
        node = session.node_id(point.address)
        if node is None:
            unknown.append(index)
        else:
            order.append(index)
            nodes.append(node)
    requests = []
    for first in range(0, len(nodes), session.nodes_per_read):
        part = nodes[first : first + session.nodes_per_read]
        request = ua.ReadRequest()
        request.Parameters.MaxAge = 0.0
        request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
        request.Parameters.NodesToRead = [ua.ReadValueId(NodeId=n, AttributeId=ua.AttributeIds.Value) for n in part]
        requests.append((first, request))
    return _Plan(points, session, _handles(points), tuple(requests), tuple(order), tuple(unknown))


def _add_unknown(columns: Columns, refs: Sequence[int]) -> None:
    for ref in refs:
        _add_row(columns, ref, BAD_NODE_ID_UNKNOWN)


def _add_row(columns: Columns, ref: int, status: int) -> None:
    columns.refs.append(ref)
    columns.values.append(float("nan"))
    columns.statuses.append(status)
    columns.ticks.append(0)

"""The OPC UA drivers: one that polls, and one that is sent the changes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from lineshaft.clock import Clock, SystemClock
from lineshaft.drivers.base import Browsed, Driver, EventSink, Finding, Point, Sink
from lineshaft.drivers.opcua.browse import browse
from lineshaft.drivers.opcua.decode import Columns, decode_read
from lineshaft.drivers.opcua.diagnose import diagnose
from lineshaft.drivers.opcua.options import OpcuaConnection
from lineshaft.drivers.opcua.session import Session, typed_errors
from lineshaft.drivers.opcua.stack import ua
from lineshaft.drivers.opcua.status import BAD_NODE_ID_UNKNOWN
from lineshaft.drivers.opcua.subscription import Item, Subscription, SubscriptionStatistics
from lineshaft.drivers.opcua.trust import PKI, CertificateUnknown, TrustList
from lineshaft.errors import ConnectionFailed, DataError
from lineshaft.model.events import Event, Severity
from lineshaft.model.samples import SampleBatch, UInt32Array

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
        columns = Columns()
        async with typed_errors(self.options.url):
            for first, request in plan.requests:
                try:
                    count = decode_read(await session.call(request), columns, first)
                except DataError as error:
                    raise ConnectionFailed(f"{self.options.url}: {error}") from error
                if count != len(request.Parameters.NodesToRead):
                    raise ConnectionFailed(
                        f"{self.options.url}: {count} values for {len(request.Parameters.NodesToRead)} nodes"
                    )
        columns.refs = [plan.order[ref] for ref in columns.refs]
        _add_unknown(columns, plan.unknown)
        self._tell_words(columns, points)
        batch = columns.batch(plan.handles, self._clock.now_us())
        return batch.take(np.argsort(columns.refs)) if plan.unknown else batch

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
    """Is sent the changes of its nodes; can also be asked."""

    def __init__(self, options: OpcuaConnection, clock: Clock | None = None) -> None:
        super().__init__(options, clock)
        self.statistics = SubscriptionStatistics()
        self._running: asyncio.Task[None] | None = None

    async def subscribe(self, points: Sequence[Point], sink: Sink) -> None:
        """Watch `points`; a node that the server refuses gets one bad row and disturbs no other."""
        session, options = self._open_session(), self.options
        handles = _handles(points)

        def deliver(columns: Columns) -> None:
            if columns.words:
                self._tell_words(columns, points)
            sink(columns.batch(handles, self._clock.now_us()))

        subscription = Subscription(session, deliver, self.statistics)
        items, unknown = [], []
        for ref, point in enumerate(points):
            node = session.node_id(point.address)
            if node is None:
                unknown.append(ref)
                continue
            wanted = point.interval if options.sampling_interval is None else options.sampling_interval
            items.append(Item(ref, node, wanted * 1000, options.queue_size))
        async with typed_errors(options.url):
            await subscription.create()
            codes = await subscription.watch(items)
        refused = Columns()
        _add_unknown(refused, unknown)
        for item, code in zip(items, codes, strict=True):
            if code:
                _add_row(refused, item.ref, code)
        if refused.refs:
            log.warning(
                "nodes refused by the server",
                url=options.url,
                count=len(refused.refs),
                first=points[refused.refs[0]].address.node,
            )
            sink(refused.batch(handles, self._clock.now_us()))
        self._running = asyncio.create_task(subscription.run(), name="opcua-subscription")

    async def wait_closed(self) -> None:
        """Wait until the connection is lost, then raise the reason."""
        session = self._session
        if session is None:
            raise ConnectionFailed(f"{self.options.url}: not connected")
        raise await asyncio.shield(session.lost)

    async def close(self) -> None:
        """Stop receiving and close the session; never raises."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
        await super().close()


def create(options: OpcuaConnection) -> Driver:
    """The driver that the options ask for; only that of mode subscribe has `subscribe`."""
    return OpcuaDriver(options) if options.mode == "subscribe" else OpcuaPollingDriver(options)


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

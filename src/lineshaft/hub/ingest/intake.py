"""The intake thread: takes messages apart, keeps the sessions of edge nodes, and hands rows to the commit thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import structlog
from numpy.typing import NDArray

from lineshaft.clock import Clock
from lineshaft.errors import DataError, StoreUnavailable
from lineshaft.hub.ingest import births
from lineshaft.hub.ingest.blocks import FrameRef, NoteRef, Part
from lineshaft.hub.ingest.commit import Committer
from lineshaft.hub.ingest.counters import Counters
from lineshaft.hub.ingest.frames import FrameLog, FrameState
from lineshaft.hub.ingest.inbox import Arrival, Inbox, Item, Signal
from lineshaft.hub.ingest.reports import Reporter
from lineshaft.hub.ingest.sequence import Order
from lineshaft.hub.ingest.session import UNKNOWN, NodeSession
from lineshaft.hub.ingest.told import Told
from lineshaft.hub.ports import Catalogue, LiveSink
from lineshaft.model.samples import SampleBatch, UInt32Array
from lineshaft.wire import names, topics
from lineshaft.wire.columns import Rows, decode_rows
from lineshaft.wire.notes import decode_notes
from lineshaft.wire.sparkplug import Metric, Payload, decode
from lineshaft.wire.topics import Message, Topic

HELD_MESSAGES: Final = 256
_IDLE: Final = 0.2  # seconds between looks at the timers
_AFTER_CONNECT: Final = 5.0  # seconds that a known node has to announce itself before it is asked to
_DATA: Final = frozenset({Message.NDATA, Message.DDATA})
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class IntakeSettings:
    """What the intake needs to know of the plant; times in seconds, sizes in bytes."""

    enterprise: str
    reorder_timeout: float = 2.0
    rebirth_interval: float = 10.0
    max_message: int = 16 * 1024 * 1024


class Intake:
    """Used by one thread, apart from what is passed in."""

    def __init__(
        self,
        settings: IntakeSettings,
        inbox: Inbox,
        committer: Committer,
        frames: FrameLog,
        catalogue: Catalogue,
        live: LiveSink,
        clock: Clock,
        counters: Counters,
        reporter: Reporter,
        ask_rebirth: Callable[[str, str], None],
        acknowledge: Callable[[FrameRef], None],
        told: Told,
    ) -> None:
        self._settings = settings
        self._inbox = inbox
        self._committer = committer
        self._frames = frames
        self._catalogue = catalogue
        self._live = live
        self._clock = clock
        self._counters = counters
        self._reporter = reporter
        self._send_rebirth = ask_rebirth
        self._acknowledge = acknowledge
        self._told = told
        self._sessions: dict[tuple[str, str], NodeSession] = {}
        self._received = 0.0  # when the message at hand came

    def run(self) -> None:
        """Handle items until the inbox is closed and empty."""
        next_look = 0.0
        while not self._inbox.closed:
            item = self._inbox.get(_IDLE)
            if item is not None:
                self._handle_safely(item)
            now = self._clock.monotonic()
            if now >= next_look:
                next_look = now + _IDLE
                self.tick(now)

    def _handle_safely(self, item: Item) -> None:
        try:
            self.handle(item)
        except Exception as error:  # noqa: BLE001 - the boundary of the engine: one odd message must not end the intake
            _log.exception("ingest: message failed", item=repr(item)[:200])
            self._reporter.reject("", "internal", repr(error))

    def listens(self, node: str) -> bool:
        """True while the gateway `node` (group/edge node) is there and takes requests; callable from any thread."""
        group, _, name = node.partition("/")
        session = self._sessions.get((group, name))
        return session is not None and session.born and session.takes_requests

    def handle(self, item: Item) -> None:
        """Take one item."""
        if item is Signal.LOST:
            self._lost()
        elif item is Signal.CONNECTED:
            due = self._clock.monotonic() + _AFTER_CONNECT
            for session in self._sessions.values():
                session.rebirth_due = due
        elif isinstance(item, Arrival):
            self._message(item, hold=True)

    def tick(self, now: float) -> None:
        """Look at the timers; `now` in monotonic seconds."""
        for session in self._sessions.values():
            since = session.sequence.gap_since
            if since is not None and now >= since + self._settings.reorder_timeout:
                session.sequence.forgive()
                self._release_held(session)
                self._rebirth(session, "messages are missing")
            if session.rebirth_due is not None and now >= session.rebirth_due:
                session.rebirth_due = None
                self._rebirth(session, "still not announced")

    def _message(self, item: Arrival, *, hold: bool) -> None:
        self._received = item.received
        try:
            topic = topics.parse(item.topic)
        except DataError as error:
            self._reporter.reject("", "topic", str(error))
            return
        session = self._sessions.get((topic.group, topic.node))
        if session is None:
            session = self._sessions[topic.group, topic.node] = NodeSession(topic.group, topic.node)
        size = item.size if item.payload is None else len(item.payload)
        if size > self._settings.max_message:
            self._reporter.reject(session.key, "size", f"{size} bytes on {item.topic}")
            session.sequence.resume()
            return
        if item.payload is None:
            self._counters.add(dropped_messages=1)
            session.sequence.resume()
            return
        if hold:
            self._counters.add(messages=1, message_bytes=len(item.payload))
        try:
            self._dispatch(session, topic, item, item.payload, hold)
        except DataError as error:
            self._reporter.reject(session.key, "malformed", f"{item.topic}: {error}")
            session.sequence.resume()
        except StoreUnavailable as error:
            self._reporter.reject(session.key, "store", str(error))
            session.born = False
            session.rebirth_due = self._clock.monotonic() + self._settings.rebirth_interval
        if session.held and session.sequence.gap_since is None:
            self._release_held(session)

    def _dispatch(self, session: NodeSession, topic: Topic, item: Arrival, payload: bytes, hold: bool) -> None:
        match topic.message:
            case Message.NDATA | Message.DDATA:
                self._data(session, topic, item, payload, hold)
            case Message.NBIRTH:
                self._node_birth(session, decode(payload))
            case Message.DBIRTH:
                self._device_birth(session, topic.device, decode(payload))
            case Message.NDEATH:
                self._node_death(session, decode(payload))
            case Message.DDEATH:
                self._device_death(session, topic.device, decode(payload))
            case _:
                pass  # commands, our own among them

    # --- births and deaths ------------------------------------------------------------------------------------------

    def _node_birth(self, session: NodeSession, payload: Payload) -> None:
        birth = births.read_birth(payload, self._settings.enterprise, session.group, session.node, "")
        if birth.bdseq != session.bdseq or not session.born:
            self._stale(session.signals())  # a new session: its devices are stale until they are born
        session.begin(birth, payload.seq)
        self._catalogue.register_equipment(birth.equipment)
        self._introduce(session, "", birth, payload)
        self._catalogue.source(session.key, "", "online", self._clock.now_us(), dict(birth.properties))

    def _device_birth(self, session: NodeSession, device: str, payload: Payload) -> None:
        if not session.born:
            self._rebirth(session, f"birth of {device} before that of its node")
            return
        self._in_sequence(session, payload.seq)
        birth = births.read_birth(payload, self._settings.enterprise, session.group, session.node, device)
        self._catalogue.register_equipment(birth.equipment)
        self._introduce(session, device, birth, payload)
        self._catalogue.source(session.key, device, "online", self._clock.now_us())

    def _introduce(self, session: NodeSession, device: str, birth: births.Birth, payload: Payload) -> None:
        ids = self._catalogue.register(birth.born)
        session.learn(device, birth, ids)
        values, metrics = births.present_values(birth, payload.timestamp, self._clock.now_us())
        if not len(values):
            return
        values = SampleBatch(ids[metrics], values.times, values.values, values.qualities, values.texts)
        if not session.acknowledges:  # a gateway's samples come in frames; of others, a birth may be all that we hear
            new = values.take(values.times > self._committer.newest.of(values.signals))
            self._committer.newest.raise_to(new)
            self._put_foreign(session, new, np.zeros(len(new), np.bool_))
        self._committer.mark(lambda: self._committer.publish(values))

    def _node_death(self, session: NodeSession, payload: Payload) -> None:
        if not session.born or births.bdseq_of(payload) != session.bdseq:
            return  # the late will of an older session
        devices = [device for device in session.devices if device]
        self._stale(session.die())
        now = self._clock.now_us()
        for device in devices:
            self._catalogue.source(session.key, device, "offline", now)
        self._catalogue.source(session.key, "", "offline", now)

    def _device_death(self, session: NodeSession, device: str, payload: Payload) -> None:
        self._in_sequence(session, payload.seq)
        signals = session.devices.pop(device, None)
        if signals is None:
            return
        now = self._clock.now_us() if payload.timestamp is None else payload.timestamp * 1000
        self._stale(signals, now)
        self._catalogue.source(session.key, device, "offline", now)

    def _lost(self) -> None:
        """The hub itself lost the broker: nothing is known for certain any more."""
        now = self._clock.now_us()
        for session in self._sessions.values():
            if not session.born:
                continue
            devices = list(session.devices)
            self._stale(session.die())
            for device in {"", *devices}:
                try:
                    self._catalogue.source(session.key, device, "stale", now)
                except StoreUnavailable as error:
                    _log.error("ingest: state of a source not stored", node=session.key, error=str(error))

    def _stale(self, signals: UInt32Array, now: int | None = None) -> None:
        """Say so at once, and again after the rows that are on their way, which would look alive otherwise."""
        if len(signals):
            moment = self._clock.now_us() if now is None else now
            self._live.stale(signals, moment)
            self._committer.mark(lambda: self._live.stale(signals, moment))

    # --- sequence and rebirth ---------------------------------------------------------------------------------------

    def _in_sequence(self, session: NodeSession, seq: int | None) -> None:
        match session.sequence.see(seq, self._clock.monotonic()):
            case Order.AHEAD:
                self._counters.add(sequence_gaps=1)
            case Order.REPEATED:
                self._counters.add(sequence_repeats=1)

    def _rebirth(self, session: NodeSession, why: str) -> None:
        """Ask a node to announce itself again, at most once per interval."""
        now = self._clock.monotonic()
        earliest = session.rebirth_asked + self._settings.rebirth_interval
        if now < earliest:
            session.rebirth_due = earliest
            return
        session.rebirth_asked = now
        session.rebirth_due = None
        self._counters.add(rebirths=1)
        _log.info("ingest: rebirth asked for", node=session.key, why=why)
        self._send_rebirth(session.group, session.node)

    def _release_held(self, session: NodeSession) -> None:
        held = list(session.held)
        session.held.clear()
        for item in held:
            self._message(item, hold=False)

    def _unresolved(self, session: NodeSession, item: Arrival, hold: bool, why: str) -> bool:
        """A message that no birth explains: the birth may be among those that are still missing, else ask for it.

        True when the message was put aside until then.
        """
        if hold and session.sequence.gap_since is not None and len(session.held) < HELD_MESSAGES:
            session.held.append(item)
            return True
        self._counters.reject(session.key, "unannounced")
        self._rebirth(session, why)
        return False

    # --- data -------------------------------------------------------------------------------------------------------

    def _data(self, session: NodeSession, topic: Topic, item: Arrival, payload: bytes, hold: bool) -> None:
        if not session.born:
            self._unresolved(session, item, False, "data before birth")
            return
        types = session.types_by_device.get(topic.device, {})
        header_alias = session.header_aliases.get(topic.device, session.header_aliases.get(""))
        rows = decode_rows(payload, session.types, header_alias, types)
        if hold:
            self._in_sequence(session, rows.seq)
        if topic.device and topic.device not in session.devices:
            self._unresolved(session, item, hold, f"data of {topic.device} before its birth")
            return
        ids = session.resolve(topic.device, rows.aliases, rows.names)
        known = ids != UNKNOWN
        if not known.all():
            put_aside = self._unresolved(session, item, hold, "a metric that no birth has named")
            if put_aside or rows.header is not None or not known.any():
                return
        note = self._notes(session, rows)
        if rows.header is None:
            if known.any():
                self._take_foreign(session, rows, ids, known)
            self._told.take(session.key, note)
        else:
            self._take_frames(session, topic.device, rows, ids, note)

    def _take_foreign(self, session: NodeSession, rows: Rows, ids: NDArray[np.int64], known: NDArray[np.bool_]) -> None:
        times = rows.times
        if rows.timestamp is None:
            times = np.where(times == 0, self._clock.now_us(), times)
        batch = SampleBatch(ids.astype(np.uint32), times, rows.values, rows.qualities, rows.texts, rows.waves)
        live = ~rows.historical
        if not known.all():
            batch, live = batch.take(known), live[known]
        self._committer.newest.raise_to(batch)
        self._put_foreign(session, batch, live)

    def _put_foreign(self, session: NodeSession, batch: SampleBatch, live: NDArray[np.bool_]) -> None:
        if len(batch) and not self._committer.put(Part(batch, live, self._received)):
            self._counters.add(dropped_foreign_rows=len(batch))
            self._reporter.event(session.key, "overload", f"{len(batch)} samples lost: the historian does not keep up")

    def _take_frames(
        self,
        session: NodeSession,
        device: str,
        rows: Rows,
        ids: NDArray[np.int64],
        note: str | None,
    ) -> None:
        header = rows.header
        if header is None:
            return
        numbers = header.frames.tolist()
        states = [self._frames.claim(session.key, header.epoch, number) for number in numbers]
        new = tuple(number for number, state in zip(numbers, states, strict=True) if state is FrameState.NEW)
        again = tuple(number for number, state in zip(numbers, states, strict=True) if state is FrameState.COMMITTED)
        if again:
            self._acknowledge(FrameRef(session.key, header.epoch, again))
        batch = SampleBatch(ids.astype(np.uint32), rows.times, rows.values, rows.qualities, rows.texts, rows.waves)
        highest = session.highest.get((device, header.epoch), 0)
        current = np.array([number >= highest for number in numbers], np.bool_)
        live = ~rows.historical & np.repeat(current, header.rows)
        if live.any():
            session.highest[device, header.epoch] = max(highest, *numbers)
        duplicates = np.empty(0, np.uint32)
        if len(new) < len(numbers):
            fresh = np.repeat(np.array([state is FrameState.NEW for state in states], np.bool_), header.rows)
            duplicates = batch.signals[~fresh]
            batch, live = batch.take(fresh), live[fresh]
        notes = NoteRef(session.key, note) if note is not None and new else None
        part = Part(batch, live, self._received, FrameRef(session.key, header.epoch, new), notes, duplicates)
        if not self._committer.put(part):
            self._frames.release(session.key, header.epoch, new)
            self._counters.add(dropped_messages=1)

    # --- notes ------------------------------------------------------------------------------------------------------

    def _notes(self, session: NodeSession, rows: Rows) -> str | None:
        """The text of a note in the message, checked; other metrics that are no samples are counted."""
        found: Metric | None = None
        for metric in rows.others:
            if metric.name == names.NOTE:
                found = metric
            else:
                self._counters.add(unsupported=1)
        if found is None:
            return None
        text = str(found.value or "[]")
        decode_notes(text)
        return text

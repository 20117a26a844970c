"""JSON over MQTT sessions: publishes at QoS 1; a frame is delivered when the broker has acknowledged all of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from lineshaft.errors import ConnectionFailed, LineshaftError
from lineshaft.gateway.frames import Frame
from lineshaft.gateway.uplinks.base import Deliveries, NodeContext, Throttled
from lineshaft.gateway.uplinks.messages import TOO_LARGE, Message, MessageMaker
from lineshaft.gateway.uplinks.mqtt import BrokerAccess, MqttConnection, PacketTooLarge, Will
from lineshaft.gateway.uplinks.rate import Rate
from lineshaft.wire.notes import StatusNote

log = structlog.get_logger(__name__)

SMALLEST: Final = 1_000
"""Bytes of a message below which a broker's bound is not followed any more."""
GROW_AFTER: Final = 3_600.0
"""Seconds after which messages that were made smaller are tried at twice their size."""
_FAREWELL: Final = 2.0
_HEADER: Final = 16
"""Bytes of an MQTT packet beside topic and payload."""


@dataclass(slots=True)
class _Sending:
    """One try to send a frame."""

    frame: int
    open: int  # messages that are not acknowledged


class Receipts:
    """Which frames of one session wait for which messages."""

    def __init__(self) -> None:
        self._messages: dict[int, list[_Sending]] = {}
        self._sizes: dict[int, int] = {}
        self._open: dict[int, _Sending] = {}  # the newest try of each frame
        self._too_large: dict[int, list[int]] = {}

    def expect(self, frames: Iterable[int], messages: Sequence[Message], too_large: dict[int, list[int]]) -> list[int]:
        """Begin with frames; gives those that need no message at all."""
        tries = {frame: _Sending(frame, 0) for frame in frames}
        for message in messages:
            for frame in message.frames:
                tries[frame].open += 1
        self._open |= tries
        self._too_large |= too_large
        return [frame for frame, sending in tries.items() if not sending.open]

    def sent(self, number: int, message: Message) -> None:
        """A message went out under this number."""
        self._sizes[number] = len(message.payload)
        self._messages[number] = [self._open[frame] for frame in message.frames if frame in self._open]

    def acknowledged(self, number: int) -> list[int]:
        """The broker has a message; gives the frames of which it has all now."""
        done = []
        self._sizes.pop(number, None)
        for sending in self._messages.pop(number, ()):
            sending.open -= 1
            if sending.open == 0 and sending.frame in self._open:
                done.append(sending.frame)
        return done

    def settle(self, frames: Iterable[int], deliveries: Deliveries) -> None:
        """Pass on what is delivered, and which rows of it never can be."""
        whole = []
        for frame in frames:
            del self._open[frame]
            rows = self._too_large.pop(frame, None)
            if rows is None:
                whole.append(frame)
            else:
                deliveries.refused(frame, rows, TOO_LARGE)
        if whole:
            deliveries.delivered(whole)

    def size(self, number: int) -> int:
        """Bytes of a message that is not acknowledged yet; 0 for an unknown one."""
        return self._sizes.get(number, 0)

    @property
    def next_size(self) -> int:
        """Bytes of the oldest message that is not acknowledged; 0 when all are."""
        return next(iter(self._sizes.values()), 0)


@dataclass(frozen=True, slots=True)
class Session:
    """How one session signs in."""

    access: BrokerAccess
    client_id: str
    keepalive: float
    will: Will | None = None


class JsonPublisher:
    """What all uplinks of JSON over MQTT do alike. A kind of uplink says how to sign in and how topics look."""

    def __init__(self, id_: str, node: NodeContext, maker: MessageMaker, rate: Rate) -> None:
        self.id = id_
        self.waiting = False
        self.deliveries: Deliveries
        """Set by the runtime before the first connect."""
        self.node = node
        self.maker = maker
        self.rate = rate
        self.connection: MqttConnection | None = None
        self._most = maker.max_bytes
        self._grow_at = 0.0
        self._largest = 0  # bytes of the largest message that was acknowledged
        self._suspicions = 0  # sessions in a row that ended when a message larger than that was the next
        self._receipts = Receipts()

    # -- what a kind of uplink says

    def session(self) -> Session:
        """How to sign in now. Raises ConfigError or AccessDenied."""
        raise NotImplementedError

    def topic(self, message: Message) -> str:
        """Where a message goes."""
        raise NotImplementedError

    async def opened(self, connection: MqttConnection) -> None:
        """Called with each new session, before anything is sent."""

    def received(self, topic: str, payload: bytes) -> None:
        """A message came in."""

    async def farewell(self, connection: MqttConnection) -> None:
        """Called before a session that works is closed: waits a moment for acknowledgements that are on their way."""
        await connection.flushed(_FAREWELL)

    def tell(self, status: StatusNote) -> None:
        """See Uplink.tell."""

    # -- session

    async def connect(self) -> int:
        """See Uplink.connect."""
        session = self.session()
        receipts = self._receipts = Receipts()

        def acknowledged(number: int) -> None:
            self._largest = max(self._largest, receipts.size(number))
            receipts.settle(receipts.acknowledged(number), self.deliveries)

        connection = MqttConnection(
            session.access, session.client_id, session.will, session.keepalive, self.received, acknowledged
        )
        self.connection = connection
        await connection.open()
        if connection.max_packet is not None:
            bound = max(SMALLEST, connection.max_packet - _HEADER - 256)
            self._most = min(self._most, bound)
            self.maker.max_bytes = min(self.maker.max_bytes, bound)
        await self.opened(connection)
        return self.node.last_frame()

    async def send(self, frames: Sequence[Frame], *, historical: bool) -> None:
        """See Uplink.send."""
        connection, receipts = self.connection, self._receipts
        if connection is None:
            raise ConnectionFailed("not connected")
        self._grow()
        messages = self.maker.make(frames, historical=historical)
        numbers = [frame.id for frame in frames]
        receipts.settle(receipts.expect(numbers, messages.made, messages.too_large), self.deliveries)
        for message in messages.made:
            topic = self.topic(message)
            await self.rate.take(len(topic) + len(message.payload))
            await connection.room()
            receipts.sent(connection.publish(topic, message.payload, qos=1, retain=message.retain), message)

    async def wait_closed(self) -> None:
        """See Uplink.wait_closed."""
        if self.connection is None:
            raise ConnectionFailed("not connected")
        await self.connection.wait_closed()

    def _learn(self, failure: LineshaftError | None) -> None:
        """A broker that cuts a busy session gets fewer messages, and smaller ones if their size may be the reason."""
        size = self._receipts.next_size
        if not size or not isinstance(failure, ConnectionFailed | Throttled):
            return
        self._suspicions = self._suspicions + 1 if size > self._largest else 0
        self._largest //= 2  # a bound may be newer than what was learnt of it
        if isinstance(failure, PacketTooLarge) or self._suspicions > 1:
            self.maker.max_bytes = max(SMALLEST, min(size, self.maker.max_bytes) // 2)
            self._grow_at = self.node.clock.monotonic() + GROW_AFTER
        if not isinstance(failure, PacketTooLarge):
            self.rate.slow_down()
        log.info("uplink.humbler", uplink=self.id, rate=self.rate.messages, message_bytes=self.maker.max_bytes)

    def _grow(self) -> None:
        now = self.node.clock.monotonic()
        if self.maker.max_bytes < self._most and now >= self._grow_at:
            self.maker.max_bytes = min(self._most, self.maker.max_bytes * 2)
            self._grow_at = now + GROW_AFTER

    async def close(self) -> None:
        """See Uplink.close."""
        connection, self.connection = self.connection, None
        if connection is None:
            return
        self._learn(connection.failure)
        try:
            if connection.alive:
                await self.farewell(connection)
        except LineshaftError:
            log.debug("uplink.no_goodbye", uplink=self.id)
        await connection.close()

    def idle(self) -> None:
        """See Uplink.idle."""

    def device_changed(self, device: str) -> None:
        """See Uplink.device_changed."""

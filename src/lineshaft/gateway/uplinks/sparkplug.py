"""The Sparkplug B edge node: births, deaths, data and commands over one MQTT connection (specification 3.0)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import structlog

from lineshaft.config.models import SparkplugUplink as SparkplugConfig
from lineshaft.errors import ConnectionFailed, DataError, LineshaftError
from lineshaft.gateway.cursor import replace_file
from lineshaft.gateway.frames import Frame, FrameKind
from lineshaft.gateway.uplinks.base import Deliveries, NodeContext
from lineshaft.gateway.uplinks.births import bdseq_metric, device_birth, mend_types, node_birth, note_metric
from lineshaft.gateway.uplinks.commands import own_command, plain_commands
from lineshaft.gateway.uplinks.mqtt import BrokerAccess, MqttConnection, Will
from lineshaft.gateway.uplinks.primary import PrimaryHost
from lineshaft.model.samples import SampleBatch, UInt8Array
from lineshaft.wire import names, topics
from lineshaft.wire.columns import encode_rows
from lineshaft.wire.frames import BatchHeader, UInt64Array, decode_ack
from lineshaft.wire.notes import AnswerNote, PipelineNote, StatusNote, encode_notes
from lineshaft.wire.sparkplug import Payload, decode, encode

log = structlog.get_logger(__name__)


class SparkplugUplink:
    """One edge node on one broker; implements Uplink.

    Every device of the plan is born with the node, so that a host knows all signals at once; a device that is
    offline dies as soon as nothing of it is left to send.
    """

    def __init__(
        self,
        config: SparkplugConfig,
        node: NodeContext,
        access: BrokerAccess,
        bdseq_file: Path,
    ) -> None:
        self.id = config.id
        self.waiting = False
        self.deliveries: Deliveries
        """Set by the runtime before the first connect."""
        self._config = config
        self._node = node
        self._plan = node.plan
        self._access = access
        self._bdseq_file = bdseq_file
        self._connection: MqttConnection | None = None
        self._born = False
        self._seq = 0
        self._alive: set[str] = set()
        self._changed: set[str] = set()  # devices whose state is to be looked at when nothing is left to send
        self._in_socket: dict[int, list[int]] = {}
        self._signals = {
            device.id: np.array([i for i, item in enumerate(node.plan.signals) if item.device == device.id], np.uint32)
            for device in node.plan.devices
        }
        self._devices = {device.id: device for device in node.plan.devices}
        self._aliases: UInt64Array = np.array([item.alias for item in node.plan.signals], np.uint64)
        self._types: UInt8Array = np.array([item.wire_type for item in node.plan.signals], np.uint8)

    # -- session

    async def connect(self) -> int:
        """See Uplink.connect. Waits as long as the primary host is offline."""
        plan = self._plan
        self._bdseq = self._next_bdseq()
        self._host = PrimaryHost()
        self._host_online = asyncio.Event()
        self._born = False
        self._in_socket.clear()
        death = Will(self._topic(topics.Message.NDEATH), self._death())
        client_id = f"{plan.site}/{plan.node}/{self.id}"
        connection = MqttConnection(
            self._access, client_id, death, self._config.keepalive, self._received, self._on_wire
        )
        self._connection = connection
        try:
            await connection.open()
        finally:
            if not connection.reached:
                self._keep_bdseq((self._bdseq - 1) % 256)  # no broker saw this number
        filters = [*topics.command_topics(plan.site, plan.node)]
        if self._config.primary_host:
            filters.append(topics.state(self._config.primary_host))
        await connection.subscribe(filters)
        if self._config.primary_host:
            self.waiting = True
            await self._wait_for_host(connection)
            self.waiting = False
        self._births()
        return self._node.last_frame()

    async def _wait_for_host(self, connection: MqttConnection) -> None:
        online = asyncio.ensure_future(self._host_online.wait())
        closed = asyncio.ensure_future(connection.wait_closed())
        try:
            await asyncio.wait((online, closed), return_when=asyncio.FIRST_COMPLETED)
            if closed.done():
                closed.result()
        finally:
            online.cancel()
            closed.cancel()

    def _next_bdseq(self) -> int:
        try:
            last = int(self._bdseq_file.read_text())
        except (OSError, ValueError):
            last = -1
        number = (last + 1) % 256
        self._keep_bdseq(number)
        return number

    def _keep_bdseq(self, number: int) -> None:
        try:
            replace_file(self._bdseq_file, str(number).encode())
        except OSError as error:
            log.warning("uplink.bdseq_not_kept", error=str(error))

    async def wait_closed(self) -> None:
        """See Uplink.wait_closed."""
        if self._connection is None:
            raise ConnectionFailed("not connected")
        await self._connection.wait_closed()

    async def close(self) -> None:
        """NDEATH, where there was a birth, then DISCONNECT."""
        connection, self._connection = self._connection, None
        self.waiting = False
        if connection is None:
            return
        if self._born:
            self._born = False
            try:
                connection.publish(self._topic(topics.Message.NDEATH), self._death(), qos=1)
                await connection.flushed(2.0)
            except LineshaftError:
                log.debug("uplink.no_goodbye", uplink=self.id)
        await connection.close()

    # -- births and deaths

    def _topic(self, message: topics.Message, device: str = "") -> str:
        return str(topics.Topic(self._plan.site, message, self._plan.node, device))

    def _now_ms(self) -> int:
        return self._node.clock.now_us() // 1000

    def _death(self) -> bytes:
        now = self._now_ms()
        return encode(Payload(now, None, (bdseq_metric(self._bdseq, now),)))

    def _next_seq(self) -> int:
        seq = self._seq
        self._seq = (seq + 1) % 256
        return seq

    def _publish(self, message: topics.Message, device: str, payload: bytes) -> int:
        if self._connection is None:
            raise ConnectionFailed("not connected")
        return self._connection.publish(self._topic(message, device), payload)

    def _births(self) -> None:
        now = self._now_ms()
        self._seq = 0
        self._alive.clear()
        metrics = node_birth(self._plan, self._bdseq, now, takes_requests=self._config.acknowledge)
        self._publish(topics.Message.NBIRTH, "", encode(Payload(now, self._next_seq(), metrics)))
        self._born = True
        for device in self._plan.devices:
            if device.enabled:
                self._birth(device.id)
        self._changed |= self._alive

    def _birth(self, device: str) -> None:
        now = self._now_ms()
        handles = self._signals[device]
        signals = [self._plan.signals[handle] for handle in handles]
        metrics = device_birth(signals, self._devices[device].batch_alias, self._node.view.last(handles), now)
        self._publish(topics.Message.DBIRTH, device, encode(Payload(now, self._next_seq(), metrics)))
        self._alive.add(device)
        self._changed.add(device)

    def idle(self) -> None:
        """Devices that are offline die now that nothing of them is left to send."""
        if not self._changed:
            return
        changed, self._changed = sorted(self._changed & self._alive), set()
        for device in changed:
            if self._node.view.device_state(device) == "offline":
                self._alive.discard(device)
                self._publish(topics.Message.DDEATH, device, encode(Payload(self._now_ms(), self._next_seq(), ())))

    def device_changed(self, device: str) -> None:
        """A device that came online is born, unless it still lives; one that is gone dies when the uplink is idle."""
        self._changed.add(device)
        try:
            if self._born and device not in self._alive and self._node.view.device_state(device) == "online":
                self._birth(device)
        except ConnectionFailed:
            log.debug("uplink.birth_later", device=device)

    # -- data

    async def send(self, frames: Sequence[Frame], *, historical: bool) -> None:
        """See Uplink.send."""
        if self._connection is None:
            raise ConnectionFailed("not connected")
        await self._connection.room()
        numbers = [frame.id for frame in frames]
        header = BatchHeader.of(self._node.epoch, numbers, [frame.rows for frame in frames])
        if frames[0].kind is FrameKind.NOTE:
            mid = self._send_note(frames[0].note, header)
        else:
            mid = self._send_rows(frames, header, historical)
        if not self._config.acknowledge:
            self._in_socket[mid] = numbers

    def _send_note(self, text: str, header: BatchHeader | None) -> int:
        """A note behind its header: two messages of protobuf laid end to end are one that has the fields of both."""
        now = self._now_ms()
        head = encode_rows(
            SampleBatch.empty(),
            np.empty(0, np.uint64),
            np.empty(0, np.uint8),
            timestamp=now,
            seq=self._next_seq(),
            header=header,
            header_alias=self._plan.batch_alias,
        )
        payload = head + note_metric(text, now)
        return self._publish(topics.Message.NDATA, "", payload)

    def _send_rows(self, frames: Sequence[Frame], header: BatchHeader, historical: bool) -> int:
        device = frames[0].device
        batch = SampleBatch.concat(frame.batch for frame in frames if frame.batch is not None)
        handles = self._node.handles[batch.signals]
        if device not in self._devices or bool((handles < 0).any()):
            raise DataError(f"frame {frames[0].id} holds signals that were never announced")
        types = self._types[handles]
        batch = mend_types(batch, types)
        if device not in self._alive:
            self._birth(device)
        payload = encode_rows(
            batch,
            self._aliases[handles],
            types,
            timestamp=self._now_ms(),
            seq=self._seq,
            historical=historical,
            header=header,
            header_alias=self._devices[device].batch_alias,
        )
        self._next_seq()
        return self._publish(topics.Message.DDATA, device, payload)

    def tell(self, status: StatusNote) -> None:
        """See Uplink.tell."""
        self._tell(status)

    def tell_pipeline(self, note: PipelineNote) -> None:
        """See TellsPipeline."""
        self._tell(note)

    def _tell(self, note: StatusNote | PipelineNote | AnswerNote) -> None:
        if self._born:
            try:
                self._send_note(encode_notes([note]), None)
            except ConnectionFailed:
                log.debug("uplink.status_not_sent", uplink=self.id)

    def _on_wire(self, mid: int) -> None:
        numbers = self._in_socket.pop(mid, None)
        if numbers is not None:
            self.deliveries.delivered(numbers)

    # -- commands

    def _received(self, topic: str, payload: bytes) -> None:
        try:
            if self._config.primary_host and topic == topics.state(self._config.primary_host):
                self._host.update(payload)
                self._host_changed()
            elif (parsed := topics.parse(topic)).message is topics.Message.NCMD:
                self._command(decode(payload))
            elif parsed.message is topics.Message.DCMD:
                plain_commands(decode(payload), parsed.device, self._node)
        except DataError as error:
            log.warning("uplink.malformed_message", topic=topic, error=str(error))
        except ConnectionFailed:
            log.debug("uplink.command_lost", topic=topic)

    def _host_changed(self) -> None:
        if self._host.online:
            self._host_online.set()
            return
        self._host_online.clear()
        if self._born and self._connection is not None:
            self._connection.fail(ConnectionFailed(f"the primary host '{self._config.primary_host}' is offline"))

    def _command(self, payload: Payload) -> None:
        for metric in payload.metrics:
            if metric.name == names.ACK and isinstance(metric.value, bytes):
                epoch, numbers = decode_ack(metric.value)
                if epoch == self._node.epoch:
                    self.deliveries.delivered(numbers.tolist())
            elif metric.name == names.REQUEST and isinstance(metric.value, bytes):
                self._requested(metric.value)
            elif metric.name == names.WRITE and self._config.acknowledge:  # else there is no hub behind this broker
                own_command(metric, self._node)
            elif metric.name == names.REBIRTH and metric.value is True and self._born:
                log.info("uplink.rebirth", uplink=self.id)
                self._births()
                self.deliveries.reborn(self._node.last_frame())

    def _requested(self, part: bytes) -> None:
        """Only a hub that acknowledges is ours; a foreign host has nothing to ask for."""
        if self._config.acknowledge:
            self._node.requests.take(part, self._tell)
        else:
            log.warning("uplink.foreign_request", uplink=self.id)

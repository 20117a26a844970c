"""Azure IoT Hub: JSON over MQTT 3.1.1 as one device, with tokens that are renewed in time and a device twin."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from lineshaft.config.uplinks import AzureIotUplink as AzureIotConfig
from lineshaft.errors import ConnectionFailed, DataError
from lineshaft.gateway.timing import event_or
from lineshaft.gateway.uplinks.access import Files
from lineshaft.gateway.uplinks.azure_sas import shared_access_signature
from lineshaft.gateway.uplinks.azure_twin import Twin
from lineshaft.gateway.uplinks.base import NodeContext, Renewal
from lineshaft.gateway.uplinks.messages import Message, MessageMaker
from lineshaft.gateway.uplinks.mqtt import BrokerAccess, MqttConnection
from lineshaft.gateway.uplinks.publisher import JsonPublisher, Session
from lineshaft.gateway.uplinks.rate import Rate
from lineshaft.wire import topics
from lineshaft.wire.notes import StatusNote

log = structlog.get_logger(__name__)

RENEW_AT: Final = 0.8
"""Part of a token's lifetime after which the session goes on with a new one."""
_ENVELOPE: Final = 1_024
"""Bytes of a message that are left for the hub's own properties."""


class AzureIotUplink(JsonPublisher):
    """One device of one hub. A token holds for a connection, so a new one means a new connection, at once."""

    def __init__(self, config: AzureIotConfig, node: NodeContext, files: Files) -> None:
        properties = sum(len(name) + 3 * len(value) for name, value in config.properties.items())
        maker = MessageMaker(config, node, "batch", config.max_message - _ENVELOPE - properties, retain=False)
        super().__init__(config.id, node, maker, Rate(node.clock, config.max_rate))
        self._config = config
        self._files = files
        self._device = config.device or node.plan.node
        self._renew_at: float | None = None
        self._twin: Twin | None = None

    def session(self) -> Session:
        """See JsonPublisher. The key is read each time, so that a changed one is used."""
        config = self._config
        password = ""
        self._renew_at = None
        if config.key_file:
            key = self._files.secret(config.key_file, "key file")
            expiry = int(self.node.clock.now_us() / 1e6 + config.token_lifetime)
            password = shared_access_signature(f"{config.hub}/devices/{self._device}", key, expiry)
            self._renew_at = self.node.clock.monotonic() + config.token_lifetime * RENEW_AT
        access = BrokerAccess(
            config.hub,
            config.port,
            topics.azure_username(config.hub, self._device, config.api_version),
            password,
            tls=True,
            **self._files.tls(config.tls),
        )
        return Session(access, self._device, config.keepalive)

    def topic(self, message: Message) -> str:
        """See JsonPublisher. Content type and encoding let the hub route by what is in the body."""
        properties = {
            "$.mid": message.name,
            "$.ct": "application/json",
            "$.ce": "utf-8",
            "kind": message.kind,
            **self._config.properties,
        }
        return topics.azure_events(self._device, properties)

    async def opened(self, connection: MqttConnection) -> None:
        """Follow the twin."""
        self._twin = None
        if self._config.twin:
            await connection.subscribe([topics.TWIN_ANSWERS, topics.TWIN_DESIRED])
            self._twin = Twin(lambda topic, payload: connection.publish(topic, payload), self._wish)
            self._twin.begin()

    def _wish(self, max_rate: float | None) -> None:
        self.rate.set(self._config.max_rate if max_rate is None else max_rate)

    def received(self, topic: str, payload: bytes) -> None:
        """See JsonPublisher."""
        try:
            if self._twin is not None:
                self._twin.received(topic, payload)
        except DataError as error:
            log.warning("uplink.malformed_message", topic=topic, error=str(error))
        except ConnectionFailed:
            log.debug("uplink.twin_lost", uplink=self.id)

    def tell(self, status: StatusNote) -> None:
        """See Uplink.tell."""
        try:
            if self._twin is not None and self.connection is not None and self.connection.alive:
                self._twin.tell(status, self.id, self.node.clock.monotonic())
        except ConnectionFailed:
            log.debug("uplink.status_not_sent", uplink=self.id)

    async def wait_closed(self) -> None:
        """See Uplink.wait_closed. Ends by itself, in time before the token does."""
        closed = asyncio.Event()
        watch = asyncio.ensure_future(self._watch(closed))
        try:
            if not await event_or(self.node.clock, closed, self._renew_at) and self.connection is not None:
                self.connection.fail(Renewal("the access token is about to expire"))
            await watch
        finally:
            watch.cancel()

    async def _watch(self, closed: asyncio.Event) -> None:
        try:
            await super().wait_closed()
        finally:
            closed.set()

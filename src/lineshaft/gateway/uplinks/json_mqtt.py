"""JSON over MQTT in a unified namespace: topics follow the equipment tree, one value, asset or batch to a message."""

from __future__ import annotations

from lineshaft.config.uplinks import MqttJsonUplink as MqttJsonConfig
from lineshaft.gateway.uplinks.access import Files
from lineshaft.gateway.uplinks.base import NodeContext
from lineshaft.gateway.uplinks.messages import Message, MessageMaker
from lineshaft.gateway.uplinks.mqtt import BrokerAccess, MqttConnection, Will
from lineshaft.gateway.uplinks.publisher import JsonPublisher, Session
from lineshaft.gateway.uplinks.rate import Rate
from lineshaft.wire import topics
from lineshaft.wire.json import dump


class MqttJsonUplink(JsonPublisher):
    """One broker. `<gateway>/status` is retained and says whether the gateway is there; the will keeps it true."""

    def __init__(self, config: MqttJsonConfig, node: NodeContext, files: Files) -> None:
        maker = MessageMaker(config, node, config.layout, config.max_message, retain=config.retain)
        super().__init__(config.id, node, maker, Rate(node.clock, config.max_rate))
        self._config = config
        self._files = files

    def session(self) -> Session:
        """See JsonPublisher."""
        config = self._config
        access = BrokerAccess.parse(
            config.broker,
            user=config.user,
            password=self._files.secret(config.password_file, "password file"),
            version=config.version,
            **self._files.tls(config.tls),
        )
        plan = self.node.plan
        will = Will(self._status_topic(), dump({"online": False}), retain=True)
        return Session(access, f"{plan.site}/{plan.node}/{self.id}", config.keepalive, will)

    def topic(self, message: Message) -> str:
        """See JsonPublisher."""
        return topics.unified(self._config.prefix, message.place, "events" if message.kind == "events" else "")

    def _status_topic(self) -> str:
        return topics.unified(self._config.prefix, self.node.place, "status")

    def _status(self, online: bool) -> bytes:
        return dump({**self.maker.writer.time(self.node.clock.now_us()), "online": online})

    async def opened(self, connection: MqttConnection) -> None:
        """Say that the gateway is there."""
        connection.publish(self._status_topic(), self._status(True), qos=1, retain=True)

    async def farewell(self, connection: MqttConnection) -> None:
        """Say that it goes."""
        connection.publish(self._status_topic(), self._status(False), qos=1, retain=True)
        await super().farewell(connection)

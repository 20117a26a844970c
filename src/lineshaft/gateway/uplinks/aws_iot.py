"""AWS IoT Core: JSON over MQTT 3.1.1 with the certificate of a thing, below the quotas of the service."""

from __future__ import annotations

from typing import Final

from lineshaft.config.uplinks import AwsIotUplink as AwsIotConfig
from lineshaft.errors import DataError
from lineshaft.gateway.uplinks.access import Files
from lineshaft.gateway.uplinks.base import NodeContext
from lineshaft.gateway.uplinks.messages import Message, MessageMaker
from lineshaft.gateway.uplinks.mqtt import BrokerAccess
from lineshaft.gateway.uplinks.publisher import JsonPublisher, Session
from lineshaft.gateway.uplinks.rate import Rate
from lineshaft.wire import topics

ALPN: Final = "x-amzn-mqtt-ca"
"""What port 443 asks for, so that the service knows MQTT with a certificate from HTTPS."""
BYTES_PER_SECOND: Final = 512 * 1024
"""The service's quota of one connection."""


class AwsIotUplink(JsonPublisher):
    """One thing. The TLS handshake names the endpoint (SNI), because the service finds the account by it."""

    def __init__(self, config: AwsIotConfig, node: NodeContext, files: Files) -> None:
        maker = MessageMaker(config, node, config.layout, config.max_message, retain=False)
        super().__init__(config.id, node, maker, Rate(node.clock, config.max_rate, BYTES_PER_SECOND))
        self._config = config
        self._files = files

    def session(self) -> Session:
        """See JsonPublisher."""
        config = self._config
        alpn = config.alpn or (ALPN if config.port == 443 else "")
        access = BrokerAccess(config.endpoint, config.port, tls=True, alpn=alpn, **self._files.tls(config.tls))
        return Session(access, config.thing or self.node.plan.node, config.keepalive)

    def topic(self, message: Message) -> str:
        """See JsonPublisher. Raises DataError for a topic that the service does not take."""
        topic = topics.unified(self._config.prefix, message.place, "events" if message.kind == "events" else "")
        problem = topics.aws_problem(topic)
        if problem:
            raise DataError(f"the topic {topic} has {problem}")
        return topic

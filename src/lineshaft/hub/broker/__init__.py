"""The embedded MQTT broker, and the accounts that it and any other broker can use."""

from lineshaft.hub.broker.accounts import (
    PASSWORDS,
    Account,
    edge_account,
    ensure_credentials,
    foreign_account,
    hub_account,
    load_hashes,
    mosquitto_acl,
    sensor_account,
)
from lineshaft.hub.broker.server import Admitted, BrokerSettings, EmbeddedBroker, serve_broker

__all__ = [
    "PASSWORDS",
    "Account",
    "Admitted",
    "BrokerSettings",
    "EmbeddedBroker",
    "edge_account",
    "ensure_credentials",
    "foreign_account",
    "hub_account",
    "load_hashes",
    "mosquitto_acl",
    "sensor_account",
    "serve_broker",
]

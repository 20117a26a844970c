"""MQTT in: JSON of any broker's topics; paho is imported when the first driver is made."""

from __future__ import annotations

from lineshaft.drivers.base import Driver, DriverSpec
from lineshaft.drivers.mqtt.options import MqttAddress, MqttConnection


def _create(connection: MqttConnection) -> Driver:
    from lineshaft.drivers.mqtt.driver import MqttDriver

    return MqttDriver(connection)


SPEC = DriverSpec(
    name="mqtt",
    title="MQTT (JSON topics)",
    connection=MqttConnection,
    address=MqttAddress,
    create=_create,
    push=True,
    silence=3600.0,
    docs="guide/drivers/mqtt.md",
    waveforms="bare",
)

"""The kinds of uplink that come along, and what each needs to be made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from lineshaft.config.uplinks import AwsIotUplink, AzureIotUplink, HttpsUplink, MqttJsonUplink, UplinkConfig
from lineshaft.errors import ConfigError
from lineshaft.gateway.plan import Plan
from lineshaft.gateway.uplinks import aws_iot, azure_iot, https, json_mqtt
from lineshaft.gateway.uplinks.access import Files
from lineshaft.gateway.uplinks.base import NodeContext, Uplink
from lineshaft.wire import topics

UPLINKS: Final[dict[type, Callable[[Any, NodeContext, Files], Uplink]]] = {
    MqttJsonUplink: json_mqtt.MqttJsonUplink,
    HttpsUplink: https.HttpsUplink,
    AwsIotUplink: aws_iot.AwsIotUplink,
    AzureIotUplink: azure_iot.AzureIotUplink,
}
"""Keys of an uplink -> the uplink; Sparkplug, which may use the plant's own broker, is made by the runtime."""


def problems(config: UplinkConfig, plan: Plan, files: Files) -> list[str]:
    """What is wrong with an uplink, found before anything connects: unreadable files, topics that do not fit."""
    found = []
    for key, what in (("password_file", "password file"), ("token_file", "token file"), ("key_file", "key file")):
        try:
            files.secret(getattr(config, key, ""), what)
        except ConfigError as error:
            found.append(str(error))
    if isinstance(config, AwsIotUplink):
        found += _aws_topics(config, plan)
    return found


def _aws_topics(config: AwsIotUplink, plan: Plan) -> list[str]:
    if config.layout == "signal":
        places = [planned.signal.path for planned in plan.signals]
    elif config.layout == "asset":
        places = [planned.signal.asset for planned in plan.signals]
    else:
        places = [f"{plan.enterprise}/{plan.device_path(device.id)}" for device in plan.devices]
    wrong = [
        f"uplink {config.id}: the topic {topic} has {problem}; choose layout: batch or a shorter prefix"
        for place in dict.fromkeys(places)
        if (problem := topics.aws_problem(topic := topics.unified(config.prefix, place)))
    ]
    return wrong[:5]

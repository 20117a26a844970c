"""A pysparkplug client that prints, as JSON lines, what it understands of one edge node."""

from __future__ import annotations

import json
import sys

from pysparkplug import Client, Message, QoS, Topic


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def show(_client: Client, message: Message) -> None:
    """Called for each message of the edge node."""
    found = {}
    for metric in getattr(message.payload, "metrics", ()):
        value = metric.value.hex() if isinstance(metric.value, bytes) else metric.value
        found[metric.name] = [int(metric.datatype), value, metric.timestamp, metric.is_null]
    kind = str(message.topic).split("/")[2]
    say(json.dumps({"kind": kind, "device": message.topic.device_id, "metrics": found}))


def main() -> None:
    client = Client()
    client.subscribe(Topic.from_str("spBv1.0/north/+/gw/#"), QoS.AT_LEAST_ONCE, show)
    client.connect("127.0.0.1", port=int(sys.argv[1]), callback=lambda _: say("{}"))
    sys.stdin.read()
    client.disconnect()


main()

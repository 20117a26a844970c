"""An IoT hub's contract, recomputed: user name, token, topics, sizes, twin."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from tests.gateway.uplinks.gate import NOT_AUTHORIZED, Connect, Publish, Rate

MESSAGE = 256 * 1024
USER = re.compile(r"^(?P<hub>[^/]+)/(?P<device>[^/]+)/\?api-version=(?P<version>\d{4}-\d{2}-\d{2})$")


@dataclass
class Hub:
    """One hub with one device. `now` gives UTC microseconds."""

    now: Callable[[], int]
    name: str = "localhost"
    device: str = "gw"
    key: str = base64.b64encode(b"a key of 32 bytes for one device").decode()
    certificates: bool = False
    speed: float = 1.0
    alpn: str = ""
    rate: Rate = field(default_factory=lambda: Rate(100))
    desired: dict[str, Any] = field(default_factory=lambda: {"$version": 1})
    reported: list[dict[str, Any]] = field(default_factory=list)
    properties: list[dict[str, str]] = field(default_factory=list)
    expiries: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def connect(self, packet: Connect, certificate: str) -> int:
        problem = self._identity(packet, certificate)
        if problem:
            self.problems.append(problem)
        return NOT_AUTHORIZED if problem else 0

    def _identity(self, packet: Connect, certificate: str) -> str:
        user = USER.match(packet.user)
        if user is None or (user["hub"], user["device"]) != (self.name, self.device):
            return f"user name {packet.user}"
        if user["version"] != "2021-04-12":
            return f"api-version {user['version']}"
        if packet.client_id != self.device or packet.level != 4 or not 0 < packet.keepalive <= 1177:
            return "client id, protocol or keep-alive"
        if self.certificates:
            return "" if certificate == self.device and not packet.password else "certificate"
        return self._token(packet.password)

    def _token(self, token: str) -> str:
        kind, _, rest = token.partition(" ")
        words = dict(part.split("=", 1) for part in rest.split("&") if "=" in part)
        if kind != "SharedAccessSignature" or not {"sr", "sig", "se"} <= set(words) or "skn" in words:
            return "no token"
        if unquote(words["sr"]).lower() != f"{self.name}/devices/{self.device}".lower():
            return f"token for {unquote(words['sr'])}"
        text = f"{words['sr']}\n{words['se']}".encode()
        signature = base64.b64encode(hmac.new(base64.b64decode(self.key), text, hashlib.sha256).digest()).decode()
        if quote(signature, safe="") != words["sig"]:
            return "wrong signature"
        if int(words["se"]) * 1_000_000 <= self.now():
            return "expired token"
        self.expiries.append(int(words["se"]))
        return ""

    def until(self, packet: Connect) -> float | None:
        return None if self.certificates else (self.expiries[-1] - self.now() / 1e6) / self.speed

    def publish(self, packet: Publish) -> str:
        if packet.qos > 1 or packet.retain:
            return "QoS 2 or retain"
        if packet.topic.startswith("$iothub/twin/"):
            return ""
        head = f"devices/{self.device}/messages/events/"
        if not packet.topic.startswith(head):
            return f"topic {packet.topic}"
        bag = packet.topic.removeprefix(head)
        if re.search(r"[+#/\s]", bag):
            return f"property bag {bag}"
        if len(packet.payload) + len(bag) > MESSAGE:
            return "too large"
        if self.rate.exceeded():
            return "too fast"
        self.properties.append(dict(parse_qsl(bag, keep_blank_values=True)))
        return ""

    def subscribe(self, filters: list[str]) -> str:
        allowed = {"$iothub/twin/res/#", "$iothub/twin/PATCH/properties/desired/#"}
        return "" if set(filters) <= allowed else f"filters {filters}"

    def answer(self, packet: Publish) -> list[tuple[str, bytes]] | None:
        request = packet.topic.rpartition("?$rid=")[2]
        if packet.topic.startswith("$iothub/twin/GET/?$rid="):
            twin = {"desired": self.desired, "reported": {"$version": len(self.reported) + 1}}
            return [(f"$iothub/twin/res/200/?$rid={request}", json.dumps(twin).encode())]
        if packet.topic.startswith("$iothub/twin/PATCH/properties/reported/?$rid="):
            self.reported.append(json.loads(packet.payload))
            return [(f"$iothub/twin/res/204/?$rid={request}&$version={len(self.reported) + 1}", b"")]
        return None

    def state(self) -> dict[str, Any]:
        """The reported properties, merged."""
        merged: dict[str, Any] = {}
        for part in list(self.reported):
            merged |= part["lineshaft"]
        return {name: value for name, value in merged.items() if value is not None}

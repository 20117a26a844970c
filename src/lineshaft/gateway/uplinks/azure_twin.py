"""The device twin of an Azure IoT Hub: what the gateway reports in it, and which wishes it follows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog

from lineshaft import __version__
from lineshaft.errors import DataError
from lineshaft.wire import topics
from lineshaft.wire.json import dump
from lineshaft.wire.notes import StatusNote

log = structlog.get_logger(__name__)

SECTION: Final = "lineshaft"
"""The key in reported and desired properties that is ours; others are left alone."""
REPORT_PAUSE: Final = 30.0
"""Seconds between two reports of a changing state: twin operations have quotas of their own."""

BEHIND: Final = 100_000
"""Samples that wait for the uplink from which on it counts as behind."""

_STATES: Final = ("online", "degraded", "offline", "starting", "disabled")


@dataclass(frozen=True, slots=True)
class Wishes:
    """Desired properties, checked, and the answer to each as the hub's convention has it."""

    max_rate: float | None
    answers: dict[str, Any]


def read_wishes(document: Any, version: int) -> Wishes:
    """Take desired properties apart. Raises DataError when they are no mapping."""
    if not isinstance(document, Mapping):
        raise DataError("desired properties are not a mapping")
    ours = document.get(SECTION)
    answers: dict[str, Any] = {}
    max_rate: float | None = None
    for name, value in ours.items() if isinstance(ours, Mapping) else ():
        if value is None:  # taken back
            answers[name] = None
        elif name != "max_rate":
            answers[name] = _answer(value, 404, version, "unknown; known: max_rate")
        elif isinstance(value, bool) or not isinstance(value, int | float) or not 0.1 <= value <= 10_000:
            answers[name] = _answer(value, 400, version, "must be messages a second, 0.1 to 10000")
        else:
            max_rate = float(value)
            answers[name] = _answer(value, 200, version, "in use")
    return Wishes(max_rate, answers)


def _answer(value: Any, code: int, version: int, words: str) -> dict[str, Any]:
    return {"value": value, "ac": code, "av": version, "ad": words}


class Twin:
    """One session's view of the twin. `publish(topic, payload)` sends; `set_rate` follows a wish."""

    def __init__(self, publish: Callable[[str, bytes], object], set_rate: Callable[[float | None], None]) -> None:
        self._publish = publish
        self._set_rate = set_rate
        self._request = 0
        self._get = 0
        self._version = 0
        self._reported: dict[str, Any] = {}
        self._report_at = -REPORT_PAUSE

    def begin(self) -> None:
        """Ask for the wishes, and say who is there."""
        self._get = self._next()
        self._publish(topics.twin_get(self._get), b"")
        self._send({"version": __version__, "state": "online"})

    def _next(self) -> int:
        self._request += 1
        return self._request

    def _send(self, properties: dict[str, Any]) -> None:
        self._publish(topics.twin_report(self._next()), dump({SECTION: properties}))

    def received(self, topic: str, payload: bytes) -> None:
        """A message about the twin came. Raises DataError for a malformed one."""
        about = topics.parse_twin(topic)
        if about.status and about.request != self._get:
            if about.status >= 300:
                log.warning("uplink.twin_refused", status=about.status)
            return
        if about.status >= 300:
            log.warning("uplink.twin_unreadable", status=about.status)
            return
        try:
            document = json.loads(payload)
            desired = document["desired"] if about.status else document
            version = int(desired.get("$version", about.version))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise DataError(f"malformed twin: {payload[:100]!r}") from error
        if about.status or version > self._version:  # an answer is the whole truth, a change may come late
            self._version = version
            self._follow(read_wishes(desired, version), whole=bool(about.status))

    def _follow(self, wishes: Wishes, *, whole: bool) -> None:
        if whole or "max_rate" in wishes.answers:
            self._set_rate(wishes.max_rate)
        if wishes.answers:
            self._send(wishes.answers)

    def tell(self, status: StatusNote, uplink: str, now: float) -> None:
        """Report the state when it has changed, at most every REPORT_PAUSE seconds. now: monotonic seconds."""
        devices = Counter(device.state for device in status.devices)
        own = next((one for one in status.uplinks if one.id == uplink), None)
        state = {
            "devices": {name: devices.get(name) for name in _STATES},  # none takes a number back
            "dropped": status.buffer.dropped_rows,
            "disk_full": status.buffer.disk_full,
            "behind": own is not None and own.pending_rows > BEHIND,
        }
        if state != self._reported and now >= self._report_at + REPORT_PAUSE:
            self._reported, self._report_at = state, now
            self._send(state)

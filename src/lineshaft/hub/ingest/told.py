"""Notes that are only worth something now: how a gateway does, and its answers to what it was asked."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

import structlog

from lineshaft.errors import StoreUnavailable
from lineshaft.hub.ports import AnswerSink, Catalogue, SourceState
from lineshaft.wire.notes import AnswerNote, DeviceState, StatusNote, decode_notes

_STATES: Final[dict[DeviceState, SourceState]] = {
    "starting": "stale",
    "online": "online",
    "degraded": "degraded",
    "offline": "offline",
    "disabled": "offline",
}
_log = structlog.get_logger(__name__)


class Told:
    """Used by the intake thread."""

    def __init__(self, catalogue: Catalogue, answers: AnswerSink) -> None:
        self._catalogue = catalogue
        self._answers = answers

    def take(self, node: str, text: str | None) -> None:
        """Notes of `node` (group/edge node) that came without a frame. Raises DataError for a malformed one."""
        for note in () if text is None else decode_notes(text):
            if isinstance(note, AnswerNote):
                self._answers.answered(node, note.data)
            elif isinstance(note, StatusNote):
                try:
                    self._status(node, note)
                except StoreUnavailable as error:  # the next one comes soon
                    _log.warning("ingest: status not stored", node=node, error=str(error))

    def _status(self, node: str, note: StatusNote) -> None:
        uplinks = {uplink.id: asdict(uplink) for uplink in note.uplinks}
        details = {"version": note.version, "buffer": asdict(note.buffer), "uplinks": uplinks}
        if note.config is not None:
            details["config"] = asdict(note.config)
        state: SourceState = "degraded" if note.buffer.disk_full else "online"
        self._catalogue.source(node, "", state, note.time, details)
        for device in note.devices:
            self._catalogue.source(node, device.id, _STATES[device.state], device.since, asdict(device))

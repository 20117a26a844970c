"""Notes that are only worth something now: how a gateway does, and its answers to what it was asked."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

import structlog

from lineshaft.errors import StoreUnavailable
from lineshaft.hub.ports import AnswerSink, Catalogue, PipelineSink, SourceState
from lineshaft.wire.notes import AnswerNote, DeviceState, PipelineNote, StatusNote, UplinkStatus, decode_notes

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

    def __init__(self, catalogue: Catalogue, answers: AnswerSink, pipelines: PipelineSink) -> None:
        self._catalogue = catalogue
        self._answers = answers
        self._pipelines = pipelines
        self._drained: dict[tuple[str, str], tuple[int, int, float]] = {}  # (node, uplink) -> time, rows, rows a second

    def take(self, node: str, text: str | None) -> None:
        """Notes of `node` (group/edge node) that came without a frame. Raises DataError for a malformed one."""
        for note in () if text is None else decode_notes(text):
            if isinstance(note, AnswerNote):
                self._answers.answered(node, note.data)
            elif isinstance(note, PipelineNote):
                self._pipelines.told(node, note)
            elif isinstance(note, StatusNote):
                try:
                    self._status(node, note)
                except StoreUnavailable as error:  # the next one comes soon
                    _log.warning("ingest: status not stored", node=node, error=str(error))

    def _status(self, node: str, note: StatusNote) -> None:
        uplinks = {
            uplink.id: {**asdict(uplink), "drain_rate": round(self._drain_rate(node, uplink, note.time), 1)}
            for uplink in note.uplinks
        }
        details: dict[str, Any] = {"version": note.version, "buffer": asdict(note.buffer), "uplinks": uplinks}
        details["steps"] = [asdict(step) for step in note.steps]
        if note.config is not None:
            details["config"] = asdict(note.config)
        state: SourceState = "degraded" if note.buffer.disk_full else "online"
        self._catalogue.source(node, "", state, note.time, details)
        for device in note.devices:
            self._catalogue.source(node, device.id, _STATES[device.state], device.since, asdict(device))

    def _drain_rate(self, node: str, uplink: UplinkStatus, time: int) -> float:
        """Rows a second that the uplink got acknowledged between the last two statuses."""
        before, rows, rate = self._drained.get((node, uplink.id), (time, uplink.acknowledged_rows, 0.0))
        if time > before:  # a status with many devices comes in parts, all of one time
            rate = max(0, uplink.acknowledged_rows - rows) * 1e6 / (time - before)
        if time != before or rows == uplink.acknowledged_rows:
            self._drained[node, uplink.id] = (time, uplink.acknowledged_rows, rate)
        return rate

"""Notes: what a gateway tells the hub beside samples, as JSON in the String metric `Lineshaft/Note`.

The metric's value is a JSON list of objects; `type` says which of the classes below it is:

    {"type": "event",  "time": us, "kind": "device.offline", "subject": path, "message": text, "severity": word,
                       "details": {...}}
    {"type": "ledger", "epoch": hex, "frame": id, "totals": {signal path: rows}}
    {"type": "drops",  "epoch": hex, "drops": [[signal path, rows, first us, last us, reason], ...]}
    {"type": "status", "time": us, "version": text, "devices": [{...}], "buffer": {...}, "uplinks": [{...}],
                       "steps": [{...}], "config": {...}}
    {"type": "write", "id": hex, "time": us, "signal": path, "outcome": word, "message": text, "hint": text,
                      "value": v, "before": v, "after": v, "dry_run": bool, "user": name, "reason": text, "via": word}
    {"type": "pipeline", "time": us, "steps": [name, ...],
                       "signals": {signal path: [rows in, rows out, [[step, dropped, changed], ...]]}}
    {"type": "answer", "data": a part of the answer to a request (wire/requests.py), base64}

Events, ledger, drops and results of writes go through the disk buffer and are acknowledged like samples (their
NDATA carries `Lineshaft/Batch`). A status, a pipeline note and an answer are only worth something now: they are sent
as they are, without a batch, and never repeated.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from lineshaft.errors import DataError
from lineshaft.model.events import Event, Severity

WriteOutcome: TypeAlias = Literal["done", "dry-run", "refused", "failed", "unconfirmed"]
"""refused: nothing was sent to the device; failed: the device said no or the line broke; unconfirmed: it was written,
but the value that was read back is another."""
DeviceState: TypeAlias = Literal["starting", "online", "degraded", "offline", "disabled"]


@dataclass(frozen=True, slots=True)
class LedgerNote:
    """How many samples of each signal ever entered the buffer, up to and including `frame` of its `epoch`.

    Only signals whose total changed since the last report are listed, and a long report comes as several notes.
    """

    epoch: str  # 32 hex digits
    frame: int
    totals: Mapping[str, int]  # signal path -> rows, cumulative within the epoch


@dataclass(frozen=True, slots=True)
class DroppedRows:
    """Samples of one signal that were removed before they could be delivered."""

    signal: str  # signal path
    rows: int
    first: int  # UTC microseconds
    last: int
    reason: str  # some words: 'buffer size', 'buffer age', 'disk full', 'cannot be sent'


@dataclass(frozen=True, slots=True)
class DropNote:
    """What went lost from the buffer; written before the data are removed."""

    epoch: str  # 32 hex digits
    drops: tuple[DroppedRows, ...]


@dataclass(frozen=True, slots=True)
class EventNote:
    """One event that happened on the gateway."""

    event: Event


@dataclass(frozen=True, slots=True)
class WriteNote:
    """What became of a command to write a value; see wire.writes."""

    id: str
    time: int  # UTC microseconds
    signal: str  # signal path
    outcome: WriteOutcome
    message: str  # one sentence for people
    value: float | str  # what was to be written
    user: str
    reason: str
    hint: str = ""
    before: float | str | None = None  # read from the device before the write
    after: float | str | None = None  # read back behind it
    dry_run: bool = False
    via: str = "hub"  # hub, or sparkplug for a plain command of another host


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """How one device does."""

    id: str
    state: DeviceState
    since: int  # UTC microseconds at which the state began
    last_value: int | None = None  # UTC microseconds of the newest good poll or push
    rate: float = 0.0  # rows a second from the device, mean over the last status interval
    polls: int = 0
    late: int = 0  # polls that were skipped because the one before was not done
    failures: int = 0
    rows: int = 0  # rows that the device gave since the start
    kept: int = 0  # rows that went on to the buffer after filtering
    duration: float = 0.0  # seconds that the last poll took
    error: str = ""  # words of the last error while it stands
    hint: str = ""  # what a person can do about it
    name: str = ""  # what people call the device
    protocol: str = ""  # title of its driver: 'Modbus TCP'
    broken_bursts: int = 0  # waveforms since the start that were none
    burst_error: str = ""  # why the last of them was none


@dataclass(frozen=True, slots=True)
class BufferStatus:
    """How full the disk buffer is. Rows and bytes count what is not delivered everywhere."""

    rows: int = 0
    bytes: int = 0
    max_bytes: int = 0
    oldest: int | None = None  # UTC microseconds at which the oldest undelivered frame was written
    dropped_rows: int = 0  # since the buffer was made
    disk_full: bool = False


@dataclass(frozen=True, slots=True)
class UplinkStatus:
    """How one way out does."""

    id: str
    state: Literal["connecting", "waiting", "online", "offline"]  # waiting: the primary host is not online
    since: int
    pending_rows: int = 0
    sent_rows: int = 0
    acknowledged_rows: int = 0
    resent_frames: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class StepStatus:
    """What one step of the edge pipeline did to the signals of one kind since the start."""

    name: str
    kind: str  # measure, counter, state ...
    rows_in: int = 0
    rows_out: int = 0
    changed: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class SignalPipeline:
    """What the edge pipeline did to one signal since the start; steps that did nothing are left out."""

    rows_in: int
    rows_out: int
    dropped: Mapping[str, int] = field(default_factory=dict)  # step -> rows
    changed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PipelineNote:
    """What happened to each signal in the edge pipeline. With many signals it comes in parts."""

    time: int  # UTC microseconds
    signals: Mapping[str, SignalPipeline]  # signal path -> figures


ConfigState: TypeAlias = Literal["settled", "trying", "rolled-back"]


@dataclass(frozen=True, slots=True)
class ConfigStatus:
    """Which configuration the gateway runs.

    trying: a pushed one runs, and its devices must come up; rolled-back: the last pushed one was taken back.
    """

    digest: str  # of the plant folder, 64 hex digits
    state: ConfigState = "settled"
    version: str = ""  # the id that the hub gave to what was pushed last, '' for none
    words: str = ""  # why it was rolled back, or what is still missing
    since: int = 0  # UTC microseconds at which the state began


@dataclass(frozen=True, slots=True)
class StatusNote:
    """How the gateway does now. With many devices it comes in parts, each with other devices."""

    time: int  # UTC microseconds
    devices: tuple[DeviceStatus, ...] = ()
    buffer: BufferStatus = field(default_factory=BufferStatus)
    uplinks: tuple[UplinkStatus, ...] = ()
    version: str = ""
    steps: tuple[StepStatus, ...] = ()
    config: ConfigStatus | None = None


@dataclass(frozen=True, slots=True)
class AnswerNote:
    """A part of the answer to a request of the hub."""

    data: bytes


Note: TypeAlias = EventNote | LedgerNote | DropNote | StatusNote | PipelineNote | AnswerNote | WriteNote


def encode_notes(notes: Sequence[Note]) -> str:
    """JSON text of the metric's value."""
    return json.dumps([_to_json(note) for note in notes], separators=(",", ":"), ensure_ascii=False)


def decode_notes(text: str) -> tuple[Note, ...]:
    """Notes in their order; unknown types and keys are skipped, so that an older hub reads a newer gateway.

    Raises DataError when the text is not what `encode_notes` makes.
    """
    try:
        items = json.loads(text)
        return tuple(note for item in items if (note := _from_json(item)) is not None)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f"malformed note: {error!r}") from error


def _to_json(note: Note) -> dict[str, Any]:
    match note:
        case EventNote(event):
            return {
                "type": "event",
                "time": event.time,
                "kind": event.kind,
                "subject": event.subject,
                "message": event.message,
                "severity": event.severity.value,
                "details": dict(event.details),
            }
        case LedgerNote(epoch, frame, totals):
            return {"type": "ledger", "epoch": epoch, "frame": frame, "totals": dict(totals)}
        case DropNote(epoch, drops):
            rows = [[drop.signal, drop.rows, drop.first, drop.last, drop.reason] for drop in drops]
            return {"type": "drops", "epoch": epoch, "drops": rows}
        case StatusNote():
            return {"type": "status", **asdict(note)}
        case AnswerNote(data):
            return {"type": "answer", "data": base64.b64encode(data).decode()}
        case WriteNote():
            return {"type": "write", **asdict(note)}
        case PipelineNote(time, signals):
            steps = list(dict.fromkeys(name for one in signals.values() for name in (*one.dropped, *one.changed)))
            return {
                "type": "pipeline",
                "time": time,
                "steps": steps,
                "signals": {path: _figures(one, steps) for path, one in signals.items()},
            }


def _from_json(item: dict[str, Any]) -> Note | None:
    match item["type"]:
        case "event":
            severity = Severity(item["severity"])
            details = dict(item.get("details") or {})
            event = Event(int(item["time"]), item["kind"], item["subject"], item["message"], severity, details)
            return EventNote(event)
        case "ledger":
            totals = {str(path): int(rows) for path, rows in item["totals"].items()}
            return LedgerNote(item["epoch"], int(item["frame"]), totals)
        case "drops":
            drops = (DroppedRows(path, int(n), int(a), int(b), reason) for path, n, a, b, reason in item["drops"])
            return DropNote(item["epoch"], tuple(drops))
        case "status":
            return StatusNote(
                int(item["time"]),
                tuple(DeviceStatus(**_known(DeviceStatus, device)) for device in item["devices"]),
                BufferStatus(**_known(BufferStatus, item["buffer"])),
                tuple(UplinkStatus(**_known(UplinkStatus, uplink)) for uplink in item["uplinks"]),
                str(item.get("version", "")),
                tuple(StepStatus(**_known(StepStatus, step)) for step in item.get("steps") or ()),
                ConfigStatus(**_known(ConfigStatus, item["config"])) if item.get("config") else None,
            )
        case "write":
            if item["outcome"] not in get_args(WriteOutcome):
                raise ValueError(f"unknown outcome {item['outcome']!r}")
            return WriteNote(**_known(WriteNote, item))
        case "pipeline":
            steps = [str(name) for name in item["steps"]]
            return PipelineNote(
                int(item["time"]), {path: _signal_pipeline(one, steps) for path, one in item["signals"].items()}
            )
        case "answer":
            return AnswerNote(base64.b64decode(item["data"], validate=True))
        case _:
            return None


def _figures(one: SignalPipeline, steps: Sequence[str]) -> list[Any]:
    """[in, out, [[number of the step, dropped, changed], ...]]: short, because there are many signals."""
    touched = [name for name in steps if name in one.dropped or name in one.changed]
    did = [[steps.index(name), one.dropped.get(name, 0), one.changed.get(name, 0)] for name in touched]
    return [one.rows_in, one.rows_out, did]


def _signal_pipeline(item: Sequence[Any], steps: Sequence[str]) -> SignalPipeline:
    rows_in, rows_out, did = item
    dropped = {steps[step]: int(n) for step, n, _ in did if n}
    changed = {steps[step]: int(n) for step, _, n in did if n}
    return SignalPipeline(int(rows_in), int(rows_out), dropped, changed)


def _known(kind: type[Any], item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name in kind.__dataclass_fields__}

"""The gateway's own page as HTML and JSON: pure functions of what the gateway says of itself."""

from __future__ import annotations

import base64
import hashlib
import html
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from lineshaft.model.events import Event
from lineshaft.model.samples import CLASS_MASK, GOOD_CLASS, Quality
from lineshaft.wire.notes import StatusNote

STYLE: Final = (
    "body{font:15px/1.45 system-ui,sans-serif;margin:0;padding:16px;max-width:1100px;color:#1b2126;background:#f5f6f7}"
    "h1{font-size:20px;margin:0}h2{font-size:16px;margin:24px 0 6px}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:4px 12px 4px 0;border-bottom:1px solid #ccd1d6;vertical-align:top}"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}.m{color:#4e5963}.bad{color:#b3001b;font-weight:600}"
    "div{overflow-x:auto}a{color:#0b5fa5}"
    "@media(prefers-color-scheme:dark){body{color:#e8ecef;background:#14181b}th,td{border-color:#343d44}"
    ".m{color:#a7b1ba}.bad{color:#ff6b6b}a{color:#6db7ff}}"
)
STYLE_HASH: Final = "sha256-" + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
REFRESH: Final = 5
"""Seconds after which the browser asks again."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One signal: its last reported value."""

    device: str
    path: str
    value: str
    unit: str
    quality: int
    time: int  # UTC microseconds, 0 for never
    rows_in: int
    rows_out: int
    dropped: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that the page shows."""

    node: str
    now: int  # UTC microseconds
    status: StatusNote
    events: Sequence[Event]  # newest first
    values: Sequence[Shown]


def as_json(snapshot: Snapshot) -> dict[str, Any]:
    """The same for programs."""
    events = [
        {"time": one.time, "kind": one.kind, "subject": one.subject, "message": one.message} for one in snapshot.events
    ]
    values = [{**asdict(one), "dropped": dict(one.dropped)} for one in snapshot.values]
    return {
        "node": snapshot.node,
        "time": snapshot.now,
        "status": asdict(snapshot.status),
        "events": events,
        "values": values,
    }


def page(snapshot: Snapshot, device: str = "") -> str:
    """The whole page; with a device also the values of its signals."""
    status = snapshot.status
    parts = [
        f"<h1>{_text(snapshot.node)}</h1><p class=m>Lineshaft {_text(status.version)}, as of "
        f"{_age(snapshot.now, status.time)} ago. This page only shows; it is made anew every {REFRESH} s.</p>",
        _buffer(snapshot),
        _devices(snapshot, device),
    ]
    if device:
        parts.append(_values(snapshot, device))
    parts += [_steps(snapshot), _events(snapshot)]
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<meta http-equiv=refresh content={REFRESH}><title>{_text(snapshot.node)}</title><style>{STYLE}</style>"
        f"<body>{''.join(parts)}</body></html>"
    )


def _buffer(snapshot: Snapshot) -> str:
    buffer, now = snapshot.status.buffer, snapshot.now
    oldest = "-" if buffer.oldest is None else _age(now, buffer.oldest)
    words = (
        f"{buffer.rows:,} values wait ({buffer.bytes / 1e6:.1f} of {buffer.max_bytes / 1e6:.0f} MB), the oldest for "
        f"{oldest}; {buffer.dropped_rows:,} were dropped since the buffer was made."
    )
    full = "<p class=bad>The disk is full.</p>" if buffer.disk_full else ""
    rows = [
        (
            _text(one.id),
            _state(one.state, one.state == "online", _age(now, one.since)),
            _number(one.pending_rows),
            _number(one.acknowledged_rows),
            _text(one.error),
        )
        for one in snapshot.status.uplinks
    ]
    heads = ("Way out", "State", "#Waiting", "#Delivered", "Error")
    return f"<h2>Buffer</h2><p>{words}</p>{full}{_table(heads, rows)}"


def _devices(snapshot: Snapshot, chosen: str) -> str:
    now = snapshot.now
    rows = []
    for one in snapshot.status.devices:
        name = _text(one.name or one.id)
        link = f"<b>{name}</b>" if one.id == chosen else f"<a href='/?device={_text(one.id)}'>{name}</a>"
        error = f"<span class=bad>{_text(one.error)}</span> {_text(one.hint)}" if one.error else ""
        last = "-" if one.last_value is None else f"{_age(now, one.last_value)} ago"
        state = _state(one.state, one.state == "online", _age(now, one.since))
        rows.append((link, state, last, f"{one.rate:.1f}/s", _number(one.failures), error))
    return "<h2>Devices</h2>" + _table(("Device", "State", "Last value", "#Rate", "#Failures", "Error"), rows)


def _values(snapshot: Snapshot, device: str) -> str:
    rows = []
    for one in snapshot.values:
        if one.device != device:
            continue
        good = one.quality & CLASS_MASK == GOOD_CLASS
        quality = "good" if good else f"<span class=bad>{_quality(one.quality)}</span>"
        age = f"{_age(snapshot.now, one.time)} ago" if one.time else "never"
        dropped = ", ".join(f"{name} {count:,}" for name, count in one.dropped.items())
        value = f"{_text(one.value)} {_text(one.unit)}"
        rows.append((_text(one.path), value, quality, age, _number(one.rows_in), _number(one.rows_out), _text(dropped)))
    heads = ("Signal", "#Value", "Quality", "Reported", "#In", "#Sent", "Dropped by step")
    return f"<h2>Values of {_text(device)}</h2>{_table(heads, rows)}"


def _steps(snapshot: Snapshot) -> str:
    sums: dict[str, list[int]] = {}
    for one in snapshot.status.steps:
        total = sums.setdefault(one.name, [0, 0, 0, 0])
        for place, count in enumerate((one.rows_in, one.changed, one.dropped, one.rows_out)):
            total[place] += count
    rows = [(_text(name), *map(_number, total)) for name, total in sums.items()]
    return "<h2>Steps</h2>" + _table(("Step", "#In", "#Changed", "#Dropped", "#Out"), rows)


def _events(snapshot: Snapshot) -> str:
    rows = [
        (f"{_age(snapshot.now, one.time)} ago", _text(one.severity), _text(one.message), _text(one.subject))
        for one in snapshot.events
    ]
    return "<h2>Last events</h2>" + _table(("When", "Severity", "What", "Where"), rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A head that begins with # is that of a column of numbers."""
    numeric = [head.startswith("#") for head in heads]
    cells = "".join(
        f"<th{' class=n' if right else ''}>{head.removeprefix('#')}</th>"
        for head, right in zip(heads, numeric, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td{' class=n' if right else ''}>{cell}</td>" for cell, right in zip(row, numeric, strict=True))
        for row in rows
    )
    return f"<div><table><tr>{cells}</tr>{body}</table></div>" if body else "<p class=m>None.</p>"


def _state(word: str, good: bool, age: str) -> str:
    return f"<span{'' if good else ' class=bad'}>{_text(word)}</span> <span class=m>for {age}</span>"


def _quality(code: int) -> str:
    """'bad communication' for BAD_COMMUNICATION."""
    known = {int(one): one.name.lower().replace("_", " ") for one in Quality}
    return known.get(code, f"quality {code}")


def _text(value: object) -> str:
    return html.escape(str(value))


def _number(value: int) -> str:
    return f"{value:,}"


def _age(now: int, then: int) -> str:
    seconds = max(0.0, (now - then) / 1e6)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def number_text(value: float, text: str | None) -> str:
    """A value as the page shows it."""
    if text is not None:
        return text
    return "-" if math.isnan(value) else f"{value:.6g}"

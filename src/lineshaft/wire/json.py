"""The JSON codec: samples, events and drop records as objects that need no knowledge of Lineshaft.

One sample is `{"timestamp": "2026-01-02T03:04:05.000006Z", "value": 1.5, "quality": "good", "unit": "kW"}`, or with
`timestamp_ms` in place of `timestamp`. A batch names each sample's `signal` (its path) and says by `epoch`, `frame` and
`row` which sample of which gateway it is, so that a receiver can tell repeated ones.

A burst of fast samples has `value` (its RMS) and `"waveform": {"rate": 25600.0, "speed": 1480.0, "encoding": "int16le",
"scale": 0.01, "offset": 0, "total": 8192, "data": "<base64>"}`; one that is too long for a message comes in pieces.
"""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from lineshaft.model.equipment import Datatype, Signal
from lineshaft.model.samples import Int64Array, SampleBatch, quality_word
from lineshaft.model.waveforms import Waveform
from lineshaft.wire.notes import DropNote, EventNote, Note
from lineshaft.wire.waveforms import ENCODINGS, wave_bytes

Value: TypeAlias = str | int | float | bool | None
_WORDS: Final = tuple(quality_word(quality) for quality in range(256))
_WHOLE: Final = frozenset(Datatype) - {Datatype.BOOLEAN, Datatype.FLOAT, Datatype.DOUBLE, Datatype.STRING}
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class JsonForm:
    """What a sample says, and how it writes time."""

    timestamps: Literal["iso", "ms"] = "iso"
    quality: bool = True
    unit: bool = True
    state: bool = False


def dump(document: Any) -> bytes:
    """UTF-8 of a JSON document; half a surrogate pair becomes '?'. Raises ValueError for NaN."""
    return _encode(document).encode("utf-8", "replace")


class SampleWriter:
    """Turns rows into objects. `signals` are the plan's signals: a row's handle is an index in them."""

    def __init__(self, signals: Sequence[Signal], form: JsonForm) -> None:
        self._form = form
        self._values = [_reader(signal.datatype) for signal in signals]
        self._units = [signal.unit if form.unit else "" for signal in signals]
        self._states = [dict(signal.states) if form.state else {} for signal in signals]

    def objects(self, batch: SampleBatch, handles: Int64Array) -> Iterator[dict[str, Any]]:
        """One object per row of `batch`; `handles` (int64) gives each row's signal."""
        name, times = self._times(batch.times)
        texts = [None] * len(batch) if batch.texts is None else batch.texts.tolist()
        waves = [None] * len(batch) if batch.waves is None else batch.waves.tolist()
        columns = zip(
            handles.tolist(), times, batch.values.tolist(), batch.qualities.tolist(), texts, waves, strict=True
        )  # fmt: skip
        for handle, time, number, quality, text, wave in columns:
            value = self._values[handle](number, text)
            one: dict[str, Any] = {name: time, "value": value}
            if self._form.quality:
                one["quality"] = _WORDS[quality]
            if self._units[handle]:
                one["unit"] = self._units[handle]
            if self._states[handle] and (word := self._states[handle].get(_state_key(value))) is not None:
                one["state"] = word
            if wave is not None:
                one["waveform"] = _wave(wave)
            yield one

    def time(self, time_us: int) -> dict[str, str | int]:
        """One time, as a sample has it."""
        name, times = self._times(np.array([time_us], np.int64))
        return {name: times[0]}

    def _times(self, times: Int64Array) -> tuple[str, list[Any]]:
        if self._form.timestamps == "ms":
            return "timestamp_ms", (times // 1000).tolist()
        return "timestamp", np.datetime_as_string(times.astype("datetime64[us]"), timezone="UTC").tolist()

    def notes(self, notes: Iterable[Note]) -> Iterator[dict[str, Any]]:
        """Events and drop records; what only the hub understands is left out."""
        for note in notes:
            match note:
                case EventNote(event):
                    yield {
                        "type": "event",
                        **self.time(event.time),
                        "kind": event.kind,
                        "subject": event.subject,
                        "message": event.message,
                        "severity": event.severity.value,
                        "details": {name: _finite(value) for name, value in event.details.items()},
                    }
                case DropNote(epoch, drops):
                    for drop in drops:
                        yield {
                            "type": "dropped",
                            "signal": drop.signal,
                            "samples": drop.rows,
                            "first": next(iter(self.time(drop.first).values())),
                            "last": next(iter(self.time(drop.last).values())),
                            "reason": drop.reason,
                            "epoch": epoch,
                        }


def _wave(wave: Waveform) -> dict[str, Any]:
    return {
        "rate": wave.rate,
        **({} if wave.speed is None else {"speed": wave.speed}),
        "encoding": ENCODINGS[wave.samples.dtype.name],
        "scale": wave.scale,
        "offset": wave.offset,
        "total": wave.total,
        "data": b64encode(wave_bytes(wave)).decode(),
    }


def _finite(value: Value) -> Value:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _reader(datatype: Datatype) -> Callable[[float, str | None], Value]:
    if datatype is Datatype.BOOLEAN:
        return _boolean
    return _whole if datatype in _WHOLE else _number


def _number(number: float, text: str | None) -> Value:
    if text is not None:
        return text
    return number if math.isfinite(number) else None


def _boolean(number: float, text: str | None) -> Value:
    if text is not None:
        return text
    return number != 0 if math.isfinite(number) else None


def _whole(number: float, text: str | None) -> Value:
    if text is not None:
        return int(text) if len(text) <= 20 and text.removeprefix("-").isdecimal() else text
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() else number


def _state_key(value: Value) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some items joined to the inside of a JSON list or to lines, and which they are."""

    body: bytes
    first: int
    count: int


def chunks(items: Iterable[bytes], most: int, joint: bytes = b",") -> tuple[list[Chunk], list[int]]:
    """Join items in their order to pieces of at most `most` bytes; also the positions of items that are too large."""
    made: list[Chunk] = []
    too_large: list[int] = []
    part: list[bytes] = []
    size = first = 0
    for position, item in enumerate(items):
        if part and (size + len(joint) + len(item) > most):
            made.append(Chunk(joint.join(part), first, len(part)))
            part, size = [], 0
        if len(item) > most:
            too_large.append(position)
            continue
        if part and position != first + len(part):  # one between was too large
            made.append(Chunk(joint.join(part), first, len(part)))
            part, size = [], 0
        if not part:
            first = position
        size += len(item) + (len(joint) if part else 0)
        part.append(item)
    if part:
        made.append(Chunk(joint.join(part), first, len(part)))
    return made, too_large

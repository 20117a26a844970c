"""What a birth certificate says: signals with their paths, aliases and present values. A function of the payload."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from lineshaft.errors import DataError
from lineshaft.hub.ports import BornSignal
from lineshaft.model.equipment import Datatype, Equipment, Level, Limits, Signal, SignalKind, valid_id
from lineshaft.model.samples import Quality, SampleBatch
from lineshaft.wire import names
from lineshaft.wire.equipment import decode_equipment
from lineshaft.wire.sparkplug import SCALAR, Metric, Payload, SparkplugType, datatype_of
from lineshaft.wire.waveforms import WAVEFORM

MAX_ALIAS: Final = 1 << 20
"""Aliases index a table; a birth with larger ones is refused."""
EXACT: Final = 2**53
_QUALITIES: Final = frozenset(int(quality) for quality in Quality)
_CONTROL: Final = ("Node Control/", "Device Control/", "Properties/")
_OWN: Final = frozenset({names.BDSEQ, names.ACK, names.BATCH, names.NOTE, names.EQUIPMENT, names.VERSION})
_NOT_ID: Final = re.compile(r"[^a-z0-9_.-]+")


@dataclass(frozen=True, slots=True, eq=False)
class Birth:
    """A birth certificate taken apart; the sequences run in parallel.

    metrics     the metrics that are signals
    born        what the catalogue must know of each
    controls    alias -> name of the metrics that are no signals
    properties  text of the metrics below 'Properties/'
    """

    metrics: tuple[Metric, ...]
    born: tuple[BornSignal, ...]
    controls: Mapping[int, str]
    equipment: tuple[Equipment, ...]
    properties: Mapping[str, str]
    bdseq: int | None
    is_lineshaft: bool
    takes_requests: bool


def read_birth(payload: Payload, enterprise: str, group: str, node: str, device: str) -> Birth:
    """Interpret an NBIRTH (device '') or DBIRTH. Raises DataError for aliases or an equipment tree that cannot be."""
    metrics: list[Metric] = []
    born: list[BornSignal] = []
    controls: dict[int, str] = {}
    equipment: list[Equipment] = []
    own = {metric.name: metric for metric in payload.metrics if metric.name in _OWN}
    taken: set[str] = set()
    base = [slug(part) for part in (enterprise, group, node, device) if part]
    for metric in payload.metrics:
        if metric.alias is not None and not 0 <= metric.alias < MAX_ALIAS:
            raise DataError(f"alias {metric.alias} of {metric.name!r} is beyond {MAX_ALIAS}")
        datatype = _datatype(metric)
        control = metric.name in _OWN or metric.name.startswith(_CONTROL) or not metric.name
        if control or datatype is None:
            if metric.alias is not None:
                controls[metric.alias] = metric.name
            continue
        signal = _signal(metric, datatype, base, taken)
        taken.add(signal.path)
        metrics.append(metric)
        address, writable = (str(metric.properties.get(name, "")) for name in (names.ADDRESS, names.WRITABLE))
        found = signal.path != metric.properties.get(names.PATH)
        born.append(BornSignal(signal, f"{group}/{node}", device, address, writable, found))
    if names.EQUIPMENT in own:
        equipment += decode_equipment(str(own[names.EQUIPMENT].value or "[]"))
    if any(names.PATH not in metric.properties for metric in metrics):
        equipment += _foreign_equipment(group, node, device, base)
    return Birth(
        tuple(metrics),
        tuple(born),
        controls,
        tuple(equipment),
        {m.name.removeprefix("Properties/"): str(m.value) for m in payload.metrics if m.name.startswith("Properties/")},
        _bdseq(own.get(names.BDSEQ)),
        names.BATCH in own or names.VERSION in own,
        any(metric.name == names.REQUEST for metric in payload.metrics),
    )


def _datatype(metric: Metric) -> Datatype | None:
    """Of the metric's samples, None when it has none; a burst of fast samples is known by its kind."""
    if metric.datatype == SparkplugType.BYTES and metric.properties.get(names.KIND) == SignalKind.WAVEFORM:
        return Datatype.FLOAT
    return datatype_of(metric.datatype) if metric.datatype in SCALAR else None


def bdseq_of(payload: Payload) -> int | None:
    """The birth/death number of a payload."""
    return _bdseq(payload.metric(names.BDSEQ))


def _bdseq(metric: Metric | None) -> int | None:
    return int(metric.value) if metric is not None and isinstance(metric.value, int) else None


def slug(text: str) -> str:
    """An id made from any text: lower case, everything else than letters, digits, '.', '_' and '-' becomes '-'."""
    made = _NOT_ID.sub("-", text.lower()).strip("-._")
    return made or f"x{zlib.crc32(text.encode()):08x}"


def _signal(metric: Metric, datatype: Datatype, base: list[str], taken: set[str]) -> Signal:
    properties = metric.properties
    asset, _, name = str(properties.get(names.PATH, "")).rpartition("/")
    description = str(properties.get(names.DESCRIPTION, ""))
    if not asset or not all(valid_id(part) for part in (*asset.split("/"), name)):
        *folders, last = [slug(part) for part in metric.name.split("/") if part] or [slug(metric.name)]
        asset, name = "/".join([*base, *folders]), last
        if f"{asset}/{name}" in taken:  # two names that differ in case or signs only
            name = f"{name}-{zlib.crc32(metric.name.encode()):08x}"
        description = description or metric.name
    return Signal(
        asset=asset,
        name=name,
        kind=_kind(properties.get(names.KIND), datatype),
        datatype=datatype,
        unit=str(properties.get(names.UNIT, "")),
        low=_number(properties.get(names.LOW)),
        high=_number(properties.get(names.HIGH)),
        limits=Limits(
            _number(properties.get(names.LIMIT_LOW_LOW)),
            _number(properties.get(names.LIMIT_LOW)),
            _number(properties.get(names.LIMIT_HIGH)),
            _number(properties.get(names.LIMIT_HIGH_HIGH)),
        ),
        decimals=_decimals(properties.get(names.DECIMALS)),
        states=_states(properties.get(names.STATES)),
        description=description,
    )


def _kind(word: Any, datatype: Datatype) -> SignalKind:
    try:
        return SignalKind(word)
    except ValueError:
        return SignalKind.STATE if datatype in (Datatype.BOOLEAN, Datatype.STRING) else SignalKind.MEASURE


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        return None
    return float(value)


def _decimals(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 9 else None


def _states(text: Any) -> tuple[tuple[str, str], ...]:
    try:
        found = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        return ()
    return tuple((str(raw), str(word)) for raw, word in found.items()) if isinstance(found, dict) else ()


def _foreign_equipment(group: str, node: str, device: str, base: list[str]) -> list[Equipment]:
    """Site, node and device of an edge node that says nothing of its equipment, under their original names."""
    words = [group, node, *([device] if device else [])]
    levels = (Level.SITE, Level.AREA, Level.ASSET) if device else (Level.SITE, Level.AREA)
    return [
        Equipment("/".join(base[: depth + 2]), word, level)
        for depth, (word, level) in enumerate(zip(words, levels, strict=True))
    ]


def present_values(birth: Birth, payload_ms: int | None, now_us: int) -> tuple[SampleBatch, list[int]]:
    """The values that the metrics of a birth carry, and which metrics they belong to.

    `signals` of the batch are zero: the caller puts the ids in. Metrics without a value are left out, unless they
    say why they have none.
    """
    rows = [index for index, metric in enumerate(birth.metrics) if _is_present(metric)]
    default = now_us if payload_ms is None else payload_ms * 1000
    times = [default if (stamp := birth.metrics[row].timestamp) is None else _microseconds(stamp) for row in rows]
    values: list[float] = []
    texts: list[str | None] = []
    qualities: list[int] = []
    for row in rows:
        metric = birth.metrics[row]
        is_text = isinstance(metric.value, str) and not metric.null
        large = isinstance(metric.value, int) and not metric.null and abs(metric.value) > EXACT
        values.append(float("nan") if is_text or metric.null else float(metric.value))
        texts.append(str(metric.value) if is_text or large else None)
        qualities.append(_quality(metric.properties))
    column = texts if any(text is not None for text in texts) else None
    return SampleBatch.of(np.zeros(len(rows)), times, values, qualities, column), rows


def _microseconds(milliseconds: int) -> int:
    return int(min(milliseconds, 2**62 // 1000)) * 1000


def _is_present(metric: Metric) -> bool:
    if metric.null:
        return _byte(metric.properties) is not None
    return isinstance(metric.value, str | int | float)  # others lie about their datatype


def _quality(properties: Mapping[str, Any]) -> int:
    byte = _byte(properties)
    if byte is not None:
        return byte
    code: Any = properties.get(names.QUALITY)
    return {0: Quality.BAD, 500: Quality.STALE}.get(code, Quality.GOOD)


def _byte(properties: Mapping[str, Any]) -> int | None:
    code = properties.get(names.QUALITY_BYTE)
    return code if isinstance(code, int) and code in _QUALITIES else None


def row_type(metric: Metric) -> int:
    """What the decoder must know of a signal's metric; see `decode_rows`."""
    return WAVEFORM if metric.datatype == SparkplugType.BYTES else int(metric.datatype or 0)


def control_types(birth: Birth) -> Mapping[int, int]:
    """Alias -> type of metrics that must not be taken for samples."""
    return dict.fromkeys(birth.controls, int(SparkplugType.BYTES))

"""Birth certificates: everything that a Sparkplug host must know of the gateway, its devices and their signals."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lineshaft import __version__
from lineshaft.gateway.plan import Plan, PlannedSignal
from lineshaft.gateway.writes.rule import WriteRule
from lineshaft.model.samples import GOOD_CLASS, Quality, SampleBatch, UInt8Array
from lineshaft.wire import names
from lineshaft.wire.equipment import encode_equipment
from lineshaft.wire.schema import message_class
from lineshaft.wire.sparkplug import TEXTUAL, WIDTH, Metric, PropertyScalar, SparkplugType

_STALE_ON_WIRE = 500


def node_birth(plan: Plan, bdseq: int, now_ms: int, *, takes_requests: bool) -> tuple[Metric, ...]:
    """Metrics of the NBIRTH; the one for requests is there only where they are done."""
    request = Metric(names.REQUEST, SparkplugType.BYTES, None, timestamp=now_ms, null=True)
    return (
        bdseq_metric(bdseq, now_ms),
        Metric(names.REBIRTH, SparkplugType.BOOLEAN, False, timestamp=now_ms),
        Metric(names.ACK, SparkplugType.BYTES, None, timestamp=now_ms, null=True),
        *((request,) if takes_requests else ()),
        Metric(names.WRITE, SparkplugType.STRING, None, timestamp=now_ms, null=True),
        Metric(names.BATCH, SparkplugType.BYTES, None, plan.batch_alias, now_ms, null=True),
        Metric(names.NOTE, SparkplugType.STRING, None, timestamp=now_ms, null=True),
        Metric(names.VERSION, SparkplugType.STRING, __version__, timestamp=now_ms),
        Metric(names.EQUIPMENT, SparkplugType.STRING, encode_equipment(plan.equipment), timestamp=now_ms),
    )


def bdseq_metric(bdseq: int, now_ms: int) -> Metric:
    """The number that ties a death to its birth."""
    return Metric(names.BDSEQ, SparkplugType.INT64, bdseq, timestamp=now_ms)


def note_metric(text: str, now_ms: int) -> bytes:
    """A payload of the note metric as data messages carry it: by its name, without its datatype."""
    payload = message_class("Payload")()
    metric = payload.metrics.add()
    metric.name, metric.timestamp, metric.string_value = names.NOTE, now_ms, text
    return bytes(payload.SerializeToString())


def device_birth(
    signals: Sequence[PlannedSignal], batch_alias: int, last: SampleBatch, now_ms: int
) -> tuple[Metric, ...]:
    """Metrics of a DBIRTH; row i of `last` is the last reported row of `signals[i]`, time 0 for none."""
    batch = Metric(names.BATCH, SparkplugType.BYTES, None, batch_alias, now_ms, null=True)
    texts = [None] * len(signals) if last.texts is None else last.texts.tolist()
    columns = zip(
        signals, last.times.tolist(), last.values.tolist(), last.qualities.tolist(), texts, strict=True
    )  # fmt: skip
    return (batch, *(_signal_metric(signal, t, v, q, x, now_ms) for signal, t, v, q, x in columns))


def _signal_metric(
    planned: PlannedSignal, time: int, value: float, quality: int, text: str | None, now_ms: int
) -> Metric:
    given = _value(planned.wire_type, value, text)
    properties = _properties(planned)
    if quality & GOOD_CLASS != GOOD_CLASS:
        properties[names.QUALITY] = _STALE_ON_WIRE if quality == Quality.STALE else int(Quality.BAD)
        if time > 0:  # a host that knows the byte shows why the signal is bad before its next sample
            properties[names.QUALITY_BYTE] = quality
    return Metric(
        name=planned.metric,
        datatype=planned.wire_type,
        value=given,
        alias=planned.alias,
        timestamp=time // 1000 if time > 0 else now_ms,
        null=given is None,
        properties=properties,
    )


def _value(wire_type: SparkplugType, value: float, text: str | None) -> str | int | float | bool | None:
    if wire_type is SparkplugType.BYTES:
        return None  # a burst is not repeated in a birth
    if wire_type in TEXTUAL:
        return text
    if wire_type in WIDTH:
        if text is not None:
            return int(text)
        return round(value) if math.isfinite(value) else None
    if math.isnan(value):
        return None
    return value != 0 if wire_type is SparkplugType.BOOLEAN else value


def _properties(planned: PlannedSignal) -> dict[str, PropertyScalar]:
    signal = planned.signal
    words: dict[str, PropertyScalar | None] = {
        names.PATH: signal.path,
        names.KIND: signal.kind.value,
        names.UNIT: signal.unit or None,
        names.LOW: signal.low,
        names.HIGH: signal.high,
        names.DESCRIPTION: signal.description or None,
        names.DECIMALS: signal.decimals,
        names.LIMIT_LOW_LOW: signal.limits.low_low,
        names.LIMIT_LOW: signal.limits.low,
        names.LIMIT_HIGH: signal.limits.high,
        names.LIMIT_HIGH_HIGH: signal.limits.high_high,
        names.STATES: json.dumps(dict(signal.states), ensure_ascii=False) if signal.states else None,
        names.WRITABLE: None if planned.write is None else writable(planned.write),
        names.ADDRESS: planned.address or None,
    }
    return {key: value for key, value in words.items() if value is not None}


def writable(rule: WriteRule) -> str:
    """The bounds of a signal that may be set, as JSON."""
    bounds = {"low": rule.low, "high": rule.high, "allowed": list(rule.allowed) or None, "max_step": rule.max_step}
    given = {name: value for name, value in bounds.items() if value is not None}
    return json.dumps({**given, "every": rule.every}, ensure_ascii=False)


def mend_types(batch: SampleBatch, types: UInt8Array) -> SampleBatch:
    """Rows whose text cannot go out with their type (the plant was changed since) become bad without a value."""
    if batch.texts is None:
        return batch
    textual = np.isin(types, [int(kind) for kind in (*TEXTUAL, *WIDTH)])
    wrong = batch.is_text() & ~textual
    for row in np.flatnonzero(batch.is_text() & np.isin(types, [int(kind) for kind in WIDTH])):
        wrong[row] = not str(batch.texts[row]).lstrip("-").isdecimal()
    if not wrong.any():
        return batch
    texts, qualities = batch.texts.copy(), batch.qualities.copy()
    texts[wrong], qualities[wrong] = None, Quality.BAD_DEVICE
    return replace(batch, qualities=qualities, texts=texts)

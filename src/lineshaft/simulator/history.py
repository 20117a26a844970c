"""The past of the factory as Arrow batches, at the resolution that a plant would keep."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lineshaft.model.equipment import SignalKind
from lineshaft.model.events import Severity
from lineshaft.model.samples import Float64Array, Int64Array, Quality, TextArray
from lineshaft.simulator import bursts
from lineshaft.simulator.channels import Channel
from lineshaft.simulator.deeds import Deed, between
from lineshaft.simulator.factory import Factory, Frame

SCHEMA = pa.schema(
    [
        ("path", pa.dictionary(pa.int32(), pa.string())),
        ("time", pa.int64()),
        ("value", pa.float64()),
        ("text", pa.string()),
        ("quality", pa.uint8()),
    ]
)
"""path: enterprise/site/...; time: UTC microseconds; value: NaN for text; quality: see Quality."""

WAVES = pa.schema(
    [
        ("path", pa.string()),
        ("time", pa.int64()),
        ("value", pa.float64()),
        ("quality", pa.uint8()),
        ("rate", pa.float64()),
        ("speed", pa.float64()),
        ("scale", pa.float64()),
        ("samples", pa.list_(pa.int16())),
    ]
)
"""Bursts. value: RMS in the signal's unit; rate: Hz; speed: 1/min; a value in the unit is sample * scale."""

EVENTS = pa.schema(
    [
        ("time", pa.int64()),
        ("kind", pa.string()),
        ("subject", pa.string()),
        ("severity", pa.string()),
        ("message", pa.string()),
        ("details", pa.string()),
    ]
)
"""Events. subject: enterprise/site/...; details: JSON of an object with plain values."""

ORDERS = pa.schema(
    [
        ("id", pa.string()),
        ("path", pa.string()),
        ("product", pa.string()),
        ("quantity", pa.float64()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("began", pa.int64()),
        ("ended", pa.int64()),
    ]
)
"""Orders. path: enterprise/site/...; start and end are planned, began and ended, where known, actual."""

Progress = Callable[[float], None]
_GRID_US = 10_000_000
_CHUNK_US = 12 * 3_600_000_000


@dataclass(frozen=True, slots=True)
class Rules:
    """How much of the past is kept. Seconds; multiples of ten.

    An unchanged value is kept only every `repeat_s`, as report by exception would.
    """

    measure_s: int = 60
    recent_s: int = 10  # the same within the last `recent_for_s`
    recent_for_s: int = 86_400
    counter_s: int = 60
    repeat_s: int = 600
    burst_s: int = 8 * 3600


def generate_history(
    factory: Factory, end_us: int, rules: Rules | None = None, progress: Progress | None = None
) -> Iterator[pa.RecordBatch]:
    """Move the factory from where it is to `end_us` and give what was kept on the way, half a day per batch.

    Batches are of SCHEMA; bursts, where the plant has them, are of WAVES, and what people did is of EVENTS. Orders (of
    ORDERS) come before the rows of their time, so that who reads both knows what was made.

    Within a batch rows go by signal and time. The factory then goes on live from exactly this state.
    progress: called with the share done, 0..1.
    """
    rules = rules or Rules()
    begin = factory.now_us
    recent = end_us - rules.recent_for_s * 1_000_000
    names = pa.array([channel.full_path for channel in factory.channels])
    while factory.now_us < end_us:
        stop = min(end_us, (factory.now_us // _CHUNK_US + 1) * _CHUNK_US)
        if factory.now_us < recent < stop:
            stop = -(-recent // _GRID_US) * _GRID_US
        measure_s = rules.measure_s if factory.now_us < recent else rules.recent_s
        frame = factory.advance_to(stop)
        yield from order_news(factory)
        yield _batch(factory, frame, rules, measure_s, names)
        at = bursts.moments(frame.times, rules.burst_s * 1_000_000)
        if factory.waves and len(at):
            yield _bursts(factory, frame, at.tolist())
        done = tuple(between(factory.deeds, frame.before, stop))
        if done:
            yield _deeds(factory, done)
        if progress is not None:
            progress((factory.now_us - begin) / (end_us - begin))


def order_news(factory: Factory) -> Iterator[pa.RecordBatch]:
    """A batch of ORDERS when any order was planned, began or ended since the last call."""
    found = factory.order_news()
    if found:
        site = f"{factory.plant.plant.enterprise}/{factory.plant.plant.site}"
        rows = [{**asdict(one), "path": f"{site}/{one.path}"} for one in found]
        yield pa.RecordBatch.from_pylist(rows, schema=ORDERS)


def _batch(factory: Factory, frame: Frame, rules: Rules, measure_s: int, names: pa.Array) -> pa.RecordBatch:
    measures, counters = _on_grid(frame.times, measure_s), _on_grid(frame.times, rules.counter_s)
    codes: list[NDArray[np.int32]] = []
    times: list[Int64Array] = []
    values: list[Float64Array] = []
    texts: list[pa.Array] = []
    for code, channel in enumerate(factory.channels):
        grid = counters if channel.kind is SignalKind.COUNTER else measures
        when, value = _kept(channel, frame, grid, rules.repeat_s * 1_000_000, frame.before == factory.begin_us)
        codes.append(np.full(len(when), code, np.int32))
        times.append(when)
        is_text = value.dtype == object
        texts.append(pa.array(value, pa.string()) if is_text else pa.nulls(len(when), pa.string()))
        values.append(np.full(len(when), np.nan) if is_text else value.astype(np.float64, copy=False))
    time = np.concatenate(times)
    return pa.RecordBatch.from_arrays(
        [
            pa.DictionaryArray.from_arrays(pa.array(np.concatenate(codes)), names),
            pa.array(time),
            pa.array(np.concatenate(values)),
            pa.concat_arrays(texts),
            pa.array(np.full(len(time), Quality.GOOD, np.uint8)),
        ],
        schema=SCHEMA,
    )


def _bursts(factory: Factory, frame: Frame, rows: Sequence[int]) -> pa.RecordBatch:
    found = []
    for channel in factory.waves:
        for row in rows:
            burst = bursts.taken(channel, factory.seed, frame, row)
            rms = float(np.std(burst.samples)) * channel.signal.scale
            one = (channel.full_path, burst.time, rms, int(Quality.GOOD), bursts.RATE, burst.speed)
            found.append((*one, channel.signal.scale, burst.samples))
    columns = zip(*found, strict=True)
    return pa.RecordBatch.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, WAVES, strict=True)], schema=WAVES
    )


def _deeds(factory: Factory, done: Sequence[Deed]) -> pa.RecordBatch:
    """Events of the maintenance app; see apps/maintenance/cases.py."""
    site = f"{factory.plant.plant.enterprise}/{factory.plant.plant.site}"
    rows = [
        {
            "time": one.time,
            "kind": f"maintenance.case.{one.action}",
            "subject": f"{site}/{one.subject}",
            "severity": str(Severity.INFO),
            "message": one.words,
            "details": json.dumps({"by": one.by, **one.details}),
        }
        for one in done
    ]
    return pa.RecordBatch.from_pylist(rows, schema=EVENTS)


def _on_grid(times: Int64Array, seconds: int) -> NDArray[np.bool_]:
    return np.asarray(times % (seconds * 1_000_000) == 0)


def _kept(
    channel: Channel, frame: Frame, grid: NDArray[np.bool_], repeat_us: int, first: bool
) -> tuple[Int64Array, Float64Array | TextArray]:
    """Rows of one signal: exact changes where the model knows them, else what changed on the grid.

    first: the story begins here, so values that hold from its very begin are kept as well.
    """
    track = frame.tracks.get(channel.path)
    if track is not None and channel.kind is not SignalKind.COUNTER:
        when, what = track.changes(frame.before - first, int(frame.times[-1]))
        return when, what if track.is_text else channel.seen(channel.raw(what))
    state = channel.kind is SignalKind.STATE
    when, value = (frame.times, frame.values[channel.path]) if state else (
        frame.times[grid], frame.values[channel.path][grid]
    )  # fmt: skip
    if not len(when):
        return when, value
    keep = np.diff(value, prepend=np.nan) != 0  # the first of a batch is always kept
    if not state:
        keep |= when % repeat_us == 0
    return when[keep], value[keep]

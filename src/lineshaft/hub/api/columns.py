"""Columns as JSON or Arrow, without a Python object per row where it can be avoided."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from starlette.responses import Response

from lineshaft.errors import DataError
from lineshaft.hub.historian.base import Series
from lineshaft.model.samples import Float64Array, SampleBatch

ARROW = "application/vnd.apache.arrow.stream"


def numbers(values: Float64Array) -> list[float | None]:
    """Values for JSON: NaN and infinity become null."""
    finite = np.isfinite(values)
    if finite.all():
        return values.tolist()  # type: ignore[no-any-return]
    objects = values.astype(object)
    objects[~finite] = None
    return objects.tolist()  # type: ignore[no-any-return]


def as_json(body: Any) -> Response:
    """A JSON response that no model walks through."""
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return Response(text, media_type="application/json")


def latest_json(batch: SampleBatch) -> Response:
    """LatestColumns."""
    return as_json(
        {
            "signal": batch.signals.tolist(),
            "time": batch.times.tolist(),
            "value": numbers(batch.values),
            "text": [None] * len(batch) if batch.texts is None else batch.texts.tolist(),
            "quality": batch.qualities.tolist(),
        }
    )


def series_json(found: Sequence[Series]) -> Response:
    """SeriesPage."""
    return as_json(
        {
            "series": [
                {
                    "signal": one.signal,
                    "mode": one.mode,
                    "time": one.times.tolist(),
                    "value": numbers(one.values),
                    "text": None if one.texts is None else one.texts.tolist(),
                    "quality": one.qualities.tolist(),
                    "states": None if one.states is None else one.states.tolist(),
                }
                for one in found
            ]
        }
    )


_SERIES = pa.schema(
    [
        ("signal", pa.uint32()),
        ("time", pa.timestamp("us", tz="UTC")),
        ("value", pa.float64()),
        ("text", pa.string()),
        ("quality", pa.uint8()),
        ("states", pa.map_(pa.string(), pa.int64())),
    ]
)


def series_arrow(found: Sequence[Series]) -> Response:
    """One Arrow stream with a record batch per series; its `mode` stands in the batch's custom metadata."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, _SERIES) as writer:
        for one in found:
            texts = pa.nulls(len(one.times), pa.string()) if one.texts is None else pa.array(one.texts, pa.string())
            columns = [
                pa.array(np.full(len(one.times), one.signal, np.uint32)),
                pa.array(one.times).cast(_SERIES.field("time").type),
                pa.array(one.values, from_pandas=True),
                texts,
                pa.array(one.qualities),
                _states(one),
            ]
            batch = pa.record_batch(columns, schema=_SERIES)
            writer.write_batch(batch, custom_metadata={"mode": one.mode})
    return Response(sink.getvalue().to_pybytes(), media_type=ARROW)


def _states(series: Series) -> pa.Array:
    kind = _SERIES.field("states").type
    if series.states is None:
        return pa.nulls(len(series.times), kind)
    return pa.array([None if one is None else list(one.items()) for one in series.states], kind)


def ids_of(text: str, *, most: int) -> list[int]:
    """Signal ids from '1,2,3'. Raises DataError that says what is wrong."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) > most:
        raise DataError(f"{len(parts)} signals asked for, {most} are allowed at once")
    for part in parts:
        if not part.isascii() or not part.isdigit() or int(part) > 0xFFFFFFFF:
            raise DataError(f"signals: {part!r} is not a signal id", hint="ids with commas between them: 1,2,3")
    return [int(part) for part in parts]

"""Bursts in the historian: their SQL, and their rows to and from Arrow."""

# ruff: noqa: S608 - only integers and fixed names are put into the text

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from lineshaft.hub.historian import queries
from lineshaft.hub.historian.base import StoredWave
from lineshaft.model.samples import SampleBatch
from lineshaft.model.waveforms import Waveform

SCHEMA: Final = pa.schema(
    [
        ("signal", pa.uint32()),
        ("time", pa.timestamp("us", "UTC")),
        ("offset", pa.uint32()),
        ("total", pa.uint32()),
        ("rate", pa.float64()),
        ("speed", pa.float64()),
        ("scale", pa.float64()),
        ("rms", pa.float64()),
        ("quality", pa.uint8()),
        ("counts", pa.list_(pa.int16())),
        ("numbers", pa.list_(pa.float32())),
    ]
)


def to_arrow(batch: SampleBatch) -> pa.Table:
    """The rows of a batch that have a burst, as the table takes them."""
    rows = batch.take(batch.is_wave())
    found: list[Waveform] = [] if rows.waves is None else rows.waves.tolist()
    lags = np.array([wave.lag for wave in found], np.int64)
    none = np.empty(0, np.int16)
    columns = {
        "signal": pa.array(rows.signals),
        "time": pa.array(rows.times - lags).view(pa.timestamp("us", "UTC")),
        "offset": [wave.offset for wave in found],
        "total": [wave.total for wave in found],
        "rate": [wave.rate for wave in found],
        "speed": [math.nan if wave.speed is None else wave.speed for wave in found],
        "scale": [wave.scale for wave in found],
        "rms": pa.array(rows.values),
        "quality": pa.array(rows.qualities),
        "counts": [wave.samples if wave.samples.dtype == np.int16 else none for wave in found],
        "numbers": [none if wave.samples.dtype == np.int16 else wave.samples for wave in found],
    }
    return pa.table(columns, schema=SCHEMA)


def listing(signals: Sequence[int], start: int, end: int, limit: int) -> str:
    """Bursts of a range, a piece that came twice counted once; every so many-th where there are more than `limit`."""
    length = "length(counts) + length(numbers)"
    return (
        "SELECT * EXCEPT (place, found) FROM (SELECT *, row_number() OVER (ORDER BY signal, t) AS place,"
        " count() OVER () AS found FROM ("
        "SELECT signal, t, any(rate) AS rate, any(speed) AS speed, toInt64(any(total)) AS total,"
        " toInt64(sum(size)) AS have, sqrt(sum(rms * rms * size) / sum(size)) AS rms, min(quality) AS quality FROM ("
        f"SELECT signal, reinterpretAsInt64(time) AS t, offset, any(rate) AS rate, any(speed) AS speed,"
        f" any(total) AS total, any({length}) AS size, any(rms) AS rms, min(quality) AS quality FROM waveforms"
        f" WHERE {queries.within(signals, start, end)} GROUP BY signal, time, offset) GROUP BY signal, t))"
        f" WHERE (found - place) % greatest(1, intDiv(found + {limit - 1}, {limit})) = 0 ORDER BY signal, t"
    )


def listed(table: pa.Table) -> list[StoredWave]:
    """Rows of `listing`."""
    return [
        StoredWave(
            row["signal"],
            row["t"],
            row["rate"],
            None if math.isnan(row["speed"]) else row["speed"],
            row["total"],
            row["have"],
            row["rms"],
            row["quality"],
        )
        for row in table.to_pylist()
    ]


def pieces(signal: int, time: int) -> str:
    """All pieces of one burst."""
    return (
        "SELECT offset, total, rate, speed, scale, counts, numbers FROM waveforms"
        f" WHERE signal = {int(signal)} AND time = {queries.moment(time)} ORDER BY offset LIMIT 1 BY offset"
    )


def read(table: pa.Table) -> Waveform | None:
    """What there is of a burst from its first sample on; None when there is nothing."""
    if not table.num_rows:
        return None
    first = {name: table.column(name)[0].as_py() for name in ("total", "rate", "speed", "scale", "offset")}
    at, found = first["offset"], []
    for row in range(table.num_rows):
        if table.column("offset")[row].as_py() != at:
            break
        samples = table.column("counts")[row].values.to_numpy(zero_copy_only=False)
        if not len(samples):
            samples = table.column("numbers")[row].values.to_numpy(zero_copy_only=False)
        found.append(samples)
        at += len(samples)
    speed = None if math.isnan(first["speed"]) else first["speed"]
    return Waveform(np.concatenate(found), first["rate"], speed, first["scale"], first["offset"], first["total"])

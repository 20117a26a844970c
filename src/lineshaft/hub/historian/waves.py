"""Bursts in the historian: their SQL, and their rows to and from Arrow."""

# ruff: noqa: S608 - only integers and fixed names are put into the text

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
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


def pieces(signal: int, times: Sequence[int]) -> str:
    """All pieces of some bursts."""
    moments = ",".join(queries.moment(time) for time in times)
    return (
        "SELECT reinterpretAsInt64(time) AS t, offset, total, rate, speed, scale, counts, numbers FROM waveforms"
        f" WHERE signal = {int(signal)} AND time IN ({moments}) ORDER BY t, offset LIMIT 1 BY t, offset"
    )


def read(table: pa.Table) -> dict[int, Waveform]:
    """The bursts by time: of each what there is from its first piece on."""
    facts = table.drop_columns(["counts", "numbers"]).to_pylist()
    found: dict[int, list[Waveform]] = {}
    for row, fact in enumerate(facts):
        parts = found.setdefault(fact["t"], [])
        if parts and fact["offset"] != parts[-1].offset + len(parts[-1]):
            continue  # what is between is missing
        samples = table.column("counts")[row].values.to_numpy(zero_copy_only=False)
        if not len(samples):
            samples = table.column("numbers")[row].values.to_numpy(zero_copy_only=False)
        speed = None if math.isnan(fact["speed"]) else fact["speed"]
        parts.append(Waveform(samples, fact["rate"], speed, fact["scale"], fact["offset"], fact["total"]))
    return {
        time: replace(parts[0], samples=np.concatenate([part.samples for part in parts]))
        for time, parts in found.items()
    }

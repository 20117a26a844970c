"""Bursts out of Arrow batches of an import."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from lineshaft.errors import DataError
from lineshaft.model.samples import Quality
from lineshaft.model.waveforms import Waveform


@dataclass(frozen=True, slots=True)
class ImportedBursts:
    """Parallel lists, one entry per burst; times in UTC microseconds."""

    paths: list[str]
    times: list[int]
    qualities: list[int]
    waves: list[Waveform]

    def token(self, rows: slice) -> str:
        """A name for the content: equal for equal bursts."""
        digest = hashlib.blake2b(digest_size=16)
        columns = zip(self.paths[rows], self.times[rows], self.qualities[rows], self.waves[rows], strict=True)
        for path, time, quality, wave in columns:
            digest.update(repr((path, time, quality, wave.rate, wave.speed, wave.scale)).encode())
            digest.update(wave.samples.tobytes())
        return f"import-waves-{digest.hexdigest()}"


def bursts_of(batch: pa.RecordBatch) -> ImportedBursts:
    """The bursts of a batch (path, time, samples, rate; quality, speed and scale may follow). Raises DataError."""
    names = set(batch.schema.names)
    if not {"path", "time", "samples", "rate"} <= names:
        raise DataError(
            f"the columns are {', '.join(batch.schema.names)}",
            hint="bursts need path, time, samples and rate (in Hz); quality, speed and scale may follow",
        )
    try:
        time = batch.column("time")
        if pa.types.is_timestamp(time.type):
            time = time.cast(pa.timestamp("us", tz="UTC"))
        times = time.cast(pa.int64()).to_pylist()
        paths = batch.column("path").cast(pa.string()).to_pylist()
        rates = batch.column("rate").cast(pa.float64()).to_pylist()
        optional = {
            name: batch.column(name).cast(kind).to_pylist() if name in names else [None] * batch.num_rows
            for name, kind in (("quality", pa.uint8()), ("speed", pa.float64()), ("scale", pa.float64()))
        }
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(f"a column has the wrong type: {error}") from error
    if None in times or None in paths or None in rates:
        raise DataError("a burst without path, time or rate")
    samples = batch.column("samples")
    waves = [
        _wave(paths[row], samples[row], rates[row], optional["speed"][row], optional["scale"][row])
        for row in range(batch.num_rows)
    ]
    qualities = [int(Quality.GOOD) if one is None else one for one in optional["quality"]]
    return ImportedBursts(paths, times, qualities, waves)


def _wave(path: str, samples: Any, rate: float, speed: float | None, scale: float | None) -> Waveform:
    values = getattr(samples, "values", None)
    try:
        column = np.empty(0) if values is None else values.to_numpy(zero_copy_only=False)
        return Waveform.of(column, rate, speed, scale=1.0 if scale is None else scale)
    except (ValueError, TypeError) as error:
        raise DataError(f"{path}: {error}") from error

"""Query times of the historian on many rows; run as a worker, because the embedded engine is one per process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.dataset import START_US, machine_values
from bench.process import options, peak_mib, say
from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.hub.historian.engine import Engine
from lineshaft.model.samples import Quality, SampleBatch

LONG: Final = 10  # signals with the whole range
SIGNALS: Final = 1_000
POINTS: Final = 800
_DAY: Final = 86_400
_BLOCK_SECONDS: Final = 20_000


def _fill(historian: ClickHouseHistorian, days: int) -> tuple[int, float]:
    """Ten signals a second apart over `days`, and a minute of all others at the end; gives rows and seconds."""
    rows, spent, end = 0, 0.0, days * _DAY
    known = [machine_values(LONG, _BLOCK_SECONDS, seed=seed) for seed in range(4)]
    blocks = [
        (1, start, known[start // _BLOCK_SECONDS % len(known)][: end - start])
        for start in range(0, end, _BLOCK_SECONDS)
    ]
    blocks.append((LONG + 1, end - 60, machine_values(SIGNALS - LONG, 60)))
    for first, start, values in blocks:
        batch = _batch(values, first, start)
        began = time.perf_counter()
        historian.append(batch, f"{first}-{start}")
        spent += time.perf_counter() - began
        rows += len(batch)
    return rows, spent


def _batch(values: NDArray[np.float64], first: int, start: int) -> SampleBatch:
    seconds, signals = values.shape
    times = START_US + (start + np.arange(seconds, dtype=np.int64)) * 1_000_000
    return SampleBatch(
        np.tile(np.arange(first, first + signals, dtype=np.uint32), seconds),
        np.repeat(times, signals),
        values.ravel(),
        np.full(values.size, Quality.GOOD, np.uint8),
    )


def _median_ms(times: int, query: Callable[[], object]) -> float:
    query()  # opens files
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        query()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent) * 1e3


def _main(what: Mapping[str, Any]) -> None:
    dsn = f"chdb://{what['folder']}"
    historian = ClickHouseHistorian(dsn)
    historian.open()
    rows, filled = _fill(historian, what["days"])
    Engine(dsn).command("OPTIMIZE TABLE samples FINAL")
    end = START_US + what["days"] * _DAY * 1_000_000
    long = list(range(1, LONG + 1))
    hour = end - 3_600_000_000
    times = what["times"]
    say(
        rows=rows,
        append_per_s=rows / filled,
        range_ms=_median_ms(times, lambda: historian.read([1], START_US, end, points=POINTS)),
        ten_ms=_median_ms(times, lambda: historian.read(long, START_US, end, points=POINTS)),
        hour_ms=_median_ms(times, lambda: historian.read([1], hour, end, points=POINTS)),
        raw_ms=_median_ms(times, lambda: historian.read([1], hour, end)),
        latest_ms=_median_ms(times, lambda: historian.latest(list(range(1, SIGNALS + 1)))),
        peak_mib=peak_mib(),
    )
    historian.close()


if __name__ == "__main__":
    _main(options())

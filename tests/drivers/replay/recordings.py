"""Recordings for tests: written on the spot, and the real ones of NIST where they are."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lineshaft.drivers.base import Point
from lineshaft.drivers.replay import ReplayAddress, ReplayConnection
from lineshaft.drivers.replay.driver import ReplayDriver
from lineshaft.model.equipment import Datatype
from lineshaft.model.samples import SampleBatch

ROOT = Path(__file__).parents[3]

Row = tuple[int, int, float, int, str | None]
"""handle, time, value, quality, text"""


def nist(name: str = "") -> Path:
    """A file of the NIST recordings. Skips where they are absent, but fails in CI."""
    path = Path(os.environ.get("LINESHAFT_DATA") or ROOT.parent / "shared" / "data") / "nist_sms" / name
    if not path.exists():
        reason = f"{path} is not there; set LINESHAFT_DATA"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def points(items: Sequence[str], texts: Sequence[str] = ()) -> tuple[Point, ...]:
    """Points with handles 0, 1 ...; those in `texts` are text signals."""
    return tuple(
        Point(handle, ReplayAddress(item=item), Datatype.STRING if item in texts else Datatype.DOUBLE)
        for handle, item in enumerate(items)
    )


def rows(batches: Sequence[SampleBatch]) -> list[Row]:
    """All rows of the batches in order; NaN as 0 so that rows can be compared."""
    batch = SampleBatch.concat(batches)
    texts: Sequence[Any] = [None] * len(batch) if batch.texts is None else batch.texts.tolist()
    values = [0.0 if value != value else value for value in batch.values.tolist()]
    return list(zip(batch.signals.tolist(), batch.times.tolist(), values, batch.qualities.tolist(), texts, strict=True))


async def play(
    driver: ReplayDriver, wanted: Sequence[Point], stop_after: int | None = None
) -> list[tuple[str, SampleBatch]]:
    """Connect, play to the end (or to `stop_after` batches), close; gives (position, batch) as the sink saw them."""
    seen: list[tuple[str, SampleBatch]] = []
    stop = asyncio.Event()

    def sink(batch: SampleBatch) -> None:
        if stop_after is None or len(seen) < stop_after:
            seen.append((driver.position(), batch))
        if stop_after is not None and len(seen) >= stop_after:
            stop.set()

    await driver.connect()
    try:
        await driver.subscribe(wanted, sink)
        async with asyncio.timeout(30):
            await (driver.statistics.finished if stop_after is None else stop).wait()
    finally:
        await driver.close()
    return seen


def driver(path: Path, **options: Any) -> ReplayDriver:
    """A driver that plays as fast as it can, unless told otherwise."""
    return ReplayDriver(ReplayConnection.model_validate({"path": str(path), "speed": "max", **options}))

"""Files that are bursts: one file, one burst."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lineshaft.drivers.base import Point, WavePoint
from lineshaft.drivers.files.driver import FilesDriver
from lineshaft.drivers.files.options import FilesAddress, FilesConnection
from lineshaft.model.samples import Quality, SampleBatch
from lineshaft.model.waveforms import Waveform


class Sink:
    """Collects rows, and the driver's position with each batch."""

    def __init__(self, driver: FilesDriver) -> None:
        self.batches: list[tuple[SampleBatch, str]] = []
        self._driver = driver
        self._more = asyncio.Event()

    def __call__(self, batch: SampleBatch) -> None:
        self.batches.append((batch, self._driver.position()))
        self._more.set()

    async def rows(self, count: int, batches: int = 0) -> SampleBatch:
        async with asyncio.timeout(30):
            while sum(len(batch) for batch, _ in self.batches) < count or len(self.batches) < batches:
                self._more.clear()
                await self._more.wait()
        return SampleBatch.concat(batch for batch, _ in self.batches)


@asynccontextmanager
async def reading(
    folder: Path, *waves: WavePoint, points: tuple[Point, ...] = (), position: str = "", **options: object
) -> AsyncIterator[Sink]:
    more = {"folder": str(folder), "scan": "10ms", "settle": "20ms", **options}
    driver = FilesDriver(FilesConnection.model_validate(more))
    driver.expect_waveforms(waves)
    if position:
        driver.resume(position)
    sink = Sink(driver)
    await driver.connect()
    try:
        await driver.subscribe(points, sink)
        yield sink
    finally:
        await driver.close()


def wave_of(batch: SampleBatch, row: int = 0) -> Waveform:
    assert batch.waves is not None
    return batch.waves[row]


async def test_a_csv_file_is_a_burst_and_its_time_column_says_the_rate(tmp_path: Path) -> None:
    """The first time is that of the burst, the spacing its rate; other files are read as numbers beside it."""
    lines = "".join(f"{1_700_000_000 + at / 1000:.3f};{at - 2},25\n" for at in range(5))
    (tmp_path / "vib-1.csv").write_text("time;x\n" + lines)
    (tmp_path / "temp.csv").write_text("time;v\n1700000000;41\n")
    wave = WavePoint(3, FilesAddress(item="x", file="vib-*.csv"))
    points = (Point(0, FilesAddress(item="v")),)
    async with reading(tmp_path, wave, points=points, delimiter=";", decimal=",") as sink:
        rows = await sink.rows(2)
    assert rows.values[rows.signals == 0].tolist() == [41.0]
    burst = wave_of(rows.take(rows.signals == 3))
    assert burst.values().tolist() == pytest.approx([-2.25, -1.25, 0.25, 1.25, 2.25])
    assert burst.rate == pytest.approx(1000)
    assert rows.times[rows.signals == 3].tolist() == [1_700_000_000_000_000]


async def test_a_parquet_file_without_times_ends_when_it_was_written(tmp_path: Path) -> None:
    """Two sensors in one file are two bursts; the plant says the rate."""
    samples = np.arange(1000, dtype=np.int16)
    pq.write_table(pa.table({"a": samples, "b": -samples}), tmp_path / "burst.parquet")
    waves = [WavePoint(at, FilesAddress(item=name), rate=25_600.0) for at, name in enumerate("ab")]
    async with reading(tmp_path, *waves) as sink:
        rows = await sink.rows(2)
    np.testing.assert_array_equal(wave_of(rows, 1).samples, -samples)
    written = (tmp_path / "burst.parquet").stat().st_mtime_ns // 1000
    assert rows.times.tolist() == [written - round(1000 / 0.0256)] * 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x\n1\n2\n", "half a waveform"),
        ("x\n1\nnan\n3\n4\n", "no numbers"),
        ("y\n1\n", "no column x"),
        ("x\na\nb\n", "no"),
    ],
)
async def test_a_file_that_is_no_burst_is_put_aside(tmp_path: Path, text: str, words: str) -> None:
    """Half a burst, NaN, a missing column: the waveform is bad, the file goes to `failed`, the reason is kept."""
    (tmp_path / "a.csv").write_text(text)
    wave = WavePoint(0, FilesAddress(item="x"), rate=100.0, samples=4)
    async with reading(tmp_path, wave, finished="move") as sink:
        rows = await sink.rows(1, batches=2)
        assert words in sink._driver.statistics.last_error
    assert rows.qualities.tolist() == [Quality.BAD_DEVICE]
    assert (tmp_path / "failed" / "a.csv").exists()


@pytest.mark.parametrize("finished", ["remember", "move"])
async def test_a_burst_is_delivered_once_over_a_kill(tmp_path: Path, finished: str) -> None:
    """Whatever was the last position that was stored with rows, no burst is lost and none comes twice."""
    for at in range(3):
        (tmp_path / f"{at}.csv").write_text("x\n" + "\n".join(str(at * 10 + n) for n in range(4)))
    wave = WavePoint(0, FilesAddress(item="x"), rate=100.0)
    copy = tmp_path / "copy"
    copy.mkdir()
    async with reading(tmp_path, wave, finished=finished) as sink:
        await sink.rows(3, batches=6)
    for stored in range(len(sink.batches)):
        before = SampleBatch.concat(batch for batch, _ in sink.batches[: stored + 1])
        again = tmp_path / f"again-{stored}"
        again.mkdir()
        done = 0 if finished == "remember" else stored // 2 + stored % 2
        for at in range(3):
            source = tmp_path / f"{at}.csv" if finished == "remember" else tmp_path / "done" / f"{at}.csv"
            target = again / f"{at}.csv"
            if at >= done:
                target.write_bytes(source.read_bytes())
        for at in range(3):
            if finished == "remember":
                stamp = (tmp_path / f"{at}.csv").stat().st_mtime_ns
                os.utime(again / f"{at}.csv", ns=(stamp, stamp))
        async with reading(again, wave, position=sink.batches[stored][1], finished=finished) as later:
            left = 3 - len(before)
            rows = SampleBatch.concat([before, await later.rows(left)])
        assert [int(wave_of(rows, row).samples[0]) for row in range(len(rows))] == [0, 10, 20]

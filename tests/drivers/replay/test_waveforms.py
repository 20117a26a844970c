"""Recordings that hold bursts are played like a sensor that takes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lineshaft.drivers.base import WavePoint
from lineshaft.drivers.replay import ReplayAddress
from lineshaft.model.samples import Quality, SampleBatch
from lineshaft.model.waveforms import Waveform

from . import recordings
from .recordings import points

SECOND = 1_000_000
START = 1_577_836_800 * SECOND
BURSTS = ([0.25, -1.5, 3.0], [1.0, 2.0, 30000.5])
SPEEDS = (1480.0, 1475.5)
WAVE = WavePoint(
    7, ReplayAddress(item="vib"), rate_address=ReplayAddress(item="rate"), speed_address=ReplayAddress(item="speed"),
    samples=3, scale=0.5,
)  # fmt: skip


def shdr(path: Path) -> Path:
    """The protocol of MTConnect adapters says number and rate of a series; the speed is an item of its own."""
    lines = []
    for n, burst in enumerate(BURSTS):
        lines.append(f"2020-01-01T00:00:0{n}Z|speed|{SPEEDS[n]}|temp|4{n}")
        lines.append(f"2020-01-01T00:00:0{n}Z|vib|3|25600|{' '.join(map(str, burst))}")
    path.write_text("\n".join(lines) + "\n")
    return path


def csv_wide(path: Path) -> Path:
    """A cell holds the numbers; rate and speed stand in the same line, behind it."""
    lines = ["time,vib,rate,speed,temp"]
    lines += [f"{START // SECOND + n},{';'.join(map(str, b))},25600,{SPEEDS[n]},4{n}" for n, b in enumerate(BURSTS)]
    path.write_text("\n".join(lines) + "\n")
    return path


def csv_long(path: Path) -> Path:
    """A line per value; the rate is said once, at the beginning."""
    lines = ["time,signal,value", f"{START // SECOND},rate,25600"]
    for n, burst in enumerate(BURSTS):
        at = START // SECOND + n
        lines += [f"{at},speed,{SPEEDS[n]}", f"{at},temp,4{n}", f'{at},vib,"[{", ".join(map(str, burst))}]"']
    path.write_text("\n".join(lines) + "\n")
    return path


def parquet(path: Path) -> Path:
    """A column of lists."""
    table = pa.table(
        {
            "time": pa.array([START + n * SECOND for n in range(len(BURSTS))], pa.timestamp("us", "UTC")),
            "vib": pa.array(BURSTS, pa.list_(pa.float64())),
            "rate": [25_600.0] * len(BURSTS),
            "speed": SPEEDS,
            "temp": [40, 41],
        }
    )
    pq.write_table(table, path)
    return path


def bursts(batches: list[SampleBatch]) -> list[tuple[int, int, Waveform]]:
    """(handle, time, burst) of the rows that carry one."""
    whole = SampleBatch.concat(batches)
    assert whole.waves is not None
    at = zip(whole.signals.tolist(), whole.times.tolist(), whole.waves.tolist(), strict=True)
    return [row for row in at if row[2] is not None]


@pytest.mark.parametrize(
    ("make", "name"), [(shdr, "x.txt"), (csv_wide, "x.csv"), (csv_long, "x.csv"), (parquet, "x.parquet")]
)
async def test_each_form_gives_the_same_bursts(make: Callable[[Path], Path], name: str, tmp_path: Path) -> None:
    """Samples, scale, rate, speed and time of both bursts, and the ordinary item between them; nothing is unnamed."""
    driver = recordings.driver(make(tmp_path / name))
    driver.expect_waveforms([WAVE])
    batches = [batch for _, batch in await recordings.play(driver, points(["temp"]))]
    found = bursts(batches)
    assert [(handle, time) for handle, time, _ in found] == [(7, START), (7, START + SECOND)]
    for (_, _, wave), burst, speed in zip(found, BURSTS, SPEEDS, strict=True):
        assert wave.values().tolist() == pytest.approx([0.5 * one for one in burst], rel=1e-6)
        assert (wave.rate, wave.speed) == (25_600.0, speed)
    whole = SampleBatch.concat(batches)
    assert whole.values[whole.signals == 0].tolist() == [40.0, 41.0]
    assert not driver.statistics.unnamed


async def test_after_a_kill_it_goes_on_with_the_next_burst(tmp_path: Path) -> None:
    """Nothing is lost or played twice, and what was recorded before the position still says rate and speed."""
    path = csv_long(tmp_path / "x.csv")
    whole = recordings.driver(path)
    whole.expect_waveforms([WAVE])
    expected = bursts([batch for _, batch in await recordings.play(whole, ())])
    for record in range(8):
        first = recordings.driver(path)
        await first.connect()
        position = json.dumps({**json.loads(first.position()), "record": record})
        await first.close()
        second = recordings.driver(path)
        second.expect_waveforms([WAVE])
        second.resume(position)
        rest = SampleBatch.concat([batch for _, batch in await recordings.play(second, ())])
        played = [] if rest.waves is None else [(wave.samples.tolist(), wave.rate, wave.speed) for wave in rest.waves]
        left = 2 if record < 4 else 1 if record < 7 else 0
        assert played == [(wave.samples.tolist(), wave.rate, wave.speed) for _, _, wave in expected[2 - left :]]


async def test_shifted_times_move_the_bursts(tmp_path: Path) -> None:
    """A burst that is replayed at ten times its pace begins now, and keeps its own rate."""
    driver = recordings.driver(parquet(tmp_path / "x.parquet"), speed=10, times="shifted")
    driver.expect_waveforms([WAVE])
    found = bursts([batch for _, batch in await recordings.play(driver, ())])
    assert found[0][1] > START + 86_400 * SECOND
    assert found[1][1] - found[0][1] == SECOND // 10
    assert [wave.rate for _, _, wave in found] == [25_600.0] * 2


async def test_what_is_no_burst(tmp_path: Path) -> None:
    """Text, too few numbers and no rate are bad rows that are counted; an item that is not there is a bad address."""
    path = tmp_path / "x.csv"
    path.write_text("time,vib,short,norate\n1,1 2 x,1 2,1 2 3\n2,UNAVAILABLE,,\n")
    known = {"rate": 10.0, "samples": 3}
    driver = recordings.driver(path)
    driver.expect_waveforms(
        [
            WavePoint(0, ReplayAddress(item="vib"), **known),
            WavePoint(1, ReplayAddress(item="short"), **known),
            WavePoint(2, ReplayAddress(item="norate")),
            WavePoint(3, ReplayAddress(item="ghost"), **known),
        ]
    )
    batch = SampleBatch.concat([batch for _, batch in await recordings.play(driver, ())])
    assert batch.waves is None
    found = dict(zip(zip(batch.signals.tolist(), batch.times.tolist(), strict=True), batch.qualities, strict=True))
    bad, times = Quality.BAD_DEVICE, (SECOND, 2 * SECOND)
    assert [found[handle, times[0]] for handle in (0, 1, 2)] == [bad, bad, bad]
    assert found[0, times[1]] == Quality.BAD_NO_VALUE
    assert Quality.BAD_ADDRESS in batch.qualities[batch.signals == 3]
    words = " ".join(text for _, text in driver.statistics.malformed.examples)
    assert "no number" in words
    assert "half a waveform: 2 of 3" in words
    assert "without its sample rate" in words

"""Bursts in the historian, against a real engine."""

from __future__ import annotations

import numpy as np

from lineshaft.gateway.frames import pieces
from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.model.samples import SampleBatch
from lineshaft.model.waveforms import Waveform

START = 1_750_000_000_000_000
HOUR = 3_600_000_000


def burst(seed: int, count: int = 2048) -> Waveform:
    return Waveform.of(np.random.default_rng(seed).integers(-3000, 3000, count), 25_600.0, 1480.0, scale=0.01)


def test_a_burst_comes_back_sample_by_sample(historian: ClickHouseHistorian) -> None:
    """Counts, numbers, rate, scale, speed and its absence; a long one in pieces; its RMS is an ordinary sample."""
    long, numbers = burst(1, 120_000), Waveform.of(np.sin(np.arange(500.0)), 1000.0)
    for at, part in enumerate(pieces(SampleBatch.of_waves([1, 2], [START, START + 5], [long, numbers]))):
        historian.append(part, f"part {at}")
    for signal, time, wave in ((1, START, long), (2, START + 5, numbers)):
        found = historian.bursts(signal, [time]).get(time)
        assert found is not None
        assert found.samples.dtype == wave.samples.dtype
        np.testing.assert_array_equal(found.samples, wave.samples)
        assert (found.rate, found.speed, found.scale, found.whole) == (wave.rate, wave.speed, wave.scale, True)
    (listed,) = historian.waveforms([1], START, START + 1, 10)
    assert (listed.have, listed.total, listed.whole) == (120_000, 120_000, True)
    np.testing.assert_allclose(listed.rms, long.rms(), rtol=1e-4)
    assert historian.latest([2]).values.tolist() == [numbers.rms()]
    assert historian.bursts(1, [START + 1]) == {}


def test_a_block_that_comes_twice_stores_its_bursts_once(historian: ClickHouseHistorian) -> None:
    """The same token again, and even the same piece under another token, leave one burst."""
    batch = SampleBatch.of_waves([1], [START], [burst(1)])
    for token in ("a", "a", "b"):
        historian.append(batch, token)
    (listed,) = historian.waveforms([1], START, START + 1, 10)
    assert listed.have == listed.total == 2048


def test_half_a_burst_is_listed_as_half(historian: ClickHouseHistorian) -> None:
    """What is there of it can be read, and it says that it is not whole."""
    parts = pieces(SampleBatch.of_waves([1], [START], [burst(1, 120_000)]))
    historian.append(parts[0].take(slice(0, 1)), "first")
    (listed,) = historian.waveforms([1], START, START + 1, 10)
    assert (listed.have, listed.total, listed.whole) == (45_000, 120_000, False)
    found = historian.bursts(1, [START]).get(START)
    assert found is not None
    assert (len(found), found.whole) == (45_000, False)


def test_many_bursts_are_thinned_evenly_and_the_newest_stays(historian: ClickHouseHistorian) -> None:
    """A list that is too long has every so many-th burst of the whole range."""
    count = 50
    waves = [burst(at, 100) for at in range(count)]
    historian.append(SampleBatch.of_waves([1] * count, [START + at * HOUR for at in range(count)], waves), "all")
    listed = historian.waveforms([1], START, START + count * HOUR, 10)
    assert len(listed) == 10
    several = historian.bursts(1, [START, START + 7 * HOUR, START + 1])
    assert sorted(several) == [START, START + 7 * HOUR]
    np.testing.assert_array_equal(several[START + 7 * HOUR].samples, waves[7].samples)
    assert {int(step) for step in np.diff([one.time for one in listed])} == {5 * HOUR}
    assert listed[-1].time == START + (count - 1) * HOUR


def test_retention_removes_bursts_with_their_samples(historian: ClickHouseHistorian) -> None:
    """What is older goes, of the signals that were named; the rest stays."""
    waves = [burst(at, 100) for at in range(4)]
    times = [START + at * HOUR for at in range(4)]
    for signal in (1, 2):
        historian.append(SampleBatch.of_waves([signal] * 4, times, waves), f"all of {signal}")
    historian.delete_before(START + 2 * HOUR, [1])
    assert [one.time for one in historian.waveforms([1], START, START + 9 * HOUR, 10)] == times[2:]
    assert [one.time for one in historian.waveforms([2], START, START + 9 * HOUR, 10)] == times
    historian.delete_before(START + 3 * HOUR)
    for signal in (1, 2):
        assert [one.time for one in historian.waveforms([signal], START, START + 9 * HOUR, 10)] == times[3:]

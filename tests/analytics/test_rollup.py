"""Roll-ups that can be merged, and aggregates over any edges, against a count by hand of every microsecond."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from lineshaft.analytics.buckets import Buckets, aggregate
from lineshaft.analytics.rollup import FOREVER, Rollups, fold, of_rows, ordered
from lineshaft.model.samples import Float64Array, Quality, SampleBatch

MINUTE = 60_000_000
HOUR = 60 * MINUTE
GAP = 15 * MINUTE


def sample(seed: int, rows: int = 3000, span: int = 12 * HOUR) -> SampleBatch:
    """Rows of one signal at chance times, some bad, some uncertain, some at the same time, with two long gaps."""
    random = np.random.default_rng(seed)
    times = np.sort(random.integers(0, span, rows) // 1_000_000 * 1_000_000)
    times = times[(times < 2 * HOUR) | (times > 3 * HOUR)]
    values = np.round(random.normal(20, 5, len(times)), 2)
    qualities = random.choice([192, 192, 192, 66, 4], len(times)).astype(np.uint8)
    values[qualities == 4] = np.nan
    return ordered(SampleBatch.of(np.full(len(times), 7), times, values, qualities))


def folded(atoms: Rollups, width: int, gap: int = GAP) -> Rollups:
    return fold(atoms, width, np.full(len(atoms), gap), np.zeros(len(atoms), np.bool_))


def slow_means(batch: SampleBatch, edges: np.ndarray, gap: int) -> tuple[Float64Array, Float64Array]:
    """Covered microseconds and mean over time of held values per bucket, interval by interval."""
    covered, integral = np.zeros(len(edges) - 1), np.zeros(len(edges) - 1)
    for row in range(len(batch) - 1):
        left, right = int(batch.times[row]), int(batch.times[row + 1])
        if not batch.qualities[row] & 0xC0 or right - left > gap:
            continue
        for bucket in range(len(edges) - 1):
            length = min(right, int(edges[bucket + 1])) - max(left, int(edges[bucket]))
            if length > 0:
                covered[bucket] += length
                integral[bucket] += length * float(batch.values[row])
    return covered, np.divide(integral, covered, out=np.full(len(covered), np.nan), where=covered > 0)


def test_minutes_hours_and_days_tell_what_the_rows_tell() -> None:
    """Folding in steps gives what folding at once gives."""
    rows = of_rows(sample(1))
    steps = folded(folded(folded(rows, MINUTE), HOUR), 24 * HOUR)
    at_once = folded(rows, 24 * HOUR)
    for field in fields(Rollups):
        one, other = getattr(steps, field.name), getattr(at_once, field.name)
        if one.dtype == np.float64:
            np.testing.assert_allclose(one, other, rtol=1e-12, err_msg=field.name)
        else:
            assert one.tolist() == other.tolist(), field.name


@pytest.mark.parametrize("level", [None, MINUTE])
def test_the_mean_over_time_is_right_to_the_microsecond(level: int | None) -> None:
    """Over odd edges, gaps and bad rows, held values count exactly as long as they were held."""
    batch = sample(2, 600)
    edges = np.array([7, 40, 41, 130, 178, 185, 400, 719]) * MINUTE
    atoms = of_rows(batch) if level is None else folded(of_rows(batch), level)
    found = aggregate(atoms, edges, GAP)
    covered, means = slow_means(batch, edges, GAP)
    assert found.covered.tolist() == covered.tolist()
    np.testing.assert_allclose(found.time_mean(), means, rtol=1e-12)
    assert (found.missing + found.covered).tolist() == np.diff(edges).tolist()


def line(seconds: list[int], values: list[float], qualities: int | list[int] = 192) -> Rollups:
    return of_rows(SampleBatch.of(np.full(len(seconds), 1), np.array(seconds) * 1_000_000, values, qualities))


def over(atoms: Rollups, edges: list[int], gap: int = FOREVER, **more: object) -> Buckets:
    return aggregate(atoms, np.array(edges) * 1_000_000, gap, **more)  # type: ignore[arg-type]


def test_a_straight_line_is_cut_at_the_edges() -> None:
    """A ramp from 0 to 100 over 100 s has the mean 12.5 in its first quarter, although no row lies in it."""
    found = over(line([0, 100], [0.0, 100.0]), [0, 25, 50, 100, 200])
    assert found.time_mean(linear=True).tolist()[:3] == [12.5, 37.5, 75.0]
    assert found.time_mean().tolist()[:3] == [0.0, 0.0, 0.0]
    assert np.isnan(found.time_mean()[3])
    assert found.count.tolist() == [1, 0, 0, 1]


def test_the_last_value_is_held_until_now_and_not_longer_than_the_gap() -> None:
    """What comes after the last row is known up to now, unless that is further than the gap."""
    assert over(line([10], [5.0]), [0, 60, 120], until=90_000_000).covered.tolist() == [50_000_000, 30_000_000]
    assert over(line([10], [5.0]), [0, 60], 20_000_000, until=60_000_000).covered.tolist() == [0]


def test_a_bad_row_ends_what_is_held() -> None:
    """From a bad row to the next good one nothing is known, and no line leads to the bad row."""
    found = over(line([0, 40, 50, 60], [2.0, np.nan, 4.0, 4.0], [192, Quality.BAD, 192, 192]), [0, 60])
    assert found.covered.tolist() == [50_000_000]
    assert found.time_mean(linear=True).tolist() == [(40 * 2.0 + 10 * 4.0) / 50]
    assert (found.rows.tolist(), found.count.tolist()) == ([3], [3 - 1])


def test_a_counter_grows_over_buckets_and_starts_anew_after_a_reset() -> None:
    """Growth between two buckets belongs to the later one; after a fall the counter counts from 0."""
    atoms = line([0, 30, 60, 90, 120], [100.0, 110.0, 130.0, 5.0, 8.0])
    assert over(atoms, [0, 60, 120, 180]).increase.tolist() == [10.0, 20.0 + 5.0, 3.0]
    assert over(folded(atoms, MINUTE), [0, 180]).increase.tolist() == [38.0]


def test_time_in_state_goes_over_empty_buckets() -> None:
    """A text that is held for hours is found in every bucket; numbers of a state signal have their digits as names."""
    batch = SampleBatch.of([1, 1], [0, 150_000_000], np.nan, 192, ["RUN", "STOP"])
    found = over(folded(of_rows(batch), MINUTE), [0, 60, 120, 180], until=180_000_000)
    assert found.states == (
        {"RUN": 60_000_000},
        {"RUN": 60_000_000},
        {"RUN": 30_000_000, "STOP": 30_000_000},
    )
    assert over(line([0, 20], [1.0, 0.0]), [0, 60], stateful=True, until=60_000_000).states == (
        {"1": 20_000_000, "0": 40_000_000},
    )


def test_spread_does_not_drown_in_a_large_mean() -> None:
    """The standard deviation of small differences on top of a large value is right."""
    values = 1e9 + np.arange(600) % 2
    found = aggregate(folded(of_rows(SampleBatch.of(np.full(600, 1), np.arange(600) * 1_000_000, values)), MINUTE),
                      np.array([0, 600_000_000]), GAP)  # fmt: skip
    np.testing.assert_allclose(found.deviation, np.std(values, ddof=1), rtol=1e-9)


def test_nothing_is_allowed() -> None:
    """No rows give empty buckets."""
    found = over(of_rows(SampleBatch.empty()), [0, 60])
    assert (found.rows.tolist(), found.covered.tolist()) == ([0], [0])
    assert np.isnan(found.mean[0])
    assert np.isnan(found.low[0])

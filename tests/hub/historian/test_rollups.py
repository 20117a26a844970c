"""Roll-ups against a real engine: kept, corrected, and used by reads."""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from lineshaft.analytics.rollup import Rollups, fold, of_rows, ordered
from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.hub.historian.roller import Roller, RollerSettings
from lineshaft.hub.historian.rollups import WIDTHS, Level
from lineshaft.model.samples import SampleBatch

HOUR, DAY = WIDTHS["hour"], WIDTHS["day"]
START = 1_749_945_600_000_000  # 2025-06-15 00:00 UTC
SECOND = 1_000_000


def roller(historian: ClickHouseHistorian, **more: int) -> Roller:
    return Roller(historian.rollups, historian, historian.traits, RollerSettings(**more))


def a_day(signals: int = 3, seed: int = 1) -> SampleBatch:
    """A day of some signals each 5 s with jitter, some bad rows, two equal times, and a text signal."""
    random = np.random.default_rng(seed)
    n = 86_400 // 5
    parts = []
    for signal in range(1, signals + 1):
        times = START + np.arange(n) * 5 * SECOND + random.integers(0, 1000, n) * 1000
        times[::1000] = times[1::1000]
        values = np.round(50 + 10 * np.sin(np.arange(n) / 300) + random.normal(0, 0.5, n), 2)
        qualities = random.choice([192] * 9 + [66, 4], n).astype(np.uint8)
        values[qualities == 4] = np.nan
        parts.append(SampleBatch.of(np.full(n, signal), times, values, qualities))
    words = random.choice(["RUN", "IDLE", "STOP"], 500).tolist()
    times = np.sort(START + random.integers(0, 86_400, 500) * SECOND)
    parts.append(SampleBatch.of(np.full(500, signals + 1), times, np.nan, 192, words))
    return SampleBatch.concat(parts)


def all_levels(historian: ClickHouseHistorian) -> dict[Level, Rollups]:
    return {level: historian.rollups.read(level, range(10), [(START - DAY, START + 3 * DAY)]) for level in WIDTHS}


def assert_same(one: Rollups, other: Rollups, digits: float = 0.0) -> None:
    for field in fields(Rollups):
        left, right = getattr(one, field.name), getattr(other, field.name)
        if digits and field.name in ("deviations", "ramp"):
            np.testing.assert_allclose(left, right, digits, 1e-3)
        elif left.dtype == np.float64:
            np.testing.assert_array_equal(left, right, err_msg=field.name)
        else:
            assert left.tolist() == right.tolist(), field.name


class Changing:
    """Traits that somebody changes."""

    def __init__(self) -> None:
        self.gap = 3600 * SECOND
        self.states: set[int] = set()

    def gaps(self, signals: np.ndarray) -> np.ndarray:
        return np.full(len(signals), self.gap, np.int64)

    def stateful(self, signals: np.ndarray) -> np.ndarray:
        return np.isin(signals, list(self.states))


def test_another_gap_or_kind_rolls_everything_up_anew(tmp_path: Path) -> None:
    """After a change of `hub.gap` or of a signal's kind, old minutes, hours and days follow with the next row."""
    traits, batch = Changing(), a_day(signals=2).take(slice(0, None, 40))
    more = SampleBatch.of([1, 2, 3], START + DAY + np.arange(3) * SECOND, [1.0, 2.0, 3.0])
    store = ClickHouseHistorian(f"chdb://{tmp_path}/history", traits)
    store.open()
    store.append(batch, "day")
    Roller(store.rollups, store, traits).finish()
    traits.gap, traits.states = 60 * SECOND, {2}
    store.append(more, "more")
    again = Roller(store.rollups, store, traits)  # as after a restart
    again.finish()
    found = all_levels(store)
    passes = again.figures.passes
    store.append(more, "more again")
    again.finish()
    assert again.figures.passes == passes + 1, "nothing has changed, so nothing is done anew"
    store.close()

    fresh = ClickHouseHistorian(f"chdb://{tmp_path}/fresh", traits)
    fresh.open()
    fresh.append(SampleBatch.concat([batch, more]), "all")
    Roller(fresh.rollups, fresh, traits).finish()
    for level, wanted in all_levels(fresh).items():
        assert_same(found[level], wanted)
    fresh.close()


def test_a_day_that_comes_shuffled_in_pieces_and_twice_gives_the_same_roll_ups(tmp_path: Path) -> None:
    """In order and at once, or shuffled in blocks with passes in between and blocks repeated: equal bit for bit."""
    batch = a_day()
    straight = ClickHouseHistorian(f"chdb://{tmp_path}/history")
    straight.open()
    straight.append(batch, "all")
    roller(straight).finish()
    wanted = all_levels(straight)
    straight.close()

    late = ClickHouseHistorian(f"chdb://{tmp_path}/late")
    late.open()
    order = np.random.default_rng(7).permutation(len(batch))
    for number, rows in enumerate(np.array_split(order, 6)):
        late.append(batch.take(rows), f"part-{number}")
        if number % 3 == 0:
            late.append(batch.take(rows), f"part-{number}")
            roller(late, rows=5_000, notes=20_000).step()
    roller(late, rows=7_000, notes=20_000).finish()
    for level, found in all_levels(late).items():
        assert len(found)
        assert_same(found, wanted[level])
    assert late.rollups.waiting() == 0
    late.close()


def test_roll_ups_are_what_the_rows_say(historian: ClickHouseHistorian) -> None:
    """Each level in the engine is the fold of the rows, texts and states too."""
    batch = a_day()
    historian.append(batch, "all")
    roller(historian).finish()
    atoms = of_rows(ordered(batch))
    for level, found in all_levels(historian).items():
        gaps = historian.traits.gaps(atoms.signals)
        atoms = fold(atoms, WIDTHS[level], gaps, historian.traits.stateful(atoms.signals))
        assert_same(found, atoms, 1e-5)


def test_a_kill_between_roll_up_and_note_changes_nothing(historian: ClickHouseHistorian) -> None:
    """A pass that is done twice, because its notes were still there, gives the same."""
    historian.append(a_day(), "all")
    one = roller(historian)
    touched = historian.rollups.touched(10**9)
    for _ in range(2):
        one._minutes(touched)
        one._merge("minute", "hour", touched)
        one._merge("hour", "day", touched)
    before = all_levels(historian)
    one.finish()
    for level, found in all_levels(historian).items():
        assert_same(found, before[level])


@pytest.mark.parametrize("rolled", [True, False])
def test_aggregates_count_committed_rows_at_once(historian: ClickHouseHistorian, rolled: bool) -> None:
    """Whether rolled up or not yet, local days with odd edges give the same; a late row counts at once."""
    batch = a_day()
    historian.append(batch, "all")
    if rolled:
        roller(historian).finish()
    edges = START + np.array([0, HOUR // 2, 7 * HOUR + 90_000_001, 18 * HOUR + HOUR // 2, DAY], np.int64)
    (found,) = historian.aggregate([2], edges)
    rows = batch.take((batch.signals == 2) & (batch.qualities != 4))
    for bucket, (left, right) in enumerate(pairwise(edges.tolist())):
        own = rows.values[(rows.times >= left) & (rows.times < right)]
        assert found.count[bucket] == len(own)
        assert (found.low[bucket], found.high[bucket]) == (own.min(), own.max())
        np.testing.assert_allclose(found.mean[bucket], own.mean(), rtol=1e-12)
        np.testing.assert_allclose(found.deviation[bucket], own.std(ddof=1), rtol=1e-6)
    historian.append(SampleBatch.of([2], [START + 3 * HOUR + 7], [999.0]), "late")
    (later,) = historian.aggregate([2], edges)
    assert later.high[1] == 999.0
    assert later.count[1] == found.count[1] + 1
    assert later.count[2:].tolist() == found.count[2:].tolist()


def test_a_long_chart_is_drawn_from_roll_ups_and_keeps_every_extreme(historian: ClickHouseHistorian) -> None:
    """A spike of one row keeps its time and quality, in rolled-up parts, in ragged ends and in new rows."""
    n = 20 * 86_400 // 10
    times = START + np.arange(n) * 10 * SECOND
    values = np.sin(np.arange(n) / 500)
    qualities = np.full(n, 192, np.uint8)
    spikes = [3, 70_001, n - 4]
    values[spikes], qualities[spikes] = [50.0, -60.0, 70.0], 66
    historian.append(SampleBatch.of(np.full(n, 1), times, values, qualities), "a")
    roller(historian).finish()
    historian.append(SampleBatch.of([1], [START + 12 * DAY + 5], [-80.0], 66), "late")
    first, last = START + 7 * SECOND, START + 20 * DAY - 13 * SECOND
    (series,) = historian.read([1], first, last, points=200, before=False)
    assert series.mode == "minmax"
    assert 200 <= len(series.times) <= 810
    assert (np.diff(series.times) > 0).all()
    for time, value in [(times[3], 50.0), (times[70_001], -60.0), (times[n - 4], 70.0), (START + 12 * DAY + 5, -80.0)]:
        at = series.times.tolist().index(time)
        assert (series.values[at], series.qualities[at]) == (value, 66)
    assert series.times[0] >= first
    assert series.times[-1] < last


def test_roll_ups_outlive_raw_rows(historian: ClickHouseHistorian) -> None:
    """After raw rows went, charts and aggregates still know the past; a row that comes far too late spoils nothing."""
    n = 3 * 86_400 // 10
    times = START + np.arange(n) * 10 * SECOND
    historian.append(SampleBatch.of(np.full(n, 1), times, np.arange(n, dtype=float)), "a")
    one = roller(historian)
    one.finish()
    edges = START + np.arange(4) * DAY
    before = historian.aggregate([1], edges)[0]
    historian.delete_before(START + 2 * DAY + HOUR // 2)
    historian.append(SampleBatch.of([1], [START + 5], [1e9]), "far too late")
    one.finish()
    assert historian.aggregate([1], edges)[0].total.tolist() == before.total.tolist()
    (series,) = historian.read([1], START, START + HOUR, points=1000, before=False)
    assert len(series.times) >= 60
    assert series.values.max() == 359.0
    historian.forget_rollups("minute", START + DAY)
    historian.forget_rollups("hour", START + DAY)
    assert historian.aggregate([1], edges)[0].total.tolist() == before.total.tolist()


def test_what_is_taken_back_leaves_no_trace(historian: ClickHouseHistorian) -> None:
    """Rows that are retracted are gone from series, latest values, aggregates and roll-ups; others stay."""
    historian.append(a_day(2), "a")
    one = roller(historian)
    one.finish()
    historian.retract([1], START + 6 * HOUR)
    one.finish()
    edges = np.array([START, START + 6 * HOUR, START + DAY])
    mine, other = historian.aggregate([1, 2], edges)
    assert mine.rows[0] > 4000
    assert mine.rows[1] == 0
    assert other.rows[1] > 12_000
    assert historian.latest([1]).times[0] <= START + 6 * HOUR
    found = historian.rollups.read("minute", [1], [(START, START + DAY)])
    assert found.starts.max() == START + 6 * HOUR - 60_000_000
    (series,) = historian.read([1], START, START + DAY, points=500, before=False)
    assert series.times.max() <= START + 6 * HOUR


def test_tables_of_version_1_get_roll_ups(tmp_path: Path) -> None:
    """What was stored before there were roll-ups is rolled up after the upgrade."""
    old = ClickHouseHistorian(f"chdb://{tmp_path}/history")
    old.open()
    old.append(a_day(), "a")
    for table in ("touched_view", "touched", "raw_from", *(f"rollup_{level}" for level in WIDTHS)):
        old._engine.command(f"DROP TABLE {table}")
    old._engine.command("ALTER TABLE historian_schema DELETE WHERE version > 1", {"mutations_sync": 2})
    old.open()
    roller(old).finish()
    assert len(all_levels(old)["day"]) == 4
    old.append(a_day(seed=2), "b")
    assert old.rollups.waiting() > 0
    old.close()

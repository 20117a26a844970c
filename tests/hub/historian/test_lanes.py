"""States over a long range: which occurred, and for how long, however the rows came."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lineshaft.analytics.rollup import FOREVER, fold, of_rows, ordered
from lineshaft.hub.historian.base import OTHERS, Series
from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.hub.historian.lanes import MOST_STATES, edges_of, lane
from lineshaft.hub.historian.roller import Roller, RollerSettings
from lineshaft.model.samples import SampleBatch

SECOND, MINUTE, HOUR = 1_000_000, 60_000_000, 3_600_000_000
DAY = 24 * HOUR
START = 1_749_945_600_000_000  # 2025-06-15 00:00 UTC
NAMES = ("RUN", "IDLE", "STOP", "7")
HELD = np.array([FOREVER])

Row = tuple[int, int, bool]  # second, state, whether it is usable


def batch_of(rows: list[Row], *, text: bool) -> SampleBatch:
    times = [START + second * SECOND for second, _, _ in rows]
    qualities = [192 if usable else 0 for _, _, usable in rows]
    words = [NAMES[state] for _, state, _ in rows] if text else None
    values = np.full(len(rows), np.nan) if text else np.array([float(state) for _, state, _ in rows])
    return SampleBatch.of(np.full(len(rows), 1), times, values, qualities, words)


def times_in_state(batch: SampleBatch, bounds: list[int]) -> list[dict[str, int]]:
    """The long way: each usable row lasts until the next row; the last one lasts for nothing."""
    rows = ordered(batch)
    names = rows.texts.tolist() if rows.texts is not None else [f"{value:g}" for value in rows.values]
    found: list[dict[str, int]] = [{} for _ in bounds[1:]]
    for (start, end), name, quality in zip(pairwise(rows.times.tolist()), names, rows.qualities.tolist(), strict=False):
        for place, (left, right) in enumerate(pairwise(bounds)):
            length = min(end, right) - max(start, left)
            if quality and length > 0:
                found[place][name] = found[place].get(name, 0) + length
    return found


def told(series: Series, bounds: list[int]) -> list[dict[str, int]]:
    """Time in state by the asked stretches; a state of several stretches is cut at their edges."""
    assert series.states is not None
    found: list[dict[str, int]] = [{} for _ in bounds[1:]]
    names = series.texts.tolist() if series.texts is not None else [f"{value:g}" for value in series.values]
    entries = zip(pairwise(series.times.tolist()), series.states.tolist(), names, series.qualities, strict=False)
    for (start, end), of_time, name, quality in entries:
        states = {name: end - start} if of_time is None and quality else of_time  # a row as it is stored
        for place, (left, right) in enumerate(pairwise(bounds)):
            if states and start <= left and right <= end and start < right:
                whole = (start, end) == (left, right)
                found[place] = (
                    {name: t for name, t in states.items() if t} if whole else {next(iter(states)): right - left}
                )
    return found


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 4 * 3600), st.integers(0, 3), st.booleans() | st.just(True)), min_size=2, max_size=60,
        unique_by=lambda row: row[0],
    ),
    text=st.booleans(),
    random=st.randoms(use_true_random=False),
)  # fmt: skip
def test_time_in_state_is_exact_from_rows_minutes_and_hours(rows: list[Row], text: bool, random: Random) -> None:
    """Late and shuffled rows, and rows that are rolled up, tell the same: what counting second by second tells."""
    straight = batch_of(sorted(rows), text=text)
    random.shuffle(rows)
    edges = START + np.arange(0, 6) * HOUR
    atoms = of_rows(ordered(batch_of(rows, text=text)))
    raw = lane(1, atoms, edges, FOREVER)
    assert raw is not None
    assert raw.states is not None
    last = int(raw.times[-1])
    stored = [time for time, states in zip(raw.times.tolist(), raw.states, strict=True) if states is None]
    bounds = sorted({*edges[edges < last].tolist(), *stored})
    assert last <= straight.times[-1]
    usable = straight.qualities > 0
    if usable.any():
        trusted = np.flatnonzero(raw.qualities)[-1]
        assert raw.times[trusted] == straight.times[usable][-1], "the last trusted row is there as it is stored"
        assert raw.states[trusted] is None
    assert told(raw, bounds) == times_in_state(straight, bounds)
    stateful = np.ones(len(atoms), np.bool_)
    minutes = fold(atoms, MINUTE, np.repeat(HELD, len(atoms)), stateful)
    hours = fold(minutes, HOUR, np.repeat(HELD, len(minutes)), stateful[: len(minutes)])
    for other in (minutes, hours):
        found = lane(1, other, edges, FOREVER)
        assert found is not None
        assert found.times.tolist() == raw.times.tolist()
        assert (found.states.tolist(), found.qualities.tolist()) == (raw.states.tolist(), raw.qualities.tolist())  # type: ignore[union-attr]


class States:
    """Signal 2 is a state that is told by numbers."""

    def gaps(self, signals: np.ndarray) -> np.ndarray:
        return np.full(len(signals), FOREVER)

    def stateful(self, signals: np.ndarray) -> np.ndarray:
        return signals == 2


def two_days() -> SampleBatch:
    """A text and a number each second, which change every few minutes; once a state of one second."""
    random = np.random.default_rng(3)
    n = 2 * 86_400
    at = np.cumsum(random.random(n) < 1 / 200) % 3
    at[100_000] = 3
    times = START + np.arange(n) * SECOND
    words = np.array(NAMES, object)[at].tolist()
    return SampleBatch.concat(
        [
            SampleBatch.of(np.full(n, 1), times, np.nan, 192, words),
            SampleBatch.of(np.full(n, 2), times, at.astype(float)),
        ]
    )


def test_a_long_lane_comes_from_roll_ups_and_late_rows_correct_it(tmp_path: Path) -> None:
    """Two days that came shuffled and late read like two days in order, and nothing that occurred is lost; a late row
    counts at once; after the rows are gone the lane is still there."""
    store = ClickHouseHistorian(f"chdb://{tmp_path}/history", States())
    store.open()
    batch = two_days()
    roller = Roller(store.rollups, store, store.traits, RollerSettings())
    order = np.random.default_rng(5).permutation(len(batch))
    for number, rows in enumerate(np.array_split(order, 3)):
        store.append(batch.take(rows), f"part-{number}")
        if number == 0:
            roller.step()
    half = store.read([1, 2], START, START + 2 * DAY, points=100, before=False)
    roller.finish()
    lanes = store.read([1, 2], START, START + 2 * DAY, points=100, before=False)
    for one, before in zip(lanes, half, strict=True):
        assert one.mode == before.mode == "states"
        assert one.states is not None
        assert before.states is not None
        assert one.states.tolist() == before.states.tolist(), "what is not rolled up yet is read from the rows"
        rows = batch.take(batch.signals == one.signal)
        edges = edges_of(START, START + 2 * DAY, 100)
        bounds = [*edges[edges < rows.times[-1]].tolist(), int(rows.times[-1])]
        assert told(one, bounds) == times_in_state(rows, bounds)
        assert one.times[-1] == rows.times[-1]
        assert one.states[-1] is None
    assert sum(states.get("7", 0) for states in lanes[0].states.tolist() if states) == SECOND  # type: ignore[union-attr]
    store.append(SampleBatch.of([1], [START + 3 * HOUR + 500_000], np.nan, 192, ["LATE"]), "late")
    (late,) = store.read([1], START, START + 2 * DAY, points=100, before=False)
    assert sum(states.get("LATE", 0) for states in late.states.tolist() if states) == SECOND // 2  # type: ignore[union-attr]
    roller.finish()
    store.delete_before(START + DAY)
    (kept,) = store.read([1], START, START + 2 * DAY, points=100, before=False)
    assert kept.states.tolist() == late.states.tolist()  # type: ignore[union-attr]
    store.close()


def test_a_text_that_is_never_the_same_names_its_longest() -> None:
    """Serial numbers are no states: the twenty longest are named, the others are told together."""
    n = 100
    words = [f"SN-{number:03}" for number in range(n)]
    batch = SampleBatch.of(np.full(n, 1), START + np.arange(n) * SECOND, np.nan, 192, words)
    found = lane(1, of_rows(batch), np.array([START, START + HOUR]), FOREVER)
    assert found is not None
    states = found.states[0]  # type: ignore[index]
    assert len(states) == MOST_STATES + 1
    assert states[OTHERS] == (n - 1 - MOST_STATES) * SECOND

"""Swinging door: few rows go on, and lines between them miss no row that was read by more than the deadband."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.test_steps import T0, table

from lineshaft.gateway.plan import NEVER
from lineshaft.gateway.steps.base import SignalSteps, SignalTable
from lineshaft.gateway.steps.door import SwingingDoor
from lineshaft.gateway.steps.pipeline import Pipeline
from lineshaft.model.samples import Quality, SampleBatch

SIGNALS = 3
DOOR = SignalSteps(door=True)
Row = tuple[int, int, float, int]


def doors(error: float, heartbeat: int = NEVER, n: int = SIGNALS) -> SignalTable:
    plain = table(n, deadband=error, heartbeat=heartbeat)
    return SignalTable(
        **{name: getattr(plain, name) for name in plain.__slots__ if name != "more"}, more=dict.fromkeys(range(n), DOOR)
    )


steps = st.tuples(
    st.integers(0, SIGNALS - 1),
    st.sampled_from([1, 1, 1, 7, 1000, 0, -3]),  # microseconds since the row before; gaps, repeats, backward
    st.one_of(st.floats(-1, 1), st.floats(-1e6, 1e6), st.just(0.0), st.just(math.nan), st.just(math.inf)),
    st.sampled_from([192] * 12 + [66, 0]),
)


def walk(items: list[tuple[int, int, float, int]]) -> list[Row]:
    """Rows of signals whose value and time go on from the row before."""
    times, values = [T0] * SIGNALS, [0.0] * SIGNALS
    rows = []
    for signal, wait, change, quality in items:
        times[signal] += wait
        value = values[signal] + change
        if math.isfinite(value):
            values[signal] = value
        rows.append((signal, times[signal], value, quality))
    return rows


def batch_of(rows: list[Row]) -> SampleBatch:
    return SampleBatch.of(*zip(*rows, strict=True)) if rows else SampleBatch.empty()


def lines(sent: list[tuple[int, float, int]], read: list[tuple[int, float, int]], error: float) -> None:
    """Each row read is either sent itself or lies between two sent rows of its quality, near their line."""
    at = 0
    scale = max((abs(v) for _, v, _ in read if math.isfinite(v)), default=1.0)
    for time, value, quality in read:
        if at < len(sent) and same(sent[at], (time, value, quality)):
            at += 1
            continue
        assert at > 0, "the first row is always sent"
        (t0, v0, q0) = sent[at - 1]
        assert quality == q0
        if not math.isfinite(value):
            assert same((0, v0, q0), (0, value, quality))
            continue
        (t1, v1, q1) = sent[at]
        assert (q0, t0 < time < t1) == (q1, True)
        line = v0 + (v1 - v0) * (time - t0) / (t1 - t0)
        assert abs(line - value) <= error + 1e-12 * scale
    assert at == len(sent)


def same(one: tuple[int, float, int], other: tuple[int, float, int]) -> bool:
    return (one[0], one[2]) == (other[0], other[2]) and (
        one[1] == other[1] or (math.isnan(one[1]) and math.isnan(other[1]))
    )


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.lists(steps, max_size=40), max_size=5),
    st.sampled_from([0.0, 0.1, 1.0, 500.0]),
    st.sampled_from([5, 2000, NEVER]),
)
def test_no_row_is_further_from_the_lines_than_the_deadband(batches: list[Any], error: float, heartbeat: int) -> None:
    """Whatever comes - gaps, heartbeats, changes of quality, no numbers, time that stands still - the bound holds."""
    door = SwingingDoor(doors(error, heartbeat))
    rows = walk([item for items in batches for item in items])
    out, at = [], 0
    for items in batches:
        out.append(door.update(batch_of(rows[at : at + len(items)])))
        at += len(items)
    out.append(door.flush(np.arange(SIGNALS, dtype=np.uint32)))
    sent = SampleBatch.concat(out)
    for signal in range(SIGNALS):
        mine = sent.take(sent.signals == signal)
        lines(
            list(zip(mine.times.tolist(), mine.values.tolist(), mine.qualities.tolist(), strict=True)),
            [row[1:] for row in rows if row[0] == signal],
            error,
        )
    assert door.count.dropped == int(door.count.dropped_of.sum()) == len(rows) - len(sent)


@settings(max_examples=100, deadline=None)
@given(st.lists(steps, max_size=80), st.lists(st.integers(0, 80), max_size=6))
def test_batches_do_not_matter(items: list[Any], cuts: list[int]) -> None:
    """However the rows are cut into batches, the same rows go on."""
    rows = walk(items)
    whole, parts = SwingingDoor(doors(0.5, 50)), SwingingDoor(doors(0.5, 50))
    wanted = whole.update(batch_of(rows))
    edges = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    found = SampleBatch.concat([parts.update(batch_of(rows[a:b])) for a, b in pairwise(edges)])
    for signal in range(SIGNALS):
        one, other = (b.take(b.signals == signal) for b in (wanted, found))
        assert one.times.tolist() == other.times.tolist()
        np.testing.assert_array_equal(one.values, other.values)


def test_a_ramp_is_two_rows_and_a_corner_a_third() -> None:
    """1,000 rows on two straight lines: first, corner, and the last when it is flushed."""
    door = SwingingDoor(doors(0.01, n=1))
    times = T0 + 1000 * np.arange(1000)
    values = np.where(np.arange(1000) < 400, np.arange(1000) * 0.5, 200 - np.arange(1000) * 0.1 + 39.95)
    sent = SampleBatch.concat(
        (door.update(SampleBatch.of(np.zeros(1000), times, values)), door.flush(np.array([0], np.uint32)))
    )
    assert len(sent) <= 4
    assert (sent.times[0], sent.times[-1]) == (times[0], times[-1])


def test_a_heartbeat_is_sent_on_a_straight_line_too() -> None:
    """A row goes out at least every heartbeat; the line there ends with the row itself."""
    door = SwingingDoor(doors(0.1, heartbeat=10_000, n=1))
    sent = door.update(SampleBatch.of(np.zeros(35), T0 + 1000 * np.arange(35), np.arange(35.0)))
    assert ((sent.times - T0) // 1000).tolist() == [0, 10, 20, 30]


def test_a_lost_device_gives_the_held_row_first() -> None:
    """What the door holds back goes out before the stale row, so that the last value is known."""
    pipeline = Pipeline(doors(1.0, n=1))
    assert len(pipeline.update(SampleBatch.of([0, 0, 0], [T0, T0 + 1, T0 + 2], [1.0, 1.5, 2.0]))) == 1
    lost = pipeline.lost(np.array([0], np.uint32), T0 + 9)
    assert lost.times.tolist() == [T0 + 2, T0 + 9]
    assert lost.values.tolist() == [2.0, 2.0]
    assert lost.qualities.tolist() == [Quality.GOOD, Quality.STALE]
    figures = pipeline.of(0)
    assert (figures.rows_in, figures.rows_out, figures.dropped) == (4, 3, {"door": 1})


def test_text_goes_on_when_it_changes() -> None:
    """A signal that sends words now and then keeps its line apart from them."""
    door = SwingingDoor(doors(1.0, n=1))
    texts = [None, None, "off", "off", None]
    batch = SampleBatch.of(np.zeros(5), T0 + np.arange(5), [1.0, 1.1, math.nan, math.nan, 1.2], 192, texts)
    sent = door.update(batch)
    assert (sent.times - T0).tolist() == [0, 1, 2, 4]

"""The edge pipeline."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lineshaft.gateway.plan import NEVER
from lineshaft.gateway.steps.base import SignalTable
from lineshaft.gateway.steps.checks import EARLIEST_US, Range, Scale, SourceClock, Types
from lineshaft.gateway.steps.exceptions import ReportByException
from lineshaft.gateway.steps.pipeline import Pipeline
from lineshaft.model.samples import Quality, SampleBatch

SIGNALS = 60
T0 = EARLIEST_US


def table(n: int = SIGNALS, **columns: Any) -> SignalTable:
    base: dict[str, Any] = {
        "scale": np.ones(n),
        "offset": np.zeros(n),
        "low": np.full(n, -np.inf),
        "high": np.full(n, np.inf),
        "deadband": np.zeros(n),
        "heartbeat": np.full(n, NEVER, np.int64),
        "report_all": np.zeros(n, np.bool_),
        "texts": np.zeros(n, np.uint8),
    }
    for name, value in columns.items():
        base[name][:] = value
    return SignalTable(**base)


values = st.one_of(st.just(math.nan), st.just(math.inf), st.integers(-4, 4).map(float), st.floats(-3, 3))
rows = st.tuples(
    st.one_of(st.integers(0, 2), st.integers(0, SIGNALS - 1)),
    st.integers(T0 - 2, T0 + 40),
    values,
    st.sampled_from([0, 3, 64, 192, 192, 192]),
    st.sampled_from([None, None, None, "a", "b"]),
)


def to_batch(items: list[tuple[int, int, float, int, str | None]]) -> SampleBatch:
    if not items:
        return SampleBatch.empty()
    s, t, v, q, x = zip(*items, strict=True)
    return SampleBatch.of(s, t, v, q, x if any(text is not None for text in x) else None)


def wide(seed: int) -> list[tuple[int, int, float, int, str | None]]:
    """A batch in which many signals have several rows, so that whole rounds are decided at once."""
    random = np.random.default_rng(seed)
    n = 300
    columns = (
        random.integers(0, SIGNALS, n).tolist(),
        (T0 + random.integers(-3, 60, n)).tolist(),
        random.choice([0.0, 0.5, 1.0, 1.5, math.nan], n).tolist(),
        random.choice([0, 192], n, p=[0.1, 0.9]).tolist(),
        random.choice([None, "x", "y"], n, p=[0.8, 0.1, 0.1]).tolist(),
    )
    return list(zip(*columns, strict=True))


def plain_exception(items: list[list[Any]], deadband: float, heartbeat: int, state: dict[int, Any]) -> list[Any]:
    out = []
    for row in items:
        signal, time, value, quality, text = row
        if signal in state:
            t, v, q, x = state[signal]
            both_nan = math.isnan(v) and math.isnan(value)
            same = both_nan or v == value or abs(v - value) <= deadband
            if same and q == quality and x == text and not time - t >= heartbeat:
                continue
        state[signal] = (time, value, quality, text)
        out.append(row)
    return out


def columns_of(batch: SampleBatch) -> list[Any]:
    texts = [None] * len(batch) if batch.texts is None else batch.texts.tolist()
    value = [None if math.isnan(v) else v for v in batch.values.tolist()]
    return list(zip(batch.signals.tolist(), batch.times.tolist(), value, batch.qualities.tolist(), texts, strict=True))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.one_of(st.lists(rows, max_size=60), st.integers(0, 2**32 - 1).map(wide)), max_size=5),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from([5, 20, NEVER]),
)
def test_report_by_exception_decides_as_a_plain_loop_does(batches: list[Any], deadband: float, heartbeat: int) -> None:
    """However rows are cut into batches, exactly those rows pass that a loop over single rows lets pass."""
    step = ReportByException(table(deadband=deadband, heartbeat=heartbeat))
    state: dict[int, Any] = {}
    for items in batches:
        wanted = plain_exception(items, deadband, heartbeat, state)
        assert columns_of(step.update(to_batch(items))) == columns_of(to_batch(wanted))
    for handle, (time, value, quality, _) in state.items():
        last = step.last(np.array([handle], np.uint32))
        assert (last.times[0], last.qualities[0]) == (time, quality)
        assert last.values[0] == value or math.isnan(value)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(rows, max_size=50), max_size=4))
def test_a_source_clock_that_goes_back_is_marked_row_by_row(batches: list[Any]) -> None:
    """A row older than the row before it of the same signal is marked and keeps its time."""
    marks = {192: Quality.UNCERTAIN_CLOCK, 3: Quality.BAD_CLOCK}
    step = SourceClock(table())
    last: dict[int, int] = {}
    for items in batches:
        out = step.update(to_batch(items))
        for i, (signal, time, _, quality, _) in enumerate(items):
            back = time < last.get(signal, 0) or time < EARLIEST_US
            last[signal] = time
            assert out.times[i] == time
            assert out.qualities[i] == (marks.get(quality, quality) if back else quality)


def test_heartbeat_quality_and_report_all() -> None:
    """An unchanged value passes after the heartbeat, with another quality, and always where all are wanted."""
    step = ReportByException(table(2, heartbeat=[10, 10], report_all=[False, True]))
    first = step.update(SampleBatch.of([0, 1], T0, [1.0, 1.0]))
    assert len(first) == 2
    assert step.update(SampleBatch.of([0, 1], T0 + 9, [1.0, 1.0])).signals.tolist() == [1]
    assert step.update(SampleBatch.of([0, 1], T0 + 10, [1.0, 1.0])).signals.tolist() == [0, 1]
    assert step.update(SampleBatch.of([0], T0 + 11, [1.0], Quality.UNCERTAIN)).signals.tolist() == [0]
    assert (step.count.rows_in, step.count.rows_out, step.count.dropped) == (7, 6, 1)


def test_scale_range_and_digits() -> None:
    """Values are scaled; outside the range they are uncertain; a bad value stays bad; scaled digits go."""
    columns = table(3, scale=[0.1, 1.0, 1.0], offset=[5.0, 0.0, 0.0], low=[0, 0, -np.inf], high=[10, 10, np.inf])
    given_rows = SampleBatch.of(
        [0, 1, 1, 2], T0, [100.0, 11.0, 11.0, 2.0**60], [192, 192, 0, 192], ["100", None, None, str(2**60 + 1)]
    )
    out = Range(columns).update(Scale(columns).update(given_rows))
    assert out.values.tolist() == [15.0, 11.0, 11.0, 2.0**60]
    assert out.qualities.tolist() == [Quality.UNCERTAIN_RANGE, Quality.UNCERTAIN_RANGE, 0, 192]
    assert out.texts is not None
    assert out.texts.tolist() == [None, None, None, str(2**60 + 1)]
    assert given_rows.values.tolist() == [100.0, 11.0, 11.0, 2.0**60]


def test_text_for_a_number_is_a_bad_value_and_a_number_for_text_is_text() -> None:
    """A source of the wrong type is marked, and never disturbs other rows."""
    step = Types(table(4, texts=[0, SignalTable.TEXT, 0, SignalTable.DIGITS]))
    batch = SampleBatch.of([0, 1, 2, 3], T0, [np.nan, 7.0, 3.0, 9.0], 192, ["on", None, "3", "9"])
    out = step.update(batch)
    assert out.texts is not None
    assert out.texts.tolist() == [None, "7", None, "9"]
    assert out.qualities.tolist() == [Quality.BAD_DEVICE, 192, 192, 192]
    assert out.values[2:].tolist() == [3.0, 9.0]
    assert step.mistyped == {0}


def test_a_lost_device_gives_one_row_per_signal() -> None:
    """The last value comes once as stale; a signal that never had one is bad; the next value passes."""
    pipeline = Pipeline(table(3, report_all=True))
    handles = np.array([0, 1], np.uint32)
    pipeline.update(SampleBatch.of([0], T0, [4.0]))
    lost = pipeline.lost(handles, T0 + 5)
    assert columns_of(lost) == [
        (0, T0 + 5, 4.0, Quality.STALE, None),
        (1, T0 + 5, None, Quality.BAD_COMMUNICATION, None),
    ]
    assert len(pipeline.lost(handles, T0 + 6)) == 0
    assert len(pipeline.update(SampleBatch.of([0], T0 + 7, [4.0]))) == 1

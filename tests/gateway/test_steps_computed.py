"""Computed signals and edge rules: formulas, rates, intervals and conditions over the signals of a gateway."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.helpers import plan_of
from tests.gateway.test_steps import T0, table

from lineshaft.config.expressions import Expression
from lineshaft.gateway.steps.computed import Aggregate, Computed, CounterRate, Formula
from lineshaft.gateway.steps.pipeline import Pipeline
from lineshaft.gateway.steps.rules import EdgeRules
from lineshaft.model.events import Event, Severity
from lineshaft.model.samples import Quality, SampleBatch
from lineshaft.operators.rules import Rule

S = 1_000_000
GOOD = int(Quality.GOOD)


def feed(signal: int, rows: list[tuple[float, float]], quality: Any = GOOD) -> SampleBatch:
    seconds, values = zip(*rows, strict=True)
    return SampleBatch.of(
        np.full(len(rows), signal), T0 + np.round(np.array(seconds) * S).astype(np.int64), values, quality
    )


def seen(batch: SampleBatch) -> list[tuple[float, float]]:
    return [((time - T0) / S, value) for time, value in zip(batch.times.tolist(), batch.values.tolist(), strict=True)]


def power() -> Computed:
    return Computed([Formula(2, Expression("u * i", ["u", "i"]), (("u", 0), ("i", 1)))], 3)


def test_a_formula_takes_the_newest_value_of_each_input() -> None:
    """One row at each time of an input; nothing before every input had a row; rows of one time are one result."""
    made = power()
    assert len(made.update(feed(0, [(0, 230.0)]))) == 0
    assert seen(made.update(feed(1, [(1, 2.0)]))) == [(1, 460.0)]
    both = SampleBatch.concat((feed(0, [(2, 231.0), (3, 232.0)]), feed(1, [(3, 1.0)])))
    assert seen(made.update(both)) == [(2, 462.0), (3, 232.0)]
    assert len(made.update(SampleBatch.empty())) == 0


def test_a_formula_is_as_good_as_its_worst_input() -> None:
    """Uncertain, stale and bad inputs make such a result; a result that does not exist has no value."""
    made = power()
    made.update(feed(0, [(0, 230.0)]))
    assert made.update(feed(1, [(0, 2.0)], Quality.UNCERTAIN_RANGE)).qualities.tolist() == [Quality.UNCERTAIN_RANGE]
    assert made.update(feed(1, [(1, 2.0)], Quality.STALE)).qualities.tolist() == [Quality.STALE]
    none = made.update(feed(1, [(2, math.nan)]))
    assert none.qualities.tolist() == [Quality.BAD_NO_VALUE]
    assert math.isnan(none.values[0])


def rate(rows: list[tuple[float, float]], *, per: float = 1.0, rollover: float = 0.0, shortest: int = 0) -> Any:
    made = Computed([CounterRate(1, 0, per, rollover, shortest)], 2)
    whole = seen(made.update(feed(0, rows)))
    single = Computed([CounterRate(1, 0, per, rollover, shortest)], 2)
    assert [row for one in rows for row in seen(single.update(feed(0, [one])))] == whole
    return whole


def test_a_counter_becomes_a_rate() -> None:
    """Growth by time, in the unit of time that was asked for."""
    assert rate([(0, 10), (2, 16), (4, 16)]) == [(2, 3.0), (4, 0.0)]
    assert rate([(0, 10), (36, 11)], per=3600.0) == [(36, 100.0)]


def test_a_reset_gives_no_rate_and_never_a_negative_one() -> None:
    """Nobody knows what was counted before a reset, so there is no row; the next one is right."""
    assert rate([(0, 1000), (1, 4), (2, 6)]) == [(2, 2.0)]


def test_a_rollover_is_counted_on() -> None:
    """From just below its end to just above 0 is growth; a fall to anywhere else is a reset."""
    assert rate([(0, 65530), (1, 4), (2, 5)], rollover=65536) == [(1, 10.0), (2, 1.0)]
    assert rate([(0, 40000), (1, 35000), (2, 35001)], rollover=65536) == [(2, 1.0)]


def test_rates_have_a_shortest_interval_and_time_goes_on() -> None:
    """Rows that come sooner, twice or backward wait for the next one."""
    assert rate([(0, 0), (1, 1), (2, 2), (5, 9), (5, 9), (4, 3), (10, 19)], shortest=5 * S) == [(5, 1.8), (10, 2.0)]


def test_a_rate_without_its_counter_is_bad() -> None:
    """A counter that is gone gives a row with its quality; after it, growth is over the whole gap."""
    made = Computed([CounterRate(1, 0, 1.0, 0.0, 0)], 2)
    made.update(feed(0, [(0, 10.0)]))
    gone = made.update(feed(0, [(5, 10.0)], Quality.STALE))
    assert (gone.qualities.tolist(), math.isnan(gone.values[0])) == ([Quality.STALE], True)
    assert seen(made.update(feed(0, [(10, 20.0)]))) == [(10, 1.0)]


def test_intervals_are_aligned_with_the_clock() -> None:
    """One row at the start of each minute, when the next one begins; the newest value is `last`."""
    rows = [(6, 1.0), (30, 2.0), (59, 6.0), (60, 10.0), (130, 0.0)]
    for function, wanted in (("mean", 3.0), ("min", 1.0), ("max", 6.0), ("last", 6.0)):
        made = Computed([Aggregate(1, 0, function, 60 * S, 0)], 2)
        assert seen(made.update(feed(0, rows))) == [(0, wanted), (60, 10.0)]


def test_late_rows_count_within_the_grace_and_are_told_after_it() -> None:
    """An interval waits for late rows as long as its grace; later ones are left out and counted."""
    made = Computed([Aggregate(1, 0, "mean", 60 * S, 20 * S)], 2)
    assert len(made.update(feed(0, [(10, 1.0), (70, 5.0), (50, 3.0)]))) == 0
    assert seen(made.update(feed(0, [(81, 5.0)]))) == [(0, 2.0)]
    assert len(made.update(feed(0, [(55, 99.0)]))) == 0
    assert made.late == 1
    assert seen(made.update(feed(0, [(200, 0.0)]))) == [(60, 5.0)]


def test_good_rows_come_first_in_an_interval() -> None:
    """Uncertain rows count only where there is no good one; bad ones never; an empty interval gives no row."""
    made = Computed([Aggregate(1, 0, "mean", 10 * S, 0)], 2)
    rows = feed(
        0,
        [(0, 9.0), (1, 1.0), (2, 2.0), (3, 9.0), (11, 4.0), (12, 9.0), (21, 1.0), (35, 0.0)],
        [66, 192, 192, 66, 66, 0, 0, 192],
    )
    out = made.update(rows)
    assert seen(out) == [(0, 1.5), (10, 4.0)]
    assert out.qualities.tolist() == [GOOD, Quality.UNCERTAIN]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(-5, 5).map(float)), min_size=1, max_size=60), st.integers(1, 60)
)
def test_aggregates_do_not_depend_on_batches(rows: list[tuple[float, float]], size: int) -> None:
    """Rows in time order give the same intervals, whole or in pieces, and as a plain loop would."""
    rows = sorted(rows, key=lambda row: row[0])
    make = [Aggregate(1, 0, "max", 30 * S, 0)]
    whole, parts = Computed(make, 2), Computed(make, 2)
    pieces = [parts.update(feed(0, rows[at : at + size])) for at in range(0, len(rows), size)]
    wanted: dict[int, float] = {}
    for second, value in rows:
        wanted[int(second) // 30] = max(value, wanted.get(int(second) // 30, -math.inf))
    wanted.pop(int(rows[-1][0]) // 30)
    found = seen(whole.update(feed(0, rows)))
    assert found == seen(SampleBatch.concat(pieces))
    assert found == [(number * 30.0, value) for number, value in wanted.items()]


def rules(**keys: Any) -> EdgeRules:
    given_keys: dict[str, Any] = {
        "id": "too-high",
        "subject": "acme/north/hall/press",
        "inputs": (("p", 0),),
        "when": Expression("p > 8", ["p"]),
        "until": Expression("p < 7.5", ["p"]),
        "delay": 10 * S,
        "until_delay": 0,
        "severity": Severity.HIGH,
        "message": "The pressure is too high.",
        "mend": "Look at the valve.",
    }
    return EdgeRules([Rule(**(given_keys | keys))], 2)


def told(events: list[Event]) -> list[tuple[float, str]]:
    return [((event.time - T0) / S, event.kind.rpartition(".")[2]) for event in events]


def test_a_rule_waits_for_its_delay_and_ends_below_its_hysteresis() -> None:
    """It is raised once when it held for the delay, stays through the band between, and ends once."""
    judge = rules()
    values = [
        (0, 9.0),
        (5, 7.0),
        (10, 9.0),
        (15, 9.0),
        (20, 9.0),
        (25, 9.0),
        (30, 7.8),
        (35, 9.0),
        (40, 7.4),
        (45, 7.0),
    ]
    events = judge.update(feed(0, values))
    assert told(events) == [(20, "raised"), (40, "ended")]
    assert (events[0].subject, events[0].severity) == ("acme/north/hall/press", Severity.HIGH)
    assert dict(events[0].details) == {"rule": "too-high", "p": 9.0, "condition": "p > 8", "mend": "Look at the valve."}
    assert events[1].details["seconds"] == 20.0
    single = rules()
    assert told([event for one in values for event in single.update(feed(0, [one]))]) == told(events)


def test_what_is_unknown_neither_begins_nor_ends_a_rule() -> None:
    """A stale input is no alarm and no all-clear; the delay starts anew behind it."""
    judge = rules()
    assert judge.update(feed(0, [(0, 9.0), (5, 9.0)])) == []
    assert judge.update(feed(0, [(8, 9.0)], Quality.STALE)) == []
    assert judge.update(feed(0, [(12, 9.0), (20, 9.0)])) == []
    assert told(judge.update(feed(0, [(22, 9.0)]))) == [(22, "raised")]
    assert judge.update(feed(0, [(30, 1.0)], Quality.BAD_COMMUNICATION)) == []
    assert told(judge.update(feed(0, [(31, 1.0)]))) == [(31, "ended")]


def test_without_until_a_rule_ends_when_it_holds_no_more() -> None:
    """The end has its own delay."""
    judge = rules(until=None, delay=0, until_delay=5 * S)
    events = judge.update(feed(0, [(0, 9.0), (1, 8.0), (2, 9.0), (3, 8.0), (9, 8.0)]))
    assert told(events) == [(0, "raised"), (9, "ended")]


def test_computed_signals_go_through_the_pipeline_like_others() -> None:
    """Computed of computed, judged by their range, reported by exception, counted; a lost device makes them stale."""
    plan = plan_of(
        {"press": [{"name": "force"}, {"name": "area"}]},
        derived=[
            {
                "name": "bar",
                "asset": "hall/press",
                "range": [0, 5],
                "expression": "10 * p",
                "inputs": {"p": "hall/press/stress"},
            },
            {
                "name": "stress",
                "asset": "hall/press",
                "expression": "f / a",
                "inputs": {"f": "hall/press/force", "a": "hall/press/area"},
            },
        ],
        edge_rules=[
            {
                "id": "high",
                "asset": "hall/press",
                "inputs": {"b": "hall/press/bar"},
                "when": "b > 4",
                "message": "High.",
            }
        ],
    )
    assert [item.signal.path.rpartition("/")[2] for item in plan.signals] == ["force", "area", "bar", "stress"]
    assert (plan.devices[-1].id, plan.devices[-1].first, plan.devices[-1].driver) == ("computed", 2, "")
    pipeline = Pipeline(plan.table, plan.computations, plan.rules)
    first = pipeline.update(SampleBatch.of([0, 1], T0, [6.0, 10.0]))
    assert sorted(zip(first.signals.tolist(), first.values.tolist(), first.qualities.tolist(), strict=True)) == [
        (0, 6.0, GOOD), (1, 10.0, GOOD), (2, 6.0, Quality.UNCERTAIN_RANGE), (3, 0.6, GOOD)
    ]  # fmt: skip
    assert [event.kind for event in pipeline.take_events()] == ["rule.high.raised"]
    assert pipeline.take_events() == []
    assert len(pipeline.update(SampleBatch.of([0, 1], T0 + 1, [6.0, 10.0]))) == 0
    figures = pipeline.of(2)
    assert (figures.rows_in, figures.rows_out, dict(figures.dropped)) == (2, 1, {"exception": 1})
    assert dict(figures.changed) == {"range": 2}
    lost = pipeline.lost(np.array([0, 1], np.uint32), T0 + 2)
    assert sorted(zip(lost.signals.tolist(), lost.qualities.tolist(), strict=True)) == [
        (n, Quality.STALE) for n in range(4)
    ]


def test_nothing_configured_costs_nothing() -> None:
    """A batch of plain signals comes back as the same object from every step but the last."""
    pipeline = Pipeline(table(3, report_all=True))
    batch = SampleBatch.of([0, 1, 2], T0, [1.0, 2.0, 3.0])
    assert pipeline.update(batch) is batch

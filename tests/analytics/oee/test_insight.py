"""Cycle times, change-overs and comparisons as pure functions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.analytics.oee import cycles
from lineshaft.analytics.oee.changeovers import Change, changes, pair, phase_of
from lineshaft.analytics.oee.compare import decompose
from lineshaft.analytics.oee.elements import Element
from lineshaft.analytics.oee.steps import NOTHING


def test_slow_cycles_and_stops_within_cycles() -> None:
    """Of 1000 cycles of 30 s, 50 took 35 s and 20 stood a minute: so many are found, with the time that they lost."""
    rng = np.random.default_rng(1)
    seconds = rng.normal(30.2, 0.2, 1000)
    seconds[:50], seconds[50:70] = 35.0, 90.0
    found = cycles.bands(seconds, 30.0)
    assert found is not None
    slow, stops = cycles.lost(seconds, cycles.paces(seconds, found), found)
    assert (slow.count, stops.count) == (50, 20)
    assert slow.seconds == pytest.approx(250)
    assert stops.seconds == pytest.approx(20 * 60, rel=0.01)
    edges, counts = cycles.histogram(seconds, found)
    assert (counts.sum(), len(edges)) == (1000, len(counts) + 1)
    assert cycles.bands(np.array([]), 30.0) is None
    assert cycles.bands(seconds, float("nan")) is None


def test_change_overs_between_good_parts() -> None:
    """From the last good part of one product to the first of the next; parts without a product are passed over."""
    products = np.array([0, 0, 1, NOTHING, 1, 0])
    assert changes(np.arange(6) * 10, products) == [Change(0, 1, 10, 20), Change(1, 0, 40, 50)]
    assert changes(np.arange(0), products[:0]) == []


def test_best_median_and_trend_of_a_pair() -> None:
    """Each change takes a minute less than the one before; one bad one does not hide that."""
    found = pair([900, 840, 3000, 720, 660, 600])
    assert (found.best, found.median, found.latest, found.count) == (600, 780, 600, 6)
    assert found.trend == pytest.approx(-60)
    assert found.excess == sum([300, 240, 2400, 120, 60])
    assert pair([10.0]).trend is None


def test_phases() -> None:
    """Set-up is internal until its reason says that it could be done in running time; breaks are no part of it."""
    assert phase_of(Element.SETUP, False) == "internal"
    assert phase_of(Element.SETUP, True) == "external"
    assert phase_of(Element.PRODUCTION, True) == "run_up"
    assert phase_of(Element.PLANNED_DOWN, False) == ""


@given(st.lists(st.floats(0.01, 1.2), min_size=6, max_size=6))
def test_the_parts_of_a_difference_add_up(values: list[float]) -> None:
    """What the three factors add is the difference of OEE, whatever they are."""
    names = ("availability", "effectiveness", "quality")
    now, other = (
        {**dict(zip(names, part, strict=True)), "oee": float(np.prod(part))} for part in (values[:3], values[3:])
    )
    parts = decompose(now, other)
    assert parts is not None
    assert sum(parts.values()) == pytest.approx(np.prod(values[:3]) - np.prod(values[3:]), abs=1e-9)
    assert decompose(now, {**other, "availability": None}) is None

"""The way back from a value to the raw one, and the bounds around it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.helpers import plan_of

from lineshaft.errors import OutOfRange
from lineshaft.gateway.writes.rule import WriteRule


def rule_of(**signal: Any) -> WriteRule:
    plan = plan_of(
        {"press": [{"name": "x", "write": {"low": 0, "high": 100}, **signal}]}, gateway={"allow_writes": True}
    )
    rule = plan.signals[0].write
    assert rule is not None
    return rule


def test_nothing_is_writable_without_the_switch_of_the_gateway() -> None:
    """A signal with `write` has no rule unless gateway.allow_writes is true."""
    assert plan_of({"press": [{"name": "x", "write": {"low": 0, "high": 1}}]}).signals[0].write is None


@given(st.floats(-1e6, 1e6), st.sampled_from([0.1, -2.5, 1.0, 1000.0]), st.floats(-100, 100))
def test_scaling_goes_back(raw: float, scale: float, offset: float) -> None:
    """What the raw value of a value reads as is that value."""
    rule = WriteRule(None, None, (), None, 1.0, 0.0, 1.0, scale, offset)
    value = rule.value(raw, None)
    assert isinstance(value, float)
    again = rule.value(float(rule.raw(value)), None)
    assert again is not None
    assert rule.same(value, again, 1e-6)


def test_an_integer_is_never_rounded() -> None:
    """A value between two steps of an integer register is refused, and the two are named."""
    rule = rule_of(datatype="Int16", scale=0.1)
    assert rule.raw(21.5) == 215
    with pytest.raises(OutOfRange, match=r"21\.5 and 21\.6 are possible"):
        rule.raw(21.53)


def test_units_go_back() -> None:
    """A value in degC is written in the unit of the device."""
    rule = rule_of(source_unit="degF", unit="degC")
    assert rule.raw(100.0) == pytest.approx(212.0)


def test_maps_go_back() -> None:
    """A word is written as the raw value that it stands for; a word that stands for none is refused."""
    rule = rule_of(kind="state", map={"0": "off", "7": "auto"}, write={"allowed": ["off", "auto"]})
    assert rule.raw("auto") == 7.0
    assert rule.refusal("hand") == "hand is not one of off, auto"
    assert rule.value(7.0, None) == "auto"
    assert rule.value(8.0, None) is None


def test_bounds_hold() -> None:
    """Limits, allowed values and the type of the value are judged, with words."""
    rule = rule_of(write={"low": 5, "high": 10, "max_step": 2})
    assert rule.refusal(5.0) == rule.refusal(10.0) == ""
    assert rule.refusal(10.001) == "10.001 is not within 5 and 10"
    assert rule.refusal(float("nan")) == "nan is not within 5 and 10"
    assert rule.refusal("much") == "'much' is not a number"
    assert rule.step_refusal(6.0, 8.0) == ""
    assert rule.step_refusal(6.0, 8.1) == "the step from 6 to 8.1 is greater than 2"


def test_digits_beyond_doubles_are_the_same_digits() -> None:
    """Integers beyond 2**53 are compared and written digit by digit."""
    rule = rule_of(datatype="UInt64", write={"low": 0, "high": 1e19})
    assert rule.raw("9007199254740993") == "9007199254740993"
    assert rule.refusal("9007199254740993") == ""
    assert not rule.same("9007199254740993", "9007199254740992", 0.0)
    assert rule.same("7", 7.0, 0.0)

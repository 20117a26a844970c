"""The language of formulas: right on columns, and closed against everything else."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineshaft.config.expressions import FUNCTIONS, Expression
from lineshaft.errors import ConfigError

A = np.array([1.0, 2.0, math.nan, -4.0])
B = np.array([2.0, 2.0, 1.0, 0.0])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a + 2 * b", [5, 6, math.nan, -4]),
        (" -a ** 2 / b", [-0.5, -2, math.nan, math.nan]),
        ("7 // 2 + 7 % 4", [6, 6, 6, 6]),
        ("a < b", [1, 0, math.nan, 1]),
        ("0 < a <= 2", [1, 1, math.nan, 0]),
        ("a == 2 and b != 0", [0, 1, math.nan, 0]),
        ("a == 2 or b == 1", [0, 1, 1, 0]),
        ("not a < b", [0, 1, math.nan, 0]),
        ("a if b > 1 else 9", [1, 2, 9, 9]),
        ("max(a, b, 0) + min(a, b)", [3, 4, math.nan, -4]),
        ("mean(a, b)", [1.5, 2, math.nan, -2]),
        ("sqrt(a)", [1, math.sqrt(2), math.nan, math.nan]),
        ("clip(a, 0, 1.5) + round(b / 4) + pi - pi", [1, 1.5, math.nan, 0]),
        ("3", [3, 3, 3, 3]),
    ],
)
def test_a_formula_is_computed_on_whole_columns(text: str, wanted: list[float]) -> None:
    """One result for each row; unknown and infinite results are NaN, unless a choice or an `or` does not need them."""
    np.testing.assert_allclose(Expression(text, ["a", "b"])({"a": A, "b": B}, 4), wanted)


@pytest.mark.parametrize(
    ("text", "words", "allowed"),
    [
        ("a + q", "at character 5: unknown name 'q'", "a, b, e, pi"),
        ("presure * 2", "at character 1: unknown name 'presure'; did you mean pressure?", "pressure"),
        ("  sqt(a)", "at character 3: unknown function 'sqt'; did you mean sqrt?", "abs, atan2"),
        ("clip(a)", "clip takes 3 arguments", "3"),
        ("a +", "at character 4: invalid syntax", "numbers, names"),
        ("", "is empty", "numbers, names"),
        ("a.real", "not allowed", "numbers, names"),
        ("(1).__class__.__bases__", "not allowed", ""),
        ("__import__('os').system('true')", "cannot be called", ""),
        ("[x for x in (1, 2)]", "not allowed", ""),
        ("lambda: 0", "not allowed", ""),
        ("a[0]", "not allowed", ""),
        ("'text'", "is not a number", ""),
        ("f'{a}'", "not allowed", ""),
        ("True", "is not a number", ""),
        ("a is b", "operator is not known", ""),
        ("a | b", "operator is not known", ""),
        ("(a := 3)", "not allowed", ""),
        ("max(*a)", "at character 1: max takes 2 to 10 arguments", ""),
        ("max(a, b, key=a)", "takes", ""),
        ("9" * 400, "too large", ""),
        ("a" * 2000, "more than 1000", ""),
        ("-" * 60 + "1", "nested", ""),
        ("(" * 300 + "1" + ")" * 300, "", ""),
        ("import os", "invalid syntax", ""),
        ("a\0", "", ""),
    ],
)
def test_anything_else_is_refused_with_its_place(text: str, words: str, allowed: str) -> None:
    """Attributes, items, texts, imports and calls of anything unknown are errors that say where and what is allowed."""
    with pytest.raises(ConfigError) as caught:
        Expression(text, ["a", "b", "pressure"])
    assert words in str(caught.value)
    assert allowed in caught.value.hint


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=40),
        st.lists(
            st.sampled_from(
                [
                    "a",
                    "b",
                    "1e300",
                    "**",
                    "*",
                    "/",
                    "(",
                    ")",
                    "-",
                    " if ",
                    " else ",
                    "<",
                    " and ",
                    "not ",
                    ",",
                    ".",
                    "_",
                    "[",
                    "'",
                    *FUNCTIONS,
                ]
            ),
            max_size=15,
        ).map("".join),
    )
)
def test_any_text_is_a_formula_or_an_error(text: str) -> None:
    """Whatever stands there is computed to one number a row, quickly, or refused; nothing else is raised."""
    try:
        formula = Expression(text, ["a", "b"])
    except ConfigError:
        return
    assert formula({"a": A, "b": B}, 4).shape == (4,)

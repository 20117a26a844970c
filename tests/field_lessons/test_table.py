"""The page of lessons names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "guide" / "field-lessons.md"


def test_each_lesson_of_the_edge_has_its_tests() -> None:
    """Rows a to n are there, each with a test or a benchmark, and every test that is named exists."""
    rows = [line for line in PAGE.read_text().splitlines() if re.match(r"\| [a-z] \|", line)]
    assert [row[2] for row in rows] == list("abcdefghijklmn")
    for row in rows:
        named = re.findall(r"`(tests/[\w/.]+)::(\w+)`", row)
        assert named or "`make bench-" in row
        for file, test in named:
            assert f"def {test}(" in (ROOT / file).read_text(), f"{file} has no {test}"


def test_every_test_here_is_on_the_page() -> None:
    """A test of this folder stands beside the lesson that it is named after."""
    page = PAGE.read_text()
    for file in Path(__file__).parent.glob("test_*_*.py"):
        for test in re.findall(r"def (test_\w+)\(", file.read_text()):
            assert f"{file.name}::{test}`" in page, test

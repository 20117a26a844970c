"""The page's own checks: its types and its unit tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from hatch_build import Page, find_npm

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("script", ["check", "test"])
def test_the_pages_own_checks_pass(script: str) -> None:
    """The TypeScript of the page has no type error, and its unit tests pass; what they print says what is wrong."""
    page = Page.of(ROOT)
    if not page.is_built():
        page.build(find_npm())
    assert find_npm()(("run", script), page.sources) == 0

"""The page's own checks: its types and its unit tests."""

from __future__ import annotations

import pytest
from hatch_build import find_npm
from tests.page import built_page


@pytest.mark.slow
@pytest.mark.parametrize("script", ["check", "test"])
def test_the_pages_own_checks_pass(script: str) -> None:
    """The TypeScript of the page has no type error, and its unit tests pass; what they print says what is wrong."""
    assert find_npm()(("run", script), built_page().sources) == 0

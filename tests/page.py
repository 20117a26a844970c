"""The built page, for tests that show it or look into it."""

from __future__ import annotations

from pathlib import Path

from hatch_build import Page, find_npm
from tests.turns import turn


@turn("page")
def built_page() -> Page:
    """The page, built now when its sources have changed since."""
    page = Page.of(Path(__file__).parents[1])
    if not page.is_built():
        page.build(find_npm())
    return page

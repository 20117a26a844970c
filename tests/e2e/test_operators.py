"""The page of operators in a real browser."""

from __future__ import annotations

import re

from playwright.sync_api import expect
from tests.e2e.server import Hub, Open


def test_a_changed_rule_is_tried_over_the_past(hub: Hub, open_page: Open) -> None:
    """A rule is tried over the last day; its events stand over the signals and in a list; a stricter one finds none."""
    page = open_page(hub, "/operators?range=24h")
    page.get_by_role("button", name="Try it").click()
    result = page.locator(".backtest-result")
    expect(result).to_have_text(re.compile(r"^[1-9][\d,. ]* events from"), timeout=60_000)
    expect(page.locator(".backtest-trend .event-mark").first).to_be_visible()
    expect(page.locator(".events").get_by_text("It draws much power").first).to_be_visible()
    page.get_by_text("Options").click()
    options = page.get_by_role("textbox", name="Options")
    options.fill(options.input_value().replace("power > 9", "power > 9000"))
    page.get_by_role("button", name="Try it").click()
    expect(result).to_have_text("It would have found nothing in this time.", timeout=60_000)

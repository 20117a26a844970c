"""Explorer, comparison and trend in a real browser on one hub."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.e2e.actions import until_changed
from tests.e2e.server import Hub, Open

CNC_POWER = '[data-signal$="/cnc-2/power"]'


@pytest.fixture(name="page")
def _page(hub: Hub, open_page: Open) -> Page:
    return open_page(hub)


def test_explorer_filters_and_leads_to_a_trend(hub: Hub, page: Page) -> None:
    """Words and a type leave what passes, unfolded to its live values; only what is seen is subscribed; a choice of
    signals becomes a trend."""
    subscribed: list[int] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: subscribed.append(_asked(frame))))
    page.goto(f"{hub.url}/explorer")
    tree = page.locator(".explorer .tree")
    expect(tree.get_by_role("treeitem").filter(has_text="CNC 2")).to_contain_text("7 signals")
    page.get_by_placeholder("Words in a path").fill("power")
    page.get_by_label("Type", exact=True).select_option("cnc")
    expect(tree.get_by_role("treeitem").filter(has_text="kW")).to_have_count(4)
    expect(tree.get_by_role("treeitem").filter(has_text="Pump 1")).to_have_count(0)
    assert "q=power" in page.url
    assert "type=cnc" in page.url
    until_changed(page, CNC_POWER)
    assert 0 < max(subscribed) <= 60
    boxes = page.get_by_label("Choose for a trend: Power")
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.get_by_role("link", name="Trend of 2").click()
    expect(page.locator(".value-table tbody tr")).to_have_count(2)
    page.go_back()
    page.get_by_role("button", name="Clear").last.click()
    expect(tree.get_by_role("treeitem").filter(has_text="Pump 1")).to_be_visible()


def _asked(frame: str | bytes) -> int:
    text = frame if isinstance(frame, str) else frame.decode()
    return len(json.loads(text).get("subscribe", []))


def test_explorer_is_walked_by_keyboard(hub: Hub, page: Page) -> None:
    """Arrow keys move and unfold, Enter opens the page of a signal."""
    page.goto(f"{hub.url}/explorer?q=pump+2+pressure")
    row = page.get_by_role("treeitem").filter(has_text="Pressure")
    expect(row).to_be_visible()
    page.locator(".explorer .tree-row").first.focus()
    page.keyboard.press("End")
    expect(row).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/signal/*")
    expect(page.get_by_role("heading", level=1)).to_have_text("Pressure")


def test_machines_are_compared_and_every_bar_leads_to_its_trend(hub: Hub, page: Page) -> None:
    """The machine that needs least power stands first with an honest verdict; its bar opens the trend of that time."""
    page.goto(f"{hub.url}/compare?r=24h")
    page.get_by_label("Assets of the type").select_option("cnc")
    expect(page.get_by_role("status").filter(has_text="clearly better")).to_be_visible()
    rows = page.locator(".ranking tbody tr")
    expect(rows).to_have_count(4)
    expect(rows.first).to_contain_text("CNC 1")
    expect(rows.first).to_contain_text("best")
    page.get_by_label("Better is").select_option("high")
    expect(rows.first).to_contain_text("CNC 4")
    page.get_by_label("Matched by load").select_option("spindle/speed")
    expect(page.get_by_text("only while Spindle")).to_be_visible()
    page.get_by_role("link", name="The course of CNC 4 behind this bar").click()
    page.wait_for_url("**/trend?*from=*")
    expect(page.locator(".value-table tbody tr")).to_contain_text("CNC 4")


def test_a_trend_is_laid_over_the_day_before(hub: Hub, page: Page, tmp_path: Path) -> None:
    """The choice of another period draws it under the line, gives its mean and the difference, stays in the address and
    so in a saved view; the picture of it can be saved."""
    signals = page.request.get(f"{hub.url}/api/v1/signals?q=power&limit=3").json()["items"]
    page.goto(f"{hub.url}/trend?s={','.join(str(one['id']) for one in signals)}&r=1h")
    page.get_by_label("Compare with another period").select_option("1d")
    expect(page.get_by_text("Dotted:")).to_be_visible()
    assert "cmp=1d" in page.url
    cells = page.locator(".value-table tbody tr").first.locator("td")
    expect(page.get_by_role("columnheader", name="Mean then")).to_be_visible()
    expect(cells.nth(8)).to_have_text(re.compile(r"\d"), timeout=30_000)
    expect(cells.nth(4)).to_have_text(re.compile(r"\d"))
    expect(cells.nth(9)).to_have_text(re.compile(r"\d.*%"))
    with page.expect_download() as download:
        page.get_by_label("Export").click()
        page.get_by_role("button", name="Picture of what is seen").click()
    download.value.save_as(tmp_path / "trend.png")
    assert (tmp_path / "trend.png").read_bytes()[:4] == b"\x89PNG"
    page.reload()
    expect(page.get_by_label("Compare with another period")).to_have_value("1d")


def test_cards_of_the_overview_draw_their_history(hub: Hub, page: Page) -> None:
    """A card that is on the screen has the course of its first value and its states over the range."""
    page.goto(hub.url)
    card = page.locator(".card", has_text="CNC 2").first
    drawn = """(card) => [...card.querySelectorAll('canvas')].filter((one) => one.width > 0 &&
      one.getContext('2d').getImageData(0, 0, one.width, one.height).data.some((byte) => byte > 0)).length"""
    expect(card).to_be_visible()
    page.wait_for_function(f"(card) => ({drawn})(card) >= 2", arg=card.element_handle())

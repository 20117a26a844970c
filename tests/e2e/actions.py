"""What several tests of the page do and look at."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, expect


def until_changed(page: Page, selector: str, seconds: float = 30) -> None:
    """Wait until the number at `selector` is another one."""
    cell = page.locator(f"{selector} .number").first
    expect(cell).to_have_text(re.compile(r"\d"))
    before = cell.inner_text()
    expect(cell).not_to_have_text(before, timeout=seconds * 1000)


def find_by_search(page: Page, text: str, name: str) -> None:
    """Open the asset `name` by searching for `text`."""
    page.get_by_role("button", name="Search").click()
    page.get_by_role("combobox").fill(text)
    page.get_by_role("option", name=name).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def shown_range(page: Page) -> tuple[datetime, datetime]:
    """Start and end of the time range in the page's address."""
    query = parse_qs(urlsplit(page.url).query)
    start, end = (datetime.fromisoformat(query[key][0].replace("Z", "+00:00")) for key in ("from", "to"))
    return start, end


def open_trend_of_power(page: Page) -> None:
    """From the asset's page over the page of its power to the trend."""
    page.get_by_role("link", name="Power", exact=True).first.click()
    page.wait_for_url("**/signal/*")
    page.locator(".page-head").get_by_role("link", name="Trend").click()
    page.wait_for_url("**/trend?*")
    page.wait_for_selector(".u-over")


def zoom_to_yesterday(page: Page) -> None:
    """Choose yesterday, wait for its values, zoom in, and see that a line is drawn and nothing runs over the edge."""
    page.get_by_label("Time range").click()
    page.get_by_role("button", name="Yesterday").click()
    page.wait_for_url("**from=*")
    start, end = shown_range(page)
    assert end - start in (timedelta(hours=23), timedelta(hours=24), timedelta(hours=25))
    assert end < datetime.now(end.tzinfo)
    page.wait_for_function("() => document.querySelectorAll('.value-table tbody td')[3]?.textContent !== ''")
    wide = page.url
    page.get_by_role("button", name="Zoom in").click()
    page.wait_for_function("(wide) => location.href !== wide", arg=wide)
    inner = shown_range(page)
    assert (inner[1] - inner[0]) * 2 == end - start
    assert start < inner[0] < inner[1] < end
    wait_for_ink(page)
    fits(page)


def fits(page: Page) -> None:
    """Nothing runs over the right edge, or not for longer than a page that comes up needs."""
    width = page.viewport_size["width"]  # type: ignore[index]
    page.wait_for_function("(width) => document.documentElement.scrollWidth <= width", arg=width)


INK = """([selector, colour]) => {
  const canvas = document.querySelector(selector);
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(colour);
  probe.fillRect(0, 0, 1, 1);
  const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let found = 0;
  for (let i = 0; i < data.length; i += 4) {
    const off = Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b);
    if (data[i + 3] && off < 60) found += 1;
  }
  return found;
}"""
"""JavaScript: how many pixels the first canvas that matches has in a colour of the page."""


def ink(page: Page, canvas: str = ".uplot canvas", colour: str = "--series-1") -> int:
    """How many pixels the first canvas that matches has in a colour of the page."""
    return int(page.evaluate(INK, [canvas, colour]))


def wait_for_ink(page: Page, more_than: int = 200, canvas: str = ".uplot canvas", colour: str = "--series-1") -> None:
    """Wait until the first canvas that matches has more pixels than that in a colour of the page."""
    page.wait_for_function(f"([more, ...what]) => ({INK})(what) > more", arg=[more_than, canvas, colour])

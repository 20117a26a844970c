"""What people do with bursts of vibration, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from tests.e2e.actions import fits
from tests.e2e.server import Hub, Open


def opened(hub: Hub, open_page: Open, name: str = "Pump 1", **look: bool) -> Page:
    """From the overview to an asset, and from there to its waveforms."""
    page = open_page(hub, **look)
    page.keyboard.press("Control+k")
    page.keyboard.type(name)
    page.get_by_role("option", name=name).first.click()
    page.get_by_role("link", name="Waveforms", exact=True).click()
    expect(page.locator(".wave-plot[data-burst]")).to_be_visible()
    return page


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "390px"])
def test_from_an_asset_to_its_newest_burst_and_the_ones_before(hub: Hub, open_page: Open, phone: bool) -> None:
    """The newest burst shows its facts and samples; the arrows go through the others, and the address keeps which."""
    page = opened(hub, open_page, phone=phone)
    expect(page.get_by_text("12,800 Hz")).to_be_visible()
    expect(page.get_by_text(re.compile("1,800 1/min"))).to_be_visible()
    expect(page.get_by_text("6 of 6")).to_be_visible()
    page.get_by_role("button", name="The burst before").click()
    expect(page.get_by_text("5 of 6")).to_be_visible()
    page.wait_for_url("**b=*")
    page.reload()
    expect(page.get_by_text("5 of 6")).to_be_visible()
    fits(page)


def test_a_cursor_in_the_envelope_names_the_defect(hub: Hub, open_page: Open) -> None:
    """A click near the first peak catches it; its harmonics and its place in turns of the shaft are told. The
    cepstrum has them as one peak; the zoom says where the shaft's line stands between two lines."""
    page = opened(hub, open_page)
    page.get_by_role("button", name="Envelope").click()
    expect(page.get_by_text(re.compile("Envelope of .* Hz"))).to_be_visible()
    area = page.locator("section", has=page.get_by_role("heading", name="Envelope")).locator(".u-over")
    box = area.bounding_box()
    assert box
    area.click(position={"x": box["width"] * 0.09 + 2, "y": box["height"] / 2})
    line = page.locator(".cursor-line")
    expect(line).to_contain_text(re.compile(r"Cursor (89|90)\.\d+ Hz"))
    expect(line).to_contain_text(re.compile(r"(2\.9|3\.0)\d* . shaft"))
    expect(line).to_contain_text(re.compile("3. "))
    page.get_by_role("button", name="Orders").click()
    expect(line).to_contain_text("shaft")
    page.get_by_role("group", name="Spectrum of the burst").focus()
    page.keyboard.press("Escape")
    expect(line).to_have_count(0)
    page.get_by_role("button", name="Hz", exact=True).click()
    page.get_by_role("button", name="Cepstrum").click()
    peaks = page.locator("section", has=page.get_by_role("heading", name="Cepstrum")).locator(".u-over")
    box = peaks.bounding_box()
    assert box
    peaks.click(position={"x": box["width"] * 0.104, "y": box["height"] / 2})
    expect(line).to_contain_text(re.compile(r"Cursor 11\.\d+ ms: lines (89|90)\.\d+ Hz apart"))
    page.get_by_role("button", name="Spectrum", exact=True).click()
    page.get_by_role("button", name=re.compile("At the shaft")).click()
    page.get_by_role("button", name="± 5 Hz").click()
    expect(page.locator(".wave-zoom")).to_contain_text(re.compile(r"Line at (29\.9|30\.0)\d Hz"))


def test_faults_of_the_bearing_are_marked_and_a_healthy_burst_stands_behind(hub: Hub, open_page: Open) -> None:
    """The bearing of the data sheet gives marks, words for a line and sidebands; a reference is one's own."""
    page = opened(hub, open_page)
    said = page.locator(".says")
    expect(said).to_contain_text("damage of the outer race")
    expect(said).to_contain_text("kinematics puts BPFO at 90.2 Hz")
    page.get_by_role("button", name="The burst before").click()
    page.get_by_role("button", name="Take as healthy reference").click()
    expect(page.get_by_text("This burst is the healthy reference")).to_be_visible()
    page.get_by_role("button", name="The burst after").click()
    page.get_by_role("button", name="Envelope").click()
    expect(page.locator(".reference-key")).to_contain_text("healthy reference of")
    chips = page.get_by_role("group", name="Fault frequencies that are marked")
    expect(chips.get_by_role("button", name="BPFO")).to_have_attribute("aria-pressed", "true")
    expect(chips.get_by_role("button", name="FTF")).to_have_attribute("aria-pressed", "false")
    chips.get_by_role("button", name="FTF").click()
    page.wait_for_url("**m=outer*cage*")
    page.get_by_role("button", name="At the shaft").click()
    line = page.locator(".cursor-line")
    expect(line).to_contain_text(re.compile("1 . shaft"))
    expect(line).to_contain_text("the reference")
    page.get_by_role("button", name="Sidebands").click()
    expect(line.get_by_label("Spacing")).to_have_value("30.00")
    line.get_by_role("button", name="FTF").click()
    expect(line.get_by_label("Spacing")).to_have_value("11.28")
    expect(line).to_contain_text("+1")
    page.reload()
    expect(page.locator(".cursor-line").get_by_label("Spacing")).to_have_value("11.28")
    page.get_by_role("button", name="Forget the reference").click()
    expect(page.locator(".reference-key")).to_have_count(0)
    page.get_by_label("Bearing").select_option(label="unknown")
    expect(page.locator(".says")).to_contain_text("the bearing is unknown")


def test_a_waterfall_chooses_the_burst_of_a_row(hub: Hub, open_page: Open) -> None:
    """All spectra of the range stand over each other in the dark too; a click on the first row opens that burst."""
    page = opened(hub, open_page, dark=True)
    page.get_by_role("button", name="Waterfall").click()
    falls = page.locator(".waterfall")
    expect(falls).to_have_attribute("aria-label", re.compile("6 spectra over time"))
    box = falls.bounding_box()
    assert box
    falls.click(position={"x": box["width"] / 2, "y": 4})
    expect(page.get_by_text("1 of 6")).to_be_visible()


def test_a_burst_that_cannot_be_judged_says_why(hub: Hub, open_page: Open) -> None:
    """The sensor of pump 2 is driven beyond its range: the page says so, and which bursts were none at all."""
    page = opened(hub, open_page, "Pump 2")
    expect(page.get_by_text(re.compile("Cannot be judged: .*clipped"))).to_be_visible()
    expect(page.locator(".says")).to_contain_text(re.compile("This burst is not judged: .*clipped"))
    refused = page.locator("section", has=page.get_by_role("heading", name="Bursts that were none"))
    expect(refused).to_contain_text("2 in this time")
    expect(refused).to_contain_text("half a waveform: 4096 of 8192 samples")

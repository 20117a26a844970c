"""The day of a real CNC, replayed through the whole chain and looked at in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from tests.conftest import recordings
from tests.e2e.actions import fits, wait_for_ink
from tests.e2e.plant import Plant, copied, lineshaft
from tests.e2e.server import Open
from tests.ports import free_port

pytestmark = pytest.mark.slow
MACHINE = "Mazak QuickTurn"


@pytest.fixture(scope="module")
def machine(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """The plant `nist`, 3000 times faster than the machine was."""
    place = tmp_path_factory.mktemp("nist")
    changes = {
        "speed: 100.0": "speed: 3000.0",
        "${LINESHAFT_DATA:-../shared/data}/nist_sms": str(recordings("nist_sms")),
    }
    folder = copied("nist", place / "plant", changes)
    with (folder / "plant.yaml").open("a") as file:
        file.write(f"\nhub: {{port: {free_port()}, broker_port: {free_port()}}}\n")
    with lineshaft("up", folder, place) as plant:
        yield plant


def to_the_day(page: Page) -> None:
    """The page says how old its newest value is; go to that day when the recording has come to its end."""
    expect(page.get_by_role("status").filter(has_text="2016-05-05 17:24")).to_be_visible(timeout=90_000)
    page.get_by_role("button", name="Show that day").click()
    expect(page.get_by_label("Time range")).to_contain_text("2016-05-05")


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "390px"])
def test_overview_leads_to_the_day_with_one_click(machine: Plant, open_page: Open, phone: bool) -> None:
    """An old plant says how old it is; one click shows its day: the machine's state is its execution."""
    page = machine.enter(open_page, phone=phone)
    to_the_day(page)
    card = page.locator(".card", has_text=MACHINE)
    expect(card.locator(".state-word")).to_have_text("Stopped")
    expect(card.get_by_label("Active 19 %")).to_be_visible()
    expect(card.locator("dd .number").first).to_have_text("0")
    fits(page)


def test_components_at_any_depth_are_on_the_asset_page(machine: Plant, open_page: Open) -> None:
    """Execution leads the states, axes stand under their path with their loads drawn, conditions are words."""
    page = machine.enter(open_page)
    page.get_by_role("link", name=MACHINE).first.click()
    to_the_day(page)
    states = page.locator(".state-row")
    expect(states.first).to_contain_text("Execution")
    expect(states.nth(1)).to_contain_text("Mode")
    expect(states.nth(2)).to_contain_text("Program")
    expect(states.first.locator(".strip-legend")).to_contain_text("Interrupted")
    expect(page.locator(".page-head .state-word")).to_have_text("Stopped")
    for group, part in (("Axes", "Axis X"), ("Axes", "Axis Z"), ("Axes", "Spindle S2"), ("Controller", "Path")):
        title = f"{group} \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} {part}"
        expect(page.locator(".group-row").get_by_role("link", name=title, exact=True)).to_be_visible()
    load = page.locator("tr", has=page.locator('[data-signal$="/axes/x/load"]'))
    expect(load.locator(".number")).to_have_text("0")
    expect(load.locator("canvas")).to_have_attribute("title", re.compile("between 0.0 and 101.0 %"))
    load.scroll_into_view_if_needed()
    wait_for_ink(page, 50, "tr:has([data-signal$='/axes/x/load']) canvas", "--spark")
    condition = page.locator('[data-signal$="/axes/x/position_condition"]')
    expect(condition).to_have_text("Normal")
    page.get_by_role("button", name="Expand Controller").click()
    expect(page.locator('[data-signal$="/controller/system_condition"]')).to_have_text(
        "Warning 442: DATA RENEWAL NOT ALLOWED"
    )
    fits(page)

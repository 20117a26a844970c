"""The page over the whole simulated factory, as `lineshaft demo` runs it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect
from tests.e2e.actions import find_by_search, fits, open_trend_of_power, until_changed, zoom_to_yesterday
from tests.e2e.plant import Plant, copied, lineshaft
from tests.e2e.server import ROOT, Open

from lineshaft.config.load import load_plant
from lineshaft.drivers.builtin import DRIVERS

pytestmark = pytest.mark.slow
PUMP = "Cooling-water pump 1"


@pytest.fixture(scope="module")
def demo(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """The demo with two days of history; busy ports move by themselves."""
    place = tmp_path_factory.mktemp("demo")
    folder = copied("demo", place / "plant", {"history: 30d": "history: 2d", "every: 5s": "every: 100ms"})
    with lineshaft("demo", folder, place) as plant:
        yield plant


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "390px"])
def test_find_a_pump_and_look_at_yesterday(demo: Plant, open_page: Open, phone: bool) -> None:
    """Sign up with the printed link, find a pump, see its values change, and zoom its trend to yesterday."""
    page = demo.enter(open_page, phone=phone)
    expect(page.get_by_role("heading", level=1)).to_have_text("Brennweg pumps, Weiler works")
    fits(page)
    find_by_search(page, "pump 1", PUMP)
    until_changed(page, '[data-signal$="/pump-1/power"]', 30)
    fits(page)
    open_trend_of_power(page)
    zoom_to_yesterday(page)


def test_cards_show_what_matters(demo: Plant, open_page: Open) -> None:
    """A machining centre is told apart by its whole name and told by spindle, power and parts, not by its coolant."""
    page = demo.enter(open_page)
    card = page.locator(".card", has_text="Machining centre 203")
    expect(card.locator(".card-name")).to_have_text("Machining centre 203")
    expect(card.locator("dt")).to_have_text(["Spindle load", "Power", "Spindle speed", "Parts good"])
    expect(card.locator(".state-word")).to_have_text(re.compile(r"\w"))


def test_a_lost_device_is_loud_where_it_is(demo: Plant, open_page: Open) -> None:
    """A device that goes offline is one abnormal thing: on the card of its asset, and by its name among the sources."""
    page = demo.enter(open_page)
    page.get_by_role("heading", name="Compressor room").scroll_into_view_if_needed()  # cards come when they are near
    card = page.locator(".card", has_text="Screw compressor 2")
    expect(card.locator(".state-word")).to_be_visible()
    expect(card.locator(".card-abnormal")).to_have_count(0)
    demo.command("fault", "inject", "offline", "compressor-2")
    expect(card.locator(".card-abnormal")).to_be_visible(timeout=60_000)
    page.get_by_role("link", name="Sources", exact=True).first.click()
    row = page.locator(".source-table tr", has_text="Screw compressor 2")
    expect(row.locator(".source-state")).not_to_have_text("online", timeout=30_000)
    demo.command("fault", "clear")
    expect(row.locator(".source-state")).to_have_text("online", timeout=60_000)


def test_every_protocol_is_live(demo: Plant, open_page: Open) -> None:
    """All machines are online on the page of sources, at least one on each protocol, and each protocol has good values
    that are not two minutes old, all at once and at any hour."""
    page = demo.enter(open_page)
    page.get_by_role("link", name="Sources", exact=True).first.click()
    by_protocol: dict[str, list[str]] = {}
    for device in load_plant(ROOT / "plants" / "demo", DRIVERS).devices:
        by_protocol.setdefault(device.driver, []).append(device.id)
    assert set(by_protocol) == set(DRIVERS)
    rows = page.locator(".source-table tbody tr:not([data-gateway=true])")
    for protocol in by_protocol:
        title = DRIVERS[protocol].title.partition(" (")[0]
        named = rows.filter(has=page.locator("td.protocol", has_text=re.compile(f"^{re.escape(title)}$")))
        expect(named.locator(".source-state").first).to_have_text("online", timeout=60_000)
    expect(rows.filter(has_not=page.get_by_text("online", exact=True))).to_have_count(0, timeout=60_000)
    found: dict[str, dict[str, Any]] = {
        item["id"]: item for item in page.request.get(f"{demo.url}/api/v1/signals?limit=1000").json()["items"]
    }
    waiting, until = set(by_protocol), time.monotonic() + 180
    while waiting and time.monotonic() < until:
        waiting = set(by_protocol)
        latest = page.request.get(f"{demo.url}/api/v1/latest?signals={','.join(map(str, found))}").json()
        for number, moment, quality in zip(latest["signal"], latest["time"], latest["quality"], strict=True):
            source = found[number]["source"]
            driver = next((name for name, devices in by_protocol.items() if source["device"] in devices), "")
            if quality >= 192 and time.time() - moment / 1e6 < 120:
                waiting.discard(driver)
        page.wait_for_timeout(1000)  # the bench writes a file a minute
    assert not waiting


def test_a_setpoint_is_set_and_taken_back(demo: Plant, open_page: Open) -> None:
    """A dry run changes nothing, a write reaches the machine after a second look, undo sets it back; all is logged."""
    page = demo.enter(open_page)
    page.goto(f"{demo.url}/asset/brennweg/weiler/utilities/cooling-water/loop")
    value = page.locator('[data-signal$="/loop/supply-setpoint"] .number').first
    expect(value).to_have_text("17.0", timeout=60_000)
    page.get_by_role("button", name="Set Supply setpoint").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("New value").fill("19.5")
    dialog.get_by_label("Reason").fill("less condensation")
    dialog.get_by_role("button", name="Dry run").click()
    expect(dialog.locator(".write-result")).to_contain_text("nothing was written", timeout=60_000)
    dialog.get_by_role("button", name="Set the value").click()
    dialog.get_by_role("button", name="Yes, set it").click()
    expect(dialog.locator(".write-result")).to_contain_text("set from 17 to 19.5", timeout=60_000)
    dialog.get_by_role("button", name="Undo").click()
    expect(dialog.locator(".write-result")).to_contain_text("set from 19.5 to 17", timeout=60_000)
    dialog.get_by_role("button", name="Close").click()
    page.get_by_role("link", name="Supply setpoint", exact=True).click()
    expect(page.locator(".pipeline")).to_contain_text("Sent to the hub", timeout=90_000)
    expect(page.locator(".writes tbody tr")).to_have_count(3)
    page.goto(f"{demo.url}/settings/writes")
    expect(page.locator(".writes .outcome")).to_have_text([re.compile("set"), re.compile("set"), re.compile("dry run")])

"""The pages of the shop floor in a real browser, on one hub: they change by themselves when the machine does."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, expect
from tests.e2e.actions import fits
from tests.e2e.oee_hub import PRESS, RUN, STOP, OeeHub, oee_hub
from tests.e2e.server import PASSWORD, Open

MINUTE = 60_000_000
LONG = 60_000  # milliseconds


def test_the_shop_floor(built: None, browser: Browser, open_page: Open, tmp_path: Path) -> None:
    """A wall screen without an account follows the machine, says how old it is, and is dark when its key is gone."""
    with oee_hub(tmp_path) as hub:
        now = time.time_ns() // 1000
        hub.put("product", [(now - 120 * MINUTE, "A")])
        hub.put("state", [(now - 120 * MINUTE, RUN)])
        hub.put("good", [(now - n * MINUTE, float(120 - n)) for n in range(120, 1, -1)])
        _wall(hub, browser, now)
        _reasons(hub, open_page)
        _insight(hub, open_page, now)
        _handover(hub, open_page)
        _without_hub(hub, browser)


def _without_hub(hub: OeeHub, browser: Browser) -> None:
    """A screen that is switched on while the hub is away shows the last picture with its age, and goes on by itself."""
    with httpx.Client(base_url=f"{hub.url}/api/v1", headers={"origin": hub.url}) as client:
        client.post("/session", json={"name": "admin", "password": PASSWORD})
        key = client.post("/screens", json={"name": "Hall 2"}).json()["key"]
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    page = context.new_page()
    page.goto(f"{hub.url}/andon?at={PRESS}#key={key}")
    tile = page.locator(f"[data-machine='{PRESS}']")
    expect(tile).to_have_attribute("data-state", "running", timeout=LONG)
    page.wait_for_function(
        "caches.open('lineshaft-screen').then((one) => one.keys()).then((found) => found.length > 3)"
    )
    hub.server.stop()
    page.goto(f"{hub.url}/andon?at={PRESS}")
    expect(tile).to_have_attribute("data-state", "running", timeout=LONG)
    expect(page.get_by_text("No connection for")).to_be_visible(timeout=LONG)
    fits(page)
    page.goto(f"{hub.url}/andon?at=acme/works/never-seen")
    expect(page.get_by_text("Waiting for the hub")).to_be_visible(timeout=LONG)
    page.goto(f"{hub.url}/andon?at={PRESS}")
    expect(page.get_by_text("No connection for")).to_be_visible(timeout=LONG)
    hub.put("state", [(time.time_ns() // 1000, STOP)])
    hub.server.start()
    expect(tile).to_have_attribute("data-state", "stopped", timeout=LONG)
    expect(page.get_by_text("No connection for")).to_have_count(0, timeout=LONG)
    hub.put("state", [(time.time_ns() // 1000, RUN)])
    expect(tile).to_have_attribute("data-state", "running", timeout=LONG)
    context.close()


def _wall(hub: OeeHub, browser: Browser, now: int) -> None:
    with httpx.Client(base_url=f"{hub.url}/api/v1", headers={"origin": hub.url}) as client:
        client.post("/session", json={"name": "admin", "password": PASSWORD})
        made = client.post("/screens", json={"name": "Hall 1"}).json()
        context = browser.new_context(viewport={"width": 1920, "height": 1080})
        page = context.new_page()
        page.clock.install()
        page.goto(f"{hub.url}/andon?at={PRESS}#key={made['key']}")
        tile = page.locator(f"[data-machine='{PRESS}']")
        expect(tile).to_have_attribute("data-state", "running", timeout=LONG)
        assert page.evaluate("location.hash") == ""
        page.evaluate("window.notReloaded = true")
        assert _height(page, ".andon-state strong") >= 1080 / 16
        hub.put("state", [(now - 10 * MINUTE, STOP)])
        expect(tile).to_have_attribute("data-state", "stopped", timeout=LONG)
        expect(page.get_by_text("1 stop without a reason.")).to_be_visible(timeout=LONG)
        fits(page)
        context.set_offline(True)
        page.clock.fast_forward("02:00")
        expect(page.get_by_text("No connection for")).to_be_visible(timeout=LONG)
        context.set_offline(False)
        hub.put("state", [(now - 1 * MINUTE, RUN)])
        page.clock.fast_forward(6_000)
        expect(tile).to_have_attribute("data-state", "running", timeout=LONG)
        expect(page.get_by_text("No connection for")).to_have_count(0, timeout=LONG)
        assert page.evaluate("window.notReloaded") is True
        page.goto(f"{hub.url}/settings")
        expect(tile).to_be_visible(timeout=LONG)
        client.delete(f"/screens/{made['id']}")
        page.goto(f"{hub.url}/andon")
        expect(page.get_by_text("This screen may not look")).to_be_visible(timeout=LONG)
        context.close()


def _reasons(hub: OeeHub, open_page: Open) -> None:
    """The stop is split in two, its second part is proposed by nobody, and the audit says who said what."""
    page = open_page(hub, "/oee?view=reasons&r=8h", tablet=True)
    page.locator(".oee-stop").tap()
    page.get_by_role("button", name="Only a part of it").tap()
    page.get_by_role("button", name="Fault").tap()
    page.locator("[data-reason='jam']").tap()
    expect(page.locator(".oee-stop")).to_have_count(1, timeout=LONG)
    page.locator(".oee-stop").tap()
    page.get_by_label("Note (optional)").fill("forklift late")
    page.get_by_role("button", name="Material").tap()
    expect(page.get_by_text("Every stop has its reason.")).to_be_visible(timeout=LONG)
    expect(page.locator(".oee-changes tbody tr")).to_have_count(2, timeout=LONG)
    expect(page.locator(".oee-changes")).to_contain_text("admin")
    fits(page)
    page.get_by_role("button", name="All stops").tap()
    page.locator(".oee-stop", has_text="Jam").tap()
    expect(page.locator(".oee-said")).to_contain_text("Jam")


def _insight(hub: OeeHub, open_page: Open, now: int) -> None:
    """Cycles open their seconds, a change of product shows without reload, and everything fits a phone."""
    page = open_page(hub, f"/oee?view=cycles&r=8h&at={PRESS}", phone=True, dark=True)
    page.locator(".oee-histogram g rect:not(.hit)[height]:not([height='0'])").first.click()
    page.locator(".oee-cycles tbody button").first.click()
    expect(page.locator(".oee-lane-cells span").first).to_be_visible(timeout=LONG)
    page.goto(f"{hub.url}/oee?view=changeovers&r=8h&at={PRESS}")
    expect(page.get_by_text("No change of product in this time.")).to_be_visible(timeout=LONG)
    page.evaluate("window.notReloaded = true")
    hub.put("product", [(now - 90_000_000, "B")])
    hub.put("good", [(now - 30_000_000, 119.0)])
    expect(page.locator(".oee-pairs tbody tr")).to_have_count(1, timeout=LONG)
    expect(page.locator(".oee-pairs tbody tr")).to_contain_text("A → B")
    expect(page.locator(".oee-change-bar")).to_have_count(1)
    assert page.evaluate("window.notReloaded") is True
    fits(page)
    page.goto(f"{hub.url}/oee?view=compare&r=8h&by=product")
    expect(page.locator(".oee-compare tbody tr")).to_have_count(3, timeout=LONG)
    fits(page)
    page.goto(f"{hub.url}/oee?view=losses&r=8h&at={PRESS}")
    expect(page.locator(".oee-reliability tbody tr").first).to_be_visible(timeout=LONG)
    fits(page)
    page.locator(".oee-pareto tr[data-reason='jam'] button").click()
    expect(page.locator(".oee-stop")).to_have_count(1, timeout=LONG)
    expect(page.locator(".oee-stop")).to_contain_text("Jam")


def _handover(hub: OeeHub, open_page: Open) -> None:
    """A note that is written without a connection waits, is sent once, and shows on another open screen by itself."""
    coming = open_page(hub, f"/oee?view=handover&at={PRESS}")
    expect(coming.get_by_text("To the next shift")).to_be_visible(timeout=LONG)
    coming.evaluate("window.notReloaded = true")
    leaving = open_page(hub, f"/oee?view=handover&at={PRESS}", tablet=True)
    leaving.locator(".oee-say textarea").fill("clamp 2 sticks")
    leaving.context.set_offline(True)
    leaving.get_by_role("button", name="Write down").tap()
    expect(leaving.get_by_text("clamp 2 sticks · waits for the connection")).to_be_visible(timeout=LONG)
    leaving.context.set_offline(False)
    expect(coming.get_by_text("clamp 2 sticks")).to_be_visible(timeout=LONG)
    coming.get_by_role("button", name="Read and taken over").click()
    expect(leaving.locator(".oee-said [data-kind='taken']")).to_be_visible(timeout=LONG)
    expect(leaving.locator(".oee-said li")).to_have_count(2)
    assert coming.evaluate("window.notReloaded") is True
    fits(leaving)


def _height(page: Page, part: str) -> float:
    return float(page.locator(part).first.evaluate("(one) => parseFloat(getComputedStyle(one).fontSize)"))

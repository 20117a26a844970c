"""What people do with the page, done in a real browser."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from tests.e2e.actions import find_by_search, fits, open_trend_of_power, shown_range, until_changed, zoom_to_yesterday
from tests.e2e.server import PASSWORD, Hub, Open, running

PUMP_POWER = '[data-signal$="/pump-1/power"]'


def test_first_user_is_made_through_the_one_time_link(built: None, open_page: Open) -> None:
    """The link that the hub prints makes the first user and signs in; without it nobody gets further."""
    with running(password="") as (hub, printed):
        link = re.search(r"(/setup\?link=\S+)", printed)
        assert link, printed
        page = open_page(hub, sign_in=False)
        expect(page.get_by_text("one-time link")).to_be_visible()
        page.goto(hub.url + link[1])
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("Password again").fill("another one of them")
        page.get_by_role("button", name="Make the user").click()
        expect(page.get_by_role("alert")).to_have_text("The two passwords differ.")
        page.get_by_label("Password again").fill(PASSWORD)
        page.get_by_role("button", name="Make the user").click()
        expect(page.locator(".shell")).to_be_visible()


def test_wrong_password_is_refused_in_words(hub: Hub, open_page: Open) -> None:
    """A wrong password says so and shows nothing of the plant."""
    page = open_page(hub, sign_in=False)
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("Name or password is wrong.")
    assert page.locator(".shell").count() == 0


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "390px"])
def test_find_a_pump_and_zoom_its_trend_to_yesterday(hub: Hub, open_page: Open, phone: bool) -> None:
    """Sign in, find a pump by search, see its values change, and zoom its trend to yesterday."""
    page = open_page(hub, phone=phone)
    find_by_search(page, "pump 1", "Pump 1")
    until_changed(page, PUMP_POWER)
    open_trend_of_power(page)
    until_changed(page, PUMP_POWER)
    zoom_to_yesterday(page)


def test_drag_zooms_and_back_returns(hub: Hub, open_page: Open) -> None:
    """Dragging over the chart zooms to what was dragged over, Back returns to live, and a link keeps the range."""
    page = open_page(hub)
    page.get_by_role("link", name="Pump 1").first.click()
    open_trend_of_power(page)
    box = page.locator(".u-over").first.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 30, steps=6)
    page.mouse.up()
    page.wait_for_url("**from=*")
    start, end = shown_range(page)
    assert abs((end - start) - timedelta(minutes=30)) < timedelta(minutes=1)
    link = page.url
    page.get_by_role("button", name="Back").click()
    page.wait_for_function("() => !location.search.includes('from=')")
    page.goto(link)
    page.wait_for_selector(".u-over")
    assert shown_range(page) == (start, end)


def test_every_page_opens_without_overflow(hub: Hub, open_page: Open) -> None:
    """Every page shows its content on a phone without scrolling sideways."""
    page = open_page(hub, phone=True, dark=True)
    for path, text in {
        "/": "Power now",
        "/events": "Abnormal now",
        "/sources": "Gap ledger",
        "/health": "historian",
        "/settings": "API tokens",
        "/trend": "No signal chosen yet",
        "/nowhere": "There is no such page",
    }.items():
        page.goto(hub.url + path)
        expect(page.get_by_text(re.compile(text, re.IGNORECASE)).first).to_be_visible()
        fits(page)


def test_keyboard_alone_reaches_an_asset(hub: Hub, open_page: Open) -> None:
    """Ctrl+K, a name and Enter lead to an asset; arrow keys walk the tree."""
    page = open_page(hub)
    page.wait_for_selector(".card")
    page.keyboard.press("Control+k")
    page.keyboard.type("pump 2")
    page.get_by_role("option", name="Pump 2").first.wait_for()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Pump 2")
    page.locator('[role=treeitem][tabindex="0"]').focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Pump 3")


def test_lost_hub_is_said_and_mends_itself(built: None, open_page: Open) -> None:
    """When the hub goes, the page says so with the age of its values; when it is back, the values move again."""
    with running() as (hub, _):
        page = open_page(hub)
        page.get_by_role("link", name="Pump 1").first.click()
        until_changed(page, PUMP_POWER)
        hub.stop()
        expect(page.locator(".connection")).to_contain_text("Reconnecting")
        expect(page.locator(".lost-band")).to_contain_text("last known ones", timeout=30_000)
        hub.start()
        # The new process knows no sessions of the old one: the page asks to sign in and goes on where it was.
        page.get_by_label("Password").wait_for(timeout=60_000)
        page.get_by_label("Name").fill("admin")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Pump 1")
        until_changed(page, PUMP_POWER)
        expect(page.locator(".connection")).to_contain_text("Live")


def test_people_are_managed_in_the_settings(built: None, open_page: Open) -> None:
    """An admin adds a user and changes the role, and an account of the broker; a changed own password keeps this
    browser signed in."""
    with running() as (hub, _):
        page = open_page(hub, "/settings")
        users = page.locator("section", has=page.get_by_role("heading", name="Users"))
        users.get_by_label("Name").fill("grace")
        users.get_by_label("Password").fill("a fourth of July")
        users.get_by_role("button", name="Add a user").click()
        role = users.get_by_label("Role of grace")
        expect(role).to_have_value("operator")
        role.select_option("engineer")
        page.reload()
        expect(role).to_have_value("engineer")
        broker = page.locator("section", has=page.get_by_role("heading", name="Accounts of the broker"))
        expect(broker.get_by_role("row", name="scada")).to_contain_text("From the plant's files")
        broker.get_by_label("Name").fill("press-7")
        broker.get_by_label("May publish on").fill("press-7/# hall/7")
        broker.get_by_role("button", name="Add the account").click()
        expect(broker.get_by_role("status")).to_contain_text("The password of press-7")
        press = broker.get_by_role("row").filter(has_text="By admin")
        expect(press).to_contain_text("hall/7")
        press.get_by_role("button", name="Change press-7").click()
        form = broker.get_by_role("form", name="Change press-7")
        form.get_by_label("What it is").fill("The press of line 7")
        form.get_by_role("button", name="Save").click()
        expect(press).to_contain_text("The press of line 7")
        page.get_by_label("Password now").fill(PASSWORD)
        page.get_by_label("New password", exact=True).fill(PASSWORD + " more")
        page.get_by_role("button", name="Change the password").click()
        expect(page.get_by_role("status").filter(has_text="Done")).to_be_visible()
        page.goto(hub.url)
        expect(page.locator(".card").first).to_be_visible()


def test_a_view_is_kept_and_opened_again(hub: Hub, open_page: Open) -> None:
    """A trend is kept under a name; from another trend, it comes back with its signals, time and settings."""
    page = open_page(hub)
    find_by_search(page, "pump 1", "Pump 1")
    open_trend_of_power(page)
    zoom_to_yesterday(page)
    kept = page.url
    page.get_by_label("Views", exact=True).click()
    page.get_by_label("Keep this page as").fill("Power yesterday")
    page.get_by_label("For everybody").check()
    page.get_by_role("button", name="Save").click()
    item = page.locator(".views .item", has_text="Power yesterday")
    expect(item).to_contain_text("shared")
    page.goto(hub.url + "/trend")
    expect(page.get_by_label("Views", exact=True)).to_be_visible()
    page.get_by_label("Views", exact=True).click()
    item.click()
    page.wait_for_url(kept)
    page.wait_for_selector(".u-over")
    page.get_by_label("Views", exact=True).click()
    page.get_by_role("button", name="Remove the view Power yesterday").click()
    expect(item).to_have_count(0)


def test_events_stand_over_the_trend(hub: Hub, open_page: Open) -> None:
    """What happened to the asset is a mark over its lanes: it tells its words, zooms there, and can be switched off."""
    page = open_page(hub)
    find_by_search(page, "cnc 1", "CNC 1")
    open_trend_of_power(page)
    page.get_by_label("Time range").click()
    page.get_by_role("button", name="8 h").click()
    mark = page.get_by_role("listitem", name=re.compile("12 samples were dropped"))
    mark.hover()
    expect(page.locator(".event-tip")).to_contain_text("12 samples were dropped")
    mark.click()
    page.wait_for_url("**from=*")
    start, end = shown_range(page)
    assert end - start == timedelta(hours=2)
    expect(mark).to_be_visible()
    page.get_by_role("button", name="Events", exact=True).click()
    expect(mark).to_have_count(0)


def test_a_new_signal_gets_its_place(hub: Hub, open_page: Open) -> None:
    """What a foreign source announced waits with a proposal; placed, it is found on its asset."""
    page = open_page(hub)
    page.get_by_role("link", name="Sources", exact=True).first.click()
    row = page.locator(".inbox tr", has_text="Pump2/Speed")
    expect(row.get_by_label("Place", exact=True)).to_have_value("northwind/lakeside/utilities/cooling/pump-2")
    row.get_by_label("Name", exact=True).fill("speed")
    row.get_by_role("button", name="Place", exact=True).click()
    expect(row).to_have_count(0)
    page.locator(".inbox tr", has_text="tag_47").get_by_role("button", name="Leave here").click()
    expect(page.locator(".inbox")).to_have_count(0)
    find_by_search(page, "pump 2", "Pump 2")
    expect(page.locator('[data-signal$="/pump-2/speed"]').first).to_be_visible()

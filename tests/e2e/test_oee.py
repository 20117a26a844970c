"""OEE in a real browser: three taps on a tablet, and another open screen changes by itself."""

from __future__ import annotations

import time
from pathlib import Path

from playwright.sync_api import expect
from tests.e2e.actions import fits
from tests.e2e.oee_hub import RUN, STOP, oee_hub
from tests.e2e.server import Open

MINUTE = 60_000_000


def test_a_stop_gets_its_reason_in_three_taps(built: None, open_page: Open, tmp_path: Path) -> None:
    """A stop happens; the operator taps it, the group and the reason; the Pareto of another screen changes alone."""
    with oee_hub(tmp_path) as hub:
        now = time.time_ns() // 1000
        hub.put("state", [(now - 120 * MINUTE, RUN)])
        hub.put("good", [(now - n * MINUTE, float(120 - n)) for n in range(120, 1, -1)])
        office = open_page(hub, "/oee?view=losses&r=8h")
        office.evaluate("window.notReloaded = true")
        tablet = open_page(hub, "/oee?view=reasons&r=8h", tablet=True)
        expect(tablet.get_by_text("Every stop has its reason.")).to_be_visible(timeout=60_000)
        hub.put("state", [(now - 20 * MINUTE, STOP), (now - 8 * MINUTE, RUN)])
        stop = tablet.locator(".oee-stop")
        expect(stop).to_have_count(1, timeout=60_000)
        expect(office.locator("tr[data-reason='']")).to_be_visible(timeout=60_000)
        fits(tablet)
        smallest = min(box["height"] for one in stop.all() if (box := one.bounding_box()))
        assert smallest >= 44
        stop.tap()
        tablet.get_by_role("button", name="Fault").tap()
        tablet.locator("[data-reason='hydraulics']").tap()
        expect(tablet.get_by_text("Hydraulics for Press 1")).to_be_visible(timeout=60_000)
        expect(office.locator("tr[data-reason='hydraulics']")).to_contain_text("12 min", timeout=60_000)
        expect(office.locator("tr[data-reason='']")).to_have_count(0)
        assert office.evaluate("window.notReloaded") is True


def test_an_entry_waits_for_the_connection(built: None, open_page: Open, tmp_path: Path) -> None:
    """Without a connection an entry is kept on the device, and is sent once when the connection is back."""
    with oee_hub(tmp_path) as hub:
        now = time.time_ns() // 1000
        hub.put("state", [(now - 90 * MINUTE, RUN), (now - 30 * MINUTE, STOP), (now - 10 * MINUTE, RUN)])
        page = open_page(hub, "/oee?view=reasons&r=8h", tablet=True)
        expect(page.locator(".oee-stop")).to_have_count(1, timeout=60_000)
        page.locator(".oee-stop").tap()
        page.context.set_offline(True)
        page.get_by_role("button", name="Material").tap()
        expect(page.get_by_text("1 entry waits for the connection")).to_be_visible(timeout=60_000)
        page.context.set_offline(False)
        expect(page.get_by_text("Every stop has its reason.")).to_be_visible(timeout=60_000)
        expect(page.get_by_text("waits for the connection")).to_have_count(0)
        said = page.evaluate("fetch('/api/v1/oee/audit').then((answer) => answer.json())")
        assert [one["by"] for one in said["items"]] == ["admin"]


def test_every_view_fits_every_screen(built: None, open_page: Open, tmp_path: Path) -> None:
    """Board, machines, timeline, losses, hours, reasons, orders and reports show the press, on desk and phone."""
    with oee_hub(tmp_path) as hub:
        now = time.time_ns() // 1000
        hub.put("state", [(now - 90 * MINUTE, RUN), (now - 30 * MINUTE, STOP), (now - 10 * MINUTE, RUN)])
        hub.put("good", [(now - n * MINUTE, float(90 - n)) for n in range(90, 1, -1)])
        views = {
            "board": ".oee-card", "machines": ".oee-machines tbody tr", "timeline": ".oee-lane-cells span",
            "losses": ".oee-pareto tbody tr", "hours": ".oee-hours tbody tr", "reasons": ".oee-stop",
            "orders": ".orders-table tbody tr", "calendar": ".oee .empty", "reports": ".report .oee-factor",
        }  # fmt: skip
        order = {"id": "4710", "path": "press", "product": "P1", "quantity": 9, "start": now, "end": now + MINUTE}
        for phone in (False, True):
            page = open_page(hub, "/oee", phone=phone, dark=phone)
            page.evaluate(
                "(body) => fetch('/api/v1/oee/orders', {method: 'PUT', body: JSON.stringify(body),"
                " headers: {'content-type': 'application/json'}})",
                {"items": [order]},
            )
            for view, part in views.items():
                page.goto(f"{hub.url}/oee?view={view}&r=8h&at=acme/works/press")
                expect(page.locator(part).first).to_be_visible(timeout=60_000)
                fits(page)


def test_an_order_from_the_file_to_the_last_part(built: None, open_page: Open, tmp_path: Path) -> None:
    """A file is imported after its mistake was named; the order is started and finished, and has its parts."""
    with oee_hub(tmp_path) as hub:
        now = time.time_ns() // 1000
        hub.put("state", [(now - 60 * MINUTE, RUN)])
        hub.put("good", [(now - 60 * MINUTE, 0.0)])
        page = open_page(hub, "/oee?view=orders")
        start, end = (time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(now / 1e6 + hours * 3600)) for hours in (-1, 8))
        head, row = "id,path,product,quantity,start,end\n", f"4711,press,P1,5,{start},{end}\n"
        page.get_by_role("button", name="Import", exact=True).click()
        wrong = {"name": "plan.csv", "mimeType": "text/csv", "buffer": (head + row.replace("press", "mill")).encode()}
        page.get_by_label("File with orders").set_input_files(wrong)
        expect(page.get_by_role("alert")).to_contain_text("'mill' is no machine", timeout=60_000)
        take = page.get_by_role("dialog").get_by_role("button", name="Import", exact=True)
        expect(take).to_be_disabled()
        page.get_by_label("File with orders").set_input_files(wrong | {"buffer": (head + row).encode()})
        take.click()
        order = page.locator("tr[data-order='4711']")
        order.get_by_role("button", name="Start").click(timeout=60_000)
        expect(order).to_have_attribute("data-state", "running", timeout=60_000)
        hub.put("good", [(time.time_ns() // 1000, 3.0)])
        expect(order).to_contain_text("3 / 5", timeout=60_000)
        order.get_by_role("button", name="Finish").click()
        expect(order).to_have_attribute("data-state", "finished", timeout=60_000)
        said = page.evaluate("fetch('/api/v1/oee/audit').then((answer) => answer.json())")
        assert [one["action"] for one in said["items"]] == ["order-finished", "order-started", "order-added"]

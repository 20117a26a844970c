"""A device is connected from the page: from its address to its values, without a line of YAML."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.drivers.modbus.device import FieldDevice
from tests.drivers.modbus.test_identify import sunspec_map
from tests.drivers.opcua.servers import Peer, peer_modules
from tests.e2e.plant import Plant, lineshaft
from tests.e2e.server import Open, free_port

PLANT = """plant: {{enterprise: acme, site: north, name: Works North, timezone: Europe/Berlin}}
equipment:
  - {{id: machining, level: area, name: Machining, children: [{{id: line-1, level: line, name: Line 1}}]}}
gateway: {{id: hall-1}}
hub: {{port: {port}, broker_port: {broker}}}
"""
PATIENCE = 60_000
CURRENT = 40000 + 4 + 66 + 2
"""Register of the total current in the map of the meter; its power of ten is four registers on."""


@contextmanager
def devices(folder: Path) -> Iterator[tuple[Peer, FieldDevice]]:
    """A node-opcua server and a SunSpec meter, in an event loop of their own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    peer, meter = Peer(peer_modules(), folder), FieldDevice()
    meter.put("holding", 40000, sunspec_map())
    meter.put("holding", CURRENT, [423])
    meter.put("holding", CURRENT + 4, [0xFFFE])
    try:
        asyncio.run_coroutine_threadsafe(peer.start(), loop).result(90)
        asyncio.run_coroutine_threadsafe(meter.start(), loop).result(10)
        yield peer, meter
    finally:
        asyncio.run_coroutine_threadsafe(peer.kill(), loop).result(10)
        asyncio.run_coroutine_threadsafe(meter.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


@pytest.fixture
def works(tmp_path: Path, built: None) -> Iterator[Plant]:
    """An empty plant: a hub and a gateway that reads nothing yet."""
    folder = tmp_path / "works"
    folder.mkdir()
    (folder / "plant.yaml").write_text(PLANT.format(port=free_port(), broker=free_port()))
    with lineshaft("up", folder, tmp_path) as plant:
        yield plant


def test_devices_are_connected_from_the_page(works: Plant, open_page: Open, tmp_path: Path) -> None:
    """A secured OPC UA server of another maker, and a meter that says what it is; then the versions tell who did it."""
    with devices(tmp_path / "pki") as (peer, meter):
        page = works.enter(open_page)
        connect_machine(page, peer.url)
        connect_meter(page, meter.port)
        versions(page)
    assert (works.folder / "saw-4.yaml").exists()


def begin(page: Page, protocol: str, address: str) -> None:
    page.get_by_role("link", name="Sources").first.click()
    page.get_by_role("link", name="Connect a device").click()
    page.get_by_label("Protocol").select_option(label=protocol)
    page.get_by_label("Address").fill(address)
    page.get_by_role("button", name="Test the connection").click()


def finish(page: Page, name: str) -> None:
    page.get_by_role("button", name="Add the device").click()
    expect(page.get_by_text(f"{name} is connected.")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("link", name=f"Open {name}").click(timeout=PATIENCE)
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def connect_machine(page: Page, url: str) -> None:
    """The certificate is shown and accepted; two signals are found by search, and one unit is corrected."""
    begin(page, "OPC UA", url)
    accept = page.get_by_role("button", name="Accept this certificate")
    expect(accept).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("NodeOPCUA").last).to_be_visible()
    accept.click()
    page.get_by_role("button", name="Next").click(timeout=PATIENCE)
    page.get_by_label("Search in what the device has").fill("machine ramp", timeout=PATIENCE)
    page.get_by_label("Choose all that are shown").check()
    page.get_by_label("Search in what the device has").fill("pressure")
    page.get_by_label("Choose all that are shown").check()
    expect(page.get_by_text("2 signals chosen")).to_be_visible()
    page.get_by_label("Name of the device").fill("Saw 4")
    page.get_by_label("Place in the equipment").fill("machining/line-1/saw-4")
    page.get_by_role("button", name="Next").click()
    expect(page.locator("td.now", has_text="6.50")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_label("Unit pressure")).to_have_value("bar")
    page.get_by_label("Unit ramp").fill("mmm")
    page.get_by_role("button", name="Add the device").click()
    expect(page.get_by_text("unknown unit; did you mean mm?")).to_be_visible(timeout=PATIENCE)
    page.get_by_label("Unit ramp").fill("mm")
    finish(page, "Saw 4")
    expect(page.locator('[data-signal$="/saw-4/pressure"]').first).to_contain_text("6.50", timeout=PATIENCE)


def connect_meter(page: Page, port: int) -> None:
    """The profile is proposed because the device has its model, and the value has the device's own scale."""
    begin(page, "Modbus TCP", f"127.0.0.1:{port}/1")
    expect(page.get_by_text("The device says that it is ACME Meter 7 1.4.")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_label("SunSpec model 203", exact=False).first).to_be_checked()
    page.get_by_label("Name of the device").fill("Meter 1")
    page.get_by_role("button", name="Next").click()
    expect(page.locator("td.now", has_text="4.23")).to_be_visible(timeout=PATIENCE)
    finish(page, "Meter 1")
    expect(page.locator('[data-signal$="/meter-1/current"]').first).to_contain_text("4.23", timeout=PATIENCE)


def versions(page: Page) -> None:
    """Each addition is a version with its author and its difference."""
    page.get_by_role("link", name="Sources").first.click()
    page.get_by_role("link", name="Configuration").click()
    expect(page.get_by_text("Version 3 is in use.")).to_be_visible()
    row = page.get_by_role("row").filter(has_text="connect Meter 1")
    expect(row).to_contain_text("admin")
    page.get_by_role("button", name="Show version 3").click()
    expect(page.get_by_role("region", name="meter-1.yaml")).to_contain_text("profile: sunspec-meter-203")

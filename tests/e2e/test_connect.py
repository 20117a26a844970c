"""A device is connected from the page: from its address to its values, without a line of YAML."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.drivers.modbus.device import FieldDevice
from tests.drivers.modbus.test_identify import sunspec_map
from tests.drivers.opcua.servers import Peer, peer_modules
from tests.e2e.actions import fits
from tests.e2e.plant import Plant, lineshaft
from tests.e2e.server import Open
from tests.hub.mqtt import Peer as MqttPeer
from tests.ports import free_port

PLANT = """plant: {{enterprise: acme, site: north, name: Works North, timezone: Europe/Berlin}}
equipment:
  - {{id: machining, level: area, name: Machining, children: [{{id: line-1, level: line, name: Line 1}}]}}
gateway: {{id: hall-1, status_page: {{port: {status}}}}}
hub:
  port: {port}
  broker_port: {broker}
  broker_accounts:
    - {{user: oven, publish: ["oven/#"], receive: ["oven/#"]}}
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
    broker = free_port()
    (folder / "plant.yaml").write_text(PLANT.format(port=free_port(), broker=broker, status=free_port()))
    with lineshaft("up", folder, tmp_path) as plant:
        yield plant


def test_devices_are_connected_from_the_page(works: Plant, open_page: Open, tmp_path: Path) -> None:
    """A secured OPC UA server of another maker, and a meter that says what it is; then the versions tell who did it."""
    with devices(tmp_path / "pki") as (peer, meter):
        page = works.enter(open_page)
        connect_machine(page, peer.url)
        connect_meter(page, meter.port)
        versions(page)
        with oven(works) as address:
            connect_oven(page, address)
            own_page_of_the_gateway(page, works)
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


@contextmanager
def oven(works: Plant) -> Iterator[str]:
    """A foreign device with an account at the plant's own broker, and the address at which it is found."""
    (file,) = works.data.rglob("oven.password")
    port = int(re.findall(r"broker_port: (\d+)", (works.folder / "plant.yaml").read_text())[0])
    over = threading.Event()
    with MqttPeer(port, "oven", file.read_text().strip()) as peer:
        assert peer.code == 0
        peer.publish("oven/state", b'{"ts": "2026-03-01T06:00:00Z", "mode": "heating"}', qos=1, retain=True)

        def publish() -> None:
            while not over.wait(0.2):
                peer.client.publish("oven/heat", b'{"value": 231.5, "unit": "\xc2\xb0C"}', 0)

        thread = threading.Thread(target=publish)
        thread.start()
        try:
            yield f"127.0.0.1:{port}?user=oven&password_file={file}"
        finally:
            over.set()
            thread.join(10)


def connect_oven(page: Page, address: str) -> None:
    """Retained and live topics are found with unit and meaning, and live values follow."""
    begin(page, "MQTT", f"mqtt://{address}")
    page.get_by_role("button", name="Next").click(timeout=PATIENCE)
    page.get_by_label("Search in what the device has").fill("oven", timeout=PATIENCE)
    page.get_by_label("Choose all that are shown").check()
    expect(page.get_by_text("2 signals chosen")).to_be_visible()
    page.get_by_label("Name of the device").fill("Oven")
    page.get_by_label("Place in the equipment").fill("machining/line-1/oven")
    page.get_by_role("button", name="Next").click()
    expect(page.locator("td.now", has_text="231.5")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_label("Unit heat")).to_have_value("degC")
    finish(page, "Oven")
    expect(page.locator('[data-signal$="/oven/heat"]').first).to_contain_text("231.5", timeout=PATIENCE)


def own_page_of_the_gateway(page: Page, works: Plant) -> None:
    """Without the hub's page, on a phone too: devices with their state, the values of one, no script and nothing wider
    than the screen."""
    port = re.findall(r"status_page: \{port: (\d+)", (works.folder / "plant.yaml").read_text())[0]
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"http://127.0.0.1:{port}/")
    expect(page.get_by_role("heading", level=1)).to_have_text("north/hall-1")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="Oven"))
    expect(row).to_contain_text("online")
    expect(page.get_by_text("values wait")).to_be_visible()
    page.get_by_role("link", name="Oven").click()
    expect(page.get_by_role("heading", name="Values of oven")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="oven/heat")).to_contain_text("231.5 degC")
    fits(page)
    assert page.locator("script").count() == 0


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

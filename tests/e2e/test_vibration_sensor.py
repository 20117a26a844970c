"""A vibration monitor is found on its server, and its sensor connected to its machine, from the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.chain.test_waveforms import monitor
from tests.e2e.plant import Plant, lineshaft
from tests.e2e.server import Open
from tests.ports import free_port

PLANT = """plant: {{enterprise: acme, site: north, name: Works North, timezone: Europe/Berlin}}
equipment:
  - {{id: hall, level: area, name: Hall, children: [{{id: pump, level: asset, type: pump, name: Pump 7}}]}}
gateway: {{id: hall-1}}
hub: {{port: {port}, broker_port: {broker}}}
"""
PATIENCE = 60_000


@pytest.fixture
def works(tmp_path: Path, built: None) -> Iterator[Plant]:
    """A pump that nobody watches."""
    folder = tmp_path / "works"
    folder.mkdir()
    (folder / "plant.yaml").write_text(PLANT.format(port=free_port(), broker=free_port()))
    with lineshaft("up", folder, tmp_path) as plant:
        yield plant


def connected(page: Page, port: int) -> None:
    """The array of the monitor is found as a waveform, with the nodes of its rate and speed."""
    page.get_by_role("link", name="Sources").first.click()
    page.get_by_role("link", name="Connect a device").click()
    page.get_by_label("Protocol").select_option(label="OPC UA")
    page.get_by_label("Address").fill(f"opc.tcp://127.0.0.1:{port}/test")
    page.get_by_role("button", name="Test the connection").click()
    page.get_by_role("button", name="Next").click(timeout=PATIENCE)
    page.get_by_label("Search in what the device has").fill("damaged", timeout=PATIENCE)
    page.get_by_label("Choose all that are shown").check()
    page.get_by_label("Name of the device").fill("Monitor")
    page.get_by_label("Place in the equipment").fill("hall/pump")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_label("Kind damaged")).to_have_value("waveform", timeout=PATIENCE)
    page.get_by_label("Unit damaged").fill("mm/s")  # wrong: the sensor gives an acceleration
    page.get_by_role("button", name="Add the device").click()
    expect(page.get_by_text("Monitor is connected.")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("link", name="Connect a vibration sensor").click()


def test_a_sensor_gets_its_machine_and_bearing_with_a_live_check(works: Plant, open_page: Open) -> None:
    """Template by the type, speed, bearing by search; the newest burst is judged at once; the gateway takes it."""
    with monitor() as port:
        page = works.enter(open_page)
        connected(page, port)
        page.get_by_role("link", name=re.compile("damaged", re.IGNORECASE)).click(timeout=PATIENCE)
        set_up(page, works)


def set_up(page: Page, works: Plant) -> None:
    """What is missing is told one by one; the live check answers each choice; the gateway takes it in use."""
    expect(page.get_by_label("Kind of machine")).to_have_value("pump")
    expect(page.get_by_label("Severity zones")).to_have_value("3: pump, separate driver, rigid")
    check = page.locator("#check")
    expect(page.locator(".sensor-says")).to_contain_text("bearing diagnosis needs an acceleration", timeout=PATIENCE)
    page.get_by_label("Unit that the sensor gives").select_option(label="m/s²")
    expect(page.locator(".sensor-says")).to_contain_text("the bearing is unknown", timeout=PATIENCE)
    save = page.get_by_role("button", name="Save and use")
    expect(save).to_be_disabled()
    page.get_by_role("button", name="Fixed").click()
    expect(page.get_by_text("Give the speed in 1/min")).to_be_visible()
    page.get_by_label("Speed, 1/min").fill("1480")
    page.get_by_label(re.compile("Search among .. bearings")).fill("6205")
    page.get_by_role("option", name=re.compile("SKF 6205-2RS")).click()
    expect(page.locator(".sensor-says")).to_contain_text("damage of the outer race", timeout=PATIENCE)
    expect(check.or_(page.locator(".fault-chips")).get_by_role("button", name="BPFO").first).to_be_visible()
    page.get_by_role("button", name="Show the plant file").click()
    expect(page.locator("pre.yaml")).to_contain_text("signal: hall/pump/damaged, machine: pump, bearing: SKF 6205-2RS")
    save.click()
    expect(page.get_by_text("The gateway knows the machine behind this sensor now.")).to_be_visible(timeout=PATIENCE)
    assert "speed: 1480, unit: m/s2" in (works.folder / "vibration-hall-pump-damaged.yaml").read_text()
    page.get_by_role("link", name="Look at its bursts").click()
    expect(page.get_by_label("Bearing")).to_have_value("SKF 6205-2RS", timeout=PATIENCE)

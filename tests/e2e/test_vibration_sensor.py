"""A vibration sensor is connected to its machine from the page, against a real gateway."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.chain.harness import wait_for
from tests.chain.test_waveforms import monitor
from tests.e2e.plant import Plant, lineshaft
from tests.e2e.server import Open, free_port

PLANT = """plant: {{enterprise: acme, site: north, name: Works North, timezone: Europe/Berlin}}
equipment:
  - {{id: hall, level: area, name: Hall, children: [{{id: pump, level: asset, type: pump, name: Pump 7}}]}}
gateway: {{id: hall-1}}
hub: {{port: {port}, broker_port: {broker}}}
devices:
  - id: monitor
    driver: opcua
    asset: hall/pump
    connection: {{url: "opc.tcp://127.0.0.1:{opcua}/test", security: none}}
    signals:
      - {{name: speed, unit: 1/min, address: "nsu=urn:lineshaft:vibration;s=speed"}}
      - name: worn
        kind: waveform
        unit: m/s2
        scale: 0.01
        address: "nsu=urn:lineshaft:vibration;s=damaged"
        poll: 1s
        waveform: {{rate: 12800}}
"""
PATIENCE = 60_000


@pytest.fixture
def works(tmp_path: Path, built: None) -> Iterator[Plant]:
    """A pump with a vibration monitor that nobody has set up."""
    folder = tmp_path / "works"
    folder.mkdir()
    with monitor() as port:
        text = PLANT.format(port=free_port(), broker=free_port(), opcua=port)
        (folder / "plant.yaml").write_text(text)
        with lineshaft("up", folder, tmp_path) as plant:
            yield plant


def test_a_sensor_gets_its_machine_and_bearing_with_a_live_check(works: Plant, open_page: Open) -> None:
    """Template by the type, speed, bearing by search; the newest burst is judged at once; the gateway takes it."""
    page = works.enter(open_page)
    page.get_by_role("link", name="Maintenance").first.click()
    page.get_by_role("link", name="Connect a vibration sensor").first.click(timeout=PATIENCE)
    expect(page.get_by_label("Kind of machine")).to_have_value("pump")
    expect(page.get_by_label("Severity zones")).to_have_value("3: pump, separate driver, rigid")
    check = page.locator("#check")
    expect(page.locator(".sensor-says")).to_contain_text("the speed of the shaft is missing", timeout=PATIENCE)
    save = page.get_by_role("button", name="Save and use")
    expect(save).to_be_disabled()
    page.get_by_label("Speed, 1/min").fill("1480")
    expect(page.locator(".sensor-says")).to_contain_text("the bearing is unknown", timeout=PATIENCE)
    page.get_by_label(re.compile("Search among .. bearings")).fill("6205")
    page.get_by_role("option", name=re.compile("SKF 6205-2RS")).click()
    expect(page.locator(".sensor-says")).to_contain_text("damage of the outer race", timeout=PATIENCE)
    expect(check.or_(page.locator(".fault-chips")).get_by_role("button", name="BPFO").first).to_be_visible()
    running = "fetch('/api/v1/gateways/north/hall-1/configuration').then(r => r.json()).then(c => c.running > 0)"
    wait_for(lambda: bool(page.evaluate(running)), 60, "the hub has read what the gateway runs")
    page.get_by_role("button", name="Show the plant file").click()
    expect(page.locator("pre.yaml")).to_contain_text("signal: hall/pump/worn, machine: pump, bearing: SKF 6205-2RS")
    save.click()
    expect(page.get_by_text("The gateway knows the machine behind this sensor now.")).to_be_visible(timeout=PATIENCE)
    assert "speed: 1480" in (works.folder / "vibration-hall-pump-worn.yaml").read_text()
    page.get_by_role("link", name="Look at its bursts").click()
    expect(page.get_by_label("Bearing")).to_have_value("SKF 6205-2RS", timeout=PATIENCE)

"""The maintenance page in a real browser: a bearing is chosen and its burst is judged; a case stands above it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect
from tests.e2e.actions import fits
from tests.e2e.in_process import Served, served
from tests.e2e.pump_story import tell
from tests.e2e.server import PASSWORD, Open
from tests.hub.memory_historian import MemoryHistorian

from lineshaft.analytics.bearings.kinematics import Geometry, fault_orders
from lineshaft.analytics.bearings.signal_model import Damage, damaged_wave, in_noise
from lineshaft.apps.maintenance.app import MAINTENANCE, make
from lineshaft.clock import SystemClock
from lineshaft.hub.api.app import create_app
from lineshaft.hub.api.services import PlantInfo, Services
from lineshaft.hub.ports import BornSignal
from lineshaft.hub.security import passwords
from lineshaft.hub.security.roles import Role
from lineshaft.hub.state.state import State
from lineshaft.hub.stream import LiveStream
from lineshaft.model.equipment import Datatype, Equipment, Level, Signal, SignalKind
from lineshaft.model.events import Event, Severity
from lineshaft.model.samples import SampleBatch
from lineshaft.model.waveforms import Waveform
from lineshaft.web.static_files import mount_page

ASSET = "acme/north/hall/line-1/pump-1"
RATE = 25_600.0


def fill(services: Services) -> None:
    """A pump with a burst of a damaged outer race, a clipped one, and an open case."""
    now = services.clock.now_us()
    services.state.register_equipment([Equipment(ASSET, "Pump 1", Level.ASSET, "pump")])
    random = np.random.default_rng(1)
    orders = fault_orders(Geometry(9, 7.94, 39.04))
    values = in_noise(damaged_wave(Damage("outer", 25.0, orders), RATE, 1.0, random), 0, random)
    for name, samples in (("drive-end", values), ("fan-end", np.clip(values, -1, 1))):
        signal = Signal(ASSET, name, SignalKind.WAVEFORM, Datatype.FLOAT, "m/s2")
        number = int(services.state.register([BornSignal(signal, "acme/gw", "monitor")])[0])
        wave = Waveform.of(np.rint(samples * 1000).astype(int), RATE, 1500.0, scale=0.001)
        services.historian.append(SampleBatch.of_waves([number], [now - 60_000_000], [wave]), name)
    words = "Health is at alarm: vibration 96 %"
    services.state.events.add([Event(now - 3_600_000_000, "maintenance.health.alarm", ASSET, words, Severity.MEDIUM)])


@pytest.fixture(name="served")
def _served(built: None, tmp_path: Path) -> Iterator[Served]:
    with State(f"sqlite:///{tmp_path}/state.db") as state:
        clock = SystemClock()
        services = Services(MemoryHistorian(), state, LiveStream(clock), PlantInfo("North works", "UTC"), clock)
        fill(services)
        state.accounts.add_user("admin", Role.ADMIN, passwords.hashed(PASSWORD), clock.now_us())
        app = create_app(services, MAINTENANCE.routers)
        app.state.apps["maintenance"] = make(services)
        app.state.apps["maintenance"].recorder.step()
        mount_page(app)
        with served(app) as found:
            yield found


def test_a_burst_is_judged_on_the_page(served: Served, open_page: Open) -> None:
    """Without a bearing nothing is claimed; with it the outer race is named by its lines; a clipped burst says why."""
    page = open_page(served, "/maintenance", phone=True)
    expect(page.get_by_text("health declines, no fault named yet")).to_be_visible()
    expect(page.get_by_text("Not diagnosable", exact=True)).to_be_visible()
    expect(page.get_by_text("the bearing is unknown")).to_be_visible()
    page.get_by_role("combobox", name="Bearing").select_option("SKF 6205-2RS")
    expect(page.get_by_role("heading", name="Bearing: damage of the outer race")).to_be_visible()
    expect(page.get_by_role("cell", name="2 x BPFO")).to_be_visible()
    fits(page)
    page.reload()  # everything stands in the address
    expect(page.get_by_role("heading", name="Bearing: damage of the outer race")).to_be_visible()
    page.get_by_role("combobox", name="Sensor").select_option(label="Pump 1 / fan-end")
    expect(page.get_by_text("it is clipped")).to_be_visible()
    expect(page.locator(".finding")).to_have_count(0)


@pytest.fixture(name="pumps")
def _pumps(built: None, tmp_path: Path) -> Iterator[Served]:
    with State(f"sqlite:///{tmp_path}/state.db") as state:
        clock = SystemClock()
        services = Services(MemoryHistorian(), state, LiveStream(clock), PlantInfo("Weiler works", "UTC"), clock)
        maintenance = make(services)
        tell(services, maintenance)
        state.accounts.add_user("admin", Role.ADMIN, passwords.hashed(PASSWORD), clock.now_us())
        app = create_app(services, MAINTENANCE.routers)
        app.state.apps["maintenance"] = maintenance
        mount_page(app)
        with served(app) as found:
            yield found


def test_from_the_first_sign_to_the_score(pumps: Served, open_page: Open) -> None:
    """The pages tell of a bearing that wore for weeks: first sign, name, repair, before and after, score; and of the
    one that wears now, with what is left, where somebody records the repair."""
    page = open_page(pumps, "/maintenance")
    board = page.locator(".health-board tbody tr")
    expect(board).to_have_count(2)
    expect(board.first).to_contain_text("Cooling-water pump 2")
    expect(board.first).to_contain_text("Danger")
    expect(board.first).to_contain_text(re.compile(r"\d+ d \(.* to .* d\)"))
    page.get_by_role("link", name="Cooling-water pump 1: Damage of the outer race").click()
    story = page.locator(".story")
    expect(story).to_contain_text("Closed")
    kinds = [one.get_attribute("data-kind") for one in story.locator("li").all()]
    assert kinds[0] == "opened"
    assert kinds[-1] == "closed"
    wanted = ("opened", "named", "acknowledge", "assign", "comment", "work", "gone", "closed")
    assert [kind for kind in kinds if kind in wanted] == list(wanted)
    expect(story).to_contain_text("Outer race pitted over a third of its width")
    row = page.locator(".before-after tr", has_text="acceleration")
    expect(row.locator("td").nth(3)).to_have_text(re.compile(r"[5-9]\d %$"))
    expect(page.locator(".spectra")).to_be_visible()
    expect(page.get_by_text("a fault was found")).to_be_visible()
    expect(page.locator(".scores")).to_contain_text("1 of 2 alarms")
    page.get_by_role("link", name="Health of Cooling-water pump 1").click()
    expect(page.get_by_text("left normal").first).to_be_visible()
    expect(page.locator(".moment", has_text="repaired").first).to_be_visible()
    page.get_by_role("link", name="Values of the machine").click()
    expect(page.get_by_role("link", name="Health", exact=True).last).to_have_attribute("href", re.compile("/machine/"))
    page.goto(f"{pumps.url}/maintenance")
    page.get_by_role("link", name="Cooling-water pump 2: Damage of the outer race").click()
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("seen by admin")).to_be_visible()
    page.get_by_role("button", name="Record work").click()
    page.get_by_label("What was done").fill("Bearing changed at last.")
    page.get_by_label("What was found").select_option("confirmed")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".story")).to_contain_text("Bearing changed at last.")
    page.set_viewport_size({"width": 390, "height": 844})
    fits(page)

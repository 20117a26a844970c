"""The models page in a real browser: a model is trained, judged, put on trial with a reason, and its record is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect
from tests.e2e.actions import fits
from tests.e2e.in_process import Served, served
from tests.e2e.server import PASSWORD, Open
from tests.hub.memory_historian import MemoryHistorian

from lineshaft.clock import SystemClock
from lineshaft.hub.api.app import create_app
from lineshaft.hub.api.services import PlantInfo, Services
from lineshaft.hub.models.desk import ModelDesk
from lineshaft.hub.ports import BornSignal
from lineshaft.hub.security import passwords
from lineshaft.hub.security.roles import Role
from lineshaft.hub.state.state import State
from lineshaft.hub.stream import LiveStream
from lineshaft.model.equipment import Equipment, Level, Signal
from lineshaft.model.predictions import Prediction, PredictionKind
from lineshaft.model.samples import SampleBatch
from lineshaft.web.static_files import mount_page

ASSET = "acme/north/hall/line-1/pump-1"
MINUTE = 60_000_000
DAY = 1440 * MINUTE


def fill(services: Services) -> None:
    """Two days of a pump each minute, and an alarm that another model gave yesterday."""
    state, now = services.state, services.clock.now_us()
    state.register_equipment([Equipment(ASSET, "Pump 1", Level.ASSET, "pump")])
    born = [BornSignal(Signal(ASSET, name), "north/g", "d") for name in ("flow", "pressure", "speed")]
    ids = state.register(born)
    n = 2 * 1440
    random = np.random.default_rng(1)
    speed = np.where(np.arange(n) // 120 % 2 == 0, 1500.0, 3000.0)
    load = random.normal(0, 1, n)
    rows = np.stack([speed / 100 + load, speed / 500 - 0.3 * load + random.normal(0, 0.05, n), speed], axis=1)
    times = now - 2 * DAY + np.arange(n) * MINUTE
    services.historian.append(SampleBatch.of(np.tile(ids, n), np.repeat(times, 3), rows.ravel()), "past")
    alarm = Prediction(
        now - DAY, ASSET, PredictionKind.FAILURE, "machine-health", "1-ab", 4.2, alarm=True, due=now + DAY,
        inputs={"vibration": 7.5}, words="index 4.2",
    )  # fmt: skip
    state.predictions.add("pump-health", "pump", [alarm], now)


@pytest.fixture(name="hub")
def _hub(built: None, tmp_path: Path) -> Iterator[Served]:
    with State(f"sqlite:///{tmp_path}/state.db") as state:
        clock = SystemClock()
        services = Services(MemoryHistorian(), state, LiveStream(clock), PlantInfo("North works", "UTC"), clock)
        models = ModelDesk(services.historian, state, clock, "acme/north")
        services = replace(services, models=models)
        fill(services)
        state.accounts.add_user("admin", Role.ADMIN, passwords.hashed(PASSWORD), clock.now_us())
        app = create_app(services)
        mount_page(app)
        with served(app) as found:
            yield found
        models.stop()


def test_a_model_is_trained_and_put_on_trial(hub: Served, open_page: Open) -> None:
    """On a phone: choose a class, its signals and the time; the version shows both methods; a move needs a reason."""
    page = open_page(hub, "/models", phone=True)
    page.get_by_role("button", name="Train a model").click()
    form = page.get_by_role("form", name="Train a model")
    form.get_by_label("Class of assets").select_option("pump")
    form.get_by_label("Average over").select_option("60")
    for name in ("Flow", "Pressure"):
        form.get_by_label(name).select_option("feature")
    form.get_by_label("Speed").select_option("operating")
    form.get_by_role("button", name="2 d", exact=True).click()
    form.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("status").or_(page.get_by_text("Trained:")).first.wait_for()
    page.get_by_role("link", name="pump 1", exact=True).click()
    expect(page.get_by_text("Draft", exact=True).first).to_be_visible()
    expect(page.get_by_role("columnheader", name="Robust baseline")).to_be_visible()
    expect(page.get_by_role("row", name="False alarms per machine-month")).to_be_visible()
    fits(page)
    page.get_by_role("button", name="Put on trial").click()
    expect(page.get_by_role("button", name="Confirm")).to_be_disabled()
    page.get_by_label("Put on trial: why?").fill("let us see what it says")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Shadow", exact=True).first).to_be_visible()
    expect(page.get_by_text("Version 1: Shadow, by admin: let us see what it says")).to_be_visible()


def test_what_happened_scores_a_prediction(hub: Served, open_page: Open) -> None:
    """An alarm is open until somebody says that the fault was found; then it is a hit, also in the figures."""
    page = open_page(hub, "/models", dark=True)
    page.get_by_role("link", name="Machine health").click()
    expect(page.get_by_role("cell", name="Open")).to_be_visible()
    page.get_by_text("Say what happened").click()
    page.get_by_label("What was seen, and how one knows").fill("the seal leaks, seen by hand")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("cell", name="Hit")).to_be_visible()
    expect(page.get_by_text("1 hit")).to_be_visible()
    expect(page.get_by_text("the seal leaks, seen by hand")).to_be_visible()

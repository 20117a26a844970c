"""A model from training to use, in one running hub."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest

from hub.api.conftest import Hub, Services, running
from lineshaft.client import Client
from lineshaft.clock import SystemClock
from lineshaft.commands import client as commands
from lineshaft.commands import model
from lineshaft.config.learning import ModelConfig
from lineshaft.hub.api.app import create_app
from lineshaft.hub.models.desk import ModelDesk
from lineshaft.hub.models.wishes import Wishes
from lineshaft.hub.operators.backtest import Backtests
from lineshaft.hub.operators.engine import Operators
from lineshaft.hub.operators.trials import OperatorDesk
from lineshaft.hub.ports import BornSignal
from lineshaft.hub.security.roles import Role
from lineshaft.model.equipment import Equipment, Level, Signal
from lineshaft.model.predictions import Outcome, OutcomeKind
from lineshaft.model.samples import Float64Array, SampleBatch

SITE = "acme/north"
PUMPS = [f"{SITE}/hall/line-1/pump-{number}" for number in (1, 2, 3)]
NAMES = ("flow", "pressure", "current", "speed")
MINUTE = 60_000_000
DAY = 1440 * MINUTE
START = 1_700_000_000_000_000 // DAY * DAY - 30 * DAY  # the clock stands 30 days later


@dataclass
class Plant:
    """A hub with pumps whose operators are driven by hand."""

    hub: Hub
    live: Operators
    models: ModelDesk
    ids: np.ndarray

    def put(self, begin: int, rows: list[Float64Array], *, tell: bool = True) -> None:
        """Windows of the first two pumps from a number on; the third never moves."""
        parts = []
        for place, table in enumerate([*rows, np.ones((len(rows[0]), 4))]):
            times = START + (begin + np.arange(len(table))) * 10 * MINUTE
            own = self.ids[4 * place : 4 * place + 4]
            parts.append(SampleBatch.of(np.tile(own, len(table)), np.repeat(times, 4), table.ravel()))
        batch = SampleBatch.concat(parts)
        batch = batch.take(np.argsort(batch.times, kind="stable"))
        self.hub.historian.append(batch, f"rows-{begin}")
        if tell:
            self.live.feed.told(batch)

    def work(self) -> None:
        """Take up other versions, and do all that there is to do."""
        self.live.open()
        deadline = time.monotonic() + 60
        while any(lane.step() for lane in (self.live.main, self.live.apart)):
            assert time.monotonic() < deadline

    def events(self, kind: str) -> list[Any]:
        return [one.event for one in self.hub.state.events.find(kind=kind, limit=1000)]


def pump(n: int, seed: int, leak: slice = slice(0, 0)) -> Float64Array:
    """Windows: flow, pressure and current hang together at two speeds; in a leak the pressure falls."""
    random = np.random.default_rng(seed)
    speed = np.where(np.arange(n) // 30 % 2 == 0, 1500.0, 3000.0)
    load = np.convolve(random.normal(0, 1, n + 9), np.ones(10) / 3, "valid")
    table = np.stack([speed / 100 + load, speed / 500 - 0.3 * load, speed / 300 + 0.5 * load, speed], axis=1)
    table[:, :3] += random.normal(0, 0.05, (n, 3))
    table[leak, 1] -= 1.0
    return table


@pytest.fixture(name="plant")
async def _plant(services: Services) -> AsyncIterator[Plant]:
    state, historian = services.state, services.historian
    state.register_equipment([Equipment(path, path[-6:], Level.ASSET, "pump") for path in PUMPS])
    ids = state.register([BornSignal(Signal(path, name), "north/g", "d") for path in PUMPS for name in NAMES])
    models = ModelDesk(historian, state, services.clock, SITE)
    live = Operators((), historian, state, services.clock, delay=0.0, models=models.at_work)
    models.changed = live.refresh
    desk = OperatorDesk((), SITE, state.catalogue, Backtests(historian), live, models.can_be_tried)
    services = replace(services, operators=desk, models=models)
    app = create_app(services)
    async with running(app) as url:
        plant = Plant(Hub(url, app, services, services.clock, historian, ids), live, models, ids)  # type: ignore[arg-type]
        yield plant
    models.stop()
    desk.backtests.stop()
    plant.live.stop()  # a test may have put another one in its place


async def finished(client: httpx.AsyncClient, address: str, job: dict[str, Any]) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while job["state"] in ("waiting", "running"):
            await asyncio.sleep(0.05)  # a page asks like this
            job = (await client.get(f"/api/v1/{address}/{job['id']}")).json()
    return job


WANTED = {
    "name": "pumps",
    "type": "pump",
    "features": ["flow", "pressure", "current"],
    "operating": ["speed"],
    "start": START,
    "end": START + 10 * DAY,
    "held_start": START + 10 * DAY,
    "held_end": START + 14 * DAY,
    "settings": {"calm": 6, "look": 86_400},
}


async def test_from_training_to_use(plant: Plant) -> None:
    """Trained on one range, judged on another, silent on trial, in use with a reason, then retired: all in the audit.

    What is stored live is what a backtest of the same version gives, also after a kill and a restart of the hub.
    """
    held = pump(4 * 144, 8, leak=slice(300, 400))
    plant.put(0, [np.vstack([pump(1440, 1), held]), np.vstack([pump(1440, 2), pump(576, 9)])], tell=False)
    plant.hub.state.outcomes.add(
        Outcome(START + 10 * DAY + 390 * 10 * MINUTE, PUMPS[0], OutcomeKind.CONFIRMED_FAULT),
        by="somebody", note="a leak at the seal", now=0,
    )  # fmt: skip
    async with plant.hub.client(Role.ENGINEER) as client:
        found = (await client.get("/api/v1/models/candidates", params={"type": "pump"})).json()
        assert found["types"] == [{"name": "pump", "assets": 3}]
        assert {one["name"]: one["assets"] for one in found["items"]} == dict.fromkeys(NAMES, 3)
        begun = await client.post("/api/v1/models/trainings", json=WANTED)
        assert begun.status_code == 202, begun.text
        job = await finished(client, "models/trainings", begun.json())
        assert (job["state"], job["error"], job["version"], job["progress"]) == ("done", "", 1, 1.0)
        (model,) = (await client.get("/api/v1/models")).json()["items"]
        assert (model["state"], model["by"], model["end"]) == ("draft", "the-engineer", START + 10 * DAY)
        assert model["warnings"] == [
            f"{PUMPS[2]} was left out: flow, pressure, current does not move in the training range"
        ]
        learned = model["metrics"]["methods"]["forecast"]
        assert (learned["hits"], learned["missed"], learned["false"], learned["judged"]) == (1, 0, 0, 2 * 576 - 14)
        assert learned["lead_median"] == pytest.approx(15, abs=1)
        assert "baseline" in model["metrics"]["methods"]
        assert model["metrics"]["assets"][PUMPS[0]]["windows"] == 1439
        await on_trial(plant, client)
        await in_use(plant, client)


async def on_trial(plant: Plant, client: httpx.AsyncClient) -> None:
    address = "/api/v1/models/pumps/1/state"
    refused = await client.post(address, json={"state": "active", "why": "it is good"})
    assert (refused.status_code, refused.json()["hint"]) == (422, "it can be shadow or retired")
    assert (await client.post(address, json={"state": "shadow", "why": ""})).status_code == 422
    assert (await client.post(address, json={"state": "shadow", "why": "let us see"})).status_code == 200
    plant.work()
    assert set(plant.live.main.runs) == {("pumps-1", PUMPS[0]), ("pumps-1", PUMPS[1])}
    begin = 14 * 144
    for day in range(4):
        leak = slice(60, 144) if day == 2 else slice(0, 0)
        plant.put(begin + 144 * day, [pump(144, 20 + day, leak), pump(144, 30 + day)])
        plant.work()
        if day == 1:  # killed: nothing is saved, the worker is gone
            plant.live.main._worker.close()
            plant.live.stop()
            before = plant.live
            plant.live = Operators((), plant.hub.historian, plant.hub.state, SystemClock(), delay=0.0,
                                   models=plant.models.at_work)  # fmt: skip
            plant.work()
            began = {key: run.began for key, run in before.main.runs.items()}
            assert {key: run.began for key, run in plant.live.main.runs.items()} == began  # it goes on, and not anew
    assert not plant.events("anomaly.")
    stored = plant.hub.state.predictions.find(model="pumps", limit=1000)
    assert all(one.prediction.shadow for one in stored)
    assert any(one.prediction.alarm for one in stored)
    # live began with the seven windows that a score looks back on
    body = {"operator": "pumps-1", "start": START + (begin - 7) * 10 * MINUTE, "end": START + 20 * DAY}
    job = await finished(client, "backtests", (await client.post("/api/v1/backtests", json=body)).json())
    assert job["state"] == "done", job["error"]
    live = sorted((one.prediction for one in stored), key=lambda one: (one.time, one.subject))
    tried = sorted(job["predictions"], key=lambda one: (one["time"], one["asset"]))
    assert len(tried) > 150
    assert [(one.time, one.value, one.alarm, dict(one.inputs)) for one in live] == [
        (one["time"], one["value"], one["alarm"], one["inputs"]) for one in tried
    ]
    card = (await client.get("/api/v1/models/pumps/1", params={"document": True})).json()
    assert [one["asset"] for one in card["model"]["drift"]] == PUMPS[:2]
    assert all(one["index"] is not None for one in card["model"]["drift"])
    assert set(card["document"]) == set(PUMPS[:2])


async def in_use(plant: Plant, client: httpx.AsyncClient) -> None:
    address = "/api/v1/models/pumps/{}/state"
    why = "it found the leak of pump 1 and told nothing else"
    assert (await client.post(address.format(1), json={"state": "active", "why": why})).status_code == 200
    begun = await client.post("/api/v1/models/trainings", json=WANTED)
    second = await finished(client, "models/trainings", begun.json())
    assert second["version"] == 2
    assert (await client.post(address.format(2), json={"state": "shadow", "why": "beside it"})).status_code == 200
    plant.work()
    assert {key[0] for key in plant.live.main.runs} == {"pumps-1", "pumps-2"}
    for day in range(2):
        plant.put(18 * 144 + 144 * day, [pump(144, 50 + day, slice(60, 100) if day else slice(0, 0)), pump(144, 60)])
        plant.work()
    raised = plant.events("anomaly.raised")
    assert [(event.subject, event.details["operator"]) for event in raised] == [(PUMPS[0], "pumps-1")]
    assert "pressure" in raised[0].message
    moved = (await client.post(address.format(2), json={"state": "active", "why": "it is newer"})).json()
    assert moved["words"] == ["version 1 is retired"]
    assert (await client.post(address.format(2), json={"state": "retired", "why": "enough"})).status_code == 200
    plant.work()
    assert not plant.live.main.runs
    changes = (await client.get("/api/v1/models/pumps/2")).json()["changes"]
    assert [(one["version"], one["before"], one["after"]) for one in changes] == [
        (1, "", "draft"), (1, "draft", "shadow"), (1, "shadow", "active"), (2, "", "draft"), (2, "draft", "shadow"),
        (1, "active", "retired"), (2, "shadow", "active"), (2, "active", "retired"),
    ]  # fmt: skip
    assert [one["why"] for one in changes][2] == why


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"held_start": START + 9 * DAY}, "the held-out range is within the training range"),
        ({"features": ["flow", "magic"]}, "no asset of the type 'pump' has all these signals"),
        ({"operating": ["flow"]}, "a signal is a feature and an operating value"),
        ({"end": START}, "a range begins after it ends"),
        ({"name": "trainings"}, "a model cannot be called trainings"),
        (
            {"end": START + 20_000 * DAY, "held_start": START + 20_000 * DAY, "held_end": START + 20_001 * DAY},
            "windows",
        ),
    ],
)
async def test_what_cannot_be_trained(plant: Plant, change: dict[str, Any], words: str) -> None:
    """A run that would say nothing honest is refused in words before it begins; a viewer begins none."""
    async with plant.hub.client(Role.ENGINEER) as client:
        response = await client.post("/api/v1/models/trainings", json={**WANTED, **change})
    assert response.status_code == 422
    assert words in response.json()["detail"]
    async with plant.hub.client(Role.VIEWER) as client:
        assert (await client.post("/api/v1/models/trainings", json=WANTED)).status_code == 403


async def test_the_command_line_and_the_python_client(plant: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    """A model is trained and put on trial from a terminal; a script reads its errors and the record."""
    plant.put(0, [pump(2016, 1), pump(2016, 2)], tell=False)
    url, token = plant.hub.url, plant.hub.token(Role.ENGINEER)
    reached = model.Reached(commands.Client(url + "/api/v1", token), ZoneInfo("UTC"))
    day = datetime.fromtimestamp(START / 1e6, UTC).date()
    ends = [(day + timedelta(days)).isoformat() for days in (0, 10, 14)]
    wanted = model.Wanted(
        "pump", "flow, pressure", "speed", ends[0], ends[1], "", ends[2], "north", "10min", "forecast", "by hand"
    )

    def script() -> list[Any]:
        codes = [model.train(reached, wanted, as_json=False), model.promote(reached, "north-1", "a try", as_json=False)]
        codes.append(model.show(reached, as_json=False))
        with Client(url, token) as client:
            return [*codes, client.models(), client.predictions(), client.scores()]

    *codes, models, predictions, scores = await asyncio.to_thread(script)
    printed = capsys.readouterr().out
    assert codes == [0, 0, 0]
    assert "north-1: learned on 2 assets" in printed
    assert "forecast (decides)" in printed
    assert "north-1 is shadow" in printed
    assert models.loc["north-1", "state"] == "shadow"
    assert models.loc["north-1", "end"].isoformat() == f"{ends[1]}T00:00:00+00:00"
    assert (len(predictions), len(scores)) == (0, 0)


async def test_the_plant_wants_a_model(plant: Plant) -> None:
    """It is trained when history reaches far enough, judged on the newest time, put on trial, and trained once."""
    written = {"id": "wanted", "type": "pump", "features": ["flow", "pressure"], "operating": ["speed"]}
    wish = ModelConfig.model_validate({**written, "learn": "10d", "judge": "4d", "past": "2d"})
    wishes = Wishes((wish,), plant.models, plant.hub.historian, plant.hub.state)
    plant.put(0, [pump(700, 1), pump(700, 2)], tell=False)
    wishes.look(plant.hub.clock.now_us())
    assert plant.models.jobs.jobs() == []
    plant.put(700, [pump(1316, 3), pump(1316, 4)], tell=False)
    async with plant.hub.client(Role.ENGINEER) as client:
        for _ in range(2):
            wishes.look(plant.hub.clock.now_us())
            (job,) = (await client.get("/api/v1/models/trainings")).json()["items"]
            job = await finished(client, "models/trainings", job)
        (model,) = (await client.get("/api/v1/models")).json()["items"]
        assert (model["name"], model["state"], model["by"]) == ("wanted", "shadow", "plant")
        assert model["held_start"] == model["end"] == START + (2015 - 4 * 144) * 10 * MINUTE
        plant.work()
        said = (await client.get("/api/v1/predictions", params={"limit": 1000})).json()["items"]
    assert {one["model"] for one in said} == {"wanted"}
    assert min(one["time"] for one in said) >= START + (2015 - 2 * 144) * 10 * MINUTE
    assert len(said) >= 2 * 2 * 23


async def test_a_range_without_rows_fails_in_words(plant: Plant) -> None:
    """Nothing is learned from nothing: the run says so for each asset."""
    async with plant.hub.client(Role.ENGINEER) as client:
        begun = await client.post("/api/v1/models/trainings", json=WANTED)
        job = await finished(client, "models/trainings", begun.json())
    assert job["state"] == "failed"
    assert "0 windows in which every signal has a value" in job["error"]

"""Cases over the real API: they follow events and bursts, people act in them, and outcomes are kept."""

from __future__ import annotations

import asyncio

import numpy as np
import pandas as pd
import pytest
from tests.apps.maintenance.test_routes import ASSET, HOUR, RATE, _services, client

from lineshaft.analytics.bearings.signal_model import Damage, damaged_wave, in_noise
from lineshaft.apps.maintenance.app import make
from lineshaft.client import Client
from lineshaft.clock import VirtualClock
from lineshaft.config.reference import bearings
from lineshaft.hub.api.services import Services
from lineshaft.hub.ports import BornSignal
from lineshaft.hub.security.roles import Role
from lineshaft.model.equipment import Attribute, Datatype, Equipment, Level, Signal, SignalKind
from lineshaft.model.events import Event
from lineshaft.model.predictions import OutcomeKind
from lineshaft.model.samples import SampleBatch
from lineshaft.model.waveforms import Waveform

__all__ = ["_services"]
BEARING = f"{ASSET}/bearing-de"
SKF = "SKF 6205-2RS"


def plant(services: Services) -> None:
    """A pump with costs on its data sheet, a health, and a part with a bearing that the sheet names."""
    costs = (Attribute("failure_cost", 9600.0), Attribute("repair_cost", 1200.0))
    services.state.register_equipment(
        [
            Equipment(ASSET, "Pump 1", Level.ASSET, "pump", attributes=costs),
            Equipment(BEARING, "Bearing", Level.COMPONENT, "bearing", attributes=(Attribute("designation", SKF),)),
        ]
    )
    names = ("health_index", "health_stage", "life_p10", "life_p50", "life_p90", "vibration")
    services.state.register([BornSignal(Signal(ASSET, name, unit="mm/s"), "operators", "health") for name in names])


def rows(services: Services, name: str, hours_ago: list[float], values: list[float]) -> None:
    one = services.state.catalogue.by_path(f"{ASSET}/{name}")
    assert one is not None
    times = services.clock.now_us() - (np.array(hours_ago) * HOUR).astype(np.int64)
    services.historian.append(SampleBatch.of(np.full(len(times), one.id), times, values), f"{name} {hours_ago[0]}")


def say(services: Services, hours_ago: float, stage: str, **details: str | float) -> None:
    time = services.clock.now_us() - round(hours_ago * HOUR)
    words = f"Health is at {stage}"
    services.state.events.add([Event(time, f"maintenance.health.{stage}", ASSET, words, details=details)])


def open_cases(url: str, token: str) -> pd.DataFrame:
    """As a notebook asks for them."""
    with Client(url, token) as found:
        return found.cases(ASSET, only_open=True)


async def test_a_case_from_alarm_to_repair(services: Services) -> None:
    """It opens by itself, takes what people do, closes after the repair with before and after, and is scored once."""
    plant(services)
    rows(services, "vibration", list(np.arange(99, 51, -0.5)), [5.0] * 96)
    rows(services, "vibration", list(np.arange(48, 1, -0.5)), [1.25] * 94)
    say(services, 90, "watch", **{"share vibration": 0.9, "left_normal": "2026-01-01T00:00+00:00"})
    say(services, 80, "danger", p10_h=24.0, p50_h=50.0, p90_h=90.0, **{"share vibration": 0.95})
    async with client(services, Role.OPERATOR) as http:
        app = make(services)
        assert app.recorder.step() == [ASSET]
        (one,) = (await http.get("/cases")).json()["items"]
        assert (one["asset"], one["severity"], one["stage"], one["closed"]) == (ASSET, "critical", "danger", None)
        assert one["loss"] == pytest.approx(9600 * one["chance"])
        url, token = str(http.base_url).partition("/api")[0], http.headers["authorization"].split()[1]
        table = await asyncio.to_thread(open_cases, url, token)
        assert (table.index.tolist(), table.loc[one["id"], "severity"]) == ([one["id"]], "critical")
        path = f"/cases/{one['id']}/actions"
        for action in (
            {"action": "acknowledge"},
            {"action": "assign", "to": "sam"},
            {"action": "comment", "words": "Loud"},
        ):
            assert (await http.post(path, json=action)).status_code == 201
        done = {"action": "work", "words": "Bearing changed", "found": "confirmed", "cost": 1180, "hours": 3,
                "time": services.clock.now_us() - 50 * HOUR}  # fmt: skip
        assert (await http.post(path, json=done)).status_code == 201
        say(services, 40, "normal")
        app.recorder.step()
        app.recorder.retell(ASSET)  # once more, as after a restart
        (same,) = (await http.get("/cases", params={"asset": ASSET})).json()["items"]
        found = (await http.get(f"/cases/{one['id']}")).json()
    assert same["id"] == one["id"]
    assert (found["why"], found["outcome"], found["assigned"], found["cost"]) == ("repaired", "confirmed", "sam", 1180)
    assert found["comparison"]["features"] == [{"name": "vibration", "unit": "mm/s", "before": 5.0, "after": 1.25}]
    assert [entry["by"] for entry in found["entries"] if entry["kind"] == "comment"] == ["operator"]
    outcomes = services.state.outcomes.find(asset=ASSET)
    assert {one.outcome.kind for one in outcomes} == {OutcomeKind.CONFIRMED_FAULT, OutcomeKind.REPAIR}
    assert len(outcomes) == 2
    assert {one.source for one in outcomes} == {f"case-{found['id']}"}


async def test_the_repair_is_shown_soon_and_for_good_after_a_day(services: Services) -> None:
    """A case that a person closed right after the work gets a first look at what came of it without any further event,
    and the whole comparison when a day has passed; until then it says that it is a first look."""
    assert isinstance(services.clock, VirtualClock)
    plant(services)
    say(services, 90, "danger", **{"share vibration": 0.9})
    rows(services, "vibration", list(np.arange(40, 0, -0.5)), [5.0] * 80)
    app = make(services)
    app.recorder.step()
    async with client(services, Role.OPERATOR) as http:
        (one,) = (await http.get("/cases")).json()["items"]
        assert one["basis"] == "stage"
        path = f"/cases/{one['id']}"
        for body in ({"action": "work", "words": "Changed"}, {"action": "close"}):
            found = (await http.post(f"{path}/actions", json={**body, "found": "confirmed"})).json()
        assert (found["comparison"], found["basis"]) == (None, "repaired")
        for hours, value, final in ((0.5, 2.0, False), (30, 1.0, True)):
            await services.clock.advance(hours * 3600)
            rows(services, "vibration", list(np.arange(0.4 * hours, 0, -0.02 * hours)), [value] * 20)
            app.recorder.step()
            looked = (await http.get(path)).json()["comparison"]
            assert [one["after"] for one in looked["features"]] == [value]
            assert looked["final"] is final


async def test_a_case_tells_when_it_opens_escalates_and_ends(services: Services) -> None:
    """One notice each, with the urgency as severity; told anew, or after a restart, none comes twice."""
    plant(services)
    say(services, 60, "watch")
    make(services).recorder.step()
    say(services, 50, "alarm")
    app = make(services)
    app.recorder.step()
    say(services, 40, "danger", p10_h=24.0, p50_h=50.0, p90_h=90.0)
    say(services, 39, "alarm")
    app.recorder.step()
    app.recorder.step()
    make(services).recorder.retell(ASSET)
    say(services, 10, "normal")
    app.recorder.step()
    app.recorder.step()
    told = [one.event for one in reversed(services.state.events.find(kind="maintenance.case."))]
    assert [(one.kind.rpartition(".")[2], str(one.severity)) for one in told] == [
        ("opened", "medium"),
        ("escalated", "high"),
        ("escalated", "critical"),
        ("closed", "info"),
    ]
    (case,) = app.store.find()
    assert [one.kind for one in case.case.entries].count("escalated") == 2


async def test_what_late_data_take_back_leaves_no_case(services: Services) -> None:
    """When a sign is withdrawn the case begins with the next one, under its number; without any sign it is gone."""
    plant(services)
    say(services, 30, "watch")
    app = make(services)
    app.recorder.step()
    (one,) = app.store.find()
    say(services, 20, "alarm")
    app.recorder.step()
    alarm, watch = (stored.event for stored in services.state.events.find(kind="maintenance.health."))
    notice = Event(watch.time, "operator.withdrawn", ASSET, "Withdrawn after late data")
    services.state.events.withdraw([watch], [notice])
    app.recorder.step()
    (same,) = app.store.find()
    assert (same.id, same.case.opened) == (one.id, alarm.time)
    services.state.events.withdraw(
        [alarm], [Event(alarm.time, "operator.withdrawn", ASSET, "Withdrawn after late data")]
    )
    app.recorder.step()
    assert app.store.find() == []


async def test_who_may_do_what(services: Services) -> None:
    """A viewer only looks; what is missing or makes no sense is named, and changes nothing."""
    plant(services)
    say(services, 5, "alarm")
    make(services).recorder.step()
    async with client(services) as http:
        assert len((await http.get("/cases", params={"open": True})).json()["items"]) == 1
        assert (await http.post("/cases/1/actions", json={"action": "acknowledge"})).status_code == 403
    async with client(services, Role.OPERATOR) as http:
        late = services.clock.now_us() + 10 * HOUR
        for body, word in (
            ({"action": "comment"}, "words"),
            ({"action": "assign"}, "nobody"),
            ({"action": "close"}, "found"),
            ({"action": "reopen"}, "open"),
            ({"action": "work", "words": "x", "time": late}, "future"),
            ({"action": "comment", "words": "x", "time": 5}, "time"),
        ):
            answer = await http.post("/cases/1/actions", json=body)
            assert answer.status_code in (400, 422), body
            assert word in str(answer.json()), body
        assert (await http.post("/cases/99/actions", json={"action": "acknowledge"})).status_code == 404
        close = {"action": "close", "found": "none", "words": "A loose cover"}
        assert (await http.post("/cases/1/actions", json=close)).json()["outcome"] == "none"
        assert (await http.post("/cases/1/actions", json={"action": "acknowledge"})).status_code in (400, 422)
    assert [one.outcome.kind for one in services.state.outcomes.find()] == [OutcomeKind.NO_FAULT_FOUND]


def burst(services: Services, hours_ago: float, damaged: bool, number: int) -> None:
    random = np.random.default_rng(number)
    values = in_noise(damaged_wave(Damage("outer", 25.0, bearings()[SKF].orders), RATE, 1.0, random), 0, random)
    values = values if damaged else random.normal(0, 1, len(values))
    wave = Waveform.of(np.rint(values * 1000).astype(int), RATE, 1500.0, scale=0.001)
    one = services.state.catalogue.by_path(f"{BEARING}/burst")
    assert one is not None
    time = services.clock.now_us() - round(hours_ago * HOUR)
    services.historian.append(SampleBatch.of_waves([one.id], [time], [wave]), f"burst-{time}")


async def test_bursts_name_the_fault_of_the_same_case(services: Services) -> None:
    """Bursts of a bearing on the sheet are judged by themselves: the open case gets its name, and later its end."""
    plant(services)
    signal = Signal(BEARING, "burst", SignalKind.WAVEFORM, Datatype.FLOAT, "m/s2")
    services.state.register([BornSignal(signal, "acme/gw", "monitor")])
    say(services, 50, "alarm")
    for number in range(3):
        burst(services, 48 - 4 * number, True, number)
    app = make(services)
    app.diagnoser.step()
    app.recorder.step()
    (case,) = app.store.find()
    assert (case.case.fault, case.case.part, case.case.asset) == ("outer_race", BEARING, ASSET)
    assert "BPFO" in str(case.case.finding["evidence"])
    assert len([one for one in case.case.entries if one.kind == "finding"]) == 1
    again = make(services)  # a restart: nothing is told twice
    again.diagnoser.step()
    again.recorder.step()
    for number in range(3):
        burst(services, 30 - 4 * number, False, 10 + number)
    again.diagnoser.committed(SampleBatch.empty())
    make(services).diagnoser.step()
    again.recorder.step()
    (same,) = again.store.find()
    assert same.id == case.id
    assert [one.kind for one in same.case.entries].count("finding") == 1
    assert [one.kind for one in same.case.entries].count("gone") == 1


async def test_bursts_that_come_live_are_judged_once(services: Services) -> None:
    """Each burst counts once, whether it is judged as it comes or read back: the fault is told with the second one that
    shows it, not again after a restart, and a burst that nobody judged before the hub ended is judged then."""
    plant(services)
    signal = Signal(BEARING, "burst", SignalKind.WAVEFORM, Datatype.FLOAT, "m/s2")
    number = int(services.state.register([BornSignal(signal, "acme/gw", "monitor")])[0])

    def findings() -> list[int]:
        return [one.event.time for one in services.state.events.find(kind="maintenance.finding")]

    app = make(services)
    app.diagnoser.step()
    for place, told in ((0, 0), (1, 1), (2, 1)):
        burst(services, 48 - 4 * place, True, place)
        last = services.historian.waveforms([number], 0, 2**62, 10)[-1].time
        wave = services.historian.bursts(number, [last])
        app.diagnoser.committed(SampleBatch.of_waves([number], [last], [wave[last]]))
        app.diagnoser.step()
        assert len(findings()) == told
    for place in range(3):
        burst(services, 30 - 4 * place, False, 20 + place)
    again = make(services)
    again.diagnoser.step()
    assert len(findings()) == 2
    assert services.state.events.find(kind="maintenance.finding.gone")


async def test_bursts_of_the_past_that_come_late_are_judged_in_their_order(services: Services) -> None:
    """Where a fresh burst was judged before an import of older ones, the case is as if they had come in order."""
    plant(services)
    signal = Signal(BEARING, "burst", SignalKind.WAVEFORM, Datatype.FLOAT, "m/s2")
    number = int(services.state.register([BornSignal(signal, "acme/gw", "monitor")])[0])
    app = make(services)
    burst(services, 1, False, 9)
    app.diagnoser.step()
    for place in range(3):
        burst(services, 48 - 4 * place, True, place)
        wave = services.historian.waveforms([number], 0, 2**62, 10)[place]
        values = services.historian.bursts(number, [wave.time])[wave.time]
        app.diagnoser.committed(SampleBatch.of_waves([number], [wave.time], [values]))
    app.diagnoser.step()
    assert app.store.find() == []  # more may come
    assert isinstance(services.clock, VirtualClock)
    await services.clock.advance(5)
    app.diagnoser.step()
    app.recorder.step()
    assert [one.case.fault for one in app.store.find()] == ["outer_race"]


async def test_a_machine_that_becomes_known_later_takes_the_cases_of_its_parts(services: Services) -> None:
    """A finding that came before the equipment stands in the case of the machine afterwards, and nowhere else."""
    time = services.clock.now_us() - HOUR
    details = {"fault": "outer_race", "likelihood": 0.99}
    services.state.events.add([Event(time, "maintenance.finding", BEARING, "Outer race", details=details)])
    app = make(services)
    app.recorder.step()
    assert [one.case.asset for one in app.store.find()] == [BEARING]
    plant(services)
    app.recorder.step()
    assert [(one.case.asset, one.case.part) for one in app.store.find()] == [(ASSET, BEARING)]


async def test_health_of_all_and_of_one(services: Services) -> None:
    """The board says stage, what is left and a line of the month; the machine's own page all that was foretold."""
    plant(services)
    hours = list(np.arange(200, 0, -1.0))
    rows(services, "health_index", hours, [0.5 + hour for hour in range(200)])
    rows(services, "health_stage", hours, [0.0] * 100 + [3.0] * 100)
    for name, factor in (("life_p10", 0.7), ("life_p50", 1.0), ("life_p90", 1.5)):
        rows(services, name, hours[100:], [factor * (300 - hour) for hour in range(100, 200)])
    limits = {"watch": 2.0, "alarm": 3.0, "danger": 5.0, "failure": 40.0}
    now = services.clock.now_us()
    services.state.events.add([Event(now - 300 * HOUR, "maintenance.health.learned", ASSET, "Learned", details=limits)])
    say(services, 99, "danger", left_normal="2026-01-01T00:00+00:00", **{"share vibration": 0.8})
    make(services).recorder.step()
    async with client(services) as http:
        (one,) = (await http.get("/health")).json()["items"]
        assert (one["stage"], one["watch"], one["case"]) == ("danger", 2.0, 1)
        assert one["life"]["p50"] == pytest.approx(101)
        assert max(value for value in one["spark"] if value is not None) == pytest.approx(199.5)
        whole = (await http.get("/health/asset", params={"path": ASSET})).json()
        assert whole["limits"] == limits
        assert len(whole["life"]) == 100
        assert whole["shares"][0]["shares"] == {"vibration": 0.8}
        assert whole["cases"][0]["id"] == 1
        plan = (await http.get("/life", params={"path": ASSET, "load": 0.8, "hours": 84})).json()
        assert plan["planned"]["p50"] > 2 * plan["now"]["p50"]
        assert (await http.get("/life", params={"path": ASSET, "load": 0})).json()["planned"] is None
        assert (await http.get("/health/asset", params={"path": "acme/none"})).status_code == 404

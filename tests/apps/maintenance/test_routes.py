"""The API of maintenance over a real web server: a burst is judged, a case is told, bad input is named."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
import uvicorn
from tests.hub.memory_historian import MemoryHistorian

from lineshaft.analytics.bearings.kinematics import Geometry, fault_orders
from lineshaft.analytics.bearings.signal_model import Damage, damaged_wave, in_noise
from lineshaft.apps.maintenance.app import MAINTENANCE, make
from lineshaft.clock import VirtualClock
from lineshaft.hub.api.app import create_app, server_config
from lineshaft.hub.api.services import PlantInfo, Services
from lineshaft.hub.ports import BornSignal
from lineshaft.hub.security.identity import Principal
from lineshaft.hub.security.roles import Role
from lineshaft.hub.state.state import State
from lineshaft.hub.stream import LiveStream
from lineshaft.model.equipment import Attribute, Datatype, Equipment, Level, Signal, SignalKind
from lineshaft.model.samples import SampleBatch
from lineshaft.model.waveforms import Waveform

ASSET = "acme/north/hall/line-1/pump-1"
CHEAP_HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$0TDfZ1rzRVw"
RATE = 25_600.0
HOUR = 3_600_000_000


@pytest.fixture(name="services")
def _services(tmp_path: Path) -> Iterator[Services]:
    with State(f"sqlite:///{tmp_path}/state.db") as state:
        clock = VirtualClock()
        yield Services(MemoryHistorian(), state, LiveStream(clock), PlantInfo("North works", "UTC"), clock)


@asynccontextmanager
async def client(services: Services, role: Role = Role.VIEWER) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(services, MAINTENANCE.routers)
    app.state.apps["maintenance"] = make(services)
    server = uvicorn.Server(server_config(app, "127.0.0.1", 0))
    task = asyncio.create_task(server.serve())
    while not server.started:
        assert not task.done(), task.result()
        await asyncio.sleep(0.01)
    services.state.accounts.add_user(str(role), role, CHEAP_HASH, 0)
    owner = Principal(str(role), role, "session", "", None)
    token = app.state.identity.make_token(owner, "test", role, None)[1]
    base = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/api/v1/maintenance"
    try:
        async with httpx.AsyncClient(base_url=base, headers={"authorization": f"Bearer {token}"}, timeout=30) as http:
            yield http
    finally:
        server.should_exit = True
        await task


def sensor(services: Services, unit: str = "m/s2") -> int:
    signal = Signal(ASSET, "burst" if unit == "m/s2" else "other", SignalKind.WAVEFORM, Datatype.FLOAT, unit)
    return int(services.state.register([BornSignal(signal, "acme/gw", "monitor")])[0])


def put(services: Services, signal: int, time: int, speed: float | None = 1500.0) -> None:
    random = np.random.default_rng(1)
    orders = fault_orders(Geometry(9, 7.94, 39.04))
    values = in_noise(damaged_wave(Damage("outer", 25.0, orders), RATE, 1.0, random), 0, random)
    wave = Waveform.of(np.rint(values * 1000).astype(int), RATE, speed, scale=0.001)
    services.historian.append(SampleBatch.of_waves([signal], [time], [wave]), f"{signal}-{time}")


async def test_a_burst_is_judged_with_its_evidence(services: Services) -> None:
    """The newest burst of a sensor shows the outer race at the speed that the device told, with peaks and severity."""
    signal, now = sensor(services), services.clock.now_us()
    put(services, signal, now - 2 * HOUR)
    put(services, signal, now - HOUR)
    async with client(services) as http:
        known = (await http.get("/sensors")).json()["items"]
        assert [(one["signal"], one["speed"], one["time"]) for one in known] == [(signal, 1500.0, now - HOUR)]
        reference = (await http.get("/reference")).json()
        assert len(reference["bearings"]) >= 30
        query = {"signal": signal, "bearing": "6205", "zones": reference["zones"][2]["id"]}
        found = (await http.get("/diagnosis", params=query)).json()
        assert found["verdict"] == "outer_race"
        assert found["waveform"] == f"{signal}-{now - HOUR}"
        assert found["findings"][0]["peaks"][0]["frequency"] == pytest.approx(89.6, rel=0.03)
        assert found["zone"] in "ABCD"
        older = await http.get(
            "/diagnosis", params=query | {"time": now - 2 * HOUR, "bearing": "", "geometry": "9,8,39"}
        )
        assert older.json()["time"] == now - 2 * HOUR


async def test_nothing_is_claimed_without_speed_bearing_or_unit(services: Services) -> None:
    """Each is said with its reason; no finding comes with it."""
    signal, wrong, now = sensor(services), sensor(services, "mm/s"), services.clock.now_us()
    put(services, signal, now - HOUR, speed=None)
    put(services, wrong, now - HOUR)
    async with client(services) as http:
        for query, reason in (
            ({"signal": signal, "bearing": "6205"}, "speed"),
            ({"signal": signal, "speed": 1500}, "geometry"),
            ({"signal": wrong, "bearing": "6205"}, "unit"),
        ):
            found = (await http.get("/diagnosis", params=query)).json()
            assert found["verdict"] == "not diagnosable"
            assert not [one for one in found["findings"] if "race" in one["kind"]]
            assert reason in {one["reason"] for one in found["not_diagnosable"]}


@pytest.mark.parametrize("reason", ["clipped", "constant", "implausible", "short"])
async def test_nothing_is_claimed_of_a_spoilt_burst(services: Services, reason: str) -> None:
    """Clipped, constant, in raw counts, or half of it arrived: no fault, no severity, and the page's words say why."""
    signal, now = sensor(services), services.clock.now_us()
    random = np.random.default_rng(1)
    orders = fault_orders(Geometry(9, 7.94, 39.04))
    values = in_noise(damaged_wave(Damage("outer", 25.0, orders), RATE, 1.0, random), 0, random)
    spoilt = {"clipped": np.clip(values, -0.5, 0.5), "constant": 0 * values + 1, "implausible": 1e6 * values}
    wave = Waveform.of(spoilt.get(reason, values), RATE, 1500.0)
    if reason == "short":
        wave = next(wave.pieces(wave.nbytes // 2))
    services.historian.append(SampleBatch.of_waves([signal], [now - HOUR], [wave]), "one")
    async with client(services) as http:
        found = (await http.get("/diagnosis", params={"signal": signal, "bearing": "6205"})).json()
    assert found["verdict"] == "not diagnosable"
    assert (found["findings"], found["zone"]) == ([], None)
    assert [(one["what"], one["reason"]) for one in found["not_diagnosable"]] == [("all", reason)]
    assert len(found["not_diagnosable"][0]["words"]) > 20


async def test_the_data_sheet_of_the_sensor_says_what_is_not_asked(services: Services) -> None:
    """Bearing, zones and kind of machine of the plant hold for the diagnosis; a question wins over them."""
    signal, now = sensor(services), services.clock.now_us()
    put(services, signal, now - HOUR)
    lines = {"burst_bearing": "SKF 6205-2RS", "burst_machine": "pump", "burst_teeth": 17}
    sheet = tuple(Attribute(name, value) for name, value in lines.items())
    services.state.catalogue.register_equipment([Equipment(ASSET, "Pump 1", Level.ASSET, "pump", attributes=sheet)])
    async with client(services) as http:
        (one,) = (await http.get("/sensors")).json()["items"]
        assert (one["sheet"]["bearing"], one["sheet"]["machine"], one["sheet"]["teeth"]) == ("SKF 6205-2RS", "pump", 17)
        assert one["sheet"]["orders"] == pytest.approx([3.585, 5.415, 2.357, 0.398], abs=1e-3)
        assert one["node"] == "acme/gw"
        found = (await http.get("/diagnosis", params={"signal": signal})).json()
        assert (found["verdict"], found["edition"][:9]) == ("outer_race", "ISO 10816")
        assert found["orders"] == one["sheet"]["orders"]
        unknown = (await http.get("/diagnosis", params={"signal": signal, "bearing": "none"})).json()
        assert unknown["verdict"] == "not diagnosable"
        grams = (await http.get("/diagnosis", params={"signal": signal, "unit": "mgn"})).json()
        assert grams["features"]["peak"] == pytest.approx(found["features"]["peak"] * 9.80665e-3, rel=1e-3)


async def test_the_current_of_a_motor_is_judged_by_its_sidebands(services: Services) -> None:
    """A waveform in A is a motor's: broken bars are named, with the slip; without poles and supply nothing is."""
    signal, now = sensor(services, "A"), services.clock.now_us()
    t = np.arange(50_000) / 5000
    lines = ((50.0, 28.0), (47.0, 0.4), (53.0, 0.35), (25.75, 0.05), (74.25, 0.05))  # a slip of 3 %, four poles
    values = sum(top * np.cos(2 * np.pi * hertz * t) for hertz, top in lines)
    noisy = values + np.random.default_rng(1).normal(0, 0.02, len(t))
    wave = Waveform.of(noisy, 5000.0)
    services.historian.append(SampleBatch.of_waves([signal], [now - HOUR], [wave]), "one")
    async with client(services) as http:
        found = (await http.get("/diagnosis", params={"signal": signal, "mains": 50, "poles": 4})).json()
        assert found["verdict"] == "rotor_bar"
        assert found["features"]["slip"] == pytest.approx(0.03, abs=5e-4)
        assert found["speed"] == pytest.approx(1455, rel=1e-3)
        unknown = (await http.get("/diagnosis", params={"signal": signal})).json()
        assert unknown["verdict"] == "not diagnosable"
        assert "poles" in unknown["not_diagnosable"][0]["words"]


async def test_bad_input_is_named(services: Services) -> None:
    """An unknown signal, bearing, geometry or zone, a sensor without bursts: which, and what to do."""
    signal = sensor(services)
    async with client(services) as http:
        assert (await http.get("/diagnosis", params={"signal": 999})).status_code == 404
        assert (await http.get("/diagnosis", params={"signal": signal})).status_code == 404
        put(services, signal, services.clock.now_us() - HOUR)
        for more in ({"bearing": "0815"}, {"geometry": "9"}, {"orders": "1,2"}, {"zones": 99}):
            answer = await http.get("/diagnosis", params={"signal": signal, **more})
            assert answer.status_code in (400, 422)
            assert answer.json()["detail"]


async def test_a_gateway_that_has_told_nothing_yet_is_waited_for(services: Services) -> None:
    """In the first seconds of a gateway the answer is "not possible now, try again", for the page to wait."""
    signal = sensor(services)
    async with client(services, Role.ENGINEER) as http:
        answer = await http.post(f"/sensors/{signal}/draft", json={"machine": "pump"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json()["detail"] == "acme/gw has not told yet what it runs"

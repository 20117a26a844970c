"""Machines that are found by themselves: what the demo's signals give, and what stays a question."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import yaml

from lineshaft.apps.base import AppContext
from lineshaft.apps.oee.app import make
from lineshaft.apps.oee.detect import Seen, propose, section
from lineshaft.commands.oee_propose import seen_of
from lineshaft.config.load import load_plant
from lineshaft.config.oee import OeeConfig
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.hub.security.roles import Role
from lineshaft.model.equipment import Datatype, Equipment, Level, Signal, SignalKind

from .plant import HOUR, MINUTE, PRESS, RUN, SIX, STOP, running
from .test_routes import headers, served

STATE = Signal("s/a", "state", SignalKind.STATE, Datatype.UINT8)
MTCONNECT = {"state": frozenset({"ACTIVE", "READY"})}
PACKML = {"state": frozenset({"6", "2", "11"})}
OWN = {"state": frozenset({"running", "tea break"})}
GOOD = Signal("s/a", "parts-good", SignalKind.COUNTER, Datatype.UINT32)
POWER = Signal("s/a", "power", SignalKind.MEASURE, Datatype.FLOAT, "kW")


def bit(name: str) -> Signal:
    return Signal("s/a", name, SignalKind.STATE, Datatype.BOOLEAN)


def seen(*signals: Signal, **more: object) -> Seen:
    return Seen("line/a", "A", "cnc", signals, **more)  # type: ignore[arg-type]


def test_the_demo_finds_its_machines() -> None:
    """Without its section the demo's nine machines are found with the signals that the section names; pumps are not."""
    plant = load_plant(Path(__file__).parents[3] / "plants" / "demo", DRIVERS)
    found = {one.asset: one for one in propose(seen_of(plant))}
    for machine in plant.oee.machines:
        guess = found[machine.asset]
        for key in ("state", "good", "scrap", "product", "reason"):
            assert guess.config.get(key) == getattr(machine, key), (machine.asset, key, guess)
    assert not [path for path, one in found.items() if one.sure == "likely" and path not in _wanted(plant.oee)]


def _wanted(oee: OeeConfig) -> set[str]:
    return {one.asset for one in oee.machines}


@pytest.mark.parametrize(
    ("asset", "expected", "sure"),
    [
        (seen(STATE, GOOD, texts=MTCONNECT), {"state": "state", "standard": "mtconnect"}, "likely"),
        (seen(STATE, GOOD, texts=PACKML), {"state": "state", "standard": "packml"}, "likely"),
        (seen(STATE, GOOD, texts=OWN), {"state": "state"}, "perhaps"),
        (seen(STATE, GOOD), {"state": "state"}, "perhaps"),
        (
            seen(bit("running"), bit("fault"), GOOD),
            {"bits": [{"signal": "fault", "state": "fault"}, {"signal": "running", "state": "running"}]},
            "likely",
        ),
        (
            seen(POWER, GOOD, spans={"power": (1.0, 11.0)}),
            {"power": {"signal": "power", "idle": 2.5, "running": 5.5}},
            "perhaps",
        ),
        (seen(GOOD), {"counts": {"longest": "5min"}}, "perhaps"),
    ],
)  # fmt: skip
def test_what_tells_a_state(asset: Seen, expected: dict[str, object], sure: str) -> None:
    """Words, numbers, bits, power and counters each give a section that a plant file may have; what is open is said."""
    (guess,) = propose([asset])
    assert {key: guess.config[key] for key in expected} == expected
    assert (guess.sure, guess.config["good"]) == (sure, "parts-good")
    written = yaml.safe_load(section([guess]))
    checked = OeeConfig.model_validate(written["oee"], context={"written": True})
    assert checked.machines[0].asset == "line/a"
    assert guess.words


def test_what_is_no_machine() -> None:
    """A pump's power, an energy counter and an asset that is configured already give no guess."""
    energy = Signal("s/a", "energy-total", SignalKind.COUNTER, Datatype.DOUBLE, "kWh")
    pump = Seen("p", "Pump", "pump", (POWER, energy), {}, {"power": (1.0, 9.0)})
    assert propose([pump]) == ()
    assert propose([seen(STATE, GOOD)], ["line/a"]) == ()


def test_machines_of_one_line_are_a_flow() -> None:
    """Those below one node are proposed as a line, in their order."""
    both = [Seen(f"line/{name}", name, "cnc", (STATE, GOOD)) for name in ("a", "b")]
    assert yaml.safe_load(section(propose(both)))["oee"]["lines"] == [{"path": "line", "flow": ["a", "b"]}]


async def test_the_hub_looks_at_values_too(tmp_path: Path) -> None:
    """On a plant without the section the page gets the machine with the numbers that its state really had."""
    with running(tmp_path) as line:
        line.services.state.register_equipment([Equipment(PRESS, "Press", Level.ASSET, "press")])
        line.put(f"{PRESS}/state", [(SIX, RUN), (SIX + MINUTE, STOP), (SIX + 2 * MINUTE, 11.0)])
        await line.at(SIX + HOUR)
        bare = line.plant.model_copy(update={"oee": OeeConfig()})
        empty = replace(line, oee=make(AppContext(bare, line.services, line.historian.listen)))
        async with served(empty) as (url, app), httpx.AsyncClient(base_url=f"{url}/api/v1/oee", timeout=30) as client:
            viewer, engineer = headers(app, empty, Role.VIEWER), headers(app, empty, Role.ENGINEER)
            assert (await client.get("/guesses", headers=viewer)).status_code == 403
            answer = (await client.get("/guesses", headers=engineer)).json()
        (guess,) = answer["items"]
        assert (guess["asset"], guess["sure"], guess["config"]["standard"]) == ("line/press", "likely", "packml")
        assert (guess["config"]["good"], guess["config"]["scrap"]) == ("good", "scrap")
        assert yaml.safe_load(answer["yaml"])["oee"]["machines"] == [guess["config"]]

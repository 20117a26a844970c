"""Found signals and their places through the API."""

from __future__ import annotations

from dataclasses import replace

from hub.api.conftest import ASSET, Hub
from lineshaft.hub.ports import BornSignal
from lineshaft.hub.security.roles import Role
from lineshaft.hub.state.state import State
from lineshaft.model.equipment import Equipment, Level, Signal

MADE = "acme/north/edge-a/press/pump-1"
FOUND = BornSignal(Signal(MADE, "speed-rpm", description="Pump 1/Speed (rpm)"), "north/Edge-A", "Press", "", "", True)


def found(hub: Hub) -> int:
    hub.state.register_equipment([Equipment(ASSET, "Feed pump 1", Level.ASSET, "pump")])
    return int(hub.state.register([FOUND])[0])


async def test_a_found_signal_waits_with_a_proposal(hub: Hub) -> None:
    """What a foreign node announced stands in the inbox until a person places it; what is described never does."""
    signal = found(hub)
    async with hub.client(Role.VIEWER) as client:
        inbox = (await client.get("/api/v1/inbox")).json()
        assert inbox["waiting"] == 1
        (item,) = inbox["items"]
        assert item["signal"]["id"] == signal
        assert (item["proposal"]["asset"], item["proposal"]["name"]) == (ASSET, "speed-rpm")
        assert "pump" in item["proposal"]["words"]
        body = {"items": [{"signal": signal, "asset": ASSET, "name": "speed"}]}
        assert (await client.post("/api/v1/inbox", json=body)).status_code == 403


async def test_a_placed_signal_keeps_its_history_and_stays_there(hub: Hub) -> None:
    """Same id under the new path; later births of the node go there too, also after a restart; the change is kept."""
    signal = found(hub)
    hub.put([signal], [1_760_000_000_000_000], [1500.0])
    async with hub.client(Role.ENGINEER) as client:
        body = {"items": [{"signal": signal, "asset": ASSET, "name": "speed"}]}
        assert (await client.post("/api/v1/inbox", json=body)).status_code == 204
        assert (await client.get("/api/v1/inbox")).json() == {"waiting": 0, "items": [], "next": None}
        assert (await client.get(f"/api/v1/signals/{signal}")).json()["path"] == f"{ASSET}/speed"
        latest = (await client.get("/api/v1/latest", params={"asset": ASSET})).json()
        assert latest["value"] == [1500.0]
        changes = (await client.get("/api/v1/changes", params={"path": f"{ASSET}/speed"})).json()["items"]
        assert changes[0]["changes"] == [
            ["placed by", "", "the-engineer"],
            ["path", f"{MADE}/speed-rpm", f"{ASSET}/speed"],
        ]
    again = replace(FOUND, signal=replace(FOUND.signal, unit="1/min"))
    assert hub.state.register([again]).tolist() == [signal]
    with State(hub.state.database.engine.url.render_as_string(hide_password=False)) as restarted:
        assert restarted.register([again]).tolist() == [signal]
        one = restarted.catalogue.by_path(f"{ASSET}/speed")
        assert one is not None
        assert (one.id, one.born.signal.unit) == (signal, "1/min")
        assert restarted.catalogue.waiting() == []


async def test_a_wrong_place_changes_nothing(hub: Hub) -> None:
    """Unknown equipment, a name that cannot be, a path that is taken, a signal that was described: each in words."""
    signal = found(hub)
    wrong = [
        ({"signal": signal, "asset": "acme/nowhere", "name": "x"}, "no equipment"),
        ({"signal": signal, "asset": ASSET, "name": "Not A Name"}, "no name"),
        ({"signal": signal, "asset": ASSET, "name": "flow"}, "already"),
        ({"signal": int(hub.ids[0]), "asset": ASSET, "name": "x"}, "not among"),
    ]
    async with hub.client(Role.ENGINEER) as client:
        for item, words in wrong:
            fine = {"signal": signal, "asset": ASSET, "name": "speed"}
            refused = await client.post(
                "/api/v1/inbox", json={"items": [item] if item["signal"] == signal else [fine, item]}
            )
            assert refused.status_code == 422
            assert words in refused.json()["detail"]
        assert (await client.get("/api/v1/inbox")).json()["waiting"] == 1


async def test_a_signal_may_stay_where_it_stands(hub: Hub) -> None:
    """Placing it where it is takes it out of the inbox."""
    signal = found(hub)
    async with hub.client(Role.ENGINEER) as client:
        body = {"items": [{"signal": signal, "asset": MADE, "name": "speed-rpm"}]}
        assert (await client.post("/api/v1/inbox", json=body)).status_code == 204
        assert (await client.get("/api/v1/inbox")).json()["waiting"] == 0

"""The record through the API: predictions, what happened, and the scores."""

from __future__ import annotations

from hub.api.conftest import ASSET, Hub
from lineshaft.hub.security.roles import Role
from lineshaft.model.equipment import Equipment, Level
from lineshaft.model.predictions import Prediction, PredictionKind

HOUR = 3_600_000_000
DAY = 24 * HOUR


def said(now: int) -> list[Prediction]:
    """Ten days of words with an alarm on the last two, and a remaining life of 24 h on the last."""
    begin = now - 10 * DAY
    watch = [
        Prediction(
            begin + day * DAY, ASSET, PredictionKind.FAILURE, "health", "1-ab", float(day), alarm=day > 7,
            due=begin + (day + 7) * DAY, inputs={"vibration": 1.5 * day}, words="as it is",
        )
        for day in range(10)
    ]  # fmt: skip
    return [*watch, Prediction(now - DAY, ASSET, PredictionKind.REMAINING_LIFE, "health", "1-ab", 24.0, 12.0, 30.0)]


async def test_a_prediction_is_scored_when_somebody_says_what_happened(hub: Hub) -> None:
    """Open at first; a failure makes it a hit with a lead time; a correction changes the score and is kept."""
    now = hub.clock.now_us()
    hub.state.register_equipment([Equipment(ASSET, "Pump 1", Level.ASSET, "pump")])
    hub.state.predictions.add("pump-health", "pump", said(now), now)
    hub.state.predictions.add("pump-health", "pump", said(now), now)  # told again: stored once
    async with hub.client(Role.OPERATOR) as client:
        page = (await client.get("/api/v1/predictions", params={"asset": "acme/north", "limit": 4})).json()
        assert [one["verdict"] for one in page["items"]] == ["open", "open", "open", "open"]
        rest = (await client.get("/api/v1/predictions", params={"limit": 100, "cursor": page["next"]})).json()
        assert len(page["items"]) + len(rest["items"]) == 11
        alarms = (await client.get("/api/v1/predictions", params={"alarm": True})).json()["items"]
        assert [one["alarm"] for one in alarms] == [True, True]
        assert page["items"][1]["inputs"] == {"vibration": 13.5}
        body = {"asset": ASSET, "kind": "failure", "time": now, "note": "the bearing seized"}
        stated = (await client.post("/api/v1/outcomes", json=body)).json()
        assert (stated["by"], stated["note"]) == ("the-operator", "the bearing seized")
        (faults, life) = (await client.get("/api/v1/predictions/scores")).json()["items"]
        assert (faults["model"], faults["version"], faults["type"], faults["kind"]) == (
            "health", "1-ab", "pump", "failure",
        )  # fmt: skip
        assert (faults["faults"]["hits"], faults["faults"]["missed"], faults["faults"]["lead_median"]) == (1, 0, 48.0)
        assert (life["life"]["coverage"], life["life"]["mean_error"], faults["hindsight"]) == (1.0, 0.0, 9)
        found = (await client.get("/api/v1/predictions", params={"kind": "remaining_life"})).json()["items"]
        assert [(one["verdict"], one["true"], one["error"], one["inside"]) for one in found] == [("ended", 24, 0, True)]
        change = {"why": "it was the coupling, the machine is well", "kind": "no_fault_found"}
        assert (await client.patch(f"/api/v1/outcomes/{stated['id']}", json=change)).status_code == 200
        (faults, life) = (await client.get("/api/v1/predictions/scores")).json()["items"]
        assert (faults["faults"]["hits"], faults["faults"]["false"], life["life"]["open"]) == (0, 1, 1)
        (audit,) = (await client.get(f"/api/v1/outcomes/{stated['id']}/changes")).json()["items"]
        assert (audit["by"], audit["before"], audit["after"]) == (
            "the-operator", {"kind": "failure"}, {"kind": "no_fault_found"},
        )  # fmt: skip
        bad = await client.post("/api/v1/outcomes", json={**body, "asset": "acme/nowhere"})
        assert (bad.status_code, bad.json()["detail"]) == (422, "there is no asset acme/nowhere")
        future = await client.post("/api/v1/outcomes", json={**body, "time": now + HOUR})
        assert future.status_code == 422
    async with hub.client(Role.VIEWER) as client:
        assert (await client.post("/api/v1/outcomes", json=body)).status_code == 403
        assert len((await client.get("/api/v1/outcomes")).json()["items"]) == 1

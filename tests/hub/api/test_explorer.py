"""The asset explorer over a hub with a plant that has some of everything."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hub.api.conftest import Hub
from lineshaft.hub.ports import OPERATOR_NODE, BornSignal
from lineshaft.hub.usage import Use
from lineshaft.model.equipment import Datatype, Equipment, Level, Limits, Signal, SignalKind
from lineshaft.model.samples import Quality, SampleBatch

SITE = "acme/south"
LINE = f"{SITE}/hall/line-2"
NOW = 1_700_000_000_000_000
WORDS = (("RUN", "Running"), ("STOP", "Fault"))


def born(asset: str, name: str, device: str, **more: Any) -> BornSignal:
    return BornSignal(Signal(asset, name, **more), "south/gateway-1", device, "40001")


@pytest.fixture(name="plant")
def _plant(hub: Hub) -> Hub:
    """A line of 130 mills, each with a spindle, a state and a power; the third is down, all of the fourth is stale, the
    fifth draws too much."""
    nodes = [Equipment(LINE, "Line two", Level.LINE)]
    signals = []
    for number in range(130):
        mill = f"{LINE}/mill-{number:03}"
        nodes.append(Equipment(mill, f"Mill {number}", Level.ASSET, "cnc", aliases=(f"M-{number}X",)))
        nodes.append(Equipment(f"{mill}/spindle", "Spindle", Level.COMPONENT, "spindle"))
        signals += [
            born(mill, "state", f"mill-{number}", kind=SignalKind.STATE, datatype=Datatype.STRING, states=WORDS),
            born(mill, "power", f"mill-{number}", unit="kW", limits=Limits(high=9.0)),
            born(f"{mill}/spindle", "temperature", f"mill-{number}", unit="degC"),
        ]
    nodes.append(Equipment(f"{SITE}/utilities/main", "Main meter", Level.ASSET, "electricity-meter"))
    signals.append(born(f"{SITE}/utilities/main", "active_power", "meter", unit="W"))
    hub.state.register_equipment(nodes)
    ids = hub.state.register(signals)
    texts = [("RUN" if one.signal.kind is SignalKind.STATE else None) for one in signals]
    values = np.full(len(ids), 5.0)
    texts[3 * 2] = "STOP"
    values[3 * 4 + 1] = 9.5
    values[-1] = 4000.0
    hub.stream.publish(SampleBatch.of(ids, np.full(len(ids), NOW), values, Quality.GOOD, texts))
    hub.stream.stale(ids[9:12].astype(np.uint32), NOW)
    return hub


async def test_children_come_a_page_at_a_time_with_counts_and_marks(plant: Hub) -> None:
    """A line with 130 assets gives them in pages that join without a gap; each says what is below it and abnormal."""
    async with plant.client() as client:
        rows, cursor = [], ""
        while cursor is not None:
            page = (await client.get("/api/v1/tree", params={"parent": LINE, "limit": 50, "cursor": cursor})).json()
            rows += page["items"]
            cursor = page["next"]
        assert [row["name"] for row in rows] == [f"Mill {n}" for n in range(130)]
        assert (page["total"], page["node"]["assets"], page["node"]["signals"]) == (130, 130, 390)
        assert [row["abnormal"] for row in rows[:6]] == [0, 0, 1, 1, 1, 0]
        assert page["node"]["abnormal"] == 3  # the silent mill counts once
        assert [row["state"] for row in rows[1:4]] == ["running", "down", ""]
        jump = (await client.get("/api/v1/tree", params={"parent": LINE, "start": 120, "limit": 50})).json()
        assert [row["name"] for row in jump["items"]] == [f"Mill {n}" for n in range(120, 130)]
        assert (await client.get("/api/v1/tree", params={"parent": "acme/nowhere"})).status_code == 404
        assert (await client.get("/api/v1/tree", params={"cursor": "x"})).status_code == 422


async def test_a_plant_without_any_signal_has_a_tree(hub: Hub) -> None:
    """The first page of a new plant: its equipment is there before the first device is."""
    hub.state.register_equipment([Equipment(f"{SITE}/hall", "Hall", Level.AREA)])
    async with hub.client() as client:
        for parent in ("", SITE):
            answer = await client.get("/api/v1/tree", params={"parent": parent})
            assert answer.status_code == 200, answer.text
            assert [row["abnormal"] for row in answer.json()["items"]] == [0] * len(answer.json()["items"])
        assert [row["name"] for row in answer.json()["items"]] == ["Hall"]


async def test_the_tree_goes_down_to_signals_and_shows_only_what_passes_a_filter(plant: Hub) -> None:
    """Filters by word, type, state, quality and place leave only what leads to a signal that passes all of them."""
    mill = f"{LINE}/mill-004"
    async with plant.client() as client:

        async def tree(**asked: Any) -> list[Any]:
            answer = (await client.get("/api/v1/tree", params={"signals": True, **asked})).json()
            return [(row.get("name") or row["signal"]["name"]) for row in answer["items"]]

        assert await tree(parent=mill) == ["Spindle", "power", "state"]
        assert await tree(parent=LINE, state="down") == ["Mill 2"]
        assert await tree(parent=LINE, quality="stale") == ["Mill 3"]
        assert await tree(parent=LINE, abnormal=True) == ["Mill 2", "Mill 3", "Mill 4"]
        assert (await tree(parent=LINE, q="mill-01 temperature"))[:2] == ["Mill 10", "Mill 11"]


async def test_search_finds_by_name_alias_type_unit_and_path(plant: Hub) -> None:
    """All words must be found, in the signal or in what is above it; the closest hit stands first."""
    async with plant.client() as client:

        async def search(q: str, **more: Any) -> Any:
            return (await client.get("/api/v1/search", params={"q": q, **more})).json()

        assert (await search("m-7x"))["nodes"][0]["name"] == "Mill 7"
        assert (await search("m-7x power"))["signals"][0]["signal"]["path"] == f"{LINE}/mill-007/power"
        assert (await search("m-7x power"))["signals"][0]["where"] == ["hall", "Line two", "Mill 7"]
        assert (await search("spindle degc"))["signals_total"] == 130
        assert (await search("line-2/mill-010/po"))["signals_total"] == 1
        assert (await search("cnc kw", place=f"{LINE}/mill-001"))["signals_total"] == 1
        first = await search("power", limit=100, what="signals")
        rest = await search("power", limit=100, what="signals", cursor=first["next"])
        assert first["signals_total"] == 131
        assert len(first["signals"]) + len(rest["signals"]) == 131
        assert rest["next"] is None
        assert (await search("no such thing"))["signals_total"] == 0


async def test_a_page_looks_up_the_paths_that_it_meets(plant: Hub) -> None:
    """Nodes come with all above them, signals by their path, and what does not exist is left out."""
    async with plant.client() as client:
        paths = [f"{LINE}/mill-001/spindle", f"{LINE}/mill-002/power", "south/gateway-1"]
        found = (await client.post("/api/v1/lookup", json={"paths": paths})).json()
        assert [node["path"].removeprefix("acme/") for node in found["nodes"]] == [
            *("acme", "south", "south/hall", "south/hall/line-2"),
            *("south/hall/line-2/mill-001", "south/hall/line-2/mill-001/spindle", "south/hall/line-2/mill-002"),
        ]
        assert [signal["name"] for signal in found["signals"]] == ["power"]
        whole = {"paths": [f"{LINE}/mill-001"], "components": True}
        below = (await client.post("/api/v1/lookup", json=whole)).json()
        assert below["nodes"][-1]["name"] == "Spindle"
        ids = f"{plant.ids[1]},{plant.ids[0]}"
        named = (await client.get("/api/v1/signals", params={"ids": ids})).json()
        assert [one["id"] for one in named["items"]] == [plant.ids[1], plant.ids[0]]
        own = (await client.get("/api/v1/signals", params={"asset": LINE, "own": True})).json()
        assert own["items"] == []


async def test_what_is_abnormal_stands_in_the_order_of_its_urgency(plant: Hub) -> None:
    """A machine that is down, then a broken limit, then a device that fell silent, told once; an operator that does not
    know a value yet lacks what is told of already."""
    told = BornSignal(Signal(f"{LINE}/mill-000/spindle", "life-p50", unit="h"), OPERATOR_NODE, "health")
    made = plant.state.register([told])
    plant.stream.publish(SampleBatch.of(made, [NOW], [np.nan], Quality.BAD_NO_VALUE))
    async with plant.client() as client:
        found = (await client.get("/api/v1/abnormal")).json()
        assert [(one["kind"], one["signals"]) for one in found["items"]] == [("down", 1), ("high", 1), ("stale", 3)]
        assert (found["total"], found["signals"]) == (3, 5)
        there = (await client.get("/api/v1/abnormal", params={"place": f"{LINE}/mill-003"})).json()
        assert [one["kind"] for one in there["items"]] == ["stale"]
        facets = (await client.get("/api/v1/tree/facets", params={"place": LINE})).json()
        assert facets["types"] == {"cnc": 130, "spindle": 130}
        assert facets["states"] == {"running": 128, "down": 1}
        assert facets["qualities"] == {"good": 387, "bad": 1, "stale": 3}


async def test_the_overview_counts_machines_and_takes_the_main_meter_as_power(plant: Hub) -> None:
    """Machines by what they do, power from the meter of the whole where there is one, and cards a few at a time."""
    async with plant.client() as client:
        whole = (await client.get("/api/v1/overview")).json()
        assert whole["machines"] == {"running": 128, "down": 1, "unknown": 2}  # one is silent, one never spoke
        power = whole["quantities"]["power"]
        assert (power["value"], power["unit"], power["basis"], power["count"]) == (4.0, "kW", "meter", 1)
        group = next(one for one in whole["groups"] if one["path"] == LINE)
        assert (group["cards"], group["machines"], group["abnormal"]) == (130, 130, 3)
        asked = {"group": LINE, "abnormal": True}
        cards = (await client.get("/api/v1/overview/cards", params=asked)).json()
        assert [card["node"]["name"] for card in cards["items"]] == ["Mill 2", "Mill 3", "Mill 4"]
        assert [signal["name"] for signal in cards["items"][0]["signals"]] == ["power", "state", "temperature"]
        assert cards["items"][1]["worst"]["kind"] == "stale"


async def test_a_signal_says_who_uses_it(plant: Hub) -> None:
    """Apps and the plant are asked, and of saved views those that draw the signal and that the caller may see."""
    path = f"{LINE}/mill-001/power"
    found = plant.state.catalogue.by_path(path)
    assert found is not None
    plant.services.uses.offer(lambda asked: [Use("oee", "Mill 1", f"{LINE}/mill-001")] if asked == path else [])
    async with plant.client() as client:
        for name, address in (("mine", f"/trend?s=1,{found.id}"), ("other", f"/trend?s=1{found.id}")):
            body = {"name": name, "address": address, "shared": False}
            (await client.post("/api/v1/views", json=body)).raise_for_status()
        uses = (await client.get(f"/api/v1/signals/{found.id}/uses")).json()["items"]
        assert [(one["kind"], one["name"]) for one in uses] == [("oee", "Mill 1"), ("view", "mine")]
        assert (await client.get("/api/v1/signals/99999/uses")).status_code == 404

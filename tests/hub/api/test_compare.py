"""Comparison over a hub with four mills whose history is made by formula."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from hub.api.conftest import Hub
from hub.api.test_python_client import ask as script
from lineshaft.hub.asset_figures import FigureInfo
from lineshaft.hub.ports import BornSignal
from lineshaft.model.equipment import Attribute, Datatype, Equipment, Level, Signal, SignalKind
from lineshaft.model.samples import Float64Array, Int64Array, SampleBatch

START = 1_700_000_100_000_000 // 3_600_000_000 * 3_600_000_000
MINUTE = 60_000_000
HOURS = 24
END = START + HOURS * 60 * MINUTE
PRODUCTS = ("housing", "impeller")
LINES = ("acme/south/hall/line-1", "acme/south/hall/line-2")


def mill(number: int) -> str:
    return f"{LINES[number // 2]}/mill-{number}"


@pytest.fixture(name="mills")
def _mills(hub: Hub) -> Hub:
    """Each mill makes housings, then impellers, which take 4 kW more; half of each hour is under a high load.
    Mill 2 needs 3 kW less than the others, has a lower feed set-point and another coolant; mill 3 ran only an hour."""
    nodes, signals = [], []
    for number in range(4):
        sheet = (Attribute("coolant", "oil" if number == 2 else "emulsion"), Attribute("year", 2015 + number))
        nodes.append(Equipment(mill(number), f"Mill {number}", Level.ASSET, "mill", attributes=sheet))
        own = (
            Signal(mill(number), "power", unit="kW", decimals=1),
            Signal(mill(number), "load", unit="%"),
            Signal(mill(number), "feed-setpoint", unit="mm/min", decimals=0),
            Signal(mill(number), "product", SignalKind.STATE, Datatype.STRING),
            Signal(mill(number), "parts-good", SignalKind.COUNTER),
        )
        signals += [BornSignal(one, "south/gateway-1", f"mill-{number}") for one in own]
    hub.state.register_equipment(nodes)
    ids = hub.state.register(signals)
    times = np.arange(START, END, 5 * MINUTE)
    for number in range(4):
        ran = times[: 12 if number == 3 else None]
        hours = (ran - START) / (60 * MINUTE)
        impeller = hours >= (6 if number == 0 else 12)
        high = hours % 1 >= 0.5
        noise = np.random.default_rng(number).normal(0, 0.3, len(ran))
        power = 10 + 4 * impeller + 2 * high - 3 * (number == 2) + noise
        columns: Sequence[Any] = (
            power,
            np.where(high, 80.0, 40.0),
            np.full(len(ran), 800.0 if number == 2 else 1000.0),
        )
        made = np.arange(len(ran)) * (number + 1.0)
        texts = np.where(impeller, PRODUCTS[1], PRODUCTS[0]).tolist()
        nothing = np.full(len(ran), np.nan)
        for offset, values in enumerate((*columns, nothing, made)):
            signal = np.full(len(ran), ids[5 * number + offset])
            batch = SampleBatch.of(signal, ran, values, 192, texts if values is nothing else None)
            hub.historian.append(batch, f"{number}-{offset}")
    return hub


async def ask(hub: Hub, **more: Any) -> Any:
    async with hub.client() as client:
        query = {"type": "mill", "metric": "power", "start": START, "end": END, **more}
        answer = await client.get("/api/v1/compare", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()


async def test_the_choices_are_types_and_what_the_assets_share(mills: Hub) -> None:
    """Types with more than one asset, the one that has settings first, and signals that at least two have, with a guess
    which way is better."""
    meters = [Equipment(f"{LINES[0]}/meter-{n}", f"Meter {n}", Level.ASSET, "meter") for n in range(6)]
    mills.state.register_equipment(meters)
    mills.state.register(
        [BornSignal(Signal(one.path, "power", unit="kW"), "south/gateway-1", "meters") for one in meters]
    )
    async with mills.client() as client:
        opens = (await client.get("/api/v1/compare/choices")).json()
        assert opens["types"] == {"meter": 6, "mill": 4}
        assert opens["usual"] == "mill"
        found = (await client.get("/api/v1/compare/choices", params={"type": "mill"})).json()
        assert found["usual"] == ""
        assert [one["name"] for one in found["assets"]] == ["Mill 0", "Mill 1", "Mill 2", "Mill 3"]
        better = {one["id"]: (one["better"], one["unit"]) for one in found["metrics"]}
        assert better["power"] == ("low", "kW")
        assert better["parts-good"] == ("high", "1/h")
        assert "product" not in better
        wrong = {"type": "mill", "metric": "colour", "start": 1, "end": 2}
        assert (await client.get("/api/v1/compare", params=wrong)).status_code == 422


async def test_a_script_ranks_as_the_page_does(mills: Hub) -> None:
    """The client's table has the order and the words of the page, and what differs at the best one beside it."""
    table = await script(mills, lambda one: one.compare("power", START, END, type="mill", product="*"))
    found = await ask(mills, product="*")
    assert table.index.tolist() == [row["path"] for row in found["rows"]]
    assert table["verdict"].tolist() == ["best", "clear", "clear", "too little"]
    assert table.attrs["settings"] == found["settings"]
    some = await script(mills, lambda one: one.compare("power", START, END, assets=[mill(0), mill(1)], load="load"))
    assert set(some.index) == {mill(0), mill(1)}


async def test_the_best_stands_first_and_what_differs_there_is_told(mills: Hub) -> None:
    """What needs least is clearly best, of what hardly ran nothing is said; settings differ, the largest first."""
    found = await ask(mills, product="*")
    rows = {row["name"]: row for row in found["rows"]}
    assert found["best"] == mill(2)
    assert [row["verdict"] for row in found["rows"]] == ["best", "clear", "clear", "too little"]
    assert rows["Mill 3"]["low"] is None
    assert rows["Mill 1"]["hours"] == pytest.approx(24, abs=0.3)
    assert rows["Mill 1"]["low"] < rows["Mill 1"]["value"] < rows["Mill 1"]["high"]
    settings = [(one["kind"], one["name"], one["best"], one["others"]) for one in found["settings"]]
    assert settings[0] == ("sheet", "coolant", "oil", "emulsion")
    assert ("setting", "feed-setpoint", "800", "1000") in settings
    by_size = [one["size"] for one in found["settings"] if one["kind"] != "measured"]
    assert by_size == sorted(by_size, reverse=True)


async def test_matching_by_product_takes_away_what_the_mix_makes(mills: Hub) -> None:
    """Mill 0 made more of what takes more; compared product by product it needs as much as mill 1."""
    raw = {row["name"]: row["value"] for row in (await ask(mills))["rows"]}
    assert raw["Mill 0"] - raw["Mill 1"] == pytest.approx(1.0, abs=0.15)  # 4 kW more for a quarter of the day
    assets = f"{mill(0)},{mill(1)},{mill(2)}"
    found = await ask(mills, type="", assets=assets, product="*")
    assert sorted(found["matched_products"]) == sorted(PRODUCTS)
    matched = {row["name"]: row["value"] for row in found["rows"]}
    assert matched["Mill 0"] - matched["Mill 1"] == pytest.approx(0.0, abs=0.15)
    one = await ask(mills, product="housing")
    assert next(row for row in one["rows"] if row["name"] == "Mill 1")["value"] == pytest.approx(11.0, abs=0.1)


async def test_matching_by_load_counts_only_time_in_the_band(mills: Hub) -> None:
    """Under the high load alone each needs 2 kW more than in half of the time."""
    found = await ask(mills, product="housing", load="load", low=70, high=90)
    assert found["band"] == [70, 90]
    row = next(row for row in found["rows"] if row["name"] == "Mill 1")
    assert row["value"] == pytest.approx(12.0, abs=0.1)
    assert row["hours"] == pytest.approx(6, abs=0.3)
    nobody = await ask(mills, load="load", low=900, high=990)
    assert nobody["best"] is None
    assert {row["verdict"] for row in nobody["rows"]} == {"too little"}


async def test_lines_are_compared_by_all_that_is_in_them(mills: Hub) -> None:
    """A row of lines counts its assets together; a counter is what was made in an hour."""
    found = await ask(mills, by="line", metric="parts-good")
    assert [(row["path"], row["assets"]) for row in found["rows"]] == [(LINES[1], 2), (LINES[0], 2)]
    assert found["rows"][1]["value"] == pytest.approx((12 + 24) / 2, rel=0.02)


class Kpis:
    """An app that tells one figure."""

    figures = (FigureInfo("oee", "OEE", "%", True),)

    def knows(self, asset: str) -> bool:
        return asset in (mill(0), mill(1))

    def values(self, asset: str, figure: str, edges: Int64Array) -> tuple[Float64Array, Float64Array]:
        count = len(edges) - 1
        base = 60.0 if asset == mill(0) else 80.0
        return base + np.arange(count) % 3, np.full(count, 3600.0)

    def products(self, asset: str, start: int, end: int) -> Sequence[tuple[int, int, str]]:
        return [(start, end, "from the app")]


async def test_an_app_tells_figures_and_products(mills: Hub) -> None:
    """A figure of an app is a metric like any other, and its word on what was made counts before the signal."""
    mills.services.assets.offer(Kpis())
    found = await ask(mills, metric="figure:oee", product="*")
    assert [(row["name"], round(row["value"])) for row in found["rows"][:2]] == [("Mill 1", 81), ("Mill 0", 61)]
    assert found["products"][0] == {"name": "from the app", "hours": 48.0, "assets": 2}

"""Catalogue, values, export and import through the API."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hub.api.conftest import ASSET, Hub
from lineshaft.hub.api.columns import ARROW
from lineshaft.hub.api.export import MEDIA_TYPES
from lineshaft.hub.security.roles import Role
from lineshaft.model.equipment import Attribute, Equipment, Level

T0 = 1_760_000_000_000_000
SECOND = 1_000_000


async def test_equipment_is_sent_again_only_when_it_changed(hub: Hub) -> None:
    """The ETag of an unchanged tree answers 304; a change gives a new version."""
    async with hub.client() as client:
        first = await client.get("/api/v1/equipment")
        tag = {"if-none-match": first.headers["etag"]}
        assert (await client.get("/api/v1/equipment", headers=tag)).status_code == 304
        sheet = (Attribute("rated_power", 11.0, "kW", "On the plate."),)
        hub.state.register_equipment([Equipment(ASSET, "Feed pump", Level.ASSET, "pump", "Feeds", ("P-7",), sheet)])
        second = await client.get("/api/v1/equipment", headers=tag)
        assert second.status_code == 200
        assert second.json()["version"] > first.json()["version"]
        nodes = {node["path"]: node for node in second.json()["nodes"]}
        assert nodes[ASSET] == {
            "path": ASSET, "name": "Feed pump", "level": "asset", "type": "pump",
            "parent": "acme/north/hall/line-1", "description": "Feeds", "aliases": ["P-7"],
            "attributes": [{"name": "rated_power", "value": 11.0, "unit": "kW", "description": "On the plate."}],
        }  # fmt: skip
        assert nodes["acme"]["level"] == "enterprise"
        assert nodes["acme/north/hall/line-1"]["level"] == "line"


async def test_changes_of_descriptions_are_kept(hub: Hub) -> None:
    """What a birth or a plant file changed: field, before, after; for an asset with all its signals, newest first."""
    hub.state.register_equipment([Equipment(ASSET, "Feed pump", Level.ASSET, "pump")])
    hub.state.register_equipment([Equipment(ASSET, "Feed pump 1", Level.ASSET, "pump")])
    one = hub.state.catalogue.by_id(int(hub.ids[0]))
    assert one is not None
    hub.state.register([replace(one.born, signal=replace(one.born.signal, unit="l/min"))])
    async with hub.client(Role.VIEWER) as client:
        items = (await client.get("/api/v1/changes", params={"path": ASSET})).json()["items"]
        assert [(item["path"], item["changes"]) for item in items] == [
            (f"{ASSET}/flow", [["unit", "m^3/h", "l/min"]]),
            (ASSET, [["name", "Feed pump", "Feed pump 1"]]),
        ]
        assert items[0]["source"] == "north/gateway-1"
        below = await client.get("/api/v1/changes", params={"path": f"{ASSET}/flow"})
        assert len(below.json()["items"]) == 1


async def test_signals_are_paged_and_searched(hub: Hub) -> None:
    """Pages follow each other without gap or repetition; words and assets narrow them."""
    async with hub.client() as client:
        seen: list[str] = []
        cursor = ""
        while cursor is not None:
            page = (await client.get("/api/v1/signals", params={"limit": 2, "cursor": cursor})).json()
            seen += [one["name"] for one in page["items"]]
            cursor = page["next"]
        assert seen == ["flow", "mode", "pressure"]
        found = (await client.get("/api/v1/signals", params={"q": "pump-1 OUTLET"})).json()["items"]
        assert [one["name"] for one in found] == ["pressure"]
        assert (await client.get("/api/v1/signals", params={"asset": "acme/nor"})).json()["items"] == []
        assert len((await client.get("/api/v1/signals", params={"asset": "acme/north"})).json()["items"]) == 3
        flow = (await client.get(f"/api/v1/signals/{hub.ids[0]}")).json()
        assert flow["limits"] == {"low_low": None, "low": None, "high": 50.0, "high_high": None}
        assert flow["source"] == {"node": "north/gateway-1", "device": "plc-1", "address": "40001"}
        mode = (await client.get(f"/api/v1/signals/{hub.ids[2]}")).json()
        assert mode["states"] == {"RUN": "Running", "OFF": "Off"}
        bad = await client.get("/api/v1/signals", params={"cursor": "%%%"})
        assert bad.status_code == 422


async def test_latest_and_series(hub: Hub) -> None:
    """Latest gives the newest row; a series gives rows of the range with the one before; NaN becomes null."""
    flow, pressure, mode = hub.ids.tolist()
    hub.put([flow] * 3, [T0, T0 + SECOND, T0 + 2 * SECOND], [1.5, math.nan, 3.25])
    hub.put([mode], [T0], [math.nan], ["RUN"])
    async with hub.client(Role.VIEWER) as client:
        latest = (await client.get("/api/v1/latest", params={"asset": ASSET})).json()
        assert latest == {
            "signal": [flow, mode],
            "time": [T0 + 2 * SECOND, T0],
            "value": [3.25, None],
            "text": [None, "RUN"],
            "quality": [192, 192],
        }
        one = await client.get("/api/v1/latest", params={"signals": f"{pressure},{flow}"})
        assert one.json()["signal"] == [flow]
        params = {"signals": f"{mode},{flow}", "start": T0 + SECOND, "end": T0 + 10 * SECOND}
        series = (await client.get("/api/v1/series", params=params)).json()["series"]
        assert series[0] == {
            "signal": mode, "mode": "raw", "time": [T0], "value": [None], "text": ["RUN"], "quality": [192],
            "states": None,
        }  # fmt: skip
        assert series[1]["time"] == [T0, T0 + SECOND, T0 + 2 * SECOND]
        assert series[1]["value"] == [1.5, None, 3.25]
        assert series[1]["text"] is None


async def test_a_wide_series_is_reduced_to_its_extremes(hub: Hub) -> None:
    """A day at 1 Hz on 800 pixels is sent as extremes, as JSON or Arrow."""
    flow = int(hub.ids[0])
    times = T0 + np.arange(86_400) * SECOND
    values = np.sin(np.arange(86_400) / 5000.0)
    values[40_000] = 9.0
    hub.put(np.full(86_400, flow), times, values)
    params = {"signals": flow, "start": T0, "end": T0 + 86_400 * SECOND, "points": 800}
    async with hub.client(Role.VIEWER) as client:
        series = (await client.get("/api/v1/series", params=params)).json()["series"][0]
        assert series["mode"] == "minmax"
        assert len(series["time"]) <= 800
        assert max(series["value"]) == 9.0
        assert series["time"] == sorted(series["time"])
        arrow = await client.get("/api/v1/series", params=params, headers={"accept": ARROW})
        table = pa.ipc.open_stream(arrow.content).read_all()
        assert table.column("value").to_pylist() == series["value"]
        assert table.column("time").cast(pa.int64()).to_pylist() == series["time"]


@pytest.mark.parametrize(
    ("path", "params", "status", "words"),
    [
        ("series", {"signals": "1", "start": 5, "end": 5}, 422, "start is not before end"),
        ("series", {"signals": "1;2", "start": 1, "end": 5}, 422, "'1;2' is not a signal id"),
        ("series", {"signals": "99", "start": 1, "end": 5}, 404, "no signal 99"),
        ("series", {"signals": "", "start": 1, "end": 5}, 422, "no signal"),
        ("series", {"signals": "1", "start": "now", "end": 5}, 422, "query.start"),
        ("series", {"signals": "1," * 101, "start": 1, "end": 5}, 422, "100 are allowed"),
        ("latest", {}, 422, "either signals or asset"),
        ("export", {"signals": "1", "start": 1, "end": 5, "format": "xls"}, 422, "format"),
        ("events", {"cursor": "x"}, 422, "cursor"),
        ("nothing", {}, 404, ""),
    ],
)
async def test_bad_input_is_a_problem_in_words(
    hub: Hub, path: str, params: dict[str, Any], status: int, words: str
) -> None:
    """Every error is problem+json with type, title, status, detail and hint."""
    async with hub.client() as client:
        response = await client.get(f"/api/v1/{path}", params=params)
        assert response.status_code == status
        assert response.headers["content-type"] == "application/problem+json"
        body = response.json()
        assert {"type", "title", "status", "detail", "hint"} <= body.keys()
        assert words in body["detail"]


async def test_a_historian_that_does_not_answer(hub: Hub) -> None:
    """The API says 503 and when to come back, health says what fails, and other calls go on."""
    hub.historian.broken = True
    async with hub.client() as client:
        for path in ("series?signals=1&start=1&end=2", "export?signals=1&start=1&end=2"):
            response = await client.get(f"/api/v1/{path}")
            assert response.status_code == 503
            assert response.headers["retry-after"] == "2"
        health = (await client.get("/api/v1/health")).json()
        assert health["state"] == "fail"
        failed = [check for check in health["checks"] if check["state"] == "fail"]
        assert [check["part"] for check in failed] == ["historian"]
        assert failed[0]["mend"]
        assert (await client.get("/api/v1/signals")).status_code == 200


async def export(client: httpx.AsyncClient, hub: Hub, kind: str) -> bytes:
    signals = ",".join(str(one) for one in hub.ids)
    params = {"signals": signals, "start": T0, "end": T0 + 1000 * SECOND, "format": kind}
    response = await client.get("/api/v1/export", params=params)
    assert response.status_code == 200
    assert f'filename="lineshaft.{kind}"' in response.headers["content-disposition"]
    return response.content


async def test_export_gives_every_row(hub: Hub) -> None:
    """CSV, Parquet and Arrow hold the same rows, with ISO times, units, texts and qualities."""
    flow, _, mode = hub.ids.tolist()
    times = T0 + np.arange(1000) * SECOND + 7
    hub.put(np.full(1000, flow), times, np.arange(1000) / 8)
    hub.put([mode, mode], [T0, T0 + 5], [math.nan, math.nan], ['say "hi", twice', "OFF"])
    async with hub.client(Role.VIEWER) as client:
        text = (await export(client, hub, "csv")).decode()
        rows = list(csv.DictReader(io.StringIO(text)))
        assert list(rows[0]) == ["path", "time", "value", "unit", "text", "quality"]
        assert len(rows) == 1002
        assert rows[0] == {
            "path": f"{ASSET}/flow", "time": "2025-10-09T08:53:20.000007Z", "value": "0", "unit": "m^3/h",
            "text": "", "quality": "192",
        }  # fmt: skip
        assert [row["text"] for row in rows[-2:]] == ['say "hi", twice', "OFF"]
        assert [float(row["value"]) for row in rows[:1000]] == (np.arange(1000) / 8).tolist()
        arrow = pa.ipc.open_stream(await export(client, hub, "arrow")).read_all()
        parquet = pq.read_table(io.BytesIO(await export(client, hub, "parquet")))
        assert arrow.equals(parquet)
        assert arrow.num_rows == 1002
        assert arrow.column("value")[1000].as_py() is None


async def test_an_empty_export_is_a_file_with_a_header(hub: Hub) -> None:
    """A range without rows gives valid empty files."""
    async with hub.client() as client:
        assert (await export(client, hub, "csv")) == b"path,time,value,unit,text,quality\r\n"
        assert pa.ipc.open_stream(await export(client, hub, "arrow")).read_all().num_rows == 0
        assert pq.read_table(io.BytesIO(await export(client, hub, "parquet"))).num_rows == 0


def stream_of(table: pa.Table, chunk: int | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=chunk)
    return sink.getvalue().to_pybytes()


def history(rows: int = 250_000) -> pa.Table:
    return pa.table(
        {
            "path": pa.array([f"{ASSET}/flow", f"{ASSET}/new-one"] * (rows // 2)).dictionary_encode(),
            "time": pa.array(T0 + np.arange(rows) * 1000, pa.timestamp("us", tz="UTC")),
            "value": pa.array(np.arange(rows) / 4),
        }
    )


async def test_import_is_idempotent_by_content(hub: Hub) -> None:
    """The same rows sent again, cut otherwise, are stored once; unknown paths become signals."""
    async with hub.client(Role.ENGINEER) as client:
        first = await client.post("/api/v1/import", content=stream_of(history()))
        assert first.status_code == 200, first.text
        assert first.json() == {"rows": 250_000, "stored": 250_000, "repeated": 0, "signals": 2, "new_signals": 1}
        again = await client.post("/api/v1/import", content=stream_of(history(), 7_777))
        assert again.json() == {"rows": 250_000, "stored": 0, "repeated": 250_000, "signals": 2, "new_signals": 0}
        assert hub.historian.counts().rows.sum() == 250_000
        ledger = (await client.get("/api/v1/ledger")).json()
        assert ledger["items"] == []


async def test_an_export_can_be_imported_again(hub: Hub) -> None:
    """The CSV, Parquet and Arrow of an export are taken in as they are, and are the same content."""
    flow, pressure, mode = hub.ids.tolist()
    hub.put(np.full(50, flow), T0 + np.arange(50) * SECOND, np.arange(50) / 8)
    hub.put([pressure], [T0 + 9], [math.nan])
    hub.put([mode, mode], [T0, T0 + 5], [math.nan, math.nan], ['say "hi", twice', "OFF"])
    before = hub.historian.read(hub.ids.tolist(), T0, T0 + 1000 * SECOND)
    async with hub.client() as client:
        bodies = {kind: await export(client, hub, kind) for kind in ("csv", "parquet", "arrow")}
        hub.historian.delete_before(2**62)
        stored = []
        for kind, body in bodies.items():
            headers = {"content-type": MEDIA_TYPES[kind]}  # type: ignore[index]
            done = await client.post("/api/v1/import", content=body, headers=headers)
            assert done.status_code == 200, done.text
            assert done.json()["rows"] == 53
            stored.append(done.json()["stored"])
        assert stored == [53, 0, 0]
    for one, other in zip(hub.historian.read(hub.ids.tolist(), T0, T0 + 1000 * SECOND), before, strict=True):
        np.testing.assert_array_equal(one.values, other.values)
        assert one.times.tolist() == other.times.tolist()
        assert one.texts is other.texts or one.texts.tolist() == other.texts.tolist()


@pytest.mark.parametrize(
    ("kind", "body", "status", "words"),
    [
        ("text/csv", b"path,time,value\r\na/b,2026-05-01 12:00,1\r\n", 422, "a time cannot be read"),
        ("text/csv", b"path,time,value\r\na/b,1,many\r\n", 422, "not CSV that can be read"),
        ("text/csv", b"time,value\r\n1,1\r\n", 422, "columns are time, value"),
        ("application/vnd.apache.parquet", b"PAR1", 422, "not a Parquet file"),
        ("application/json", b"{}", 415, "cannot be imported"),
    ],
)
async def test_a_file_that_cannot_be_imported(hub: Hub, kind: str, body: bytes, status: int, words: str) -> None:
    """The answer says what is wrong with a file, and what would be right."""
    async with hub.client() as client:
        response = await client.post("/api/v1/import", content=body, headers={"content-type": kind})
        assert response.status_code == status
        assert words in response.json()["detail"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"not arrow", "not an Arrow stream"),
        (b"", "not an Arrow stream"),
        (stream_of(pa.table({"path": ["a/b"]})), "columns are path"),
        (stream_of(pa.table({"path": ["a/B c"], "time": [1], "value": [1.0]})), "not a signal path"),
        (stream_of(pa.table({"path": ["a/b"], "time": ["x"], "value": [1.0]})), "wrong type"),
        (stream_of(pa.table({"path": ["a/b", None], "time": [1, 2], "value": [1.0, 2.0]})), "without path"),
    ],
)
async def test_an_import_that_cannot_be_used(hub: Hub, body: bytes, words: str) -> None:
    """A body that is not usable rows is refused in words, and nothing is stored."""
    async with hub.client() as client:
        response = await client.post("/api/v1/import", content=body)
        assert response.status_code == 422
        assert words in response.json()["detail"]
        assert hub.historian.size_bytes() == 0


async def test_the_description_of_the_api_is_complete_and_local(hub: Hub) -> None:
    """openapi.json names every call with its answer; the reference page loads nothing from other hosts."""
    async with hub.client(Role.VIEWER) as client:
        api = (await client.get("/api/openapi.json")).json()
        for path, methods in api["paths"].items():
            for method, operation in methods.items():
                assert operation["summary"], (method, path)
                assert operation["tags"], (method, path)
        assert set(api["components"]["securitySchemes"]) == {"token", "session"}
        for file in ("", "/reference.js", "/reference.css"):
            response = await client.get(f"/api/docs{file}")
            assert response.status_code == 200
            assert "http://" not in response.text
            assert "https://" not in response.text

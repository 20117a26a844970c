"""The API over the real historian."""

from __future__ import annotations

import io
import math
from pathlib import Path

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hub.api.conftest import ASSET, CHEAP_HASH, SIGNALS, running
from lineshaft.hub.api.app import create_app
from lineshaft.hub.api.services import PlantInfo, Services
from lineshaft.hub.historian.clickhouse import ClickHouseHistorian
from lineshaft.hub.security.identity import Principal
from lineshaft.hub.security.roles import Role
from lineshaft.hub.state.state import State
from lineshaft.hub.stream import LiveStream
from lineshaft.model.samples import SampleBatch

T0 = 1_760_000_000_000_000
ROWS = 200_000


async def test_import_series_and_export_over_clickhouse(tmp_path: Path) -> None:
    """What is imported once or twice is read once, decimated and as every raw row, times and texts exact."""
    historian = ClickHouseHistorian(f"chdb://{tmp_path}/history")
    historian.open()
    with State(f"sqlite:///{tmp_path}/state.db") as state:
        stream = LiveStream()
        app = create_app(Services(historian, state, stream, PlantInfo("x", "UTC")))
        flow, _, mode = state.register(SIGNALS).tolist()
        historian.append(SampleBatch.of([mode], [T0], [math.nan], 192, ["RUN"]), "t")
        state.accounts.add_user("a", "admin", CHEAP_HASH, 0)
        owner = Principal("a", Role.ADMIN, "session", "", None)
        token = app.state.identity.make_token(owner, "t", Role.ADMIN, None)[1]
        table = pa.table(
            {
                "path": pa.array([f"{ASSET}/flow"] * ROWS),
                "time": T0 + np.arange(ROWS) * 100_003,
                "value": np.sin(np.arange(ROWS) / 3000),
            }
        )
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        headers = {"authorization": f"Bearer {token}"}
        async with running(app) as url, httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
            for stored in (ROWS, 0):
                done = await client.post("/api/v1/import", content=sink.getvalue().to_pybytes())
                assert done.json()["stored"] == stored
            span = {"start": T0, "end": T0 + ROWS * 100_003}
            params = {"signals": f"{flow},{mode}", "points": 800, **span}
            first, second = (await client.get("/api/v1/series", params=params)).json()["series"]
            assert first["mode"] == "minmax"
            assert len(first["time"]) <= 1700
            assert max(first["value"]) == np.sin(np.arange(ROWS) / 3000).max()
            assert second["text"] == ["RUN"]
            exported = await client.get("/api/v1/export", params={"signals": flow, "format": "parquet", **span})
            rows = pq.read_table(io.BytesIO(exported.content))
            assert rows.column("time").cast(pa.int64()).to_pylist() == table.column("time").to_pylist()
            assert rows.column("value").to_pylist() == table.column("value").to_pylist()
            stream.seed(historian.latest())
            latest = (await client.get("/api/v1/latest", params={"asset": ASSET})).json()
            assert latest["signal"] == [flow, mode]
            assert latest["text"] == [None, "RUN"]
    historian.close()

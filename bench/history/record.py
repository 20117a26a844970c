"""The record of a year: predictions of a thousand machines, one an hour and subject, and what its pages ask."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import uvicorn
from tests.hub.memory_historian import MemoryHistorian

from bench.report import Report, median_ms, quick
from lineshaft.hub.api.app import create_app, server_config
from lineshaft.hub.api.services import PlantInfo, Services
from lineshaft.hub.security.identity import Principal
from lineshaft.hub.security.roles import Role
from lineshaft.hub.state.schema import predictions as table
from lineshaft.hub.state.state import State
from lineshaft.hub.stream import LiveStream
from lineshaft.model.equipment import Equipment, Level
from lineshaft.model.predictions import Outcome, OutcomeKind

HOUR: Final = 3_600_000_000
MACHINES: Final = 1_000
TARGET_MS: Final = 500


def _rows(machine: int, hours: int, end: int) -> Iterator[dict[str, Any]]:
    """A word about faults each hour and, every other hour, a remaining life; an alarm now and then."""
    random = np.random.default_rng(machine)
    alarms = np.cumsum(random.random(hours) < 1 / 400) % 8 == 7
    kinds = ("failure", "remaining_life")
    for hour in range(hours):
        moment, kind = end - (hours - hour) * HOUR, kinds[hour % 2]
        life = 900.0 - hour % 800
        yield {
            "operator": "health", "asset": f"acme/north/hall/line-{machine // 20}/machine-{machine}", "type": "machine",
            "kind": kind, "model": "health", "version": "1", "time": moment, "made": moment, "superseded": 0,
            "value": life, "p10": life / 2, "p90": life * 2, "alarm": bool(alarms[hour]) and kind == "failure",
            "due": moment + 200 * HOUR, "shadow": False, "inputs": {"vibration": 1.5}, "words": "as it is",
        }  # fmt: skip


def measure(report: Report) -> None:
    """Fill, score once, then ask as the page does, also after an outcome was changed and an hour has passed."""
    machines, hours = (100, 2_000) if quick() else (MACHINES, 8_760)
    with tempfile.TemporaryDirectory(prefix="bench-record-", dir=os.environ.get("BENCH_FOLDER")) as folder:
        with State(f"sqlite:///{folder}/state.db") as state:
            now = time.time_ns() // 1000
            began = time.perf_counter()
            for machine in range(machines):
                with state.database.write() as connection:
                    connection.execute(table.insert(), list(_rows(machine, hours, now)))
            asset = "acme/north/hall/line-0/machine-1"
            state.register_equipment([Equipment(asset, "Machine 1", Level.ASSET, "machine")])
            for machine in range(0, machines, 3):
                path = f"acme/north/hall/line-{machine // 20}/machine-{machine}"
                at = now - (machine % 300 + 20) * HOUR
                state.outcomes.add(Outcome(at, path, OutcomeKind.FAILURE), by="bench", note="seized", now=now)
            report.add("predictions in the record", machines * hours, "", note=f"{time.perf_counter() - began:.0f} s")
            began = time.perf_counter()
            state.scoreboard.save(now)
            spent = time.perf_counter() - began
            report.add("all of them scored once, after an upgrade", spent, "s", note="in the background")
        with State(f"sqlite:///{folder}/state.db") as state:
            size = Path(folder, "state.db").stat().st_size / (machines * hours)
            report.add("bytes of a prediction on the disk", size, "B")
            _ask(report, state, asset, machines, now)


def _ask(report: Report, state: State, asset: str, machines: int, now: int) -> None:
    app = create_app(Services(MemoryHistorian(), state, LiveStream(), PlantInfo("bench", "Europe/Berlin")))
    state.accounts.add_user("bench", "admin", "-", 0)
    principal = Principal("bench", Role.ADMIN, "session", "", None)
    token = app.state.identity.make_token(principal, "bench", Role.ADMIN, None)[1]
    server = uvicorn.Server(server_config(app, "127.0.0.1", 0))
    serving = threading.Thread(target=server.run)
    serving.start()
    while not server.started:
        time.sleep(0.05)
    base = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/api/v1"
    headers = {"authorization": f"Bearer {token}"}
    with httpx.Client(base_url=base, headers=headers, timeout=300) as client:
        began = time.perf_counter()
        client.get("/predictions/scores").raise_for_status()
        first = (time.perf_counter() - began) * 1e3
        report.add("scores, first request after a start", first, "ms", target=TARGET_MS * 4, better="lower")
        spent = median_ms(7, lambda: client.get("/predictions/scores"))
        report.add("scores of all machines over a year", spent, "ms", target=TARGET_MS, better="lower")
        spent = median_ms(7, lambda: client.get("/predictions", params={"limit": 100}))
        report.add("a page of a hundred predictions with verdicts", spent, "ms", target=TARGET_MS, better="lower")
        body = {"asset": asset, "kind": "failure", "time": now - 500 * HOUR, "note": "the bearing seized"}
        client.post("/outcomes", json=body).raise_for_status()
        began = time.perf_counter()
        client.get("/predictions/scores").raise_for_status()
        spent = (time.perf_counter() - began) * 1e3
        report.add("scores after an outcome was said", spent, "ms", target=TARGET_MS, better="lower")
        with state.database.write() as connection:
            rows = [row for machine in range(machines) for row in _rows(machine, 1, now + HOUR)]
            connection.execute(table.insert(), rows)
        began = time.perf_counter()
        client.get("/predictions/scores").raise_for_status()
        spent = (time.perf_counter() - began) * 1e3
        report.add("scores after an hour's predictions", spent, "ms", target=TARGET_MS, better="lower")
    server.should_exit = True
    serving.join()

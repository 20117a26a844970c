"""Files that wait for the hub: events and orders of a past are taken in, and a file that is none is put aside."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pyarrow as pa
from tests.hub.memory_historian import MemoryHistorian

from lineshaft.apps.oee.orders import Order
from lineshaft.config.models import Plant
from lineshaft.gateway.plan import make_plan
from lineshaft.hub.state.state import State
from lineshaft.server.past import PastRules
from lineshaft.server.upkeep import import_files
from lineshaft.simulator.history import EVENTS, ORDERS

PLANT = Plant.model_validate(
    {
        "plant": {"enterprise": "acme", "site": "north", "name": "North", "timezone": "UTC"},
        "gateway": {"id": "gw"},
    }
)


def put(folder: Path, name: str, **changes: object) -> None:
    row = {"time": 5, "kind": "maintenance.case.work", "subject": "acme/north/pump-1", "severity": "info",
           "message": "Bearing changed", "details": json.dumps({"by": "kim", "cost": 80.5}), **changes}  # fmt: skip
    with pa.ipc.new_file(str(folder / f"{name}.part"), EVENTS) as writer:
        writer.write_batch(pa.RecordBatch.from_pylist([row], schema=EVENTS))
    (folder / f"{name}.part").rename(folder / name)


async def test_events_and_orders_of_a_past_are_taken_in(tmp_path: Path) -> None:
    """Orders are handed on; what people did has its details, and is there once; nonsense is put aside."""
    order = {"id": "M-1", "path": "acme/north/saw", "product": "S", "quantity": 4.0, "start": 1, "end": 9, "began": 2}
    with pa.ipc.new_file(str(tmp_path / "0.arrow"), ORDERS) as writer:
        writer.write_batch(pa.RecordBatch.from_pylist([order], schema=ORDERS))
    orders: list[Order] = []
    put(tmp_path, "a.arrow")
    put(tmp_path, "b.arrow")
    put(tmp_path, "c.arrow", severity="purple")
    refused = tmp_path / "c.refused"
    with State(f"sqlite:///{tmp_path}/state.db") as state:
        rules = PastRules(make_plan(PLANT))
        task = asyncio.create_task(import_files(tmp_path, MemoryHistorian(), state, rules, orders.extend))
        async with asyncio.timeout(60):
            while not await asyncio.to_thread(refused.exists):
                assert not task.done()
                await asyncio.sleep(0.01)
        task.cancel()
        (found,) = state.events.find()
    assert orders == [Order("M-1", "acme/north/saw", "S", 4, 1, 9, began=2)]
    assert found.event.details == {"by": "kim", "cost": 80.5}

"""The simulator process: first start, stop, start again."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pymodbus.client import AsyncModbusTcpClient
from tests.simulator.helpers import HOUR, MONDAY, demo_elsewhere

from lineshaft.clock import SystemClock
from lineshaft.config.models import Plant
from lineshaft.errors import ConfigError, DataError
from lineshaft.simulator import storage
from lineshaft.simulator.api import TOKEN_FILE
from lineshaft.simulator.history import ORDERS, SCHEMA
from lineshaft.simulator.serve import open_factory, serve

VOLUME = "brennweg/weiler/utilities/compressed-air/air-meter/volume"


class LaterClock(SystemClock):
    """Five minutes from now."""

    def now_us(self) -> int:
        return super().now_us() + 300_000_000


def small(data: Path) -> Plant:
    """The demo at free ports, with two hours of past."""
    plant = demo_elsewhere(data)
    assert plant.simulator is not None
    return plant.model_copy(update={"simulator": plant.simulator.model_copy(update={"history": 7200.0})})


def tables(folder: Path, prefix: str) -> list[pa.Table]:
    return [pa.ipc.open_file(path).read_all() for path in sorted(folder.glob(f"{prefix}*.arrow"))]


def table(folder: Path, prefix: str) -> pa.Table:
    return pa.concat_tables([one for one in tables(folder, prefix) if one.schema == SCHEMA])


def volume_of(rows: pa.Table) -> list[tuple[int, float]]:
    mine = rows.filter(pc.equal(pc.cast(rows["path"], pa.string()), VOLUME))
    return list(zip(mine["time"].to_pylist(), mine["value"].to_pylist(), strict=True))


async def until_complete(data_dir: Path) -> None:
    """Wait until the first start's history is whole; a file is all that other processes see, so it is looked for."""
    async with asyncio.timeout(180):
        while not storage.is_complete(data_dir):  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.05)


async def until_api(plant: Plant, data_dir: Path) -> httpx.Response:
    """Wait until the fault API answers."""
    assert plant.simulator is not None
    headers = {"Authorization": f"Bearer {(data_dir / TOKEN_FILE).read_text()}"}
    async with asyncio.timeout(180), httpx.AsyncClient() as client:
        while True:
            try:
                return await client.get(f"http://127.0.0.1:{plant.simulator.api_port}/faults", headers=headers)
            except httpx.ConnectError:
                await asyncio.sleep(0.05)


async def test_first_start_stop_and_start_again(tmp_path: Path) -> None:
    """The past is written whole, the servers go live, and a second start tells the gap and goes on."""
    plant = small(tmp_path)
    shares: list[float] = []
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(serve(plant, tmp_path, stop=stop, progress=shares.append))
        await until_complete(tmp_path)
        async with AsyncModbusTcpClient("127.0.0.1", port=plant.simulator.modbus_port) as client:  # type: ignore[union-attr]
            values = set()
            async with asyncio.timeout(120):
                while len(values) < 3:
                    values.add(tuple((await client.read_input_registers(52, count=2)).registers))
                    await asyncio.sleep(0.2)
        stop.set()
    folder = tmp_path / storage.IMPORT_FOLDER
    assert shares[-1] == 1.0
    assert not list(folder.glob("*.part"))
    first = table(folder, "history")
    assert json.loads((folder / storage.COMPLETE_FILE).read_text())["rows"] == sum(map(len, tables(folder, "history")))
    assert tables(folder, "history-0-orders")[0].schema == ORDERS  # by name before the rows, as files are taken in
    kept = storage.load_state(tmp_path)
    assert kept is not None
    assert kept[1] is True

    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(serve(plant, tmp_path, stop=stop, clock=LaterClock()))
        assert (await until_api(plant, tmp_path)).status_code == 200
        stop.set()
    before, gap = volume_of(first), volume_of(table(folder, "catchup"))
    assert gap[0][0] > kept[0]["now"] >= before[-1][0]
    assert before[-1][1] < gap[0][1] < before[-1][1] + 100


async def test_history_can_go_to_a_sink(tmp_path: Path) -> None:
    """With a sink the past goes there and no import file is written."""
    plant, stop, rows = small(tmp_path), asyncio.Event(), []
    async with asyncio.TaskGroup() as group:
        group.create_task(
            serve(plant, tmp_path, stop=stop, history_sink=lambda batches: rows.extend(b.num_rows for b in batches))
        )
        await until_complete(tmp_path)
        stop.set()
    assert sum(rows) > 10_000
    assert not list((tmp_path / storage.IMPORT_FOLDER).glob("*.arrow"))


def test_interrupted_first_start_begins_again(plant: Plant, tmp_path: Path) -> None:
    """Files of a first start that was killed are removed, and the past is made anew."""
    storage.prepare(tmp_path)
    (tmp_path / storage.IMPORT_FOLDER / "history-0001.arrow").write_bytes(b"half")
    factory, new = open_factory(plant, tmp_path, MONDAY)
    assert new
    assert factory.begin_us == MONDAY - 30 * 24 * HOUR
    assert not list((tmp_path / storage.IMPORT_FOLDER).iterdir())


def test_hard_end_is_not_told_twice(plant: Plant, tmp_path: Path) -> None:
    """After a kill the minute that may have been served already is not in the gap."""
    storage.prepare(tmp_path)
    factory, _ = open_factory(plant, tmp_path, MONDAY + 30 * 24 * HOUR)
    factory.advance_to(MONDAY + HOUR)
    storage.save_state(tmp_path, factory.snapshot(), clean=False)
    storage.mark_complete(tmp_path, 1)
    again, new = open_factory(plant, tmp_path, MONDAY + 2 * HOUR)
    assert not new
    assert again.now_us == MONDAY + HOUR + 60_000_000


def test_damaged_state_is_said(plant: Plant, tmp_path: Path) -> None:
    """A damaged state file is named, not silently thrown away."""
    storage.prepare(tmp_path)
    (tmp_path / storage.STATE_FILE).write_text("{")
    with pytest.raises(DataError, match="damaged"):
        open_factory(plant, tmp_path, MONDAY)


def test_plant_without_simulator_is_refused(plant: Plant, tmp_path: Path) -> None:
    """A plant that is no demo cannot be simulated."""
    with pytest.raises(ConfigError, match="no simulator section"):
        open_factory(plant.model_copy(update={"simulator": None}), tmp_path, MONDAY)


async def test_stop_while_the_past_is_made(plant: Plant, tmp_path: Path) -> None:
    """A stop in the middle of the first start ends it soon, and the next start begins again."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def told(share: float) -> None:
        loop.call_soon_threadsafe(stop.set)

    await serve(plant, tmp_path, stop=stop, progress=told)
    assert not storage.is_complete(tmp_path)
    assert storage.load_state(tmp_path) is None

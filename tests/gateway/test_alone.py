"""The gateway alone: without a database, and for weeks without growing."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
from tests.gateway.helpers import plan_of
from tests.memory import held

from lineshaft.clock import VirtualClock
from lineshaft.gateway.buffer import Buffer
from lineshaft.gateway.plan import buffer_key
from lineshaft.gateway.steps.pipeline import Pipeline
from lineshaft.gateway.store import BufferOptions
from lineshaft.gateway.writes.journal import WriteJournal
from lineshaft.model.events import Event
from lineshaft.model.samples import SampleBatch
from lineshaft.wire.notes import EventNote

PLATFORM = (
    "alembic", "amqtt", "apprise", "chdb", "clickhouse_connect", "fastapi", "pandas", "psycopg", "sqlalchemy",
    "starlette", "uvicorn",
)  # fmt: skip
PROGRAM = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.server import gateway
from lineshaft.gateway import runtime, status_page, remote_config
from lineshaft.cli import app
assert len(DRIVERS) >= 10
print("ready", sorted(set({blocked!r}) & set(sys.modules)))
"""
WEEKS = 4
WEEK = 7 * 24 * 6
"""Turns of ten minutes."""
BOUND = 400_000
"""Bytes that the disk buffer may have."""


def test_it_needs_nothing_of_the_platform() -> None:
    """Gateway, drivers, its own page and the command load where no database and no web framework is installed."""
    program = PROGRAM.format(blocked=PLATFORM)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert ran.stdout.strip() == "ready []", ran.stderr


def test_weeks_alone_grow_neither_memory_nor_disk(tmp_path: Path) -> None:
    """Four weeks of values and events that nobody fetches: what is oldest goes, counted, and nothing else grows."""
    clock = VirtualClock()
    signals = [{"name": f"s{number}"} for number in range(20)]
    plan = plan_of({"press": signals})
    pipeline = Pipeline(plan.table)
    buffer = Buffer(tmp_path / "buffer", clock, ["hub"], BufferOptions(BOUND, None, subject="gw"))
    buffer.open()
    ids = buffer.register([buffer_key(item) for item in plan.signals])
    journal = WriteJournal(tmp_path / "writes.json")
    handles = np.arange(len(signals))
    weekly: list[tuple[int, int]] = []
    tracemalloc.start()
    try:
        for turn in range(WEEKS * WEEK):
            clock.step_wall(600)
            now = clock.now_us()
            kept = pipeline.update(SampleBatch.of(handles, now, np.sin(handles + turn / 50.0)))
            rows = SampleBatch(ids[kept.signals], kept.times, kept.values, kept.qualities, kept.texts)
            buffer.append("press", rows, None)
            if turn % 20 == 0:
                buffer.append_note(EventNote(Event(now, "device.offline", "gw/press", "Press does not answer.")))
                journal.seen(f"c{turn}", now + 30_000_000, now)
                journal.writing("acme/north/hall/press/s1", now)
            buffer.tidy()
            if (turn + 1) % WEEK == 0:
                weekly.append((held(), _disk(tmp_path)))
    finally:
        tracemalloc.stop()
        buffer.close()
    assert len(weekly) == WEEKS
    assert all(disk < 1.5 * BOUND for _, disk in weekly), weekly
    assert weekly[-1][0] < weekly[1][0] + 200_000, weekly
    assert buffer.status().dropped_rows > 0


def _disk(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())

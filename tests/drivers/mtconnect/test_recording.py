"""A day of a real machine, told by an agent, arrives as the same rows that a replay of its adapter's log gives."""

from __future__ import annotations

import asyncio
import gzip
import os
from itertools import islice
from pathlib import Path

import pytest

from lineshaft.drivers.base import Point
from lineshaft.drivers.mtconnect import SPEC
from lineshaft.drivers.mtconnect.driver import MtconnectDriver
from lineshaft.drivers.mtconnect.options import MtconnectAddress
from lineshaft.drivers.records import Malformed, Records
from lineshaft.drivers.replay.shdr import read_shdr
from lineshaft.model.samples import SampleBatch
from lineshaft.simulator.servers.mtconnect import MtconnectAgent
from lineshaft.simulator.servers.mtconnect_model import AgentDevice, AgentItem, AgentObservation

from .machine import rows

SHARED = Path(os.environ.get("LINESHAFT_DATA", Path(__file__).parents[4] / "shared" / "data"))
FOLDER = SHARED / "nist_sms" / "raw"
LINES = 4000
LEVELS = {"NORMAL": "Normal", "WARNING": "Warning", "FAULT": "Fault"}


def recorded(path: Path) -> Records:
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as lines:
        return next(read_shdr(islice(lines, LINES), Malformed()))


def told(records: Records, row: int, conditions: set[str]) -> AgentObservation:
    item, text = records.items[row], records.raw[row]
    if item in conditions and text is not None:
        level, code, severity, qualifier, words = (*text.split("|", 4), "", "", "", "")[:5]
        return AgentObservation(item, records.times[row], words, LEVELS[level], code, severity, qualifier)  # type: ignore[arg-type]
    return AgentObservation(item, records.times[row], text)


@pytest.mark.skipif(not FOLDER.exists(), reason="no recordings of the NIST laboratory")
@pytest.mark.parametrize("machine", ["Mazak01-20170622", "GFAgie01-20160513", "Hurco01-20170518"])
async def test_a_recorded_machine(machine: str) -> None:
    """Numbers, texts, conditions, missing values and dirty times come through unchanged and in order."""
    records = recorded(next(FOLDER.glob(f"{machine}*")))
    names = sorted(set(records.items))
    conditions = {
        item for item, text in zip(records.items, records.raw, strict=True) if (text or "").partition("|")[0] in LEVELS
    }
    items = tuple(AgentItem(name, "CONDITION" if name in conditions else "EVENT", "SYSTEM") for name in names)
    agent = MtconnectAgent("127.0.0.1", 0, AgentDevice("machine", "u", items))
    batches: list[SampleBatch] = []
    arrived = asyncio.Event()

    def sink(batch: SampleBatch) -> None:
        batches.append(batch)
        arrived.set()

    async with agent:
        driver = MtconnectDriver(SPEC.connection.model_validate({"url": agent.url, "interval": "10ms"}))
        await driver.connect()
        points = tuple(Point(row, MtconnectAddress(item=name)) for row, name in enumerate(names))
        await driver.subscribe(points, sink)
        batches.clear()
        agent.observe(told(records, row, conditions) for row in range(len(records)))
        async with asyncio.timeout(30):
            while sum(map(len, batches)) < len(records):
                arrived.clear()
                await arrived.wait()
        await driver.close()
    expected = [
        (
            names.index(records.items[row]),
            records.times[row],
            records.texts[row] if records.texts[row] is not None else value if value == value else None,
            records.qualities[row],
        )
        for row, value in enumerate(records.values)
    ]
    assert rows(batches) == expected

"""Bursts that wait for a finding, and what was told of a fault, are still there after a kill -9 of the gateway."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

from lineshaft.gateway.held import HeldBursts
from lineshaft.gateway.steps.bursts import Holding
from lineshaft.model.samples import SampleBatch
from lineshaft.model.waveforms import Waveform

ROOT = Path(__file__).parents[2]
PATH = "acme/north/hall/press/burst"
RUN = """
import asyncio, sys
from pathlib import Path
import numpy as np
from tests.gateway.helpers import plant
from tests.gateway.test_diagnosis import BEARING, RATE, SPEED, wave as vibration
from lineshaft.clock import SystemClock
from lineshaft.drivers.base import DriverSpec
from lineshaft.gateway.options import GatewayOptions
from lineshaft.gateway.plan import make_plan
from lineshaft.gateway.runtime import Gateway
from lineshaft.gateway.uplinks.mqtt import BrokerAccess
from lineshaft.model.samples import SampleBatch
from lineshaft.model.waveforms import Waveform
from lineshaft.testing import ScriptedAddress, ScriptedOptions

folder, first, hot, damaged = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "hot", sys.argv[3] == "damaged"
MINUTE = 60_000_000

class Monitor:
    at = first
    async def connect(self): pass
    async def close(self): pass
    async def read(self, points):
        return SampleBatch.of([points[0].handle], 1_700_000_000_000_000 + MINUTE * self.at, 9.0 if hot else 1.0)
    async def read_waveform(self, point):
        if self.at - first == 4:
            print("taken", flush=True)
            await asyncio.Event().wait()
        self.at += 1
        wave = Waveform.of(np.full(64, self.at, np.int16) + np.arange(64), 1000.0)
        if damaged:
            wave = Waveform.of(vibration("outer", self.at), RATE, SPEED)
        return SampleBatch.of_waves([point.handle], [1_700_000_000_000_000 + MINUTE * self.at], [wave])

burst = {"name": "burst", "kind": "waveform", "unit": "m/s2", "poll": "1ms", "asset": "hall/press",
         "waveform": {"rate": RATE if damaged else 1000, "keep": {"every": 0, "before": 3, "after": 2}}}
sensor = {"signal": "hall/press/burst", "bearing": BEARING, "diagnose": damaged}
rule = {"id": "hot", "asset": "hall/press", "inputs": {"x": "hall/press/heat"}, "when": "x > 5", "message": "!"}
signals = [burst, {"name": "heat", "asset": "hall/press"}]
one = plant({"press": signals}, edge_rules=[rule], poll="5ms", vibration_sensors=[sensor])
spec = DriverSpec("scripted", "", ScriptedOptions, ScriptedAddress, lambda _: Monitor(), waveforms="bare")

async def main():
    options = GatewayOptions(one.gateway, folder, BrokerAccess("127.0.0.1", 1))
    await Gateway(make_plan(one), {"scripted": spec}, options).run(asyncio.Event())

asyncio.run(main())
"""
SENT = """
import sys
from pathlib import Path
from lineshaft.clock import SystemClock
from lineshaft.gateway.buffer import Buffer
from lineshaft.gateway.store import BufferOptions
from lineshaft.wire.notes import EventNote, decode_notes

buffer = Buffer(Path(sys.argv[1]) / "buffer", SystemClock(), ["hub"], BufferOptions(10**9, None, subject="gw"))
buffer.open()
for number in range(1, buffer.last + 1):
    frame = buffer.read(number)
    for note in decode_notes(frame.note) if frame is not None and frame.note else ():
        if isinstance(note, EventNote):
            print(note.event.kind)
    if frame is not None and frame.batch is not None and frame.batch.waves is not None:
        print(*[int(wave.samples[0]) for wave in frame.batch.waves if wave is not None])
"""


async def killed_after_four(folder: Path, first: int, heat: str) -> None:
    """Run a gateway until four bursts were taken and dealt with, then kill -9 it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUN, str(folder), str(first), heat, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        while (line := await process.stdout.readline()) not in (b"taken\n", b""):
            pass
    assert line == b"taken\n"
    process.send_signal(signal.SIGKILL)
    await process.wait()


async def buffered(folder: Path) -> list[str]:
    """The first sample of each burst and the kind of each event in the buffer, in their order."""
    command = [sys.executable, "-c", SENT, str(folder)]
    told = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, capture_output=True, text=True, check=True)
    return told.stdout.split()


async def test_the_bursts_before_a_finding_survive_a_kill(tmp_path: Path) -> None:
    """Four bursts while all is well, a kill -9, then heat: the three before the finding are sent, and two after it."""
    await killed_after_four(tmp_path, 0, "cold")
    assert sorted(file.suffix for file in (tmp_path / "bursts").rglob("*.burst")) == [".burst"] * 3
    await killed_after_four(tmp_path, 10, "hot")
    sent = [int(word) for word in await buffered(tmp_path) if word.isdigit()]
    assert sent[:3] == [2, 3, 4]
    assert {11, 12} <= set(sent) <= {2, 3, 4, 11, 12, 13}


async def test_a_fault_that_stays_is_told_once_whatever_is_killed(tmp_path: Path) -> None:
    """A finding, a kill -9, and four more bursts that show the fault: it is not told a second time."""
    await killed_after_four(tmp_path, 0, "damaged")
    await killed_after_four(tmp_path, 10, "damaged")
    kinds = [word for word in await buffered(tmp_path) if word.startswith("maintenance.")]
    assert kinds == ["maintenance.finding"]
    (known,) = (one.known for one in HeldBursts(tmp_path / "bursts").restore([PATH]).values())
    assert known is not None
    assert {kind: (one.seen, one.missed) for kind, one in known.faults.items()} == {"outer_race": (8, 0)}


def row(time: int) -> SampleBatch:
    return SampleBatch.of_waves([7], [time], [Waveform.of(np.arange(40) + time, 100.0, 1500.0)])


def held(folder: Path) -> Holding:
    return HeldBursts(folder).restore([PATH])[PATH]


def test_files_follow_what_is_held(tmp_path: Path) -> None:
    """Times, samples, rate, speed and counters come back in order; what is not held any more has no file."""
    store = HeldBursts(tmp_path)
    store.update({PATH: Holding((row(1), row(2)), 5, 0, 0.25)})
    store.update({PATH: Holding((row(2), row(3)), 6, 1, 0.5)})
    store.sync()
    back = held(tmp_path)
    assert [int(one.times[0]) for one in back.rows] == [2, 3]
    assert (back.seen, back.owed, back.sent_rms) == (6, 1, 0.5)
    wave = back.rows[1].waves[0] if back.rows[1].waves is not None else None
    assert wave is not None
    assert (wave.samples.tolist(), wave.rate, wave.speed) == ((np.arange(40) + 3).tolist(), 100.0, 1500.0)
    again = HeldBursts(tmp_path)
    again.restore([PATH])
    again.update({PATH: Holding((), 7)})
    assert held(tmp_path).rows == ()


def test_a_damaged_file_costs_its_burst_alone(tmp_path: Path) -> None:
    """A torn file is removed; the others and the counters stay. Folders of waveforms that are gone are removed."""
    HeldBursts(tmp_path).update({PATH: Holding((row(1), row(2)), 2), "acme/gone": Holding((row(1),), 1)})
    (torn,) = (file for file in tmp_path.rglob("1.burst") if len(list(file.parent.iterdir())) == 3)
    os.truncate(torn, 50)
    back = held(tmp_path)
    assert ([int(one.times[0]) for one in back.rows], back.seen) == ([2], 2)
    assert not torn.exists()
    assert len(list(tmp_path.iterdir())) == 1


def test_a_disk_that_takes_nothing_stops_nothing(tmp_path: Path) -> None:
    """Where the folder cannot be made the bursts live in memory, and nothing is raised."""
    (tmp_path / "file").write_text("in the way")
    store = HeldBursts(tmp_path / "file")
    store.update({PATH: Holding((row(1),), 1)})
    assert list(store.restore([PATH])) == []

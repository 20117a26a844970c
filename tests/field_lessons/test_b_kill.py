"""Lesson b: a kill in the middle of an outage costs others the page that was not written yet."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.gateway.helpers import Host, until
from tests.hub.mqtt import Mosquitto

KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
import numpy as np
from tests.gateway.helpers import plant
from lineshaft.clock import SystemClock
from lineshaft.drivers.base import DriverSpec
from lineshaft.gateway.plan import make_plan
from lineshaft.gateway.options import GatewayOptions
from lineshaft.gateway.runtime import Gateway
from lineshaft.gateway.uplinks.mqtt import BrokerAccess
from lineshaft.model.samples import SampleBatch
from lineshaft.testing import ScriptedAddress, ScriptedOptions

START = 1_700_000_000_000_000

class Tape:
    at = 0
    async def connect(self): pass
    async def close(self): pass
    def position(self): return str(self.at)
    def resume(self, position): self.at = int(position)
    async def read(self, points):
        n = np.arange(self.at, self.at + 37)
        self.at += 37
        return SampleBatch.of(np.full(37, points[0].handle), START + n, n)

one = plant({"press": ["force"]}, poll="5ms", pipeline={"report": "all"})
spec = DriverSpec("scripted", "", ScriptedOptions, ScriptedAddress, lambda _: Tape())

async def main():
    print("begins", flush=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    options = GatewayOptions(one.gateway, Path(sys.argv[1]), BrokerAccess("127.0.0.1", int(sys.argv[2])), SystemClock())
    await Gateway(make_plan(one), {"scripted": spec}, options).run(stop)

asyncio.run(main())
"""


def start(folder: Path, broker: Mosquitto) -> subprocess.Popen[bytes]:
    """The gateway as a process of its own, its program loaded."""
    command = [sys.executable, "-c", KILLED, str(folder), str(broker.port)]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def end(process: subprocess.Popen[bytes], how: signal.Signals) -> int:
    """Send a signal and wait; returns the exit code."""
    process.send_signal(how)
    code = process.wait(60)
    assert process.stdout is not None
    process.stdout.close()
    return code


@pytest.mark.slow
async def test_kill_9_in_the_middle_of_an_outage_loses_and_repeats_nothing(
    broker: Mosquitto, host: Host, folder: Path
) -> None:
    """Ten kills of the whole gateway, half of them without a broker: every sample arrives, once, with its own time."""
    for turn in range(10):
        if turn == 3:
            broker.stop()
        if turn == 8:
            broker.start()
        process = await asyncio.to_thread(start, folder, broker)
        await asyncio.sleep(0.5 + 0.07 * turn)
        end(process, signal.SIGKILL)
    await until(lambda: host.client.is_connected())
    host.state(True)
    process = await asyncio.to_thread(start, folder, broker)
    births = len(host.log.of("NBIRTH"))
    await until(lambda: len(host.log.of("NBIRTH")) > births)
    await until(lambda: len(host.samples("force")) > 3_500)
    assert await asyncio.to_thread(end, process, signal.SIGTERM) == 0
    await until(lambda: host.log.of("NDEATH"))
    times = [row[1] - 1_700_000_000_000_000 for row in host.samples("force") if row[2] is not None]
    assert sorted(times) == list(range(len(times)))
    assert len(times) > 3_000

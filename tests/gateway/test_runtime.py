"""The gateway as a whole."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.gateway.helpers import Host, plant, running, until
from tests.hub.mqtt import Mosquitto

from lineshaft.config.models import GatewayConfig
from lineshaft.errors import ConfigError
from lineshaft.gateway.runtime import GatewayOptions, broker_access
from lineshaft.gateway.uplinks.mqtt import BrokerAccess
from lineshaft.testing import FieldDevice
from lineshaft.wire.notes import EventNote, LedgerNote, StatusNote

FAST_LEDGER = {"ledger_interval": "200ms"}


async def test_the_ledger_is_told_what_entered_the_buffer(broker: Mosquitto, host: Host, folder: Path) -> None:
    """The last total of each signal is the number of its samples that arrived, over a restart too."""
    device = FieldDevice(force=0.0, stroke=5.0)
    one = plant({"press": ["force", "stroke"]}, poll="20ms", gateway=FAST_LEDGER)
    for _ in range(2):
        async with running(one, {"press": device}, broker.port, folder):
            for step in range(50):
                device.values["force"] = float(step)
                await asyncio.sleep(0.02)
    totals: dict[str, int] = {}
    for note in host.notes:
        if isinstance(note, LedgerNote):
            totals |= note.totals
    arrived = Counter(row[0] for rows in host.frames.values() for row in rows)
    assert totals == arrived
    assert arrived["acme/north/hall/press/force"] > 40


async def test_a_status_tells_how_devices_buffer_and_uplinks_do(broker: Mosquitto, host: Host, folder: Path) -> None:
    """The status is sent every few seconds and is not kept: it has no frame."""
    device = FieldDevice(force=1.0)
    async with running(plant({"press": ["force"]}), {"press": device}, broker.port, folder) as gateway:
        await until(lambda: any(isinstance(note, StatusNote) and note.devices[0].polls > 50 for note in host.notes))
        last = [note for note in host.notes if isinstance(note, StatusNote)][-1]
        assert (last.devices[0].id, last.devices[0].state) == ("press", "online")
        assert 10 < last.devices[0].rate < 30
        assert last.uplinks[0].state == "online"
        assert last.buffer.max_bytes == 10**9
        assert gateway.status().version == last.version != ""


async def test_a_device_of_the_wrong_type_is_told(broker: Mosquitto, host: Host, folder: Path) -> None:
    """Text where a number was announced gives one event that says how to mend it."""
    device = FieldDevice(force="much")
    async with running(plant({"press": ["force"]}), {"press": device}, broker.port, folder):
        await until(lambda: any(isinstance(n, EventNote) and n.event.kind == "signal.type" for n in host.notes))
    (event,) = [n.event for n in host.notes if isinstance(n, EventNote) and n.event.kind == "signal.type"]
    assert event.subject == "acme/north/hall/press/force"
    assert "datatype: String" in str(event.details["mend"])


@pytest.fixture
def passwords(tmp_path: Path) -> Path:
    """A password file of Mosquitto."""
    path = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(path), "gw", "right words"], check=True)
    return path


async def test_a_wrong_password_is_told(tmp_path: Path, folder: Path, passwords: Path) -> None:
    """The gateway says that access was refused, and goes on measuring into its buffer."""
    broker = Mosquitto(tmp_path, passwords, "user gw\ntopic readwrite spBv1.0/#\n")
    broker.start()
    uplink = {"broker": f"mqtt://127.0.0.1:{broker.port}", "user": "gw", "password_file": "secret"}
    (folder / "secret").write_text("wrong words\n")
    one = plant({"press": ["force"]}, gateway={"uplinks": [uplink]})
    async with running(one, {"press": FieldDevice(force=1.0)}, broker.port, folder) as gateway:
        await until(lambda: gateway.status().uplinks[0].state == "offline")
        assert "refused" in gateway.status().uplinks[0].error
        await until(lambda: gateway.status().buffer.rows == 1)
    broker.stop()


def test_bad_uplink_options_are_clear_errors(tmp_path: Path) -> None:
    """A missing password file, a missing broker and a bad address are refused before anything is connected."""

    def access(**keys: str) -> BrokerAccess:
        config = GatewayConfig.model_validate({"uplinks": [keys]})
        return broker_access(config.uplinks[0], GatewayOptions(config, tmp_path))

    with pytest.raises(ConfigError, match="password file"):
        access(broker="mqtt://a:1", password_file="none")
    with pytest.raises(ConfigError, match="names no broker"):
        access()
    for url in ("http://a", "mqtt://", "mqtt://a:x", "a:1883"):
        with pytest.raises(ConfigError, match="no broker address"):
            access(broker=url)
    assert access(broker="mqtts://a", user="u") == BrokerAccess("a", 8883, "u", tls=True)


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
import numpy as np
from tests.gateway.helpers import plant
from lineshaft.clock import SystemClock
from lineshaft.drivers.base import DriverSpec
from lineshaft.gateway.plan import make_plan
from lineshaft.gateway.runtime import GatewayOptions, run
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
    await run(make_plan(one), {"scripted": spec}, options, stop)

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
    code = process.wait(10)
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
    await asyncio.sleep(1.0)
    assert await asyncio.to_thread(end, process, signal.SIGTERM) == 0
    await until(lambda: host.log.of("NDEATH"))
    times = [row[1] - 1_700_000_000_000_000 for row in host.samples("force") if row[2] is not None]
    assert sorted(times) == list(range(len(times)))
    assert len(times) > 3_000


async def test_each_signal_shows_what_its_pipeline_did(broker: Mosquitto, host: Host, folder: Path) -> None:
    """Rows in, rows out and rows dropped by each step add up, for a signal and for all of a kind, computed ones too."""
    device = FieldDevice(force=1.0, count=0.0)
    one = plant(
        {"press": ["force", {"name": "count", "kind": "counter"}]},
        poll="20ms",
        derived=[{"name": "rate", "asset": "hall/press", "rate": {"of": "hall/press/count", "per": "s"}}],
        edge_rules=[{"id": "pulled", "asset": "hall/press", "inputs": {"f": "hall/press/force"}, "when": "f > 5",
                     "message": "Pulled."}],
    )  # fmt: skip
    async with running(one, {"press": device}, broker.port, folder) as gateway:
        for step in range(30):
            device.values["count"] = float(step)
            await asyncio.sleep(0.02)
        device.values["force"] = 9.0
        await until(lambda: any(isinstance(note, EventNote) and "pulled" in note.event.kind for note in host.notes))
        await until(lambda: len(host.samples("rate")) > 5)
        force = gateway.pipeline_of("acme/north/hall/press/force")
        assert force.rows_in > 30
        assert force.rows_out == 2 == force.rows_in - force.dropped["exception"]
        assert gateway.pipeline_of("acme/north/hall/press/rate").rows_in > 5
        steps = {(step.name, step.kind): step for step in gateway.status().steps}
        assert steps["map", "counter"].rows_in >= 30
        last = steps["exception", "measure"]
        assert last.rows_out == last.rows_in - last.dropped < last.rows_in
        with pytest.raises(KeyError):
            gateway.pipeline_of("acme/north/hall/press/none")


async def test_what_a_door_held_back_is_sent_at_the_end(broker: Mosquitto, host: Host, folder: Path) -> None:
    """A stopped gateway leaves no row behind in a swinging door."""
    device = FieldDevice(force=1.0)
    one = plant({"press": ["force"]}, poll="20ms", pipeline={"compress": "swinging-door", "deadband": 0.5})
    async with running(one, {"press": device}, broker.port, folder) as gateway:
        await until(lambda: gateway.pipeline_of("acme/north/hall/press/force").rows_in > 20)
    assert len(host.samples("force")) == 2

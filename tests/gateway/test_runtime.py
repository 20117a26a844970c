"""The gateway as a whole."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import pytest
from tests.gateway.helpers import Host, plant, running, until
from tests.hub.mqtt import Mosquitto

from lineshaft.config.models import GatewayConfig
from lineshaft.errors import ConfigError
from lineshaft.gateway.options import GatewayOptions, broker_access
from lineshaft.gateway.uplinks.mqtt import BrokerAccess
from lineshaft.testing import FieldDevice
from lineshaft.wire.notes import EventNote, LedgerNote, PipelineNote, StatusNote

FAST_LEDGER = {"ledger_interval": "200ms"}


async def test_the_ledger_is_told_what_entered_the_buffer(broker: Mosquitto, host: Host, folder: Path) -> None:
    """The last total of each signal is the number of its samples that arrived, over a restart too."""
    device = FieldDevice(force=0.0, stroke=5.0)
    one = plant({"press": ["force", "stroke"]}, poll="20ms", gateway=FAST_LEDGER)
    for _ in range(2):
        async with running(one, {"press": device}, broker.port, folder):
            for step in range(50):
                device.values["force"], read = float(step), device.reads
                await until(lambda read=read: device.reads > read + 1)  # type: ignore[misc]
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
        assert 0 < last.devices[0].rate < 30  # how much below 20 is the load of the computer
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
            device.values["count"], read = float(step), device.reads
            await until(lambda read=read: device.reads > read + 1)  # type: ignore[misc]
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
        told = sum(isinstance(note, PipelineNote) for note in host.notes)
        assert told, "a hub is told as soon as it is there"
        host.state(False)
        await until(lambda: not gateway.connected())
        host.state(True)  # a hub that started anew knows nothing
        await until(lambda: sum(isinstance(note, PipelineNote) for note in host.notes) > told)


async def test_what_a_door_held_back_is_sent_at_the_end(broker: Mosquitto, host: Host, folder: Path) -> None:
    """A stopped gateway leaves no row behind in a swinging door."""
    device = FieldDevice(force=1.0)
    one = plant({"press": ["force"]}, poll="20ms", pipeline={"compress": "swinging-door", "deadband": 0.5})
    async with running(one, {"press": device}, broker.port, folder) as gateway:
        await until(lambda: gateway.pipeline_of("acme/north/hall/press/force").rows_in > 20)
    assert len(host.samples("force")) == 2

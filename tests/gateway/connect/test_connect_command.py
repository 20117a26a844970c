"""`lineshaft connect` and `lineshaft opcua trust` against devices by other authors and on real sockets."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.drivers.modbus.device import FieldDevice
from tests.drivers.modbus.test_identify import sunspec_map
from tests.drivers.opcua.servers import Peer, peer_modules
from typer.testing import CliRunner, Result

from lineshaft.cli import app
from lineshaft.commands.plants import find_plant, own_copy
from lineshaft.config.bundle import digest, read_bundle
from lineshaft.config.load import load_plant
from lineshaft.drivers.builtin import DRIVERS
from lineshaft.errors import AccessDenied, ConfigError, ConnectionFailed

PLANT = """plant: {enterprise: acme, site: north, name: North, timezone: UTC}
equipment:
  - {id: hall, level: area, children: [{id: press, level: asset}]}
"""


class Loop:
    """An event loop for devices, beside the one of the command."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(90)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    folder = tmp_path / "plant"
    folder.mkdir()
    (folder / "plant.yaml").write_text(PLANT)
    return folder


def command(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_a_modbus_meter_is_connected_by_its_address(loop: Loop, plant: Path, tmp_path: Path) -> None:
    """It says what it is; the profile is taken, the file is written, and the plant is right with it."""
    meter = FieldDevice()
    meter.put("holding", 40000, sunspec_map())
    loop.do(meter.start())
    try:
        address = f"modbus-tcp://127.0.0.1:{meter.port}/1"
        shown = command("connect", address, "--asset", "hall/meters/meter-1", "--dry-run", "--plant", str(plant))
        assert shown.exit_code == 0, f"{shown.exception} {shown.output}"
        assert "ACME Meter 7 1.4" in shown.output
        assert "profile: sunspec-meter-203" in shown.output
        assert not (plant / "meter-1.yaml").exists()
        done = command("connect", address, "--asset", "hall/meters/meter-1", "--plant", str(plant))
        assert done.exit_code == 0, done.output
    finally:
        loop.do(meter.stop())
    loaded = load_plant(plant, DRIVERS)
    (device,) = loaded.devices
    assert (device.id, device.profile, device.connection.offset) == ("meter-1", "sunspec-meter-203", 40000 + 4 + 66)
    assert device.signals[0].asset == "hall/meters/meter-1"
    again = command("connect", address, "--asset", "hall/meters/meter-1", "--plant", str(plant))
    assert isinstance(again.exception, ConnectionFailed | ConfigError)


def test_signals_may_be_named(loop: Loop, plant: Path) -> None:
    """A device that says nothing of itself gets the signals of the command line; without them it is told what to do."""
    plc = FieldDevice()
    plc.put("holding", 0, [5, 1234])
    loop.do(plc.start())
    try:
        address = f"modbus-tcp://127.0.0.1:{plc.port}/1?timeout=300ms"
        without = command("connect", address, "--plant", str(plant))
        assert isinstance(without.exception, ConfigError)
        assert "--profile" in str(without.exception)
        done = command(
            "connect", address, "--plant", str(plant), "--asset", "hall/press", "--signal", "Speed=holding:1,1/min",
            "--json",
        )  # fmt: skip
    finally:
        loop.do(plc.stop())
    assert done.exit_code == 0, done.output
    document = json.loads(done.output)
    assert (document["ok"], document["device"], document["written"]) == (True, "press", True)
    (device,) = load_plant(plant, DRIVERS).devices
    assert [(one.name, one.unit, one.asset) for one in device.signals] == [("speed", "1/min", "hall/press")]


def test_a_secured_server_is_trusted_by_command(loop: Loop, plant: Path, tmp_path: Path) -> None:
    """Unknown at first; listed with its thumbprint; accepted by the beginning of it; rejected again."""
    peer = Peer(peer_modules(), tmp_path / "pki")
    data = ("--data", str(tmp_path / "data"))
    loop.do(peer.start())
    try:
        words = ("connect", peer.url, "--plant", str(plant), "--match", "pressure", "--asset", "hall/press", *data)
        refused = command(*words)
        assert isinstance(refused.exception, AccessDenied)
        (entry,) = json.loads(command("opcua", "trust", str(plant), *data, "--json").output)["entries"]
        assert entry["state"] == "rejected"
        assert entry["thumbprint"] in refused.output
        accepted = command("opcua", "trust", str(plant), "accept", entry["thumbprint"][:8], *data)
        assert "trusted" in accepted.output
        done = command(*words)
        assert done.exit_code == 0, done.output
    finally:
        loop.do(peer.kill())
    (device,) = load_plant(plant, DRIVERS).devices
    assert device.connection.security == "Aes256_Sha256_RsaPss"
    assert [(one.name, one.unit) for one in device.signals] == [("pressure", "bar")]
    assert "rejected" in command("opcua", "trust", str(plant), "reject", entry["thumbprint"][:8], *data).output


def test_a_plant_that_comes_along_is_copied_before_it_is_changed(tmp_path: Path) -> None:
    """A copy that a person changed stays; one that nobody changed follows the original; own folders stay in place."""
    original = find_plant("demo")
    copy = own_copy(original, tmp_path)
    assert read_bundle(copy) == read_bundle(original)
    assert load_plant(copy, DRIVERS).plant == load_plant(original, DRIVERS).plant
    (copy / "more.yaml").write_text("pipeline: {}\n")
    assert own_copy(original, tmp_path) == copy
    assert (copy / "more.yaml").exists()
    (tmp_path / "plant.origin").write_text(digest(read_bundle(copy)))  # as if the original had been another
    own_copy(original, tmp_path)
    assert read_bundle(copy) == read_bundle(original)
    assert own_copy(copy, tmp_path) == copy

"""Whole installations as processes: `lineshaft up` and `lineshaft demo` from the command to the answer of the API."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from tests.ports import free_port
from tests.turns import turn

PLANTS = Path(__file__).parents[2] / "plants"
PLANT = """
plant: {{enterprise: acme, site: works, name: {name}, timezone: UTC}}
equipment: [{{id: pump-1, type: pump}}]
devices:
  - {{id: pump-1, driver: modbus-tcp, connection: {{host: 127.0.0.1, port: {free}, timeout: 1s}}, asset: pump-1,
     signals: [{{name: flow, address: "input:0", unit: m3/h}}]}}
hub: {{port: {page}, broker_port: {broker}}}
"""
pytestmark = pytest.mark.slow


class Running:
    """A supervisor process and what it says."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path, data: Path) -> None:
        self.process = process
        self.data = data
        self._output = output

    def said(self, pattern: str, seconds: float = 120.0) -> re.Match[str]:
        """The first match of `pattern` in the output; fails when it does not come."""

        def look() -> re.Match[str] | None:
            assert self.process.poll() is None or re.search(pattern, self.text()), self.text()
            return re.search(pattern, self.text())

        return until(look, seconds)

    def text(self) -> str:
        return self._output.read_text()

    def pid(self, name: str) -> int:
        """The process of a part, as its lock file has it."""
        return int((self.data / f"{name}.lock").read_text() or 0)

    def end(self) -> float:
        """SIGTERM; gives the seconds until the process has ended."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0, self.text()
        return time.monotonic() - began


def until(look: Callable[[], Any], seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("it did not happen in time")


@contextmanager
def running(*arguments: str, data: Path) -> Iterator[Running]:
    output = data.with_suffix(".out")
    command = [sys.executable, "-m", "lineshaft", *arguments, "--data", str(data)]
    starting = ExitStack()
    if "demo" in arguments:
        starting.enter_context(turn("demo"))
    with output.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        children: list[psutil.Process] = []
        try:
            made = Running(process, output, data)
            with starting:
                if "demo" in arguments:
                    made.said("Open http", 240)
            yield made
        finally:
            if process.poll() is None:
                children = psutil.Process(process.pid).children(recursive=True)
                process.kill()
                process.wait(60)
    gone, alive = psutil.wait_procs(children, timeout=60)
    assert not alive, gone


class Api:
    """The hub's API with a cookie."""

    def __init__(self, base: str) -> None:
        self._client = httpx.Client(base_url=f"{base}/api/v1", headers={"origin": base}, timeout=20)

    def get(self, path: str) -> Any:
        return self._client.get(path).raise_for_status().json()

    def post(self, path: str, body: Any) -> Any:
        return self._client.post(path, json=body).raise_for_status().json()

    def alive(self) -> bool:
        try:
            self.get("/alive")
        except httpx.HTTPError:
            return False
        return True

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as entered:
        yield entered


def test_up_restarts_reloads_and_ends(tmp_path: Path, stack: ExitStack) -> None:
    """A killed hub comes back; a wrong plant is refused and a right one taken, where it must after a restart by one
    press; SIGTERM ends all within ten seconds."""
    page, broker, free = free_port(), free_port(), free_port()
    plant = tmp_path / "plant"
    plant.mkdir()
    text = PLANT.format(name="Works", page=page, broker=broker, free=free)
    (plant / "plant.yaml").write_text(text)
    with running("up", str(plant), data=tmp_path / "data") as up:
        up.said(r"gateway is ready")
        api = stack.enter_context(closing(Api(f"http://127.0.0.1:{page}")))
        assert api.alive()
        secret = up.said(r"/setup\?link=(\S+)")[1]
        api.post("/setup", {"link": secret, "name": "anna", "password": "a long and unusual sentence"})

        hub = up.pid("hub")
        os.kill(hub, signal.SIGKILL)
        up.said(r"hub ended \(killed by SIGKILL\), starting it again")
        until(lambda: up.pid("hub") != hub and api.alive(), 60)

        log = tmp_path / "data" / "logs" / "gateway.log"
        (plant / "plant.yaml").write_text(text.replace("m3/h", "kwh"))
        until(lambda: "the changed plant is refused" in log.read_text(), 30)
        (plant / "plant.yaml").write_text(text.replace("name: flow", "name: flow-rate"))
        until(lambda: log.read_text().count("gateway.started") == 2, 60)

        assert api.get("/restart")["waiting"] == []
        (plant / "plant.yaml").write_text(text.replace("hub: {", "hub: {rate_limit: 900, "))
        until(lambda: api.get("/restart")["waiting"] == ["hub"], 60)
        hub = up.pid("hub")
        assert api.post("/restart", {})["seconds"] > 0
        until(lambda: api.alive() and api.get("/restart")["waiting"] == [], 60)
        assert up.pid("hub") == hub  # the process that systemd or the supervisor knows
        assert [one["message"] for one in api.get("/events?limit=500")["items"] if one["kind"] == "hub.restart"] == [
            "anna started the hub anew"
        ]

        parts = psutil.Process(up.process.pid).children(recursive=True)
        assert up.end() < 10
        assert not [part for part in parts if part.is_running()]


def test_demo_from_nothing_to_moving_numbers(tmp_path: Path, stack: ExitStack) -> None:
    """`lineshaft demo` gives a past, a link for the first user, and values that move; a second start goes on."""
    plant = tmp_path / "demo"
    shutil.copytree(PLANTS / "demo", plant)
    file = plant / "plant.yaml"
    file.write_text(re.sub(r"history: \w+", "history: 6h", file.read_text()))
    with running("demo", str(plant), data=tmp_path / "data") as demo:
        address, secret = demo.said(r"Open (http://\S+)/setup\?link=(\S+)", 180).groups()
        api = stack.enter_context(closing(Api(address)))
        api.post("/setup", {"link": secret, "name": "anna", "password": "a long and unusual sentence"})
        signals = api.get("/signals?limit=1000")["items"]
        power = next(one for one in signals if one["path"].endswith("main-meter/power"))

        def rows() -> list[int]:
            now = time.time_ns() // 1000
            query = f"/series?signals={power['id']}&start={now - 7 * 3_600_000_000}&end={now}"
            times: list[int] = api.get(query)["series"][0]["time"]
            return times

        until(lambda: len(rows()) > 60 and rows()[-1] - rows()[0] > 5.9 * 3_600_000_000, 120)
        newest = rows()[-1]
        until(lambda: rows()[-1] > newest, 60)
        assert demo.end() < 10
    with running("demo", str(plant), data=tmp_path / "data") as demo:
        address = demo.said(r"Open (http://\S+)", 180)[1]
        assert "link=" not in address
        assert stack.enter_context(closing(Api(address))).alive()
        assert demo.end() < 10

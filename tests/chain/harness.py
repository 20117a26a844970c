"""The real parts of the chain as processes, killed and cut at will, and exact counts of what arrived."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.ipc
from tests.ports import free_port

PASSWORD = "correct horse battery staple 9"


@dataclass
class Process:
    """One part; `ready` is set by its own word."""

    name: str
    command: list[str]
    log: Path
    popen: subprocess.Popen[str] | None = None
    ready: threading.Event = field(default_factory=threading.Event)
    link: str = ""
    reader: threading.Thread | None = None

    def start(self, seconds: float = 60.0) -> None:
        self.launch()
        assert self.ready.wait(seconds), f"{self.name} was not ready in {seconds} s:\n{self.tail()}"

    def launch(self) -> None:
        self.ready.clear()
        environment = {**os.environ, "LINESHAFT_SUPERVISED": "1"}
        self.popen = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=environment,
        )  # fmt: skip
        self.reader = threading.Thread(target=self._read, args=(self.popen,), daemon=True)
        self.reader.start()

    def ended(self) -> bool:
        return self.popen is None or self.popen.poll() is not None

    def _read(self, popen: subprocess.Popen[str]) -> None:
        assert popen.stdout is not None
        with self.log.open("a") as log:
            for line in popen.stdout:  # ends with the process
                log.write(line)
                log.flush()
                if line.startswith("@lineshaft "):
                    message = json.loads(line.removeprefix("@lineshaft "))
                    if message["kind"] == "ready":
                        self.ready.set()
                    elif message["kind"] == "link":
                        self.link = message["words"]

    def kill(self) -> None:
        assert self.popen is not None
        assert self.popen.poll() is None, f"{self.name} had ended by itself:\n{self.tail()}"
        self.popen.send_signal(signal.SIGKILL)
        self._reap(self.popen)

    def gone(self) -> bool:
        """End it the hard way; True when it had ended by itself."""
        assert self.popen is not None
        ended = self.popen.poll() is not None
        self.popen.send_signal(signal.SIGKILL)
        self._reap(self.popen)
        return ended

    def _reap(self, popen: subprocess.Popen[str], seconds: float | None = None) -> None:
        popen.wait(seconds)
        if self.reader is not None:
            self.reader.join()
        for stream in (popen.stdin, popen.stdout):
            if stream is not None:
                stream.close()

    def stop(self, seconds: float = 20.0) -> float:
        """SIGTERM; gives the seconds until it was gone."""
        assert self.popen is not None
        started = time.monotonic()
        self.popen.terminate()
        self._reap(self.popen, seconds)
        return time.monotonic() - started

    def tail(self) -> str:
        return self.log.read_text()[-3000:] if self.log.exists() else ""


@dataclass
class Mosquitto:
    """Debian's broker in place of the embedded one."""

    port: int
    folder: Path
    popen: subprocess.Popen[bytes] | None = None
    config: str = "allow_anonymous true\n"

    def start(self) -> None:
        file = self.folder / "mosquitto.conf"
        file.write_text(f"listener {self.port} 127.0.0.1\n{self.config}max_queued_messages 10000\n")
        binary = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.popen = subprocess.Popen([binary, "-c", str(file)], stdout=log, stderr=log)
        wait_for(lambda: _listens(self.port), 60, "mosquitto")

    def stop(self) -> None:
        assert self.popen is not None
        self.popen.kill()
        self.popen.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition: Any, seconds: float, what: str, step: float = 0.1) -> None:
    """Ask until it holds; AssertionError when it does not in time."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        pause.wait(step)


class Chain:
    """Broker, hub and gateway of one plant folder; `api` after `sign_up`."""

    def __init__(self, folder: Path, plant: str, *, mosquitto: bool = False, hub_keys: str = "") -> None:
        self.root = folder
        self.plant = folder / "plant"
        self.plant.mkdir(parents=True)
        self.data = folder / "data"
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.port, broker_port = free_port(), free_port()
        self.mosquitto = Mosquitto(broker_port, folder) if mosquitto else None
        hub = f"hub:\n  port: {self.port}\n"
        hub += f"  broker: mqtt://127.0.0.1:{broker_port}\n" if mosquitto else f"  broker_port: {broker_port}\n"
        (self.plant / "hub.yaml").write_text(hub + hub_keys)
        (self.plant / "plant.yaml").write_text(plant)
        self.broker = self._part("broker")
        self.hub = self._part("hub")
        self.gateway = self._part("gateway")
        self.api = httpx.Client(base_url=f"http://127.0.0.1:{self.port}/api/v1", timeout=60)

    def _part(self, name: str) -> Process:
        command = [sys.executable, "-m", "lineshaft", "part", name, str(self.plant), f"--data={self.data}"]
        return Process(name, command, self.root / f"{name}.log")

    def start_broker(self) -> None:
        if self.mosquitto is not None:
            self.mosquitto.start()
        else:
            self.broker.start()

    def stop_broker(self) -> None:
        if self.mosquitto is not None:
            self.mosquitto.stop()
        else:
            self.broker.kill()

    def start(self) -> None:
        self.start_broker()
        self.hub.start()
        self.sign_up()
        self.gateway.start()

    def sign_up(self) -> None:
        """Make the first user through the one-time link, as a person would, and keep an API token."""
        wait_for(lambda: bool(self.hub.link), 60, "one-time link")
        code = re.search(r"link=([^&\s]+)", self.hub.link)
        assert code, self.hub.link
        origin = {"Origin": f"http://127.0.0.1:{self.port}"}
        made = self.api.post("/setup", json={"link": code[1], "name": "ada", "password": PASSWORD}, headers=origin)
        assert made.status_code < 300, made.text
        signed = self.api.post("/session", json={"name": "ada", "password": PASSWORD}, headers=origin)
        assert signed.status_code < 300, signed.text
        token = self.api.post("/tokens", json={"name": "test", "role": "admin"}, headers=origin)
        assert token.status_code < 300, token.text
        self.api.cookies.clear()
        self.api.headers["Authorization"] = f"Bearer {token.json()['token']}"

    def signals(self) -> dict[str, int]:
        """Path -> id of everything that the catalogue knows."""
        return {item["path"]: item["id"] for item in self.described()}

    def described(self) -> list[dict[str, Any]]:
        """Every signal of the catalogue."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = self.api.get("/signals", params={"limit": 1000, **({"cursor": cursor} if cursor else {})})
            assert page.status_code == 200, page.text
            document = page.json()
            found += document["items"]
            cursor = document.get("next")
            if not cursor:
                return found

    def rows(self, signals: list[int]) -> pa.Table:
        """Every stored row of these signals through the export of the API."""
        answer = self.api.get(
            "/export",
            params={"signals": ",".join(map(str, signals)), "start": 0, "end": 4_000_000_000_000_000,
                    "format": "arrow"},
        )  # fmt: skip
        assert answer.status_code == 200, answer.text[:500]
        return pa.ipc.open_stream(io.BytesIO(answer.content)).read_all()

    def table(self, prefix: str) -> pa.Table:
        """Every stored row of the signals whose path starts so."""
        return self.rows([number for path, number in self.signals().items() if path.startswith(prefix)])

    def ledger(self) -> dict[str, dict[str, Any]]:
        """Path -> row of the gap ledger."""
        answer = self.api.get("/ledger")
        assert answer.status_code == 200, answer.text
        return {row["signal"]: row for row in answer.json()["items"]}

    def arrived(self, prefix: str) -> int:
        """How many rows the ledger has counted of all signals whose path starts so."""
        return sum(row["arrived"] for path, row in self.ledger().items() if path.startswith(prefix))

    def close(self) -> None:
        for process in (self.gateway, self.hub, self.broker):
            if process.popen is not None and process.popen.poll() is None:
                process.kill()
        if self.mosquitto is not None and self.mosquitto.popen is not None:
            with contextlib.suppress(ProcessLookupError):
                self.mosquitto.stop()
        self.api.close()


@contextlib.contextmanager
def chain(folder: Path, plant: str, *, mosquitto: bool = False, hub_keys: str = "") -> Iterator[Chain]:
    """A chain that is gone afterwards, whatever happens."""
    made = Chain(folder, plant, mosquitto=mosquitto, hub_keys=hub_keys)
    try:
        yield made
    finally:
        made.close()

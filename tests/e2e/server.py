"""A hub in a process of its own, for tests of the page."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.sync_api import Page
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
PASSWORD = "three or four words"
START_SECONDS = 60.0

Open = Callable[..., Page]


@dataclass
class Hub:
    """A running hub; `stop` and `start` it as a power cut would."""

    port: int
    password: str
    process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> str:
        """Start the process and wait until it answers; gives the lines that it printed."""
        command = [sys.executable, str(ROOT / "tests/hub/dev_server.py"), "--port", str(self.port)]
        if self.password:
            command += ["--password", self.password]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT / 'tests'}"}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert self.process.stdout is not None
        printed = ""
        for line in self.process.stdout:
            printed += line
            if "is ready" in line:
                break
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            try:
                if httpx.get(f"{self.url}/api/v1/alive").is_success:
                    return printed
            except httpx.TransportError:
                time.sleep(0.1)  # the port is not open yet; there is no event to wait for across processes
        raise AssertionError(f"the hub did not start: {printed}")

    def stop(self) -> None:
        """End the process."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None


@contextmanager
def running(password: str = PASSWORD) -> Iterator[tuple[Hub, str]]:
    """A hub, and what it printed at its start."""
    hub = Hub(free_port(), password)
    try:
        yield hub, hub.start()
    finally:
        hub.stop()

"""The supervisor's promises, with real child processes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable
from pathlib import Path

import psutil
import pytest

from lineshaft.server.messages import Message
from lineshaft.server.supervisor import Backoff, Part, PartFailed, Supervisor

COMMAND = (sys.executable, str(Path(__file__).with_name("part.py")))


def part(what: str, name: str, place: Path, stage: int = 0, ready_timeout: float = 30.0) -> Part:
    return Part(name, (what, name, str(place)), stage, ready_timeout)


async def within(seconds: float, running: Awaitable[None]) -> None:
    async with asyncio.timeout(seconds):
        await running


class Heard:
    """What the parts said, and a way to wait for more."""

    def __init__(self) -> None:
        self.all: list[tuple[str, Message]] = []
        self._more = asyncio.Event()

    def __call__(self, name: str, message: Message) -> None:
        self.all.append((name, message))
        self._more.set()

    async def until_ready(self, times: int) -> None:
        async with asyncio.timeout(30):
            while [message.kind for _, message in self.all].count("ready") < times:
                self._more.clear()
                await self._more.wait()


async def started(parts: list[Part], place: Path, drain: float = 8.0) -> tuple[Supervisor, asyncio.Task[None], Heard]:
    heard, ready = Heard(), asyncio.Event()
    supervisor = Supervisor(parts, place / "logs", heard, command=COMMAND, backoff=Backoff(0.01), drain=drain)
    running = asyncio.create_task(supervisor.run(ready.set))
    async with asyncio.timeout(30):
        await asyncio.wait((running, asyncio.create_task(ready.wait())), return_when=asyncio.FIRST_COMPLETED)
    return supervisor, running, heard


async def test_starts_in_order_and_ends_in_reverse(tmp_path: Path) -> None:
    """Parts start one after the other, speak into their log files, and end in the reverse order."""
    parts = [part("serve", "second", tmp_path, 1), part("serve", "first", tmp_path, 0)]
    supervisor, running, heard = await started(parts, tmp_path)
    assert [(name, message.kind) for name, message in heard.all] == [
        ("first", "progress"), ("first", "ready"), ("second", "progress"), ("second", "ready"),
    ]  # fmt: skip
    supervisor.stop()
    await within(60, running)
    assert (tmp_path / "order").read_text().split() == ["second", "first"]
    assert "first speaks" in (tmp_path / "logs" / "first.log").read_text()


async def test_crashed_part_comes_back(tmp_path: Path) -> None:
    """A part that is killed is started again, and people are told."""
    supervisor, running, heard = await started([part("serve", "hub", tmp_path)], tmp_path)
    pid = supervisor.pid("hub")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await heard.until_ready(2)
    assert supervisor.pid("hub") not in (None, pid)
    assert any("killed by SIGKILL" in message.words for _, message in heard.all)
    supervisor.stop()
    await within(60, running)


async def test_part_that_cannot_start(tmp_path: Path) -> None:
    """A part that ends before it is ready ends the whole, with its last words and the name of its log."""
    _, running, _ = await started([part("serve", "hub", tmp_path), part("fail", "gateway", tmp_path, 1)], tmp_path)
    with pytest.raises(PartFailed, match=r"gateway ended .*: no such device") as caught:
        await running
    assert "gateway.log" in caught.value.hint
    assert (tmp_path / "order").read_text() == "hub\n"


async def test_part_that_hangs(tmp_path: Path) -> None:
    """A part that stays silent is given up after its time."""
    _, running, _ = await started([part("mute", "hub", tmp_path, ready_timeout=1.0)], tmp_path, drain=1.0)
    with pytest.raises(PartFailed, match="silent for 1 s"):
        await running


async def test_deaf_part_is_killed(tmp_path: Path) -> None:
    """A part that ignores SIGTERM does not hold up the end beyond the drain time."""
    supervisor, running, _ = await started([part("deaf", "hub", tmp_path)], tmp_path, drain=1.0)
    supervisor.stop()
    await within(60, running)  # by itself it would never end


SUPERVISE = """
import asyncio, sys
from pathlib import Path
from lineshaft.server.supervisor import Part, Supervisor
place = Path(sys.argv[2])
parts = [Part("hub", ("serve", "hub", str(place)))]
supervisor = Supervisor(parts, place / "logs", command=(sys.executable, sys.argv[1]))
asyncio.run(supervisor.run(lambda: print("all ready", flush=True)))
"""


def test_no_orphans_after_kill_9(tmp_path: Path) -> None:
    """When the supervisor is killed with kill -9, its children end by themselves."""
    boss = subprocess.Popen([sys.executable, "-c", SUPERVISE, COMMAND[1], str(tmp_path)], stdout=subprocess.PIPE)
    with boss:
        assert boss.stdout is not None
        assert boss.stdout.readline() == b"all ready\n"
        child = psutil.Process(int((tmp_path / "hub.pid").read_text()))
        boss.kill()
    child.wait(timeout=60)
    assert (tmp_path / "order").read_text() == "hub\n"

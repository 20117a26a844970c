"""Starts the parts as child processes, restarts what crashes, and ends them all in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from lineshaft.errors import LineshaftError
from lineshaft.server.logs import PartLog
from lineshaft.server.messages import SUPERVISED, Message, understand

_log = structlog.get_logger(__name__)

LINE_LIMIT = 1 << 20
"""Longest line of a child's output that is read."""


class PartFailed(LineshaftError):
    """A part ended before it was ready."""


@dataclass(frozen=True, slots=True)
class Part:
    """One child process. Parts start stage by stage, those of one stage together, and end in the reverse order."""

    name: str
    arguments: tuple[str, ...]  # after `python -m lineshaft`
    stage: int = 0
    ready_timeout: float = 60.0  # seconds without any sign of life before it counts as hanging
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds between a crash and the next start: doubles up to `most`, begins anew after `healthy` seconds of life."""

    first: float = 0.5
    most: float = 30.0
    healthy: float = 60.0

    def after(self, crashes: int) -> float:
        """Seconds to wait after this many crashes in a row."""
        return float(min(self.most, self.first * 2 ** min(max(0, crashes - 1), 10)))


class Supervisor:
    """Runs parts until it is told to stop. `on_message` gets what the parts say, from the event loop."""

    def __init__(
        self,
        parts: Sequence[Part],
        logs: Path,
        on_message: Callable[[str, Message], None] = lambda name, message: None,
        *,
        drain: float = 8.0,
        backoff: Backoff | None = None,
        command: Sequence[str] = (sys.executable, "-m", "lineshaft"),
    ) -> None:
        self._parts = tuple(parts)
        self._logs = logs
        self._on_message = on_message
        self._drain = drain
        self._backoff = backoff or Backoff()
        self._command = tuple(command)
        self._stopping = asyncio.Event()
        self._children = {part.name: _Child(part, logs, on_message) for part in self._parts}

    def stop(self) -> None:
        """Ask for an orderly end; `run` returns within the drain time."""
        self._stopping.set()

    def hang_up(self) -> None:
        """Pass SIGHUP on to every part: read the plant again."""
        for child in self._children.values():
            if child.pid is not None:
                os.kill(child.pid, signal.SIGHUP)

    def pid(self, name: str) -> int | None:
        """The process id of a part, None while it does not run."""
        return self._children[name].pid

    async def run(self, on_ready: Callable[[], None] = lambda: None) -> None:
        """Start every part, call `on_ready` once all are, and look after them until `stop`.

        Raises PartFailed when a part ends before it was ever ready.
        """
        self._logs.mkdir(parents=True, exist_ok=True)
        watchers: list[asyncio.Task[None]] = []
        try:
            for stage in self._stages():
                if not await self._start_stage(stage):
                    return
                watchers += [asyncio.create_task(self._look_after(part), name=f"watch-{part.name}") for part in stage]
            on_ready()
            await self._stopping.wait()
        finally:
            for watcher in watchers:
                watcher.cancel()
            await asyncio.gather(*watchers, return_exceptions=True)
            await self._end_all()

    def _stages(self) -> list[list[Part]]:
        numbers = sorted({part.stage for part in self._parts})
        return [[part for part in self._parts if part.stage == number] for number in numbers]

    async def _start_stage(self, stage: Sequence[Part]) -> bool:
        """Start parts together and wait until all are ready; False when the stop came first."""
        for part in stage:
            await self._children[part.name].start(self._command)
        ready = [asyncio.create_task(self._children[part.name].wait_ready()) for part in stage]
        stop: asyncio.Task[Any] = asyncio.create_task(self._stopping.wait())
        try:
            while not all(task.done() for task in ready):
                waiting = [stop, *(task for task in ready if not task.done())]
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if stop.done():
                    return False
                for task in ready:
                    if task.done():
                        task.result()
            return True
        finally:
            for task in (*ready, stop):
                task.cancel()
            await asyncio.gather(*ready, stop, return_exceptions=True)

    async def _look_after(self, part: Part) -> None:
        """Start a part again whenever it ends, until cancelled."""
        child, crashes, loop = self._children[part.name], 0, asyncio.get_running_loop()
        while True:
            started = loop.time()
            code = await child.wait()
            crashes = 1 if loop.time() - started > self._backoff.healthy else crashes + 1
            pause = self._backoff.after(crashes)
            _log.error("a part ended and is started again", part=part.name, exit=code, in_s=pause)
            self._on_message(part.name, Message("notice", f"{part.name} ended ({_ending(code)}), starting it again"))
            await asyncio.sleep(pause)
            await child.start(self._command)

    async def _end_all(self) -> None:
        """SIGTERM in reverse order, stage by stage; each stage may use half of the time that is left."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._drain
        for stage in reversed(self._stages()):
            limit = loop.time() + max(0.5, (deadline - loop.time()) / 2)
            await asyncio.gather(*(self._children[part.name].end(limit) for part in stage))


class _Child:
    """The process of one part, and the reader of what it prints."""

    def __init__(self, part: Part, logs: Path, on_message: Callable[[str, Message], None]) -> None:
        self._part = part
        self._logs = logs
        self._on_message = on_message
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._sign_of_life = asyncio.Event()
        self._last_words = ""

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def start(self, command: Sequence[str]) -> None:
        self._ready.clear()
        self._last_words = ""
        environment = {**os.environ, **self._part.environment, SUPERVISED: "1", "PYTHONUNBUFFERED": "1"}
        self._process = await asyncio.create_subprocess_exec(
            *command,
            *self._part.arguments,
            stdin=asyncio.subprocess.PIPE,  # never written: its end tells the child that the supervisor is gone
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment,
            limit=LINE_LIMIT,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which then ends its children in order
        )
        self._reader = asyncio.create_task(self._read(self._process), name=f"read-{self._part.name}")

    async def wait(self) -> int:
        """The exit code, once the process has ended and all that it printed is read."""
        if self._process is None or self._reader is None:
            raise AssertionError("wait comes after start")
        code = await self._process.wait()
        await self._reader
        return code

    async def wait_ready(self) -> None:
        """Return when the child says that it is ready. Raises PartFailed."""
        ready, ended = asyncio.create_task(self._ready.wait()), asyncio.create_task(self.wait())
        try:
            while not ready.done():
                self._sign_of_life.clear()
                life = asyncio.create_task(self._sign_of_life.wait())
                done, _ = await asyncio.wait(
                    (ready, ended, life), timeout=self._part.ready_timeout, return_when=asyncio.FIRST_COMPLETED
                )
                life.cancel()
                if ended in done and not ready.done():
                    raise PartFailed(
                        f"{self._part.name} ended before it was ready ({_ending(ended.result())})"
                        + (f": {self._last_words}" if self._last_words else ""),
                        hint=f"its log is {PartLog.path(self._logs, self._part.name)}",
                    )
                if not done:
                    raise PartFailed(
                        f"{self._part.name} was not ready and silent for {self._part.ready_timeout:g} s",
                        hint=f"its log is {PartLog.path(self._logs, self._part.name)}",
                    )
        finally:
            for task in (ready, ended):
                task.cancel()
            await asyncio.gather(ready, ended, return_exceptions=True)

    async def end(self, deadline: float) -> None:
        if self._process is None or self._reader is None:
            return
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout_at(deadline):
                await self._process.wait()
        except TimeoutError:
            _log.error("a part did not end in time and is killed", part=self._part.name)
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        await self._reader

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        """Take messages out of the child's output and write the rest to its log file."""
        if process.stdout is None:
            raise AssertionError("the child has an output")
        with PartLog(self._logs, self._part.name) as log:
            while True:
                try:
                    line = await process.stdout.readline()
                except ValueError:  # a line beyond the limit: the reader has dropped what it had of it
                    continue
                if not line:
                    return
                self._sign_of_life.set()
                text = line.decode(errors="replace").rstrip("\r\n")
                message = understand(text)
                if message is None:
                    log.write(text)
                    self._last_words = text.strip() or self._last_words
                    continue
                if message.kind == "ready":
                    self._ready.set()
                self._on_message(self._part.name, message)


def _ending(code: int) -> str:
    """An exit code in words."""
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"

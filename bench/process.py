"""Parts of the benchmark that run as processes of their own, and what an operating system knows of a process."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import structlog


class Worker:
    """`python -m MODULE` with options as JSON on its command line; it answers each line with one line of JSON."""

    def __init__(self, module: str, core: int | None = None, **options: Any) -> None:
        self._command = [sys.executable, "-m", module, json.dumps(options)]
        self._core = core
        self._module = module
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Worker:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]
        )
        if self._core is not None:
            os.sched_setaffinity(self._process.pid, {self._core})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()  # tells it to end
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    def answer(self) -> dict[str, Any]:
        """The next line that it says. Raises RuntimeError when it has ended."""
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._module} ended by itself, see above")
        found: dict[str, Any] = json.loads(line)
        return found

    def ask(self, word: str) -> dict[str, Any]:
        """Say a word and give the answer."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        return self.answer()


def options() -> dict[str, Any]:
    """What the worker was started with; from now on its standard output belongs to `say`."""
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
    )
    logging.disable(logging.WARNING)
    found: dict[str, Any] = json.loads(sys.argv[1])
    return found


def say(**figures: Any) -> None:
    """Answer the benchmark."""
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()


def words() -> TextIO:
    """Lines that the benchmark says; they end when the worker shall end."""
    return sys.stdin


async def word() -> str:
    """The next line, '' at the end, without holding the event loop."""
    return (await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)).strip()


def cpu_seconds(pid: int) -> float:
    """User and system time of another process since its start."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mib(pid: int | str = "self") -> float:
    """Largest resident memory that a process had (MiB)."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:  # not Linux
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def thread_seconds(ident: int | None) -> float:
    """CPU time of a thread of this process."""
    return 0.0 if ident is None else time.clock_gettime(time.pthread_getcpuclockid(ident))

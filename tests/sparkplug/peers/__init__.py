"""Sparkplug programs by other authors: where they are installed, and how they are run."""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

import pytest
from tests import npm

FOLDER = Path(__file__).parent
PYSPARKPLUG = "pysparkplug==0.6.1"
SPARKPLUG_JS = ("sparkplug-client@3.2.4", "sparkplug-payload@1.0.3")


def required(install: Callable[[], Path]) -> Path:
    """What `install` gives. Skips when a registry cannot be reached, but fails in CI."""
    try:
        return install()
    except RuntimeError as error:
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))


def sparkplug_js() -> Path:
    """Folder whose node_modules has the JavaScript client. Raises RuntimeError."""
    return npm.install("sparkplug", *SPARKPLUG_JS)


def pysparkplug() -> Path:
    """A Python with pysparkplug, in an environment of its own because it needs an old paho. Raises RuntimeError."""
    folder = npm.PEERS / "pysparkplug"
    python = folder / "bin" / "python"
    marker = folder / ".installed"
    if marker.exists() and marker.read_text() == PYSPARKPLUG:
        return python
    uv = shutil.which("uv")
    if uv is not None:
        _run([uv, "venv", "--clear", "--python", sys.executable, str(folder)])
        _run([uv, "pip", "install", "--python", str(python), PYSPARKPLUG])
    else:
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        _run([str(python), "-m", "pip", "install", "--quiet", PYSPARKPLUG])
    marker.write_text(PYSPARKPLUG)
    return python


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-800:]}")


class Program:
    """A peer in a process of its own: words in, lines out."""

    def __init__(self, *command: str | Path, cwd: Path | None = None, **environment: str) -> None:
        self._command = [str(part) for part in command]
        self._cwd = cwd
        self._environment = {**os.environ, **environment}
        self.lines: queue.Queue[str] = queue.Queue()

    def __enter__(self) -> Program:
        self._popen = subprocess.Popen(
            self._command,
            cwd=self._cwd,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def _read(self) -> None:
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            self.lines.put(line.strip())

    def say(self, word: str) -> None:
        assert self._popen.stdin is not None
        self._popen.stdin.write(word + "\n")
        self._popen.stdin.flush()

    def hear(self, seconds: float = 20.0) -> str:
        """The next line."""
        return self.lines.get(timeout=seconds)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._popen.stdin.close()
        try:
            self._popen.wait(10)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._reader.join(5)
        self._popen.stdout.close()

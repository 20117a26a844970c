"""Peers by other authors from the Python registry, installed once at a pinned version, apart from our environment."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.turns import turn

PEERS = Path(__file__).parent / ".peers"


@turn("pypi")
def install(name: str, *packages: str, dependencies: bool = True) -> Path:
    """Install `package==version`s into tests/.peers/<name> and give that folder, which goes on PYTHONPATH.

    Raises RuntimeError with the installer's words when the registry cannot be reached.
    """
    folder = PEERS / name
    marker = folder / ".installed"
    wanted = "\n".join(packages)
    if marker.exists() and marker.read_text() == wanted:
        return folder
    beside = Path(sys.executable).parent / "uv"
    uv = str(beside) if beside.exists() else shutil.which("uv")
    command = [uv, "pip", "install", "--python", sys.executable] if uv else [sys.executable, "-m", "pip", "install"]
    more = [] if dependencies else ["--no-deps"]
    done = subprocess.run(
        [*command, "--quiet", "--target", str(folder), *more, *packages],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"install {wanted}: {done.stderr[-800:]}")
    marker.write_text(wanted)
    return folder

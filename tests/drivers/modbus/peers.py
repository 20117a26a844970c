"""Modbus servers by other authors, started as own processes: libmodbus in C and modbus-serial in JavaScript."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

HERE = Path(__file__).parent
LETTERS = {"holding": "h", "input": "i", "coil": "c", "discrete": "d"}


def image(tables: dict[str, dict[int, int]]) -> bytes:
    """The registers as the text that libmodbus_server.c reads."""
    lines = [
        f"{LETTERS[table]} {register} {value}\n"
        for table, bank in tables.items()
        for register, value in bank.items()
        if value
    ]
    return "".join([*lines, "go\n"]).encode()


def build(folder: Path, require: Callable[..., str]) -> Path:
    """Compile the libmodbus server."""
    compiler, config = require("cc", "gcc"), require("pkg-config")
    flags = subprocess.run([config, "--cflags", "--libs", "libmodbus"], capture_output=True, text=True, check=False)
    if flags.returncode:
        require("libmodbus", "libmodbus-dev")
    program = folder / "libmodbus_server"
    subprocess.run(
        [compiler, "-O2", "-o", program, HERE / "libmodbus_server.c", *flags.stdout.split()], check=True
    )  # fmt: skip
    return program


@asynccontextmanager
async def process(command: Iterable[str | Path], stdin: bytes = b"", cwd: Path | None = None) -> AsyncIterator[int]:
    """Run a server that prints 'ready PORT' on its first line; gives the port."""
    running = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=cwd, env=dict(os.environ)
    )
    assert running.stdin is not None
    assert running.stdout is not None
    try:
        running.stdin.write(stdin)
        await running.stdin.drain()
        async with asyncio.timeout(30):
            word, _, port = (await running.stdout.readline()).decode().partition(" ")
        assert word == "ready", f"the server said {word!r}"
        yield int(port)
    finally:
        if running.returncode is None:
            running.kill()
        await running.communicate()


@asynccontextmanager
async def serial_pair(socat: str, folder: Path) -> AsyncIterator[tuple[Path, Path]]:
    """Two connected pseudo terminals."""
    ends = folder / "near", folder / "far"
    running = await asyncio.create_subprocess_exec(
        socat, "-d", "-d", *(f"pty,raw,echo=0,link={end}" for end in ends), stderr=asyncio.subprocess.PIPE
    )
    assert running.stderr is not None
    try:
        async with asyncio.timeout(30):
            while b"starting data transfer" not in await running.stderr.readline():
                pass
        yield ends
    finally:
        running.terminate()
        await running.communicate()

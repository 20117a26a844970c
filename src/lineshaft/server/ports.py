"""TCP ports on this computer: is one free, who holds it, and which is the next free one."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path

_LISTEN = "0A"


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """True when a server could listen on this port now; port 0 always can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def next_free(port: int, taken: set[int], host: str = "127.0.0.1", tries: int = 200) -> int:
    """The first free port from `port` upwards that is not in `taken`. Raises OSError when there is none."""
    for candidate in range(port, min(port + tries, 65536)):
        if candidate not in taken and is_free(candidate, host):
            return candidate
    raise OSError(f"no free port from {port} on")


def owner(port: int) -> str:
    """Who listens on a port, like 'python3 (process 4711)'; '' when this cannot be found out (rights, no /proc)."""
    inodes = _listening_inodes(port)
    if not inodes:
        return ""
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        with contextlib.suppress(OSError):  # not ours to look at, or just ended
            for descriptor in (process / "fd").iterdir():
                with contextlib.suppress(OSError):
                    if os.readlink(descriptor) in inodes:
                        name = (process / "comm").read_text(encoding="utf-8").strip()
                        return f"{name} (process {process.name})"
    return ""


def _listening_inodes(port: int) -> set[str]:
    found = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        with contextlib.suppress(OSError):
            for line in table.read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                    found.add(f"socket:[{fields[9]}]")
    return found

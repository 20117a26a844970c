"""What only one process of the tests may do at a time, where they run side by side."""

from __future__ import annotations

import fcntl
import getpass
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def turn(what: str) -> Iterator[None]:
    """Wait until no other process does `what`; it is ours until the block ends, or this process."""
    with (Path(tempfile.gettempdir()) / f"lineshaft-tests-{getpass.getuser()}-{what}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

"""A serial line without wires: two pseudo-terminals, and every byte of one comes out of the other."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

from lineshaft.errors import ConnectionFailed

_CHUNK = 4096


class SerialLine:
    """`path` is the near end, a name that a serial driver opens; `far` is the other end between open and close."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.far = ""
        self._ends: list[int] = []

    def open(self) -> None:
        """Make both ends. Raises ConnectionFailed where there are no pseudo-terminals, or the name is taken."""
        try:
            import tty  # not on Windows

            near, near_slave = os.openpty()
            far, far_slave = os.openpty()
            self._ends = [near, far, near_slave, far_slave]
            for end in self._ends:
                os.set_blocking(end, False)
            tty.setraw(near_slave)
            tty.setraw(far_slave)
            self.far = os.ttyname(far_slave)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.is_symlink():
                self.path.unlink()
            self.path.symlink_to(os.ttyname(near_slave))
        except (OSError, ImportError, AttributeError) as error:
            self.close()
            raise ConnectionFailed(
                f"no serial line can be made at {self.path}: {error}", hint="pseudo-terminals are on Linux and macOS"
            ) from error
        loop = asyncio.get_running_loop()
        loop.add_reader(near, self._pass, near, far)
        loop.add_reader(far, self._pass, far, near)

    def close(self) -> None:
        """Take both ends away; who has the near end open is told that it hung up."""
        ends, self._ends = self._ends, []
        self.far = ""
        if self.path.is_symlink():
            self.path.unlink()
        for end in ends[:2]:
            asyncio.get_running_loop().remove_reader(end)
        for end in ends:
            os.close(end)

    @staticmethod
    def _pass(one: int, other: int) -> None:
        with suppress(OSError):  # nobody listens at the other end, and a wire does not wait
            os.write(other, os.read(one, _CHUNK))

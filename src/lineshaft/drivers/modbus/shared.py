"""One line for several devices: whoever names the same port shares its connection, and they speak in turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Final

from lineshaft.drivers.modbus.line import Line
from lineshaft.drivers.modbus.options import Connection, RtuConnection

Place = tuple[int, str, int | str]
"""The event loop, the host (or 'serial'), and the port."""


class SharedLine:
    """A line, how many use it, and whose turn it is."""

    def __init__(self, options: Connection) -> None:
        self.line = Line(options)
        self.users = 0
        self.turn = asyncio.Lock()


_LINES: Final[dict[Place, SharedLine]] = {}
"""Lines that somebody uses. They are wires of this computer, so every driver in the process has to know them."""


_SPEAKS_ON: Final[ContextVar[SharedLine | None]] = ContextVar("line", default=None)


def _place(options: Connection) -> Place:
    loop = id(asyncio.get_running_loop())
    if isinstance(options, RtuConnection):
        return loop, "serial", options.port
    return loop, f"{options.framing}://{options.host}", options.port


class LineUser:
    """One device's part in a line; the line is closed when its last user has left."""

    def __init__(self, options: Connection) -> None:
        self._options = options
        self._shared: SharedLine | None = None

    async def join(self) -> Line:
        """The line, connected. Raises ConnectionFailed."""
        self.leave()
        place = _place(self._options)
        shared = _LINES.setdefault(place, SharedLine(self._options))
        shared.users += 1
        self._shared = shared
        shared.line.allow(self._options)
        try:
            await shared.line.ensure_open()
        except BaseException:
            self.leave()
            raise
        return shared.line

    def leave(self) -> None:
        """Use it no more; may be called at any time."""
        shared, self._shared = self._shared, None
        if shared is None:
            return
        shared.users -= 1
        if not shared.users:
            shared.line.close()
            for place in [place for place, one in _LINES.items() if one is shared]:
                del _LINES[place]

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Have the line for oneself; what is called inside of it, also as a task, may ask for the turn again."""
        shared = self._shared
        if shared is None or _SPEAKS_ON.get() is shared:
            yield
            return
        async with shared.turn:
            shared.line.patience = self._options.timeout
            token = _SPEAKS_ON.set(shared)
            try:
                yield
            finally:
                _SPEAKS_ON.reset(token)

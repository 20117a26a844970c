"""Many Modbus devices in one process, as cheap as they can be: one port, one connection for each device.

Run as a worker: it says its port and serves until its input ends. Every read of holding registers is answered with
the same slowly turning pattern, so that values change from second to second.
"""

from __future__ import annotations

import asyncio
import struct
import time
from typing import Any

from bench.process import options, say, word

_HEAD = struct.Struct(">HHHBBHH")
_REPLY = struct.Struct(">HHHBBB")
_WORDS = 4096
_PATTERN = struct.pack(f">{2 * _WORDS}H", *(number % 977 for number in range(2 * _WORDS)))


class Device(asyncio.Protocol):
    """One connection; answers each request at once."""

    def __init__(self) -> None:
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See Protocol."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Requests of twelve bytes each: function 3 or 4, start and count."""
        assert self._transport is not None
        data = self._rest + data
        at = 0
        shift = 2 * (int(time.monotonic()) % 500)
        while at + _HEAD.size <= len(data):
            number, _, _, unit, function, start, count = _HEAD.unpack_from(data, at)
            at += _HEAD.size
            begin = 2 * (start % _WORDS) + shift
            content = _PATTERN[begin : begin + 2 * count]
            self._transport.write(_REPLY.pack(number, 0, 3 + 2 * count, unit, function, 2 * count) + content)
        self._rest = data[at:]


async def _main(_: dict[str, Any]) -> None:
    server = await asyncio.get_running_loop().create_server(Device, "127.0.0.1", 0, backlog=2000)
    say(port=server.sockets[0].getsockname()[1])
    await word()
    server.close()


if __name__ == "__main__":
    asyncio.run(_main(options()))

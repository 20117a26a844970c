"""What every simulated device that we serve by hand has in common: a port, connections, and an end to both."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

from lineshaft.errors import ConnectionFailed, DataError

_LONGEST_HEAD = 1 << 16  # bytes that a reader may hold before it gives up


class TcpServer:
    """Listens on `port`, which is known after the start when it was 0; subclasses speak the protocol in `serve`.

    A client that goes away, sends nonsense (DataError) or stays silent (TimeoutError) ends its own connection alone.
    """

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> bool:
        """True between start and stop."""
        return self._server is not None

    async def start(self) -> None:
        """Listen. Raises ConnectionFailed when the port is taken."""
        if self._server is not None:
            return
        try:
            self._server = await asyncio.start_server(self._connected, self.host, self.port, limit=_LONGEST_HEAD)
        except OSError as error:
            raise ConnectionFailed(
                f"cannot listen on {self.host}:{self.port}", hint="another program uses this port"
            ) from error
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and every connection."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            self.drop_connections()
            await asyncio.gather(*self._connections, return_exceptions=True)

    def drop_connections(self) -> None:
        """Cut every connection, as a bad network does; the server lives on."""
        for connection in list(self._connections):
            connection.cancel()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk with one client until it goes away."""
        raise NotImplementedError

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._connections.add(task)
        gone = (asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError)
        try:
            with suppress(ConnectionError, TimeoutError, DataError, *gone):
                await self.serve(reader, writer)
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

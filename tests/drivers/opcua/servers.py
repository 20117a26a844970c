"""OPC UA servers for tests: one in this process, one by other authors, and a line that can be cut."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from asyncua import Server, ua
from tests.drivers.opcua.space import new_server
from tests.npm import install, node
from tests.ports import free_port

from lineshaft.drivers.base import Point
from lineshaft.drivers.opcua import OpcuaAddress, OpcuaConnection
from lineshaft.drivers.opcua.driver import OpcuaDriver

URI = "urn:lineshaft:test"
PEER_URI = "urn:lineshaft:peer"
PEER = "node-opcua@2.157.0"


class FieldServer:
    """An OPC UA server in this process that keeps its port and values when it is stopped and started."""

    def __init__(self, values: dict[str, ua.Variant], padding: int = 0) -> None:
        self.port = free_port()
        self.url = f"opc.tcp://127.0.0.1:{self.port}/test"
        self.padding = padding  # namespaces that are registered before ours
        self.nodes: dict[str, Any] = {}
        self._values = values
        self._server: Server | None = None
        self._made_with = -1

    async def start(self) -> None:
        if self._server is None or self._made_with != self.padding:
            self._server, self._made_with = await self._make(), self.padding
        await self._server.start()

    async def _make(self) -> Server:
        server = await new_server()
        server.set_endpoint(self.url)
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        for number in range(self.padding):
            await server.register_namespace(f"urn:padding:{number}")
        index = await server.register_namespace(URI)
        for name, value in self._values.items():
            node = await server.nodes.objects.add_variable(ua.NodeId(name, index), name, value)
            await node.set_writable()
            self.nodes[name] = node
        return server

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.stop()

    async def write(self, name: str, value: Any) -> None:
        await self.nodes[name].write_value(value)

    async def __aenter__(self) -> FieldServer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


@asynccontextmanager
async def connected(url: str, **options: Any) -> AsyncIterator[OpcuaDriver]:
    """A driver with a quick subscription."""
    driver = OpcuaDriver(options_of(url, **options))
    await driver.connect()
    try:
        yield driver
    finally:
        await driver.close()


def options_of(url: str, **options: Any) -> OpcuaConnection:
    given = {"security": "none", "publishing_interval": "50ms", "keep_alive": "500ms", **options}
    return OpcuaConnection.model_validate({"url": url, **given})


def points(*names: str, uri: str = URI) -> tuple[Point, ...]:
    """Points with handles 10, 11 ...; a name that holds '=' is a whole address."""
    return tuple(
        Point(10 + row, OpcuaAddress(node=name if "=" in name else f"nsu={uri};s={name}"), interval=0.02)
        for row, name in enumerate(names)
    )


class Line:
    """A TCP line to a server that can fall silent without closing, as a pulled cable does."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._open = asyncio.Event()
        self._cut = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self.port = 0

    async def __aenter__(self) -> Line:
        self._open.set()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in self._writers), return_exceptions=True)

    def cut(self) -> None:
        """Close what is open; from now on nobody gets through."""
        self._cut = True
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        """After a cut: new connections get through again."""
        self._cut = False

    def pull(self) -> None:
        """From now on nothing gets through."""
        self._open.clear()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers += [writer, far_writer]
        for pair in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._pump(*pair))
            self._tasks.add(task)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                await self._open.wait()
                writer.write(data)
        writer.close()


class Peer:
    """node-opcua in a process of its own; keeps its port and certificates over a restart."""

    def __init__(self, modules: Path, folder: Path) -> None:
        self.port = free_port()
        self.url = f"opc.tcp://127.0.0.1:{self.port}"
        self.folder = folder
        self._modules = modules
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Peer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    async def start(self) -> None:
        script = Path(__file__).with_name("peer_server.js")
        self._process = await asyncio.create_subprocess_exec(
            node(), script, str(self.port), str(self.folder),
            stdout=asyncio.subprocess.PIPE, env={**os.environ, "NODE_PATH": str(self._modules)},
        )  # fmt: skip
        assert self._process.stdout is not None
        async with asyncio.timeout(60):
            while line := await self._process.stdout.readline():
                if line.startswith(b"ready"):
                    return
        raise AssertionError("the peer did not start")

    async def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            await process.communicate()


def peer_modules() -> Path:
    """Where node-opcua is installed. Skips when the registry cannot be reached, but fails in CI."""
    try:
        return install("node-opcua", PEER) / "node_modules"
    except RuntimeError as error:
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))

"""One connection to a controller: pycomm3's calls block, so they run in a thread of their own."""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, NoReturn, TypeVar

from pycomm3 import CIPDriver, LogixDriver
from pycomm3.cip_driver import with_forward_open
from pycomm3.exceptions import CommError, PycommError
from pycomm3.packets import SendUnitDataRequestPacket
from pycomm3.packets.util import tag_request_path

from lineshaft.drivers.ethernet_ip.options import EthernetIpConnection
from lineshaft.drivers.ethernet_ip.replies import (
    MODIFY_TAG,
    MULTIPLE_SERVICE,
    READ_TAG,
    WRITE_TAG,
    Answer,
    answer_in_frame,
)
from lineshaft.drivers.worker import Worker
from lineshaft.errors import ConnectionFailed, DataError, PeerTimeout, Unsupported

logging.getLogger("pycomm3").setLevel(logging.CRITICAL)  # it logs every failure that we raise, with its stack
T = TypeVar("T")
_HEADER: Final = 24
_MULTIPLE_PATH: Final = b"\x02\x20\x02\x24\x01"  # two words: class 2 (message router), instance 1
_HINT: Final = "check host, port 44818, cable and that the controller runs"
ROUTE_HINT: Final = "check slot or route; are all connections of the controller taken?"


def read_request(tag: str) -> bytes:
    """The service that reads one element of a tag."""
    return bytes([READ_TAG]) + bytes(tag_request_path(tag, {}, False)) + b"\x01\x00"


def write_request(tag: str, content: bytes) -> bytes:
    """The service that writes a tag; `content` is type code, count and value."""
    return bytes([WRITE_TAG]) + bytes(tag_request_path(tag, {}, False)) + content


def modify_request(tag: str, bit: int, size: int, wanted: bool) -> bytes:
    """The service that changes one bit of a tag of so many bytes: an OR mask and an AND mask."""
    mask = 1 << bit
    every = (1 << 8 * size) - 1
    on, keep = (mask, every) if wanted else (0, every - mask)
    masks = size.to_bytes(2, "little") + on.to_bytes(size, "little") + keep.to_bytes(size, "little")
    return bytes([MODIFY_TAG]) + bytes(tag_request_path(tag, {}, False)) + masks


def multiple_request(services: Sequence[bytes]) -> bytes:
    """Several services in one message."""
    start = 2 + 2 * len(services)
    offsets = [start + sum(map(len, services[:n])) for n in range(len(services))]
    head = struct.pack(f"<{len(offsets) + 1}H", len(services), *offsets)
    return bytes([MULTIPLE_SERVICE]) + _MULTIPLE_PATH + head + b"".join(services)


class _Wire(LogixDriver):  # type: ignore[misc]
    """pycomm3's session, without the upload of all tags that it begins with, and with frames read to their end:
    its own socket never stops to read when the peer hangs up within a frame."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__(path, init_tags=False)
        self.socket_timeout = timeout

    def open(self) -> None:
        """Register a session."""
        if not CIPDriver.open(self):
            raise CommError("the session was refused")

    @with_forward_open  # type: ignore[untyped-decorator]
    def ask(self, service: bytes) -> Answer:
        """Send one service over the connection."""
        request = SendUnitDataRequestPacket(next(self._sequence)).add(service)
        message = request.build_request(
            self._target_cid, self._session, self._cfg["context"], self._cfg["option"], sequence=self._sequence
        )
        self._send(message)
        return answer_in_frame(self._receive(), service[0], request._sequence)

    def _receive(self) -> bytes:
        try:
            header = self._exactly(_HEADER)
            length, status = int.from_bytes(header[2:4], "little"), int.from_bytes(header[8:12], "little")
            body = self._exactly(length)
        except OSError as error:
            raise CommError(str(error) or "no answer in time") from error
        if status:
            raise CommError(f"encapsulation status 0x{status:02x}")
        return header + body

    def _exactly(self, size: int) -> bytes:
        content = bytearray()
        while len(content) < size:
            chunk = self._sock.sock.recv(size - len(content))
            if not chunk:
                raise ConnectionResetError("the controller hung up")
            content += chunk
        return bytes(content)

    def upload(self) -> dict[str, dict[str, Any]]:
        """All tags with their types."""
        self._info = self.get_plc_info()
        self.get_tag_list(program="*")
        tags: dict[str, dict[str, Any]] = self.tags
        return tags


class Session:
    """A connection that is opened, asked and closed; every method raises the typed errors of a driver."""

    def __init__(self, options: EthernetIpConnection) -> None:
        self.options = options
        self.where = f"{options.host}:{options.port}"
        self.size = 500
        self._wire: _Wire | None = None
        self._busy = 0
        self._worker = Worker("ethernet-ip")

    async def register(self) -> None:
        """Open the port and a session. Raises ConnectionFailed or PeerTimeout."""
        self.close()
        wire = self._wire = _Wire(self.options.path, self.options.timeout)
        try:
            await self._run(wire.open)
        except BaseException:
            self.close()
            raise

    async def ask(self, services: Sequence[bytes]) -> list[Answer]:
        """The answers to services, sent one after the other. Raises RetryableError."""
        wire = self._opened()
        return await self._run(lambda: [wire.ask(service) for service in services])

    async def connect(self) -> None:
        """Register, and open a connection through the route to the controller. Raises RetryableError."""
        await self.register()
        wire = self._opened()
        try:
            await self._run(lambda: with_forward_open(lambda _: None)(wire))
        except BaseException:
            self.close()
            raise
        self.size = wire.connection_size

    async def upload(self) -> dict[str, dict[str, Any]]:
        """All tags with their types. Raises RetryableError, or Unsupported when the device cannot list them."""
        wire = self._opened()
        return await self._run(wire.upload)

    def close(self) -> None:
        """Hang up; a call that waits in the thread ends at once. Never raises."""
        wire, self._wire = self._wire, None
        if wire is None:
            return
        waiting = wire._sock if self._busy else None
        self._worker.end(lambda: _close(wire))
        if waiting is not None:
            with suppress(OSError):
                waiting.sock.shutdown(socket.SHUT_RD)

    def _opened(self) -> _Wire:
        if self._wire is None:
            raise ConnectionFailed(f"{self.where}: not connected")
        return self._wire

    async def _run(self, work: Callable[[], T]) -> T:
        def counted() -> T:
            self._busy += 1
            try:
                return work()
            finally:
                self._busy -= 1

        try:
            return await self._worker.run(counted)
        except (PycommError, DataError, OSError) as error:
            self._raise(error)

    def _raise(self, error: Exception) -> NoReturn:
        """The typed error for an error of the library; its first cause says what happened."""
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        inner = cause.__context__ if isinstance(cause.__context__, OSError) else cause
        if isinstance(inner, TimeoutError):
            raise PeerTimeout(f"{self.where} did not answer in {self.options.timeout:g} s", hint=_HINT) from error
        if isinstance(inner, OSError) or isinstance(error, CommError | DataError):
            raise ConnectionFailed(f"{self.where}: {inner or error}", hint=_HINT) from error
        if "Target did not connected" in str(error):
            raise ConnectionFailed(f"{self.where}: the controller refused the connection", hint=ROUTE_HINT) from error
        raise Unsupported(f"{self.where}: {cause}") from error


def _close(wire: _Wire) -> None:
    with suppress(PycommError):
        wire.close()

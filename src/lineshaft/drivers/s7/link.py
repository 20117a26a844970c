"""One connection to a controller: the blocking library calls run in a thread of their own, one after the other."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, NoReturn, TypeVar

from snap7.connection import ISOTCPConnection
from snap7.datatypes import S7Area, S7WordLen
from snap7.error import S7ConnectionError, S7Error, S7ProtocolError, S7TimeoutError
from snap7.s7protocol import S7Protocol

from lineshaft.drivers.s7.address import Area
from lineshaft.drivers.s7.blocks import Span
from lineshaft.drivers.s7.options import S7Connection
from lineshaft.drivers.s7.replies import Item, items_of
from lineshaft.drivers.worker import Worker
from lineshaft.errors import AccessDenied, AddressInvalid, ConnectionFailed, DataError, PeerTimeout, WriteRefused

T = TypeVar("T")
_AREAS: Final[dict[Area, S7Area]] = {"DB": S7Area.DB, "M": S7Area.MK, "I": S7Area.PE, "Q": S7Area.PA}
_REFUSALS: Final = (0x8104, 0xD241, 0xD602)  # service not available, protected
_NO_OBJECT: Final = 0x8404
_STALE_ANSWERS: Final = 3
_HINT: Final = "check host, port 102, cable and that the controller runs"
ISO_HINT: Final = "check rack and slot: slot 1 for S7-1200/1500, 2 for S7-300; are all connections of the CPU taken?"
ACCESS_HINT: Final = "allow PUT/GET access in the CPU's protection settings, and use DBs without optimised access"


class Link:
    """A connection that is opened, asked and closed; every method raises the typed errors of a driver."""

    def __init__(self, options: S7Connection) -> None:
        self.options = options
        self.where = f"{options.host}:{options.port}"
        self.pdu = 240
        self._wire: ISOTCPConnection | None = None
        self._protocol = S7Protocol()
        self._worker = Worker("s7")

    async def open(self) -> None:
        """Connect and agree on the length of messages. Raises ConnectionFailed, PeerTimeout or AccessDenied."""
        self.close()
        ours, theirs = self.options.tsaps
        wire = self._wire = ISOTCPConnection(self.options.host, self.options.port, ours, theirs)
        self._protocol = S7Protocol()
        try:
            self.pdu = await self._run(lambda: self._connect(wire))
        except BaseException:
            self.close()
            raise

    async def read(self, requests: Sequence[Sequence[Span]]) -> list[Item]:
        """The items of all requests, in order. Raises RetryableError or AccessDenied."""
        wire = self._wire
        if wire is None:
            raise ConnectionFailed(f"{self.where}: not connected")
        return await self._run(lambda: [item for request in requests for item in self._ask(wire, request)])

    async def write(self, span: Span, content: bytes, bit: int | None = None) -> Item:
        """Write bytes, or one bit of a byte; what the controller says.

        Raises RetryableError, AccessDenied, AddressInvalid or WriteRefused.
        """
        wire = self._wire
        if wire is None:
            raise ConnectionFailed(f"{self.where}: not connected")
        return await self._run(lambda: self._put(wire, span, content, bit))

    def close(self) -> None:
        """Hang up; a call that waits in the thread ends at once. Never raises."""
        wire, self._wire = self._wire, None
        if wire is None:
            return
        self._worker.end(wire.disconnect)
        if wire.socket is not None:
            with suppress(OSError):
                wire.socket.shutdown(socket.SHUT_RD)

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await self._worker.run(work)
        except (S7Error, DataError, OSError) as error:
            self._raise(error)

    def _raise(self, error: Exception) -> NoReturn:
        """The typed error for an error of the library."""
        words = f"{self.where}: {error}"
        if isinstance(error, S7TimeoutError | TimeoutError):
            raise PeerTimeout(f"{self.where} did not answer in {self.options.timeout:g} s") from error
        if isinstance(error, S7ProtocolError) and error.error_code in _REFUSALS:
            raise AccessDenied(words, hint=ACCESS_HINT) from error
        if isinstance(error, S7ConnectionError) and isinstance(error.__cause__ or error.__context__, TimeoutError):
            raise ConnectionFailed(f"{self.where}: no answer to the connection", hint=_HINT) from error
        raise ConnectionFailed(words, hint=_HINT) from error

    # -- in the thread

    def _connect(self, wire: ISOTCPConnection) -> int:
        wire.connect(self.options.timeout)
        answer = self._exchange(
            wire, self._protocol.build_setup_communication_request(1, 1, pdu_length=self.options.pdu)
        )
        granted = (answer.get("parameters") or {}).get("pdu_length", 0)
        if not 64 <= granted <= self.options.pdu:
            raise DataError(f"messages of {granted} bytes are not possible")
        return int(granted)

    def _ask(self, wire: ISOTCPConnection, request: Sequence[Span]) -> list[Item]:
        wanted = [(_AREAS[span.area], span.db, span.start, span.count) for span in request]
        answer = self._exchange(wire, self._protocol.build_multi_read_request(wanted))  # type: ignore[arg-type]
        return items_of(
            answer.get("raw_parameters", b""), answer.get("raw_data", b""), [span.count for span in request]
        )

    def _put(self, wire: ISOTCPConnection, span: Span, content: bytes, bit: int | None) -> Item:
        start, kind = (span.start, S7WordLen.BYTE) if bit is None else (8 * span.start + bit, S7WordLen.BIT)
        request = self._protocol.build_write_request(_AREAS[span.area], span.db, start, kind, content)
        try:
            data = self._exchange(wire, request).get("raw_data", b"")
        except S7ProtocolError as error:
            if not error.error_code or error.error_code in _REFUSALS:
                raise
            absent = error.error_code == _NO_OBJECT
            raise (AddressInvalid if absent else WriteRefused)(f"the controller refuses: {error}") from error
        if len(data) != 1:
            raise DataError("the answer to a write has no result")
        return Item(data[0])

    def _exchange(self, wire: ISOTCPConnection, request: bytes) -> dict[str, Any]:
        wire.send_data(request)
        for _ in range(_STALE_ANSWERS):
            answer = self._protocol.parse_response(wire.receive_data())
            if answer["sequence"] == self._protocol.sequence:
                return answer
        raise DataError("answers to other requests")

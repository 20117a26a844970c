"""One Modbus connection: opens it, sends one request at a time and turns every failure into a typed error."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.framer import FramerType
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.mei_message import ReadDeviceInformationRequest, ReadDeviceInformationResponse
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest
from serial import Serial, SerialException  # type: ignore[import-untyped]  # pyserial ships no types

from lineshaft.drivers.modbus.address import BIT_TABLES, Table
from lineshaft.drivers.modbus.blocks import Span
from lineshaft.drivers.modbus.options import Connection, RtuConnection
from lineshaft.drivers.modbus.protocol_nowait import never_waiting
from lineshaft.errors import ConnectionFailed, PeerTimeout
from lineshaft.model.samples import Quality

try:
    from termios import error as TerminalError  # noqa: N812 - a class under a small name
except ImportError:  # Windows, where pyserial raises SerialException
    TerminalError = OSError  # type: ignore[misc,assignment]

# pymodbus logs each failed request; here it is raised, and the engine logs changes of state.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL + 1)

NO_FUNCTION: Final = 0x01
NO_ADDRESS: Final = 0x02
BAD_VALUE: Final = 0x03  # many devices say so when a request is too long
BUSY: Final = (0x05, 0x06)

NEVER: Final = 1_000_000_000
_DEAF: Final = 3
"""After so many requests without an answer from any unit the connection itself is not trusted any more."""
CHARACTER_BITS: Final = 11
SILENT_CHARACTERS: Final = 3.5
LEAST_SILENCE: Final = 0.00175  # seconds; Modbus over serial line, 2.5.1.1

REQUESTS: Final[dict[Table, type[ModbusPDU]]] = {
    "coil": ReadCoilsRequest,
    "discrete": ReadDiscreteInputsRequest,
    "holding": ReadHoldingRegistersRequest,
    "input": ReadInputRegistersRequest,
}


class Refused(Exception):
    """The device answered with a Modbus exception code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exception {code:02X}")
        self.code = code

    @property
    def quality(self) -> Quality:
        """What it says about the values that were asked for."""
        if self.code in (NO_FUNCTION, NO_ADDRESS, BAD_VALUE):
            return Quality.BAD_ADDRESS
        return Quality.BAD_COMMUNICATION if self.code in BUSY else Quality.BAD_DEVICE


class RawReply(ModbusPDU):
    """A reply kept as bytes, so that numpy decodes the registers of a whole read at once."""

    rtu_byte_count_pos = 2
    content = b""

    def decode(self, data: bytes) -> None:
        """Take the data behind the byte count; a frame that is cut short stays empty and is refused later."""
        if len(data) > data[0]:
            self.content = data[1 : 1 + data[0]]

    def __str__(self) -> str:
        """Short, because pymodbus formats it for each frame."""
        return f"reply to function {self.function_code}"


class _Reply1(RawReply):
    function_code = 1


class _Reply2(RawReply):
    function_code = 2


class _Reply3(RawReply):
    function_code = 3


class _Reply4(RawReply):
    function_code = 4


REPLIES: Final = (_Reply1, _Reply2, _Reply3, _Reply4)


def content_of(reply: ModbusPDU, span: Span, where: str) -> bytes:
    """The raw data of a good reply. Raises PeerTimeout when it is none to the request for `span`."""
    expected = (span.count + 7) // 8 if span.table in BIT_TABLES else 2 * span.count
    if not isinstance(reply, RawReply) or len(reply.content) != expected:
        raise PeerTimeout(f"unit {span.unit} at {where} sent an answer of the wrong length")
    return reply.content


class Line:
    """A TCP connection or a serial line; `open` before use, one request at a time."""

    def __init__(self, options: Connection) -> None:
        self._options = options
        self._client: AsyncModbusTcpClient | AsyncModbusSerialClient | None = None
        self._numbered = not isinstance(options, RtuConnection) and options.framing == "tcp"
        self._silence = options.pause_between_requests
        if isinstance(options, RtuConnection):
            frame_gap = SILENT_CHARACTERS * CHARACTER_BITS / options.baudrate
            self._silence = max(self._silence, frame_gap, LEAST_SILENCE)
        self.patience = options.timeout
        """Seconds to wait for one answer; whoever has its turn on the line sets it."""
        self._free_at = 0.0
        self._opening = asyncio.Lock()
        self._tries = 0
        self._failure: ConnectionFailed | None = None
        self._unanswered = 0  # requests in a row, to whichever unit
        self._asking = False
        self._unclean = False  # RTU only: an answer may still come, and nothing in it tells to which request

    @property
    def where(self) -> str:
        """The far end, for messages."""
        if isinstance(self._options, RtuConnection):
            return self._options.port
        return f"{self._options.host}:{self._options.port}"

    def allow(self, options: Connection) -> None:
        """Another device on the line may need longer pauses."""
        self._silence = max(self._silence, options.pause_between_requests)

    async def ensure_open(self) -> None:
        """Connect when nobody has; who waits while another one tries gets the same outcome. Raises ConnectionFailed."""
        tries = self._tries
        async with self._opening:
            if self._client is not None and self._client.connected:
                return
            if self._tries != tries and self._failure is not None:
                raise ConnectionFailed(str(self._failure), hint=self._failure.hint)
            self._tries += 1
            self._failure = None
            try:
                await self.open()
            except ConnectionFailed as error:
                self._failure = error
                raise

    async def open(self) -> None:
        """Connect anew. Raises ConnectionFailed with the reason."""
        self.close()
        client = self._make()
        for reply in REPLIES:
            client.register(reply)
        client.set_max_no_responses(NEVER)  # whether to hang up is the driver's decision
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            connected = await client.connect()
        except TerminalError as error:
            client.close()
            raise ConnectionFailed(
                f"{self.where} does not take the settings of the line: {error}",
                hint="check baudrate, parity and stopbits; some adapters and pseudo-terminals know no parity",
            ) from error
        except BaseException:
            client.close()
            raise
        if not connected:
            client.close()
            waited = loop.time() - began
            raise await self._why(waited >= self._options.timeout)
        self._client = client
        self._unclean, self._unanswered = False, 0
        self._free_at = loop.time() + self._options.pause_after_connect

    def close(self) -> None:
        """Hang up; may be called at any time."""
        client, self._client = self._client, None
        self._unclean = False
        if client is not None:
            client.close()

    async def ask(self, span: Span) -> bytes:
        """Read a range and return its raw data.

        Raises Refused (exception code), PeerTimeout (no or no usable answer) or ConnectionFailed (hung up).
        """
        retries = self._options.retries if isinstance(self._options, RtuConnection) else 0
        while True:
            try:
                return await self._ask_once(span)
            except PeerTimeout:
                if retries == 0:
                    raise
                retries -= 1

    async def send(self, request: ModbusPDU) -> None:
        """Send a request that writes, once: a repetition might undo what somebody wrote meanwhile.

        Raises as `ask`; after PeerTimeout and ConnectionFailed the device may have written.
        """
        await self._execute(request)
        self._unclean = False

    async def _ask_once(self, span: Span) -> bytes:
        request = REQUESTS[span.table](dev_id=span.unit, address=span.start, count=span.count)
        content = content_of(await self._execute(request), span, self.where)
        self._unclean = False
        return content

    async def device_information(self, unit: int) -> dict[int, bytes]:
        """Object id -> text of the basic identification (function 43/14); empty when the device has none.

        Raises PeerTimeout or ConnectionFailed.
        """
        try:
            reply = await self._execute(ReadDeviceInformationRequest(dev_id=unit, read_code=1, object_id=0))
        except Refused:
            return {}
        self._unclean = False
        if not isinstance(reply, ReadDeviceInformationResponse):
            return {}
        return {number: text for number, text in reply.information.items() if isinstance(text, bytes)}

    async def _execute(self, request: ModbusPDU) -> ModbusPDU:
        if self._unclean or self._unanswered >= _DEAF:
            async with self._opening:
                await self.open()
        client = self._client
        if client is None or not client.connected:
            raise ConnectionFailed(f"{self.where} hung up")
        loop = asyncio.get_running_loop()
        if (pause := self._free_at - loop.time()) > 0:
            await asyncio.sleep(pause)  # the device or the line needs this silence
        self._asking, self._unclean = True, not self._numbered
        client.ctx.comm_params.timeout_connect = self.patience  # what pymodbus waits for an answer
        try:
            reply: ModbusPDU = await client.execute(False, request)
        except ConnectionException as error:
            raise ConnectionFailed(f"{self.where} hung up") from error
        except ModbusException as error:
            self._unanswered += 1
            raise PeerTimeout(f"unit {request.dev_id} at {self.where} did not answer in {self.patience:g} s") from error
        finally:
            self._asking = False
            self._free_at = loop.time() + self._silence
        self._unanswered = 0
        if self._numbered and reply.transaction_id != request.transaction_id:
            raise PeerTimeout(f"unit {request.dev_id} at {self.where} answered another request")
        if reply.isError():
            self._unclean = False
            raise Refused(reply.exception_code)
        return reply

    def _make(self) -> AsyncModbusTcpClient | AsyncModbusSerialClient:
        options = self._options
        if isinstance(options, RtuConnection):
            return AsyncModbusSerialClient(
                never_waiting(options.port),
                baudrate=options.baudrate,
                parity=options.parity,
                stopbits=options.stopbits,
                timeout=options.timeout,
                retries=0,
                reconnect_delay=0,
                trace_connect=self._connection_changed,
            )
        return AsyncModbusTcpClient(
            options.host,
            port=options.port,
            framer=FramerType.SOCKET if options.framing == "tcp" else FramerType.RTU,
            timeout=options.timeout,
            retries=0,
            reconnect_delay=0,
            trace_connect=self._connection_changed,
        )

    def _connection_changed(self, connected: bool) -> None:
        """Called by pymodbus; ends the wait for an answer that cannot come any more."""
        if connected or not self._asking or self._client is None:
            return
        waiting = self._client.ctx.response_future
        if not waiting.done():
            waiting.set_exception(ConnectionException(f"{self.where} hung up"))

    async def _why(self, timed_out: bool) -> ConnectionFailed:
        """The error for a failed `open`; pymodbus keeps the reason for itself, so it is asked for again."""
        options = self._options
        if isinstance(options, RtuConnection):
            try:
                Serial(options.port, options.baudrate).close()
            except (SerialException, ValueError, OSError) as error:
                return ConnectionFailed(
                    f"serial port {options.port}: {error}",
                    hint="check that the port exists, that no other program uses it, and the right to open it",
                )
            return ConnectionFailed(f"serial port {options.port} could not be opened")
        if timed_out:
            return ConnectionFailed(
                f"{self.where} did not answer in {options.timeout:g} s",
                hint="check that the device is on, its IP address, and the network and firewall between",
            )
        try:
            async with asyncio.timeout(options.timeout):
                _, writer = await asyncio.open_connection(options.host, options.port)
            writer.close()
        except TimeoutError:
            return ConnectionFailed(f"{self.where} did not answer in {options.timeout:g} s")
        except OSError as error:
            return ConnectionFailed(f"{self.where}: {error.strerror or error}", hint=_mend(error))
        return ConnectionFailed(f"{self.where} did not accept the connection", hint="too many connections to it?")


def _mend(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "the computer is there but nothing listens on that port: is Modbus TCP switched on in the device?"
    return "check the host name or IP address and the network"

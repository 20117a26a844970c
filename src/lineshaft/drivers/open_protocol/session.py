"""One connection to a controller: its start, requests and their answers, keep-alive, and what comes unasked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from lineshaft.drivers.open_protocol.fields import decode
from lineshaft.drivers.open_protocol.options import OpenProtocolConnection
from lineshaft.drivers.open_protocol.wire import Framer, Message, encode
from lineshaft.errors import AccessDenied, ConnectionFailed, DataError, LineshaftError, PeerTimeout

START, STARTED, STOP, ERROR, ACCEPTED, KEEP_ALIVE = 1, 2, 3, 4, 5, 9999
NOT_FOUND, ALREADY_CONNECTED, REVISION_UNSUPPORTED, MID_UNKNOWN = 15, 96, 97, 99
_ALREADY_SUBSCRIBED: Final = (6, 9, 11, 13)
_ANSWERS: Final = frozenset({STARTED, ERROR, ACCEPTED, 11, 65})
_TRIES: Final = 3
_MOST_WAITING: Final = 5000
_WORDS: Final[Mapping[int, str]] = {
    1: "invalid data", 2: "no such parameter set", 9: "results are subscribed already",
    11: "alarms are subscribed already", NOT_FOUND: "no such tightening", 16: "busy with another protocol",
    ALREADY_CONNECTED: "another client is connected", REVISION_UNSUPPORTED: "revision not supported",
    98: "internal time-out of the controller", MID_UNKNOWN: "unknown MID",
}  # fmt: skip


class Refused(Exception):
    """The controller answered with MID 0004; the caller turns it into what it means."""

    def __init__(self, mid: int, code: int) -> None:
        super().__init__(f"MID {mid:04} refused: {_WORDS.get(code, 'error')} ({code})")
        self.mid, self.code = mid, code


@dataclass(frozen=True, slots=True)
class _Pending:
    """A request that waits for its answer."""

    mid: int
    replies: frozenset[int]
    begins: str  # what the data of the answer begins with, '' for anything
    answer: asyncio.Future[Message]

    def take(self, message: Message) -> bool:
        """Give the request its answer; False when the message is none."""
        if self.answer.done():
            return False
        if message.mid in (ERROR, ACCEPTED):
            about = message.text[:4]
            if not about.isdecimal() or int(about) != self.mid:
                return False
            if message.mid == ERROR:
                code = message.text[4:7].strip()
                self.answer.set_exception(Refused(self.mid, int(code) if code.isdecimal() else 0))
                return True
        if message.mid not in self.replies or not message.text.startswith(self.begins):
            return False
        self.answer.set_result(message)
        return True


class Session:
    """Open it, ask, receive, close it. When the connection is lost every call raises why."""

    def __init__(self, options: OpenProtocolConnection) -> None:
        self.options = options
        self.where = f"{options.host}:{options.port}"
        self.controller: dict[str, str] = {}
        self._lost: LineshaftError | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._unasked: asyncio.Queue[Message | None] = asyncio.Queue()
        self._pending: _Pending | None = None
        self._turn = asyncio.Lock()
        self._heard = asyncio.Event()
        self._sent_at = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Connect and start the communication. Raises ConnectionFailed, PeerTimeout or AccessDenied."""
        try:
            async with asyncio.timeout(self.options.timeout):
                reader, self._writer = await asyncio.open_connection(self.options.host, self.options.port)
        except (OSError, TimeoutError) as error:
            raise ConnectionFailed(
                f"{self.where}: cannot be reached: {error or 'no answer'}",
                hint="check host, port, cable and that Open Protocol is enabled at the controller",
            ) from error
        self._tasks = [
            asyncio.create_task(self._receive(reader), name="open-protocol-receive"),
            asyncio.create_task(self._keep_alive(), name="open-protocol-keep-alive"),
        ]
        for task in self._tasks:
            task.add_done_callback(self._ended)
        try:
            started = await self.newest(START, (4, 3, 2, 1), {STARTED})
        except Refused as refusal:
            if refusal.code == ALREADY_CONNECTED:
                raise ConnectionFailed(
                    f"{self.where}: another client is connected", hint="most controllers serve one client at a time"
                ) from refusal
            raise AccessDenied(f"{self.where}: {refusal}", hint="check the controller's settings") from refusal
        try:
            self.controller = {name: raw for name, raw in decode(started).items() if name not in ("cell", "channel")}
        except DataError as error:
            raise ConnectionFailed(f"{self.where}: {error}") from error

    async def close(self) -> None:
        """Say goodbye and hang up; may be called twice."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._fail(ConnectionFailed(f"{self.where}: closed"))
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(OSError):
                writer.write(encode(Message(STOP, 1)))
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def newest(
        self, mid: int, revisions: Sequence[int], replies: set[int], data: bytes = b"", begins: str = ""
    ) -> Message:
        """Ask in the first of these revisions that the controller knows. Raises Refused and what `ask` raises."""
        for revision in revisions[:-1]:
            try:
                return await self.ask(mid, revision, replies, data, begins)
            except Refused as refusal:
                if refusal.code != REVISION_UNSUPPORTED:
                    raise
        return await self.ask(mid, revisions[-1], replies, data, begins)

    async def subscribe(self, mid: int, revisions: Sequence[int], data: bytes = b"") -> int:
        """Subscribe in the newest revision that the controller knows, and return it. Raises Refused."""
        for revision in revisions:
            try:
                await self.ask(mid, revision, {ACCEPTED}, data)
            except Refused as refusal:
                if refusal.code == REVISION_UNSUPPORTED and revision != revisions[-1]:
                    continue
                if refusal.code not in _ALREADY_SUBSCRIBED:
                    raise
            return revision
        raise ValueError("no revisions to ask for")

    async def ask(self, mid: int, revision: int, replies: set[int], data: bytes = b"", begins: str = "") -> Message:
        """Send a request and wait for one of the MIDs `replies`, with data that begin so.

        Raises Refused when the controller says MID 0004, PeerTimeout when it says nothing in three tries.
        """
        async with self._turn:
            for _ in range(_TRIES):
                answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
                self._pending = _Pending(mid, frozenset(replies), begins, answer)
                try:
                    self.send(mid, revision, data)
                    async with asyncio.timeout(self.options.timeout):
                        return await answer
                except TimeoutError:
                    continue
                finally:
                    self._pending = None
        raise PeerTimeout(f"{self.where}: no answer to MID {mid:04}", hint="check the port and the controller's cell")

    def send(self, mid: int, revision: int = 1, data: bytes = b"") -> None:
        """Send a message that needs no answer. Raises the reason when the connection is lost."""
        if self._lost is not None:
            raise self._lost
        if self._writer is None:
            raise ConnectionFailed(f"{self.where}: not connected")
        self._writer.write(encode(Message(mid, revision, data)))
        self._sent_at = asyncio.get_running_loop().time()

    async def receive(self) -> Message:
        """The next message that came unasked. Raises the reason when the connection is lost and nothing waits."""
        message = await self._unasked.get()
        if message is None:
            self._unasked.put_nowait(None)
            raise self._lost or ConnectionFailed(f"{self.where}: closed")
        return message

    async def _receive(self, reader: asyncio.StreamReader) -> None:
        framer = Framer()
        try:
            while data := await reader.read(65_536):
                for message in framer.feed(data):
                    self._take(message)
                self._heard.set()
        except (OSError, DataError) as error:
            self._fail(ConnectionFailed(f"{self.where}: {str(error) or type(error).__name__}"), error)
            return
        self._fail(ConnectionFailed(f"{self.where}: the controller hung up"))

    def _take(self, message: Message) -> None:
        if message.mid == KEEP_ALIVE:
            return
        if self._pending is not None and self._pending.take(message):
            return
        if message.mid in _ANSWERS:
            return  # late, or to an acknowledgement
        if self._unasked.qsize() >= _MOST_WAITING:
            raise DataError(f"more than {_MOST_WAITING} messages wait")
        self._unasked.put_nowait(message)

    async def _keep_alive(self) -> None:
        """Send a sign of life when nothing else was sent, and notice when none comes back."""
        loop = asyncio.get_running_loop()
        self._sent_at = loop.time()
        while True:
            await asyncio.sleep(max(0.0, self._sent_at + self.options.keep_alive - loop.time()))
            if loop.time() < self._sent_at + self.options.keep_alive:
                continue
            self._heard.clear()
            try:
                self.send(KEEP_ALIVE)
                async with asyncio.timeout(_TRIES * self.options.timeout):
                    await self._heard.wait()
            except TimeoutError:
                self._fail(PeerTimeout(f"{self.where}: no sign of life"))
                return
            except LineshaftError:
                return

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Without either task the session is nothing, and nobody would notice."""
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._fail(ConnectionFailed(f"{self.where}: a fault while listening: {error!r}"), error)

    def _fail(self, reason: LineshaftError, cause: BaseException | None = None) -> None:
        if self._lost is not None:
            return
        reason.__cause__ = cause
        self._lost = reason
        if self._pending is not None and not self._pending.answer.done():
            self._pending.answer.set_exception(reason)
        self._unasked.put_nowait(None)

"""Asks gateways for something and awaits the answer; used from the event loop of the API."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from lineshaft.clock import Clock, SystemClock
from lineshaft.errors import ConfigError, ConnectionFailed, LineshaftError, PeerTimeout, PermanentError
from lineshaft.wire import names
from lineshaft.wire.requests import Answer, Assembler, Request, decode_answer, encode_request
from lineshaft.wire.sparkplug import Metric, SparkplugType

ON_THE_WAY: Final = 2.0
"""Seconds that an answer may take to come after the deadline of the work itself."""


class GatewayRefused(PermanentError):
    """The gateway says no; nothing was changed."""


class GatewayFailed(LineshaftError):
    """The gateway tried, and it went wrong."""


class Sender(Protocol):
    """Sends one command to an edge node."""

    def __call__(self, node: str, metric: Metric) -> bool:
        """`node` is group/edge node; False when there is no connection to the broker."""
        ...


class Requests:
    """One per hub. `ask` runs in one event loop; `answered` may be called from any thread."""

    def __init__(
        self, send: Sender, online: Callable[[str], bool] = lambda node: True, clock: Clock | None = None
    ) -> None:
        self._send = send
        self._online = online
        self._clock = clock or SystemClock()
        self._assembler = Assembler()
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[str, asyncio.AbstractEventLoop, asyncio.Future[Answer]]] = {}

    def reaches(self, node: str) -> bool:
        """True while this gateway is there and takes requests."""
        return self._online(node)

    async def ask(
        self, node: str, kind: str, body: Mapping[str, Any] | None = None, *, by: str = "", within: float = 10.0
    ) -> Mapping[str, Any]:
        """The body of the answer of the gateway `node` (group/edge node) to a request of this kind.

        Raises ConnectionFailed when it cannot be asked, PeerTimeout when no answer came `within` seconds (it
        is then unknown whether it was done), ConfigError with problems or GatewayRefused when it was refused,
        GatewayFailed when it went wrong, DataError when the request is too large.
        """
        answer = await self.answer(node, kind, body, by=by, within=within)
        if answer.outcome == "done":
            return answer.body
        if answer.problems:
            raise ConfigError(answer.error, answer.problems, hint=answer.mend)
        kinds = GatewayRefused if answer.outcome == "refused" else GatewayFailed
        raise kinds(answer.error, hint=answer.mend)

    async def answer(
        self, node: str, kind: str, body: Mapping[str, Any] | None = None, *, by: str = "", within: float = 10.0
    ) -> Answer:
        """Like `ask`, but a refusal or a failure comes back as the answer that it is."""
        if not self._online(node):
            raise ConnectionFailed(
                f"the gateway {node} is offline or takes no requests", hint="Is it running, and its network connected?"
            )
        identity = uuid.uuid4().hex
        deadline = self._clock.now_us() + round(within * 1e6)
        parts = encode_request(Request(identity, kind, deadline, body or {}, by))
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        with self._lock:
            self._waiting[identity] = node, loop, answer
        try:
            for part in parts:
                if not self._send(node, Metric(names.REQUEST, SparkplugType.BYTES, part)):
                    raise ConnectionFailed("the hub has no connection to its broker", hint="See Settings, Health.")
            async with asyncio.timeout(within + ON_THE_WAY):
                return await answer
        except TimeoutError:
            raise PeerTimeout(
                f"the gateway {node} did not answer within {within + ON_THE_WAY:g} s",
                hint="It is unknown whether it was done; look at the gateway before you ask again.",
            ) from None
        finally:
            with self._lock:
                self._waiting.pop(identity, None)

    def answered(self, node: str, part: bytes) -> None:
        """A part of an answer came from a gateway. Raises DataError when it is none.

        An answer that nobody waits for, or from another gateway than the one that was asked, is dropped.
        """
        with self._lock:
            data = self._assembler.add(part, node)
            if data is None:
                return
            answer = decode_answer(data)
            asked, loop, future = self._waiting.get(answer.id, ("", None, None))
        if asked != node or loop is None or future is None:
            return
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it whoever waited
            loop.call_soon_threadsafe(_resolve, future, answer)


def _resolve(future: asyncio.Future[Answer], answer: Answer) -> None:
    if not future.done():
        future.set_result(answer)

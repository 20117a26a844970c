"""One session with a broker: paho runs in a thread, and hands messages over to the event loop in batches."""

from __future__ import annotations

import asyncio
import queue
import ssl
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from lineshaft.drivers.mqtt.options import MqttConnection
from lineshaft.drivers.secrets import first_line
from lineshaft.errors import AccessDenied, ConnectionFailed, LineshaftError, PeerTimeout
from lineshaft.mqtt_loop import MqttLoop

log = structlog.get_logger(__name__)

MOST_WAITING: Final = 5_000
"""Messages that wait for the event loop; then the broker is not read from."""
_DENIED: Final = ("Bad user name or password", "Not authorized", "Client identifier not valid", "Banned")
_NO_RIGHT: Final = "check the rights at the broker; a search listens to less with search: topic/#"
_NO_FIVE: Final = "Unsupported protocol version"
_HINT: Final = "check host, port, cable and that the broker runs"


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `mid` and `qos` are what its acknowledgement needs."""

    topic: str
    payload: bytes
    retained: bool
    mid: int
    qos: int


class Client:
    """Opened once. `take` gets messages in order, in the event loop; they are acknowledged when it returns."""

    def __init__(self, options: MqttConnection, take: Callable[[Sequence[Message]], None]) -> None:
        self.options = options
        host, port = options.host_port
        self.where = f"{host}:{port}"
        self._take = take
        self._waiting: queue.Queue[Message] = queue.Queue(MOST_WAITING)
        self._five = options.version != "3.1.1"
        self._paho: paho.Client | None = None
        self._network: MqttLoop | None = None
        self._answer: asyncio.Future[None] | None = None
        self._granted: dict[int, asyncio.Future[bool]] = {}
        self._ended: asyncio.Future[None] | None = None
        self._over = False
        self._refused_five = False
        self._ready = False  # messages of an earlier session may come before anybody can tell what they mean

    async def open(self) -> None:
        """Connect and sign in. Raises ConnectionFailed, PeerTimeout or AccessDenied."""
        self._loop = asyncio.get_running_loop()
        try:
            await self._open()
        except ConnectionFailed:
            if not self._refused_five or self.options.version != "auto":
                raise
            self._five = False
            await self._end_thread()
            await self._open()

    async def _open(self) -> None:
        self._answer, self._ended = self._loop.create_future(), self._loop.create_future()
        client = self._paho = self._made()
        network = self._network = MqttLoop(client)
        host, port = self.options.host_port
        properties = None
        if self._five:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = round(self.options.session)
        clean = self.options.session == 0
        start: Any = {"clean_start": clean, "properties": properties} if self._five else {}
        try:
            await asyncio.to_thread(client.connect, host, port, round(self.options.keepalive), **start)
            network.start()
            async with asyncio.timeout(self.options.timeout):
                await self._answer
        except TimeoutError as error:
            raise PeerTimeout(f"{self.where}: the broker did not answer in {self.options.timeout:g} s") from error
        except ssl.SSLError as error:
            raise AccessDenied(f"{self.where}: TLS failed: {error}", hint="check ca_file and cert_file") from error
        except OSError as error:
            raise ConnectionFailed(f"{self.where}: cannot be reached: {error}", hint=_HINT) from error

    def _made(self) -> paho.Client:
        options = self.options
        version = MQTTProtocolVersion.MQTTv5 if self._five else MQTTProtocolVersion.MQTTv311
        clean = None if self._five else options.session == 0
        client = paho.Client(
            CallbackAPIVersion.VERSION2, options.client_id, clean, protocol=version, reconnect_on_failure=False,
            manual_ack=True,
        )  # fmt: skip
        client.connect_timeout = options.timeout
        if options.user:
            client.username_pw_set(options.user, first_line(options.password_file) if options.password_file else None)
        if options.tls:
            try:
                context = ssl.create_default_context(cafile=options.ca_file or None)
                if options.cert_file:
                    context.load_cert_chain(options.cert_file, options.key_file)
            except OSError as error:
                raise AccessDenied(f"the certificates cannot be used: {error}", hint="check the files") from error
            client.tls_set_context(context)
        client.on_connect = lambda _c, _u, _f, reason, _p: self._soon(self._answered, str(reason), reason.is_failure)
        client.on_disconnect = lambda _c, _u, _f, reason, _p: self._soon(self._lost, str(reason))
        client.on_subscribe = lambda _c, _u, mid, reasons, _p: self._soon(
            self._subscribed, mid, not any(reason.is_failure for reason in reasons)
        )
        client.on_message = self._received
        return client

    def _soon(self, function: Callable[..., None], *arguments: Any) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)

    def _answered(self, reason: str, failed: bool) -> None:
        if self._answer is None or self._answer.done():
            return
        if not failed:
            self._answer.set_result(None)
            return
        self._refused_five = self._five and reason == _NO_FIVE
        words = f"{self.where}: the broker refused the connection: {reason}"
        hint = "check user, password_file and client_id"
        kind = AccessDenied if reason in _DENIED else ConnectionFailed
        self._answer.set_exception(kind(words, hint=hint if kind is AccessDenied else "try version: 3.1.1"))

    def _lost(self, reason: str) -> None:
        self._end(ConnectionFailed(f"{self.where}: the connection was lost: {reason}", hint=_HINT))

    def _end(self, error: LineshaftError) -> None:
        for future in (self._answer, self._ended, *self._granted.values()):
            if future is not None and not future.done():
                future.set_exception(error)
                future.exception()  # it is told by whoever waits, and need not be
        self._granted.clear()

    def _subscribed(self, mid: int, granted: bool) -> None:
        future = self._granted.setdefault(mid, self._loop.create_future())
        if not future.done():
            future.set_result(granted)

    def _received(self, _client: paho.Client, _user: object, message: paho.MQTTMessage) -> None:
        """In paho's thread. Waits while too much waits, so that nothing is dropped here."""
        found = Message(message.topic, bytes(message.payload), message.retain, message.mid, message.qos)
        while not self._over:
            with suppress(queue.Full):
                self._waiting.put(found, timeout=0.2)
                break
        self._soon(self._hand_over)

    def _hand_over(self) -> None:
        if not self._ready:
            return
        messages: list[Message] = []
        with suppress(queue.Empty):
            while True:
                messages.append(self._waiting.get_nowait())
        if messages and not self._over:
            try:
                self._take(messages)
            except Exception as error:  # the boundary of a callback: whoever waits for the end is told
                log.exception("mqtt.fault", broker=self.where)
                self._end(ConnectionFailed(f"{self.where}: a fault while taking messages: {error!r}"))
                return
            self._acknowledge(messages)

    def _acknowledge(self, messages: Iterable[Message]) -> None:
        if self._paho is not None:
            for message in messages:
                if message.qos:
                    self._paho.ack(message.mid, message.qos)

    async def subscribe(self, filters: Sequence[str]) -> None:
        """Subscribe, and wait for the broker's word; from now on messages are handed over.

        Raises AccessDenied, PeerTimeout or ConnectionFailed.
        """
        client = self._opened()
        self._ready = True
        self._hand_over()
        for topic in dict.fromkeys(filters):
            result, mid = client.subscribe(topic, self.options.qos)
            if result != paho.MQTT_ERR_SUCCESS or mid is None:
                raise ConnectionFailed(f"{self.where}: the connection was lost", hint=_HINT)
            future = self._granted.setdefault(mid, self._loop.create_future())
            try:
                async with asyncio.timeout(self.options.timeout):
                    granted = await future
            except TimeoutError as error:
                raise PeerTimeout(f"{self.where}: no answer to a subscription") from error
            finally:
                self._granted.pop(mid, None)
            if not granted:
                raise AccessDenied(f"{self.where}: no right to subscribe to {topic}", hint=_NO_RIGHT)

    async def wait_ended(self) -> None:
        """Wait until the session is lost, then raise ConnectionFailed."""
        self._opened()
        if self._ended is not None:
            await asyncio.shield(self._ended)

    def check(self) -> None:
        """Raise ConnectionFailed when the session is lost."""
        self._opened()
        if self._ended is not None and self._ended.done():
            self._ended.result()

    def _opened(self) -> paho.Client:
        if self._paho is None:
            raise ConnectionFailed(f"{self.where}: not connected")
        return self._paho

    async def _end_thread(self) -> None:
        client, self._paho = self._paho, None
        network, self._network = self._network, None
        if client is not None and network is not None:
            client.on_disconnect = None
            await asyncio.to_thread(network.stop)

    async def close(self) -> None:
        """Sign off; never raises."""
        self._over = True
        if self._paho is not None:
            self._end(ConnectionFailed(f"{self.where}: closed"))
        await self._end_thread()

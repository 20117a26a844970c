"""One MQTT connection for asyncio: paho runs in a thread, and its callbacks come back through the event loop."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from lineshaft.errors import AccessDenied, ConfigError, ConnectionFailed, LineshaftError, PeerTimeout
from lineshaft.gateway.uplinks.base import Throttled
from lineshaft.mqtt_loop import MqttLoop

MAX_QUEUED: Final = 4 << 20
"""Bytes handed to paho and not yet on the wire, beyond which sending waits."""
MAX_MESSAGES: Final = 2_000
"""The same for messages."""
_DENIED: Final = frozenset({"Bad user name or password", "Not authorized", "Client identifier not valid", "Banned"})
_ANSWER: Final = 10.0  # seconds for an answer of the broker


@dataclass(frozen=True, slots=True)
class BrokerAccess:
    """Where a broker is and how to sign in."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    alpn: str = ""
    version: Literal["5", "3.1.1"] = "3.1.1"

    @staticmethod
    def parse(url: str, **more: Any) -> BrokerAccess:
        """From mqtt://host:port or mqtts://host:port. Raises ConfigError."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ConfigError(f"'{url}' is no broker address", hint="Write mqtt://host:port or mqtts://host:port.")
        tls = parts.scheme == "mqtts"
        return BrokerAccess(parts.hostname, port or (8883 if tls else 1883), tls=tls, **more)


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says at QoS 1 when the connection ends without a word."""

    topic: str
    payload: bytes
    retain: bool = False


def tls_context(access: BrokerAccess) -> ssl.SSLContext:
    """TLS 1.2 or newer, the other side checked by name. Raises ConfigError for unusable certificates."""
    try:
        context = ssl.create_default_context(cafile=access.ca_file or None)
        if access.cert_file:
            context.load_cert_chain(access.cert_file, access.key_file or None)
    except (OSError, ValueError) as error:
        where = f"{access.host}:{access.port}"
        raise ConfigError(f"cannot use the certificates for the broker at {where}: {error}") from error
    if access.alpn:
        context.set_alpn_protocols([access.alpn])
    return context


class MqttConnection:
    """A single session: clean, perhaps with a will, and over when the connection is lost."""

    def __init__(
        self,
        access: BrokerAccess,
        client_id: str,
        will: Will | None,
        keepalive: float,
        on_message: Callable[[str, bytes], None],
        on_sent: Callable[[int], None],
    ) -> None:
        self._access = access
        self._keepalive = max(1, round(keepalive))
        self._on_message = on_message
        self._on_sent = on_sent
        self._queued: dict[int, int] = {}
        self._queued_bytes = 0
        self._granted: dict[int, asyncio.Future[bool]] = {}
        self._room = asyncio.Event()
        self._empty = asyncio.Event()
        five = access.version == "5"
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id,
            clean_session=None if five else True,
            protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        self._network = MqttLoop(self._client)
        self._client.connect_timeout = 5.0
        self._client.max_queued_messages_set(0)
        if will is not None:
            self._client.will_set(will.topic, will.payload, qos=1, retain=will.retain)
        self._failure: LineshaftError | None = None
        self._gone = False
        self.reached = False
        """The broker may have seen the CONNECT with the will."""
        self.max_packet: int | None = None
        """Bytes of a packet that the broker takes, where it says so."""
        self._closed = asyncio.Event()
        self._opened: asyncio.Future[None] | None = None

    async def open(self) -> None:
        """Connect and sign in. Raises ConnectionFailed, PeerTimeout, AccessDenied or ConfigError."""
        access, client = self._access, self._client
        where = f"the broker at {access.host}:{access.port}"
        self._loop = asyncio.get_running_loop()
        self._opened = self._loop.create_future()
        if access.user:
            client.username_pw_set(access.user, access.password)
        if access.tls:
            client.tls_set_context(tls_context(access))
        self._hook()
        try:
            await asyncio.to_thread(client.connect, access.host, access.port, self._keepalive)
        except ssl.SSLCertVerificationError as error:
            raise AccessDenied(f"{where} is not trusted: {error}", hint="Check tls.ca_file.") from error
        except ssl.SSLError as error:
            text = f"{where} broke off the TLS handshake: {error}"
            raise ConnectionFailed(text, hint="Check port, certificate and ALPN name.") from error
        except OSError as error:
            raise ConnectionFailed(f"cannot reach {where}: {error}") from error
        self.reached = True
        self._network.start()
        try:
            async with asyncio.timeout(_ANSWER):
                await self._opened
        except TimeoutError:
            raise PeerTimeout(f"{where} does not answer") from None

    def _hook(self) -> None:
        """Each callback runs in paho's thread and only passes its arguments on."""

        def soon(function: Callable[..., None], *arguments: Any) -> None:
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(function, *arguments)

        client = self._client
        client.on_connect = lambda _c, _u, _f, reason, properties: soon(
            self._answered, str(reason), reason.is_failure, getattr(properties, "MaximumPacketSize", None)
        )
        client.on_disconnect = lambda _c, _u, _f, reason, _p: soon(self._lost, str(reason))
        client.on_subscribe = lambda _c, _u, mid, reasons, _p: soon(
            self._subscribed, mid, not any(reason.is_failure for reason in reasons)
        )
        client.on_publish = lambda _c, _u, mid, reason, _p: soon(self._sent, mid, reason)
        client.on_message = lambda _c, _u, message: soon(self._received, message.topic, bytes(message.payload))

    def _answered(self, reason: str, failed: bool, max_packet: int | None) -> None:
        if self._opened is None or self._opened.done():
            return
        self.max_packet = max_packet
        if not failed:
            self._opened.set_result(None)
            return
        kind = AccessDenied if reason in _DENIED else ConnectionFailed
        hint = "Check user, password file, key and client id of the uplink." if kind is AccessDenied else ""
        if "protocol version" in reason:
            hint = "Set version: 3.1.1 for this uplink."
        self._opened.set_exception(kind(f"the broker refused the connection: {reason}", hint=hint))

    def _lost(self, reason: str) -> None:
        error = ConnectionFailed(f"the connection to the broker was lost: {reason}")
        if self._opened is not None and not self._opened.done():
            where = f"{self._access.host}:{self._access.port}"
            text = f"the broker at {where} closed the connection without a word: {reason}"
            hint = "Does it know the certificate, the client id and the protocol name?"
            error = ConnectionFailed(text, hint=hint)
            self._opened.set_exception(error)
        self._gone = True
        self._empty.set()
        self.fail(error)

    def fail(self, error: LineshaftError) -> None:
        """End the session: `wait_closed` raises `error`; a last word may still be published."""
        self._failure = self._failure or error
        self._closed.set()
        self._room.set()
        for granted in self._granted.values():
            if not granted.done():
                granted.set_exception(self._failure)

    def _subscribed(self, mid: int, granted: bool) -> None:
        future = self._granted.setdefault(mid, self._loop.create_future())
        if not future.done():
            future.set_result(granted)

    def _received(self, topic: str, payload: bytes) -> None:
        if not self._closed.is_set():
            self._on_message(topic, payload)

    def _sent(self, mid: int, reason: ReasonCode) -> None:
        self._queued_bytes -= self._queued.pop(mid, 0)
        if not self._full:
            self._room.set()
        if not self._queued:
            self._empty.set()
        if reason.is_failure:
            self.fail(_refusal(str(reason)))
        else:
            self._on_sent(mid)

    @property
    def _full(self) -> bool:
        return self._queued_bytes >= MAX_QUEUED or len(self._queued) >= MAX_MESSAGES

    async def subscribe(self, filters: Sequence[str]) -> None:
        """Subscribe at QoS 1 and wait for the broker's word. Raises AccessDenied, PeerTimeout or ConnectionFailed."""
        result, mid = self._client.subscribe([(topic, 1) for topic in filters])
        if result != paho.MQTT_ERR_SUCCESS or mid is None:
            raise ConnectionFailed("the connection to the broker was lost")
        future = self._granted.setdefault(mid, self._loop.create_future())
        try:
            async with asyncio.timeout(_ANSWER):
                granted = await future
        except TimeoutError:
            raise PeerTimeout("the broker does not answer a subscription") from None
        finally:
            self._granted.pop(mid, None)
        if not granted:
            raise AccessDenied(f"the broker refused a subscription of {', '.join(filters)}")

    def publish(self, topic: str, payload: bytes, qos: int = 0, *, retain: bool = False) -> int:
        """Queue a message; returns the number that `on_sent` gives once it is on the wire, with QoS 1 acknowledged.

        Raises ConnectionFailed.
        """
        if self._gone:
            raise self._failure or ConnectionFailed("the connection to the broker was lost")
        info = self._client.publish(topic, payload, qos=qos, retain=retain)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            raise ConnectionFailed("the connection to the broker was lost")
        self._queued[info.mid] = len(payload)
        self._empty.clear()
        self._queued_bytes += len(payload)
        if self._full:
            self._room.clear()
        return info.mid

    async def room(self) -> None:
        """Wait while too much is queued. Raises the error that ended the session."""
        if self._full:
            await self._room.wait()
        if self._failure is not None:
            raise self._failure

    async def flushed(self, seconds: float) -> None:
        """Wait at most `seconds` until all that was published is on the wire."""
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            return

    @property
    def failure(self) -> LineshaftError | None:
        """What ended the session; None while it lasts."""
        return self._failure

    @property
    def alive(self) -> bool:
        """True while the broker has accepted the session and nothing ended it."""
        opened = self._opened is not None and self._opened.done() and self._opened.exception() is None
        return opened and not self._gone

    async def wait_closed(self) -> None:
        """Wait for the end of the session and raise its reason."""
        await self._closed.wait()
        raise self._failure or ConnectionFailed("the connection to the broker was closed")

    async def close(self) -> None:
        """DISCONNECT and end paho's thread; never raises."""
        await asyncio.to_thread(self._network.stop)
        self._closed.set()


class PacketTooLarge(ConnectionFailed):
    """The broker refuses a message for its size."""


def _refusal(reason: str) -> LineshaftError:
    """What a broker's refusal of one message means (MQTT 5)."""
    text = f"the broker refused a message: {reason}"
    if reason == "Packet too large":
        return PacketTooLarge(text)
    if reason == "Quota exceeded":
        return Throttled(text, 5.0)
    return AccessDenied(text, hint="May the user publish on these topics?")

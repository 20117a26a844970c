"""The network loop of one paho client; paho's own waits with select(), which takes no file above number 1023."""

from __future__ import annotations

import selectors
import socket
import sys
import threading
import time
from contextlib import suppress
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode

_TICK: Final = 1.0  # seconds between two looks at the keep-alive
_GRACE: Final = 5.0  # seconds that a broker gets to take what waits and our DISCONNECT
if sys.platform == "win32":  # its select() is limited by how many sockets wait, not by their numbers
    _Selector = selectors.SelectSelector
else:
    _Selector = selectors.PollSelector


class MqttLoop:
    """Reads, writes and keeps alive for `client`, in a thread of its own (`start`) or in the caller's (`run`).

    Made before the client connects. All callbacks of the client run in the thread of the loop; publish, subscribe and
    ack may be called from any. An error raised by a callback ends the connection and is raised by `run`.
    """

    def __init__(self, client: paho.Client) -> None:
        self._client = client
        client.on_socket_register_write = self._wake
        self._stopping = threading.Event()
        self._grace = _GRACE
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._bell: socket.socket | None = None

    def start(self, again: tuple[float, float] | None = None) -> None:
        """Serve the connection in a thread until it ends.

        With `again`, the first and the longest pause in seconds, a connection that is not there is made, again and
        again until `stop`; the client has got its address by `connect_async` then.
        """
        self._thread = threading.Thread(target=self._main, args=(again,), name="mqtt", daemon=True)
        self._thread.start()

    def stop(self, grace: float = _GRACE) -> None:
        """Disconnect after what was published before, and wait for the thread; after `grace` seconds by force.

        Of messages with QoS 1 the acknowledgement is not waited for.
        """
        self._grace = grace
        self._stopping.set()
        self._wake()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(grace + self._client.connect_timeout)

    def run(self) -> MQTTErrorCode:
        """Serve the connection until it ends; returns paho's reason, MQTT_ERR_SUCCESS after a disconnect of ours."""
        sock = self._client.socket()
        if sock is None:
            return MQTTErrorCode.MQTT_ERR_NO_CONN
        listener, bell = socket.socketpair()
        listener.setblocking(False)
        bell.setblocking(False)
        with listener, bell, _Selector() as selector:
            self._bell = bell
            try:
                return self._serve(selector, sock, listener)
            finally:
                with self._lock:
                    self._bell = None
                if self._client.socket() is sock:  # the peer does not end it, or a callback raised
                    sock.close()
                    self._client.disconnect()
                    self._client.loop_write()  # finds it closed, and on_disconnect is called

    def _serve(self, selector: selectors.BaseSelector, sock: Any, listener: socket.socket) -> MQTTErrorCode:
        client, code = self._client, MQTTErrorCode.MQTT_ERR_SUCCESS
        selector.register(listener, selectors.EVENT_READ)
        selector.register(sock, selectors.EVENT_READ)
        read_ahead = getattr(sock, "pending", int)  # bytes that TLS holds decrypted: no poll() tells of them
        writing = False
        tick, end = 0.0, float("inf")

        def open_still() -> bool:
            return client.socket() is sock

        while open_still() and time.monotonic() < end:
            if self._stopping.is_set() and end == float("inf"):
                end = time.monotonic() + self._grace
                client.disconnect()
            if client.want_write() is not writing:
                writing = not writing
                selector.modify(sock, selectors.EVENT_READ | (selectors.EVENT_WRITE if writing else 0))
            ready = {key.fileobj: events for key, events in selector.select(0 if read_ahead() else _TICK)}
            if ready.get(sock, 0) & selectors.EVENT_READ or read_ahead():
                code = client.loop_read()
            if listener in ready:
                listener.recv(4096)
            if open_still() and (listener in ready or client.want_write()):
                code = client.loop_write()  # after the bell in any case: it makes paho ring again
            if open_still() and time.monotonic() >= tick:
                tick = time.monotonic() + _TICK
                code = client.loop_misc()
        return code

    def _wake(self, *_: Any) -> None:
        with self._lock:
            if self._bell is not None:
                with suppress(BlockingIOError):  # it rings already
                    self._bell.send(b"\0")

    def _main(self, again: tuple[float, float] | None) -> None:
        self.run()
        if again is None:
            return
        pause, longest = again
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._client.reconnect()
            except OSError:
                pass  # tried again below
            else:
                self.run()
            if time.monotonic() - began > longest:
                pause = again[0]
            self._stopping.wait(pause)
            pause = min(pause * 2, longest)

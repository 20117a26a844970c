"""Real MQTT peers for the tests: a client that waits, and a Mosquitto in a process of its own."""

from __future__ import annotations

import getpass
import queue
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType

import paho.mqtt.client as paho
from tests.ports import free_port

from lineshaft.mqtt_loop import MqttLoop

MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"


class Peer:
    """A paho client whose received messages are waited for."""

    def __init__(self, port: int, user: str = "", password: str = "", client_id: str = "", keepalive: int = 30) -> None:
        self.inbox: queue.Queue[tuple[str, bytes, bool]] = queue.Queue()
        self.code: int | None = None
        self.lost = threading.Event()
        self._answered = threading.Event()
        self._granted: queue.Queue[list[int]] = queue.Queue()
        self.client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, client_id, protocol=paho.MQTTv311, reconnect_on_failure=False
        )
        self._network = MqttLoop(self.client)
        if user:
            self.client.username_pw_set(user, password)
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = lambda *_: self.lost.set()
        self.client.on_message = lambda _c, _u, m: self.inbox.put((m.topic, m.payload, m.retain))
        self.client.on_subscribe = lambda _c, _u, _mid, codes, _p: self._granted.put([code.value for code in codes])
        self._port, self._keepalive = port, keepalive

    def _on_connect(self, *args: object) -> None:
        self.code = args[3].value  # type: ignore[attr-defined]
        self._answered.set()

    def connect(self) -> Peer:
        self.client.connect("127.0.0.1", self._port, self._keepalive)
        self._network.start()
        assert self._answered.wait(30)
        return self

    def __enter__(self) -> Peer:
        return self.connect()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Sign off."""
        self._network.stop()

    def subscribe(self, topic: str, qos: int = 1) -> list[int]:
        self.client.subscribe(topic, qos)
        return self._granted.get(timeout=30)

    def publish(self, topic: str, payload: bytes, qos: int = 0, retain: bool = False) -> None:
        self.client.publish(topic, payload, qos, retain).wait_for_publish(30)

    def take(self, timeout: float = 30.0) -> tuple[str, bytes, bool]:
        return self.inbox.get(timeout=timeout)


class Mosquitto:
    """The Mosquitto broker on a free port; anonymous unless it gets a password and an ACL file."""

    def __init__(self, folder: Path, password_file: Path | None = None, acl: str = "") -> None:
        self.port = free_port()
        lines = [
            f"user {getpass.getuser()}",  # else root becomes a user that cannot read the private files
            f"listener {self.port} 127.0.0.1",
            "persistence false",
            "max_queued_messages 0",
        ]
        if password_file is None:
            lines.append("allow_anonymous true")
        else:
            (folder / "acl").write_text(acl)
            (folder / "acl").chmod(0o600)
            lines += ["allow_anonymous false", f"password_file {password_file}", f"acl_file {folder}/acl"]
        self._config = folder / "mosquitto.conf"
        self._config.write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [MOSQUITTO, "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        self.stop()
        raise AssertionError("mosquitto did not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

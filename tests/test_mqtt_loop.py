"""The network loop of MQTT clients: more files than select() takes, TLS, silence, clean ends."""

from __future__ import annotations

import asyncio
import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from tests.gateway.uplinks.pki import Authority
from tests.hub.mqtt import Mosquitto, Peer

from lineshaft.clock import SystemClock
from lineshaft.drivers.mqtt.client import Client, Message
from lineshaft.drivers.mqtt.options import MqttConnection as DriverConnection
from lineshaft.gateway.uplinks.mqtt import BrokerAccess, MqttConnection
from lineshaft.hub.ingest.counters import Counters
from lineshaft.hub.ingest.host import BrokerLogin, HostClient
from lineshaft.hub.ingest.inbox import Arrival, Inbox, Signal
from lineshaft.mqtt_loop import MqttLoop
from lineshaft.simulator.servers.publisher import Publisher

PATIENCE = 20.0
CONNACK, PINGREQ = b"\x20\x02\x00\x00", b"\xc0\x00"


@pytest.fixture
def broker(tmp_path: Path, require: Callable[..., str]) -> Iterator[Mosquitto]:
    require("mosquitto", "mosquitto")
    found = Mosquitto(tmp_path)
    found.start()
    yield found
    found.stop()


async def uplink(port: int) -> None:
    """A gateway's connection that hears its own messages."""
    heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
    sent: asyncio.Queue[int] = asyncio.Queue()
    access = BrokerAccess("127.0.0.1", port)
    connection = MqttConnection(access, "gw", None, 30, lambda *told: heard.put_nowait(told), sent.put_nowait)
    await connection.open()
    await connection.subscribe(["up/#"])
    mids = [connection.publish(f"up/{qos}", b"value", qos) for qos in (0, 1)]
    async with asyncio.timeout(PATIENCE):
        assert sorted([await sent.get() for _ in mids]) == sorted(mids)
        assert sorted([await heard.get() for _ in mids]) == [("up/0", b"value"), ("up/1", b"value")]
    await connection.close()


async def driver(port: int) -> None:
    """A driver that listens."""
    heard: asyncio.Queue[Message] = asyncio.Queue()
    client = Client(
        DriverConnection(url=f"mqtt://127.0.0.1:{port}"), lambda messages: [heard.put_nowait(one) for one in messages]
    )
    await client.open()
    await client.subscribe(["sensor/#"])
    with Peer(port) as peer:
        await asyncio.to_thread(peer.publish, "sensor/a", b"1", 1)
    async with asyncio.timeout(PATIENCE):
        assert (await heard.get()).payload == b"1"
    await client.close()


async def sender(port: int) -> None:
    """A sensor of the simulator."""
    publisher = Publisher("127.0.0.1", port, None, "sensor")
    with Peer(port) as peer:
        peer.subscribe("sensor/#")
        await publisher.start()
        publisher.put("sensor/a", b"2")
        assert (await asyncio.to_thread(peer.take, PATIENCE))[1] == b"2"
        await publisher.stop()


async def host(port: int) -> None:
    """The hub's own connection, which tells that the hub is there and later that it is not."""
    inbox = Inbox(1 << 20)
    client = HostClient(BrokerLogin.parse(f"mqtt://127.0.0.1:{port}"), "lineshaft", inbox, SystemClock(), Counters())
    client.start()
    with Peer(port) as peer:
        assert inbox.get(PATIENCE) is Signal.CONNECTED
        peer.subscribe("spBv1.0/#")
        peer.publish("spBv1.0/works/NDATA/gw", b"3", 1)
        found = inbox.get(PATIENCE)
        assert isinstance(found, Arrival)
        assert found.payload == b"3"
        client.ask_rebirth("works", "gw")
        while not (told := peer.take(PATIENCE))[0].startswith("spBv1.0/works/NCMD/"):
            pass
        client.stop()
        while not (told := peer.take(PATIENCE))[0].startswith("spBv1.0/STATE/"):
            pass
        assert b'"online": false' in told[1]


@pytest.mark.parametrize("client", [uplink, driver, sender, host], ids=lambda client: client.__name__)
@pytest.mark.usefixtures("many_files")
async def test_above_the_reach_of_select(broker: Mosquitto, client: Callable[[int], object]) -> None:
    """Every client of ours talks in a process that has more than a thousand files open."""
    await client(broker.port)  # type: ignore[misc]


def test_threads_publish_at_once(broker: Mosquitto) -> None:
    """Nothing that several threads publish waits for something else to happen on the connection."""
    with Peer(broker.port) as listener, Peer(broker.port) as peer:
        listener.subscribe("many/#")

        def publish(number: int) -> None:
            for count in range(300):
                peer.client.publish(f"many/{number}", str(count), 0).wait_for_publish(PATIENCE)

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(publish, range(6)))
        heard: dict[str, list[int]] = {}
        for _ in range(1800):
            topic, payload, _ = listener.take(PATIENCE)
            heard.setdefault(topic, []).append(int(payload))
    assert heard == {f"many/{number}": list(range(300)) for number in range(6)}


class Gate:
    """Accepts connections as a broker does, and then does what the test says."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(PATIENCE)
        self.port = self._server.getsockname()[1]

    def admit(self, tls: ssl.SSLContext | None = None) -> socket.socket:
        """The next client, signed in."""
        line, _ = self._server.accept()
        line.settimeout(PATIENCE)
        if tls is not None:
            line = tls.wrap_socket(line, server_side=True)
        assert line.recv(1000)[0] == 0x10
        line.sendall(CONNACK)
        return line

    def close(self) -> None:
        self._server.close()


@pytest.fixture
def gate() -> Iterator[Gate]:
    found = Gate()
    yield found
    found.close()


class Guest:
    """A client at the gate."""

    def __init__(self, gate: Gate, keepalive: int = 30) -> None:
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
        self.network = MqttLoop(self.client)
        self.lost = threading.Event()
        self.client.on_disconnect = lambda *_: self.lost.set()
        self.client.connect_async("127.0.0.1", gate.port, keepalive)


def test_what_tls_has_read_ahead(gate: Gate, tmp_path: Path) -> None:
    """Many messages in one TLS record are taken at once, though the socket itself has nothing more to say."""
    authority = Authority(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*authority.issue("broker", "127.0.0.1"))
    guest = Guest(gate)
    guest.client.tls_set_context(ssl.create_default_context(cafile=authority.ca))
    heard: queue.Queue[bytes] = queue.Queue()
    guest.client.on_message = lambda _c, _u, message: heard.put(message.payload)
    guest.network.start((0.01, 0.02))
    with gate.admit(tls) as line:
        line.sendall(b"".join(b"\x30\x04\x00\x01a" + bytes([number]) for number in range(200)))
        assert [heard.get(timeout=PATIENCE)[0] for _ in range(200)] == list(range(200))
        guest.network.stop()


def test_a_broker_that_falls_silent(gate: Gate) -> None:
    """A connection without traffic is kept alive by pings, and given up when they are not answered."""
    guest = Guest(gate, keepalive=1)
    guest.network.start((0.01, 0.01))
    with gate.admit() as line:
        assert line.recv(1000) == PINGREQ
        assert guest.lost.wait(PATIENCE)
    gate.admit().close()
    guest.network.stop()


def test_it_connects_again_until_it_is_stopped(gate: Gate) -> None:
    """A lost connection is made anew; afterwards the end is told to the broker."""
    guest = Guest(gate)
    guest.network.start((0.01, 0.02))
    gate.admit().close()
    gate.admit().close()
    with gate.admit() as line:
        guest.network.stop()
        assert line.recv(1000) == b"\xe0\x00"  # DISCONNECT
        assert line.recv(1000) == b""
    assert guest.client.socket() is None


def test_a_broker_that_takes_nothing(gate: Gate) -> None:
    """A stop does not wait for ever for a broker that does not read what was published."""
    guest = Guest(gate)
    guest.network.start((0.01, 0.02))
    with gate.admit():
        while not guest.client.is_connected():
            guest.lost.wait(0.01)
        guest.client.publish("a", bytes(50_000_000))
        guest.network.stop(grace=0.2)
        assert guest.lost.is_set()
        assert guest.client.socket() is None


def test_an_error_in_a_callback(gate: Gate) -> None:
    """What a callback raises ends the connection, so that somebody notices, and is told to who runs the loop."""
    guest = Guest(gate)

    def fails(*_: object) -> None:
        raise ZeroDivisionError

    guest.client.on_connect = fails
    guest.client.reconnect()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(guest.network.run)
        with gate.admit() as line:
            with pytest.raises(ZeroDivisionError):
                running.result(PATIENCE)
            assert line.recv(1000) == b""
    assert guest.lost.is_set()

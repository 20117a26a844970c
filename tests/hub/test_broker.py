"""The embedded broker and its accounts, with real MQTT clients; Mosquitto with the same files."""

from __future__ import annotations

import queue
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from lineshaft.config.broker import BrokerAccountConfig
from lineshaft.errors import ConfigError, ConnectionFailed
from lineshaft.hub.broker import (
    PASSWORDS,
    Account,
    BrokerSettings,
    EmbeddedBroker,
    edge_account,
    ensure_credentials,
    foreign_account,
    hub_account,
    mosquitto_acl,
)
from lineshaft.hub.broker.accounts import covers

from .mqtt import Mosquitto, Peer

FOREIGN = (
    BrokerAccountConfig(user="press-7", publish=("press-7/#",), receive=("press-7/set", "hall/+/temperature")),
    BrokerAccountConfig(user="node-9", sparkplug="plant/node-9"),
)
ACCOUNTS = (
    hub_account("hub"),
    edge_account("gw1", "plant", "gw1", ("press-7/#",)),
    edge_account("gw2", "plant", "gw2"),
    *(foreign_account(one) for one in FOREIGN),
    Account("scada", ("hall/#", "press-7/set"), ()),
)


@pytest.fixture
def passwords(tmp_path: Path) -> dict[str, str]:
    files = ensure_credentials(tmp_path, [account.user for account in ACCOUNTS])
    return {name: path.read_text().strip() for name, path in files.items()}


@pytest.fixture(params=["embedded", "mosquitto"])
def port(request: pytest.FixtureRequest, tmp_path: Path, passwords: dict[str, str]) -> Iterator[int]:
    """Both brokers must keep the same promises with the same files."""
    broker: EmbeddedBroker | Mosquitto
    if request.param == "embedded":
        broker = EmbeddedBroker(BrokerSettings(ACCOUNTS), tmp_path / PASSWORDS)
    else:
        broker = Mosquitto(tmp_path, tmp_path / PASSWORDS, mosquitto_acl(ACCOUNTS))
    broker.start()
    yield broker.port
    broker.stop()


@pytest.fixture
def embedded(tmp_path: Path, passwords: dict[str, str]) -> Iterator[EmbeddedBroker]:
    broker = EmbeddedBroker(BrokerSettings(ACCOUNTS, max_message=1_000_000), tmp_path / PASSWORDS)
    broker.start()
    yield broker
    broker.stop()


def silent(peer: Peer) -> bool:
    """True when nothing comes within a moment."""
    try:
        peer.take(0.4)
    except queue.Empty:
        return True
    return False


def test_data_goes_to_the_hub_and_commands_to_their_node(port: int, passwords: dict[str, str]) -> None:
    """The hub hears every node; a command reaches the node that it names and no other."""
    with (
        Peer(port, "hub", passwords["hub"]) as hub,
        Peer(port, "gw1", passwords["gw1"]) as one,
        Peer(port, "gw2", passwords["gw2"]) as two,
    ):
        assert hub.subscribe("spBv1.0/#") == [1]
        one.subscribe("spBv1.0/plant/NCMD/gw1")
        two.subscribe("spBv1.0/plant/NCMD/gw2")
        one.publish("spBv1.0/plant/DDATA/gw1/pump", b"x" * 100_000)
        assert hub.take() == ("spBv1.0/plant/DDATA/gw1/pump", b"x" * 100_000, False)
        hub.publish("spBv1.0/plant/NCMD/gw1", b"rebirth")
        assert one.take()[1] == b"rebirth"
        assert silent(two)


@pytest.mark.parametrize(
    "topic",
    [
        "spBv1.0/plant/DDATA/gw2/pump",
        "spBv1.0/plant/NCMD/gw2",
        "spBv1.0/other/NDATA/gw1",
        "spBv1.0/STATE/lineshaft",
        "anything",
    ],
)
def test_a_node_cannot_speak_for_others(port: int, passwords: dict[str, str], topic: str) -> None:
    """What an edge node publishes outside of its own topics goes nowhere."""
    with Peer(port, "hub", passwords["hub"]) as hub:
        hub.subscribe("spBv1.0/#")
        # Some brokers hang up on a forger, even before it has seen its words go.
        with Peer(port, "gw1", passwords["gw1"]) as one, suppress(RuntimeError):
            one.publish(topic, b"forged")
        with Peer(port, "gw1", passwords["gw1"]) as one:
            one.publish("spBv1.0/plant/NDATA/gw1", b"own")
        assert hub.take()[1] == b"own"


def test_a_node_cannot_listen_to_others(port: int, passwords: dict[str, str]) -> None:
    """Another node's data and commands do not reach it, whatever it subscribes to."""
    with Peer(port, "hub", passwords["hub"]) as hub, Peer(port, "gw1", passwords["gw1"]) as one:
        for topic in ("spBv1.0/#", "#", "spBv1.0/plant/NCMD/+", "spBv1.0/plant/DDATA/gw2/pump"):
            one.subscribe(topic)
        one.subscribe("spBv1.0/STATE/lineshaft")
        hub.publish("spBv1.0/plant/NCMD/gw2", b"secret")
        hub.publish("spBv1.0/plant/DDATA/gw2/pump", b"secret")
        hub.publish("spBv1.0/STATE/lineshaft", b"online", qos=1, retain=True)
        assert one.take()[1] == b"online"


def test_an_account_of_the_plant_may_what_it_names(port: int, passwords: dict[str, str]) -> None:
    """Its own topics reach the gateway and no others do; a search of everything hears what it may receive alone, of
    what is retained too."""
    with (
        Peer(port, "gw1", passwords["gw1"]) as gateway,
        Peer(port, "press-7", passwords["press-7"]) as press,
        Peer(port, "scada", passwords["scada"]) as scada,
    ):
        gateway.subscribe("press-7/#")
        scada.publish("hall/oven/temperature", b"210", qos=1, retain=True)
        scada.publish("hall/oven/recipe", b"secret", qos=1, retain=True)
        with Peer(port, "scada", passwords["scada"]) as forger, suppress(RuntimeError):
            forger.publish("press-7/force", b"forged")
        assert press.subscribe("#") == [1]
        assert press.take() == ("hall/oven/temperature", b"210", True)
        scada.publish("hall/oven/recipe", b"secret", qos=1)
        scada.publish("press-7/set", b"12", qos=1)
        assert press.take()[:2] == ("press-7/set", b"12")
        press.publish("press-7/force", b"8.5")
        assert [gateway.take()[:2] for _ in range(2)] == [("press-7/set", b"12"), ("press-7/force", b"8.5")]


def test_a_foreign_sparkplug_node_speaks_for_itself(port: int, passwords: dict[str, str]) -> None:
    """Its births and data reach the hub; it cannot speak for the gateway."""
    with Peer(port, "hub", passwords["hub"]) as hub:
        hub.subscribe("spBv1.0/#")
        with Peer(port, "node-9", passwords["node-9"]) as node, suppress(RuntimeError):
            node.publish("spBv1.0/plant/NDATA/gw1", b"forged")
        with Peer(port, "node-9", passwords["node-9"]) as node:
            node.publish("spBv1.0/plant/NBIRTH/node-9", b"born")
        assert hub.take()[:2] == ("spBv1.0/plant/NBIRTH/node-9", b"born")


def test_a_password_of_ones_own(tmp_path: Path) -> None:
    """A password file that a person wrote is used as it is; one that is named and empty is an error in words."""
    (tmp_path / "mine").write_text("right horse\n")
    files = ensure_credentials(tmp_path, ["press-7"], {"press-7": "mine"})
    assert files == {"press-7": tmp_path / "mine"}
    assert not (tmp_path / "press-7.password").exists()
    accounts = (Account("press-7", ("press-7/#",), ()),)
    broker = EmbeddedBroker(BrokerSettings(accounts), tmp_path / PASSWORDS)
    broker.start()
    try:
        with Peer(broker.port, "press-7", "right horse") as press:
            assert press.code == 0
    finally:
        broker.stop()
    with pytest.raises(ConfigError, match="no password for the broker user press-8"):
        ensure_credentials(tmp_path, ["press-8"], {"press-8": "nothing"})


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"publish": ["#"]}, "speak for gateways"),
        ({"publish": ["+/x"]}, "speak for gateways"),
        ({"publish": ["spBv1.0/plant/NDATA/gw1"]}, "speak for gateways"),
        ({"publish": ["a#"]}, "no topic"),
        ({"receive": ["$SYS/#"]}, "no topic of devices"),
        ({"sparkplug": "node"}, "group/node"),
        ({}, "may nothing"),
    ],
)
def test_accounts_that_cannot_be(keys: dict[str, object], words: str) -> None:
    """Rights that reach into the gateways' namespace, filters that are none, and no right at all are refused."""
    with pytest.raises(ValueError, match=words):
        BrokerAccountConfig.model_validate({"user": "press", **keys})


def test_a_retained_state_waits_for_newcomers(port: int, passwords: dict[str, str]) -> None:
    """An edge node that subscribes later learns at once that the host is online."""
    with Peer(port, "hub", passwords["hub"]) as hub:
        hub.publish("spBv1.0/STATE/lineshaft", b"online", qos=1, retain=True)
        with Peer(port, "gw1", passwords["gw1"]) as one:
            one.subscribe("spBv1.0/STATE/lineshaft")
            assert one.take() == ("spBv1.0/STATE/lineshaft", b"online", True)


def test_retained_messages_go_only_where_they_were_asked_for(port: int, passwords: dict[str, str]) -> None:
    """What others subscribed to is nothing that a newcomer gets."""
    with Peer(port, "hub", passwords["hub"]) as hub:
        hub.subscribe("spBv1.0/#")
        hub.publish("spBv1.0/STATE/lineshaft", b"online", qos=1, retain=True)
        hub.publish("spBv1.0/plant/NCMD/gw2", b"secret", qos=1, retain=True)
        with Peer(port, "gw1", passwords["gw1"]) as one:
            one.subscribe("spBv1.0/plant/NCMD/gw1")
            assert silent(one)


@pytest.mark.parametrize(("user", "password"), [("", ""), ("gw1", "wrong"), ("nobody", "x"), ("gw1", "")])
def test_strangers_are_refused(port: int, user: str, password: str) -> None:
    """No user, an unknown one or a wrong password do not get in."""
    with Peer(port, user, password) as stranger:
        assert stranger.code != 0


def test_the_will_is_sent_when_a_node_breaks_off(port: int, passwords: dict[str, str]) -> None:
    """A node that vanishes without a word is announced dead."""
    with Peer(port, "hub", passwords["hub"]) as hub:
        hub.subscribe("spBv1.0/#")
        one = Peer(port, "gw1", passwords["gw1"])
        one.client.will_set("spBv1.0/plant/NDEATH/gw1", b"dead", 1)
        one.connect()
        sock = one.client.socket()
        assert sock is not None
        sock.shutdown(socket.SHUT_RDWR)
        assert hub.take()[:2] == ("spBv1.0/plant/NDEATH/gw1", b"dead")
        one.close()


def test_a_stranger_cannot_take_over_a_session(embedded: EmbeddedBroker, passwords: dict[str, str]) -> None:
    """Using the hub's client id, without its password or with another user's, does not disturb the hub."""
    with Peer(embedded.port, "hub", passwords["hub"], "the-hub") as hub:
        hub.subscribe("spBv1.0/#")
        with Peer(embedded.port, "hub", "wrong", "the-hub") as stranger:
            assert stranger.code != 0
        with Peer(embedded.port, "gw1", passwords["gw1"], "the-hub") as other:
            assert other.code != 0
        with Peer(embedded.port, "gw1", passwords["gw1"]) as one:
            one.publish("spBv1.0/plant/NDATA/gw1", b"still here")
        assert hub.take()[1] == b"still here"
        assert not hub.lost.is_set()


def test_a_will_on_a_foreign_topic_is_refused(embedded: EmbeddedBroker, passwords: dict[str, str]) -> None:
    """A will is a publication and needs the same right."""
    one = Peer(embedded.port, "gw1", passwords["gw1"])
    one.client.will_set("spBv1.0/STATE/lineshaft", b"offline", 1, True)
    with one:
        assert one.code != 0


def test_a_silent_client_is_declared_dead(embedded: EmbeddedBroker, passwords: dict[str, str]) -> None:
    """A client that says nothing for one and a half keep-alives is cut off and its will sent."""
    with Peer(embedded.port, "hub", passwords["hub"]) as hub:
        hub.subscribe("spBv1.0/#")
        one = paho.Client(paho.CallbackAPIVersion.VERSION2)
        one.username_pw_set("gw1", passwords["gw1"])
        one.will_set("spBv1.0/plant/NDEATH/gw1", b"dead", 1)
        one.connect("127.0.0.1", embedded.port, keepalive=1)  # and nothing that sends its pings
        assert hub.take()[1] == b"dead"


def test_a_too_large_message_ends_its_sender_alone(embedded: EmbeddedBroker, passwords: dict[str, str]) -> None:
    """A message over the bound is never held in memory, and others do not notice."""
    with Peer(embedded.port, "hub", passwords["hub"]) as hub, Peer(embedded.port, "gw2", passwords["gw2"]) as two:
        hub.subscribe("spBv1.0/#")
        with Peer(embedded.port, "gw1", passwords["gw1"]) as one:
            one.client.publish("spBv1.0/plant/NDATA/gw1", bytes(1_500_000))
            assert one.lost.wait(30)
        two.publish("spBv1.0/plant/NDATA/gw2", bytes(900_000))
        assert hub.take()[0] == "spBv1.0/plant/NDATA/gw2"


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"\x10\x02\x00\x09", b"\x10\xff\xff\xff\xff\xff", b""])
def test_what_is_not_mqtt_is_hung_up_on(embedded: EmbeddedBroker, passwords: dict[str, str], data: bytes) -> None:
    """Garbage closes its own connection only."""
    with socket.create_connection(("127.0.0.1", embedded.port), 5) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(100) == b""
    with Peer(embedded.port, "gw1", passwords["gw1"]) as one:
        assert one.code == 0


def test_hundred_kilobyte_messages_pass_quickly(embedded: EmbeddedBroker, passwords: dict[str, str]) -> None:
    """500 messages of 100 kB take less than five seconds of work (measured: a quarter of a second)."""
    with Peer(embedded.port, "hub", passwords["hub"]) as hub, Peer(embedded.port, "gw1", passwords["gw1"]) as one:
        hub.subscribe("spBv1.0/#")
        began = time.process_time()
        for _ in range(500):
            one.client.publish("spBv1.0/plant/DDATA/gw1/pump", bytes(100_000))
        for _ in range(500):
            hub.take()
        assert time.process_time() - began < 5


def test_a_taken_port_is_a_clear_error(embedded: EmbeddedBroker, tmp_path: Path) -> None:
    """The second broker on a port says which."""
    second = EmbeddedBroker(BrokerSettings(ACCOUNTS, port=embedded.port), tmp_path / PASSWORDS)
    with pytest.raises(ConnectionFailed, match=str(embedded.port)):
        second.start()


def test_an_account_without_password_is_a_clear_error(tmp_path: Path, passwords: dict[str, str]) -> None:
    """The user is named."""
    broker = EmbeddedBroker(BrokerSettings((*ACCOUNTS, hub_account("other"))), tmp_path / PASSWORDS)
    with pytest.raises(ConfigError, match="other"):
        broker.start()


def test_credentials_are_random_private_and_stay(tmp_path: Path) -> None:
    """Each user has an own secret that only the owner of the files can read; a second call changes nothing."""
    first = ensure_credentials(tmp_path, ["hub", "gw1"])
    secrets = [path.read_text() for path in first.values()]
    hashes = (tmp_path / PASSWORDS).read_text()
    assert len(set(secrets)) == 2
    assert all(len(secret.strip()) >= 32 for secret in secrets)
    for path in (*first.values(), tmp_path / PASSWORDS):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not any(secret.strip() in hashes for secret in secrets)
    assert ensure_credentials(tmp_path, ["hub", "gw1"]) == first
    assert [path.read_text() for path in first.values()] == secrets
    assert (tmp_path / PASSWORDS).read_text() == hashes


def test_a_changed_password_file_gets_a_new_hash(tmp_path: Path) -> None:
    """A person may write an own password into the file."""
    path = ensure_credentials(tmp_path, ["gw1"])["gw1"]
    path.write_text("chosen by a person\n")
    ensure_credentials(tmp_path, ["gw1"])
    broker = EmbeddedBroker(BrokerSettings((edge_account("gw1", "plant", "gw1"),)), tmp_path / PASSWORDS)
    broker.start()
    with Peer(broker.port, "gw1", "chosen by a person") as one:
        assert one.code == 0
    broker.stop()


@pytest.mark.parametrize(
    ("allowed", "wanted", "answer"),
    [
        ("a/#", "a/b/c", True),
        ("a/#", "#", False),
        ("a/+/c", "a/b/c", True),
        ("a/+/c", "a/+/c", True),
        ("a/+/c", "a/#", False),
        ("a/b", "a/+", False),
        ("a/b", "a/b/c", False),
        ("a/b/c", "a/b", False),
        ("#", "a/+/#", True),
    ],
)
def test_a_filter_covers_another(allowed: str, wanted: str, answer: bool) -> None:
    """A right covers a wish only when it covers every topic of it."""
    assert covers(allowed, wanted) is answer


def test_the_acl_names_users_and_topics() -> None:
    """Each right is one line under its user."""
    assert mosquitto_acl([Account("u", ("a/b",), ("c/#",))]) == "user u\ntopic write a/b\ntopic read c/#\n"

"""The statements of Sparkplug 3.0, one test each, on one recorded life of our edge node and our host."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.hub.mqtt import Peer
from tests.sparkplug.checks import EDGE, HOST
from tests.sparkplug.edge_active import ACTIVE
from tests.sparkplug.ids import ALL, listed
from tests.sparkplug.scenario import Record
from tests.sparkplug.table import COVERED, SERVER, WILLS, markdown
from tests.sparkplug.tap import Tap

from lineshaft.hub.broker import PASSWORDS, BrokerSettings, EmbeddedBroker, ensure_credentials, hub_account

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "sparkplug.md"
MARK = "<!-- statements -->\n"


@pytest.mark.parametrize("name", EDGE, ids=lambda name: f"tck-id-{name}")
def test_edge_node(record: Record, name: str) -> None:
    """What a passive subscriber sees of our edge node keeps the statement."""
    EDGE[name](record.log)


@pytest.mark.parametrize("name", HOST, ids=lambda name: f"tck-id-{name}")
def test_host(record: Record, name: str) -> None:
    """What a passive subscriber sees of our host keeps the statement."""
    HOST[name](record.log)


@pytest.mark.parametrize("name", ACTIVE, ids=lambda name: f"tck-id-{name}")
def test_connection_and_stimulus(record: Record, name: str) -> None:
    """What our edge node and host do when they connect, are told something, are cut or lied to keeps the statement."""
    ACTIVE[name](record)


def test_host_words_are_sent_retained(record: Record) -> None:
    """The retain flag of STATE, which a subscriber cannot see, is set on what the host sends."""
    words = [packet for packet in record.host.up("PUBLISH") if "/STATE/" in packet.topic]
    assert len(words) >= 4
    assert all(packet.retain and packet.qos == 1 for packet in words)


@pytest.fixture
def port(tmp_path: Path) -> Iterator[tuple[int, str]]:
    """The embedded broker and the password of its user hub."""
    word = ensure_credentials(tmp_path, ["hub"])["hub"].read_text().strip()
    broker = EmbeddedBroker(BrokerSettings((hub_account("hub"),)), tmp_path / PASSWORDS)
    broker.start()
    yield broker.port, word
    broker.stop()


@pytest.mark.parametrize("name", SERVER, ids=lambda name: f"tck-id-{name}")
def test_embedded_broker(port: tuple[int, str], name: str) -> None:
    """The embedded broker carries QoS 0 and QoS 1, and gives retained messages to those who come later."""
    qos = int(name == "conformance-mqtt-qos1")
    retain = name == "conformance-mqtt-retained"
    topic = "spBv1.0/STATE/one" if retain else "spBv1.0/north/NCMD/gw"
    tap = Tap(port[0]).start()
    with Peer(port[0], "hub", port[1]) as sender, Peer(tap.port, "hub", port[1]) as receiver:
        if retain:
            sender.publish(topic, b"\x01", qos=1, retain=True)
        assert receiver.subscribe("spBv1.0/#", 1) == [1]
        if not retain:
            sender.publish(topic, b"\x01", qos=qos)
        assert receiver.take() == (topic, b"\x01", retain)
    delivered = [packet for packet in tap.packets if packet.down and packet.kind == "PUBLISH"]
    assert [packet.qos for packet in delivered] == [1 if retain else qos]
    tap.stop()


@pytest.mark.parametrize("name", [WILLS], ids=lambda name: f"tck-id-{name}")
def test_embedded_broker_publishes_wills(port: tuple[int, str], name: str) -> None:
    """When a client's link breaks, the embedded broker publishes its will with QoS and retain flag."""
    assert name == WILLS
    tap = Tap(port[0]).start()
    with Peer(port[0], "hub", port[1]) as receiver:
        receiver.subscribe("spBv1.0/#", 1)
        dying = Peer(tap.port, "hub", port[1])
        dying.client.will_set("spBv1.0/STATE/one", b"gone", 1, retain=True)
        dying.connect()
        tap.cut()
        assert receiver.take()[:2] == ("spBv1.0/STATE/one", b"gone")
        dying.close()
    with Peer(port[0], "hub", port[1]) as late:
        late.subscribe("spBv1.0/STATE/one", 1)
        assert late.take() == ("spBv1.0/STATE/one", b"gone", True)
    tap.stop()


def test_nothing_that_a_subscriber_can_judge_is_left_out() -> None:
    """The checks are exactly the listed statements, and no check has an id that the specification does not know."""
    edge = listed(*(f"E{number}" for number in range(1, 9)), tag="w")
    assert set(EDGE) == edge
    assert set(HOST) == listed("H1", tag="w")
    assert len(ALL) == 299
    assert set(ALL) >= COVERED


def test_what_is_not_checked_is_known() -> None:
    """Left out are rules for a fleet, a Sparkplug-aware server, which we do not claim to be, and several servers."""
    missing = set(ALL) - COVERED
    aware = {name for name in ALL if name.startswith("conformance-mqtt-aware-")}
    fleet = {name for name, (_, tag) in ALL.items() if tag == "x"}
    assert missing == {
        *aware,
        *fleet,
        "operational-behavior-primary-application-state-with-multiple-servers-walk",
    }


def test_the_page_lists_every_statement() -> None:
    """The table of the guide is what the tests check (ACCEPT=1 writes it)."""
    text = PAGE.read_text(encoding="utf-8")
    head = text[: text.index(MARK) + len(MARK)]
    if os.environ.get("ACCEPT"):
        PAGE.write_text(head + "\n" + markdown(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == head + "\n" + markdown()

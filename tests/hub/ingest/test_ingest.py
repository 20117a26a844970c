"""Ingest between a real broker and a real historian."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from lineshaft.hub.broker import (
    PASSWORDS,
    BrokerSettings,
    EmbeddedBroker,
    edge_account,
    ensure_credentials,
    hub_account,
)
from lineshaft.model.equipment import Datatype, SignalKind
from lineshaft.model.events import Event, Severity
from lineshaft.model.samples import Quality, SampleBatch
from lineshaft.wire import names
from lineshaft.wire.notes import (
    BufferStatus,
    DeviceStatus,
    DropNote,
    DroppedRows,
    EventNote,
    LedgerNote,
    StatusNote,
)
from lineshaft.wire.sparkplug import Metric, Payload, SparkplugType, encode
from lineshaft.wire.topics import Message

from ..mqtt import Mosquitto, Peer
from .conftest import Hub
from .edge import GROUP, Edge, Tag, now_ms, until

TAGS = {
    "": [Tag("gateway/load")],
    "plc": [
        Tag("hall/line/press/force", properties={names.UNIT: "kN", names.LIMIT_HIGH: 12.5, names.DECIMALS: 1}),
        Tag("hall/line/press/parts", Datatype.UINT64, {names.KIND: "counter"}),
        Tag("hall/line/press/state", Datatype.STRING, {names.KIND: "state"}),
        Tag("hall/line/press/running", Datatype.BOOLEAN, {names.STATES: '{"0": "off", "1": "on"}'}),
    ],
}
START = 1_750_000_000_000_000


def some(rows: int = 3, start: int = START) -> SampleBatch:
    return SampleBatch.of(np.zeros(rows), start + np.arange(rows) * 1000 + 7, np.arange(rows, dtype=float))


@pytest.fixture
def edge(hub: Hub) -> Edge:
    edge = Edge(hub.port, "gw1", TAGS).start()
    until(lambda: hub.catalogue.state("north/gw1", "plc") == "online")
    yield edge
    edge.close()


def test_a_frame_is_stored_then_acknowledged(hub: Hub, edge: Edge) -> None:
    """Rows come out of the historian as they went in, and the gateway may forget the frame."""
    batch = SampleBatch.of(
        [0, 1, 2, 3, 0],
        [START + 1, START + 2, START + 3, START + 4, START + 5],
        [1.5, float(2**63), np.nan, 1.0, np.nan],
        [192, 192, 192, 66, Quality.BAD_COMMUNICATION],
        [None, str(2**63), "AUTO", None, None],
    )
    edge.frame("plc", 1, batch)
    edge.wait_acknowledged()
    series = {
        name: hub.historian.read([hub.id(f"hall/line/press/{name}")], 0, 2**60)[0]
        for name in ("force", "parts", "state", "running")
    }
    assert series["force"].times.tolist() == [START + 1, START + 5]
    assert series["force"].qualities.tolist() == [192, Quality.BAD_COMMUNICATION]
    assert series["parts"].texts is not None
    assert series["parts"].texts.tolist() == [str(2**63)]
    assert series["state"].texts is not None
    assert series["state"].texts.tolist() == ["AUTO"]
    assert (series["running"].values.tolist(), series["running"].qualities.tolist()) == ([1.0], [66])
    assert hub.ledger.rows == {
        hub.id(f"hall/line/press/{name}"): count
        for name, count in (("force", 2), ("parts", 1), ("state", 1), ("running", 1))
    }


def test_births_describe_signals(hub: Hub, edge: Edge) -> None:
    """Unit, limits, kind, states and origin of a birth are in the catalogue."""
    force = hub.catalogue.born["acme/north/hall/line/press/force"]
    assert (force.node, force.device) == ("north/gw1", "plc")
    assert (force.signal.unit, force.signal.limits.high, force.signal.decimals) == ("kN", 12.5, 1)
    assert hub.catalogue.born["acme/north/hall/line/press/parts"].signal.kind is SignalKind.COUNTER
    assert hub.catalogue.born["acme/north/hall/line/press/running"].signal.states == (("0", "off"), ("1", "on"))
    assert hub.catalogue.born["acme/north/gateway/load"].device == ""
    assert hub.catalogue.sources["north/gw1", ""][0] == "online"


def test_a_frame_twice_is_stored_once_and_acknowledged_again(hub: Hub, edge: Edge) -> None:
    """The gateway that did not hear the acknowledgement gets another one; the ledger counts the repetition."""
    edge.frame("plc", 1, some(3))
    edge.wait_acknowledged()
    edge.acknowledged.clear()
    edge.data("plc", some(3), [(1, 3)])
    until(lambda: edge.acknowledged == {1})
    edge.data("plc", SampleBatch.concat([some(3), some(2, START + 10**6)]), [(1, 3), (2, 2)])
    until(lambda: edge.acknowledged == {1, 2})
    assert hub.stored() == 5
    until(lambda: hub.ledger.duplicates.get(hub.id("hall/line/press/force")) == 6)
    assert hub.figures.duplicates == 6


def test_committed_frames_are_known_after_a_restart(hub: Hub, edge: Edge) -> None:
    """What was committed before a restart is acknowledged, not stored, when it comes again."""
    edge.frame("plc", 1, some(3))
    edge.wait_acknowledged()
    hub.stop()
    hub.start()
    edge.birth()
    edge.acknowledged.clear()
    edge.data("plc", some(3), [(1, 3)])
    until(lambda: edge.acknowledged == {1})
    assert hub.stored() == 3


def test_nothing_is_acknowledged_while_the_historian_is_down(hub: Hub, edge: Edge) -> None:
    """Frames wait; when the historian is back they are stored once and acknowledged."""
    hub.historian.down = True
    for number in range(1, 6):
        edge.frame("plc", number, some(10, START + number * 10**6))
    until(lambda: hub.figures.store_failures >= 2)
    assert edge.acknowledged == set()
    assert "switched off" in hub.figures.store_error
    hub.historian.down = False
    edge.wait_acknowledged()
    assert hub.stored() == 50
    assert hub.figures.store_error == ""


def test_a_lost_answer_of_the_historian_stores_nothing_twice(hub: Hub, edge: Edge) -> None:
    """The block whose insert succeeded unheard is inserted again with the same token."""
    hub.historian.lose_answer = True
    edge.frame("plc", 1, some(10))
    edge.wait_acknowledged()
    assert len(hub.historian.tokens) == 2
    assert hub.stored() == 10


def test_memory_stays_bounded_while_the_historian_is_down(hub: Hub, edge: Edge) -> None:
    """Beyond its bounds ingest lets frames go that will be sent again, and keeps count."""
    hub.stop()
    hub.limits = type(hub.limits)(block_rows=1000, pending_rows=5000)
    hub.start()
    edge.birth()
    hub.historian.down = True
    for number in range(1, 101):
        edge.frame("plc", number, some(200, START + number * 10**6))
    until(lambda: hub.figures.messages >= 102)
    until(lambda: hub.figures.queued_bytes == 0)
    assert hub.figures.pending_rows <= 5000
    assert hub.figures.dropped_messages >= 60
    hub.historian.down = False
    until(lambda: hub.figures.pending_rows == 0)
    while edge.unacknowledged:
        edge.resend()
        time.sleep(0.2)
    assert hub.stored() == 20_000


def test_historical_rows_never_become_the_current_value(hub: Hub, edge: Edge) -> None:
    """Drained rows go to history only; live rows are published."""
    force = "hall/line/press/force"
    edge.frame("plc", 2, SampleBatch.of([0], [START + 10**6], [42.0]))
    edge.frame("plc", 1, SampleBatch.of([0], [START], [1.0]), historical=True)
    edge.wait_acknowledged()
    hub.wait_rows(2)
    until(lambda: hub.live.values == {hub.id(force): 42.0})


def test_a_clock_that_goes_back_shows_the_newest_arrival(hub: Hub, edge: Edge) -> None:
    """The current value is what came last, not what has the greatest time; a late repetition is not."""
    edge.frame("plc", 1, SampleBatch.of([0, 0], [START + 10**9, START], [1.0, 2.0]))
    edge.wait_acknowledged()
    until(lambda: hub.live.values.get(hub.id("hall/line/press/force")) == 2.0)
    edge.frame("plc", 3, SampleBatch.of([0], [START + 5], [3.0]))
    edge.frame("plc", 2, SampleBatch.of([0], [START + 4], [4.0]))
    edge.wait_acknowledged()
    assert hub.live.values[hub.id("hall/line/press/force")] == 3.0


def test_the_current_value_of_a_birth_is_shown_not_stored(hub: Hub) -> None:
    """A gateway's birth tells the value of a signal that does not change; it is not a sample."""
    edge = Edge(hub.port, "gw2", {"plc": [Tag("hall/oven/temperature", value=180.5)]}).start()
    until(lambda: hub.live.values.get(hub.catalogue.ids.get("acme/north/hall/oven/temperature", 0)) == 180.5)
    assert hub.stored() == 0
    edge.close()


def test_a_device_that_dies_is_stale(hub: Hub, edge: Edge) -> None:
    """DDEATH marks the device's signals, the next birth makes them live again, the node is not touched."""
    edge.frame("plc", 1, some(1))
    edge.wait_acknowledged()
    edge.device_death("plc")
    press = {hub.id(f"hall/line/press/{name}") for name in ("force", "parts", "state", "running")}
    until(lambda: hub.live.stale_signals == press)
    assert hub.catalogue.state("north/gw1", "plc") == "offline"
    assert hub.catalogue.state("north/gw1") == "online"
    edge.device_birth("plc")
    edge.frame("plc", 2, some(1, START + 10**6))
    edge.wait_acknowledged()
    until(lambda: hub.id("hall/line/press/force") not in hub.live.stale_signals)


def test_a_node_that_dies_takes_its_devices_with_it(hub: Hub, edge: Edge) -> None:
    """NDEATH with the bdSeq of the birth makes everything of the node stale."""
    edge.send(edge.topic(Message.NDEATH), encode(Payload(1, None, (Metric(names.BDSEQ, SparkplugType.INT64, 77),))))
    edge.frame("plc", 1, some(1))
    edge.wait_acknowledged()  # the death of another session meant nothing
    edge.peer.client.socket().shutdown(2)
    until(lambda: hub.live.stale_signals == set(hub.catalogue.ids.values()))
    assert hub.catalogue.state("north/gw1") == hub.catalogue.state("north/gw1", "plc") == "offline"


def test_data_before_birth_asks_for_a_rebirth_once(hub: Hub) -> None:
    """A node that the hub does not know is asked to announce itself, not more than once per interval."""
    edge = Edge(hub.port, "gw3", TAGS).connect()
    edge.auto_birth = False
    for number in range(1, 11):
        edge.frame("plc", number, some(1, START + number * 10**6))
    until(lambda: edge.rebirths)
    before, edge.auto_birth = edge.rebirths, True
    until(lambda: edge.rebirths > before)  # still silent after the interval
    assert np.diff(edge.asked).min() > 0.5
    edge.resend()
    edge.wait_acknowledged()
    assert hub.stored() == 10
    edge.close()


def test_a_sequence_gap_asks_for_a_rebirth_after_the_timeout(hub: Hub, edge: Edge) -> None:
    """A message that never comes is noticed; what came is stored all the same."""
    edge.frame("plc", 1, some(1))
    edge.next_seq()
    edge.frame("plc", 2, some(1, START + 10**6))
    edge.wait_acknowledged()
    assert edge.rebirths == 0
    until(lambda: edge.rebirths == 1)
    assert hub.figures.sequence_gaps == 1


def test_messages_out_of_order_need_no_rebirth(hub: Hub, edge: Edge) -> None:
    """A message that comes late but in time closes the gap, even when it is the birth that others depend on."""
    edge.device_death("plc")
    birth, data = edge.seq, edge.seq + 1
    edge.seq = data
    edge.frame("plc", 1, some(1))
    edge.seq = birth
    time.sleep(0.1)
    edge.device_birth("plc")
    edge.seq = data + 1
    edge.wait_acknowledged()
    time.sleep(1.7)
    assert edge.rebirths == 0


def test_notes_reach_events_ledger_and_sources(hub: Hub, edge: Edge) -> None:
    """Notes are acknowledged like samples and passed on once."""
    event = Event(START, "device.offline", "plc", "gone", Severity.HIGH, {"tries": 3})
    epoch = edge.epoch.hex()
    drop = DroppedRows("acme/north/hall/line/press/force", 5, START, START + 5, "buffer size")
    notes = [EventNote(event), LedgerNote(epoch, 3, {"acme/north/hall/line/press/force": 12}), DropNote(epoch, (drop,))]
    for _ in range(2):
        edge.note(notes, frame=4)
        until(lambda: edge.acknowledged == {4})
    assert hub.events.events == [event]
    assert hub.ledger.totals == {("north/gw1", epoch): (3, {"acme/north/hall/line/press/force": 12})}
    assert [(node, drop.rows, drop.reason) for node, _, drop in hub.ledger.drops] == [("north/gw1", 5, "buffer size")]
    status = StatusNote(
        START, (DeviceStatus("plc", "degraded", START, error="late"),), BufferStatus(rows=9), version="1"
    )
    edge.note([status])
    until(lambda: hub.catalogue.state("north/gw1", "plc") == "degraded")
    assert hub.catalogue.sources["north/gw1", ""][2]["buffer"]["rows"] == 9


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"\xff\xff\xff", "malformed"),
        (b"", None),
        (b"\x12\x7f" + b"x" * 20, "malformed"),
        (bytes(20_000_000), "size"),
        (encode(Payload(1, 3, (Metric(names.BATCH, 17, b"short"),))), "malformed"),
        (encode(Payload(1, 3, (Metric(names.NOTE, 12, "{not json"),))), "malformed"),
    ],
)
def test_a_malformed_message_is_counted_and_disturbs_nothing(
    hub: Hub, edge: Edge, payload: bytes, reason: str | None
) -> None:
    """Garbage of one node is an event and a number; the next good message is stored."""
    for kind, device in ((Message.NDATA, ""), (Message.DDATA, "plc"), (Message.DBIRTH, "other")):
        edge.send(edge.topic(kind, device), payload)
    edge.frame("plc", 1, some(3))
    edge.wait_acknowledged()
    assert hub.stored() == 3
    if reason:
        assert hub.figures.rejected[reason] >= 1
        assert "north/gw1" in hub.figures.rejected_by_node
        assert [event.kind for event in hub.events.events] == [f"ingest.{reason}"]
    assert "internal" not in hub.figures.rejected
    assert hub.ingest.alive()


def test_a_lost_broker_makes_everything_stale_until_it_is_back(hub: Hub, edge: Edge, broker: Mosquitto) -> None:
    """When the hub loses its broker it knows nothing for certain; after the broker's return nodes are heard again."""
    broker.stop()
    until(lambda: hub.catalogue.state("north/gw1") == "stale")
    assert hub.live.stale_signals == set(hub.catalogue.ids.values())
    broker.start()
    until(lambda: hub.figures.connected)
    again = Edge(hub.port, "gw1", TAGS).start()
    again.frame("plc", 1, some(3))
    again.wait_acknowledged()
    assert hub.catalogue.state("north/gw1") == "online"
    again.close()


def test_the_host_says_whether_it_is_online(hub: Hub) -> None:
    """STATE is retained, true with the time of the connection, contradicted when forged, false after a stop."""
    with Peer(hub.port) as peer:
        peer.subscribe("spBv1.0/STATE/lineshaft")
        first = json.loads(peer.take()[1])
        assert first["online"] is True
        assert abs(first["timestamp"] - now_ms()) < 60_000
        peer.publish("spBv1.0/STATE/lineshaft", b'{"online":false,"timestamp":1}', qos=1, retain=True)
        assert json.loads(peer.take()[1])["online"] is False
        assert json.loads(peer.take()[1]) == first
        hub.stop()
        last = json.loads(peer.take()[1])
        assert last["online"] is False
        assert last["timestamp"] >= first["timestamp"]
        hub.start()


def test_the_embedded_broker_carries_the_chain(hub: Hub, tmp_path: Path) -> None:
    """With accounts and topic rights the same gateway is heard, acknowledged and declared dead."""
    hub.stop()
    accounts = (hub_account("hub"), edge_account("gw1", GROUP, "gw1"))
    files = ensure_credentials(tmp_path, ["hub", "gw1"])
    words = {name: path.read_text().strip() for name, path in files.items()}
    broker = EmbeddedBroker(BrokerSettings(accounts), tmp_path / PASSWORDS)
    broker.start()
    hub.port, hub.user, hub.password = broker.port, "hub", words["hub"]
    hub.start()
    edge = Edge(hub.port, "gw1", TAGS, user="gw1", password=words["gw1"]).start()
    for number in range(1, 51):
        edge.frame("plc", number, some(100, START + number * 10**6))
    edge.wait_acknowledged()
    assert hub.stored() == 5000
    sock = edge.peer.client.socket()
    assert sock is not None
    sock.shutdown(2)
    until(lambda: hub.catalogue.state("north/gw1") == "offline")
    hub.stop()
    broker.stop()


def test_a_foreign_node_is_understood(hub: Hub) -> None:
    """Plain Sparkplug with names in place of aliases: birth values and data are stored under a made path."""
    tags = [Tag("Motor 1/Speed (rpm)", Datatype.UINT32, value=1500), Tag("Motor 1/Mode", Datatype.STRING, value="Auto")]
    edge = Edge(hub.port, "Edge-A", {"Press (3)": tags}, lineshaft=False, aliases=False).start()
    hub.wait_rows(2)
    speed = "acme/north/edge-a/press-3/motor-1/speed-rpm"
    assert hub.catalogue.born[speed].signal.description == "Motor 1/Speed (rpm)"
    assert hub.catalogue.equipment["acme/north/edge-a/press-3"].name == "Press (3)"
    metric = Metric("Motor 1/Speed (rpm)", SparkplugType.UINT32, 1600, timestamp=now_ms() + 1000)
    edge.send(edge.topic(Message.DDATA, "Press (3)"), encode(Payload(now_ms(), edge.next_seq(), (metric,))))
    hub.wait_rows(3)
    metric = Metric("Motor 1/Speed (rpm)", SparkplugType.UINT32, 9, timestamp=1000, historical=True)
    edge.send(edge.topic(Message.DDATA, "Press (3)"), encode(Payload(now_ms(), edge.next_seq(), (metric,))))
    hub.wait_rows(4)
    (series,) = hub.historian.read([hub.catalogue.ids[speed]], 0, 2**60)
    assert series.values.tolist() == [9.0, 1500.0, 1600.0]
    assert hub.live.values[hub.catalogue.ids[speed]] == 1600.0
    edge.close()

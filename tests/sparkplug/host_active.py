"""The statements about the host application and the MQTT server that need a connection, a stimulus or its thoughts."""

from __future__ import annotations

import json
from typing import Any

from tests.sparkplug.edge_active import active, kind_of
from tests.sparkplug.scenario import GROUP, HOST_ID, NODE, REORDER_TIMEOUT, STATE, Record
from tests.sparkplug.tap import Packet

from lineshaft.wire import names
from lineshaft.wire.sparkplug import SparkplugType, decode


def _links(record: Record) -> list[list[Packet]]:
    links = record.host.links()
    assert len(links) >= 3
    return links


def _words(link: list[Packet]) -> list[dict[str, Any]]:
    """What the host said of itself on a link."""
    return [json.loads(p.payload) for p in link if not p.down and p.kind == "PUBLISH" and p.topic == STATE]


def _will(link: list[Packet]) -> Packet:
    return next(packet for packet in link if packet.kind == "CONNECT")


# --- H1: connection, will, STATE ----------------------------------------------------------------------------------
@active("message-flow-phid-sparkplug-clean-session-311")
def _clean_session(record: Record) -> None:
    assert all(_will(link).clean for link in _links(record))


@active("message-flow-phid-sparkplug-clean-session-50", never=True)
def _speaks_311(record: Record) -> None:
    assert {_will(link).level for link in _links(record)} == {4}


@active(
    "host-topic-phid-death-required", "operational-behavior-host-application-connect-will",
    "operational-behavior-host-application-connect-will-topic", "payloads-state-will-message",
    "operational-behavior-host-application-connect-will-qos", "payloads-state-will-message-qos",
    "operational-behavior-host-application-connect-will-retained", "payloads-state-will-message-retain",
)  # fmt: skip
def _has_a_will(record: Record) -> None:
    for link in _links(record):
        will = _will(link)
        assert will.will
        assert (will.topic, will.qos, will.retain) == (f"spBv1.0/STATE/{HOST_ID}", 1, True)


@active("operational-behavior-host-application-connect-will-payload", "payloads-state-will-message-payload")
def _will_says_offline(record: Record) -> None:
    for link in _links(record):
        word = json.loads(_will(link).payload)
        assert set(word) == {"online", "timestamp"}
        assert word["online"] is False
        assert abs(word["timestamp"] / 1000 - _will(link).at) < 5


@active("host-topic-phid-birth-sub-required", "message-flow-phid-sparkplug-subscription", "payloads-state-subscribe")
def _subscribes_before_its_birth(record: Record) -> None:
    for link in _links(record):
        kinds = [p.kind for p in link if not p.down]
        assert kinds.index("SUBSCRIBE") < kinds.index("PUBLISH")
        filters = {name for p in link if p.kind == "SUBSCRIBE" for name, _ in p.filters}
        assert "spBv1.0/#" in filters  # its own STATE topic is in it


@active("operational-behavior-host-application-multi-server-timestamp")
def _one_timestamp_for_a_connection(record: Record) -> None:
    for link in _links(record):
        online = {word["timestamp"] for word in _words(link) if word["online"]}
        assert online == {json.loads(_will(link).payload)["timestamp"]}


@active(
    "host-topic-phid-death-payload-disconnect-clean", "operational-behavior-host-application-termination",
    "operational-behavior-host-application-death-topic", "operational-behavior-host-application-death-payload",
    "operational-behavior-host-application-death-qos", "operational-behavior-host-application-death-retained",
    "operational-behavior-host-application-disconnect-intentional",
)  # fmt: skip
def _leaves_with_a_word(record: Record) -> None:
    left = [link for link in _links(record) if any(p.kind == "DISCONNECT" for p in link)]
    assert len(left) == 2
    for link in left:
        sent = [p for p in link if not p.down]
        assert [p.kind for p in sent[-3:]] == ["PUBLISH", "DISCONNECT", "CLOSED"]
        death = sent[-3]
        assert (death.topic, death.qos, death.retain) == (STATE, 1, True)
        word = json.loads(death.payload)
        assert word["online"] is False
        assert abs(word["timestamp"] / 1000 - death.at) < 2
        assert word["timestamp"] > json.loads(_will(link).payload)["timestamp"]


@active("host-topic-phid-death-payload-disconnect-with-no-disconnect-packet")
def _the_will_has_the_time_of_the_connection(record: Record) -> None:
    cut = next(link for link in _links(record) if not any(p.kind == "DISCONNECT" for p in link))
    first, last = record.moments["host killed"]
    deaths = [one for one in record.log.of("STATE") if first <= one.at <= last and not one.state["online"]]
    assert [death.state["timestamp"] for death in deaths] == [json.loads(_will(cut).payload)["timestamp"]]


@active("message-flow-hid-sparkplug-state-message-delivered")
def _contradicts_a_lie(record: Record) -> None:
    link = _links(record)[0]
    first, last = record.moments["lie"]
    answers = [p for p in link if not p.down and p.topic == STATE and first <= p.at <= last and p.kind == "PUBLISH"]
    assert answers
    assert json.loads(answers[0].payload) == {"online": True, "timestamp": _words(link)[0]["timestamp"]}
    assert (answers[0].qos, answers[0].retain) == (1, True)


# --- H2: commands -------------------------------------------------------------------------------------------------
def _commands(record: Record) -> list[Packet]:
    found = [packet for packet in record.host.up("PUBLISH") if kind_of(packet) == "NCMD"]
    assert found
    return found


@active(
    "topics-ncmd-topic", "topics-ncmd-mqtt", "payloads-ncmd-qos", "payloads-ncmd-retain",
    "operational-behavior-data-commands-ncmd-verb",
)  # fmt: skip
def _commands_on_the_wire(record: Record) -> None:
    for command in _commands(record):
        assert command.topic in (f"spBv1.0/{GROUP}/NCMD/{NODE}", f"spBv1.0/{GROUP}/NCMD/other")
        assert (command.qos, command.retain) == (0, False)


@active("topics-ncmd-timestamp", "payloads-ncmd-timestamp", "payloads-ncmd-seq")
def _commands_have_a_time_and_no_number(record: Record) -> None:
    for command in _commands(record):
        payload = decode(command.payload)
        assert payload.seq is None
        assert payload.timestamp is not None
        assert abs(payload.timestamp / 1000 - command.at) < 10


@active(
    "topics-ncmd-payload", "payloads-name-cmd-requirement", "operational-behavior-data-commands-ncmd-metric-name",
    "operational-behavior-data-commands-ncmd-metric-value",
)  # fmt: skip
def _commands_write_what_the_birth_has(record: Record) -> None:
    born = {m.name: m.datatype for m in decode(record.log.of("NBIRTH")[0].data).metrics}
    for command in _commands(record):
        metrics = decode(command.payload).metrics
        assert metrics
        for metric in metrics:
            assert born[metric.name] == metric.datatype
            assert metric.value is not None


@active(
    "operational-behavior-data-commands-ncmd-rebirth-verb", "operational-behavior-data-commands-ncmd-rebirth-name",
    "operational-behavior-data-commands-ncmd-rebirth-value",
)  # fmt: skip
def _rebirth_request(record: Record) -> None:
    asked = [decode(packet.payload) for packet in record.within("gap", _commands(record))]
    metrics = [metric for payload in asked for metric in payload.metrics]
    assert [(m.name, m.datatype, m.value) for m in metrics] == [(names.REBIRTH, SparkplugType.BOOLEAN, True)]


@active(
    "topics-dcmd-topic", "topics-dcmd-mqtt", "topics-dcmd-timestamp", "topics-dcmd-payload",
    "operational-behavior-data-commands-dcmd-verb", "operational-behavior-data-commands-dcmd-metric-name",
    "operational-behavior-data-commands-dcmd-metric-value", "payloads-dcmd-timestamp", "payloads-dcmd-seq",
    "payloads-dcmd-qos", "payloads-dcmd-retain", never=True,
)  # fmt: skip
def _never_writes_to_a_device(record: Record) -> None:
    sent = [packet for packet in record.host.up("PUBLISH") if packet.topic != STATE]
    assert sent
    assert {kind_of(packet) for packet in sent} == {"NCMD"}


# --- H3: what the host thinks of the dead -------------------------------------------------------------------------
@active(
    "operational-behavior-edge-node-termination-host-action-ndeath-node-offline",
    "operational-behavior-edge-node-termination-host-action-ndeath-devices-offline",
)
def _node_and_devices_offline(record: Record) -> None:
    first, last = record.moments["line cut"]
    for state, since, _ in record.thought["node death"].values():
        assert state == "offline"
        assert first <= since / 1e6 <= last, "not the host's own clock: the will was made when the node connected"
    assert record.thought["late will"][""][0] == "online", "the bdSeq of another session is no death of this one"


@active(
    "operational-behavior-edge-node-termination-host-action-ndeath-node-tags-stale",
    "operational-behavior-edge-node-termination-host-action-ndeath-devices-tags-stale",
)
def _all_stale(record: Record) -> None:
    thought = record.thought["node death"]
    assert len(thought["press"][2]) == 7
    assert all(stale for _, _, signals in thought.values() for stale in signals.values())


@active("operational-behavior-edge-node-termination-host-action-ddeath-devices-offline")
def _device_offline(record: Record) -> None:
    state, since, _ = record.thought["device death"]["pump"]
    assert state == "offline"
    assert since == record.log.of("DDEATH")[0].payload.timestamp * 1000
    assert record.thought["device death"]["press"][0] == record.thought["device death"][""][0] == "online"


@active("operational-behavior-edge-node-termination-host-action-ddeath-devices-tags-stale")
def _device_stale(record: Record) -> None:
    thought = record.thought["device death"]
    assert thought["pump"][2] == {"acme/north/hall/pump/flow": True}
    assert not any(thought["press"][2].values())


# --- H4: order ----------------------------------------------------------------------------------------------------
@active("operational-behavior-host-reordering-success")
def _two_in_the_wrong_order_are_no_loss(record: Record) -> None:
    assert record.rebirths_after_swap == 0


@active(
    "operational-behavior-host-reordering-param", "operational-behavior-host-reordering-start",
    "operational-behavior-host-reordering-rebirth",
)  # fmt: skip
def _a_loss_asks_for_a_rebirth(record: Record) -> None:
    assert record.rebirths_after_gap == 1
    first, last = record.moments["gap"]
    assert REORDER_TIMEOUT <= last - first < REORDER_TIMEOUT + 5

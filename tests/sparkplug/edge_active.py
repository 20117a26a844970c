"""The statements about the edge node that need its connection or a stimulus to be judged, each under its tck-id."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.sparkplug.checks import NO_DATASETS, _no_datasets_and_no_templates
from tests.sparkplug.scenario import GROUP, NODE, STATE, Record
from tests.sparkplug.tap import Packet
from tests.sparkplug.wire_log import Seen

from lineshaft.wire import names
from lineshaft.wire.sparkplug import Payload, decode

Check = Callable[[Record], None]
ACTIVE: dict[str, Check] = {}
NEVER: set[str] = set()
"""Ids that hold because we never do what they speak of; their check proves that we never do it."""
TOPIC = f"spBv1.0/{GROUP}"
DEATH = f"{TOPIC}/NDEATH/{NODE}"


def active(*ids: str, never: bool = False) -> Callable[[Check], Check]:
    """Register a check under its ids."""

    def register(check: Check) -> Check:
        assert not set(ids) & set(ACTIVE)
        ACTIVE.update(dict.fromkeys(ids, check))
        if never:
            NEVER.update(ids)
        return check

    return register


def kind_of(packet: Packet) -> str:
    """Message type of a PUBLISH, else ''."""
    parts = packet.topic.split("/")
    return parts[2] if packet.kind == "PUBLISH" and len(parts) > 3 else ""


def bdseq_of(payload: Payload) -> int:
    metric = payload.metric(names.BDSEQ)
    assert metric is not None
    return int(metric.value)


def born_links(record: Record) -> list[list[Packet]]:
    """The links of the edge node on which it was born."""
    links = [link for link in record.edge.links() if any(kind_of(p) == "NBIRTH" and not p.down for p in link)]
    assert len(links) >= 4
    return links


def place(link: list[Packet], kind: str) -> int:
    """Where the first message of a type that the node sent stands on a link."""
    return next(at for at, packet in enumerate(link) if kind_of(packet) == kind and not packet.down)


# --- E1, E3: what can only be falsified ---------------------------------------------------------------------------
@active(
    "principles-rbe-recommended", "topics-ndata-payload", "topics-ddata-payload",
    "operational-behavior-data-publish-nbirth-change", "operational-behavior-data-publish-dbirth-change",
)  # fmt: skip
def _only_changes_are_sent(record: Record) -> None:
    for session in record.log.sessions():
        last: dict[tuple[str, int | str], object] = {}
        for message in session:
            for metric in message.payload.metrics:
                if message.kind not in ("NDATA", "DDATA") or metric.is_historical:
                    continue
                member = metric.WhichOneof("value")
                now = (metric.is_null, getattr(metric, member) if member else None, str(metric.properties))
                key = (message.parts.device, metric.alias if metric.HasField("alias") else metric.name)
                assert last.get(key) != now, f"{message.topic}: {key} was sent twice"
                last[key] = now


@active("topic-structure-namespace-duplicate-device-id-across-edge-node")
def _equal_device_ids_of_two_nodes(record: Record) -> None:
    other, ours = record.ids_of_equal_devices
    assert len(other) == 2
    assert len(ours) == 7
    assert not other & ours


@active(
    "topics-nbirth-metric-reqs", "topics-dbirth-metric-reqs", "operational-behavior-data-publish-nbirth",
    "operational-behavior-data-publish-dbirth",
)  # fmt: skip
def _births_name_all_that_follows(record: Record) -> None:
    for session in record.log.sessions():
        known: dict[str, set[int | str]] = {}
        for message in session:
            metrics = message.payload.metrics
            keys = {metric.alias if metric.HasField("alias") else metric.name for metric in metrics}
            if message.kind in ("NBIRTH", "DBIRTH"):
                known[message.parts.device] = keys
            elif message.kind in ("NDATA", "DDATA"):
                assert keys <= known[message.parts.device]
    paths = {metric.name for birth in record.log.of("DBIRTH") for metric in birth.payload.metrics}
    assert {f"hall/press/{name}" for name in ("force", "parts", "mode", "running", "none")} <= paths


# --- E2: CONNECT, will, subscriptions -----------------------------------------------------------------------------
@active("principles-persistence-clean-session-311")
def _clean_session(record: Record) -> None:
    connects = record.edge.up("CONNECT")
    assert connects
    assert all(connect.clean for connect in connects)


@active(
    "principles-persistence-clean-session-50", "payloads-ndeath-will-message-publisher-disconnect-mqtt50", never=True
)
def _speaks_311(record: Record) -> None:
    assert {connect.level for connect in record.edge.up("CONNECT")} == {4}


@active(
    "message-flow-edge-node-birth-publish-connect", "message-flow-edge-node-birth-publish-will-message",
    "message-flow-edge-node-birth-publish-will-message-topic", "payloads-ndeath-will-message",
    "message-flow-edge-node-birth-publish-will-message-qos", "payloads-ndeath-will-message-qos",
    "message-flow-edge-node-birth-publish-will-message-will-retained", "payloads-ndeath-will-message-retain",
)  # fmt: skip
def _will(record: Record) -> None:
    connects = record.edge.up("CONNECT")
    assert connects
    for will in connects:
        assert will.will
        assert (will.topic, will.qos, will.retain) == (DEATH, 1, False)


@active(
    "message-flow-edge-node-birth-publish-will-message-payload",
    "message-flow-edge-node-birth-publish-will-message-payload-bdSeq",
)  # fmt: skip
def _will_is_tied_to_the_birth(record: Record) -> None:
    for link in born_links(record):
        will = decode(next(packet for packet in link if packet.kind == "CONNECT").payload)
        assert [metric.name for metric in will.metrics] == [names.BDSEQ]
        assert will.seq is None
        births = [decode(packet.payload) for packet in link if kind_of(packet) == "NBIRTH"]
        assert {bdseq_of(birth) for birth in births} == {bdseq_of(will)}


@active("topics-nbirth-bdseq-increment")
def _bdseq_grows(record: Record) -> None:
    numbers = [bdseq_of(decode(connect.payload)) for connect in record.edge.up("CONNECT")]
    assert len(numbers) >= 4
    assert numbers == [(numbers[0] + step) % 256 for step in range(len(numbers))]


@active("message-flow-edge-node-ncmd-subscribe", "message-flow-device-dcmd-subscribe")
def _command_subscriptions(record: Record) -> None:
    for link in born_links(record):
        before = link[: place(link, "NBIRTH")]
        filters = [one for packet in before if packet.kind == "SUBSCRIBE" for one in packet.filters]
        assert (f"{TOPIC}/NCMD/{NODE}", 1) in filters
        assert (f"{TOPIC}/DCMD/{NODE}/+", 1) in filters


@active("payloads-ndeath-will-message-publisher")
def _only_the_node_tells_its_death(record: Record) -> None:
    own = [packet for packet in record.edge.up("PUBLISH") if kind_of(packet) == "NDEATH"]
    cut = [link for link in born_links(record) if not any(packet.kind == "DISCONNECT" for packet in link)]
    assert len(cut) == 1
    assert len(record.log.of("NDEATH")) == len(own) + len(cut)


# --- E4: deaths ---------------------------------------------------------------------------------------------------
@active(
    "payloads-ndeath-will-message-publisher-disconnect-mqtt311",
    "operational-behavior-edge-node-intentional-disconnect-ndeath",
    "operational-behavior-edge-node-intentional-disconnect-packet",
)  # fmt: skip
def _leaves_with_a_word(record: Record) -> None:
    left = [link for link in born_links(record) if any(packet.kind == "DISCONNECT" for packet in link)]
    assert len(left) >= 3
    for link in left:
        kinds = [kind_of(packet) or packet.kind for packet in link if not packet.down]
        assert kinds[-3:] == ["NDEATH", "DISCONNECT", "CLOSED"]
        assert next(packet for packet in link if kind_of(packet) == "NDEATH").qos == 1


def _device_deaths(record: Record) -> list[Seen]:
    deaths = record.log.of("DDEATH")
    assert deaths
    return deaths


@active("topics-ddeath-topic", "topics-ddeath-mqtt", "operational-behavior-device-ddeath")
def _device_death(record: Record) -> None:
    first, last = record.moments["device death"]
    deaths = [death for death in _device_deaths(record) if first <= death.at <= last]
    assert [death.topic for death in deaths] == [f"{TOPIC}/DDEATH/{NODE}/pump"]
    assert (deaths[0].qos, deaths[0].retain) == (0, False)
    sent = [packet for packet in record.edge.up("PUBLISH") if kind_of(packet) == "DDEATH"]
    assert {(packet.qos, packet.retain) for packet in sent} == {(0, False)}


@active(
    "topics-ddeath-seq-num", "payloads-ddeath-seq", "payloads-ddeath-seq-inc", "payloads-ddeath-seq-number",
    "payloads-ddeath-timestamp",
)  # fmt: skip
def _device_death_payload(record: Record) -> None:
    for death in _device_deaths(record):
        assert abs(death.payload.timestamp / 1000 - death.at) < 10
        before = [one for one in record.log.of("NBIRTH", "DBIRTH", "NDATA", "DDATA") if one.at <= death.at]
        assert death.payload.HasField("seq")
        assert death.payload.seq == (before[-1].payload.seq + 1) % 256


# --- E5: the primary host -----------------------------------------------------------------------------------------
def _words_of_the_host(link: list[Packet]) -> list[tuple[int, bool, int]]:
    """(place on the link, online, timestamp) of each STATE that reached the node."""
    found = []
    for at, packet in enumerate(link):
        if packet.down and packet.topic == STATE:
            word = json.loads(packet.payload)
            found.append((at, word["online"], word["timestamp"]))
    return found


@active(
    "message-flow-edge-node-birth-publish-phid-wait", "operational-behavior-edge-node-birth-sequence-wait",
    "message-flow-edge-node-birth-publish-phid-wait-online",
)  # fmt: skip
def _waits_for_the_host(record: Record) -> None:
    for link in born_links(record):
        birth = place(link, "NBIRTH")
        words = [online for at, online, _ in _words_of_the_host(link) if at < birth]
        assert words
        assert words[-1] is True
    assert not record.within("waiting", record.edge.up("PUBLISH"))
    assert not record.within("host gone", [p for p in record.edge.up("PUBLISH") if kind_of(p).endswith("BIRTH")])


@active("message-flow-edge-node-birth-publish-phid-wait-id")
def _waits_for_its_own_host(record: Record) -> None:
    subscribed = {name for packet in record.edge.up("SUBSCRIBE") for name, _ in packet.filters if "STATE" in name}
    assert subscribed == {STATE}
    assert not record.within("waiting", record.edge.up("PUBLISH"))


@active("message-flow-edge-node-birth-publish-phid-wait-timestamp")
def _an_old_word_is_no_word(record: Record) -> None:
    """While it waited it was told "online" with a timestamp before that of the "offline" it knew."""
    words = _words_of_the_host(record.edge.links()[0])
    assert [online for _, online, _ in words[:3]] == [False, True, True]
    assert words[1][2] < words[0][2] < words[2][2]
    assert words[1][0] < words[2][0] < place(record.edge.links()[0], "NBIRTH")


@active(
    "message-flow-edge-node-birth-publish-phid-offline", "operational-behavior-edge-node-termination-host-offline",
)  # fmt: skip
def _dies_with_its_host(record: Record) -> None:
    for moment in ("host gone", "host killed"):
        packets = record.within(moment, record.edge.packets)
        offline = next(p for p in packets if p.down and p.topic == STATE and not json.loads(p.payload)["online"])
        after = [kind_of(p) or p.kind for p in packets if p.link == offline.link and p.at >= offline.at and not p.down]
        assert after[:2] == ["NDEATH", "DISCONNECT"]


@active("operational-behavior-edge-node-termination-host-offline-reconnect")
def _starts_over_after_its_host_was_gone(record: Record) -> None:
    for moment in ("host gone", "host killed"):
        packets = record.within(moment, record.edge.packets)
        left = next(at for at, packet in enumerate(packets) if packet.kind == "DISCONNECT")
        assert "CONNECT" in [packet.kind for packet in packets[left:]]
    assert len(born_links(record)) >= 4


@active("operational-behavior-edge-node-termination-host-offline-timestamp")
def _an_old_offline_is_ignored(record: Record) -> None:
    packets = record.within("lie", record.edge.packets)
    assert any(p.down and p.topic == STATE and json.loads(p.payload)["timestamp"] == 5 for p in packets)
    assert not [p for p in packets if kind_of(p) in ("NDEATH", "NBIRTH") or p.kind in ("DISCONNECT", "CLOSED")]
    assert [p for p in packets if kind_of(p) == "DDATA"]


@active("operational-behavior-primary-application-state-with-multiple-servers-state-subs")
def _subscribes_to_the_state(record: Record) -> None:
    for link in record.edge.links():
        subscribed = [one for packet in link if packet.kind == "SUBSCRIBE" for one in packet.filters]
        assert (STATE, 1) in subscribed


@active("operational-behavior-primary-application-state-with-multiple-servers-single-server")
def _one_connection_at_a_time(record: Record) -> None:
    open_links: set[int] = set()
    for packet in record.edge.packets:
        if packet.kind == "CONNECT":
            open_links.add(packet.link)
        elif packet.kind == "CLOSED":
            open_links.discard(packet.link)
        assert len(open_links) <= 1


# --- E6: rebirth --------------------------------------------------------------------------------------------------
def _rebirth(record: Record) -> list[Packet]:
    """What went over the link from the command on."""
    packets = record.within("rebirth", record.edge.packets)
    first = next(
        at
        for at, packet in enumerate(packets)
        if packet.down and kind_of(packet) == "NCMD" and decode(packet.payload).metric(names.REBIRTH) is not None
    )
    return packets[first:]


@active("operational-behavior-data-commands-rebirth-action-1", "operational-behavior-data-commands-rebirth-action-2")
def _births_after_the_command(record: Record) -> None:
    packets = _rebirth(record)
    sent = [packet for packet in packets if not packet.down]
    while kind_of(sent[0]).endswith("DATA") and sent[0].at < packets[0].at + 0.1:
        sent.pop(0)  # had been sent when the command was still on the line
    kinds = [kind_of(packet) for packet in sent]
    assert kinds[:3] == ["NBIRTH", "DBIRTH", "DBIRTH"]
    assert "DDATA" in kinds[3:]


@active("operational-behavior-data-commands-rebirth-action-3")
def _rebirth_keeps_the_number(record: Record) -> None:
    birth = next(packet for packet in _rebirth(record) if kind_of(packet) == "NBIRTH")
    link = next(link for link in record.edge.links() if link[0].link == birth.link)
    will = next(packet for packet in link if packet.kind == "CONNECT")
    assert bdseq_of(decode(birth.payload)) == bdseq_of(decode(will.payload))


# --- E8: templates ------------------------------------------------------------------------------------------------
@active(
    "payloads-template-definition-members", "payloads-template-definition-parameters",
    "payloads-template-definition-parameters-default", "payloads-template-instance-members-data",
    "payloads-template-instance-parameters", never=True,
)  # fmt: skip
def _no_templates(record: Record) -> None:
    assert NO_DATASETS
    _no_datasets_and_no_templates(record.log)

"""The normative statements of Sparkplug 3.0 that a passive subscriber can judge, each under its tck-id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.sparkplug.wire_log import Seen, WireLog

from lineshaft.wire.sparkplug import SCALAR, SIGNED, WIDTH, SparkplugType

Check = Callable[[WireLog], None]
EDGE: dict[str, Check] = {}
HOST: dict[str, Check] = {}
SEQUENCED = ("NBIRTH", "DBIRTH", "NDATA", "DDATA", "DDEATH")
EDGE_KINDS = (*SEQUENCED, "NDEATH")
MEMBER = {
    **{number: "int_value" for number in WIDTH if WIDTH[number] < 64},
    **{number: "long_value" for number in WIDTH if WIDTH[number] == 64},
    9: "float_value", 10: "double_value", 11: "boolean_value", 12: "string_value", 14: "string_value",
    15: "string_value", 16: "dataset_value", 17: "bytes_value", 18: "bytes_value", 19: "template_value",
}  # fmt: skip


def edge(*ids: str) -> Callable[[Check], Check]:
    """Register a check of the edge node under its ids (without the common prefix tck-id-)."""

    def register(check: Check) -> Check:
        EDGE.update(dict.fromkeys(ids, check))
        return check

    return register


def host(*ids: str) -> Callable[[Check], Check]:
    """Register a check of the host application."""

    def register(check: Check) -> Check:
        HOST.update(dict.fromkeys(ids, check))
        return check

    return register


def _some(messages: list[Seen]) -> list[Seen]:
    assert messages, "no such message was seen, so nothing is proved"
    return messages


def _metric(message: Seen, name: str) -> Any:
    found = [metric for metric in message.payload.metrics if metric.name == name]
    assert len(found) == 1, f"{message.topic} has {len(found)} metrics named {name}"
    return found[0]


# --- identifiers, topics, order -------------------------------------------------------------------------------
@edge(
    "intro-group-id-string", "intro-group-id-chars", "intro-edge-node-id-string", "intro-edge-node-id-chars",
    "intro-device-id-string", "intro-device-id-chars", "topic-structure", "topic-structure-namespace-a",
    "topic-structure-namespace-valid-group-id", "topic-structure-namespace-valid-edge-node-id",
    "topic-structure-namespace-valid-device-id", "topic-structure-namespace-device-id-associated-message-types",
    "topic-structure-namespace-device-id-non-associated-message-types", "topics-nbirth-topic", "topics-ndata-topic",
    "topics-dbirth-topic", "topics-ddata-topic", "topics-ndeath-topic",
    "message-flow-edge-node-birth-publish-nbirth-topic", "message-flow-device-birth-publish-dbirth-topic",
)  # fmt: skip
def _topics(log: WireLog) -> None:
    for kind in ("NBIRTH", "DBIRTH", "NDATA", "DDATA", "NDEATH"):
        for message in _some(log.of(kind)):
            parts = message.topic.split("/")
            assert parts[0] == "spBv1.0"
            assert len(parts) == (5 if kind.startswith("D") else 4)
            assert all(part and not set(part) & set("+#") for part in parts)


@edge("topic-structure-namespace-unique-device-id", "payloads-alias-uniqueness")
def _unique(log: WireLog) -> None:
    for session in log.sessions():
        births = [message for message in session if message.kind in ("NBIRTH", "DBIRTH")]
        aliases = [metric.alias for birth in births for metric in birth.payload.metrics if metric.HasField("alias")]
        assert aliases
        by_birth: dict[str, set[int]] = {}
        for birth in births:
            own = {metric.alias for metric in birth.payload.metrics if metric.HasField("alias")}
            for other, taken in by_birth.items():
                assert other == birth.topic or not own & taken
            by_birth[birth.topic] = own


@edge("case-sensitivity-sparkplug-ids", "case-sensitivity-metric-names")
def _no_ids_that_differ_by_case(log: WireLog) -> None:
    ids = {part for message in _some(log.of(*EDGE_KINDS)) for part in message.topic.split("/")[3:]}
    assert len({name.lower() for name in ids}) == len(ids)
    for birth in _some(log.of("NBIRTH", "DBIRTH")):
        names = [metric.name for metric in birth.payload.metrics]
        assert len({name.lower() for name in names}) == len(names)


@edge(
    "principles-birth-certificates-order", "message-flow-device-birth-publish-nbirth-wait", "payloads-dbirth-order",
    "message-flow-device-birth-publish-dbirth-match-edge-node-topic", "payloads-ndata-order", "payloads-ddata-order",
)  # fmt: skip
def _births_first(log: WireLog) -> None:
    for session in log.sessions():
        assert session[0].kind == "NBIRTH", f"{session[0].topic} came before any NBIRTH"
        node = session[0].topic.split("/")[3]
        born: set[str] = set()
        for message in session[1:]:
            parts = message.parts
            assert parts.node == node
            if message.kind == "DBIRTH":
                born.add(parts.device)
            elif message.kind == "DDATA":
                assert parts.device in born, f"DDATA of {parts.device} before its DBIRTH"


# --- MQTT delivery --------------------------------------------------------------------------------------------
@edge(
    "topics-nbirth-mqtt", "topics-ndata-mqtt", "topics-dbirth-mqtt", "topics-ddata-mqtt", "payloads-nbirth-qos",
    "payloads-nbirth-retain", "payloads-dbirth-qos", "payloads-dbirth-retain", "payloads-ndata-qos",
    "payloads-ndata-retain", "payloads-ddata-qos", "payloads-ddata-retain",
    "message-flow-edge-node-birth-publish-nbirth-qos", "message-flow-edge-node-birth-publish-nbirth-retained",
    "message-flow-device-birth-publish-dbirth-qos", "message-flow-device-birth-publish-dbirth-retained",
)  # fmt: skip
def _qos_and_retain(log: WireLog) -> None:
    for kind in ("NBIRTH", "DBIRTH", "NDATA", "DDATA"):
        for message in _some(log.of(kind)):
            assert (message.qos, message.retain) == (0, False), message.topic


# --- sequence numbers and time ---------------------------------------------------------------------------------
@edge(
    "topics-nbirth-seq-num", "payloads-sequence-num-always-included", "payloads-sequence-num-zero-nbirth",
    "payloads-sequence-num-incrementing", "payloads-nbirth-seq", "topics-dbirth-seq", "payloads-dbirth-seq",
    "payloads-dbirth-seq-inc", "topics-ndata-seq-num", "payloads-ndata-seq", "payloads-ndata-seq-inc",
    "topics-ddata-seq-num", "payloads-ddata-seq", "payloads-ddata-seq-inc",
    "message-flow-edge-node-birth-publish-nbirth-payload-seq", "message-flow-device-birth-publish-dbirth-payload-seq",
)  # fmt: skip
def _sequence(log: WireLog) -> None:
    for session in log.sessions():
        numbers = [message.payload.seq for message in session]
        assert all(message.payload.HasField("seq") for message in session)
        assert numbers == [index % 256 for index in range(len(numbers))], numbers[:20]


@edge(
    "topics-nbirth-timestamp", "topics-dbirth-timestamp", "topics-ndata-timestamp", "topics-ddata-timestamp",
    "payloads-nbirth-timestamp", "payloads-dbirth-timestamp", "payloads-ndata-timestamp", "payloads-ddata-timestamp",
    "payloads-timestamp-in-UTC",
)  # fmt: skip
def _message_time(log: WireLog) -> None:
    for message in _some(log.of("NBIRTH", "DBIRTH", "NDATA", "DDATA")):
        assert message.payload.HasField("timestamp"), message.topic
        assert abs(message.payload.timestamp / 1000 - message.at) < 120, "not UTC milliseconds"


@edge("payloads-metric-timestamp-in-UTC", "payloads-name-birth-data-requirement")
def _metric_time(log: WireLog) -> None:
    for message in _some(log.of("NBIRTH", "DBIRTH", "NDATA", "DDATA")):
        for metric in message.payload.metrics:
            assert metric.HasField("timestamp"), f"{message.topic}: {metric.name or metric.alias}"
            assert abs(metric.timestamp / 1000 - message.at) < 3600, "not UTC milliseconds"


# --- births ------------------------------------------------------------------------------------------------------
@edge(
    "topics-nbirth-bdseq-included", "topics-nbirth-bdseq-matching", "payloads-nbirth-bdseq",
    "payloads-nbirth-bdseq-repeat", "message-flow-edge-node-birth-publish-nbirth-payload-bdSeq",
    "payloads-ndeath-bdseq", "topics-ndeath-payload",
)  # fmt: skip
def _bdseq(log: WireLog) -> None:
    deaths = _some(log.of("NDEATH"))
    for birth in _some(log.of("NBIRTH")):
        number = _metric(birth, "bdSeq")
        assert number.datatype == SparkplugType.INT64
        assert 0 <= number.long_value <= 255
    for death in deaths:
        assert [metric.name for metric in death.payload.metrics] == ["bdSeq"]
        before = [birth for birth in log.of("NBIRTH") if birth.at <= death.at]
        assert death.payload.metrics[0].long_value == _metric(before[-1], "bdSeq").long_value


@edge("topics-ndeath-seq", "payloads-ndeath-seq")
def _death_has_no_sequence(log: WireLog) -> None:
    assert not any(death.payload.HasField("seq") for death in _some(log.of("NDEATH")))


@edge(
    "topics-nbirth-metrics", "topics-dbirth-metrics", "operational-behavior-data-publish-nbirth-values",
    "operational-behavior-data-publish-dbirth-values", "payloads-name-requirement",
    "payloads-alias-birth-requirement", "payloads-metric-datatype-req",
    "message-flow-edge-node-birth-publish-nbirth-payload", "message-flow-device-birth-publish-dbirth-payload",
)  # fmt: skip
def _births_declare_everything(log: WireLog) -> None:
    for session in log.sessions():
        declared: set[tuple[str, int | str]] = set()
        for message in session:
            device = message.parts.device
            for metric in message.payload.metrics:
                if message.kind in ("NBIRTH", "DBIRTH"):
                    assert metric.name
                    assert metric.HasField("datatype")
                    assert metric.is_null or metric.WhichOneof("value")
                    declared |= {(device, metric.name), (device, metric.alias if metric.HasField("alias") else -1)}
                elif message.kind in ("NDATA", "DDATA"):
                    key = metric.alias if metric.HasField("alias") else metric.name
                    assert (device, key) in declared, f"{message.topic} carries {key}, which no birth declared"


@edge("payloads-alias-data-cmd-requirement")
def _alias_without_name(log: WireLog) -> None:
    for message in _some(log.of("NDATA", "DDATA")):
        for metric in message.payload.metrics:
            assert metric.HasField("alias") != bool(metric.name), f"{metric.name}: alias or name, not both"


@edge("payloads-metric-datatype-not-req")
def _no_datatype_in_data(log: WireLog) -> None:
    metrics = [metric for message in _some(log.of("DDATA")) for metric in message.payload.metrics]
    assert metrics
    assert not any(metric.HasField("datatype") for metric in metrics)


@edge("payloads-metric-datatype-value-type", "payloads-metric-datatype-value")
def _datatypes_fit(log: WireLog) -> None:
    for birth in _some(log.of("NBIRTH", "DBIRTH")):
        for metric in birth.payload.metrics:
            assert metric.datatype in {*SCALAR, 16, 17, 18, 19}
            if not metric.is_null:
                assert metric.WhichOneof("value") == MEMBER[metric.datatype], metric.name
    assert SIGNED


@edge("operational-behavior-data-publish-nbirth-order", "operational-behavior-data-publish-dbirth-order")
def _chronological(log: WireLog) -> None:
    for session in log.sessions():
        latest: dict[tuple[str, int], int] = {}
        for message in session:
            for metric in message.payload.metrics:
                if message.kind == "DDATA" and metric.HasField("alias") and not metric.is_historical:
                    key = (message.parts.device, metric.alias)
                    assert metric.timestamp >= latest.get(key, 0), "a live value older than the one before"
                    latest[key] = metric.timestamp


@edge(
    "topics-nbirth-rebirth-metric", "payloads-nbirth-rebirth-req", "operational-behavior-data-commands-rebirth-name",
    "operational-behavior-data-commands-rebirth-name-aliases", "operational-behavior-data-commands-rebirth-datatype",
    "operational-behavior-data-commands-rebirth-value",
)  # fmt: skip
def _rebirth_metric(log: WireLog) -> None:
    for birth in _some(log.of("NBIRTH")):
        metric = _metric(birth, "Node Control/Rebirth")
        assert not metric.HasField("alias")
        assert metric.datatype == SparkplugType.BOOLEAN
        assert metric.WhichOneof("value") == "boolean_value"
        assert metric.boolean_value is False


# --- properties ---------------------------------------------------------------------------------------------------
@edge(
    "payloads-propertyset-keys-array-size", "payloads-propertyset-values-array-size",
    "payloads-metric-propertyvalue-type-type", "payloads-metric-propertyvalue-type-value",
    "payloads-metric-propertyvalue-type-req",
)  # fmt: skip
def _properties(log: WireLog) -> None:
    sets = [
        metric.properties
        for birth in _some(log.of("DBIRTH"))
        for metric in birth.payload.metrics
        if metric.HasField("properties")
    ]
    assert sets, "no birth carries properties"
    for properties in sets:
        assert len(properties.keys) == len(properties.values)
        for value in properties.values:
            assert value.HasField("type")
            assert value.type in SCALAR
            assert value.is_null or value.WhichOneof("value") == MEMBER[value.type]


@edge("payloads-propertyset-quality-value-type", "payloads-propertyset-quality-value-value")
def _quality(log: WireLog) -> None:
    found = [
        value
        for message in log.of("DBIRTH", "DDATA")
        for metric in message.payload.metrics
        for name, value in zip(metric.properties.keys, metric.properties.values, strict=True)
        if name == "Quality"
    ]
    assert found, "no value with a quality was sent"
    for value in found:
        assert value.type == SparkplugType.INT32
        assert value.int_value in (0, 192, 500)


# --- the host application ---------------------------------------------------------------------------------------
@host(
    "intro-sparkplug-host-state", "components-ph-state", "conformance-primary-host", "host-topic-phid-birth-message",
    "host-topic-phid-birth-qos", "host-topic-phid-birth-retain", "host-topic-phid-birth-topic",
    "host-topic-phid-birth-required", "host-topic-phid-birth-payload", "host-topic-phid-birth-payload-timestamp",
    "message-flow-phid-sparkplug-state-publish", "message-flow-phid-sparkplug-state-publish-payload",
    "message-flow-phid-sparkplug-state-publish-payload-timestamp", "payloads-state-birth",
    "payloads-state-birth-payload", "operational-behavior-host-application-connect-birth",
    "operational-behavior-host-application-connect-birth-topic",
    "operational-behavior-host-application-connect-birth-payload",
    "operational-behavior-host-application-connect-birth-qos",
    "operational-behavior-host-application-connect-birth-retained",
    "operational-behavior-primary-application-state-with-multiple-servers-state",
)  # fmt: skip
def _state_birth(log: WireLog) -> None:
    births = [message for message in _some(log.of("STATE")) if message.state["online"] is True]
    for message in _some(births):
        assert message.qos == 1
        assert len(message.topic.split("/")) == 3
        assert set(message.state) == {"online", "timestamp"}
        assert isinstance(message.state["timestamp"], int)
        assert abs(message.state["timestamp"] / 1000 - message.at) < 120


@host(
    "host-topic-phid-death-qos", "host-topic-phid-death-retain", "host-topic-phid-death-topic",
    "host-topic-phid-death-payload", "host-topic-phid-death-payload-connect",
)  # fmt: skip
def _state_death(log: WireLog) -> None:
    deaths = [message for message in _some(log.of("STATE")) if message.state["online"] is False]
    for message in _some(deaths):
        assert message.qos == 1
        assert set(message.state) == {"online", "timestamp"}
        assert isinstance(message.state["timestamp"], int)


# --- statements about what our edge node never sends --------------------------------------------------------------
NO_DATASETS = (
    "payloads-dataset-column-size", "payloads-dataset-column-num-headers", "payloads-dataset-types-def",
    "payloads-dataset-types-num", "payloads-dataset-types-type", "payloads-dataset-types-value",
    "payloads-dataset-parameter-type-req", "payloads-template-dataset-value",
)  # fmt: skip
NO_TEMPLATES = (
    "topics-nbirth-templates", "payloads-template-definition-nbirth-only",
    "payloads-template-definition-is-definition", "payloads-template-definition-ref",
    "payloads-template-definition-nbirth", "payloads-template-instance-is-definition",
    "payloads-template-instance-ref", "payloads-template-instance-members",
    "payloads-template-instance-members-birth", "payloads-template-version", "payloads-template-ref-definition",
    "payloads-template-ref-instance", "payloads-template-is-definition", "payloads-template-is-definition-definition",
    "payloads-template-is-definition-instance", "payloads-template-parameter-name-required",
    "payloads-template-parameter-name-type", "payloads-template-parameter-value-type",
    "payloads-template-parameter-type-value", "payloads-template-parameter-type-req",
    "payloads-template-parameter-value",
)  # fmt: skip


@edge(*NO_DATASETS, *NO_TEMPLATES)
def _no_datasets_and_no_templates(log: WireLog) -> None:
    """The rules for data sets and templates bind who sends them; we prove that we send none."""
    for message in _some(log.of(*EDGE_KINDS)):
        for metric in message.payload.metrics:
            assert metric.WhichOneof("value") not in ("dataset_value", "template_value")

"""The 299 normative statements of Sparkplug 3.0 by their tck-ids (without the prefix tck-id-), in groups.

A statement is listed under how it can be judged: w by a passive subscriber, c by watching the connection, s after a
stimulus, h from the state of the host, f only falsified over time, o optional, x only over a whole installation.
"""

from __future__ import annotations

from typing import Final

TITLES: Final = {
    "E1": "identifiers, topics, order",
    "E2": "connect, will, subscriptions",
    "E3": "births, data, metric rules",
    "E4": "deaths",
    "E5": "primary host",
    "E6": "rebirth",
    "E7": "properties & datasets",
    "E8": "templates",
    "H1": "STATE birth/death",
    "H2": "commands & rebirth request",
    "H3": "death handling",
    "H4": "reordering",
    "S1": "MQTT server",
}

_LISTED: Final[dict[str, dict[str, str]]] = {
    "E1": {
        "f": """
            principles-rbe-recommended
        """,
        "o": """
            topic-structure-namespace-duplicate-device-id-across-edge-node
        """,
        "w": """
            intro-group-id-string intro-group-id-chars intro-edge-node-id-string intro-edge-node-id-chars
            intro-device-id-string intro-device-id-chars principles-birth-certificates-order topic-structure
            topic-structure-namespace-a topic-structure-namespace-valid-group-id
            topic-structure-namespace-valid-edge-node-id topic-structure-namespace-valid-device-id
            topic-structure-namespace-unique-device-id
            topic-structure-namespace-device-id-associated-message-types
            topic-structure-namespace-device-id-non-associated-message-types
        """,
        "x": """
            intro-edge-node-id-uniqueness topic-structure-namespace-unique-edge-node-descriptor
        """,
    },
    "E2": {
        "c": """
            principles-persistence-clean-session-311 principles-persistence-clean-session-50
            message-flow-edge-node-ncmd-subscribe message-flow-edge-node-birth-publish-connect
            message-flow-edge-node-birth-publish-will-message
            message-flow-edge-node-birth-publish-will-message-topic
            message-flow-edge-node-birth-publish-will-message-payload
            message-flow-edge-node-birth-publish-will-message-qos
            message-flow-edge-node-birth-publish-will-message-will-retained message-flow-device-dcmd-subscribe
            payloads-ndeath-will-message payloads-ndeath-will-message-qos payloads-ndeath-will-message-retain
            payloads-ndeath-will-message-publisher payloads-ndeath-will-message-publisher-disconnect-mqtt311
            payloads-ndeath-will-message-publisher-disconnect-mqtt50
            message-flow-edge-node-birth-publish-will-message-payload-bdSeq
        """,
    },
    "E3": {
        "c": """
            topics-nbirth-bdseq-increment
        """,
        "f": """
            topics-nbirth-metric-reqs topics-ndata-payload topics-dbirth-metric-reqs topics-ddata-payload
            operational-behavior-data-publish-nbirth operational-behavior-data-publish-nbirth-change
            operational-behavior-data-publish-dbirth operational-behavior-data-publish-dbirth-change
        """,
        "w": """
            topics-nbirth-topic topics-nbirth-mqtt topics-nbirth-seq-num topics-nbirth-timestamp
            topics-nbirth-metrics topics-nbirth-bdseq-included topics-nbirth-bdseq-matching topics-ndata-topic
            topics-ndata-mqtt topics-ndata-seq-num topics-ndata-timestamp topics-dbirth-topic topics-dbirth-mqtt
            topics-dbirth-seq topics-dbirth-timestamp topics-dbirth-metrics topics-ddata-topic topics-ddata-mqtt
            topics-ddata-seq-num topics-ddata-timestamp case-sensitivity-sparkplug-ids
            case-sensitivity-metric-names message-flow-edge-node-birth-publish-nbirth-topic
            message-flow-edge-node-birth-publish-nbirth-payload message-flow-edge-node-birth-publish-nbirth-qos
            message-flow-edge-node-birth-publish-nbirth-retained
            message-flow-edge-node-birth-publish-nbirth-payload-seq
            message-flow-device-birth-publish-nbirth-wait message-flow-device-birth-publish-dbirth-topic
            message-flow-device-birth-publish-dbirth-match-edge-node-topic
            message-flow-device-birth-publish-dbirth-payload message-flow-device-birth-publish-dbirth-qos
            message-flow-device-birth-publish-dbirth-retained
            message-flow-device-birth-publish-dbirth-payload-seq operational-behavior-data-publish-nbirth-values
            operational-behavior-data-publish-nbirth-order operational-behavior-data-publish-dbirth-values
            operational-behavior-data-publish-dbirth-order payloads-sequence-num-always-included
            payloads-sequence-num-zero-nbirth payloads-sequence-num-incrementing payloads-name-requirement
            payloads-alias-uniqueness payloads-alias-birth-requirement payloads-alias-data-cmd-requirement
            payloads-name-birth-data-requirement payloads-metric-datatype-value-type
            payloads-metric-datatype-value payloads-metric-datatype-req payloads-metric-datatype-not-req
            payloads-nbirth-timestamp payloads-nbirth-seq payloads-nbirth-bdseq payloads-nbirth-bdseq-repeat
            payloads-nbirth-qos payloads-nbirth-retain payloads-dbirth-timestamp payloads-dbirth-seq
            payloads-dbirth-seq-inc payloads-dbirth-order payloads-dbirth-qos payloads-dbirth-retain
            payloads-ndata-timestamp payloads-ndata-seq payloads-ndata-seq-inc payloads-ndata-order
            payloads-ndata-qos payloads-ndata-retain payloads-ddata-timestamp payloads-ddata-seq
            payloads-ddata-seq-inc payloads-ddata-order payloads-ddata-qos payloads-ddata-retain
            message-flow-edge-node-birth-publish-nbirth-payload-bdSeq payloads-metric-timestamp-in-UTC
            payloads-timestamp-in-UTC
        """,
        "x": """
            payloads-nbirth-edge-node-descriptor
        """,
    },
    "E4": {
        "o": """
            operational-behavior-edge-node-intentional-disconnect-packet
        """,
        "s": """
            topics-ddeath-topic topics-ddeath-mqtt topics-ddeath-seq-num
            operational-behavior-edge-node-intentional-disconnect-ndeath operational-behavior-device-ddeath
            payloads-ddeath-timestamp payloads-ddeath-seq payloads-ddeath-seq-inc payloads-ddeath-seq-number
        """,
        "w": """
            topics-ndeath-topic topics-ndeath-payload topics-ndeath-seq payloads-ndeath-seq
            payloads-ndeath-bdseq
        """,
    },
    "E5": {
        "c": """
            operational-behavior-primary-application-state-with-multiple-servers-single-server
        """,
        "s": """
            message-flow-edge-node-birth-publish-phid-wait message-flow-edge-node-birth-publish-phid-wait-id
            message-flow-edge-node-birth-publish-phid-wait-online
            message-flow-edge-node-birth-publish-phid-wait-timestamp
            message-flow-edge-node-birth-publish-phid-offline
            operational-behavior-edge-node-termination-host-offline
            operational-behavior-edge-node-termination-host-offline-reconnect
            operational-behavior-edge-node-termination-host-offline-timestamp
            operational-behavior-primary-application-state-with-multiple-servers-state-subs
            operational-behavior-primary-application-state-with-multiple-servers-walk
            operational-behavior-edge-node-birth-sequence-wait
        """,
    },
    "E6": {
        "s": """
            operational-behavior-data-commands-rebirth-action-1
            operational-behavior-data-commands-rebirth-action-2
            operational-behavior-data-commands-rebirth-action-3
        """,
        "w": """
            topics-nbirth-rebirth-metric operational-behavior-data-commands-rebirth-name
            operational-behavior-data-commands-rebirth-name-aliases
            operational-behavior-data-commands-rebirth-datatype operational-behavior-data-commands-rebirth-value
            payloads-nbirth-rebirth-req
        """,
    },
    "E7": {
        "w": """
            payloads-propertyset-keys-array-size payloads-propertyset-values-array-size
            payloads-metric-propertyvalue-type-type payloads-metric-propertyvalue-type-value
            payloads-metric-propertyvalue-type-req payloads-propertyset-quality-value-type
            payloads-propertyset-quality-value-value payloads-dataset-column-size
            payloads-dataset-column-num-headers payloads-dataset-types-def payloads-dataset-types-num
            payloads-dataset-types-type payloads-dataset-types-value payloads-dataset-parameter-type-req
        """,
    },
    "E8": {
        "f": """
            payloads-template-definition-members payloads-template-definition-parameters
        """,
        "o": """
            payloads-template-definition-parameters-default payloads-template-instance-members-data
            payloads-template-instance-parameters
        """,
        "w": """
            topics-nbirth-templates payloads-template-dataset-value payloads-template-definition-nbirth-only
            payloads-template-definition-is-definition payloads-template-definition-ref
            payloads-template-definition-nbirth payloads-template-instance-is-definition
            payloads-template-instance-ref payloads-template-instance-members
            payloads-template-instance-members-birth payloads-template-version payloads-template-ref-definition
            payloads-template-ref-instance payloads-template-is-definition
            payloads-template-is-definition-definition payloads-template-is-definition-instance
            payloads-template-parameter-name-required payloads-template-parameter-name-type
            payloads-template-parameter-value-type payloads-template-parameter-type-value
            payloads-template-parameter-type-req payloads-template-parameter-value
        """,
    },
    "H1": {
        "c": """
            host-topic-phid-birth-sub-required host-topic-phid-death-required
            message-flow-phid-sparkplug-clean-session-311 message-flow-phid-sparkplug-clean-session-50
            message-flow-phid-sparkplug-subscription operational-behavior-host-application-connect-will
            operational-behavior-host-application-connect-will-topic
            operational-behavior-host-application-connect-will-payload
            operational-behavior-host-application-connect-will-qos
            operational-behavior-host-application-connect-will-retained payloads-state-will-message
            payloads-state-will-message-qos payloads-state-will-message-retain
            payloads-state-will-message-payload payloads-state-subscribe
        """,
        "o": """
            operational-behavior-host-application-disconnect-intentional
        """,
        "s": """
            host-topic-phid-death-payload-disconnect-clean
            host-topic-phid-death-payload-disconnect-with-no-disconnect-packet
            message-flow-hid-sparkplug-state-message-delivered
            operational-behavior-host-application-multi-server-timestamp
            operational-behavior-host-application-termination operational-behavior-host-application-death-topic
            operational-behavior-host-application-death-payload operational-behavior-host-application-death-qos
            operational-behavior-host-application-death-retained
        """,
        "w": """
            intro-sparkplug-host-state components-ph-state host-topic-phid-birth-message
            host-topic-phid-birth-qos host-topic-phid-birth-retain host-topic-phid-birth-topic
            host-topic-phid-birth-required host-topic-phid-birth-payload host-topic-phid-birth-payload-timestamp
            host-topic-phid-death-qos host-topic-phid-death-retain host-topic-phid-death-topic
            host-topic-phid-death-payload host-topic-phid-death-payload-connect
            message-flow-phid-sparkplug-state-publish message-flow-phid-sparkplug-state-publish-payload
            message-flow-phid-sparkplug-state-publish-payload-timestamp
            operational-behavior-primary-application-state-with-multiple-servers-state
            operational-behavior-host-application-connect-birth
            operational-behavior-host-application-connect-birth-topic
            operational-behavior-host-application-connect-birth-payload
            operational-behavior-host-application-connect-birth-qos
            operational-behavior-host-application-connect-birth-retained payloads-state-birth
            payloads-state-birth-payload conformance-primary-host
        """,
        "x": """
            operational-behavior-host-application-host-id
        """,
    },
    "H2": {
        "o": """
            payloads-name-cmd-requirement
        """,
        "s": """
            topics-ncmd-topic topics-ncmd-mqtt topics-ncmd-timestamp topics-ncmd-payload topics-dcmd-topic
            topics-dcmd-mqtt topics-dcmd-timestamp topics-dcmd-payload
            operational-behavior-data-commands-ncmd-rebirth-verb
            operational-behavior-data-commands-ncmd-rebirth-name
            operational-behavior-data-commands-ncmd-rebirth-value operational-behavior-data-commands-ncmd-verb
            operational-behavior-data-commands-ncmd-metric-name
            operational-behavior-data-commands-ncmd-metric-value operational-behavior-data-commands-dcmd-verb
            operational-behavior-data-commands-dcmd-metric-name
            operational-behavior-data-commands-dcmd-metric-value payloads-ncmd-timestamp payloads-ncmd-seq
            payloads-ncmd-qos payloads-ncmd-retain payloads-dcmd-timestamp payloads-dcmd-seq payloads-dcmd-qos
            payloads-dcmd-retain
        """,
    },
    "H3": {
        "h": """
            operational-behavior-edge-node-termination-host-action-ndeath-node-offline
            operational-behavior-edge-node-termination-host-action-ndeath-node-tags-stale
            operational-behavior-edge-node-termination-host-action-ndeath-devices-offline
            operational-behavior-edge-node-termination-host-action-ndeath-devices-tags-stale
            operational-behavior-edge-node-termination-host-action-ddeath-devices-offline
            operational-behavior-edge-node-termination-host-action-ddeath-devices-tags-stale
        """,
    },
    "H4": {
        "s": """
            operational-behavior-host-reordering-param operational-behavior-host-reordering-start
            operational-behavior-host-reordering-rebirth operational-behavior-host-reordering-success
        """,
    },
    "S1": {
        "c": """
            conformance-mqtt-will-messages
        """,
        "h": """
            conformance-mqtt-aware-basic conformance-mqtt-aware-store
        """,
        "w": """
            conformance-mqtt-qos0 conformance-mqtt-qos1 conformance-mqtt-retained
            conformance-mqtt-aware-nbirth-mqtt-topic conformance-mqtt-aware-nbirth-mqtt-retain
            conformance-mqtt-aware-dbirth-mqtt-topic conformance-mqtt-aware-dbirth-mqtt-retain
            conformance-mqtt-aware-ndeath-timestamp
        """,
    },
}

GROUPS: Final = {group: {tag: tuple(ids.split()) for tag, ids in tags.items()} for group, tags in _LISTED.items()}
"""Group -> tag -> ids."""
ALL: Final = {name: (group, tag) for group, tags in GROUPS.items() for tag, ids in tags.items() for name in ids}
"""Id -> group and tag."""


def listed(*groups: str, tag: str) -> set[str]:
    """Ids of some groups that have a tag."""
    return {name for group in groups for name in GROUPS[group].get(tag, ())}

"""OPC UA status codes as our qualities (OPC 10000-4 7.39, 10000-8 6.3)."""

from __future__ import annotations

from lineshaft.model.samples import Quality

OVERFLOW = 0x0480
"""Info bits of a data value: the server's queue of this node overflowed (InfoType DataValue + Overflow)."""

GOOD = 0x00000000
BAD_NODE_ID_INVALID = 0x80330000
BAD_NODE_ID_UNKNOWN = 0x80340000
BAD_TIMEOUT = 0x800A0000
BAD_NO_SUBSCRIPTION = 0x80790000
BAD_TOO_MANY_PUBLISH_REQUESTS = 0x80780000
BAD_MESSAGE_NOT_AVAILABLE = 0x807B0000

FILTER_REFUSED = frozenset({0x80430000, 0x80440000, 0x80450000, 0x808E0000})
"""BadMonitoredItemFilterInvalid and -Unsupported, BadFilterNotAllowed, BadDeadbandFilterInvalid."""

_EXACT: dict[int, Quality] = {
    0x40910000: Quality.UNCERTAIN_ESTIMATED,  # UncertainSubstituteValue
    0x40930000: Quality.UNCERTAIN_SENSOR,  # UncertainSensorNotAccurate
    0x40940000: Quality.UNCERTAIN_RANGE,  # UncertainEngineeringUnitsExceeded
    BAD_NODE_ID_INVALID: Quality.BAD_ADDRESS,
    BAD_NODE_ID_UNKNOWN: Quality.BAD_ADDRESS,
    0x80350000: Quality.BAD_ADDRESS,  # BadAttributeIdInvalid
    0x80360000: Quality.BAD_ADDRESS,  # BadIndexRangeInvalid
    0x80050000: Quality.BAD_COMMUNICATION,  # BadCommunicationError
    BAD_TIMEOUT: Quality.BAD_COMMUNICATION,
    0x80310000: Quality.BAD_COMMUNICATION,  # BadNoCommunication
    0x808A0000: Quality.BAD_COMMUNICATION,  # BadNotConnected
    0x80320000: Quality.BAD_NO_VALUE,  # BadWaitingForInitialData
    0x80370000: Quality.BAD_NO_VALUE,  # BadIndexRangeNoData
    0x809B0000: Quality.BAD_NO_VALUE,  # BadNoData
    0x80B10000: Quality.BAD_NO_VALUE,  # BadNoDataAvailable
    0x808B0000: Quality.BAD_DEVICE,  # BadDeviceFailure
    0x808C0000: Quality.BAD_DEVICE,  # BadSensorFailure
    0x808D0000: Quality.BAD_DEVICE,  # BadOutOfService
}
_BY_SEVERITY = (Quality.GOOD, Quality.UNCERTAIN, Quality.BAD, Quality.BAD)


def quality_of(code: int) -> Quality:
    """The quality that stands for a UInt32 status code; its info bits do not matter.

    >>> quality_of(0x80340000).name, quality_of(0x00000480).name
    ('BAD_ADDRESS', 'GOOD')
    """
    return _EXACT.get(code & 0xFFFF0000, _BY_SEVERITY[code >> 30 & 3])

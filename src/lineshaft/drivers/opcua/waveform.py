"""A burst from an OPC UA server: an array node, and nodes beside it that say sample rate and shaft speed."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from lineshaft.drivers.base import WavePoint
from lineshaft.drivers.opcua.options import OpcuaAddress
from lineshaft.drivers.opcua.session import Session
from lineshaft.drivers.opcua.stack import ua
from lineshaft.drivers.opcua.status import quality_of
from lineshaft.errors import DataError
from lineshaft.model.samples import CLASS_MASK, Quality, SampleBatch

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


async def read_waveform(session: Session, point: WavePoint, now: int) -> SampleBatch:
    """See ReadsWaveforms. All nodes are read in one request, so that rate and speed are those of the burst.

    The source timestamp of the array is the time of its first sample. Raises DataError, and UaError of the library.
    """
    addresses = (point.address, point.rate_address, point.speed_address)
    asked: list[OpcuaAddress | None] = [
        one if isinstance(one, OpcuaAddress) else None if one is None else OpcuaAddress.model_validate(one)
        for one in addresses
    ]
    nodes = [None if one is None else session.node_id(one) for one in asked]
    if nodes[0] is None:
        return _bad(point, Quality.BAD_ADDRESS, now)
    found = iter(await session.read_attributes([node for node in nodes if node is not None], ua.AttributeIds.Value))
    answers: list[Any] = [None if node is None else next(found) for node in nodes]
    samples, rate, speed = answers
    quality = quality_of(samples.StatusCode.value)
    if quality & CLASS_MASK == 0:
        return _bad(point, quality, now)
    array = samples.Value.Value if samples.Value is not None else None
    if array is None:
        return _bad(point, Quality.BAD_NO_VALUE, now)
    if not isinstance(array, list):
        raise DataError(
            f"{point.address.node} holds one {type(array).__name__}, not an array of samples",
            hint="A waveform is an array node; a single value is a measure.",
        )
    batch = point.row(array, _time(samples), now, _number(rate, "rate_address"), _number(speed, "speed_address"))
    return SampleBatch.of_waves(batch.signals.tolist(), batch.times.tolist(), _waves(batch), quality)


def _waves(batch: SampleBatch) -> list[Any]:
    return [] if batch.waves is None else batch.waves.tolist()


def _bad(point: WavePoint, quality: int, now: int) -> SampleBatch:
    return SampleBatch.of([point.handle], now, np.nan, quality)


def _time(value: Any) -> int | None:
    """UTC microseconds of the source, of the server where the source says nothing."""
    stamp: datetime | None = value.SourceTimestamp or value.ServerTimestamp
    if stamp is None:
        return None
    return (stamp.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND


def _number(value: Any, key: str) -> float | None:
    """A node's number; None where the plant names none or the server has none now. Raises DataError for text."""
    if value is None or not value.StatusCode.is_good() or value.Value is None:
        return None
    number = value.Value.Value
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise DataError(f"the node of {key} holds {number!r}, not a number")
    return float(number) if math.isfinite(number) else None

"""What an OPC UA server recorded itself, read raw and page by page (OPC 10000-11 6.5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from lineshaft.drivers.base import Point, Sink
from lineshaft.drivers.opcua.decode import Columns, HistoryPage, decode_history
from lineshaft.drivers.opcua.session import Session
from lineshaft.drivers.opcua.stack import NodeId, ua
from lineshaft.errors import ConnectionFailed, DataError, Unsupported
from lineshaft.model.samples import Int64Array, SampleBatch

PAGE: Final = 5_000
"""Values of one answer; live values pass between two of them."""
_MAY_READ: Final = 0x04
"""HistoryRead in AccessLevel (OPC 10000-3 8.57)."""
_BAD: Final = 0x8000_0000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)  # the library takes UTC without a zone


async def read_history(
    session: Session, points: Sequence[Point], since: Int64Array, until: Int64Array, sink: Sink, page: int = PAGE
) -> None:
    """See drivers.base.ReadsHistory; `page`: values of one answer.

    Raises the library's errors, Unsupported and ConnectionFailed.
    """
    wanted = [int(i) for i in np.flatnonzero(until > since + 1)]
    nodes = {i: node for i in wanted if (node := session.node_id(points[i].address)) is not None}
    levels = await session.read_attributes(list(nodes.values()), ua.AttributeIds.UserAccessLevel)
    recorded = [i for i, level in zip(nodes, levels, strict=True) if _may_read(level)]
    if wanted and not recorded:
        raise Unsupported(f"{session.options.url}: no node of this device has a history that may be read")
    for i in recorded:
        await _one(session, nodes[i], points[i].handle, (int(since[i]), int(until[i])), sink, page)


async def _one(session: Session, node: NodeId, handle: int, bounds: tuple[int, int], sink: Sink, size: int) -> None:
    since, until = bounds
    handles = np.array([handle], np.uint32)
    continuation = b""
    while True:
        columns = Columns()
        page = await _page(session, _request(node, since, until, continuation, size), columns)
        if page.status & _BAD:
            return  # this node only: its history is away, or was never kept
        batch = columns.batch(handles, 0)
        batch = batch.take((batch.times > since) & (batch.times < until))
        if len(batch):
            sink(_in_order(batch))
        continuation = page.continuation
        if not continuation:
            return


async def _page(session: Session, request: Any, columns: Columns) -> HistoryPage:
    try:
        return decode_history(await session.call(request), columns, 0)
    except DataError as error:
        raise ConnectionFailed(f"{session.options.url}: {error}") from error


def _request(node: NodeId, since: int, until: int, continuation: bytes, size: int) -> Any:
    details = ua.ReadRawModifiedDetails(
        IsReadModified=False,
        StartTime=_moment(since),
        EndTime=_moment(until),
        NumValuesPerNode=size,
        ReturnBounds=False,
    )
    request = ua.HistoryReadRequest()
    request.Parameters.HistoryReadDetails = details
    request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Source
    request.Parameters.ReleaseContinuationPoints = False
    request.Parameters.NodesToRead = [ua.HistoryReadValueId(NodeId=node, ContinuationPoint=continuation or None)]
    return request


def _may_read(level: Any) -> bool:
    value = level.Value.Value if level.Value is not None and level.StatusCode.is_good() else 0
    return isinstance(value, int) and bool(value & _MAY_READ)


def _moment(time_us: int) -> Any:
    moment = _EPOCH + timedelta(microseconds=time_us)
    return ua.DateTime(
        moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second, moment.microsecond
    )


def _in_order(batch: SampleBatch) -> SampleBatch:
    if (batch.times[1:] >= batch.times[:-1]).all():
        return batch
    return batch.take(np.argsort(batch.times, kind="stable"))

"""One OPC UA subscription: monitored items, publish requests, acknowledgements, lost and late messages."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lineshaft.drivers.opcua.decode import Columns, Published, decode_publish, decode_republish
from lineshaft.drivers.opcua.session import Session, typed_errors
from lineshaft.drivers.opcua.stack import Buffer, NodeId, struct_from_binary, ua
from lineshaft.errors import ConnectionFailed, DataError, LineshaftError

_IN_FLIGHT = 3
"""Publish requests that wait at the server, so that it can always send (OPC 10000-4 5.14.5)."""
_LIFETIME_COUNT = 60
_SILENT_FACTOR = 2.5
_MAX_REPUBLISH = 1000


@dataclass(frozen=True, slots=True)
class Item:
    """One node to watch; `ref` comes back with each of its values."""

    ref: int
    node: NodeId
    sampling_ms: float
    queue_size: int


@dataclass(slots=True)
class SubscriptionStatistics:
    """What happened on the way of the values."""

    changes: int = 0
    messages: int = 0
    overflows: int = 0  # values before which the server's queue of a node overflowed
    republished: int = 0  # messages that were lost and sent again
    missed: int = 0  # messages that were lost and that the server no longer has
    malformed: int = 0


class Subscription:
    """Receives changes until the session is lost; `deliver` gets each message's columns in order."""

    def __init__(
        self, session: Session, deliver: Callable[[Columns], None], statistics: SubscriptionStatistics
    ) -> None:
        self._session = session
        self._deliver = deliver
        self._statistics = statistics
        self._id = 0
        self._silent_after_s = 0.0
        self._next = 1
        self._acknowledge: list[Any] = []

    async def create(self) -> None:
        """Make the subscription on the server, without items."""
        options = self._session.options
        publishing_ms = options.publishing_interval * 1000
        parameters = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=publishing_ms,
            RequestedMaxKeepAliveCount=max(1, round(options.keep_alive * 1000 / publishing_ms)),
            RequestedLifetimeCount=max(3, round(options.keep_alive * 1000 * _LIFETIME_COUNT / publishing_ms)),
            MaxNotificationsPerPublish=0,
            PublishingEnabled=True,
        )
        data = await self._session.call(ua.CreateSubscriptionRequest(Parameters=parameters))
        result = struct_from_binary(ua.CreateSubscriptionResponse, Buffer(data))
        result.ResponseHeader.ServiceResult.check()
        self._id = result.Parameters.SubscriptionId
        agreed_s = result.Parameters.RevisedPublishingInterval * result.Parameters.RevisedMaxKeepAliveCount / 1000
        self._silent_after_s = _SILENT_FACTOR * max(agreed_s, options.keep_alive)

    async def watch(self, items: Sequence[Item]) -> list[int]:
        """Add monitored items; returns one status code per item, 0 when it is watched."""
        codes: list[int] = []
        size = self._session.items_per_call
        for start in range(0, len(items), size):
            parameters = ua.CreateMonitoredItemsParameters(
                SubscriptionId=self._id,
                TimestampsToReturn=ua.TimestampsToReturn.Both,
                ItemsToCreate=[_request(item) for item in items[start : start + size]],
            )
            results = await self._session.client.uaclient.session.create_monitored_items(parameters)
            codes += [result.StatusCode.value if result.StatusCode.is_bad() else 0 for result in results]
        return codes

    async def run(self) -> None:
        """Receive messages until the session is lost, and tell the session why. Ends only so or by cancelling."""
        waiting: deque[asyncio.Task[bytes]] = deque()
        window = _IN_FLIGHT
        try:
            async with typed_errors(self._session.options.url):
                while True:
                    while len(waiting) < window:
                        waiting.append(asyncio.create_task(self._publish(), name="opcua-publish"))
                        await asyncio.sleep(0)  # requests leave in the order in which their answers are awaited
                    try:
                        async with asyncio.timeout(self._silent_after_s):
                            data = await waiting[0]
                    except ua.uaerrors.BadTooManyPublishRequests:
                        waiting.popleft()
                        window = max(1, len(waiting))
                        continue
                    except ua.uaerrors.BadTimeout:  # the server gave the request up; the next one is there already
                        waiting.popleft()
                        continue
                    except TimeoutError as error:
                        raise ConnectionFailed(
                            f"{self._session.options.url}: no sign of life for {self._silent_after_s:.0f} s"
                        ) from error
                    waiting.popleft()
                    await self._message(data)
        except LineshaftError as error:
            self._session.fail(error)
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def _publish(self) -> bytes:
        acknowledgements, self._acknowledge = self._acknowledge, []
        request = ua.PublishRequest()
        request.Parameters.SubscriptionAcknowledgements = acknowledgements
        return await self._session.call(request, 0)

    async def _message(self, data: bytes) -> None:
        try:
            message = decode_publish(data)
        except DataError:
            self._statistics.malformed += 1
            return
        if message.subscription != self._id:
            return
        missing = range(self._next, message.sequence)
        for sequence in missing[-_MAX_REPUBLISH:]:
            await self._republish(sequence)
        if message.alive_only:
            self._next = message.sequence
            return
        self._take(message)
        if message.ended is not None:
            raise ConnectionFailed(f"{self._session.options.url}: the server ended the subscription")

    async def _republish(self, sequence: int) -> None:
        request = ua.RepublishRequest()
        request.Parameters.SubscriptionId = self._id
        request.Parameters.RetransmitSequenceNumber = sequence
        try:
            message = decode_republish(await self._session.call(request), self._id)
        except (ua.uaerrors.BadMessageNotAvailable, DataError):
            self._statistics.missed += 1
            return
        self._statistics.republished += 1
        self._take(message)

    def _take(self, message: Published) -> None:
        self._next = message.sequence + 1 if message.sequence < 2**32 - 1 else 1
        self._acknowledge.append(ua.SubscriptionAcknowledgement(self._id, message.sequence))
        columns = message.columns
        self._statistics.messages += 1
        self._statistics.changes += len(columns.refs)
        self._statistics.overflows += columns.overflows
        if columns.refs:
            self._deliver(columns)


def _request(item: Item) -> Any:
    return ua.MonitoredItemCreateRequest(
        ItemToMonitor=ua.ReadValueId(NodeId=item.node, AttributeId=ua.AttributeIds.Value),
        MonitoringMode=ua.MonitoringMode.Reporting,
        RequestedParameters=ua.MonitoringParameters(
            ClientHandle=item.ref, SamplingInterval=item.sampling_ms, QueueSize=item.queue_size, DiscardOldest=True
        ),
    )

"""One OPC UA subscription over cut lines: monitored items, publish requests, acknowledgements, lost messages."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from lineshaft.drivers.opcua.decode import Columns, Published, decode_publish, decode_republish
from lineshaft.drivers.opcua.session import Session, typed_errors
from lineshaft.drivers.opcua.stack import Buffer, NodeId, struct_from_binary, ua
from lineshaft.drivers.opcua.status import FILTER_REFUSED
from lineshaft.errors import ConnectionFailed, DataError, LineshaftError

_IN_FLIGHT = 3
"""Publish requests that wait at the server, so that it can always send (OPC 10000-4 5.14.5)."""
_LEAST_LIFETIME = 3
"""Keep-alives that a subscription lives without a publish request at least (OPC 10000-4 5.14.2)."""
_SILENT_FACTOR = 2.5
_MAX_REPUBLISH = 1000


@dataclass(frozen=True, slots=True)
class Item:
    """One node to watch; `ref` comes back with each of its values."""

    ref: int
    node: NodeId
    sampling_ms: float
    queue_size: int
    filter: Any = None
    attribute: Any = ua.AttributeIds.Value


class Receiver(Protocol):
    """Where the messages go, in their order."""

    def take(self, columns: Columns) -> None:
        """Changes of values; refs are those of the items."""
        ...

    def take_events(self, bodies: Sequence[bytes]) -> None:
        """Undecoded EventNotificationLists."""
        ...

    async def caught_up(self) -> None:
        """All that the server kept over a cut has been taken."""
        ...


@dataclass(slots=True)
class SubscriptionStatistics:
    """What happened on the way of the values."""

    changes: int = 0
    messages: int = 0
    overflows: int = 0  # values before which the server's queue of a node overflowed
    republished: int = 0  # messages that were lost and sent again
    missed: int = 0  # messages that were lost and that the server no longer has
    taken_up: int = 0  # times that the subscription survived a cut line
    malformed: int = 0


class Subscription:
    """Receives messages until the session is lost, and goes on where it ended on the next one."""

    def __init__(self, session: Session, receiver: Receiver, statistics: SubscriptionStatistics) -> None:
        self.id = 0
        self._session = session
        self._receiver = receiver
        self._statistics = statistics
        self._silent_after_s = 0.0
        self._next = 1
        self._acknowledge: list[Any] = []
        self._catching_up = False

    async def create(self) -> None:
        """Make the subscription on the server, without items."""
        options = self._session.options
        publishing_ms = options.publishing_interval * 1000
        alive = max(1, round(options.keep_alive * 1000 / publishing_ms))
        parameters = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=publishing_ms,
            RequestedMaxKeepAliveCount=alive,
            RequestedLifetimeCount=max(_LEAST_LIFETIME * alive, round(options.keep_session * 1000 / publishing_ms)),
            MaxNotificationsPerPublish=0,
            PublishingEnabled=True,
        )
        data = await self._session.call(ua.CreateSubscriptionRequest(Parameters=parameters))
        result = struct_from_binary(ua.CreateSubscriptionResponse, Buffer(data))
        result.ResponseHeader.ServiceResult.check()
        self.id = result.Parameters.SubscriptionId
        agreed_s = result.Parameters.RevisedPublishingInterval * result.Parameters.RevisedMaxKeepAliveCount / 1000
        self._silent_after_s = _SILENT_FACTOR * max(agreed_s, options.keep_alive)

    async def take_up(self, session: Session) -> bool:
        """After a cut: receive what was lost on the way, on the same session or moved to a new one.

        False when the server does not have the subscription any more; then it is of no more use.
        """
        try:
            if session is not self._session:
                parameters = ua.TransferSubscriptionsParameters([self.id], SendInitialValues=False)
                results = await session.client.uaclient.session.transfer_subscriptions(parameters)
                if len(results) != 1 or results[0].StatusCode.is_bad():
                    return False
                self._session = session
            for _ in range(_MAX_REPUBLISH):
                if not await self._republish(self._next):
                    break
        except (ua.uaerrors.BadTimeout, ua.uaerrors.BadConnectionClosed):
            raise
        except ua.UaStatusCodeError:
            return False
        self._catching_up = True
        self._statistics.taken_up += 1
        return True

    async def watch(self, items: Sequence[Item]) -> tuple[list[int], list[int]]:
        """Add monitored items.

        Returns one status code per item, 0 when it is watched, and the places of those that are watched
        without their filter because the server refused it.
        """
        codes = await self._add(items)
        plain = [at for at, code in enumerate(codes) if code in FILTER_REFUSED and items[at].filter is not None]
        again = await self._add([replace(items[at], filter=None) for at in plain])
        for at, code in zip(plain, again, strict=True):
            codes[at] = code
        return codes, plain

    async def _add(self, items: Sequence[Item]) -> list[int]:
        codes: list[int] = []
        size = self._session.items_per_call
        for start in range(0, len(items), size):
            parameters = ua.CreateMonitoredItemsParameters(
                SubscriptionId=self.id,
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
        try:
            return await self._session.call(request, 0)
        except BaseException:
            self._acknowledge[:0] = acknowledgements  # perhaps they never arrived; twice does no harm
            raise

    async def _message(self, data: bytes) -> None:
        try:
            message = decode_publish(data)
        except DataError:
            self._statistics.malformed += 1
            return
        if message.subscription != self.id:
            return
        missing = range(self._next, message.sequence)
        for sequence in missing[-_MAX_REPUBLISH:]:
            if not await self._republish(sequence):
                self._statistics.missed += 1
        if message.alive_only:
            self._next = message.sequence
        else:
            self._take(message)
        if self._catching_up and not message.more:
            self._catching_up = False
            await self._receiver.caught_up()
        if message.ended is not None:
            raise ConnectionFailed(f"{self._session.options.url}: the server ended the subscription")

    async def _republish(self, sequence: int) -> bool:
        """Take a lost message again; False when the server does not have it."""
        request = ua.RepublishRequest()
        request.Parameters.SubscriptionId = self.id
        request.Parameters.RetransmitSequenceNumber = sequence
        try:
            message = decode_republish(await self._session.call(request), self.id)
        except (ua.uaerrors.BadMessageNotAvailable, DataError):
            return False
        if message.sequence != sequence:  # some servers answer with an empty message
            return False
        self._statistics.republished += 1
        self._take(message)
        return True

    def _take(self, message: Published) -> None:
        self._next = message.sequence + 1 if message.sequence < 2**32 - 1 else 1
        self._acknowledge.append(ua.SubscriptionAcknowledgement(self.id, message.sequence))
        columns = message.columns
        self._statistics.messages += 1
        self._statistics.changes += len(columns.refs)
        self._statistics.overflows += columns.overflows
        if columns.refs:
            self._receiver.take(columns)
        if message.events:
            self._receiver.take_events(message.events)


def _request(item: Item) -> Any:
    return ua.MonitoredItemCreateRequest(
        ItemToMonitor=ua.ReadValueId(NodeId=item.node, AttributeId=item.attribute),
        MonitoringMode=ua.MonitoringMode.Reporting,
        RequestedParameters=ua.MonitoringParameters(
            ClientHandle=item.ref,
            SamplingInterval=item.sampling_ms,
            QueueSize=item.queue_size,
            DiscardOldest=True,
            Filter=item.filter,
        ),
    )

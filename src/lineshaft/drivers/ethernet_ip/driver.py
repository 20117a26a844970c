"""The EtherNet/IP driver: reads tags in few messages, and learns types and missing tags from the replies."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

from lineshaft.clock import Clock, SystemClock
from lineshaft.drivers.base import Browsed, Finding, Point
from lineshaft.drivers.ethernet_ip.browse import children
from lineshaft.drivers.ethernet_ip.check import check_connection
from lineshaft.drivers.ethernet_ip.options import EthernetIpConnection
from lineshaft.drivers.ethernet_ip.plan import WORD, Learned, Plan, compile_plan
from lineshaft.drivers.ethernet_ip.replies import (
    EMBEDDED,
    PARTIAL,
    READ_TAG,
    SUCCESS,
    TOO_LARGE,
    UNSUPPORTED,
    Answer,
    Value,
    answers_in,
    value_of,
)
from lineshaft.drivers.ethernet_ip.session import Session, read_request
from lineshaft.drivers.ethernet_ip.write import write
from lineshaft.errors import ConnectionFailed, DataError
from lineshaft.model.equipment import Datatype
from lineshaft.model.samples import Quality, SampleBatch

PLANS_KEPT: Final = 256
_ABSENT: Final = Value(quality=Quality.BAD_ADDRESS)


class EthernetIpDriver:
    """One connection to one controller."""

    def __init__(self, options: EthernetIpConnection, clock: Clock | None = None) -> None:
        self._options = options
        self._clock = clock or SystemClock()
        self._session = Session(options)
        self._learned = Learned()
        self._plans: dict[int, Plan] = {}
        self._turn = asyncio.Lock()

    async def connect(self) -> None:
        """Open the connection. Raises ConnectionFailed or PeerTimeout."""
        await self._session.connect()
        self._learned = Learned()  # the controller may have got another program
        self._plans.clear()

    async def close(self) -> None:
        """Close the connection; never raises, may be called twice and before connect."""
        self._session.close()

    async def test_connection(self) -> Sequence[Finding]:
        """Reachability, session, route and the list of tags, each with what to do about it."""
        return await check_connection(self._options)

    async def browse(self, parent: str = "") -> Sequence[Browsed]:
        """Tags and programs of the controller, and members below them. Raises Unsupported when it cannot list them."""
        async with self._turn:
            return children(await self._session.upload(), parent)

    async def read(self, points: Sequence[Point]) -> SampleBatch:
        """Read the points once (drivers.base.Driver). Raises RetryableError."""
        async with self._turn:
            self._try_again()
            plan = self._plan(points)
            answers = await self._answers(plan)
            if await self._learn(plan, answers):
                self._plans.clear()
                plan = self._plan(points)
                answers |= await self._answers(plan, [tag for tag in plan.tags if tag not in answers])
            return self._batch(plan, answers)

    async def write(self, point: Point, value: float | str) -> None:
        """Write one value (drivers.base.Writes)."""
        async with self._turn:
            await write(self._session, point, value)

    def _plan(self, points: Sequence[Point]) -> Plan:
        plan = self._plans.get(id(points))
        if plan is None or plan.points is not points:
            if len(self._plans) >= PLANS_KEPT:
                self._plans.clear()
            plan = self._plans[id(points)] = compile_plan(
                points, self._learned, self._session.size, self._options.prefix
            )
        return plan

    async def _answers(self, plan: Plan, only: Iterable[str] | None = None) -> dict[str, Answer]:
        """The answer for each tag of the plan, or for some of them alone."""
        if only is not None:
            return await self._alone(only)
        replies = await self._session.ask([service for service, _ in plan.messages])
        answers: dict[str, Answer] = {}
        again: list[str] = []
        for (_, tags), reply in zip(plan.messages, replies, strict=True):
            if len(tags) == 1:
                answers[tags[0]] = reply
            elif reply.status in (SUCCESS, EMBEDDED):
                answers |= zip(tags, self._split(reply, len(tags)), strict=True)
            else:
                again += tags  # the whole message was refused: it has no multiple services, or the reply was too long
                if reply.status == UNSUPPORTED:
                    self._learned.sizes |= dict.fromkeys(tags, self._session.size)
        again += [tag for tag, answer in answers.items() if answer.status in (PARTIAL, TOO_LARGE)]
        self._learned.sizes |= dict.fromkeys(again, self._session.size)
        return answers | await self._alone(again) if again else answers

    def _split(self, reply: Answer, count: int) -> list[Answer]:
        try:
            return answers_in(reply.data, [READ_TAG] * count)
        except DataError as error:
            raise ConnectionFailed(f"{self._session.where}: {error}") from error

    async def _alone(self, tags: Iterable[str]) -> dict[str, Answer]:
        wanted = list(tags)
        return dict(zip(wanted, await self._session.ask([read_request(tag) for tag in wanted]), strict=True))

    async def _learn(self, plan: Plan, answers: dict[str, Answer]) -> bool:
        """Note sizes, BOOL arrays and missing tags; True when a new plan is needed."""
        learned = self._learned
        grown = False
        for tag, answer in answers.items():
            if answer.status == SUCCESS and tag not in learned.sizes:
                learned.sizes[tag] = len(answer.data)
                grown = True
        arrays: set[str] = set()
        for address in plan.addresses:
            element = address.element
            if element is None or element[0] in learned.arrays | arrays:
                continue
            first = answers.get(address.whole)
            if first is None:
                continue
            if first.is_bool_array:
                arrays.add(element[0])
            elif first.quality == Quality.BAD_ADDRESS and element[1] >= WORD:
                word = f"{element[0]}[{element[1] // WORD}]"
                if (await self._alone([word]))[word].is_bool_array:
                    arrays.add(element[0])
        learned.arrays |= arrays
        absent = [
            tag
            for tag, answer in answers.items()
            if answer.quality == Quality.BAD_ADDRESS and tag.rpartition("[")[0] not in arrays
        ]
        learned.missing |= dict.fromkeys(absent, self._clock.monotonic() + self._options.retry_missing)
        return bool(grown or arrays or absent)

    def _batch(self, plan: Plan, answers: dict[str, Answer]) -> SampleBatch:
        values: list[Value] = []
        for point, (tag, bit) in zip(plan.points, plan.targets, strict=True):
            found = answers.get(tag)
            if found is None:
                values.append(_ABSENT)
            elif found.status != SUCCESS:
                values.append(Value(quality=found.quality))
            else:
                values.append(value_of(found.data, bit, as_text=point.datatype is Datatype.STRING))
        texts = [value.text for value in values]
        return SampleBatch.of(
            [point.handle for point in plan.points],
            self._clock.now_us(),
            [value.number for value in values],
            [value.quality for value in values],
            texts if any(text is not None for text in texts) else None,
        )

    def _try_again(self) -> None:
        """Forget what was missing long ago, so that it is asked for once more."""
        now = self._clock.monotonic()
        due = [tag for tag, until in self._learned.missing.items() if until <= now]
        for tag in due:
            del self._learned.missing[tag]
        if due:
            self._plans.clear()

"""The S7 driver: reads merged blocks, and learns which addresses a controller has not."""

from __future__ import annotations

import asyncio
import zoneinfo
from collections.abc import Sequence
from typing import Final

import numpy as np

from lineshaft.clock import Clock, SystemClock
from lineshaft.drivers.base import Finding, Point
from lineshaft.drivers.s7.blocks import Span, merge, pack
from lineshaft.drivers.s7.check import check_connection
from lineshaft.drivers.s7.link import Link
from lineshaft.drivers.s7.options import S7Connection
from lineshaft.drivers.s7.plan import Plan, compile_plan
from lineshaft.drivers.s7.replies import Item
from lineshaft.drivers.s7.write import write
from lineshaft.model.samples import Quality, SampleBatch, UInt8Array

PLANS_KEPT: Final = 256


class S7Driver:
    """One connection to one controller."""

    def __init__(self, options: S7Connection, clock: Clock | None = None) -> None:
        self._options = options
        self._clock = clock or SystemClock()
        self._zone = zoneinfo.ZoneInfo(options.timezone)
        self._link = Link(options)
        self._missing: dict[Span, float] = {}  # what the controller has not -> when to try it again
        self._plans: dict[int, Plan] = {}
        self._turn = asyncio.Lock()

    async def connect(self) -> None:
        """Open the connection. Raises ConnectionFailed, PeerTimeout or AccessDenied."""
        await self._link.open()
        self._missing.clear()  # the controller may have got another program
        self._plans.clear()  # and grants another length

    async def close(self) -> None:
        """Close the connection; never raises, may be called twice and before connect."""
        self._link.close()

    async def test_connection(self) -> Sequence[Finding]:
        """Reachability, rack and slot, length of messages and one read, each with what to do about it."""
        return await check_connection(self._options)

    async def read(self, points: Sequence[Point]) -> SampleBatch:
        """Read the points once (drivers.base.Driver). Raises RetryableError or AccessDenied."""
        async with self._turn:
            self._try_again()
            plan = self._plan(points)
            buffer, qualities = await self._pass(plan)
            if await self._learn(plan, qualities):
                plan = self._plan(points)
                buffer, qualities = await self._pass(plan)
            return plan.batch(self._clock.now_us(), buffer, qualities, self._zone)

    async def write(self, point: Point, value: float | str) -> None:
        """Write one value (drivers.base.Writes)."""
        async with self._turn:
            await write(self._link, point.address, value)

    def _plan(self, points: Sequence[Point]) -> Plan:
        plan = self._plans.get(id(points))
        if plan is None or plan.points is not points:
            if len(self._plans) >= PLANS_KEPT:
                self._plans.clear()
            plan = compile_plan(points, self._missing.keys(), self._options.max_gap, self._link.pdu)
            self._plans[id(points)] = plan
        return plan

    async def _pass(self, plan: Plan) -> tuple[bytearray, UInt8Array]:
        """Send all requests once; the bytes of all blocks, and one quality per block and BAD_ADDRESS behind them."""
        answers = iter(await self._link.read(plan.requests))
        buffer = bytearray(plan.size)
        qualities = np.full(len(plan.blocks) + 1, Quality.GOOD, np.uint8)
        qualities[-1] = Quality.BAD_ADDRESS
        for index, block in enumerate(plan.blocks):
            at = block.offset
            for item in block.items:
                answer = next(answers)
                if answer.quality != Quality.GOOD:
                    qualities[index] = answer.quality
                else:
                    buffer[at : at + item.count] = answer.content
                at += item.count
        return buffer, qualities

    async def _learn(self, plan: Plan, qualities: UInt8Array) -> bool:
        """Ask for the values of refused blocks one by one and remember which fail alone; True when there are any."""
        refused = [block for index, block in enumerate(plan.blocks) if qualities[index] == Quality.BAD_ADDRESS]
        if not refused:
            return False
        singles = [merge([span], 0, self._link.pdu)[0] for block in refused for span in block.spans]
        answers = iter(await self._link.read(pack([item for b in singles for item in b.items], self._link.pdu)))
        until = self._clock.monotonic() + self._options.retry_missing
        for block in singles:
            found: list[Item] = [next(answers) for _ in block.items]
            if any(answer.quality == Quality.BAD_ADDRESS for answer in found):
                self._missing[block.spans[0]] = until
        self._plans.clear()
        return True

    def _try_again(self) -> None:
        """Forget what was missing long ago, so that it is asked for once more."""
        now = self._clock.monotonic()
        due = [span for span, until in self._missing.items() if until <= now]
        for span in due:
            del self._missing[span]
        if due:
            self._plans.clear()

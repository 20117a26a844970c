"""The Modbus driver: reads blocks unit by unit, learns which registers a device has not, and isolates dead units."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

import numpy as np

from lineshaft.clock import Clock, SystemClock
from lineshaft.drivers.base import Finding, Identity, Point, WavePoint
from lineshaft.drivers.modbus.blocks import Block, Layout, Span, halves
from lineshaft.drivers.modbus.check import check_connection
from lineshaft.drivers.modbus.identify import identify
from lineshaft.drivers.modbus.line import BAD_VALUE, BUSY, NO_ADDRESS, NO_FUNCTION, Line, Refused
from lineshaft.drivers.modbus.options import Connection
from lineshaft.drivers.modbus.plan import Plan, compile_plan
from lineshaft.drivers.modbus.shared import LineUser
from lineshaft.drivers.modbus.waveform import BurstAsker
from lineshaft.drivers.modbus.write import Writer
from lineshaft.errors import ConnectionFailed, PeerTimeout
from lineshaft.model.samples import Quality, SampleBatch

GATEWAY_SAYS_DEAD: Final = (0x0A, 0x0B)
BUSY_TRIES: Final = 3
BUSY_PAUSE: Final = 0.1
"""Seconds to wait before a busy device is asked again."""
LEARNING_PASSES: Final = 16
PLANS_KEPT: Final = 256


class ModbusDriver:
    """One device, or a gateway with several units behind it. Devices at the same port share one connection."""

    def __init__(self, options: Connection, clock: Clock | None = None) -> None:
        self._options = options
        self._clock = clock or SystemClock()
        self._user = LineUser(options)
        self._line: Line | None = None
        self._layout = Layout(options)
        self._writer: Writer | None = None
        self._plans: dict[int, Plan] = {}
        self._units: set[int] = set()
        self._rest_until: dict[int, float] = {}  # units that did not answer -> when to try them again
        self._heard_at = 0.0  # when any unit answered last, or the connection was made
        self._turn = asyncio.Lock()
        self._bursts = BurstAsker(self.read, self._ask_in_turn, self._layout, self._clock)

    async def connect(self) -> None:
        """Open the connection. Raises ConnectionFailed."""
        self._line = await self._user.join()
        self._writer = Writer(self._line, self._layout)
        self._rest_until.clear()
        self._layout.bad.clear()  # the device may have got another configuration
        self._plans.clear()
        self._heard_at = self._clock.monotonic()

    async def close(self) -> None:
        """Close the connection; never raises, may be called twice and before connect."""
        self._line = self._writer = None
        self._user.leave()

    def turn(self) -> AbstractAsyncContextManager[None]:
        """See TakesTurns."""
        return self._user.turn()

    async def test_connection(self) -> Sequence[Finding]:
        """Name, port, unit and one read, each with what to do about it."""
        return await check_connection(self._options)

    async def identify(self) -> Identity:
        """Its basic identification, and the models of a SunSpec map (drivers.base.Identifies)."""
        async with self.turn(), self._turn:
            return await identify(self._opened(), self._options.unit)

    async def read(self, points: Sequence[Point]) -> SampleBatch:
        """Read the points once (drivers.base.Driver). Raises ConnectionFailed or, when nobody answers, PeerTimeout."""
        async with self.turn(), self._turn:
            await self._try_bad_again(self._plan(points))
            plan = self._plan(points)
            for _ in range(LEARNING_PASSES):
                batch, refused = await self._pass(plan)
                if not refused:
                    break
                for block, code in refused:
                    if code == NO_FUNCTION:
                        self._give_up(block.spans)
                    else:
                        await self._learn(block.spans)
                self._plans.clear()
                plan = self._plan(points)
            return batch

    async def read_waveform(self, point: WavePoint) -> SampleBatch:
        """See ReadsWaveforms. Of several units a silent one costs its own bursts alone."""
        try:
            return await self._bursts.burst(point)
        except PeerTimeout:
            if len(self._units) < 2:
                raise
            return SampleBatch.of([point.handle], self._clock.now_us(), np.nan, Quality.BAD_COMMUNICATION)

    async def _ask_in_turn(self, span: Span) -> bytes:
        async with self.turn(), self._turn:
            return await self._ask(span)

    async def write(self, point: Point, value: float | str) -> None:
        """Write one value (drivers.base.Writes)."""
        async with self.turn(), self._turn:
            if self._writer is None:
                raise ConnectionFailed("not connected")
            await self._writer.write(point.address, value)

    def _plan(self, points: Sequence[Point]) -> Plan:
        plan = self._plans.get(id(points))
        if plan is None or plan.points is not points:
            if len(self._plans) >= PLANS_KEPT:
                self._plans.clear()
            plan = self._plans[id(points)] = compile_plan(points, self._layout)
            self._units |= plan.units
        return plan

    async def _pass(self, plan: Plan) -> tuple[SampleBatch, list[tuple[Block, int]]]:
        """Send all requests of the plan once; returns the batch and the blocks that the device refused as a whole."""
        now_us = self._clock.now_us()
        times = np.full(len(plan.blocks) + 1, now_us, np.int64)
        qualities = np.full(len(plan.blocks) + 1, Quality.GOOD, np.uint8)
        qualities[-1] = Quality.BAD_ADDRESS
        refused: list[tuple[Block, int]] = []
        heard: set[int] = set()
        silent: dict[int, PeerTimeout | None] = {
            unit: None for unit, until in self._rest_until.items() if until > self._clock.monotonic()
        }
        for index, (block, request) in enumerate(zip(plan.blocks, plan.requests, strict=True)):
            unit = request.unit
            if unit in silent:
                qualities[index] = Quality.BAD_COMMUNICATION
                continue
            try:
                content = await self._ask(request)
            except Refused as refusal:
                heard.add(unit)
                qualities[index] = refusal.quality
                if qualities[index] == Quality.BAD_ADDRESS:
                    refused.append((block, refusal.code))
            except PeerTimeout as error:
                qualities[index] = Quality.BAD_COMMUNICATION
                silent[unit] = error
                if unit not in heard and len(self._units) > 1:
                    self._rest_until[unit] = self._clock.monotonic() + self._options.retry_unit
            else:
                heard.add(unit)
                self._rest_until.pop(unit, None)
                plan.buffer[block.offset : block.offset + len(content)] = content
            times[index] = self._clock.now_us()
        self._notice_silence(plan, heard, silent)
        return plan.batch(times, qualities), refused

    async def _ask(self, span: Span) -> bytes:
        """Ask; be patient with a busy device. A gateway's word that the unit is dead counts as no answer."""
        for left in range(BUSY_TRIES - 1, -1, -1):
            try:
                return await self._opened().ask(span)
            except Refused as refusal:
                if refusal.code in GATEWAY_SAYS_DEAD:
                    self._heard_at = self._clock.monotonic()
                    raise PeerTimeout(
                        f"the gateway {self._opened().where} says that unit {span.unit} does not answer"
                    ) from refusal
                if refusal.code not in BUSY or not left:
                    raise
                await asyncio.sleep(BUSY_PAUSE)
        raise AssertionError("unreachable")

    def _opened(self) -> Line:
        if self._line is None:
            raise ConnectionFailed("not connected")
        return self._line

    def _give_up(self, spans: Sequence[Span]) -> None:
        again = self._clock.monotonic() + self._options.retry_register
        self._layout.bad.update(dict.fromkeys(spans, again))

    async def _learn(self, spans: Sequence[Span]) -> bool:
        """Bisect refused spans: remember those that fail alone, and neighbours that only fail together.

        Returns True when a span was found that the device has not.
        """
        if len(spans) == 1:
            self._give_up(spans)
            return True
        lower, upper = halves(spans)
        found = False
        for half in (lower, upper):
            try:
                await self._ask(Block(half).whole)
            except Refused as refusal:
                if refusal.code in (NO_FUNCTION, NO_ADDRESS, BAD_VALUE):
                    found |= await self._learn(half)
            except PeerTimeout:
                return True  # nothing learned; the next read begins again
        if not found:
            self._layout.seams.add((lower[-1], upper[0]))
        return found

    async def _try_bad_again(self, plan: Plan) -> None:
        """Ask for one register that the device had not, when its time has come."""
        now = self._clock.monotonic()
        due = next((span for span in plan.bad if self._layout.bad.get(span, now + 1) <= now), None)
        if due is None or self._rest_until.get(due.unit, 0.0) > now:
            return
        self._give_up([due])
        try:
            await self._ask(due)
        except (Refused, PeerTimeout):
            return
        del self._layout.bad[due]
        self._plans.clear()

    def _notice_silence(self, plan: Plan, heard: set[int], silent: dict[int, PeerTimeout | None]) -> None:
        """Raise PeerTimeout when the device as a whole is gone, rather than one unit of several."""
        now = self._clock.monotonic()
        if heard:
            self._heard_at = now
        elif plan.blocks:
            others = self._units != {self._options.unit}
            if not others or now - self._heard_at > 3 * self._options.retry_unit:
                raise next(
                    (error for error in silent.values() if error),
                    PeerTimeout(f"no unit at {self._opened().where} answers"),
                )

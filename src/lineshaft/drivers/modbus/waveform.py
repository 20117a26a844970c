"""A burst out of registers: read block by block, with a counter of bursts that shows whether it is still the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lineshaft.clock import Clock
from lineshaft.drivers.base import Point, WavePoint
from lineshaft.drivers.modbus.address import ModbusAddress, Order
from lineshaft.drivers.modbus.blocks import Layout, Span
from lineshaft.drivers.modbus.decode import FORMATS, byte_order
from lineshaft.drivers.modbus.line import Refused
from lineshaft.errors import DataError
from lineshaft.model.samples import Quality, SampleBatch

TRIES: Final = 3
"""How often a burst is read anew because the device took another one meanwhile."""

Read = Callable[[Sequence[Point]], Awaitable[SampleBatch]]
Ask = Callable[[Span], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Registers:
    """What belongs to one waveform. The points beside the samples are read in one go; a point's handle is its place."""

    beside: tuple[Point, ...]
    counter: tuple[Point, ...]  # the counter of bursts alone, for the second look; empty where there is none
    rate: int | None  # place in `beside`
    speed: int | None
    spans: tuple[Span, ...]
    size: int  # registers of one sample
    order: Order
    format: str


def registers_of(point: WavePoint, layout: Layout) -> Registers:
    """Lay out the reading of a burst. Raises DataError when its registers are none, or their number is not known."""
    address: ModbusAddress = point.address
    if address.no_burst:
        raise DataError(address.no_burst)
    if point.samples is None:
        raise DataError("it is not known how many registers the burst has", hint="Set waveform: {samples: ...}.")
    wanted: list[Any] = []
    if address.sequence is not None:
        at = address.sequence
        wanted.append(ModbusAddress(table=address.table, register_=at, unit=address.unit))
    places = []
    for other in (point.rate_address, point.speed_address):
        places.append(None if other is None else len(wanted))
        if other is not None:
            wanted.append(other if isinstance(other, ModbusAddress) else ModbusAddress.model_validate(other))
    beside = tuple(Point(place, one) for place, one in enumerate(wanted))
    return Registers(
        beside=beside,
        counter=beside[:1] if address.sequence is not None else (),
        rate=places[0],
        speed=places[1],
        spans=_spans(address, point.samples, layout),
        size=address.size,
        order=address.order or layout.options.order,
        format=FORMATS[address.coding],
    )


def _spans(address: ModbusAddress, samples: int, layout: Layout) -> tuple[Span, ...]:
    """Requests that hold whole samples each."""
    unit = layout.options.unit if address.unit is None else address.unit
    first = layout.wire(address.register_)
    most = max(1, layout.options.max_block // address.size)
    return tuple(
        Span(unit, address.table, first + at * address.size, min(most, samples - at) * address.size)
        for at in range(0, samples, most)
    )


class BurstAsker:
    """Reads the waveforms of one device, and remembers which burst of each was read last."""

    def __init__(self, read: Read, ask: Ask, layout: Layout, clock: Clock) -> None:
        """read: points of the device; ask: one request. Both take the turn of the line themselves."""
        self._read, self._ask = read, ask
        self._layout = layout
        self._clock = clock
        self._known: dict[int, Registers] = {}
        self._last: dict[int, float] = {}  # handle -> counter of the burst that was read last

    async def burst(self, point: WavePoint) -> SampleBatch:
        """See ReadsWaveforms; no row when the device has taken no burst since the last one that was read.

        Without a counter the registers are taken as they are. Raises DataError when the device took a new burst
        whenever one was read.
        """
        registers = self._known.get(point.handle)
        if registers is None:
            registers = self._known[point.handle] = registers_of(point, self._layout)
        if not all(self._layout.allows(span) for span in registers.spans):
            return _bad(point, Quality.BAD_ADDRESS, self._clock.now_us())
        for _ in range(TRIES):
            now = self._clock.now_us()
            beside = await self._read(registers.beside) if registers.beside else SampleBatch.empty()
            bad = next((int(one) for one in beside.qualities if one != Quality.GOOD), None)
            if bad is not None:
                return _bad(point, bad, now)
            if registers.counter and self._last.get(point.handle) == beside.values[0]:
                return SampleBatch.empty()
            try:
                contents = [await self._ask(span) for span in registers.spans]
            except Refused as refusal:
                return _bad(point, refusal.quality, now)
            if registers.counter:
                after = await self._read(registers.counter)
                if after.values[0] != beside.values[0]:
                    continue
                self._last[point.handle] = float(beside.values[0])
            rate, speed = _number(beside, registers.rate), _number(beside, registers.speed)
            return point.row(samples_of(b"".join(contents), registers), None, now, rate, speed)
        raise DataError(
            f"the device took a new burst each of the {TRIES} times while one was read",
            hint="Let it take bursts less often, or read fewer samples.",
        )


def samples_of(content: bytes, registers: Registers) -> NDArray[Any]:
    """The numbers in a content of whole samples. Raises DataError when it is none."""
    if len(content) % (2 * registers.size):
        raise DataError(f"{len(content)} bytes are no whole number of samples")
    raw = np.frombuffer(content, np.uint8).reshape(-1, 2 * registers.size)
    plain = np.ascontiguousarray(raw[:, byte_order(registers.size, registers.order)])
    numbers: NDArray[Any] = plain.view(registers.format)[:, 0]
    return numbers.astype(numbers.dtype.newbyteorder("="))


def _number(beside: SampleBatch, place: int | None) -> float | None:
    return None if place is None else float(beside.values[place])


def _bad(point: WavePoint, quality: int, now: int) -> SampleBatch:
    return SampleBatch.of([point.handle], now, np.nan, quality)

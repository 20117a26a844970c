"""A tuple of points compiled once: the requests to send and how to turn the replies into a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lineshaft.drivers.base import Point
from lineshaft.drivers.modbus.address import BIT_TABLES, ModbusAddress
from lineshaft.drivers.modbus.blocks import Block, Layout, Span
from lineshaft.drivers.modbus.decode import Columns, Group, Indexes, group_points
from lineshaft.model.samples import Int64Array, Quality, SampleBatch, TextArray, UInt8Array


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a read of one tuple of points needs."""

    points: Sequence[Point]
    signals: NDArray[np.uint32]
    blocks: tuple[Block, ...]
    requests: tuple[Span, ...]  # what each block asks for
    units: frozenset[int]
    bad: frozenset[Span]  # spans of these points that the device is known not to have
    block_of: Indexes  # per row: the block that holds its value; the last one (BAD_ADDRESS) when there is none
    groups: tuple[Group, ...]
    scaled: Indexes  # rows that have a scale register
    scale_block: Indexes  # per scaled row
    scale_gather: Indexes  # [n, 2] bytes of the scale register
    has_text: bool
    buffer: bytearray

    def batch(self, times: Int64Array, qualities: UInt8Array) -> SampleBatch:
        """Decode the buffer. `times` and `qualities` have one entry per block and a last one for points without."""
        rows = len(self.signals)
        out = Columns(np.full(rows, np.nan), np.full(rows, Quality.GOOD, np.uint8), {})
        raw = np.frombuffer(self.buffer, np.uint8)
        for group in self.groups:
            group.decode(raw, out)
        if len(self.scaled):
            self._scale(raw, qualities, out)
        of_block = qualities[self.block_of]
        failed = of_block != Quality.GOOD
        out.qualities[failed] = of_block[failed]
        empty = out.qualities != Quality.GOOD
        out.values[empty] = np.nan
        return SampleBatch(self.signals, times[self.block_of], out.values, out.qualities, self._texts(out, empty))

    def _scale(self, raw: NDArray[np.uint8], qualities: UInt8Array, out: Columns) -> None:
        power = raw[self.scale_gather].view(">i2")[:, 0].astype(np.int64)
        sane = np.clip(power, -10, 10)
        values = out.values[self.scaled]
        up = values * 10.0 ** np.maximum(sane, 0)
        out.values[self.scaled] = np.where(sane < 0, values / 10.0 ** np.maximum(-sane, 0), up)
        out.qualities[self.scaled[power != sane]] = Quality.BAD_NO_VALUE
        for row in out.texts.keys() & set(self.scaled.tolist()):
            del out.texts[row]  # the digits are those of the unscaled integer
        of_block = qualities[self.scale_block]
        failed = of_block != Quality.GOOD
        out.qualities[self.scaled[failed]] = of_block[failed]

    def _texts(self, out: Columns, empty: NDArray[np.bool_]) -> TextArray | None:
        if not self.has_text and not out.texts:
            return None
        texts: TextArray = np.full(len(self.signals), None, object)
        for row, text in out.texts.items():
            if not empty[row]:
                texts[row] = text
        return texts


def _spans(address: ModbusAddress, layout: Layout) -> tuple[Span, Span | None]:
    unit = layout.options.unit if address.unit is None else address.unit
    value = Span(unit, address.table, layout.wire(address.register_), address.size)
    if address.scale_from is None:
        return value, None
    return value, Span(unit, address.table, layout.wire(address.scale_from), 1)


def compile_plan(points: Sequence[Point], layout: Layout) -> Plan:
    """Merge the points' registers into requests and prepare decoding."""
    wanted = [_spans(point.address, layout) for point in points]
    readable = [all(span is None or layout.allows(span) for span in pair) for pair in wanted]
    spans = {span for pair, good in zip(wanted, readable, strict=True) if good for span in pair if span is not None}
    blocks = layout.blocks(spans)
    home = {span: (index, block) for index, block in enumerate(blocks) for span in block.spans}
    nowhere = len(blocks)
    block_of = np.full(len(points), nowhere, np.intp)
    places = []
    scaled: list[tuple[int, int, int]] = []
    for row, (point, (value, scale), good) in enumerate(zip(points, wanted, readable, strict=True)):
        if not good or value not in home or (scale is not None and scale not in home):
            continue
        block_of[row], block = home[value]
        order = point.address.order or layout.options.order
        places.append((row, point.address, order, *_place(value, block)))
        if scale is not None:
            scale_index, scale_block = home[scale]
            scaled.append((row, scale_index, _place(scale, scale_block)[0]))
    flip = 1 if layout.options.order in ("BADC", "DCBA") else 0
    return Plan(
        points=points,
        signals=np.array([point.handle for point in points], np.uint32),
        blocks=tuple(blocks),
        requests=tuple(block.whole for block in blocks),
        units=frozenset(span.unit for span in spans),
        bad=frozenset(spans & layout.bad.keys()),
        block_of=block_of,
        groups=tuple(group_points(places)),
        scaled=np.array([row for row, _, _ in scaled], np.intp),
        scale_block=np.array([index for _, index, _ in scaled], np.intp),
        scale_gather=np.array([(start + flip, start + 1 - flip) for _, _, start in scaled], np.intp).reshape(-1, 2),
        has_text=any(point.address.is_text for point in points),
        buffer=bytearray(sum(block.size for block in blocks)),
    )


def _place(span: Span, block: Block) -> tuple[int, int]:
    """Byte in the buffer where the span begins, and the bit in it for coils."""
    distance = span.start - block.spans[0].start
    if span.table in BIT_TABLES:
        return block.offset + distance // 8, distance % 8
    return block.offset + 2 * distance, 0

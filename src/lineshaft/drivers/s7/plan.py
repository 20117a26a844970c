"""A tuple of points compiled once: the requests to send and how to turn the replies into a batch."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import tzinfo

import numpy as np
from numpy.typing import NDArray

from lineshaft.drivers.base import Point
from lineshaft.drivers.s7.blocks import Block, Span, merge, pack
from lineshaft.drivers.s7.decode import Columns, Group, Indexes, group_points
from lineshaft.model.samples import Quality, SampleBatch, UInt8Array


def span_of(point: Point) -> Span:
    """The bytes of a point."""
    address = point.address
    return Span(address.area, address.db, address.byte, address.size)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a read of one tuple of points needs."""

    points: Sequence[Point]
    signals: NDArray[np.uint32]
    blocks: tuple[Block, ...]
    requests: tuple[tuple[Span, ...], ...]  # the items of all blocks, in their order
    block_of: Indexes  # per row; the last one (BAD_ADDRESS) for points that the controller has not
    groups: tuple[Group, ...]
    size: int

    def batch(self, now_us: int, buffer: bytearray, qualities: UInt8Array, zone: tzinfo) -> SampleBatch:
        """Decode the buffer. `qualities` has one entry per block and a last one for points without."""
        out = Columns(np.full(len(self.signals), np.nan), np.full(len(self.signals), Quality.GOOD, np.uint8), {})
        raw = np.frombuffer(buffer, np.uint8)
        for group in self.groups:
            group.decode(raw, zone, out)
        of_block = qualities[self.block_of]
        failed = of_block != Quality.GOOD
        out.qualities[failed] = of_block[failed]
        empty = out.qualities != Quality.GOOD
        out.values[empty] = np.nan
        texts = [out.texts.get(row) if not empty[row] else None for row in range(len(empty))] if out.texts else None
        return SampleBatch.of(self.signals, now_us, out.values, out.qualities, texts)


def compile_plan(points: Sequence[Point], missing: Collection[Span], max_gap: int, pdu: int) -> Plan:
    """Merge the points' bytes into requests and prepare decoding; `missing` bytes are not asked for."""
    spans = [span_of(point) for point in points]
    blocks = merge((span for span in spans if span not in missing), max_gap, pdu)
    home = {span: (index, block) for index, block in enumerate(blocks) for span in block.spans}
    block_of = np.full(len(points), len(blocks), np.intp)
    places = []
    for row, (point, span) in enumerate(zip(points, spans, strict=True)):
        if span in home:
            block_of[row], block = home[span]
            places.append((row, point.address, block.offset + span.start - block.spans[0].start))
    return Plan(
        points=points,
        signals=np.array([point.handle for point in points], np.uint32),
        blocks=blocks,
        requests=pack([item for block in blocks for item in block.items], pdu),
        block_of=block_of,
        groups=group_points(places),
        size=sum(item.count for block in blocks for item in block.items),
    )

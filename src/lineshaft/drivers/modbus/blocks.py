"""Which registers are read together: spans of single values merged into requests, and what was learned about holes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from lineshaft.drivers.modbus.address import BIT_TABLES, Table
from lineshaft.drivers.modbus.options import ModbusConnection
from lineshaft.drivers.spans import grouped

FUNCTIONS: Final[dict[Table, int]] = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
BITS_PER_REGISTER: Final = 16
MOST_BITS: Final = 2000
LAST_REGISTER: Final = 65535


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The registers (or coils) of one value, numbered as on the wire."""

    unit: int
    table: Table
    start: int
    count: int

    @property
    def end(self) -> int:
        """One past the last register."""
        return self.start + self.count


@dataclass(frozen=True, slots=True)
class Block:
    """One request: it covers whole spans, so that no value is ever torn between two replies."""

    spans: tuple[Span, ...]
    offset: int = 0  # where its reply goes in the plan's buffer, in bytes

    @property
    def whole(self) -> Span:
        """The registers that are asked for."""
        first = self.spans[0]
        return Span(first.unit, first.table, first.start, max(span.end for span in self.spans) - first.start)

    @property
    def size(self) -> int:
        """Bytes of the reply's data."""
        whole = self.whole
        return (whole.count + 7) // 8 if whole.table in BIT_TABLES else 2 * whole.count


@dataclass(slots=True)
class Layout:
    """What may be read together, as configured and as learned from the device's refusals."""

    options: ModbusConnection
    bad: dict[Span, float] = field(default_factory=dict)  # spans that the device has not -> when to try them again
    seams: set[tuple[Span, Span]] = field(default_factory=set)  # neighbours that the device refuses in one request

    def wire(self, register: int) -> int:
        """The number on the wire of a register as the plant file counts it; may be out of range."""
        return register - self.options.base + self.options.offset

    def allows(self, span: Span) -> bool:
        """False when the span leaves the address space or touches a forbidden range."""
        return (
            span.start >= 0 and span.end - 1 <= LAST_REGISTER and not self._forbidden(span.table, span.start, span.end)
        )

    def _forbidden(self, table: Table, start: int, end: int) -> bool:
        return any(
            table == taboo.table and start <= self.wire(taboo.last) and end > self.wire(taboo.first)
            for taboo in self.options.forbidden
        )

    def _joins(self, group: Sequence[Span], end: int, span: Span) -> bool:
        """True when `span` may be added to a block that reaches to `end`."""
        first, previous = group[0], group[-1]
        if (span.unit, span.table) != (first.unit, first.table) or (previous, span) in self.seams:
            return False
        per_register = BITS_PER_REGISTER if span.table in BIT_TABLES else 1
        most = min(self.options.max_block * per_register, MOST_BITS)
        if span.start - end > self.options.max_gap * per_register or max(end, span.end) - first.start > most:
            return False
        if span.start <= end:
            return True
        hole = Span(span.unit, span.table, end, span.start - end)
        return not self._forbidden(span.table, hole.start, hole.end) and not any(
            bad.unit == hole.unit and bad.table == hole.table and bad.start < hole.end and bad.end > hole.start
            for bad in self.bad
        )

    def blocks(self, spans: Iterable[Span]) -> list[Block]:
        """Merge spans to as few requests as the options and what was learned allow; bad spans are left out."""
        groups = grouped((span for span in spans if span not in self.bad), self._joins)
        blocks: list[Block] = []
        offset = 0
        for group in groups:
            block = Block(group, offset)
            blocks.append(block)
            offset += block.size
        return blocks


def halves(spans: Sequence[Span]) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Split for bisecting: the lower and the upper half of the spans."""
    middle = len(spans) // 2
    return tuple(spans[:middle]), tuple(spans[middle:])

"""The orders of the simulated lines: each lot is one, planned days ahead at the pace that its line usually has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

from lineshaft.simulator.machines.line import Line, Lot

_AHEAD_US: Final = 3 * 86_400_000_000
_SLACK: Final = 1.14  # seconds a unit takes with all stops, as a share of the slowest station's cycle
_ROUND_US: Final = 300_000_000


@dataclass(frozen=True, slots=True)
class LotOrder:
    """What is known of an order at an instant. Path: below the site; times: UTC microseconds."""

    id: str
    path: str
    product: str
    quantity: int
    start: int  # planned
    end: int
    began: int | None
    ended: int | None


class OrderBook:
    """The orders of one line. A plan is made once, when the order comes near, and stays as it is."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._plans: dict[int, tuple[int, int]] = {}  # number -> planned start and end
        self._told: dict[int, tuple[int | None, int | None]] = {}

    def news(self, now: int) -> Iterator[LotOrder]:
        """Orders that are planned, began or ended since the last call."""
        line = self._line
        self._plan(now)
        lots = {lot.number: lot for lot in line.lots}
        coming = takewhile(lambda lot: lot.number in self._plans, line.coming())
        for lot in [*lots.values(), *coming]:
            if lot.number not in self._plans:
                continue
            actual = _seen(lot, now)
            if self._told.get(lot.number, ()) != actual:
                self._told[lot.number] = actual
                yield self._order(lot, *actual)
            if actual[1] is not None and lot is not line.lots[-1]:
                line.lots.remove(lot)
                del self._plans[lot.number], self._told[lot.number]

    def _plan(self, now: int) -> None:
        free = max((end for _, end in self._plans.values()), default=0)
        for lot in self._lots():
            began, ended = _seen(lot, now)
            if lot.number not in self._plans:
                start = began if began is not None and not self._plans else max(now, free)
                start = self._line.work.next_open(-(-start // _ROUND_US) * _ROUND_US)
                if start > now + _AHEAD_US:
                    return
                self._plans[lot.number] = start, self._end(lot, start)
            free = max(self._plans[lot.number][1], free)
            if began is not None:
                free = max(free, self._end(lot, began) if ended is None else ended)

    def _lots(self) -> Iterator[Lot]:
        yield from self._line.lots
        yield from self._line.coming()

    def _end(self, lot: Lot, start: int) -> int:
        plans, pace = [one.plan for one in self._line.stations], self._line.products[lot.product].pace
        seconds = lot.size * max(one.cycle_s for one in plans) * pace * _SLACK
        end = self._line.work.after(start, seconds + max(one.changeover_s for one in plans))
        return -(-end // _ROUND_US) * _ROUND_US

    def _order(self, lot: Lot, began: int | None, ended: int | None) -> LotOrder:
        name = self._line.path.rpartition("/")[2]
        short = "".join(part[0] for part in name.split("-")).upper()
        product = self._line.products[lot.product].name
        start, end = self._plans[lot.number]
        return LotOrder(f"{short}-{1000 + lot.number}", self._line.path, product, lot.size, start, end, began, ended)

    def snapshot(self) -> dict[str, Any]:
        """As JSON values."""
        return {"plans": list(self._plans.items()), "told": list(self._told.items())}

    def restore(self, saved: dict[str, Any]) -> None:
        """From `snapshot`."""
        self._plans = {number: (start, end) for number, (start, end) in saved["plans"]}
        self._told = {number: (began, ended) for number, (began, ended) in saved["told"]}


def _seen(lot: Lot, now: int) -> tuple[int | None, int | None]:
    """When it began and ended, as far as that has happened."""
    began = lot.began if lot.began is not None and lot.began <= now else None
    return began, lot.left if began is not None and lot.whole and lot.left <= now else None

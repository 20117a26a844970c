"""Totals and losses of all slots in columns, so that a year of many machines is summed in a moment.

The tables hold the truth; this is filled from them once and follows what the store writes. One process writes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lineshaft.analytics.oee.elements import DELAYS, Element
from lineshaft.analytics.oee.totals import Totals
from lineshaft.apps.oee.tables import COUNTS, EVENTS, TOTALS

Cycle = Callable[[str, str], float]
"""(machine, product) -> ideal cycle in seconds, NaN where none is known."""
GROUPS = ("product", "order", "day", "shift", "crew", "slot")
Rows = Iterable[Mapping[str, Any]]
_INTS = (*TOTALS, *EVENTS)
_Row = tuple[int, Sequence[int], Sequence[int], Sequence[float]]


@dataclass(slots=True, eq=False)
class _Block:
    """Rows of one machine by slot."""

    starts: NDArray[np.int64]
    codes: NDArray[np.int64]  # [n, k]: codes of texts
    ints: NDArray[np.int64]  # [n, m]
    floats: NDArray[np.float64]  # [n, c]

    @staticmethod
    def of(
        rows: Sequence[tuple[int, Sequence[int], Sequence[int], Sequence[float]]], shape: tuple[int, int, int]
    ) -> _Block:
        starts = np.array([row[0] for row in rows], np.int64)
        parts = [np.array([row[place] for row in rows]).reshape(len(rows), shape[place - 1]) for place in (1, 2, 3)]
        order = np.argsort(starts, kind="stable")
        return _Block(
            starts[order],
            parts[0][order].astype(np.int64),
            parts[1][order].astype(np.int64),
            parts[2][order].astype(float),
        )

    def replaced(self, start: int, new: _Block) -> _Block:
        """With `new` in place of the rows of one slot."""
        low, high = np.searchsorted(self.starts, [start, start + 1])
        join = [
            np.concatenate([a[:low], b, a[high:]])
            for a, b in (
                (self.starts, new.starts),
                (self.codes, new.codes),
                (self.ints, new.ints),
                (self.floats, new.floats),
            )
        ]
        return _Block(*join)

    def between(self, start: int, end: int) -> slice:
        """Rows of the slots that start in [start, end)."""
        low, high = np.searchsorted(self.starts, [start, end])
        return slice(int(low), int(high))


@dataclass(slots=True)
class _Names:
    """Texts as small numbers."""

    texts: list[str] = field(default_factory=list)
    codes: dict[str, int] = field(default_factory=dict)

    def code(self, text: str) -> int:
        found = self.codes.get(text)
        if found is None:
            found = self.codes[text] = len(self.texts)
            self.texts.append(text)
        return found


_SLICE = (5, len(_INTS), len(COUNTS))  # product, order, day, shift, crew
_LOSS = (3, 2, 1)  # reason, element, given


class Memory:
    """Not thread-safe: the store guards it."""

    def __init__(self) -> None:
        self._slices: dict[str, _Block] = {}
        self._losses: dict[str, _Block] = {}
        self._names = _Names()

    def load(self, slices: Rows, losses: Rows) -> None:
        """Everything that the tables hold."""
        found: dict[str, list[Any]] = defaultdict(list)
        for row in slices:
            found[row["machine"]].append(self._slice(row))
        self._slices = {machine: _Block.of(rows, _SLICE) for machine, rows in found.items()}
        found = defaultdict(list)
        for row in losses:
            found[row["machine"]].append(self._loss(row))
        self._losses = {machine: _Block.of(rows, _LOSS) for machine, rows in found.items()}

    def replace(
        self, machine: str, start: int, slices: Iterable[Mapping[str, Any]], losses: Iterable[Mapping[str, Any]]
    ) -> None:
        """The rows of one slot."""
        for kept, rows, shape in (
            (self._slices, [self._slice(row) for row in slices], _SLICE),
            (self._losses, [self._loss(row) for row in losses], _LOSS),
        ):
            new = _Block.of(rows, shape)
            before = kept.get(machine)
            kept[machine] = new if before is None else before.replaced(start, new)

    def _slice(self, row: Mapping[str, Any]) -> tuple[int, list[int], list[int], list[float]]:
        texts = (row["product"], row["order_id"], row["day"], row["shift"], row["crew"])
        codes = [self._names.code(text) for text in texts]
        return row["start"], codes, [row[name] for name in _INTS], [row[name] for name in COUNTS]

    def _loss(self, row: Mapping[str, Any]) -> tuple[int, list[int], list[int], list[float]]:
        codes = [self._names.code(row["reason"]), int(row["element"]), int(row["given"])]
        return row["start"], codes, [row["time"], row["stops"]], [0.0]

    def totals(
        self,
        machines: Iterable[str],
        start: int,
        end: int,
        group: str,
        cycle: Cycle,
        orders: Mapping[str, float],
    ) -> dict[tuple[str, ...], Totals]:
        """Totals with standard times, per machine (group '') or per value of a group over all of them.

        orders: order -> an ideal cycle of its own, in seconds.
        """
        own = {self._names.code(order): seconds for order, seconds in orders.items() if order in self._names.codes}
        none = self._names.code("")
        result: dict[tuple[str, ...], Totals] = {}
        sums: dict[Any, list[Any]] = {}
        for machine in machines:
            block = self._slices.get(machine)
            rows = slice(0, 0) if block is None else block.between(start, end)
            if block is None or rows.start == rows.stop:
                continue
            counts, keys = block.floats[rows], block.codes[rows]
            ints = np.column_stack([block.ints[rows], _by_order(block.ints[rows], keys[:, 1] != none)])
            seconds = self._seconds(machine, keys, cycle, own)
            made = [counts[:, COUNTS.index(name)] * seconds for name in ("produced", "good")]
            floats = np.column_stack([counts, *made])
            if not group:
                result[(machine,)] = _totals(ints.sum(axis=0), floats.sum(axis=0))
                continue
            column = block.starts[rows] if group == "slot" else keys[:, GROUPS.index(group)]
            found, place = np.unique(column, return_inverse=True)
            order = np.argsort(place, kind="stable")
            edges = np.searchsorted(place[order], np.arange(len(found)))
            for key, one, more in zip(
                found.tolist(), np.add.reduceat(ints[order], edges), np.add.reduceat(floats[order], edges), strict=True
            ):
                known = sums.get(key)
                sums[key] = [one, more] if known is None else [known[0] + one, known[1] + more]
        for key, (one, more) in sums.items():
            result[(str(key) if group == "slot" else self._names.texts[key],)] = _totals(one, more)
        return result

    def _seconds(
        self, machine: str, keys: NDArray[np.int64], cycle: Cycle, own: Mapping[int, float]
    ) -> NDArray[np.float64]:
        """float64[n]: ideal cycle of each row in microseconds, 0 where none is known."""
        seconds = np.zeros(len(keys))
        for code in np.unique(keys[:, 0]).tolist():
            seconds[keys[:, 0] == code] = cycle(machine, self._names.texts[code])
        for code, value in own.items():
            seconds[keys[:, 1] == code] = value
        return np.nan_to_num(seconds, nan=0.0) * 1e6

    def losses(self, machines: Iterable[str], start: int, end: int) -> list[tuple[str, str, Element, bool, int, int]]:
        """(machine, reason, element, given, time, stops)."""
        result = []
        for machine in machines:
            block = self._losses.get(machine)
            rows = slice(0, 0) if block is None else block.between(start, end)
            if block is None or rows.start == rows.stop:
                continue
            keys = block.codes[rows]
            found, place = np.unique(keys[:, 0] * 64 + keys[:, 1] * 2 + keys[:, 2], return_inverse=True)
            order = np.argsort(place, kind="stable")
            sums = np.add.reduceat(block.ints[rows][order], np.searchsorted(place[order], np.arange(len(found))))
            result += [
                (machine, self._names.texts[key // 64], Element(key % 64 // 2), bool(key % 2), time, stops)
                for key, (time, stops) in zip(found.tolist(), sums.tolist(), strict=True)
            ]
        return result


_ALL = [_INTS.index(name) for name in TOTALS]
_BUSY = [_INTS.index(name) for name in ("production", "setup", *(one.name.lower() for one in DELAYS))]


def _by_order(ints: NDArray[np.int64], ordered: NDArray[np.bool_]) -> NDArray[np.int64]:
    """int64[n, 2]: time that belongs to an order, and busy time that belongs to none."""
    whole, busy = ints[:, _ALL].sum(axis=1), ints[:, _BUSY].sum(axis=1)
    return np.column_stack([np.where(ordered, whole, 0), np.where(ordered, 0, busy)])


def _totals(ints: NDArray[np.int64], floats: NDArray[np.float64]) -> Totals:
    counts = dict(zip((*COUNTS, "standard_time", "standard_good"), floats.tolist(), strict=True))
    times = dict(zip((*_INTS, "ordered", "unordered_busy"), ints.tolist(), strict=True))
    return Totals(**times, **counts)

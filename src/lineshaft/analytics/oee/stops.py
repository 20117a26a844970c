"""Standstills of a machine: from the last moment of work to the next one, with what it was most of that time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lineshaft.analytics.oee.states import State
from lineshaft.analytics.oee.steps import NOTHING, Steps, overlay

STANDS = (State.HELD, State.SETUP, State.WAITING, State.STARVED, State.BLOCKED, State.STOPPED, State.FAULT, State.OFF)
"""States in which a machine makes nothing and something is known about it."""

Cell = tuple[int, int, int, int, int]
"""(start, end, state, cause, reason): a time in which none of the three changes."""
Share = tuple[int, int, int]
"""(state, cause, reason)."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A standstill; one that is still open ends where it was last looked at. Times are UTC microseconds.

    shares: ((state, cause, reason), microseconds) in the order in which they came.
    """

    start: int
    end: int
    shares: tuple[tuple[Share, int], ...] = ()

    @property
    def state(self) -> int:
        """The state that held longest."""
        return _most([(share[0], time) for share, time in self.shares])

    @property
    def cause(self) -> int:
        """The machine that starved or blocked it longest, NOTHING when none did."""
        return _most([(share[1], time) for share, time in self.shares if share[1] != NOTHING])

    @property
    def reason(self) -> int:
        """The reason that was told longest, NOTHING when none was."""
        return _most([(share[2], time) for share, time in self.shares if share[2] != NOTHING])

    def grown(self, cell: Cell) -> Stop:
        """With one more cell at its end."""
        start, end, *share = cell
        times = dict(self.shares)
        what = (share[0], share[1], share[2])
        times[what] = times.get(what, 0) + end - start
        return Stop(self.start, end, tuple(times.items()))


def _most(times: Sequence[tuple[int, int]]) -> int:
    sums: dict[int, int] = {}
    for value, time in times:
        sums[value] = sums.get(value, 0) + time
    return max(sums, key=lambda value: sums[value], default=NOTHING)


@dataclass(frozen=True, slots=True)
class Found:
    """Stops that are over, and the one that is not."""

    stops: tuple[Stop, ...] = ()
    open: Stop | None = field(default=None)


def fold(cells: Sequence[Cell], before: Stop | None = None) -> Found:
    """Join cells in time order to stops; `before` is one that was open where the cells begin.

    How the cells are cut into calls changes nothing: fold(a + b) finds what fold(b, fold(a).open) adds to fold(a).
    """
    stops: list[Stop] = []
    stop = before
    for cell in cells:
        if cell[2] in STANDS:
            stop = (stop or Stop(cell[0], cell[0])).grown(cell)
        elif stop is not None:
            stops.append(stop)
            stop = None
    return Found(tuple(stops), stop)


def cells_of(states: Steps, causes: Steps, reasons: Steps, start: int, end: int) -> list[Cell]:
    """The cells of [start, end)."""
    grid = overlay(start, end, states, causes, reasons)
    columns = [np.asarray(one).tolist() for one in (grid.starts, grid.ends, *grid.columns)]
    return list(zip(*columns, strict=True))

"""Starved and blocked told from down: what the machines before and after did while one was waiting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lineshaft.analytics.oee.states import State
from lineshaft.analytics.oee.steps import NOTHING, Steps, overlay

_STANDS = (State.HELD, State.SETUP, State.STOPPED, State.FAULT, State.OFF)


def attribute(states: Sequence[Steps], start: int, end: int) -> list[tuple[Steps, Steps]]:
    """For machines in the order of flow: states with every WAITING told apart, and who is the cause (index or NOTHING).

    A waiting machine is STARVED when the nearest machine before it that is not itself waiting or starved stands, and
    BLOCKED when the nearest after it that is not itself waiting or blocked stands; with both, the nearer one, then the
    one before. When neither stands it stays WAITING: no order, or the part is on its way. STARVED and BLOCKED that a
    machine says itself stay and get their cause in the same way.
    """
    if not states:
        return []
    grid = overlay(start, end, *states)
    table = np.stack(grid.columns)
    told = table.copy()
    cause = np.full(table.shape, NOTHING, np.int64)
    stands = np.isin(table, _STANDS)
    count = len(states)
    before, after = _nearest(table, stands, True), _nearest(table, stands, False)
    for row in range(count):
        waiting = table[row] == State.WAITING
        up, down = before[row], after[row]
        starved = waiting & (up >= 0) & ((down < 0) | (row - up <= down - row))
        blocked = waiting & ~starved & (down >= 0)
        told[row][starved], told[row][blocked] = State.STARVED, State.BLOCKED
        cause[row] = np.where(told[row] == State.STARVED, up, np.where(told[row] == State.BLOCKED, down, NOTHING))
    return [(Steps.of(grid.starts, told[row]), Steps.of(grid.starts, cause[row])) for row in range(count)]


def _nearest(table: np.ndarray, stands: np.ndarray, upwards: bool) -> np.ndarray:
    """int64[machines, n]: index of the nearest machine on one side that stands, with only idle ones between."""
    count = len(table)
    passes = np.isin(table, (State.WAITING, State.STARVED if upwards else State.BLOCKED))
    result = np.full(table.shape, NOTHING, np.int64)
    order = range(1, count) if upwards else range(count - 2, -1, -1)
    for row in order:
        other = row - 1 if upwards else row + 1
        result[row] = np.where(stands[other], other, np.where(passes[other], result[other], NOTHING))
    return result

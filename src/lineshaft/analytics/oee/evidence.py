"""Mending what a log gets wrong: blocks stamped by another clock, drop-outs, stops within a cycle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lineshaft.analytics.oee.states import IN_CYCLE, State
from lineshaft.analytics.oee.steps import Steps
from lineshaft.model.samples import Int64Array

_MINUTE = 60_000_000


@dataclass(frozen=True, slots=True)
class Mending:
    """The rules, the same for every machine and day. Microseconds."""

    longest_gap: int = 10 * _MINUTE  # a longer drop-out stays unknown
    cycle_stop: int = _MINUTE  # a shorter stop between two states of a cycle belongs to the cycle


@dataclass(frozen=True, slots=True, eq=False)
class Mended:
    """States after mending, and what was done. Microseconds."""

    states: Steps
    bridged: int  # time of drop-outs that was filled
    bridges: int
    unknown: int  # time that stays unknown between the first and the last known state
    cycle_stops: int


def arrival_times(times: Int64Array) -> tuple[Int64Array, int]:
    """Times in the order of arrival, none before one that came earlier; and how many were moved.

    A source cannot report today what was before its own last word: a row whose time goes back was stamped by a clock
    that is behind (on a reconnect the agent's instead of the controller's), so it happened at that last word or later.
    """
    if not len(times):
        return times, 0
    mended = np.maximum.accumulate(times)
    return mended, int(np.count_nonzero(mended != times))


def mend(states: Steps, end: int, rules: Mending | None = None) -> Mended:
    """Fill drop-outs and join stops within a cycle.

    A drop-out between two equal states, or two states of a cycle, had the state before; between different ones the
    change is put in its middle, which is right on average. What is longer than `longest_gap` stays unknown.
    A stop shorter than `cycle_stop` between two states of a cycle is a hold: the program went on, none was started.
    """
    rules = rules or Mending()
    times, values = states.times.tolist(), states.values.tolist()
    lengths = states.lengths(end).tolist()
    filled: list[tuple[int, int]] = []
    bridged = bridges = unknown = 0
    for place, (time, value, length) in enumerate(zip(times, values, lengths, strict=True)):
        inside = 0 < place < len(values) - 1
        if value != State.UNKNOWN or not inside or length > rules.longest_gap:
            unknown += length if value == State.UNKNOWN and inside else 0
            filled.append((time, value))
            continue
        before, after = values[place - 1], values[place + 1]
        bridged, bridges = bridged + length, bridges + 1
        if before != after and not (before in IN_CYCLE and after in IN_CYCLE):
            filled.append((time + length // 2, after))
    whole = Steps.of([time for time, _ in filled], [value for _, value in filled])
    held, cycle_stops = _within_cycle(whole, end, rules.cycle_stop)
    return Mended(held, bridged, bridges, unknown, cycle_stops)


def _within_cycle(states: Steps, end: int, shortest: int) -> tuple[Steps, int]:
    values = states.values.copy()
    if len(values) < 3:
        return states, 0
    cycle = np.isin(values, IN_CYCLE)
    hit = (values == State.STOPPED) & (states.lengths(end) < shortest)
    hit[0] = hit[-1] = False
    hit[1:-1] &= cycle[:-2] & cycle[2:]
    values[hit] = State.HELD
    return Steps.of(states.times, values), int(np.count_nonzero(hit))


def time_in(states: Steps, wanted: tuple[State, ...], start: int, end: int) -> int:
    """Microseconds of [start, end) in one of the wanted states."""
    part = states.cut(start, end)
    return int(part.lengths(end)[np.isin(part.values, wanted)].sum())

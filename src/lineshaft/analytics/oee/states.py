"""Machine states from signals: PackML, MTConnect execution, words, PLC bits, counters and power."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from lineshaft.analytics.oee.steps import Steps, overlay
from lineshaft.model.samples import Float64Array, Int64Array


class State(IntEnum):
    """What a machine does, whatever it calls it."""

    UNKNOWN = 0  # no data: neither run nor stop
    RUNNING = 1  # makes parts
    HELD = 2  # in the cycle, held from inside: feed hold, operator, material in the machine
    SETUP = 3  # change-over, tool change, warm-up
    WAITING = 4  # ready and idle, the reason is outside of the machine; neighbours and orders tell which
    STARVED = 5  # nothing comes from the machine before
    BLOCKED = 6  # nothing can go to the machine after
    STOPPED = 7  # stands still for a reason of its own
    FAULT = 8  # stands still with a fault
    OFF = 9  # switched off


WORDS: Mapping[str, State] = {state.name.lower(): state for state in State}
"""Names of states as configuration, tables and API write them."""

IN_CYCLE = (State.RUNNING, State.HELD)
"""States in which an automatic cycle is under way."""
STOPS = (State.HELD, State.STOPPED, State.FAULT, State.OFF)
"""States in which the machine itself does not run though it could."""

PACKML: Mapping[str, State] = {
    "0": State.UNKNOWN, "1": State.STOPPED, "2": State.STOPPED, "3": State.RUNNING, "4": State.WAITING,
    "5": State.WAITING, "6": State.RUNNING, "7": State.STOPPED, "8": State.FAULT, "9": State.FAULT,
    "10": State.HELD, "11": State.HELD, "12": State.RUNNING, "13": State.WAITING, "14": State.RUNNING,
    "15": State.WAITING, "16": State.RUNNING, "17": State.WAITING,
}  # fmt: skip
"""StateCurrent of ANSI/ISA-TR88.00.02: Held is an internal cause, Suspended an external one."""

PACKML_OPC_30060: Mapping[str, State] = {
    "0": State.STOPPED, "1": State.WAITING, "2": State.WAITING, "3": State.RUNNING, "4": State.RUNNING,
}  # fmt: skip
"""The beginning of the other numbering (OPC 30060); machines that use it name the rest in their map."""

MTCONNECT: Mapping[str, State] = {
    "ACTIVE": State.RUNNING, "INTERRUPTED": State.HELD, "FEED_HOLD": State.HELD, "PROGRAM_STOPPED": State.HELD,
    "OPTIONAL_STOP": State.HELD, "PROGRAM_OPTIONAL_STOP": State.HELD, "WAIT": State.HELD, "READY": State.WAITING,
    "PROGRAM_COMPLETED": State.WAITING, "STOPPED": State.STOPPED, "UNAVAILABLE": State.UNKNOWN,
}  # fmt: skip
"""Execution of the MTConnect standard, part 2."""

SIMPLE: Mapping[str, State] = {
    "off": State.OFF, "idle": State.WAITING, "running": State.RUNNING, "stopped": State.STOPPED,
    "set-up": State.SETUP, "setup": State.SETUP, "starved": State.STARVED, "blocked": State.BLOCKED,
    "fault": State.FAULT, "held": State.HELD, "waiting": State.WAITING,
}  # fmt: skip
"""Words that a signal's `states` commonly give."""

STANDARDS: Mapping[str, Mapping[str, State]] = {
    "words": SIMPLE, "packml": PACKML, "packml-opc-30060": PACKML_OPC_30060, "mtconnect": MTCONNECT,
}  # fmt: skip


def raw_key(value: float, text: str | None) -> str:
    """How a raw value is written in a map: a text as it is, a whole number without a point."""
    if text is not None:
        return text
    return "" if np.isnan(value) else f"{value:.15g}"


def from_raw(
    times: Int64Array, raw: Sequence[str], good: NDArray[np.bool_], table: Mapping[str, State]
) -> tuple[Steps, frozenset[str]]:
    """States of a signal whose values name them, and the raw values that the table does not know.

    times int64[n] ascending; raw: n texts of `raw_key`; good bool[n]: a row without a good value is UNKNOWN.
    """
    values = np.array([table.get(one, State.UNKNOWN) for one in raw], np.int64)
    unknown = frozenset(one for one, ok in zip(raw, good, strict=True) if ok and one not in table)
    return Steps.of(times, np.where(good, values, State.UNKNOWN)), unknown


def from_bits(bits: Sequence[tuple[Steps, int, State]], otherwise: State, start: int, end: int) -> Steps:
    """States from PLC bits: of (bit, value, state) the first whose bit has the value counts.

    Where no bit matches and none is known the state is UNKNOWN.
    """
    grid = overlay(start, end, *(bit for bit, _, _ in bits))
    known = np.zeros(len(grid.starts), np.bool_)
    result = np.full(len(grid.starts), State.UNKNOWN, np.int64)
    open_ = np.ones(len(grid.starts), np.bool_)
    for column, (_, value, state) in zip(grid.columns, bits, strict=True):
        known |= column >= 0
        hit = open_ & (column == value)
        result[hit] = state
        open_ &= ~hit
    result[open_ & known] = otherwise
    return Steps.of(grid.starts, result)


def from_counts(times: Int64Array, longest_us: int, end: int) -> Steps:
    """States of a machine of which only a part counter is known.

    times: int64[n], instants at which a part was counted. It runs from one part to the next when they are at most
    `longest_us` apart; else it ran for the last `longest_us` at most before the next part and stood before.
    """
    if not len(times):
        return Steps.of([], [])
    entries: list[tuple[int, int]] = [(int(times[0]), State.RUNNING)]
    for before, now in zip(times[:-1].tolist(), times[1:].tolist(), strict=True):
        if now - before > longest_us:
            entries += [(before, State.STOPPED), (now - longest_us // 2, State.RUNNING)]
    if end - int(times[-1]) > longest_us:
        entries.append((int(times[-1]), State.STOPPED))
    return Steps.of([time for time, _ in entries], [state for _, state in entries])


def from_power(times: Int64Array, power: Float64Array, idle: float, running: float, hold_us: int) -> Steps:
    """States from electric power: below `idle` OFF, from `running` on RUNNING, WAITING between; same unit as power.

    A change counts when it lasts `hold_us`, so that a spike or a pause within a cycle changes nothing. NaN is UNKNOWN.
    """
    return debounced(power_levels(times, power, idle, running), hold_us)


def power_levels(times: Int64Array, power: Float64Array, idle: float, running: float) -> Steps:
    """The state that each value of power means by itself."""
    level = np.where(power >= running, State.RUNNING, np.where(power >= idle, State.WAITING, State.OFF))
    return Steps.of(times, np.where(np.isnan(power), State.UNKNOWN, level).astype(np.int64))


def debounced(states: Steps, hold_us: int) -> Steps:
    """Without values that hold shorter than `hold_us` between two equal ones."""
    times, values = states.times.tolist(), states.values.tolist()
    kept: list[tuple[int, int]] = []
    for place, (time, value) in enumerate(zip(times, values, strict=True)):
        nxt = values[place + 1] if place + 1 < len(values) else value
        short = place + 1 < len(times) and times[place + 1] - time < hold_us
        if short and kept and kept[-1][1] == nxt:
            continue
        kept.append((time, value))
    return Steps.of([time for time, _ in kept], [value for _, value in kept])

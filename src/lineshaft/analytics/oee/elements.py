"""Time elements of ISO 22400-2: every microsecond of a machine's calendar time belongs to exactly one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from lineshaft.analytics.oee.calendar import Plan
from lineshaft.analytics.oee.states import STOPS, State
from lineshaft.analytics.oee.steps import NOTHING, Steps, overlay
from lineshaft.model.samples import Int64Array

_MINUTE = 60_000_000


class Element(IntEnum):
    """The leaves; the sums above them (PBT, AUBT, ADET ...) are in `totals`."""

    NON_SCHEDULED = 0  # outside of every shift
    PLANNED_DOWN = 1  # breaks and stops that were planned beforehand (PDOT)
    PRODUCTION = 2  # APT
    SETUP = 3  # AUST
    MINOR_STOP = 4  # ADET: short stops that nobody logs
    BREAKDOWN = 5  # ADET: faults and stops of the machine itself
    STARVED = 6  # ADET: nothing came
    BLOCKED = 7  # ADET: nothing could go
    DELAY = 8  # ADET: people, material, instructions, quality ...
    NO_ORDER = 9  # ADOT: available, nothing to make
    UNKNOWN = 10  # no data: neither lost nor used


DELAYS = (Element.MINOR_STOP, Element.BREAKDOWN, Element.STARVED, Element.BLOCKED, Element.DELAY)
LOSS_WORDS: Mapping[str, Element] = {
    "setup": Element.SETUP, "breakdown": Element.BREAKDOWN, "minor-stop": Element.MINOR_STOP,
    "starved": Element.STARVED, "blocked": Element.BLOCKED, "delay": Element.DELAY, "no-order": Element.NO_ORDER,
}  # fmt: skip
"""What a reason may make of a stop. A planned stop is none of them: it is planned in the calendar, beforehand."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How a machine's states become elements."""

    minor_stop: int = 5 * _MINUTE  # microseconds; a stop of its own that is shorter is a minor one
    waiting: Element = Element.NO_ORDER  # what waiting is that no neighbour explains
    unplanned_work: bool = True  # running in a break or outside of every shift counts as production


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """A machine's range cut into cells in which nothing changes. Columns of length n.

    starts, ends  UTC microseconds; ends[i] == starts[i + 1]
    elements      see Element
    reasons       index of the reason in the table that the overlay used, or NOTHING
    shifts        index of the shift, or NOTHING
    products      index of the product, or NOTHING
    orders        index of the order, or NOTHING
    states        see State
    """

    starts: Int64Array
    ends: Int64Array
    elements: Int64Array
    reasons: Int64Array
    shifts: Int64Array
    products: Int64Array
    orders: Int64Array
    states: Int64Array

    @property
    def lengths(self) -> Int64Array:
        """int64[n]: microseconds."""
        return self.ends - self.starts

    def time_of(self, *elements: Element) -> int:
        """Microseconds in these elements."""
        return int(self.lengths[np.isin(self.elements, elements)].sum())


_NONE = Steps.of([], [])


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """What is known about a machine's time beside its states; each function may be empty."""

    plan: Steps  # see calendar.Plan
    shifts: Steps = _NONE
    reasons: Steps = _NONE  # given by people, or proposed
    # reason index -> Element, NOTHING: as the state says
    reason_elements: Int64Array = field(default_factory=lambda: np.empty(0, np.int64))
    products: Steps = _NONE
    orders: Steps = _NONE


def timeline(states: Steps, context: Context, start: int, end: int, rules: Rules | None = None) -> Timeline:
    """The elements of [start, end). States before the first known one are UNKNOWN.

    A stop is as long as the machine stood, also across a shift's end: its length alone makes it a minor one.
    """
    rules = rules or Rules()
    short = _short_stops(states, end, rules.minor_stop)
    grid = overlay(
        start, end, states, context.plan, context.shifts, context.reasons, context.products, context.orders, short
    )
    state, plan, shifts, reasons, products, orders, minor = grid.columns
    state = np.where(state == NOTHING, State.UNKNOWN, state)
    elements = _by_state(state, minor == 1, rules)
    elements = _by_reason(elements, state, reasons, context.reason_elements)
    elements = _by_plan(elements, state, plan, rules)
    stood = np.isin(elements, (*DELAYS, Element.SETUP, Element.NO_ORDER))
    return Timeline(
        grid.starts, grid.ends, elements, np.where(stood, reasons, NOTHING), shifts, products, orders, state
    )


def _short_stops(states: Steps, end: int, minor: int) -> Steps:
    """1 where a stop of the machine itself is shorter than `minor`; neighbouring kinds of stop are one stop.

    A stop that is still going on at `end` is as long as it is so far.
    """
    stops = Steps.of(states.times, np.isin(states.values, STOPS).astype(np.int64))
    return Steps(stops.times, ((stops.values == 1) & (stops.lengths(max(end, _last(stops))) < minor)).astype(np.int64))


def _last(steps: Steps) -> int:
    return int(steps.times[-1]) if len(steps) else 0


_BY_STATE = np.array(
    [
        Element.UNKNOWN, Element.PRODUCTION, Element.DELAY, Element.SETUP, Element.NO_ORDER, Element.STARVED,
        Element.BLOCKED, Element.BREAKDOWN, Element.BREAKDOWN, Element.DELAY,
    ],
    np.int64,
)  # fmt: skip
"""State -> element, before length, reason and plan are looked at."""


def _by_state(state: Int64Array, minor: NDArray[np.bool_], rules: Rules) -> Int64Array:
    elements = _BY_STATE[state]
    elements[state == State.WAITING] = rules.waiting
    elements[minor & np.isin(state, STOPS)] = Element.MINOR_STOP
    return elements


def _by_reason(elements: Int64Array, state: Int64Array, reasons: Int64Array, table: Int64Array) -> Int64Array:
    """A reason says what a stop is; running, unknown and set-up time are what they are."""
    if not len(table):
        return elements
    given = (reasons >= 0) & (reasons < len(table))
    wanted = np.where(given, table[np.where(given, reasons, 0)], NOTHING)
    may = ~np.isin(state, (State.RUNNING, State.UNKNOWN))
    return np.where(may & (wanted != NOTHING), wanted, elements)


def _by_plan(elements: Int64Array, state: Int64Array, plan: Int64Array, rules: Rules) -> Int64Array:
    free = (state != State.RUNNING) if rules.unplanned_work else np.ones(len(state), np.bool_)
    result = np.where(free & (plan == Plan.BREAK), Element.PLANNED_DOWN, elements)
    return np.where(free & (plan <= Plan.OUTSIDE), Element.NON_SCHEDULED, result)

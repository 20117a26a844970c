"""From rows of signals to what each machine of a line did: states, parts, products and proposed reasons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lineshaft.analytics.oee import states as st
from lineshaft.analytics.oee.counts import Increments, increments, merged
from lineshaft.analytics.oee.neighbours import attribute
from lineshaft.analytics.oee.states import State
from lineshaft.analytics.oee.steps import NOTHING, Steps
from lineshaft.apps.oee.setup import LineSetup, MachineSetup, Reasons
from lineshaft.model.samples import CLASS_MASK, Float64Array, Int64Array, TextArray, UInt8Array

_EMPTY = Steps.of([], [])
_NONE = Increments(np.empty(0, np.int64), np.empty(0, np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """Rows of one signal in time order."""

    times: Int64Array
    values: Float64Array
    qualities: UInt8Array
    texts: TextArray | None = None

    @property
    def good(self) -> NDArray[np.bool_]:
        """bool[n]: rows whose quality is good or uncertain."""
        return np.asarray((self.qualities & CLASS_MASK) != 0)

    def raw(self) -> list[str]:
        """Values as a map writes them."""
        texts = [None] * len(self.times) if self.texts is None else self.texts
        return [st.raw_key(value, text) for value, text in zip(self.values.tolist(), texts, strict=True)]

    def until(self, end: int) -> Column:
        """Rows before `end`."""
        n = int(np.searchsorted(self.times, end))
        return Column(
            self.times[:n], self.values[:n], self.qualities[:n], None if self.texts is None else self.texts[:n]
        )


Columns = Mapping[str, Column]
"""Full signal path -> its rows."""
Rows = Callable[[str], Column | None]
"""Name of a signal on the machine -> its rows."""


@dataclass(frozen=True, slots=True, eq=False)
class Story:
    """What one machine did. `causes`: index of the machine of the line that starved or blocked it, or NOTHING;
    `reasons`: index of the proposed reason; `products`, `orders`: index in the names beside them."""

    states: Steps
    causes: Steps = _EMPTY
    reasons: Steps = _EMPTY
    words: tuple[str, ...] = ()  # the machine's words that no reason matches
    products: Steps = _EMPTY
    product_names: tuple[str, ...] = ()
    orders: Steps = _EMPTY
    order_names: tuple[str, ...] = ()
    good: Increments = _NONE
    scrap: Increments = _NONE
    rework: Increments = _NONE
    not_mapped: frozenset[str] = field(default_factory=frozenset)


def tell_line(line: LineSetup, columns: Columns, reasons: Reasons, start: int, end: int) -> dict[str, Story]:
    """Machine path -> story within [start, end), with waiting told apart by the neighbours."""
    alone = [tell(machine, columns, reasons, start, end) for machine in line.machines]
    if len(alone) == 1:
        return {line.machines[0].path: alone[0]}
    told = attribute([story.states for story in alone], start, end)
    return {
        machine.path: _with(story, states, causes)
        for machine, story, (states, causes) in zip(line.machines, alone, told, strict=True)
    }


def _with(story: Story, states: Steps, causes: Steps) -> Story:
    return Story(
        states, causes, story.reasons, story.words, story.products, story.product_names, story.orders,
        story.order_names, story.good, story.scrap, story.rework, story.not_mapped,
    )  # fmt: skip


def tell(machine: MachineSetup, columns: Columns, reasons: Reasons, start: int, end: int) -> Story:
    """One machine by itself."""
    config = machine.config

    def column(name: str) -> Column | None:
        found = columns.get(f"{machine.path}/{name}") if name else None
        return found.until(end) if found is not None and len(found.times) else None

    good, scrap = _count(column(config.good), machine), _count(column(config.scrap), machine)
    if config.total:
        good = _less(_count(column(config.total), machine), scrap)
    states, unknown = _states(machine, column, good, scrap, start, end)
    products, product_names = _names(column(config.product))
    orders, order_names = _names(column(config.order))
    proposed, words = _proposed(column(config.reason), reasons)
    return Story(
        states, _EMPTY, proposed, words, products, product_names, orders, order_names, good, scrap,
        _count(column(config.rework), machine), unknown,
    )  # fmt: skip


def _states(
    machine: MachineSetup, column: Rows, good: Increments, scrap: Increments, start: int, end: int
) -> tuple[Steps, frozenset[str]]:
    config = machine.config
    if config.state:
        found = column(config.state)
        return (
            (_EMPTY, frozenset()) if found is None else st.from_raw(found.times, found.raw(), found.good, machine.table)
        )
    if config.bits:
        bits = [(_bit(column(bit.signal)), bit.value, st.WORDS[bit.state]) for bit in config.bits]
        return st.from_bits(bits, st.WORDS[config.otherwise], start, end), frozenset()
    if config.power is not None:
        rows, power = column(config.power.signal), config.power
        if rows is None:
            return _EMPTY, frozenset()
        values = np.where(rows.good, rows.values, np.nan)
        return st.from_power(rows.times, values, power.idle, power.running, round(power.hold * 1e6)), frozenset()
    longest = round((config.counts.longest if config.counts else 60.0) * 1e6)
    return st.from_counts(np.unique(merged([good, scrap]).times), longest, end), frozenset()


def _bit(column: Column | None) -> Steps:
    if column is None:
        return _EMPTY
    values = np.where(column.good & ~np.isnan(column.values), column.values, NOTHING)
    return Steps.of(column.times, values.astype(np.int64))


def _count(column: Column | None, machine: MachineSetup) -> Increments:
    if column is None:
        return _NONE
    return increments(column.times, column.values, column.good, machine.config.rollover)


def _less(whole: Increments, part: Increments) -> Increments:
    """Good parts from all parts and bad ones: each bad part takes one from the count at or before its instant."""
    amounts = whole.amounts.copy()
    for time, amount in zip(part.times.tolist(), part.amounts.tolist(), strict=True):
        place = min(int(np.searchsorted(whole.times, time, side="right")), len(amounts)) - 1
        while amount > 0 and place >= 0:
            taken = min(amount, amounts[place])
            amounts[place] -= taken
            amount -= taken
            place -= 1
    return Increments(whole.times[amounts > 0], amounts[amounts > 0])


def _names(column: Column | None) -> tuple[Steps, tuple[str, ...]]:
    """A text signal as steps over its own names; an empty or bad one is NOTHING."""
    if column is None:
        return _EMPTY, ()
    raw = [text if ok else "" for text, ok in zip(column.raw(), column.good, strict=True)]
    names = tuple(dict.fromkeys(text for text in raw if text))
    place = {name: index for index, name in enumerate(names)}
    return Steps.of(column.times, [place.get(text, NOTHING) for text in raw]), names


def _proposed(column: Column | None, reasons: Reasons) -> tuple[Steps, tuple[str, ...]]:
    steps, words = _names(column)
    table = np.array([*(reasons.proposed(word) for word in words), NOTHING], np.int64)
    unknown = tuple(word for word, code in zip(words, table.tolist(), strict=False) if code == NOTHING)
    return Steps.of(steps.times, table[steps.values]), unknown


def with_silence(columns: Columns, machine: MachineSetup, since: int) -> Columns:
    """The columns with a bad row of the state at `since`: the source has not been heard from then on."""
    path = f"{machine.path}/{machine.config.state}"
    found = columns.get(path)
    if not machine.config.state or found is None or not len(found.times) or since <= int(found.times[-1]):
        return columns
    texts = None if found.texts is None else np.concatenate([found.texts, np.full(1, None, object)])
    bad = np.zeros(1, np.uint8)
    times, values = np.append(found.times, np.int64(since)), np.append(found.values, np.nan)
    silent = Column(times, values, np.concatenate([found.qualities, bad]), texts)
    return {**columns, path: silent}


def stopped_states() -> Sequence[State]:
    """States in which a machine can be given a reason."""
    return (State.HELD, State.SETUP, State.WAITING, State.STARVED, State.BLOCKED, State.STOPPED, State.FAULT, State.OFF)

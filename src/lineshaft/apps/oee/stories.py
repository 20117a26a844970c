"""From rows of signals to what each machine of a line did: states, parts, products and proposed reasons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lineshaft.analytics.oee import states as st
from lineshaft.analytics.oee.counts import Increments, increments, merged
from lineshaft.analytics.oee.neighbours import attribute
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
        return self.take(slice(0, int(np.searchsorted(self.times, end))))

    def take(self, rows: slice | NDArray[np.bool_] | NDArray[np.int64]) -> Column:
        """These rows."""
        texts = None if self.texts is None else self.texts[rows]
        return Column(self.times[rows], self.values[rows], self.qualities[rows], texts)


def joined(before: Column | None, new: Column) -> Column:
    """Old and new rows by time; of several for one instant the one that came last."""
    if before is not None and len(before.times):
        texts = None
        if before.texts is not None or new.texts is not None:
            texts = np.concatenate([_filled(before), _filled(new)])
        new = Column(
            np.concatenate([before.times, new.times]),
            np.concatenate([before.values, new.values]),
            np.concatenate([before.qualities, new.qualities]),
            texts,
        )
    order = np.argsort(new.times, kind="stable")
    last = np.append(np.diff(new.times[order]) > 0, True)
    return new.take(order[last])


def _filled(column: Column) -> TextArray:
    return np.full(len(column.times), None, object) if column.texts is None else column.texts


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
    config, column = machine.config, rows_until(machine, columns, end)
    good, scrap = _count(column(config.good), machine), _count(column(config.scrap), machine)
    if config.total:
        good = _less(_count(column(config.total), machine), scrap)
    states, unknown = _states(machine, column, start, end)
    products, product_names = _names(column(config.product))
    orders, order_names = _names(column(config.order))
    proposed, words = _proposed(column(config.reason), reasons)
    return Story(
        states, _EMPTY, proposed, words, products, product_names, orders, order_names, good, scrap,
        _count(column(config.rework), machine), unknown,
    )  # fmt: skip


def rows_until(machine: MachineSetup, columns: Columns, end: int) -> Rows:
    """The machine's signals by name, up to `end`; None for one that has no rows."""

    def column(name: str) -> Column | None:
        found = columns.get(f"{machine.path}/{name}") if name else None
        return found.until(end) if found is not None and len(found.times) else None

    return column


def part_times(machine: MachineSetup, column: Rows) -> Int64Array:
    """int64[n]: instants at which a part was finished, good or bad."""
    config = machine.config
    names = (config.total,) if config.total else (config.good, config.scrap)
    return np.unique(merged([_count(column(name), machine) for name in names]).times)


def power_level(machine: MachineSetup, column: Rows) -> Steps:
    """What each value of power means by itself; empty where the machine is not told by power."""
    power = machine.config.power
    rows = column(power.signal) if power is not None else None
    if rows is None or power is None:
        return _EMPTY
    return st.power_levels(rows.times, np.where(rows.good, rows.values, np.nan), power.idle, power.running)


def _states(machine: MachineSetup, column: Rows, start: int, end: int) -> tuple[Steps, frozenset[str]]:
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
        return st.debounced(power_level(machine, column), round(config.power.hold * 1e6)), frozenset()
    longest = round((config.counts.longest if config.counts else 60.0) * 1e6)
    return st.from_counts(part_times(machine, column), longest, end), frozenset()


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

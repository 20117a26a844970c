"""Roll-ups of samples that can be merged: what a bucket of rows tells, and what two buckets tell together.

A roll-up knows only its own rows, so that late rows change only the bucket they fall into. What lies between the last
row of one bucket and the first of the next (a value held, a line drawn) is added when buckets are merged.
A raw row is the smallest roll-up; raw -> minute -> hour -> day is the same `fold` each time.

Words: a row is *usable* when its quality is good or uncertain and it has a number or a text. A usable row is held
until the next row of any quality, unless that is later than the gap: then nothing is known in between.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lineshaft.model.samples import (
    CLASS_MASK,
    UNCERTAIN_CLASS,
    Float64Array,
    Int64Array,
    SampleBatch,
    TextArray,
    UInt8Array,
    UInt32Array,
)

FOREVER: Final = np.iinfo(np.int64).max
"""As a gap: a value is held however long."""
States = dict[str, int]
"""State -> microseconds in it."""


@dataclass(frozen=True, slots=True, eq=False)
class Rollups:
    """Parallel columns; row i is one bucket of one signal, sorted by signal and time. Times are UTC microseconds.

    rows, count    rows of any quality; usable rows
    numbers        usable rows with a number; `uncertain` of the usable rows are uncertain
    total          sum of the numbers; deviations: sum of their squared distances from their mean
    low, high      extremes with their times and qualities, NaN without a number
    opens_at       time of the first row; first_at, last_at: of the first and last usable row (opens_at without one)
    ends_at        time of the bad row that ended the last usable one; 0: it is still held at the end of the bucket
    covered        microseconds between first_at and the end of the last held value in which a value was known
    step, ramp     integral over `covered` of held values, and what a straight line adds to it (value x microseconds)
    increase       growth of a counter between first and last; a fall counts from 0
    states         time in each state as far as covered, None for signals that are no state
    """

    signals: UInt32Array
    starts: Int64Array
    rows: Int64Array
    count: Int64Array
    numbers: Int64Array
    uncertain: Int64Array
    total: Float64Array
    deviations: Float64Array
    low: Float64Array
    low_at: Int64Array
    low_quality: UInt8Array
    high: Float64Array
    high_at: Int64Array
    high_quality: UInt8Array
    opens_at: Int64Array
    first_at: Int64Array
    first: Float64Array
    last_at: Int64Array
    last: Float64Array
    ends_at: Int64Array
    covered: Int64Array
    step: Float64Array
    ramp: Float64Array
    increase: Float64Array
    first_text: TextArray
    last_text: TextArray
    states: TextArray

    def __len__(self) -> int:
        return len(self.signals)

    def take(self, rows: NDArray[Any] | slice) -> Rollups:
        """Rows by mask, index array or slice."""
        return Rollups(*(getattr(self, field.name)[rows] for field in fields(self)))

    @staticmethod
    def concat(parts: Iterable[Rollups]) -> Rollups:
        """Join; the caller sorts."""
        found = [part for part in parts if len(part)]
        if len(found) <= 1:
            return found[0] if found else of_rows(SampleBatch.empty())
        return Rollups(*(np.concatenate([getattr(part, field.name) for part in found]) for field in fields(Rollups)))

    def sorted(self) -> Rollups:
        """By signal and time."""
        return self.take(np.lexsort((self.opens_at, self.starts, self.signals)))


def of_rows(batch: SampleBatch) -> Rollups:
    """Each row as a roll-up of its own; `batch` sorted by signal and time."""
    n = len(batch)
    grade = batch.qualities & CLASS_MASK
    is_text = batch.is_text() & np.isnan(batch.values)
    usable = (grade != 0) & (is_text | ~np.isnan(batch.values))
    values = np.where(usable, batch.values, np.nan)
    numbers = usable & ~is_text
    texts: TextArray = np.full(n, "", object)
    if batch.texts is not None and (wanted := is_text & usable).any():
        texts[wanted] = batch.texts[wanted]
    zeros, nothing = np.zeros(n, np.int64), np.zeros(n)
    return Rollups(
        signals=batch.signals,
        starts=batch.times,
        rows=np.ones(n, np.int64),
        count=usable.astype(np.int64),
        numbers=numbers.astype(np.int64),
        uncertain=(usable & (grade == UNCERTAIN_CLASS)).astype(np.int64),
        total=np.where(numbers, values, 0.0),
        deviations=nothing,
        low=values,
        low_at=batch.times,
        low_quality=batch.qualities,
        high=values,
        high_at=batch.times,
        high_quality=batch.qualities,
        opens_at=batch.times,
        first_at=batch.times,
        first=values,
        last_at=batch.times,
        last=values,
        ends_at=np.where(usable, 0, batch.times),
        covered=zeros,
        step=nothing,
        ramp=nothing,
        increase=nothing,
        first_text=texts,
        last_text=texts,
        states=np.full(n, None, object),
    )


def emptied(signals: UInt32Array, starts: Int64Array) -> Rollups:
    """Buckets that had rows and have none any more."""
    nothing = of_rows(SampleBatch.of(signals, starts, np.nan, 0))
    return replace(nothing, rows=np.zeros(len(signals), np.int64))


def ordered(batch: SampleBatch) -> SampleBatch:
    """Rows by signal, time, value and quality: one order, however they came."""
    return batch.take(np.lexsort((batch.qualities, batch.values, batch.times, batch.signals)))


def label(value: float, text: str) -> str:
    """Name of a state: the text, or the number as people write it, with all its digits."""
    return text or ("" if np.isnan(value) else f"{value:.15g}")


@dataclass(frozen=True, slots=True, eq=False)
class _Bridges:
    """What lies between each row and the next one, where both belong together."""

    joined: NDArray[np.bool_]  # bool[n-1]: the value of row i is held until row i + 1 opens
    length: Int64Array  # int64[n-1]
    step: Float64Array
    ramp: Float64Array


def _bridges(atoms: Rollups, together: NDArray[np.bool_], gaps: Int64Array) -> _Bridges:
    held = together & (atoms.count[:-1] > 0) & (atoms.ends_at[:-1] == 0)
    length = np.where(held, atoms.opens_at[1:] - atoms.last_at[:-1], 0)
    held &= length <= gaps[:-1]
    length[~held] = 0
    left, right = atoms.last[:-1], atoms.first[1:]
    step = np.where(held & ~np.isnan(left), left * length, 0.0)
    line = held & (atoms.opens_at[1:] == atoms.first_at[1:]) & ~np.isnan(right - left)
    ramp = np.where(line, (right - left) / 2 * length, 0.0)
    return _Bridges(held, length, step, ramp)


def growth(before: Float64Array, after: Float64Array) -> Float64Array:
    """How much a counter grew: the difference, or the new value after a fall (a reset); 0 where one is unknown."""
    difference = after - before
    grown = np.where(difference >= 0, difference, after)
    return np.where(np.isnan(difference), 0.0, grown)


def fold(atoms: Rollups, width: int, gaps: Int64Array, stateful: NDArray[np.bool_]) -> Rollups:
    """Merge into buckets of `width` microseconds since 1970, UTC; see `fold_by`."""
    return fold_by(atoms, atoms.opens_at // width * width, gaps, stateful)


def fold_by(atoms: Rollups, starts: Int64Array, gaps: Int64Array, stateful: NDArray[np.bool_]) -> Rollups:
    """Merge neighbours of one signal with the same start.

    atoms     sorted by signal and time, none over the edge of a bucket
    starts    int64[n]: start of the bucket of each
    gaps      int64[n]: the longest time that the signal's value is held
    stateful  bool[n]: the signal is a state, so that time in state is kept; texts always are
    """
    n = len(atoms)
    if n == 0:
        return atoms
    new = np.ones(n, np.bool_)
    new[1:] = (np.diff(atoms.signals) != 0) | (np.diff(starts) != 0)
    heads = np.flatnonzero(new)
    group = np.cumsum(new) - 1
    bridges = _bridges(atoms, ~new[1:], gaps)
    usable = atoms.count > 0
    place = np.arange(n)
    first = np.minimum.reduceat(np.where(usable, place, n), heads)
    last = np.maximum.reduceat(np.where(usable, place, -1), heads)
    some = last >= 0
    first, last = np.where(some, first, heads), np.where(some, last, heads)
    low, low_at, low_quality = _extreme(atoms.low, atoms.low_at, atoms.low_quality, heads, group, np.minimum)
    high, high_at, high_quality = _extreme(atoms.high, atoms.high_at, atoms.high_quality, heads, group, np.maximum)
    numbers, total = np.add.reduceat(atoms.numbers, heads), np.add.reduceat(atoms.total, heads)

    def over(own: NDArray[Any], between: NDArray[Any]) -> NDArray[Any]:
        return np.add.reduceat(own + np.append(between, between[:0].sum()), heads)

    return Rollups(
        signals=atoms.signals[heads],
        starts=starts[heads],
        rows=np.add.reduceat(atoms.rows, heads),
        count=np.add.reduceat(atoms.count, heads),
        numbers=numbers,
        uncertain=np.add.reduceat(atoms.uncertain, heads),
        total=total,
        deviations=_deviations(atoms, heads, group, numbers, total),
        low=low,
        low_at=low_at,
        low_quality=low_quality,
        high=high,
        high_at=high_at,
        high_quality=high_quality,
        opens_at=atoms.opens_at[heads],
        first_at=atoms.first_at[first],
        first=atoms.first[first],
        last_at=atoms.last_at[last],
        last=atoms.last[last],
        ends_at=_ends(atoms, last, some, np.append(heads[1:], n)),
        covered=over(atoms.covered, bridges.length),
        step=over(atoms.step, bridges.step),
        ramp=over(atoms.ramp, bridges.ramp),
        increase=_increase(atoms, usable, heads, group),
        first_text=atoms.first_text[first],
        last_text=atoms.last_text[last],
        states=_states(atoms, bridges, group, len(heads), stateful),
    )


def _extreme(
    values: Float64Array, times: Int64Array, qualities: UInt8Array, heads: Int64Array, group: Int64Array, of: Any
) -> tuple[Float64Array, Int64Array, UInt8Array]:
    """The extreme of each group with the first time at which it was reached."""
    blank = np.inf if of is np.minimum else -np.inf
    filled = np.where(np.isnan(values), blank, values)
    found = of.reduceat(filled, heads)
    place = np.arange(len(values))
    at = np.minimum.reduceat(np.where(filled == found[group], place, len(values)), heads)
    none = np.isnan(values[at])
    return np.where(none, np.nan, found), times[at], qualities[at]


def _deviations(
    atoms: Rollups, heads: Int64Array, group: Int64Array, numbers: Int64Array, total: Float64Array
) -> Float64Array:
    """Chan, Golub, LeVeque (1979): squared distances within the parts, and of the parts' means from the whole mean."""
    mean = total / np.maximum(numbers, 1)
    own = atoms.total / np.maximum(atoms.numbers, 1)
    away = atoms.numbers * (own - mean[group]) ** 2
    found: Float64Array = np.add.reduceat(atoms.deviations + away, heads)
    return found


def _ends(atoms: Rollups, last: Int64Array, some: NDArray[np.bool_], stops: Int64Array) -> Int64Array:
    """Where the last held value was ended by a bad row: inside of its own part, or by the part after it."""
    after = np.minimum(last + 1, len(atoms) - 1)
    ended = np.where(last + 1 < stops, atoms.opens_at[after], 0)
    own = atoms.ends_at[last]
    found: Int64Array = np.where(some, np.where(own != 0, own, ended), atoms.opens_at[last])
    return found


def _increase(atoms: Rollups, usable: NDArray[np.bool_], heads: Int64Array, group: Int64Array) -> Float64Array:
    at = np.flatnonzero(usable)
    found: Float64Array = np.add.reduceat(atoms.increase, heads)
    if len(at) > 1:
        same = group[at[1:]] == group[at[:-1]]
        grown = np.where(same, growth(atoms.last[at[:-1]], atoms.first[at[1:]]), 0.0)
        found = found + np.bincount(group[at[1:]], grown, len(heads))
    return found


def _states(
    atoms: Rollups, bridges: _Bridges, group: Int64Array, groups: int, stateful: NDArray[np.bool_]
) -> TextArray:
    found: TextArray = np.full(groups, None, object)
    rows = np.flatnonzero(stateful | np.asarray(atoms.last_text != "", np.bool_))
    held = np.append(bridges.length, 0)[rows].tolist()
    own_states, counts = atoms.states[rows].tolist(), atoms.count[rows].tolist()
    values, texts = atoms.last[rows].tolist(), atoms.last_text[rows].tolist()
    columns = (group[rows].tolist(), own_states, values, texts, held, counts)
    for place, own, value, text, length, some in zip(*columns, strict=True):
        into = found[place]
        if into is None:
            into = found[place] = {}
        for name, time in (own or {}).items():
            into[name] = into.get(name, 0) + time
        if some:  # what has just begun was in this state as well
            name = label(value, text)
            into[name] = into.get(name, 0) + length
    return found
